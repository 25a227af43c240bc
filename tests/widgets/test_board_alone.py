"""A board without an interface: shown by a cell that ends with it, and written as a page."""

import json

import pytest
from ipywidgets.widgets.widget import _instances

from lucid_ext.board import Board
from lucid_ext.widgets import BoardView, page
from lucid_ext.widgets.bundle import widget_module
from tests.widgets.test_page import HOST, board, open_page  # noqa: F401  a fixture

VIEW = "application/vnd.jupyter.widget-view+json"


def shown(made: Board) -> dict:
    """What a cell that ends with a board displays."""
    found = made._repr_mimebundle_()
    return found[0] if isinstance(found, tuple) else found


def view_of(made: Board) -> BoardView:
    """The view that a cell displays."""
    return _instances[shown(made)[VIEW]["model_id"]]


def test_a_cell_that_ends_with_a_board_has_a_view_of_it():
    view = view_of(board())
    assert isinstance(view, BoardView)
    assert [panel["name"] for panel in view.payload["boards"][0]["panels"]] == ["image", "units"]
    assert not BoardView(board()).payload["controls"]


def test_the_view_has_controls_of_its_own_since_none_stand_beside_it(open_page):  # noqa: F811
    made = board()
    state = {name: getattr(view_of(made), name) for name in ("payload", "selected", "hovered", "shown")}
    opened = open_page(HOST % (json.dumps(json.dumps(state)), json.dumps(widget_module())), [made])
    opened.click(20)
    assert opened.rows() == opened.expected(20)
    slider = opened.tab.locator(".lx-controls input[type=range]")
    slider.fill("5")
    assert opened.rows() == opened.expected(20, 5)
    assert opened.errors == []


def test_where_no_widgets_are_wanted_it_is_a_page_in_a_frame(monkeypatch):
    monkeypatch.setenv("LUCID_EXT_OFFLINE", "1")
    found = shown(board())
    assert VIEW not in found
    assert found["text/html"].startswith('<iframe sandbox="allow-scripts allow-downloads" srcdoc=')
    assert found["text/plain"] == "Board('Test of a': image, units)"


def test_its_page_is_that_of_an_interface(open_page, tmp_path):  # noqa: F811
    made = board()
    path = made.to_html(tmp_path / "board.html")
    assert path.read_text(encoding="utf-8") == page([made])
    opened = open_page(path.read_text(encoding="utf-8"), [made])
    opened.click(20)
    assert opened.rows() == opened.expected(20)
    assert opened.errors == []
    with pytest.raises(ValueError, match="cannot be written"):
        made.to_html(tmp_path / "nowhere" / "board.html")


def test_a_board_that_was_saved_is_shown_alike(tmp_path):
    made = board()
    made.save(tmp_path / "board.npz")
    assert page([Board.load(tmp_path / "board.npz")]) == page([made])
