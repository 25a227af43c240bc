"""A Board as JSON for the browser: small numbers, base64 arrays, pictures as webp."""

import base64
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from lucid_ext.board import Board
from lucid_ext.board.panels.base import Panel, Pictures
from lucid_ext.board.wire import Wire
from lucid_ext.storage.sheets import pack
from lucid_ext.widgets.formula import encode, mathml

PICTURE_QUALITY = 85
ICON_QUALITY = 60


def payload(boards: Sequence[Board], controls: bool, icon_size: int | None = None) -> dict[str, Any]:
    """What the view is given.

    Args:
        boards: the board to show first, and its variants.
        controls: whether the view draws the controls itself (a page without a kernel).
        icon_size: reduce icons to this side, to keep a page small.
    """
    pictures: dict[str, str] = {}
    sheets = _Sheets(icon_size)
    return {
        "boards": [_board(board, pictures, sheets, controls) for board in boards],
        "pictures": pictures,
        "sheets": sheets.encoded(),
        "controls": controls,
    }


class _Sheets:
    """All small pictures of a payload, each of them once: one sheet per size, and number of columns."""

    def __init__(self, most: int | None):
        self.most = most
        self.tiles: dict[tuple[int, int | None], dict[bytes, np.ndarray]] = {}

    def add(self, pictures: np.ndarray, columns: int | None) -> tuple[str, list[int]]:
        """Take pictures (n, s, s, 3) up; returns which sheet they are in, and where."""
        size = pictures.shape[1] if self.most is None else min(self.most, pictures.shape[1])
        tiles = self.tiles.setdefault((size, columns), {})
        keys = [hashlib.sha256(picture.tobytes()).digest() for picture in pictures]
        for key, picture in zip(keys, pictures, strict=True):
            if key not in tiles:
                tiles[key] = _reduced(picture, size)
        place = {key: i for i, key in enumerate(tiles)}
        return _sheet_name(size, columns), [place[key] for key in keys]

    def encoded(self) -> dict[str, Any]:
        return {
            _sheet_name(size, columns): sheet(np.stack(list(tiles.values())), columns)
            for (size, columns), tiles in self.tiles.items()
        }


def _sheet_name(size: int, columns: int | None) -> str:
    return f"{size}" if columns is None else f"{size} in {columns}"


def board_key(board: Board) -> str:
    """What tells a board from its variants."""
    return json.dumps(dict(board.choice), sort_keys=True)


def sheet(icons: np.ndarray, columns: int | None = None) -> dict[str, Any]:
    """Icons (n, s, s, 3) as one webp picture, of nearly equal sides unless `columns` are given."""
    pixels, columns = pack(icons, columns)
    return {
        "url": webp_url(Image.fromarray(pixels), ICON_QUALITY),
        "size": icons.shape[1],
        "columns": columns,
    }


def _reduced(picture: np.ndarray, size: int) -> np.ndarray:
    # Each on its own, so that neighbours do not bleed into each other.
    if picture.shape[0] == size:
        return picture
    return np.asarray(Image.fromarray(picture).resize((size, size), Image.Resampling.LANCZOS))


def webp_url(picture: Image.Image, quality: int) -> str:
    """A picture as a data URL."""
    data = io.BytesIO()
    picture.save(data, "webp", quality=quality, method=4)
    return "data:image/webp;base64," + base64.b64encode(data.getvalue()).decode()


def _array(array: np.ndarray, dtype: str) -> dict[str, Any]:
    kinds = {"f16": "<f2", "f32": "<f4", "i32": "<i4", "u16": "<u2"}
    data = base64.b64encode(np.ascontiguousarray(array, kinds[dtype]).tobytes()).decode()
    return {"type": dtype, "shape": list(array.shape), "data": data}


class _Wire(Wire):
    """Takes up what one board has: its pictures among those of a payload, its sprites in their sheets."""

    def __init__(self, board: Board, pictures: dict[str, str], sheets: _Sheets):
        self._pictures, self._sheets = pictures, sheets
        self.drawn = {panel.name: panel.drawn() for panel in board.panels}
        for link in board.links:
            self.drawn[link.target] |= link.reached(board[link.target])

    def array(self, array: np.ndarray, dtype: str) -> dict[str, Any]:
        """See `Wire`; base64 of little-endian numbers."""
        return _array(array, dtype)

    def picture(self, pixels: np.ndarray) -> str:
        """See `Wire`; as webp, once."""
        key = hashlib.sha256(pixels.tobytes()).hexdigest()[:16]
        if key not in self._pictures:
            self._pictures[key] = webp_url(Image.fromarray(pixels), PICTURE_QUALITY)
        return key

    def sprites(self, panel: Panel, pictures: Pictures | None) -> dict[str, Any]:
        """See `Wire`; of the atoms that a reader can bring up."""
        atoms = [] if pictures is None else [a for a in sorted(self.drawn[panel.name]) if pictures[1][a] >= 0]
        if pictures is None or not atoms:
            return {"sheet": None, "icon_of": None}
        images, index = pictures
        name, places = self._sheets.add(images[index[atoms]], panel.sheet_columns)
        place = np.full(len(panel), -1, np.int32)
        place[atoms] = places
        return {"sheet": name, "icon_of": _array(place, "i32")}


def _board(board: Board, pictures: dict[str, str], sheets: _Sheets, controls: bool) -> dict[str, Any]:
    wire = _Wire(board, pictures, sheets)
    lists = {panel.name: wire.drawn[panel.name] for panel in board.panels if panel.lists}
    return {
        "key": board_key(board),
        "title": board.title,
        "reading": board.reading,
        "formula": encode(mathml(board.formula)) if board.formula else None,
        "captions": board.captions,
        "choice": dict(board.choice),
        "panels": [panel.spec(wire) for panel in board.panels],
        # Python may point at any unit; the reader of a page only at what a list can show.
        "links": _links(board, wire, lists if controls else {}),
        "trail": board.trail and wire.fields(board.trail),
    }


def _links(board: Board, wire: Wire, reached: Mapping[str, set[int]]) -> list[dict[str, Any]]:
    """The links; weights that several have in common, or turned round, travel with the first of them.

    Of the units of lists in `reached` only these light up anything: other weights stay behind.
    """
    weights = [link.shared() for link in board.links]
    places = [_place(w) for whole in weights if whole is not None for w in (whole, whole.T)]
    made: list[dict[str, Any]] = []
    first: dict[tuple, int] = {}
    for link, own in zip(board.links, weights, strict=True):
        spec = link.spec(board[link.target], wire)
        if own is not None:
            carrier = first.setdefault(_place(own), len(made))
            turned = first.get(_place(own.T), carrier)
            if carrier < len(made):
                spec["weights"] = {"as": carrier}
            elif turned < len(made):
                spec["weights"] = {"as": turned, "turned": True}
            else:
                alone = places.count(_place(own)) == 1
                spec["weights"] = _weights(own, reached.get(link.source) if alone else None)
        made.append(spec)
    return made


def _place(array: np.ndarray) -> tuple:
    """Where an array's numbers lie in memory, and how."""
    return array.__array_interface__["data"][0], array.shape, array.strides


def _weights(weights: np.ndarray, reached: set[int] | None) -> dict[str, Any]:
    """Weights as float16; rows that are zero or not reached stay behind, if there are any such."""
    rows = np.flatnonzero(weights.any(1))
    if reached is not None:
        rows = np.intersect1d(rows, np.array(sorted(reached), np.int64))
    if len(rows) == len(weights):
        return _array(weights, "f16")
    return {**_array(weights[rows], "f16"), "shape": list(weights.shape), "rows": rows.tolist()}
