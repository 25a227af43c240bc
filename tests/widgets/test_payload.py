import base64
import dataclasses
import io
import json

import numpy as np
import pytest
import traitlets
from PIL import Image

from lucid_ext.board import Board, Grid
from lucid_ext.widgets import BoardView, page
from lucid_ext.widgets.payload import payload, sheet
from tests.board.test_board import board


def picture(url: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB"))


def test_is_plain_json():
    assert json.loads(json.dumps(payload([board()], controls=True))) == payload([board()], controls=True)


def test_only_icons_a_selection_can_show_travel(rng):
    made = payload([board()], controls=False)
    spec = made["boards"][0]["panels"][1]
    tiles = np.frombuffer(base64.b64decode(spec["icon_of"]["data"]), "<i4")
    assert tiles.tolist() == [0, 1, -1, 2]
    sheet = made["sheets"][spec["sheet"]]
    assert sheet["columns"] == 2
    assert picture(sheet["url"]).shape == (16, 16, 3)


def test_boards_share_the_icons_they_have_in_common():
    one, two = (payload([board(), board(choice={"layer": "b"})][:n], controls=True) for n in (1, 2))
    assert one["sheets"] == two["sheets"]


def test_the_view_knows_which_lists_have_icons():
    panels = payload([board()], controls=False)["boards"][0]["panels"]
    assert [p.get("illustrated") for p in panels] == [None, True, False]


@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_sheet_keeps_every_icon_in_its_place(count):
    icons = (np.arange(count)[:, None, None, None] * np.full((1, 32, 32, 3), 25)).astype(np.uint8)
    made = sheet(icons)
    whole = picture(made["url"])
    for i in range(count):
        y, x = divmod(i, made["columns"])
        tile = whole[y * 32 + 4 : y * 32 + 28, x * 32 + 4 : x * 32 + 28]
        assert np.abs(tile.astype(int) - 25 * i).max() <= 4


def test_icons_of_a_page_are_made_smaller():
    icons = np.arange(3)[:, None, None, None] * np.full((1, 32, 32, 3), 100, np.uint8)
    panels = [
        dataclasses.replace(p, icons=icons.astype(np.uint8)) if p.name == "units" else p
        for p in board().panels
    ]
    made = payload([board(panels=panels)], controls=True, icon_size=16)["sheets"]["16"]
    assert made["size"] == 16
    assert picture(made["url"]).shape == (32, 32, 3)


def test_tiles_of_a_grid_lie_in_its_sheet_as_in_the_grid(rng):
    """Cut from a smooth picture, they show no seams: what webp blurs into a tile is its neighbour's."""
    rows, cols, side = 3, 5, 16
    whole = rng.integers(0, 256, (4, 6, 3), np.uint8)
    whole = np.asarray(Image.fromarray(whole).resize((cols * side, rows * side), Image.Resampling.BICUBIC))
    pieces = whole.reshape(rows, side, cols, side, 3).swapaxes(1, 2).reshape(-1, side, side, 3)
    index = np.arange(rows * cols, dtype=np.int32)
    grid = Grid("grid", "Grid", whole, rows, cols, tiled=True, tiles=pieces, tile_of=index)
    made = payload([Board("Title", "Look.", [grid], [])], controls=False)
    found = made["sheets"][made["boards"][0]["panels"][0]["sheet"]]
    assert found["columns"] == cols
    assert np.abs(picture(found["url"])[: rows * side].astype(int) - whole).mean() < 8


def test_variants_share_a_picture():
    made = payload([board(), board(choice={"layer": "b"})], controls=True)
    assert len(made["pictures"]) == 1


def test_the_formula_travels_as_a_tree():
    found, none = (payload([board(formula=f)], controls=False)["boards"][0] for f in ("x", ""))
    assert found["formula"] == ["math", {"display": "block"}, ["mrow", {}, ["mi", {}, "x"]]]
    assert none["formula"] is None


def test_page_cannot_be_ended_by_a_label():
    text = page([board(title="</script><!--")])
    assert text.count("</script>") == 2
    assert "<!--" not in text.partition("<body>")[2]


def test_page_allows_nothing_from_outside():
    assert "default-src 'none'" in page([board()])


def test_view_syncs_only_small_things_back():
    view = BoardView(board())
    from_browser = {"selected", "hovered"}
    for name in from_browser:
        assert len(json.dumps(getattr(view, name))) < 100
    view.add_icons(board(), "units")
    assert view.streamed["units"]["icon_of"] == [0, 1, -1, 2]
    view.show(board(choice={"layer": "b"}))
    assert view.streamed == {}


@pytest.mark.parametrize(
    ("trait", "value", "said"),
    [
        ("selected", {"image": 999}, "999 cannot be selected"),
        ("selected", {"nobody": 1}, "no panel 'nobody'"),
        ("selected", {"image": "1"}, "'1' cannot be selected"),
        ("hovered", {"image": -1}, "-1 cannot be selected"),
        ("shown", {"units": 0}, "cannot show 0 rows; expected 1 to 2"),
        ("shown", {"image": 1}, "no list 'image'; the lists are units, classes"),
        ("levels", {"units": [1, 1, 1, 1]}, "'units' have no dials"),
        ("names", {"key": {"units": {"0": "a"}}}, "unit '0' of 'units' cannot be named 'a'"),
        ("names", {"key": 1}, "."),
    ],
)
def test_a_view_refuses_what_is_not_on_its_board_and_goes_on(trait, value, said):
    view = BoardView(board(), selected={"image": 2})
    heard = []
    view.observe(heard.append, trait)
    before = getattr(view, trait)
    with pytest.raises(traitlets.TraitError, match=said):
        setattr(view, trait, value)
    view.set_state({trait: value})  # from the browser, which may speak of the board before
    assert getattr(view, trait) == before
    assert heard == []
    view.selected = {"image": 3, "units": 1}
    view.set_state({"selected": {"image": 4}})
    assert view.selected == {"image": 4}
