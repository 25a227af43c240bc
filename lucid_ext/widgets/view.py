"""The one Jupyter widget: the browser view of a Board."""

from collections.abc import Sequence
from typing import Any

import anywidget
import numpy as np
import traitlets

from lucid_ext.board import Board
from lucid_ext.widgets.bundle import widget_module
from lucid_ext.widgets.payload import board_key, payload, sheet


class BoardView(anywidget.AnyWidget):
    """Draws a Board and says what the reader points at.

    Attributes:
        selected: {panel: atom} that are pinned; Python may set it too.
        hovered: {panel: atom} under the pointer.
        shown: {list: number of rows}.
        status: a line about work in progress.
    """

    _esm = widget_module()
    payload = traitlets.Dict().tag(sync=True)
    streamed = traitlets.Dict().tag(sync=True)
    selected = traitlets.Dict().tag(sync=True)
    hovered = traitlets.Dict().tag(sync=True)
    shown = traitlets.Dict().tag(sync=True)
    status = traitlets.Unicode("").tag(sync=True)

    def __init__(self, board: Board, **traits: Any):
        super().__init__(**traits)
        self.show(board)

    def show(self, board: Board) -> None:
        """Draw another board; the selection stays where it is, as far as there is such a place."""
        with self.hold_sync():
            self.streamed = {}
            self.payload = payload([board], controls=False)

    def add_icons(self, board: Board, panel: str, icons: np.ndarray, icon_of: Sequence[int]) -> None:
        """Give a list icons that were not ready when its board was drawn.

        Args:
            board: the board they belong to; ignored by the view if it shows another by now.
            panel: the name of the list.
            icons: uint8 (m, size, size, 3).
            icon_of: per unit of the list, which of `icons`, -1 for none.
        """
        entry = {"board": board_key(board), "sheet": sheet(icons), "icon_of": [int(i) for i in icon_of]}
        self.streamed = {**self.streamed, panel: entry}
