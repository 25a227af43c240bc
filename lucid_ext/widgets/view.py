"""The one Jupyter widget: the browser view of a Board."""

from typing import Any

import anywidget
import traitlets

from lucid_ext.board import Board
from lucid_ext.widgets.bundle import widget_module
from lucid_ext.widgets.checks import CHECKS
from lucid_ext.widgets.payload import board_key, payload, sheet


class BoardView(anywidget.AnyWidget):
    """Draws a Board and says what the reader points at.

    Attributes:
        selected: {panel: atom} that are pinned; Python may set it too.
        hovered: {panel: atom} under the pointer.
        shown: {list: number of rows}.
        status: a line about work in progress.
        names: {board: {list: {unit: name}}} that the reader gave.
        levels: {list: [level]}, where its units' dials stand.
        answers: whether somebody answers when several dials are turned at once.
        answer: {"board", "levels", "values": {list: [value]}}, what `levels` led to.
        owner: whoever made the view, if it is to be kept alive for as long as the view is open.
    """

    owner: Any = None

    _esm = widget_module()
    payload = traitlets.Dict().tag(sync=True)
    streamed = traitlets.Dict().tag(sync=True)
    selected = traitlets.Dict().tag(sync=True)
    hovered = traitlets.Dict().tag(sync=True)
    shown = traitlets.Dict().tag(sync=True)
    status = traitlets.Unicode("").tag(sync=True)
    names = traitlets.Dict().tag(sync=True)
    levels = traitlets.Dict().tag(sync=True)
    answers = traitlets.Bool(False).tag(sync=True)
    answer = traitlets.Dict().tag(sync=True)

    def __init__(self, board: Board, controls: bool = False, **traits: Any):
        """Draw a board.

        Args:
            board: what to draw.
            controls: whether the view draws the controls itself, where no others stand beside it.
            traits: see the class.
        """
        self._board, self._controls = board, controls
        super().__init__(**traits)
        self.show(board)

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take what the browser says, but for what is not on the board: it may speak of the one before."""
        super().set_state({name: value for name, value in sync_data.items() if self._fits(name, value)})

    def _fits(self, name: str, value: Any) -> bool:
        try:
            CHECKS.get(name, lambda board, value: None)(self._board, value)
        except (ValueError, TypeError, AttributeError):
            return False
        return True

    @traitlets.validate(*CHECKS)
    def _check(self, proposal: Any) -> Any:
        """Refuse what is not on the board before anything is told of it."""
        try:
            CHECKS[proposal["trait"].name](self._board, proposal["value"])
        except (ValueError, TypeError, AttributeError) as error:
            raise traitlets.TraitError(str(error)) from None
        return proposal["value"]

    def show(self, board: Board) -> None:
        """Draw another board; the selection stays where it is, as far as there is such a place."""
        made = payload([board], controls=self._controls)
        self._board = board
        with self.hold_sync():
            self.streamed = {}
            self.payload = made

    def add_icons(self, board: Board, name: str) -> None:
        """Draw the pictures of a panel's atoms anew: more of them have arrived since its board was drawn.

        Args:
            board: the board as it is now; if the view shows another one, nothing happens.
            name: the list whose icons, or the grid whose tiles, arrived.
        """
        panel = board[name]
        found = panel.pictures
        assert found is not None
        tiles = sheet(found[0], panel.sheet_columns)
        entry = {"board": board_key(board), "sheet": tiles, "icon_of": found[1].tolist()}
        self.streamed = {**self.streamed, name: entry}
