"""Several pictures of one scene in a browser: one lens, one zoom, one selection; sized tiles; pairs."""

import dataclasses

import numpy as np
import pytest

from lucid_ext.board import Board, Grid, Heat, Ranking, Units
from lucid_ext.board.comparison import pair
from lucid_ext.widgets.bundle import widget_module
from lucid_ext.widgets.payload import payload, sheet
from tests.widgets.test_page import HOST, Finger, json, open_page  # noqa: F401  a fixture

GRIDS = {"image": (14, 14), "fine": (28, 28), "middle": (14, 14), "coarse": (7, 7)}
CHANNELS = 6


def level(cell):
    """The grey of a cell's tile."""
    return 40 + 10 * (cell % 20)


def board(seed=0, grids=GRIDS, choice=None, shade=0) -> Board:
    """A picture without a list, and tiled grids of three sizes; cell 3 of each is dead."""
    rng = np.random.default_rng(seed)
    picture = np.full((112, 112, 3), 150 + shade, np.uint8)
    panels, links = [], []
    for name, (rows, cols) in grids.items():
        if name == "image":
            panels.append(Grid(name, name, picture, rows, cols, start=None))
            continue
        n = rows * cols
        tiles = np.zeros((n, 16, 16, 3), np.uint8) + level(np.arange(n))[:, None, None, None]
        index = np.arange(n, dtype=np.int32)
        index[3] = -1
        dead = index < 0
        sizes = np.linspace(0, 1, n, dtype=np.float32)
        panels.append(
            Grid(
                *(name, name, picture, rows, cols),
                start=n // 2 if name == "middle" else None,
                tiled=True,
                tiles=tiles.astype(np.uint8),
                tile_of=index,
                dead=dead,
                sizes=sizes,
                law=f"area of {name}",
            )
        )
        values = rng.random((n, CHANNELS)).astype(np.float32)
        atoms = np.argsort(-values, axis=1).astype(np.int32)
        links.append(Ranking(name, "units", atoms, np.take_along_axis(values, atoms, 1)))
    links.sort(key=lambda link: link.source != "middle")
    units = Units("units", "Channels", [f"u:{c}" for c in range(CHANNELS)], shown=3, most=3)
    captions = [f"{{{name}}} is {{units.1}}." for name in grids]
    options = {"epsilon": choice} if choice else {}
    return Board("Scene", "Look.", [*panels, units], links, caption=captions, choice=options)


class Scene:
    """An open page with several pictures."""

    def __init__(self, made):
        self.tab, self.state, self.board = made.tab, made.state, made.board

    def names(self, which=0):
        """What a list shows."""
        rows = self.tab.locator(".lx-units").nth(which).locator(".lx-row:not(.lx-empty)").all()
        return [row.locator(".lx-name").inner_text() for row in rows]

    def picture(self, name):
        heading = self.tab.get_by_role("heading", name=self.board[name].title, exact=True)
        return self.tab.locator(".lx-picture", has=heading)

    def point(self, name, cell):
        grid = self.board[name]
        box = self.picture(name).locator(".lx-viewport").bounding_box()
        row, col = divmod(cell, grid.cols)
        x, y = (col + 0.5) / grid.cols, (row + 0.5) / grid.rows
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    def frame(self):
        self.tab.wait_for_timeout(60)

    def lenses(self):
        self.frame()
        return self.tab.locator(".lx-lens.lx-on").count()

    def grey(self, name, canvas, x=0.5, y=0.5):
        """Red and opacity of a canvas at a place, in fractions of it."""
        return (
            self.picture(name)
            .locator(canvas)
            .evaluate(
                "(c, [x, y]) => [...c.getContext('2d').getImageData(x * c.width, y * c.height, 1, 1).data]"
                ".filter((_, i) => i % 3 === 0)",
                [x, y],
            )
        )

    def zoom(self):
        """The scale each picture is shown at, as the browser has it."""
        return [
            world.evaluate("(e) => new DOMMatrix(getComputedStyle(e).transform).a")
            for world in self.tab.locator(".lx-world").all()
        ]

    def covered(self, name, selector):
        """A mark's box in a picture, in cells of it: left, top, width, height."""
        grid = self.board[name]
        whole = self.picture(name).locator(".lx-viewport").bounding_box()
        box = self.picture(name).locator(selector).bounding_box()
        x, y = (box["x"] - whole["x"]) / whole["width"], (box["y"] - whole["y"]) / whole["height"]
        cells = x * grid.cols, y * grid.rows
        size = box["width"] / whole["width"] * grid.cols, box["height"] / whole["height"] * grid.rows
        return [round(v) for v in (*cells, *size)]


@pytest.fixture
def opened(open_page):  # noqa: F811
    made = open_page(boards=[board()])
    made.tab.wait_for_timeout(150)
    yield Scene(made)
    assert made.errors == []
    assert all(url.startswith(("file:", "data:")) for url in made.requests)


@pytest.fixture
def touched(open_page):  # noqa: F811
    made = open_page(
        boards=[board()], has_touch=True, is_mobile=True, viewport={"width": 390, "height": 1600}
    )
    made.tab.wait_for_timeout(150)
    yield Scene(made)
    assert made.errors == []


def test_one_selection_and_its_place_in_the_others(opened):
    assert opened.state("selected") == {"middle": 98}
    opened.tab.mouse.click(*opened.point("coarse", 17))  # row 2, column 3
    assert opened.state("selected") == {"coarse": 17}
    assert opened.names() == [f"u:{unit}" for unit in opened.board.link("coarse", "units").atoms[17][:3]]
    assert opened.covered("fine", ".lx-same") == [12, 8, 4, 4]
    assert opened.covered("middle", ".lx-same") == [6, 4, 2, 2]
    assert opened.picture("coarse").locator(".lx-same.lx-on").count() == 0
    assert opened.picture("middle").locator(".lx-readout").inner_text() == "Row 5, column 7"
    opened.tab.mouse.click(*opened.point("fine", 28 * 9 + 13))
    assert opened.state("selected") == {"fine": 28 * 9 + 13}
    assert opened.covered("coarse", ".lx-same") == [3, 2, 1, 1]


def test_hovering_anywhere_shows_a_lens_everywhere(opened):
    assert opened.lenses() == 0
    opened.tab.mouse.move(*opened.point("image", 60))
    assert opened.lenses() == len(GRIDS)
    opened.tab.mouse.move(3, 3)
    assert opened.lenses() == 0


def test_the_lens_magnifies_the_same_place(opened):
    """In every grid the middle of the lens has the grey of the tile that lies there."""
    row, col = 4, 2  # of the coarse grid, whose middle is no edge of the finer ones
    x, y = opened.point("coarse", 7 * row + col)
    opened.tab.mouse.move(x + 4, y + 4)
    assert opened.lenses() == len(GRIDS)
    for name, sides in {"coarse": 1, "middle": 2, "fine": 4}.items():
        cell = (row * sides + sides // 2) * GRIDS[name][1] + col * sides + sides // 2
        grey, _ = opened.grey(name, ".lx-lens", 0.52, 0.52)
        assert abs(grey - level(cell)) <= 6, name


def test_the_lens_follows_the_pointer_within_a_cell(opened):
    lens = opened.picture("fine").locator(".lx-lens")
    x, y = opened.point("coarse", 24)
    places = []
    for step in (0, 5):
        opened.tab.mouse.move(x + step, y)
        opened.frame()
        places.append(lens.bounding_box()["x"])
    assert places[1] - places[0] == pytest.approx(5, abs=0.6)


def test_the_lens_can_be_put_away(opened):
    opened.tab.get_by_role("button", name="Magnify").click()
    opened.tab.mouse.move(*opened.point("fine", 300))
    assert opened.lenses() == 0
    assert opened.tab.get_by_role("button", name="Magnify").get_attribute("aria-pressed") == "false"


def test_zoom_and_pan_are_shared(opened):
    opened.tab.get_by_role("button", name="Zoom in").click()
    assert opened.zoom() == [1.5] * 4
    handle = opened.picture("middle").locator(".lx-handle")
    handle.focus()
    opened.tab.keyboard.press("+")
    assert opened.zoom() == [2.25] * 4
    before = opened.picture("fine").locator(".lx-same").bounding_box()
    opened.tab.keyboard.press("Shift+ArrowRight")
    after = opened.picture("fine").locator(".lx-same").bounding_box()
    width = opened.picture("fine").locator(".lx-viewport").bounding_box()["width"]
    assert after["x"] - before["x"] == pytest.approx(-0.15 * width, abs=1)
    x, y = opened.point("coarse", 0)
    opened.tab.mouse.move(x, y)
    opened.tab.mouse.down()
    opened.tab.mouse.move(x + 30, y, steps=3)
    opened.tab.mouse.up()
    moved = opened.picture("fine").locator(".lx-same").bounding_box()
    assert moved["x"] - after["x"] == pytest.approx(30, abs=1.5)
    opened.tab.mouse.wheel(0, -100)
    assert opened.zoom() == pytest.approx([2.7] * 4)
    handle.focus()
    opened.tab.keyboard.press("0")
    assert opened.zoom() == [1] * 4


def test_the_selection_by_keys_in_any_picture(opened):
    opened.picture("fine").locator(".lx-handle").focus()
    assert opened.lenses() == 0
    opened.tab.keyboard.press("ArrowRight")
    # It begins where the other picture's selection is: row 7, column 0 of 14.
    assert opened.state("selected") == {"fine": 28 * 15 + 2}
    assert opened.lenses() == len(GRIDS)  # whoever comes by keys sees the lens at the cell
    opened.tab.keyboard.press("l")
    assert opened.lenses() == 0
    opened.tab.keyboard.press("l")
    opened.tab.keyboard.press("Escape")
    assert opened.state("selected") == {}
    assert opened.lenses() == 0
    assert opened.tab.locator("[role=grid] [tabindex='0']").count() == len(GRIDS)


def test_tiles_are_the_cells_own_and_dead_ones_are_hatched(opened):
    for name in ("fine", "middle", "coarse"):
        rows, cols = GRIDS[name]
        for cell in (0, 11, rows * cols - 1):
            row, col = divmod(cell, cols)
            grey, opaque = opened.grey(name, ".lx-tiles", (col + 0.5) / cols, (row + 0.5) / rows)
            assert opaque == 255
            assert abs(grey - level(cell)) <= 5
        across = {opened.grey(name, ".lx-tiles", (3 + i / 40) / cols, 0.5 / rows)[0] > 180 for i in range(40)}
        assert across == {True, False}  # lines, not a shade
    opened.picture("coarse").locator(".lx-handle").focus()
    opened.tab.keyboard.press("Control+Home")
    for _ in range(3):
        opened.tab.keyboard.press("ArrowRight")
    assert opened.picture("coarse").locator(".lx-readout").inner_text() == "Row 0, column 3 (dead)"
    assert opened.tab.locator(".lx-spoken").inner_text().startswith("row 0, column 3 (dead) is u:")


def test_sized_tiles_have_areas_in_proportion(opened):
    law = opened.picture("coarse").locator(".lx-law")
    assert not law.is_visible()
    place = opened.picture("coarse").locator(".lx-viewport").bounding_box()
    opened.tab.get_by_role("button", name="Tiles sized").click()
    assert law.is_visible()
    assert law.inner_text() == "area of coarse"
    width = "(c) => c.width / c.getBoundingClientRect().width"
    tiles = opened.picture("coarse").locator(".lx-tiles")
    assert tiles.evaluate(width) == pytest.approx(1, abs=0.01)  # pixels a pixel: no more than are shown
    for _ in range(4):
        opened.tab.get_by_role("button", name="Zoom in").click()  # now with more of them
    assert opened.picture("coarse").locator(".lx-viewport").bounding_box() == place  # nothing jumps
    sizes = opened.board["coarse"].sizes
    for cell in (8, 24, 40, 48):
        row, col = divmod(cell, 7)
        area = (
            opened.picture("coarse")
            .locator(".lx-tiles")
            .evaluate(
                "(c, [row, col]) => { const side = c.width / 7;"
                "const { data } = c.getContext('2d').getImageData(col * side, row * side, side, side);"
                "return data.filter((_, i) => i % 4 === 3).reduce((a, b) => a + b, 0) / 255 / side / side }",
                [row, col],
            )
        )
        assert area == pytest.approx(sizes[cell], abs=0.02)  # to the pixel
    opened.tab.get_by_role("button", name="Show the whole picture").click()
    assert tiles.evaluate(width) == pytest.approx(1, abs=0.01)
    opened.picture("fine").locator(".lx-handle").focus()
    opened.tab.keyboard.press("s")
    assert not law.is_visible()
    assert opened.tab.get_by_role("button", name="Tiles of equal").get_attribute("aria-pressed") == "true"


def test_a_unit_lights_the_grid_it_is_of_and_says_by_what_law(open_page):  # noqa: F811
    made = board()
    weights = {name: np.zeros((CHANNELS, len(made[name])), np.float32) for name in ("fine", "coarse")}
    weights["fine"][: CHANNELS // 2, 100:] = 3
    weights["coarse"][CHANNELS // 2 :, 8] = 2
    weights["coarse"][-1] = 0  # it is of this grid, and answers nowhere
    of = {"fine": range(CHANNELS // 2), "coarse": range(CHANNELS // 2, CHANNELS)}
    heats = [Heat("units", n, rows, law="its activation", of=of[n]) for n, rows in weights.items()]
    panels = [
        dataclasses.replace(p, shown=CHANNELS, most=CHANNELS) if p.name == "units" else p for p in made.panels
    ]
    page = open_page(boards=[dataclasses.replace(made, panels=panels, links=[*made.links, *heats])])
    opened = Scene(page)
    assert len(opened.names()) == CHANNELS
    for row, name in enumerate(opened.names()):
        opened.tab.locator(".lx-row").nth(row).hover()
        unit = int(name.split(":")[1])
        its = "fine" if unit in of["fine"] else "coarse"
        for grid in of:
            picture = opened.picture(grid)
            assert ("lx-on" in picture.locator(".lx-heat").get_attribute("class")) == (grid == its)
            assert picture.locator(".lx-law").is_visible() == (grid == its)
        clear = f"clear at {weights[its].max():.2f}" if weights[its][unit].any() else "none anywhere"
        assert opened.picture(its).locator(".lx-law").inner_text() == f"its activation, {clear}"
    opened.tab.mouse.move(2, 2)
    assert opened.tab.locator(".lx-heat.lx-on").count() == 0
    assert not opened.picture("fine").locator(".lx-law").is_visible()
    opened.tab.get_by_role("button", name="Tiles sized by strength (S key)").click()
    assert opened.picture("fine").locator(".lx-law").inner_text() == "area of fine"
    assert page.errors == []


def test_a_tap_selects_and_shows_the_lens_until_the_next(touched):
    touched.tab.touchscreen.tap(*touched.point("coarse", 17))
    assert touched.state("selected") == {"coarse": 17}
    assert touched.lenses() == len(GRIDS)
    touched.tab.touchscreen.tap(*touched.point("coarse", 17))
    assert touched.lenses() == 0


def test_dragging_the_handle_by_touch_moves_the_lens(touched):
    touched.tab.touchscreen.tap(*touched.point("coarse", 17))
    touched.tab.touchscreen.tap(*touched.point("coarse", 17))
    finger = Finger(touched.tab)
    finger.send("touchStart", touched.point("coarse", 17))
    for cell in (18, 25):
        finger.send("touchMove", touched.point("coarse", cell))
        touched.tab.wait_for_timeout(30)
    assert touched.lenses() == len(GRIDS)
    finger.send("touchEnd")
    assert touched.state("selected") == {"coarse": 25}
    assert touched.lenses() == 0


def test_nothing_is_wider_than_a_phone(touched):
    assert touched.tab.evaluate("document.documentElement.scrollWidth") <= 390


def test_reduced_motion(open_page):  # noqa: F811
    made = open_page(boards=[board()], reduced_motion="reduce")
    times = "[...document.querySelectorAll('.lx-board *')].map((e) => getComputedStyle(e).transitionDuration)"
    assert set(made.tab.evaluate(times)) == {"0s"}


def test_tiles_that_arrive_later(open_page):  # noqa: F811
    whole = board()
    empty = [
        dataclasses.replace(p, tiles=None, tile_of=None) if isinstance(p, Grid) and p.tiled else p
        for p in whole.panels
    ]
    start = payload([dataclasses.replace(whole, panels=empty)], controls=False)
    state = {"payload": start, "selected": {}, "hovered": {}, "shown": {}}
    made = open_page(html=HOST % (json.dumps(json.dumps(state)), json.dumps(widget_module())))
    canvas = "window.root.querySelectorAll('.lx-picture')[3].querySelector('.lx-tiles')"
    place = f"{canvas}.width * 5.5 / 7, {canvas}.height * 0.5 / 7"
    grey = f"[...{canvas}.getContext('2d').getImageData({place}, 1, 1).data]"
    faint = (
        "window.root.querySelectorAll('.lx-picture')[3].querySelector('img').classList.contains('lx-faint')"
    )
    assert made.tab.evaluate(grey)[3] == 0  # the faint picture shows through
    assert made.tab.evaluate(faint)
    grid = whole["coarse"]
    half = np.where(np.arange(49) == 5, 5, -1)
    for index in (half, grid.tile_of):
        entry = {"board": start["boards"][0]["key"], "sheet": sheet(grid.tiles), "icon_of": index.tolist()}
        made.tab.evaluate("(s) => window.model.change('streamed', s)", {"coarse": entry})
        made.tab.wait_for_timeout(150)
        assert abs(made.tab.evaluate(grey)[0] - level(5)) <= 5
    assert not made.tab.evaluate(faint)  # all are there, and nothing of the picture to be seen
    assert made.errors == []


@pytest.fixture
def paired(open_page):  # noqa: F811
    few = {"image": (14, 14), "middle": (14, 14)}
    boards = [
        pair(board(0, few), board(seed, few, shade=9), ("clean", "other"), {"epsilon": name})
        for seed, name in ((1, "1/255"), (2, "2/255"), (3, "8/255"))
    ]
    made = open_page(boards=[boards[1], boards[0], boards[2]])
    made.tab.wait_for_timeout(150)
    scene = Scene(made)
    scene.boards = boards
    yield scene
    assert made.errors == []


def test_a_pair_has_one_selection_and_one_lens(paired):
    assert paired.state("selected") == {"a_middle": 98}
    titles = ["image, clean", "image, other", "image, difference", "middle, clean", "middle, other"]
    assert paired.tab.locator(".lx-picture h3").all_inner_texts() == [*titles, "middle, how far it turned"]
    paired.tab.mouse.move(*paired.point("d_image", 33))
    assert paired.lenses() == 6
    for name in ("b_middle", "d_middle", "a_image"):
        paired.tab.mouse.click(*paired.point(name, 33))
        assert paired.state("selected") == {name: 33}
        assert paired.names(2) == [f"u:{unit}" for unit, _ in paired.board.rows("d_units", {name: 33})]
        assert paired.tab.locator(".lx-caption").inner_text() == paired.board.describe({name: 33})


@pytest.mark.parametrize("width", [390, 700])
def test_two_and_their_difference_stand_together_on_a_narrow_page(paired, width):
    paired.tab.set_viewport_size({"width": width, "height": 900})
    paired.frame()
    for name in ("image", "middle"):
        one, two, between = (
            paired.picture(side + name).locator(".lx-viewport").bounding_box() for side in ("a_", "b_", "d_")
        )
        assert one["y"] == pytest.approx(two["y"], abs=1)
        assert one["x"] + one["width"] < two["x"]
        assert between["width"] == pytest.approx(one["width"], abs=1)
        if width == 700:
            assert between["y"] == pytest.approx(one["y"], abs=1)
        else:
            assert one["width"] > 150
            assert between["x"] == pytest.approx(one["x"], abs=1)
            assert between["y"] > one["y"] + one["height"]
            heading = paired.picture("d_" + name).locator("h3").bounding_box()
            assert heading["x"] > between["x"] + between["width"]  # its words stand beside it
            assert abs(heading["y"] - between["y"]) < 8
    assert paired.tab.evaluate("document.documentElement.scrollWidth") <= width


def test_a_difference_is_said_by_sign_side_and_colour(paired):
    rows = paired.tab.locator(".lx-units").nth(2).locator(".lx-row:not(.lx-empty)").all()
    assert len(rows) == 3
    sides = set()
    for row, (_, value) in zip(rows, paired.board.rows("d_units", {"a_middle": 98}), strict=True):
        assert row.locator(".lx-value").inner_text()[0] == ("+" if value > 0 else "\u2212")
        track, bar = (row.locator(part).bounding_box() for part in (".lx-track", ".lx-bar"))
        middle = track["x"] + track["width"] / 2
        assert (bar["x"] >= middle - 1) == (value > 0)
        sides.add((value > 0, row.locator(".lx-bar").evaluate("(e) => getComputedStyle(e).backgroundColor")))
    assert len(sides) == len({positive for positive, _ in sides})


def test_how_far_cells_turned_is_printed_and_shaded(paired):
    values = paired.board["d_middle"].values
    paired.tab.mouse.move(*paired.point("d_middle", 50))
    readout = paired.picture("d_middle").locator(".lx-readout").inner_text()
    assert readout == f"Row 3, column 8: {values[50]:.2f}"
    for cell in (50, int(values.argmax())):
        row, col = divmod(cell, 14)
        _, dark = paired.grey("d_middle", ".lx-heat", (col + 0.5) / 14, (row + 0.5) / 14)
        assert dark == pytest.approx(215 * (1 - values[cell] / values.max()), abs=1.5)
    assert f"{values.max():.2f}" in paired.picture("d_middle").locator(".lx-law").inner_text()


def test_options_that_are_numbers_are_a_slider_in_order(paired):
    assert paired.tab.locator("select").count() == 0
    slider = paired.tab.get_by_role("slider", name="epsilon")
    assert slider.get_attribute("aria-valuetext") == "2/255"
    paired.tab.mouse.click(*paired.point("a_middle", 33))
    slider.focus()
    for key, text, shown in (("Home", "1/255", 0), ("ArrowRight", "2/255", 1), ("End", "8/255", 2)):
        paired.tab.keyboard.press(key)
        paired.board = paired.boards[shown]
        assert slider.get_attribute("aria-valuetext") == text
        assert slider.evaluate("(e) => e === document.activeElement")  # the same slider, under the hand
        assert paired.state("selected") == {"a_middle": 33}
        assert paired.tab.locator(".lx-caption").inner_text() == paired.board.describe({"a_middle": 33})
