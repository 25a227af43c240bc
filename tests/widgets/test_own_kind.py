"""A kind of panel of one's own: one Python file, one JavaScript file and a line in either registry."""

import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pytest

from lucid_ext.board import Board, Grid, Heat, Ranking, Units
from lucid_ext.board.comparison import pair
from lucid_ext.board.panels import PANELS
from lucid_ext.widgets import bundle

EXAMPLE = Path(__file__).parent.parent.parent / "docs" / "scatter"
ROWS, COLS = 3, 4
CELLS = ROWS * COLS


@pytest.fixture(scope="module")
def scatter():
    spec = importlib.util.spec_from_file_location("scatter", EXAMPLE / "scatter.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    yield made.Scatter
    del PANELS["Scatter"]


@pytest.fixture
def static(tmp_path, monkeypatch):
    """The view's modules with one file more, and its name in the registry."""
    folder = tmp_path / "static"
    shutil.copytree(bundle.STATIC, folder)
    shutil.copy(EXAMPLE / "scatter.js", folder / "panels")
    registry = folder / "panels" / "registry.js"
    text = registry.read_text(encoding="utf-8")
    text = text.replace("[grid, units, cards, flow]", "[grid, units, cards, flow, scatter]")
    text = text.replace("import { units }", 'import { scatter } from "./scatter.js";\nimport { units }')
    registry.write_text(text, encoding="utf-8")
    monkeypatch.setattr(bundle, "STATIC", folder)
    caches = (bundle.modules, bundle.view_script, bundle.board_css)
    for cached in caches:
        cached.cache_clear()
    yield folder
    for cached in caches:
        cached.cache_clear()


def made(scatter, seed=0):
    rng = np.random.default_rng(seed)
    picture = np.full((ROWS * 20, COLS * 20, 3), 90, np.uint8)
    names = [f"cell {i}" for i in range(CELLS)]
    order = np.argsort(-rng.random((CELLS, 4)), axis=1).astype(np.int32)
    values = -np.sort(-rng.random((CELLS, 4)).astype(np.float32), axis=1)
    return Board(
        "Cells side by side",
        "Pick a point.",
        [
            Grid("image", "Picture", picture, ROWS, COLS),
            scatter("points", "Cells", names, rng.random((CELLS, 2), dtype=np.float32)),
            Units("units", "Channels", [f"unit {i}" for i in range(4)], shown=3),
        ],
        [
            Heat("points", "image", np.eye(CELLS, dtype=np.float32)),
            Heat("image", "points", rng.random((CELLS, CELLS), dtype=np.float32)),
            Heat("units", "points", rng.random((4, CELLS), dtype=np.float32)),
            Ranking("points", "units", order, values),
            Ranking("image", "units", order, values),
        ],
        caption=["Of {points}: {units.1}.", "At {image}."],
    )


def test_it_is_written_in_less_than_120_lines():
    lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in EXAMPLE.iterdir())
    assert lines + 2 < 120


def test_it_can_be_saved_and_what_does_not_fit_is_refused(scatter, tmp_path):
    board = made(scatter)
    board.save(tmp_path / "board.npz")
    again = Board.load(tmp_path / "board.npz")
    np.testing.assert_array_equal(again["points"].points, board["points"].points)
    assert again.describe({"points": 5}) == board.describe({"points": 5}) != ""
    assert again.carry({"points": 7}, board) == {"points": 7}
    with pytest.raises(ValueError, match=r"points of panel 'points' have shape \(2, 3\); expected \(1, 2\)"):
        scatter("points", "Cells", ["a"], np.zeros((2, 3), np.float32))
    with pytest.raises(ValueError, match="expected a whole number from 0 to 11"):
        board.check_selection({"points": 12})


def test_it_stands_in_a_pair(scatter):
    both = pair(made(scatter), made(scatter, seed=1), ("one", "two"))
    assert [panel.title for panel in both.panels if type(panel) is scatter] == ["Cells, one", "Cells, two"]
    assert both.rows("a_units", {"a_points": 3}) == made(scatter).rows("units", {"points": 3})


def test_a_reader_picks_points_by_pointer_and_keys_and_they_light_up(scatter, static, chromium, tmp_path):
    board = made(scatter)
    path = board.to_html(tmp_path / "page.html")
    tab = chromium.new_page(viewport={"width": 1100, "height": 900})
    errors = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.goto(path.as_uri())
    dots = tab.get_by_role("option", name="cell ")
    assert dots.count() == CELLS
    dots.nth(5).click()
    assert dots.nth(5).get_attribute("aria-selected") == "true"
    assert tab.locator(".lx-caption").inner_text() == board.describe({"points": 5})
    listed = [row.inner_text() for row in tab.locator(".lx-units .lx-name").all()]
    assert listed[:3] == [f"unit {unit}" for unit, _ in board.rows("units", {"points": 5})]
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("Enter")
    assert dots.nth(6).get_attribute("aria-selected") == "true"
    tab.keyboard.press("Escape")
    tab.get_by_role("option", name="unit 2").hover()
    tab.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    sizes = [dots.nth(i).evaluate("(dot) => parseFloat(dot.style.width)") for i in range(CELLS)]
    assert int(np.argmax(sizes)) == int(board.link("units", "points").weights[2].argmax())
    tab.screenshot(path=str(tmp_path / "scatter.png"))
    tab.close()
    assert errors == []
