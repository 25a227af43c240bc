"""What a reader sees of a board for a selection: the rows of a list, the caption.

The view works it out in the same way in JavaScript, word for word and number for number.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lucid_ext.board.captions import SLOT
from lucid_ext.board.drilldown import Trail
from lucid_ext.board.links.base import Link
from lucid_ext.board.numbers import rounded
from lucid_ext.board.panels.base import Rows

if TYPE_CHECKING:
    from lucid_ext.board.board import Board

Selection = Mapping[str, Any]
"""{panel: atom}; of a panel in which several can be selected, a list of atoms."""


def rows_of(
    board: "Board",
    name: str,
    selected: Selection,
    count: int | None = None,
    levels: Mapping[str, Mapping[int, float]] | None = None,
) -> Rows:
    """Return what a list shows; see `Board.rows`."""
    panel: Any = board[name]
    if not panel.lists:
        raise KeyError(f"panel {name!r} is no list of units.")
    count = panel.shown if count is None else count
    if board.trail and name in board.trail.lists:
        return _answer(board, board.trail, name, selected, count)
    found = _filled_by(board, name, board.trail.asking(selected) if board.trail else selected)
    if found is not None:
        link, atom = found
        return link.rows(atom, count) or []
    values = None
    for link in board.links:
        if link.target == name and link.source in (levels or {}):
            scaled = link.scaled((levels or {})[link.source])
            values = values if scaled is None else scaled
    return panel.own_rows(count, values)


def caption_of(board: "Board", selected: Selection) -> str:
    """Return the caption for a selection; see `Board.describe`."""
    if board.trail:
        selected = board.trail.asking(selected)

    def fill(match: re.Match[str]) -> str:
        name, row, what = match["panel"], match["row"], match["what"]
        panel: Any = board[name]
        if row is None:
            return panel.tell(selected[name])
        atom, value = rows_of(board, name, selected, panel.most)[int(row) - 1]
        return format_value(value, panel.format) if what else panel.label(atom)

    for sentence in board.captions:
        try:
            return re.sub(SLOT, fill, sentence)
        except (KeyError, IndexError):
            continue
    return ""


def format_value(value: float, how: str) -> str:
    """Return a value as the view prints it."""
    return f"{rounded(100 * value, 1)}%" if how == "percent" else rounded(value)


def _answer(board: "Board", trail: Trail, name: str, selected: Mapping[str, int], count: int) -> Rows:
    """What a list of a trail shows.

    The unit asked about is always among it: where no answer names it, in the last row, with the list's
    own value.
    """
    panel: Any = board[name]
    questions, asked = trail.answering(name, selected)
    links = {link.source: link for link in board.links if link.fills and link.target == name}
    answers = [links[source].rows(atom, count) or [] for source, atom in questions if source in links]
    for rows in answers:
        if asked is None or asked in dict(rows):
            return rows
    rows = answers[-1] if answers else panel.own_rows(count)
    if asked is not None and panel.values is not None and asked not in dict(rows):
        rows[-1:] = [(asked, float(panel.values[asked]))]
    return rows


def _filled_by(board: "Board", name: str, selected: Selection) -> tuple[Link, int] | None:
    """The link that fills a list, and the atom of its source that decides."""
    links = [link for link in board.links if link.fills and link.target == name]
    for link in links:
        if link.source in selected:
            return link, selected[link.source]
    for link in links:
        source = board[link.source]
        for panel in board.panels:
            same = source.scene is not None and panel.scene == source.scene
            if same and panel.name in selected:
                return link, panel.place(selected[panel.name], source)
    return None
