"""Units as cards side by side."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lucid_ext.board.panels.base import FORMATS
from lucid_ext.board.panels.units import Units
from lucid_ext.board.wire import Wire
from lucid_ext.storage.fields import check_fields

if TYPE_CHECKING:
    from lucid_ext.board.board import Board


@dataclasses.dataclass(frozen=True, eq=False)
class Fact:
    """A number that every card of a list shows.

    Attributes:
        name: what it is, in a word or three.
        values: (n,) float32.
        scale: the value at which its bar is full.
        format: how it is printed: "number" or "percent".
    """

    name: str
    values: np.ndarray
    scale: float = 1.0
    format: str = "percent"


@dataclasses.dataclass(frozen=True, eq=False)
class Cards(Units):
    """Units as cards side by side, in their order: icon, pictures of another list, and several numbers.

    Attributes:
        facts: the numbers.
        marks: a word per card; empty where there is none.
        loud: (n,) bool, cards whose mark stands out.
        doubts: a word per card on why not to rely on it, which also gets a dashed edge; empty where
            there is none.
        strip: name of a list that selecting a card fills; the card has the pictures of its first rows.
        start: the card selected at first.
    """

    kind: ClassVar[str] = "cards"
    steady: ClassVar[bool] = True

    facts: Sequence[Fact] = ()
    marks: Sequence[str] = ()
    loud: np.ndarray | None = None
    strip: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        n = len(self.labels)
        if self.values is None or self.most < n:
            raise ValueError(f"cards {self.name!r} stand still: they need values, and most to be {n}.")
        if self.marks and len(self.marks) != n:
            raise ValueError(f"cards {self.name!r} have {len(self.marks)} marks for {n} units.")
        numbers = [(f"fact {fact.name!r}", fact.values) for fact in self.facts]
        for what, array in [("loud", self.loud), *numbers]:
            if array is not None and array.shape != (n,):
                raise ValueError(f"{what} of cards {self.name!r} has shape {array.shape}; expected ({n},).")
        for fact in self.facts:
            check_fields(fact)
            if not fact.scale > 0 or fact.format not in FORMATS:
                raise ValueError(
                    f"fact {fact.name!r} of cards {self.name!r} has scale {fact.scale} and format "
                    f"{fact.format!r}; expected a scale above 0 and one of {', '.join(FORMATS)}."
                )

    def validate(self, board: "Board") -> None:
        """Refuse pictures of what is no panel."""
        super().validate(board)
        if self.strip and all(panel.name != self.strip for panel in board.panels):
            raise ValueError(f"cards {self.name!r} have pictures of {self.strip!r}, which is no panel.")

    def spec(self, wire: Wire) -> dict[str, Any]:
        """Return what the browser needs."""
        return {**super().spec(wire), "loud": [] if self.loud is None else wire.value(self.loud)}

    def beside(self, side: str, name: str, first: bool) -> "Cards":
        """Return them for a pair, with the pictures of their own side's list."""
        made = super().beside(side, name, first)
        assert isinstance(made, Cards)
        return dataclasses.replace(made, strip=side + self.strip if self.strip else "")
