"""Links that light up cells of a picture."""

import dataclasses
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from lucid_ext.board.links.base import Link
from lucid_ext.board.pairing import BETWEEN, FIRST, SECOND, Pairing
from lucid_ext.board.panels.base import Panel
from lucid_ext.board.wire import Wire


@dataclasses.dataclass(frozen=True, eq=False)
class Heat(Link):
    """Selecting an atom of `source` lights up the cells of `target`.

    Attributes:
        source: name of a panel.
        target: name of a grid.
        weights: (atoms of source, atoms of target). Where any is negative, cells are marked with their
            sign too.
        scale: the weight at which a cell is fully clear, one for all atoms of the source or (n,) one
            for each; None for the largest of the selected atom.
        law: what the weights are.
        of: the atoms of the source that say anything of the target, None for all: the others, of which
            nothing is known here, light nothing.
    """

    kind: ClassVar[str] = "heat"
    from_several: ClassVar[bool] = True

    source: str
    target: str
    weights: np.ndarray
    scale: float | np.ndarray | None = None
    law: str = ""
    of: Sequence[int] | None = None

    def validate(self, source: Panel, target: Panel) -> None:
        """Refuse a target without cells, and weights that are not a row for each atom of the source."""
        if not target.lights:
            kind = f"a {type(target).__name__}"
            raise ValueError(f"{self.where} lights up cells, but {target.name!r} is {kind}: expected a Grid.")
        if not np.all(np.isfinite(self.weights)):
            raise ValueError(f"{self.where} has weights that are not finite numbers.")
        scale = 1.0 if self.scale is None else self.scale
        if np.shape(scale) not in ((), (len(source),)) or not np.all(np.asarray(scale) > 0):
            raise ValueError(
                f"{self.where} has scale {scale}; expected one above 0, or one for each, or None."
            )
        if self.of is not None and not all(0 <= atom < len(source) for atom in self.of):
            raise ValueError(f"{self.where} is of atoms beyond the {len(source)} of {self.source!r}.")
        expected = (len(source), len(target))
        if self.weights.shape != expected:
            raise ValueError(
                f"{self.where} has weights of shape {self.weights.shape}; expected {expected}, a row for "
                f"each atom of {self.source!r} and a column for each cell of {self.target!r}."
            )

    def shared(self) -> np.ndarray:
        """Return the weights."""
        return self.weights

    def spec(self, target: Panel, wire: Wire) -> dict[str, Any]:
        """Return all but the weights, which may be another link's too."""
        scale = self.scale.tolist() if isinstance(self.scale, np.ndarray) else self.scale
        signed = bool((self.weights < 0).any())
        return {**wire.fields(self, without=("weights", "scale")), "scale": scale, "signed": signed}

    def beside(self, side: str) -> list[Link]:
        """Return nothing: `compare` says what it lights up."""
        return []

    def compare(self, other: "Heat", pairing: Pairing) -> list[Link]:
        """Return what an atom of either, or of what lies between, lights on both, and the difference."""
        asked = pairing.asked_of_both(self.source)
        if not (asked or pairing.a[self.source].comparable):
            # The units of one are not the other's.
            return [self.renamed(FIRST, FIRST), other.renamed(SECOND, SECOND)]
        both = self.of if self.of is None or other.of is None else sorted({*self.of} & {*other.of})
        law = f"{self.law}, difference" if self.law else self.law
        between = dataclasses.replace(
            self, weights=self.weights - other.weights, scale=None, of=both, law=law
        )
        return [
            link.renamed(side, target)
            for side in ((FIRST, SECOND) if asked else (FIRST, SECOND, BETWEEN))
            for target, link in ((FIRST, self), (SECOND, other), (BETWEEN, between))
        ]
