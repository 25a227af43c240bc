"""A kind of panel of one's own: atoms as points of a plane, such as the cells of a layer side by side."""

import dataclasses
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from lucid_ext.board.panels import PANELS, Panel
from lucid_ext.board.panels.base import same_label
from lucid_ext.storage.fields import check_fields


@dataclasses.dataclass(frozen=True, eq=False)
class Scatter(Panel):
    """Points that can be selected, and lit by what is selected elsewhere.

    Attributes:
        name: what links call it.
        title: the heading over it.
        labels: a name per point.
        points: (n, 2) float32, across and up; they fill the panel.
    """

    kind: ClassVar[str] = "scatter"
    lights: ClassVar[bool] = True

    name: str
    title: str
    labels: Sequence[str]
    points: np.ndarray

    def __post_init__(self) -> None:
        check_fields(self)
        if self.points.shape != (len(self), 2):
            raise ValueError(
                f"points of panel {self.name!r} have shape {self.points.shape}; expected ({len(self)}, 2)."
            )

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.labels)

    def label(self, atom: int) -> str:
        """Return how a sentence calls a point."""
        return self.labels[atom]

    def carry(self, atom: int, old: Any) -> int | None:
        """Return the point of the same name."""
        return same_label(atom, old, self.labels)


PANELS["Scatter"] = Scatter
