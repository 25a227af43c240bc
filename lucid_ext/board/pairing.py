"""Two boards that are compared, as their panels and links see them."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from lucid_ext.board.board import Board
    from lucid_ext.board.links.base import Link

FIRST, SECOND, BETWEEN = "a_", "b_", "d_"
"""How panels of a pair are named: after the board they are of, or what lies between the two."""

SIDES = (FIRST, SECOND, BETWEEN)


@dataclasses.dataclass(frozen=True, eq=False)
class Pairing:
    """Two boards with the same panels.

    Attributes:
        a: the first.
        b: the second.
        seen: of pictures that are subtracted, what to take in their place: (picture of a grid, float32
            (H, W, 3) in [0, 1]).
    """

    a: "Board"
    b: "Board"
    seen: Sequence[tuple[np.ndarray, np.ndarray]] = ()

    def other(self, link: "Link") -> Any:
        """Return the second board's link of the same kind between the same panels, or None."""
        ends = (link.source, link.target)
        found = (m for m in self.b.links if (m.source, m.target) == ends and type(m) is type(link))
        return next(found, None)

    def same_atoms(self, name: str) -> bool:
        """Whether panel `name` has the same atoms on both boards."""
        p, q = self.a[name], self.b[name]
        return len(p) == len(q) and all(p.label(atom) == q.label(atom) for atom in range(len(p)))

    def asked_of_both(self, name: str) -> bool:
        """Whether what is asked on list `name` of one board is asked of the other as well."""
        trail = self.a.trail or self.b.trail
        return bool(trail and name in trail.lists) and self.same_atoms(name)

    def of_cells(self) -> "list[tuple[Link, Link]]":
        """Return the links of both boards that rank comparable units for the places of a panel."""
        pairs = [(link, self.other(link)) for link in self.a.links if link.fills]
        return [
            (one, two)
            for one, two in pairs
            if two is not None and self.a[one.source].scene is not None and self.a[one.target].comparable
        ]
