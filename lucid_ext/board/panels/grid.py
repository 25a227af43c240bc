"""Pictures under a grid of cells."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from lucid_ext.board.pairing import BETWEEN, Pairing
from lucid_ext.board.panels.base import COLOUR, Panel, Pictures, check_pictures
from lucid_ext.board.wire import Wire
from lucid_ext.storage.fields import check_fields

MAX_CELLS = 1_000_000  # of a grid
LEAST_CHANGE = 1 / 255  # a difference of pictures is shown no stronger than as if it were this


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
class Grid(Panel):
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

    kind: ClassVar[str] = "grid"
    lights: ClassVar[bool] = True

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
            check_fields(mark)
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

    def place(self, atom: int, other: "Grid") -> int:
        """Return the cell of another grid over the same picture that holds this cell's centre."""
        row, col = divmod(atom, self.cols)
        row = (2 * row + 1) * other.rows // (2 * self.rows)  # in whole numbers: a centre may lie on an edge
        return row * other.cols + (2 * col + 1) * other.cols // (2 * self.cols)

    def check_selected(self, atom: Any) -> None:
        """Refuse what is no cell, and say how cells are numbered."""
        try:
            super().check_selected(atom)
        except ValueError as error:
            raise ValueError(f"{str(error)[:-1]} (row * {self.cols} + column).") from None

    def address(self, atom: int) -> tuple[int, int]:
        """Return row and column."""
        return divmod(atom, self.cols)

    def carry(self, atom: int, old: Any) -> int | None:
        """Return the cell at the same place."""
        return old.place(atom, self) if isinstance(old, Grid) and 0 <= atom < len(old) else None

    @property
    def pictures(self) -> Pictures | None:
        """The tiles."""
        return None if self.tiles is None or self.tile_of is None else (self.tiles, self.tile_of)

    @property
    def awaits_pictures(self) -> bool:
        """Whether cells have tiles, here already or still to come."""
        return self.tiled

    @property
    def sheet_columns(self) -> int:
        """As in the grid: webp blurs over edges, and what is blurred into a tile should be beside it."""
        return self.cols

    def with_pictures(self, images: np.ndarray, index: np.ndarray) -> "Grid":
        """Return the grid with other tiles."""
        return dataclasses.replace(self, tiles=images, tile_of=index)

    def spec(self, wire: Wire) -> dict[str, Any]:
        """Return what the browser needs; the picture is sent once for all grids over it."""
        height, width, _ = self.picture.shape
        return {
            **wire.fields(self, without=("picture", "tiles", "tile_of")),
            "picture": wire.picture(self.picture),
            "aspect": width / height,
            **wire.sprites(self, self.pictures),
        }

    def likeness(self) -> Any:
        """Return the name and the numbers of cells."""
        return self.name, self.rows, self.cols

    def beside(self, side: str, name: str, first: bool) -> "Grid":
        """Return it for a pair, in which the first grid has the selection."""
        return dataclasses.replace(super().beside(side, name, first), start=self.start if first else None)

    def compare(self, other: "Grid", pairing: Pairing) -> "Grid":
        """Return how far the cells' values turned, or how their tiles or the pictures differ."""
        for one, two in pairing.of_cells():
            if one.source == self.name:
                units = len(pairing.a[one.target])
                return self._turned(one.table(units), two.table(units))  # type: ignore[arg-type]
        return self._tiles_apart(other) if self.tiled else self._pictures_apart(other, pairing.seen)

    def picture_differences(self, other: "Grid") -> dict[int, np.ndarray]:
        """Return signed differences of tiles where both have one: grey is 0, white +1."""
        if self.tiles is None or other.tiles is None or self.tile_of is None or other.tile_of is None:
            return {}
        if self.tiles.shape[1:] != other.tiles.shape[1:]:  # of one there are only sketches yet
            return {}
        cells = np.flatnonzero((self.tile_of >= 0) & (other.tile_of >= 0))
        first, second = self.tiles[self.tile_of[cells]], other.tiles[other.tile_of[cells]]
        pixels = np.round((255 + first.astype(np.float32) - second) / 2).astype(np.uint8)
        return dict(zip(cells.tolist(), pixels, strict=True))

    def _apart(self, what: str, picture: np.ndarray, **fields: Any) -> "Grid":
        """A grid of the same places for what lies between this one and another."""
        return Grid(
            BETWEEN + self.name,
            f"{self.title}, {what}",
            picture,
            self.rows,
            self.cols,
            start=None,
            scene=self.scene,
            between=True,
            **fields,
        )

    def _turned(self, a: np.ndarray, b: np.ndarray) -> "Grid":
        """1 - cosine between two values of each cell (cells, units), over the first picture."""
        both = ~np.isnan(a) & ~np.isnan(b)
        a, b = np.where(both, a, 0), np.where(both, b, 0)
        lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
        cosine = np.where(lengths > 0, (a * b).sum(1) / np.maximum(lengths, 1e-12), 1.0)
        turned = np.clip(1 - cosine, 0, 2).astype(np.float32)
        law = f"1 \u2212 cosine, clear at {turned.max(initial=0):.2f}"
        return self._apart("how far it turned", self.picture, values=turned, law=law)

    def _pictures_apart(self, other: "Grid", seen: Sequence[tuple[np.ndarray, np.ndarray]]) -> "Grid":
        """The signed difference of two pictures, grey where they agree."""
        one, two = (
            next(
                (levels for picture, levels in seen if picture is grid.picture),
                grid.picture / np.float32(255),
            )
            for grid in (self, other)
        )
        if one.shape != two.shape:
            shown = Image.fromarray(other.picture).resize((one.shape[1], one.shape[0]))
            two = np.asarray(shown, np.float32) / 255
        difference = one - two
        most = max(float(np.abs(difference).max(initial=0)), LEAST_CHANGE)
        pixels = np.round(127.5 + 127.5 * difference / most).astype(np.uint8)
        return self._apart("difference", pixels, law=f"grey is 0, white +{most:.3f}")

    def _tiles_apart(self, other: "Grid") -> "Grid":
        """The differences of cells' tiles, as far as they are there already."""
        found = self.picture_differences(other)
        tile_of = np.full(len(self), -1, np.int32)
        tile_of[list(found)] = np.arange(len(found))
        return self._apart(
            "difference",
            np.full((self.rows, self.cols, 3), 127, np.uint8),
            tiled=True,
            tiles=np.stack(list(found.values())) if found else None,
            tile_of=tile_of if found else None,
            law="grey is 0, white +1",
        )
