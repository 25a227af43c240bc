"""Links that fill a list."""

import dataclasses
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from lucid_ext.board.links.base import Link, check_atoms
from lucid_ext.board.pairing import BETWEEN, FIRST, SECOND, SIDES, Pairing
from lucid_ext.board.panels.base import Panel, Rows
from lucid_ext.board.wire import Wire


@dataclasses.dataclass(frozen=True, eq=False)
class Ranking(Link):
    """Selecting an atom of `source` fills the list `target` anew, in the order given.

    It may rank more units than the list shows: a comparison of two boards needs them all.

    Attributes:
        source: name of a panel.
        target: name of a list of units.
        atoms: (atoms of source, k) int32, which units.
        values: (atoms of source, k) float32, their values.
        scales: (atoms of source,) float32, the value at which a bar is full; None for that of the list.
        law: what the values are; {} stands for the name of the source's atom.
        notes: a remark per atom of the source, shown under the list; empty where there is none.
    """

    kind: ClassVar[str] = "ranking"

    source: str
    target: str
    atoms: np.ndarray
    values: np.ndarray
    scales: np.ndarray | None = None
    law: str = ""
    notes: Sequence[str] = ()

    def validate(self, source: Panel, target: Panel) -> None:
        """Refuse a target that is no list, and arrays that are not a row for each atom of the source."""
        check_atoms(self, "values", self.values, source, target)
        for name, given in (("scales", self.scales), ("notes", self.notes or None)):
            if given is not None and len(given) != len(source):
                raise ValueError(f"{self.where} has {len(given)} {name}; expected {len(source)}.")
        if self.scales is not None and not np.all(self.scales > 0):
            raise ValueError(f"{self.where} has scales that are not above 0.")

    @property
    def fills(self) -> bool:
        """It does."""
        return True

    def rows(self, atom: int, count: int) -> Rows:
        """Return the first of its units for an atom."""
        pairs = zip(self.atoms[atom][:count], self.values[atom][:count], strict=True)
        return [(int(a), float(v)) for a, v in pairs]

    def reached(self, target: Any) -> set[int]:
        """Return the units that any atom can bring into the list."""
        return set(np.unique(self.atoms[:, : target.most]).tolist())

    def spec(self, target: Any, wire: Wire) -> dict[str, Any]:
        """Return what its list can show of it."""
        shown = {"atoms": self.atoms[:, : target.most], "values": self.values[:, : target.most]}
        return {
            **wire.fields(self, without=tuple(shown)),
            "atoms": wire.array(shown["atoms"], "i32"),
            "values": wire.array(shown["values"], "f32"),
        }

    def across(self, here: str, there: str, pairing: Pairing) -> list[Link]:
        """Return it asked from the other board: by the same unit of a list, or the same place."""
        if pairing.a[self.source].scene is not None:
            return [self.renamed(side, here) for side in SIDES if side != here]
        return [self.renamed(there, here)] if pairing.asked_of_both(self.source) else []

    def compare(self, other: "Ranking", pairing: Pairing) -> list[Link]:
        """Return, for places, the units by how much their values differ."""
        if (self, other) not in pairing.of_cells():
            return []
        units = len(pairing.a[self.target])
        atoms, values = _by_difference(self.table(units) - other.table(units))
        return [
            Ranking(side + self.source, BETWEEN + self.target, atoms, values)
            for side in (FIRST, SECOND, BETWEEN)
        ]

    def table(self, units: int) -> np.ndarray:
        """Return its values as (atoms of the source, units), NaN where a unit is not ranked."""
        table = np.full((len(self.atoms), units), np.nan, np.float32)
        np.put_along_axis(table, self.atoms.astype(np.int64), self.values, axis=1)
        return table


def _by_difference(difference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rank differences by magnitude, row by row; what is not known of a row comes in none."""
    known = int((~np.isnan(difference)).sum(1).min(initial=difference.shape[1]))
    size = np.nan_to_num(np.abs(difference), nan=-1.0)
    atoms = np.argsort(-size, axis=1, kind="stable")[:, :known].astype(np.int32)
    return atoms, np.take_along_axis(difference, atoms, axis=1)
