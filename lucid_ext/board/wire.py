"""How parts of a board travel to the browser: each field by what it holds, unless its kind says otherwise."""

import abc
import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from lucid_ext.board.panels.base import Panel, Pictures


class Wire(abc.ABC):
    """What takes up the arrays and pictures of a board on their way."""

    @abc.abstractmethod
    def array(self, array: np.ndarray, dtype: str) -> Any:
        """Take up numbers as "f16", "f32", "i32" or "u16"; returns what stands for them in JSON."""

    @abc.abstractmethod
    def picture(self, pixels: np.ndarray) -> str:
        """Take up a picture uint8 (h, w, 3); returns its name."""

    @abc.abstractmethod
    def sprites(self, panel: "Panel", pictures: "Pictures | None") -> dict[str, Any]:
        """Take up pictures of a panel's atoms; returns {"sheet": which sheet, "icon_of": where in it}."""

    def fields(self, part: Any, without: Collection[str] = ()) -> dict[str, Any]:
        """Return the fields of a dataclass as JSON: its kind, if it has one, and what each field holds."""
        own = {"kind": part.kind} if hasattr(part, "kind") else {}
        names = [field.name for field in dataclasses.fields(part) if field.name not in without]
        return {**own, **{name: self.value(getattr(part, name)) for name in names}}

    def value(self, value: Any) -> Any:
        """Return anything a field may hold as JSON: of flags, the numbers of those that are set."""
        if isinstance(value, np.ndarray):
            if value.dtype == bool:
                return np.flatnonzero(value).tolist()
            return self.array(value, "i32" if np.issubdtype(value.dtype, np.integer) else "f32")
        if dataclasses.is_dataclass(value):
            return self.fields(value)
        if isinstance(value, Mapping):
            return {key: self.value(one) for key, one in value.items()}
        if isinstance(value, Sequence) and not isinstance(value, str):
            return [self.value(one) for one in value]
        return value.item() if isinstance(value, np.generic) else value
