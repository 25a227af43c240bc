"""The offline page in a browser with the network cut: mouse, touch, keys, zoom, themes."""

import json
import re

import numpy as np
import pytest

from lucid_ext.board import Board, Grid, Heat, Ranking, Units, format_value
from lucid_ext.widgets import frame, page
from lucid_ext.widgets.bundle import widget_module
from lucid_ext.widgets.payload import payload
from tests.board.test_board import board as small_board

ROWS, COLS = 6, 8

# The red level in the middle of a canvas.
GREY = "((c) => c.getContext('2d').getImageData(8, 8, 1, 1).data[0])"


def board(rows=ROWS, cols=COLS, layer="a") -> Board:
    """A picture of rows x cols cells over 12 channels; every cell has a ranking of its own."""
    rng = np.random.default_rng(rows)
    cells, channels = rows * cols, 12
    acts = rng.random((cells, channels), dtype=np.float32)
    top = np.argsort(-acts, axis=1, kind="stable")[:, :6].astype(np.int32)
    picture = (rng.random((90, 120, 3)) * 255).astype(np.uint8)
    units = Units(
        "units",
        f"Channels of {layer}",
        [f"{layer}:{c}" for c in range(channels)],
        notes=[f"note {c}" for c in range(channels)],
        icons=(np.arange(channels)[:, None, None, None] * np.full((1, 16, 16, 3), 20)).astype(np.uint8),
        icon_of=np.arange(channels, dtype=np.int32),
        illustrated=True,
        scale=1.0,
        shown=3,
        most=6,
    )
    return Board(
        title=f"Test of {layer}",
        reading="Pick a cell.",
        panels=[
            Grid("image", "Picture", picture, rows, cols, start=9, places={"Corner": rows * cols - 1}),
            units,
        ],
        links=[
            Ranking("image", "units", top, np.take_along_axis(acts, top, 1)),
            Heat("units", "image", acts.T.copy()),
        ],
        formula=r"a = \sum_c a_c",
        caption="{image} is {units.1} ({units.1.value}).",
        choice={"layer": layer},
    )


class Page:
    """An open page and what a reader can see of it."""

    def __init__(self, tab, shown: Board, requests: list[str]):
        self.tab, self.board, self.requests = tab, shown, requests

    @property
    def handle(self):
        return self.tab.locator(".lx-handle")

    def state(self, name):
        # The view tells its model at most every 50 ms; a timer of the page's own comes after the view's.
        self.tab.evaluate("() => new Promise((done) => setTimeout(done, 80))")
        return self.tab.evaluate(f"window.lucidExt.get({json.dumps(name)})")

    def rows(self):
        found = []
        for row in self.tab.locator(".lx-lists .lx-row:not(.lx-empty)").all():
            found.append((row.locator(".lx-name").inner_text(), row.locator(".lx-value").inner_text()))
        return found

    def expected(self, atom, count=3):
        units = self.board["units"]
        link = self.board.link("image", "units")
        pairs = zip(link.atoms[atom][:count], link.values[atom][:count], strict=True)
        return [(units.labels[a], format_value(float(v), "number")) for a, v in pairs]

    def point(self, atom, rows=ROWS, cols=COLS):
        """Where the middle of a cell is on the screen, unzoomed."""
        box = self.tab.locator(".lx-viewport").bounding_box()
        row, col = divmod(atom, cols)
        return box["x"] + (col + 0.5) / cols * box["width"], box["y"] + (row + 0.5) / rows * box["height"]

    def click(self, atom):
        self.tab.mouse.click(*self.point(atom))


@pytest.fixture
def open_page(chromium, tmp_path):
    contexts = []

    def open_(html=None, boards=None, ready=".lx-row .lx-name:has-text(':')", **options):
        context = chromium.new_context(**{"viewport": {"width": 1100, "height": 900}, **options})
        contexts.append(context)
        context.set_offline(True)
        tab = context.new_page()
        requests, errors = [], []
        tab.on("request", lambda r: requests.append(r.url))
        tab.on("pageerror", lambda e: errors.append(str(e)))
        tab.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
        boards = boards or [board()]
        path = tmp_path / f"page{len(contexts)}.html"
        path.write_text(html or page(boards), encoding="utf-8")
        tab.goto(path.as_uri())
        tab.wait_for_selector(ready)
        made = Page(tab, boards[0], requests)
        made.errors = errors
        return made

    yield open_
    for context in contexts:
        context.close()


@pytest.fixture
def opened(open_page):
    made = open_page()
    yield made
    assert made.errors == []
    assert all(url.startswith(("file:", "data:")) for url in made.requests)


def test_opens_on_the_start_cell_with_the_boards_own_numbers(opened):
    assert opened.rows() == opened.expected(9)
    assert opened.state("selected") == {"image": 9}
    caption = opened.tab.locator(".lx-caption").inner_text()
    assert caption == opened.board.describe({"image": 9})
    assert opened.tab.locator(".lx-formula math").count() == 1


@pytest.mark.parametrize("atom", [0, 7, 20, ROWS * COLS - 1])
def test_click_selects_and_the_list_equals_the_boards_arrays(opened, atom):
    opened.click(atom)
    assert opened.state("selected") == {"image": atom}
    assert opened.rows() == opened.expected(atom)


def test_small_cells_beside_the_handle_can_be_clicked(open_page):
    made = open_page(boards=[board(28, 28)])
    for atom in (300, 301, 329, 328, 299):
        made.tab.mouse.click(*made.point(atom, 28, 28))
        assert made.state("selected") == {"image": atom}


def test_dragging_the_handle(opened):
    box = opened.handle.bounding_box()
    opened.tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    opened.tab.mouse.down()
    for atom in (10, 19, 28, 37):
        opened.tab.mouse.move(*opened.point(atom), steps=3)
        assert opened.rows() == opened.expected(atom)
    opened.tab.mouse.up()
    opened.tab.mouse.move(2, 2)
    assert opened.state("selected") == {"image": 37}
    assert opened.rows() == opened.expected(37)


def test_dragging_past_the_edge_stays_at_the_edge(opened):
    opened.tab.mouse.move(*opened.point(9))
    opened.tab.mouse.down()
    opened.tab.mouse.move(-50, 5000)
    opened.tab.mouse.up()
    assert opened.state("selected") == {"image": (ROWS - 1) * COLS}


def test_hover_previews_and_leaving_returns(opened):
    opened.tab.mouse.move(*opened.point(30))
    assert opened.rows() == opened.expected(30)
    assert opened.state("hovered") == {"image": 30}
    assert opened.state("selected") == {"image": 9}
    assert opened.tab.locator(".lx-hover.lx-on").count() == 1
    opened.tab.mouse.move(2, 2)
    assert opened.rows() == opened.expected(9)
    assert opened.state("hovered") == {}


def test_keys_move_pin_and_let_go(opened):
    opened.handle.focus()
    press = opened.tab.keyboard.press
    for key, atom in (
        ("ArrowRight", 10),
        ("ArrowDown", 18),
        ("ArrowLeft", 17),
        ("ArrowUp", 9),
        ("Home", 8),
        ("End", 15),
        ("PageDown", 31),
        ("PageUp", 15),
        ("Control+Home", 0),
        ("ArrowUp", 0),
        ("Control+End", 47),
        ("ArrowRight", 47),
    ):
        press(key)
        assert opened.state("selected") == {"image": atom}, key
        assert opened.rows() == opened.expected(atom), key
    press("Escape")
    assert opened.state("selected") == {}
    assert opened.handle.get_attribute("aria-selected") == "false"
    press("Enter")
    assert opened.state("selected") == {"image": 47}


def test_after_escape_the_handle_follows_the_pointer(opened):
    opened.handle.focus()
    opened.tab.keyboard.press("Escape")
    opened.tab.mouse.move(*opened.point(30))
    opened.tab.mouse.move(2, 2)
    assert opened.rows() == opened.expected(30)
    opened.tab.keyboard.press("Enter")
    assert opened.state("selected") == {"image": 30}


def test_keys_do_not_reach_the_page_around(opened):
    opened.tab.evaluate(
        "window.seen = [];document.addEventListener('keydown', (e) => window.seen.push(e.key))"
    )
    opened.handle.focus()
    for key in ("ArrowDown", "Home", "Enter", "Escape", "0", "a"):
        opened.tab.keyboard.press(key)
    assert opened.tab.evaluate("window.seen") == ["a"]
    assert opened.tab.locator("[data-lm-suppress-shortcuts=true]").count() == 1


def test_one_tab_stop_for_the_grid_and_one_for_the_list(opened):
    assert opened.tab.locator("[role=grid] [tabindex='0']").count() == 1
    assert opened.tab.locator("[role=listbox] [tabindex='0']").count() == 1


def test_places_to_start_from(opened):
    opened.tab.get_by_role("button", name="Corner").click()
    assert opened.state("selected") == {"image": ROWS * COLS - 1}


def test_pointing_at_a_channel_lights_the_picture(opened):
    heat = opened.tab.locator(".lx-heat")
    assert "lx-on" not in heat.get_attribute("class")
    opened.tab.locator(".lx-lists .lx-row").nth(1).hover()
    assert "lx-on" in heat.get_attribute("class")
    assert opened.tab.locator(".lx-units .lx-note").inner_text().startswith("note ")
    unit = opened.board.link("image", "units").atoms[9][1]
    weights = opened.board.link("units", "image").weights[unit]
    shade = opened.tab.evaluate(
        "() => { const c = document.querySelector('.lx-heat');"
        "const { data } = c.getContext('2d').getImageData(0, 0, c.width, c.height);"
        "return [...data].filter((_, i) => i % 4 === 3) }"
    )
    np.testing.assert_allclose(shade, 215 * (1 - weights / weights.max()), atol=1.5)
    opened.tab.mouse.move(2, 2)
    assert "lx-on" not in heat.get_attribute("class")


def test_a_pinned_channel_stays_lit_while_the_cell_moves(opened):
    opened.tab.locator(".lx-lists .lx-row").nth(0).click()
    unit = int(opened.board.link("image", "units").atoms[9][0])
    assert opened.state("selected") == {"image": 9, "units": unit}
    opened.click(20)
    assert opened.state("selected") == {"image": 20, "units": unit}
    assert "lx-on" in opened.tab.locator(".lx-heat").get_attribute("class")


def test_the_list_by_keys(opened):
    opened.tab.locator(".lx-lists .lx-row").nth(0).focus()
    link = opened.board.link("image", "units")
    opened.tab.keyboard.press("ArrowDown")
    assert opened.state("hovered") == {"units": int(link.atoms[9][1])}
    opened.tab.keyboard.press("Enter")
    assert opened.state("selected")["units"] == int(link.atoms[9][1])
    row = opened.tab.locator(".lx-lists .lx-row").nth(1)
    assert row.get_attribute("aria-selected") == "true"
    opened.tab.keyboard.press("Escape")
    assert opened.state("selected") == {"image": 9}


def test_icons_are_the_units_own(opened):
    """Icon c of the board is grey level 20 c."""
    opened.tab.wait_for_timeout(150)
    link = opened.board.link("image", "units")
    for i, unit in enumerate(link.atoms[9][:3]):
        level = opened.tab.evaluate(f"{GREY}(document.querySelectorAll('.lx-lists canvas')[{i}])")
        assert abs(level - 20 * int(unit)) <= 4


def test_zoom_by_buttons_keys_and_wheel(opened):
    level = opened.tab.locator(".lx-zoom-level")
    opened.tab.get_by_role("button", name="Zoom in").click()
    assert level.inner_text() == "150%"
    opened.tab.get_by_role("button", name="Show the whole picture").click()
    assert level.inner_text() == "100%"
    opened.handle.focus()
    opened.tab.keyboard.press("+")
    opened.tab.keyboard.press("+")
    assert level.inner_text() == "225%"
    opened.tab.keyboard.press("-")
    assert level.inner_text() == "150%"
    opened.tab.keyboard.press("0")
    assert level.inner_text() == "100%"
    opened.tab.mouse.move(*opened.point(20))
    opened.tab.mouse.wheel(0, -100)
    assert level.inner_text() == "120%"
    assert opened.rows() == opened.expected(20)


def test_the_wheel_scrolls_the_page_until_the_reader_is_at_work(opened):
    opened.tab.mouse.move(*opened.point(20))
    opened.tab.mouse.wheel(0, -100)
    assert opened.tab.locator(".lx-zoom-level").inner_text() == "100%"


def test_clicks_are_right_when_zoomed_and_panned(opened):
    opened.click(20)
    for _ in range(3):
        opened.tab.keyboard.press("+")
    opened.tab.keyboard.press("Shift+ArrowRight")
    for atom in (20, 21, 28):
        opened.tab.keyboard.press("Control+Home")
        opened.tab.evaluate("document.querySelector('.lx-handle').blur()")
        # Where this cell really is: bring it into view by keys, then read the handle's place.
        opened.handle.focus()
        for _ in range(atom // COLS):
            opened.tab.keyboard.press("ArrowDown")
        for _ in range(atom % COLS):
            opened.tab.keyboard.press("ArrowRight")
        box = opened.handle.bounding_box()
        other = atom - 1
        opened.tab.keyboard.press("ArrowLeft")
        assert opened.state("selected") == {"image": other}
        opened.tab.mouse.click(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.3)
        assert opened.state("selected") == {"image": atom}


def test_dragging_pans_when_zoomed(opened):
    opened.click(20)
    for _ in range(3):
        opened.tab.keyboard.press("+")
    before = opened.handle.bounding_box()
    x, y = opened.point(0)
    opened.tab.mouse.move(x, y)
    opened.tab.mouse.down()
    opened.tab.mouse.move(x + 40, y + 30, steps=4)
    opened.tab.mouse.up()
    after = opened.handle.bounding_box()
    assert after["x"] - before["x"] == pytest.approx(40, abs=1)
    assert after["y"] - before["y"] == pytest.approx(30, abs=1)
    assert opened.state("selected") == {"image": 20}


def test_clicks_are_right_where_the_page_scales_the_picture(opened):
    opened.tab.evaluate(
        "document.body.style.cssText = 'transform: scale(0.6, 0.8); transform-origin: 30px 10px'"
    )
    for atom in (0, 20, 47):
        opened.click(atom)
        assert opened.state("selected") == {"image": atom}


class Finger:
    """Real touches, through the browser's own input pipeline."""

    def __init__(self, tab):
        self.session = tab.context.new_cdp_session(tab)

    def send(self, kind, *points):
        touches = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})


@pytest.fixture
def touched(open_page):
    made = open_page(has_touch=True, is_mobile=True, viewport={"width": 390, "height": 800})
    yield made
    assert made.errors == []


def test_tap(touched):
    touched.tab.touchscreen.tap(*touched.point(28))
    assert touched.state("selected") == {"image": 28}
    assert touched.rows() == touched.expected(28)


def test_tap_on_the_handles_edge_takes_the_cell_under_the_finger(open_page):
    made = open_page(
        boards=[board(28, 28)], has_touch=True, is_mobile=True, viewport={"width": 390, "height": 800}
    )
    for atom in (300, 301, 328):
        made.tab.touchscreen.tap(*made.point(atom, 28, 28))
        assert made.state("selected") == {"image": atom}


def test_dragging_the_handle_by_touch(touched):
    finger = Finger(touched.tab)
    finger.send("touchStart", touched.point(9))
    for atom in (10, 18, 27):
        finger.send("touchMove", touched.point(atom))
    finger.send("touchEnd")
    assert touched.state("selected") == {"image": 27}


def test_the_handle_is_large_enough_for_a_finger(touched):
    x, y = touched.point(9)
    hit = touched.tab.evaluate("([x, y]) => document.elementFromPoint(x, y + 21).className", [x, y])
    assert hit == "lx-handle"


def test_pinch_zooms(touched):
    finger = Finger(touched.tab)
    x, y = touched.point(28)
    touched.handle.focus()
    touched.tab.keyboard.press("+")  # a zoomed picture takes all gestures itself
    before = int(touched.tab.locator(".lx-zoom-level").inner_text().rstrip("%"))
    finger.send("touchStart", (x - 30, y), (x + 30, y))
    for spread in (40, 50, 60):
        finger.send("touchMove", (x - spread, y), (x + spread, y))
    finger.send("touchEnd")
    touched.tab.wait_for_timeout(80)
    after = int(touched.tab.locator(".lx-zoom-level").inner_text().rstrip("%"))
    assert after > 1.5 * before


def test_nothing_is_wider_than_a_phone(touched):
    assert touched.tab.evaluate("document.documentElement.scrollWidth") <= 390


def test_screen_reader_sees_and_hears_the_selection(opened):
    grid = opened.tab.get_by_role("grid", name="Picture")
    assert grid.get_attribute("aria-rowcount") == str(ROWS)
    assert grid.get_attribute("aria-colcount") == str(COLS)
    opened.click(20)
    assert opened.handle.get_attribute("aria-label") == "row 2, column 4"
    assert opened.handle.get_attribute("aria-colindex") == "5"
    assert opened.tab.locator("[role=row]").get_attribute("aria-rowindex") == "3"
    assert opened.tab.locator(".lx-spoken").inner_text() == opened.board.describe({"image": 20})
    assert opened.tab.locator(".lx-readout").inner_text() == "Row 2, column 4"
    opened.tab.mouse.move(*opened.point(30))
    assert opened.tab.locator(".lx-spoken").inner_text() == opened.board.describe({"image": 20})


def test_the_slider_shows_more_rows(opened):
    slider = opened.tab.locator("input[type=range]")
    slider.focus()
    opened.tab.keyboard.press("End")
    assert opened.rows() == opened.expected(9, 6)
    opened.tab.keyboard.press("Home")
    assert opened.rows() == opened.expected(9, 1)


def test_variants_keep_the_place(open_page):
    fine = board(12, 16, "b")
    made = open_page(boards=[board(), fine])
    made.click(20)
    made.tab.locator("select").select_option("b")
    assert made.state("selected") == {"image": 5 * 16 + 9}
    made.board = fine
    assert made.rows() == made.expected(5 * 16 + 9)
    assert made.tab.locator("h2").inner_text() == "Test of b"
    made.tab.locator("select").select_option("a")
    assert made.state("selected") == {"image": 20}


def test_labels_are_text_never_markup(open_page):
    evil = small_board(title="<img src=x onerror=alert(1)></title><script>alert(2)</script>")
    made = open_page(boards=[evil])
    dialogs = []
    made.tab.on("dialog", lambda d: dialogs.append(d.message) or d.dismiss())
    made.tab.locator(".lx-handle").focus()
    made.tab.keyboard.press("ArrowLeft")
    made.tab.keyboard.press("ArrowDown")
    assert made.rows()[0][0] == "<script>alert(1)</script>"
    assert "<script>alert(1)</script>" in made.tab.locator(".lx-caption").inner_text()
    assert made.tab.locator("h2").inner_text() == evil.title
    assert made.tab.locator(".lx-board img").count() == 1
    assert dialogs == []
    assert made.errors == []


def test_a_blend_of_icons_is_marked(open_page):
    """Unit 2 of the small board has no icon and is shown as unit 1's."""
    made = open_page(boards=[small_board()])
    made.tab.wait_for_timeout(150)
    made.tab.locator(".lx-handle").focus()
    made.tab.keyboard.press("Home")
    badges = [b.inner_text() for b in made.tab.locator(".lx-lists .lx-badge").all()]
    names = [name for name, _ in made.rows()]
    assert names == ["a:0", "a:2"]
    assert badges == ["", "\u2248 approximate"]


def luminance(tab, selector):
    colour = tab.evaluate(f"getComputedStyle(document.querySelector('{selector}')).backgroundColor")
    return sum(map(int, re.findall(r"\d+", colour)[:3])) / 3


def test_dark_and_light_follow_the_system(open_page):
    assert luminance(open_page(color_scheme="dark").tab, ".lx-board") < 60
    assert luminance(open_page(color_scheme="light").tab, ".lx-board") > 200


def test_dark_follows_jupyterlab_whatever_the_system_says(open_page):
    made = open_page(color_scheme="light")
    made.tab.evaluate("document.body.dataset.jpThemeLight = 'false'")
    made.tab.wait_for_timeout(50)
    assert luminance(made.tab, ".lx-board") < 60


HOST = """<!doctype html><meta charset="utf-8"><body><div id="at"></div><script type="module">
const state = JSON.parse(%s);
const handlers = [];
window.model = {
  state, handlers,
  get: (name) => state[name],
  set: (name, value) => { state[name] = value; },
  on: (event, handler) => handlers.push([event, handler]),
  off: (event, handler) => handlers.splice(handlers.findIndex(([e, h]) => e === event && h === handler), 1),
  save_changes: () => {}, send: () => {},
  change: (name, value) => {
    state[name] = value;
    for (const [e, h] of [...handlers]) if (e === `change:${name}`) h();
  },
};
window.lucidExt = window.model;
const url = URL.createObjectURL(new Blob([%s], { type: "text/javascript" }));
const { default: widget } = await import(url);
const root = document.getElementById("at").attachShadow({ mode: "open" });
const el = root.appendChild(document.createElement("div"));
window.cleanUp = widget.render({ model: window.model, el });
window.root = root;
</script>"""


@pytest.fixture
def hosted(open_page):
    """The widget's own module, in a shadow root, under another host."""
    state = {"payload": payload([board()], controls=False), "selected": {}, "hovered": {}, "shown": {}}
    html = HOST % (json.dumps(json.dumps(state)), json.dumps(widget_module()))
    made = open_page(html=html)
    yield made
    assert made.errors == []


def test_works_in_a_shadow_root(hosted):
    hosted.click(20)
    assert hosted.state("selected") == {"image": 20}
    assert hosted.rows() == hosted.expected(20)
    hosted.tab.keyboard.press("ArrowRight")
    assert hosted.state("selected") == {"image": 21}
    assert hosted.tab.locator("select, input").count() == 0  # a kernel's host has controls of its own


def test_python_moves_the_selection(hosted):
    hosted.tab.evaluate("window.model.change('selected', {image: 33})")
    assert hosted.rows() == hosted.expected(33)
    hosted.tab.evaluate("window.model.change('selected', {image: 9999, nobody: 1})")
    assert hosted.state("selected") == {"image": 9999, "nobody": 1}  # not ours to correct
    hosted.tab.evaluate("window.model.change('shown', {units: 5})")
    hosted.tab.evaluate("window.model.change('selected', {image: 3})")
    assert hosted.rows() == hosted.expected(3, 5)


def test_another_board_from_python_keeps_the_place(hosted):
    hosted.click(20)
    hosted.state("selected")
    fine = board(12, 16, "b")
    hosted.tab.evaluate("(p) => window.model.change('payload', p)", payload([fine], controls=False))
    assert hosted.state("selected") == {"image": 5 * 16 + 9}
    hosted.board = fine
    assert hosted.rows() == hosted.expected(5 * 16 + 9)


def test_icons_that_arrive_later(hosted):
    entry = payload([board()], controls=False)["sheets"]["16"]
    key = payload([board()], controls=False)["boards"][0]["key"]
    streamed = {"units": {"board": key, "sheet": entry, "icon_of": [3] * 12}}
    hosted.tab.evaluate("(s) => window.model.change('streamed', s)", streamed)
    hosted.tab.wait_for_timeout(150)
    level = hosted.tab.evaluate(f"{GREY}(window.root.querySelector('.lx-lists canvas'))")
    assert abs(level - 60) <= 4


def test_status_is_shown(hosted):
    hosted.tab.evaluate("window.model.change('status', 'Drawing icons: 8 so far.')")
    assert hosted.tab.locator(".lx-status").inner_text() == "Drawing icons: 8 so far."


def test_cleans_up_after_itself(hosted):
    assert hosted.tab.evaluate("window.model.handlers.length") > 0
    hosted.tab.evaluate("window.cleanUp()")
    assert hosted.tab.evaluate("window.model.handlers.length") == 0
    assert hosted.tab.evaluate("window.root.querySelector('.lx-board')") is None


def test_an_iframe_grows_to_the_pages_height(chromium, tmp_path):
    path = tmp_path / "outer.html"
    path.write_text(f"<!doctype html><body>{frame([board()])}</body>", encoding="utf-8")
    tab = chromium.new_page(viewport={"width": 1000, "height": 700})
    tab.goto(path.as_uri())
    tab.frame_locator("iframe").locator(".lx-row").first.wait_for()
    tab.wait_for_timeout(200)
    inner = tab.frames[1].evaluate("document.getElementById('lx-host').offsetHeight")
    assert tab.locator("iframe").bounding_box()["height"] == inner
    tab.close()
