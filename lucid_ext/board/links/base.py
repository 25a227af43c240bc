"""What a kind of link is: what its file says of itself, so that nothing else asks which kind a link is."""

import abc
import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lucid_ext.board.panels.base import Panel, Rows

if TYPE_CHECKING:
    from lucid_ext.board.pairing import Pairing
    from lucid_ext.board.wire import Wire


class Link(abc.ABC):
    """What selecting an atom of one panel does to another.

    A kind is a frozen dataclass in a file of its own, with a line in the registry beside it, and a file
    and a line of the same name in the browser.

    Attributes:
        kind: what the browser calls it.
        from_several: whether it may start where several atoms are selected at once.
        source: name of the panel it starts at.
        target: name of the panel it leads to.
    """

    kind: ClassVar[str]
    from_several: ClassVar[bool] = False
    source: str
    target: str

    @property
    def where(self) -> str:
        """How a sentence calls it."""
        return f"the link from {self.source!r} to {self.target!r}"

    @abc.abstractmethod
    def validate(self, source: Panel, target: Panel) -> None:
        """Refuse arrays that do not fit the panels.

        Raises:
            ValueError: one sentence that says what was expected.
        """

    def rows(self, atom: int, count: int) -> Rows | None:
        """Return what it fills its target with for an atom of its source; None if it fills no list."""
        return None

    @property
    def fills(self) -> bool:
        """Whether it fills a list."""
        return False

    @property
    def dials(self) -> bool:
        """Whether atoms of its source have dials."""
        return False

    def scaled(self, levels: Mapping[int, float]) -> np.ndarray | None:
        """Return the target's values for dials {atom: level}; None where they change nothing."""
        return None

    def reached(self, target: Panel) -> set[int]:
        """Return the atoms of its target whose pictures it can bring up."""
        return set()

    def shared(self) -> np.ndarray | None:
        """Return weights that other links may have too, or turned round, and that travel once; or None."""
        return None

    def spec(self, target: Panel, wire: "Wire") -> dict[str, Any]:
        """Return what the browser needs of it, as JSON."""
        return wire.fields(self)

    # Of a pair of boards.

    def renamed(self, source_side: str, target_side: str, **changes: Any) -> Any:
        """Return it between panels of a pair."""
        ends = {"source": source_side + self.source, "target": target_side + self.target}
        return dataclasses.replace(self, **ends, **changes)  # type: ignore[type-var]

    def beside(self, side: str) -> "list[Link]":
        """Return what of it stays on its own side of a pair."""
        return [self.renamed(side, side)]

    def across(self, here: str, there: str, pairing: "Pairing") -> "list[Link]":
        """Return what it says, on its own side `here`, of atoms of the panels `there`."""
        return []

    def compare(self, other: Any, pairing: "Pairing") -> "list[Link]":
        """Return what it and the other board's link lead to together, on both sides and between."""
        return []

    def table(self, units: int) -> np.ndarray | None:
        """Return its values as (atoms of the source, units), NaN where unknown; None if it ranks nothing."""
        return None


def check_atoms(link: Any, what: str, numbers: np.ndarray, source: Panel, target: Panel) -> None:
    """Refuse a link's atoms and their numbers where they are no rows of a list's units.

    Raises:
        ValueError: one sentence that says what was expected.
    """
    where, atoms = link.where, link.atoms
    if not target.lists:
        kind = f"a {type(target).__name__}"
        raise ValueError(f"{where} needs a list of units to lead to, but {target.name!r} is {kind}.")
    if atoms.ndim != 2 or atoms.shape != numbers.shape or len(atoms) != len(source):
        raise ValueError(
            f"{where} has atoms of shape {atoms.shape} and {what} of shape {numbers.shape}; expected "
            f"({len(source)}, k) of both, a row for each atom of {link.source!r}."
        )
    if atoms.size and not 0 <= atoms.min() <= atoms.max() < len(target):
        raise ValueError(f"{where} names atoms outside 0..{len(target) - 1}.")
