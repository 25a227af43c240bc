"""Pictures under a grid of cells."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from lucid_ext.board.panels.base import COLOUR, check_pictures
from lucid_ext.storage.fields import check_fields

MAX_CELLS = 1_000_000  # of a grid


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
        check_pictures(self, "tiles", self.tiles, "tile_of", self.tile_of, self.tiled, "tiled")
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
