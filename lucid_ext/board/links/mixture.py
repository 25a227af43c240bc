"""Links that stand in for an icon that is not there."""

import dataclasses
from typing import ClassVar

import numpy as np

from lucid_ext.board.links.base import Link, check_atoms
from lucid_ext.board.panels.base import Panel


@dataclasses.dataclass(frozen=True, eq=False)
class Mixture(Link):
    """Where a unit of `source` has no icon, it is shown as a blend of icons of `target`.

    Attributes:
        source: name of a list of units.
        target: name of a list of units with icons.
        atoms: (atoms of source, k) int32, whose icons.
        weights: (atoms of source, k) float32, how much of each; not negative.
    """

    kind: ClassVar[str] = "mixture"

    source: str
    target: str
    atoms: np.ndarray
    weights: np.ndarray

    def validate(self, source: Panel, target: Panel) -> None:
        """Refuse a target that is no list, and weights that are negative or of another shape."""
        check_atoms(self, "weights", self.weights, source, target)
        if not np.all(self.weights >= 0):
            raise ValueError(f"{self.where} has weights that are negative or not numbers.")

    def reached(self, target: Panel) -> set[int]:
        """Return the units whose icons are blended."""
        return set(np.unique(self.atoms).tolist())
