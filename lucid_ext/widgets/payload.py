"""A Board as JSON for the browser: small numbers, base64 arrays, pictures as webp."""

import base64
import dataclasses
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from lucid_ext.board import Board, Dials, Grid, Heat, Link, Mixture, Panel, Ranking, Units
from lucid_ext.board.panels import Cards
from lucid_ext.board.panels.flow import Flow
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


def _board(board: Board, pictures: dict[str, str], sheets: _Sheets, controls: bool) -> dict[str, Any]:
    used = _drawn_units(board)
    return {
        "key": board_key(board),
        "title": board.title,
        "reading": board.reading,
        "formula": encode(mathml(board.formula)) if board.formula else None,
        "captions": board.captions,
        "choice": dict(board.choice),
        "panels": [_panel(panel, pictures, used, sheets) for panel in board.panels],
        # Python may point at any unit; the reader of a page only at what a list can show.
        "links": _links(board, used if controls else {}),
        "trail": board.trail and {"lists": list(board.trail.lists), "start": list(board.trail.start)},
    }


def _drawn_units(board: Board) -> Mapping[str, set[int]]:
    """Per list, the units that any selection can show: only their icons need to travel."""
    used: dict[str, set[int]] = {p.name: set() for p in board.panels if isinstance(p, Units)}
    for link in board.links:
        if isinstance(link, Ranking | Mixture):
            used[link.target] |= set(np.unique(_shown(link, board)[0]).tolist())
    for panel in board.panels:
        if isinstance(panel, Units) and panel.values is not None:
            used[panel.name] |= set(np.argsort(-np.abs(panel.values), kind="stable")[: panel.most].tolist())
    return used


def _shown(link: Ranking | Mixture, board: Board) -> tuple[np.ndarray, np.ndarray]:
    """The atoms a link leads to and their numbers; of a ranking, what its list can show."""
    if isinstance(link, Mixture):
        return link.atoms, link.weights
    target = board[link.target]
    assert isinstance(target, Units)
    return link.atoms[:, : target.most], link.values[:, : target.most]


def _panel(
    panel: Panel, pictures: dict[str, str], used: Mapping[str, set[int]], sheets: _Sheets
) -> dict[str, Any]:
    if isinstance(panel, Grid):
        key = hashlib.sha256(panel.picture.tobytes()).hexdigest()[:16]
        if key not in pictures:
            pictures[key] = webp_url(Image.fromarray(panel.picture), PICTURE_QUALITY)
        return {
            "kind": "grid",
            "name": panel.name,
            "title": panel.title,
            "picture": key,
            "aspect": panel.picture.shape[1] / panel.picture.shape[0],
            "rows": panel.rows,
            "cols": panel.cols,
            "start": panel.start,
            "places": dict(panel.places),
            "note": panel.note,
            "scene": panel.scene,
            "tiled": panel.tiled,
            "dead": None if panel.dead is None else np.flatnonzero(panel.dead).tolist(),
            "sizes": None if panel.sizes is None else _array(panel.sizes, "f32"),
            "values": None if panel.values is None else _array(panel.values, "f32"),
            "law": panel.law,
            "between": panel.between,
            "marks": [dataclasses.asdict(mark) for mark in panel.marks],
            **_sheet_of(panel, range(len(panel)), sheets),
        }
    if isinstance(panel, Flow):
        return _flow(panel, sheets)
    return {
        "kind": "units",
        "name": panel.name,
        "title": panel.title,
        "labels": list(panel.labels),
        "notes": list(panel.notes),
        "values": None if panel.values is None else _array(panel.values, "f32"),
        "scale": panel.scale,
        "format": panel.format,
        "shown": panel.shown,
        "most": panel.most,
        "large": panel.large,
        "illustrated": panel.illustrated,
        "colours": list(panel.colours),
        "doubts": list(panel.doubts),
        "renamable": panel.renamable,
        "named_after": panel.named_after,
        "column": panel.column,
        "start": panel.start,
        **_sheet_of(panel, sorted(used[panel.name]), sheets),
        **(_card_parts(panel) if isinstance(panel, Cards) else {}),
    }


def _card_parts(panel: Cards) -> dict[str, Any]:
    """What cards have beyond a list of units."""
    facts = [
        {"name": f.name, "values": _array(f.values, "f32"), "scale": f.scale, "format": f.format}
        for f in panel.facts
    ]
    return {
        "kind": "cards",
        "facts": facts,
        "marks": list(panel.marks),
        "loud": [] if panel.loud is None else np.flatnonzero(panel.loud).tolist(),
        "doubts": list(panel.doubts),
        "strip": panel.strip,
        "start": panel.start,
    }


def _flow(flow: Flow, sheets: _Sheets) -> dict[str, Any]:
    nodes = range(len(flow))
    drafts = _sheet_of(dataclasses.replace(flow, icons=flow.drafts, icon_of=flow.draft_of), nodes, sheets)
    return {
        "kind": "flow",
        "name": flow.name,
        "title": flow.title,
        "columns": list(flow.columns),
        "sizes": list(flow.sizes),
        "labels": list(flow.labels),
        "marks": list(flow.marks),
        "notes": list(flow.notes),
        "flows": [_array(links, "f32") for links in flow.links],
        "measured": [_array(links, "f32") for links in flow.measured],
        "laws": list(flow.laws),
        "straight": _array(flow.straight, "f32"),
        "straight_measured": _array(flow.straight_measured, "f32"),
        "ends": list(flow.ends),
        "places": np.flatnonzero(flow.places).tolist(),
        "colours": list(flow.colours),
        "most": flow.most,
        "draft_sheet": drafts["sheet"],
        "draft_of": drafts["icon_of"],
        **_sheet_of(flow, nodes, sheets),
    }


def pictures_of(panel: Panel) -> tuple[np.ndarray, np.ndarray] | None:
    """The pictures of a panel's atoms, and which of them is whose; None while there are none."""
    pictures, index = (
        (panel.tiles, panel.tile_of) if isinstance(panel, Grid) else (panel.icons, panel.icon_of)
    )
    return None if pictures is None or index is None else (pictures, index)


def columns_of(panel: Panel) -> int | None:
    """How a panel's pictures lie in a sheet; those of a grid as in the grid.

    Webp blurs over edges: what is blurred into a tile should be what it is shown beside.
    """
    return panel.cols if isinstance(panel, Grid) else None


def _sheet_of(panel: Panel, atoms: Sequence[int], sheets: _Sheets) -> dict[str, Any]:
    """The sheet that has the pictures of some of a panel's atoms, and where each atom's is."""
    found = pictures_of(panel)
    atoms = [] if found is None else [atom for atom in atoms if found[1][atom] >= 0]
    if found is None or not atoms:
        return {"sheet": None, "icon_of": None}
    pictures, index = found
    name, places = sheets.add(pictures[index[atoms]], columns_of(panel))
    place = np.full(len(panel), -1, np.int32)
    place[atoms] = places
    return {"sheet": name, "icon_of": _array(place, "i32")}


def _links(board: Board, reached: Mapping[str, set[int]]) -> list[dict[str, Any]]:
    """The links; weights that several have in common, or turned round, travel with the first of them.

    Of the units of lists in `reached` only these light up anything: other weights stay behind.
    """
    shared = [
        _place(w) for link in board.links if isinstance(link, Heat) for w in (link.weights, link.weights.T)
    ]
    made: list[dict[str, Any]] = []
    first: dict[tuple, int] = {}
    for link in board.links:
        spec = _link(link, board)
        if isinstance(link, Heat):
            carrier = first.setdefault(_place(link.weights), len(made))
            turned = first.get(_place(link.weights.T), carrier)
            if carrier < len(made):
                spec["weights"] = {"as": carrier}
            elif turned < len(made):
                spec["weights"] = {"as": turned, "turned": True}
            else:
                alone = shared.count(_place(link.weights)) == 1
                spec["weights"] = _weights(link.weights, reached.get(link.source) if alone else None)
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


def _link(link: Link, board: Board) -> dict[str, Any]:
    ends = {"kind": type(link).__name__.lower(), "source": link.source, "target": link.target}
    if isinstance(link, Heat):
        signed = bool((link.weights < 0).any())
        scale = link.scale.tolist() if isinstance(link.scale, np.ndarray) else link.scale
        of = None if link.of is None else list(link.of)
        return {**ends, "signed": signed, "scale": scale, "law": link.law, "of": of}
    if isinstance(link, Dials):
        table = link.values.reshape(-1, link.values.shape[-1])
        levels = [round(float(level), 4) for level in link.levels]
        return {**ends, "title": link.title, "levels": levels, "values": _array(table, "f16")}
    atoms, numbers = _shown(link, board)
    if isinstance(link, Mixture):
        return {**ends, "atoms": _array(atoms, "i32"), "weights": _array(numbers, "f32")}
    return {
        **ends,
        "atoms": _array(atoms, "i32"),
        "values": _array(numbers, "f32"),
        "scales": None if link.scales is None else _array(link.scales, "f32"),
        "law": link.law,
        "notes": list(link.notes),
    }
