"""Panels, what a board shows: a picture under a grid of cells, a list of units, as cards too, or a flow."""

import dataclasses
import re
from collections.abc import Mapping, Sequence

import numpy as np

from lucid_ext.fields import check_fields
from lucid_ext.flow import Flow

FORMATS = ("number", "percent")  # of values
MAX_CELLS = 1_000_000  # of a grid
COLOUR = re.compile(r"#[0-9a-f]{6}")


@dataclasses.dataclass(frozen=True)
class Mark:
    """A short text in a colour, at a cell of a grid.

    Attributes:
        atom: the cell.
        text: a word or a number.
        colour: "#rrggbb".
    """

    atom: int
    text: str
    colour: str


@dataclasses.dataclass(frozen=True, eq=False)
class Grid:
    """A picture whose atoms are the cells of a grid laid over it, row by row.

    Grids of one scene show the same places: they have one selection, one zoom and one lens between them.

    Attributes:
        name: what links call it.
        title: the heading over it.
        picture: uint8 (H, W, 3).
        rows: cells down.
        cols: cells across.
        start: the atom selected at first; None leaves that to another grid of the scene.
        places: {label: atom}, places to start from.
        note: a remark under the picture.
        scene: what the places are of.
        tiled: whether cells have pictures of their own, here already or still to come.
        tiles: uint8 (m, size, size, 3), pictures of some of the cells.
        tile_of: (n,) which of `tiles` is the cell's, -1 for none.
        dead: (n,) bool, cells for which there will be no picture: nothing answers there.
        sizes: (n,) float32 in [0, 1], the share of its cell that a sized tile takes, by area.
        values: (n,) float32, not negative; cells are as clear as theirs is large, dark at 0.
        law: what sizes or values stand for, and what a full one is.
        marks: texts at some of the cells.
        between: whether it shows what lies between the two grids before it; where there is no room for
            three side by side, it stands below them.
    """

    name: str
    title: str
    picture: np.ndarray
    rows: int
    cols: int
    start: int | None = 0
    places: Mapping[str, int] = dataclasses.field(default_factory=dict)
    note: str = ""
    scene: str = "picture"
    tiled: bool = False
    tiles: np.ndarray | None = None
    tile_of: np.ndarray | None = None
    dead: np.ndarray | None = None
    sizes: np.ndarray | None = None
    values: np.ndarray | None = None
    law: str = ""
    marks: Sequence[Mark] = ()
    between: bool = False

    def __post_init__(self) -> None:
        check_fields(self)
        if not 1 <= self.rows * self.cols <= MAX_CELLS or self.rows < 1:
            raise ValueError(
                f"panel {self.name!r} has {self.rows} x {self.cols} cells; expected 1 to {MAX_CELLS:,}."
            )
        if self.picture.dtype != np.uint8 or self.picture.ndim != 3 or self.picture.shape[-1] != 3:
            raise ValueError(
                f"the picture of panel {self.name!r} is {self.picture.dtype} {self.picture.shape}; "
                "expected uint8 (H, W, 3)."
            )
        for place, atom in {"start": self.start or 0, **self.places}.items():
            if not 0 <= atom < len(self):
                raise ValueError(f"place {place!r} of panel {self.name!r} is atom {atom} of {len(self)}.")
        for mark in self.marks:
            if not 0 <= mark.atom < len(self) or not COLOUR.fullmatch(mark.colour):
                raise ValueError(
                    f"panel {self.name!r} has the mark {mark}; expected an atom of {len(self)} and #rrggbb."
                )
        _check_pictures(self, "tiles", self.tiles, "tile_of", self.tile_of, self.tiled, "tiled")
        for what in ("dead", "sizes", "values"):
            array = getattr(self, what)
            if array is not None and array.shape != (len(self),):
                raise ValueError(
                    f"{what} of panel {self.name!r} has shape {array.shape}; expected ({len(self)},)."
                )
        if self.sizes is not None and not np.all((self.sizes >= 0) & (self.sizes <= 1)):
            raise ValueError(f"sizes of panel {self.name!r} are not all between 0 and 1.")
        if self.values is not None and not np.all(self.values >= 0):
            raise ValueError(f"values of panel {self.name!r} are negative or not numbers.")

    def __len__(self) -> int:
        """The number of cells."""
        return self.rows * self.cols

    def label(self, atom: int) -> str:
        """How a sentence calls a cell; rows and columns count from 0, as in an array."""
        row, col = divmod(atom, self.cols)
        dead = self.dead is not None and self.dead[atom]
        return f"row {row}, column {col}" + (" (dead)" if dead else "")

    def same_place(self, atom: int, other: "Grid") -> int:
        """The cell of another grid over the same picture that holds this cell's centre."""
        row, col = divmod(atom, self.cols)
        row = (2 * row + 1) * other.rows // (2 * self.rows)  # in whole numbers: a centre may lie on an edge
        return row * other.cols + (2 * col + 1) * other.cols // (2 * self.cols)


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
        _check_pictures(self, "icons", self.icons, "icon_of", self.icon_of, self.illustrated, "illustrated")
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


Panel = Grid | Units | Flow


def _check_pictures(
    panel: Grid | Units,
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
