"""Boards as files: one `.npz`, with JSON for the structure of a board and its arrays beside it."""

import contextlib
import dataclasses
import errno
import io
import json
import os
import zipfile
from collections import ChainMap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lucid_ext.board.board import Board
from lucid_ext.board.captions import check_slots
from lucid_ext.board.drilldown import Trail
from lucid_ext.board.links import LINKS
from lucid_ext.board.panels import PANELS, PARTS, Panel

FORMAT = 1  # of saved boards
TEXT_SHARE = 1 / 16  # of the memory a board may take, for its JSON, which takes many times its size
KINDS: Mapping[str, type] = ChainMap({"Board": Board, "Trail": Trail}, PANELS, PARTS, LINKS)  # type: ignore[arg-type]
"""By name; the registries may grow."""

GONE = {"Board": {"variants"}}  # fields that saved boards may still have


def encode(board: Board) -> bytes:
    """Return a board as the bytes of a file."""
    arrays: dict[str, np.ndarray] = {}
    text = json.dumps({"format": FORMAT, "board": _to_json(board, arrays)})
    data = io.BytesIO()
    np.savez_compressed(data, **arrays, board=np.frombuffer(text.encode(), np.uint8))  # type: ignore[arg-type]
    return data.getvalue()


def read(path: str | os.PathLike, max_bytes: int) -> Board:
    """Read a board that `Board.save` wrote; see `Board.load`."""
    if not Path(path).exists():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), os.fspath(path))
    try:
        if not Path(path).is_file():
            raise ValueError("it is no file")
        with zipfile.ZipFile(path) as archive:
            claimed = {info.filename: info.file_size for info in archive.infolist()}
        needed = max(sum(claimed.values()), claimed["board.npy"] / TEXT_SHARE)
        if needed <= max_bytes:
            return _read(path)
    except Exception as error:  # zip, zlib, JSON and NumPy each have their own
        raise ValueError(f"{os.fspath(path)} is not a saved board or is damaged: save it again.") from error
    raise ValueError(
        f"{os.fspath(path)} would take {needed / 1e6:,.0f} MB of memory; expected at most "
        f"{max_bytes / 1e6:,.0f}: if you know where it comes from, give load a larger max_bytes."
    )


def _read(path: str | os.PathLike) -> Board:
    """Read a saved board that is known to be of a size that can be read."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    document = json.loads(arrays.pop("board").tobytes())
    if document["format"] != FORMAT:
        raise ValueError(f"format {document['format']}")
    board = _from_json(document["board"], arrays)
    if not isinstance(board, Board):
        raise ValueError(f"a {type(board).__name__}")
    return board


def _to_json(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(value, np.ndarray):
        name = f"array{len(arrays)}"
        arrays[name] = value
        return {"array": name}
    if type(value).__name__ in KINDS:
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return {"kind": type(value).__name__, "fields": {k: _to_json(v, arrays) for k, v in fields.items()}}
    if isinstance(value, Mapping):
        return {"mapping": [[k, _to_json(v, arrays)] for k, v in value.items()]}
    if isinstance(value, list | tuple):
        return [_to_json(v, arrays) for v in value]
    return value.item() if isinstance(value, np.generic) else value


def _from_json(value: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    if isinstance(value, list):
        return [_from_json(v, arrays) for v in value]
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return arrays[value["array"]]
    if "mapping" in value:
        return {k: _from_json(v, arrays) for k, v in value["mapping"]}
    kind, gone = KINDS[value["kind"]], GONE.get(value["kind"], ())
    fields = {k: _from_json(v, arrays) for k, v in value["fields"].items() if k not in gone}
    if kind is Board:
        fields["caption"] = _sayable(fields.get("caption", ""), fields["panels"])
    return kind(**fields)


def _sayable(caption: Any, panels: Sequence[Panel]) -> str | list[str]:
    """Return a saved caption without the sentences that no selection could fill."""
    if isinstance(caption, str):
        return "".join(_sayable([caption], panels))
    kept = []
    for sentence in caption:
        with contextlib.suppress(ValueError):
            check_slots(sentence, panels)
            kept.append(sentence)
    return kept
