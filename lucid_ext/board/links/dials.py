"""Links by which units of one list are turned up or down, and another list answers."""

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from lucid_ext.board.links.base import Link
from lucid_ext.board.panels.base import Panel
from lucid_ext.board.wire import Wire


@dataclasses.dataclass(frozen=True, eq=False)
class Dials(Link):
    """Turning a unit of `source` up or down changes the values of the list `target`.

    The table holds what one unit alone does. Where several are turned at once, the view asks whoever
    answers behind it; where nobody does, as in a page, turning one lets the others go back.

    Attributes:
        source: name of a list of units; each has a dial.
        target: name of a list of units with values of its own.
        levels: (m,) float32, rising: where a dial can stand. At 1 all are as the list has them.
        values: (units of source, m, units of target) float32, with that unit alone at that level.
        title: the heading over the dials.
    """

    kind: ClassVar[str] = "dials"

    source: str
    target: str
    levels: np.ndarray
    values: np.ndarray
    title: str

    def scaled(self, levels: Mapping[int, float]) -> np.ndarray | None:
        """Return the target's values for dials {unit: level}; None while all stand at 1.

        Raises:
            ValueError: several are turned, or one stands where no level is.
        """
        turned = {unit: level for unit, level in levels.items() if level != 1}
        if not turned:
            return None
        (unit, level), *more = turned.items()
        where = np.flatnonzero(np.isclose(self.levels, level))
        if more or not len(where):
            raise ValueError(
                f"the dials of {self.source!r} stand at {dict(levels)}; the board has one at a time, at "
                f"{', '.join(f'{level:g}' for level in self.levels)}."
            )
        return self.values[unit, where[0]]

    @property
    def dials(self) -> bool:
        """They have."""
        return True

    def validate(self, source: Panel, target: Panel) -> None:
        """Refuse panels that are no lists, levels that do not rise, and values of another shape."""
        if not source.lists or not target.lists or getattr(target, "values", None) is None:
            raise ValueError(f"{self.where} needs a list of units, and one with values of its own.")
        if self.levels.ndim != 1 or not np.all(np.diff(self.levels) > 0) or 1 not in self.levels:
            raise ValueError(
                f"{self.where} has levels {self.levels}; expected rising levels with 1 among them."
            )
        expected = (len(source), len(self.levels), len(target))
        if self.values.shape != expected:
            raise ValueError(
                f"{self.where} has values of shape {self.values.shape}; expected {expected}: units of "
                f"{self.source!r}, levels, units of {self.target!r}."
            )

    def spec(self, target: Panel, wire: Wire) -> dict[str, Any]:
        """Return the values as a table, a row for each unit and level."""
        table = self.values.reshape(-1, self.values.shape[-1])
        levels = [round(float(level), 4) for level in self.levels]
        return {
            **wire.fields(self, without=("levels", "values")),
            "levels": levels,
            "values": wire.array(table, "f16"),
        }
