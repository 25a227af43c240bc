"""Units as cards side by side."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from lucid_ext.board.panels.base import FORMATS
from lucid_ext.board.panels.units import Units


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
            if not fact.scale > 0 or fact.format not in FORMATS:
                raise ValueError(
                    f"fact {fact.name!r} of cards {self.name!r} has scale {fact.scale} and format "
                    f"{fact.format!r}; expected a scale above 0 and one of {', '.join(FORMATS)}."
                )
