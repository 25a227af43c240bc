"""What a kind of panel is: what its file says of itself, so that nothing else asks which kind a panel is."""

import abc
import dataclasses
import numbers
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

if TYPE_CHECKING:
    from lucid_ext.board.board import Board
    from lucid_ext.board.pairing import Pairing
    from lucid_ext.board.wire import Wire

FORMATS = ("number", "percent")  # of values
COLOUR = re.compile(r"#[0-9a-f]{6}")

Rows = list[tuple[int, float]]
"""What a list shows: [(unit, value)]."""

Pictures = tuple[np.ndarray, np.ndarray]
"""Pictures uint8 (m, s, s, 3), and for each atom (n,) which of them is its own, -1 for none."""


class Panel(abc.ABC):
    """What a board shows. Its atoms, numbered from 0, can be selected.

    A kind is a frozen dataclass in a file of its own, with a line in the registry beside it, and a file
    and a line of the same name in the browser.

    Attributes:
        kind: what the browser calls it.
        several: whether a selection is a list of atoms.
        lists: whether it shows rows, which links may fill.
        lights: whether links may light up its atoms.
        steady: whether it always shows all its atoms, in their order.
        name: what links call it.
        title: the heading over it.
        shown: how many rows at first; of lists alone.
        most: how many rows at most; of lists alone.
        renamable: whether readers may give its atoms names of their own.
        scene: what its atoms are places of, with one selection for all panels of it; None for no places.
    """

    kind: ClassVar[str]
    several: ClassVar[bool] = False
    lists: ClassVar[bool] = False
    steady: ClassVar[bool] = False
    lights: ClassVar[bool] = False
    name: str
    title: str
    shown: int
    most: int
    scene: str | None = None
    renamable: bool = False

    @abc.abstractmethod
    def __len__(self) -> int:
        """Return the number of atoms."""

    @abc.abstractmethod
    def label(self, atom: Any) -> str:
        """Return how a sentence calls what is selected."""

    def tell(self, atom: Any) -> str:
        """Return what `{panel}` stands for in a caption."""
        return self.label(atom)

    def validate(self, board: "Board") -> None:
        """Refuse a board that lacks what this panel refers to."""
        return

    def check_selected(self, atom: Any) -> None:
        """Refuse what cannot be selected here.

        Raises:
            ValueError: one sentence that says what can be.
        """
        atoms = atom if self.several and isinstance(atom, list | tuple) else [] if self.several else [atom]
        whole = [isinstance(one, numbers.Integral) and not isinstance(one, bool) for one in atoms]
        if not atoms or not all(whole) or not all(0 <= one < len(self) for one in atoms):
            what = "a list of whole numbers" if self.several else "a whole number"
            raise ValueError(
                f"{atom!r} cannot be selected in panel {self.name!r}; expected {what} from 0 to "
                f"{len(self) - 1}."
            )

    def address(self, atom: Any) -> Any:
        """Return what Python is told of a selected atom: its number, or where it is in an array."""
        return atom

    def carry(self, atom: Any, old: Any) -> Any:
        """Return what stands here for an atom of `old`, the panel of this name on another board; or None."""
        return None

    def place(self, atom: int, other: Any) -> int:
        """Return the atom of another panel of the same scene that is at the same place."""
        raise TypeError(f"the atoms of panel {self.name!r} are no places")

    def own_rows(self, count: int, values: np.ndarray | None = None) -> Rows:
        """Return what a list shows of itself, or with other values of its units."""
        return []

    def renamed(self, name: str, atom: int, label: str) -> "Panel":
        """Return the panel after an atom of panel `name` got another label."""
        return self

    @property
    def pictures(self) -> Pictures | None:
        """The pictures of its atoms; None while there are none."""
        return None

    @property
    def awaits_pictures(self) -> bool:
        """Whether its atoms have pictures of their own, here already or still to come."""
        return False

    @property
    def sheet_columns(self) -> int | None:
        """How many pictures lie side by side where they travel together; None leaves that open."""
        return None

    def with_pictures(self, images: np.ndarray, index: np.ndarray) -> "Panel":
        """Return the panel with other pictures of its atoms."""
        raise ValueError(f"panel {self.name!r} has no pictures of its atoms.")

    def drawn(self) -> set[int]:
        """Return the atoms whose pictures are seen whatever links do."""
        return set(range(len(self)))

    def spec(self, wire: "Wire") -> dict[str, Any]:
        """Return what the browser needs to draw it, as JSON."""
        return wire.fields(self)

    # Of a pair of boards.

    def likeness(self) -> Any:
        """Return what must be equal for panels of two boards to be set side by side."""
        return [self.label(atom) for atom in range(len(self))]

    @property
    def comparable(self) -> bool:
        """Whether the same number means the same atom on another board, so that values can be compared."""
        return True

    def beside(self, side: str, name: str, first: bool) -> Any:
        """Return the panel as it stands in a pair: named after its side, its title after its board."""
        changes = {"name": side + self.name, "title": f"{self.title}, {name}"}
        return dataclasses.replace(self, **changes)  # type: ignore[type-var]

    def compare(self, other: Any, pairing: "Pairing") -> "Panel | None":
        """Return what lies between this panel and the other board's, or None where that makes no sense."""
        return None

    def picture_differences(self, other: Any) -> dict[int, np.ndarray]:
        """Return how the atoms' pictures differ from the other's, {atom: uint8 (s, s, 3)}."""
        return {}


def check_pictures(
    panel: Any,
    what: str,
    pictures: np.ndarray | None,
    which: str,
    index: np.ndarray | None,
    said: bool,
    word: str,
) -> None:
    """Refuse pictures of a panel's atoms that are no pictures, or not given with whose they are."""
    if pictures is not None and (pictures.dtype != np.uint8 or pictures.ndim != 4):
        raise ValueError(f"the {what} of panel {panel.name!r} are not uint8 (n, size, size, 3).")
    if index is not None and index.shape != (len(panel),):
        raise ValueError(
            f"{which} of panel {panel.name!r} has shape {index.shape}; expected ({len(panel)},)."
        )
    if (pictures is None) != (index is None):
        raise ValueError(f"panel {panel.name!r} needs {what} and {which} together.")
    if pictures is not None and not said:
        raise ValueError(f"panel {panel.name!r} has {what}, but is not said to be {word}.")


def by_magnitude(values: np.ndarray, count: int) -> Rows:
    """Return the rows of the largest of values (n,), whatever their sign."""
    order = np.argsort(-np.abs(values), kind="stable")[:count]
    return [(int(a), float(values[a])) for a in order]


def same_label(atom: int, old: Any, labels: Sequence[str]) -> int | None:
    """Return which of the labels is that of an atom of another panel."""
    label = old.label(atom)
    return list(labels).index(label) if label in labels else None
