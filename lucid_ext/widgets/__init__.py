"""The one browser view of a Board, as a Jupyter widget and as an offline page."""

from lucid_ext.widgets.page import OFFLINE, frame, offline_bundle, page, write_page
from lucid_ext.widgets.payload import board_key
from lucid_ext.widgets.view import BoardView

__all__ = ["OFFLINE", "BoardView", "board_key", "frame", "offline_bundle", "page", "write_page"]
