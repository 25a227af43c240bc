"""Lists of units, each with a picture and a bar."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from lucid_ext.board.panels.base import COLOUR, FORMATS, check_pictures
from lucid_ext.storage.fields import check_fields


@dataclasses.dataclass(frozen=True, eq=False)
class Units:
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
