"""Lists of units, each with a picture and a bar."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lucid_ext.board.pairing import BETWEEN, Pairing
from lucid_ext.board.panels.base import (
    COLOUR,
    FORMATS,
    Panel,
    Pictures,
    Rows,
    by_magnitude,
    check_pictures,
    same_label,
)
from lucid_ext.board.wire import Wire
from lucid_ext.storage.fields import check_fields

if TYPE_CHECKING:
    from lucid_ext.board.board import Board


@dataclasses.dataclass(frozen=True, eq=False)
class Units(Panel):
    """A list whose atoms are units: channels, groups, classes, or the vectors of cells.

    Attributes:
        name: what links call it.
        title: the heading over it.
        labels: a name per unit.
        notes: a remark per unit, shown with its icon; empty where there is none.
        icons: uint8 (m, size, size, 3), pictures of some of the units.
        icon_of: (n,) which of `icons` is the unit's, -1 for none.
        values: (n,) float32 for a list that no selection changes; its rows then fall by magnitude.
        scale: the value at which a bar is full; one for the whole picture.
        format: how a value is printed: "number" or "percent".
        shown: how many rows at first.
        most: how many rows at most; a slider offers what lies between 1 and it.
        large: whether icons are large; for a list of one.
        illustrated: whether units have icons, here already or still to come.
        passing: whether the units are found in this picture alone, as components of its activations
            are, so that those of another picture are others of the same name.
        colours: "#rrggbb" of each unit, as its marks in a picture have it.
        doubts: for each unit why it may not be believed, or nothing; a doubtful one is drawn broken.
        renamable: whether readers may give the units names of their own.
        named_after: the list whose units these are too, so that they have the same names.
        column: which of the three columns beside one picture the list stands in, from 0; None leaves
            that to the links.
        start: the unit selected at first, or None.
    """

    kind: ClassVar[str] = "units"
    lists: ClassVar[bool] = True

    name: str
    title: str
    labels: Sequence[str]
    notes: Sequence[str] = ()
    icons: np.ndarray | None = None
    icon_of: np.ndarray | None = None
    values: np.ndarray | None = None
    scale: float = 1.0
    format: str = "number"
    shown: int = 5
    most: int = 5
    large: bool = False
    illustrated: bool = False
    passing: bool = False
    colours: Sequence[str] = ()
    doubts: Sequence[str] = ()
    renamable: bool = False
    named_after: str = ""
    column: int | None = None
    start: int | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        n = len(self.labels)
        if self.start is not None and not 0 <= self.start < n:
            raise ValueError(f"panel {self.name!r} starts at unit {self.start} of {n}.")
        if self.values is not None and self.values.shape != (n,):
            raise ValueError(f"values of panel {self.name!r} has shape {self.values.shape}; expected ({n},).")
        if self.notes and len(self.notes) != n:
            raise ValueError(f"panel {self.name!r} has {len(self.notes)} notes for {n} units.")
        for what in ("colours", "doubts"):
            if len(getattr(self, what)) not in (0, n):
                raise ValueError(f"panel {self.name!r} has {len(getattr(self, what))} {what} for {n} units.")
        if not all(COLOUR.fullmatch(colour) for colour in self.colours):
            raise ValueError(f"the colours of panel {self.name!r} are not all #rrggbb.")
        if self.column not in (None, 0, 1, 2):
            raise ValueError(f"panel {self.name!r} is to stand in column {self.column}; expected 0, 1 or 2.")
        check_pictures(self, "icons", self.icons, "icon_of", self.icon_of, self.illustrated, "illustrated")
        if not self.scale > 0 or self.format not in FORMATS:
            raise ValueError(
                f"panel {self.name!r} has scale {self.scale} and format {self.format!r}; "
                f"expected a scale above 0 and one of {', '.join(FORMATS)}."
            )
        if not 1 <= self.shown <= max(self.most, 1):
            raise ValueError(f"panel {self.name!r} shows {self.shown} of at most {self.most} rows.")

    def __len__(self) -> int:
        """The number of units."""
        return len(self.labels)

    def label(self, atom: int) -> str:
        """How a sentence calls a unit."""
        return self.labels[atom]

    def validate(self, board: "Board") -> None:
        """Refuse to be named after what has no such units."""
        after = self.named_after
        if after and (all(panel.name != after for panel in board.panels) or len(board[after]) != len(self)):
            raise ValueError(f"panel {self.name!r} is named after {after!r}, which has no such units.")

    def carry(self, atom: int, old: Any) -> int | None:
        """Return the unit of the same name."""
        return same_label(atom, old, self.labels) if old.lists and 0 <= atom < len(old) else None

    def own_rows(self, count: int, values: np.ndarray | None = None) -> Rows:
        """Return the units with the largest values, whatever their sign."""
        values = self.values if values is None else values
        return [] if values is None else by_magnitude(values, count)

    def renamed(self, name: str, atom: int, label: str) -> "Units":
        """Return the list with another name for a unit, if it is this one or named after it."""
        if name not in (self.name, self.named_after):
            return self
        labels = list(self.labels)
        labels[atom] = label
        return dataclasses.replace(self, labels=labels)

    @property
    def pictures(self) -> Pictures | None:
        """The icons."""
        return None if self.icons is None or self.icon_of is None else (self.icons, self.icon_of)

    @property
    def awaits_pictures(self) -> bool:
        """Whether units have icons, here already or still to come."""
        return self.illustrated

    def with_pictures(self, images: np.ndarray, index: np.ndarray) -> "Units":
        """Return the list with other icons."""
        return dataclasses.replace(self, icons=images, icon_of=index)

    def drawn(self) -> set[int]:
        """Return the units that the list shows of itself."""
        return {unit for unit, _ in self.own_rows(self.most)}

    def spec(self, wire: Wire) -> dict[str, Any]:
        """Return what the browser needs."""
        return {
            **wire.fields(self, without=("icons", "icon_of", "passing")),
            **wire.sprites(self, self.pictures),
        }

    def likeness(self) -> Any:
        """Return the name and, unless they are of one picture alone, the units."""
        return self.name, self.passing or list(self.labels)

    @property
    def comparable(self) -> bool:
        """Whether the units are the same on another board, and more than one."""
        return not self.passing and not self.large

    def beside(self, side: str, name: str, first: bool) -> "Units":
        """Return it for a pair, where lists side by side have one length."""
        after = side + self.named_after if self.named_after else ""
        made = super().beside(side, name, first)
        return dataclasses.replace(made, named_after=after, most=self.shown)

    def compare(self, other: "Units", pairing: Pairing) -> "Units | None":
        """Return the units by how much they differ: for the selected place, or as the two lists stand."""
        of_cells = [(one, two) for one, two in pairing.of_cells() if one.target == self.name]
        both = self.values is not None and other.values is not None
        if not self.comparable or not (both or of_cells):
            return None
        values = self.values - other.values if both else None  # type: ignore[operator]
        largest = 0.0 if values is None else float(np.abs(values).max(initial=0))
        for one, two in of_cells:
            change = one.table(len(self)) - two.table(len(self))  # type: ignore[operator]
            largest = max(largest, float(np.nanmax(np.abs(change), initial=0)))
        return dataclasses.replace(
            self,
            name=BETWEEN + self.name,
            title=f"{self.title}, difference",
            values=values,
            most=self.shown,
            scale=largest or self.scale,
        )
