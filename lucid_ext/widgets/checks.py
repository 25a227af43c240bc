"""What a view can be told, by its reader or by Python: only what is on its board."""

import math
import numbers
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lucid_ext.board import Board


def check_shown(board: Board, shown: Mapping[str, int]) -> None:
    """Refuse numbers of rows, {list: rows}, that a list cannot show."""
    for name, count in shown.items():
        panel = _list(board, name)
        if not isinstance(count, numbers.Integral) or not 1 <= count <= panel.most:
            raise ValueError(f"{name!r} cannot show {count!r} rows; expected 1 to {panel.most}.")


def check_levels(board: Board, levels: Mapping[str, Sequence[float]]) -> None:
    """Refuse dials, {list: [level, ...]}, that are not there."""
    for name, row in levels.items():
        panel = _list(board, name)
        if not any(link.dials and link.source == name for link in board.links):
            raise ValueError(f"the units of {name!r} have no dials.")
        fit = isinstance(row, Sequence) and len(row) == len(panel)
        if not fit or not all(isinstance(level, numbers.Real) and math.isfinite(level) for level in row):
            raise ValueError(f"the dials of {name!r} stand at {row!r}; expected {len(panel)} numbers.")


def check_names(board: Board, names: Mapping[str, Mapping[str, Mapping[str, str]]]) -> None:
    """Refuse names, {board: {list: {unit: name}}}, of units that cannot be named."""
    for name, given in (pair for lists in names.values() for pair in lists.items()):
        panel = _list(board, name)
        for unit, label in given.items():
            known = str(unit).isdecimal() and int(unit) < len(panel) and panel.renamable
            if not known or not isinstance(label, str):
                raise ValueError(f"unit {unit!r} of {name!r} cannot be named {label!r}.")


def _list(board: Board, name: str) -> Any:
    panel = next((panel for panel in board.panels if panel.name == name), None)
    if panel is None or not panel.lists:
        lists = ", ".join(panel.name for panel in board.panels if panel.lists)
        raise ValueError(f"there is no list {name!r}; the lists are {lists}.")
    return panel


CHECKS: Mapping[str, Callable[[Board, Any], None]] = {
    "selected": Board.check_selection,
    "hovered": Board.check_selection,
    "shown": check_shown,
    "levels": check_levels,
    "names": check_names,
}
"""By the trait of the view that carries it."""
