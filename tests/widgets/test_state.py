"""What a reader does is kept beside a board: the board itself is frozen, down to its arrays' numbers."""

import dataclasses
import json

import numpy as np
import pytest

from lucid_ext.widgets.bundle import widget_module
from lucid_ext.widgets.payload import board_key, payload, sheet
from tests.board.test_dials import LEVELS
from tests.board.test_dials import board as dials_board
from tests.board.test_flow import flow_board
from tests.widgets.test_page import HOST, open_page  # noqa: F401  a fixture
from tests.widgets.test_scene import board as scene_board

# Keeps every board that is frozen, and can write down all that is in them.
WATCH = """<script>
const freeze = Object.freeze;
const boards = [];
Object.freeze = (value) => {
  if (value?.panels instanceof Map) boards.push(value);
  return freeze(value);
};
const plain = (_, part) => {
  if (part instanceof Map) return [...part];
  return part instanceof Set || ArrayBuffer.isView(part) ? Array.from(part) : part;
};
window.written = () => boards.map((board) => JSON.stringify(board, plain));
window.loose = () => {
  const found = [];
  const look = (part, path) => {
    if (typeof part !== "object" || part === null || ArrayBuffer.isView(part)) return;
    if (!Object.isFrozen(part)) found.push(path);
    const inside = part instanceof Map ? [...part] : Object.entries(part);
    for (const [name, one] of inside) look(one, `${path}.${name}`);
  };
  boards.forEach((board, i) => look(board, `boards.${i}`));
  return found;
};
</script>"""


@pytest.fixture
def open_watched(open_page):  # noqa: F811
    made = []

    def open_(board, ready):
        state = {"payload": payload([board], controls=True), "answers": True}
        module = json.dumps(widget_module())
        html = WATCH + HOST % (json.dumps(json.dumps(state)), module)
        page = open_page(html=html, boards=[board], ready=ready)
        page.before = page.tab.evaluate("window.written()")
        assert len(page.before) == 1
        made.append(page)
        return page

    yield open_
    for page in made:
        assert page.errors == []
        assert page.tab.evaluate("window.loose()") == []
        assert page.tab.evaluate("window.written()")[0] == page.before[0]


def change(page, name, value):
    page.tab.evaluate("([name, value]) => window.model.change(name, value)", [name, value])


def icons_for(page, name):
    icons = np.full((1, 16, 16, 3), 128, np.uint8)
    index = [0] * len(page.board[name])
    return {name: {"board": board_key(page.board), "sheet": sheet(icons), "icon_of": index}}


def test_dials_names_and_icons(open_watched):
    page = open_watched(dials_board(), ".lx-dial")
    tab = page.tab
    tab.locator(".lx-dial input").first.fill("3")
    assert tab.locator(".lx-rest:visible").count() == 3
    values = tab.locator(".lx-units:has(h3:has-text('Classes')) .lx-value")
    first = values.all_inner_texts()
    tab.locator(".lx-dial input").nth(1).fill("0")
    assert values.all_inner_texts() == first  # until somebody answers
    levels = {"parts": [float(LEVELS[3]), float(LEVELS[0])]}
    answer = {"board": board_key(page.board), "levels": levels, "values": {"classes": [0.25, 0.75, 0.5]}}
    change(page, "answer", answer)
    assert values.all_inner_texts() == ["0.75", "0.50", "0.25"]

    row = tab.locator(".lx-units:has(h3:has-text('Parts')) .lx-row").first
    row.click()
    row.press("F2")
    tab.keyboard.type("ear")
    tab.keyboard.press("Enter")
    change(page, "streamed", icons_for(page, "parts"))
    for place in (".lx-units .lx-name", ".lx-dial .lx-name"):
        assert "ear" in tab.locator(place).all_inner_texts()
    assert tab.locator(".lx-without-icon").count() == 5  # all but the two that have one now

    # Another board of the same parts knows nothing of the name, but which of them is selected.
    row.click()
    selected = page.state("selected")
    fresh = payload([dataclasses.replace(page.board, title="Another")], controls=True)
    change(page, "payload", fresh)
    assert "ear" not in tab.locator(".lx-units .lx-name").all_inner_texts()
    assert tab.locator(".lx-rest:visible").count() == 0
    assert page.state("selected").get("image") == selected.get("image")


def test_pictures(open_watched):
    page = open_watched(scene_board(), ".lx-handle")
    tab = page.tab
    for at in (0.3, 0.7):
        box = tab.locator(".lx-viewport").first.bounding_box()
        tab.mouse.click(box["x"] + at * box["width"], box["y"] + at * box["height"])
        tab.get_by_role("button", name="Zoom in").first.click()
    for key in ("l", "s", "ArrowRight", "Shift+ArrowLeft", "0", "Escape"):
        tab.locator(".lx-handle").first.press(key)
    tab.locator(".lx-row").first.hover()
    change(page, "shown", {"units": 2})
    change(page, "streamed", icons_for(page, next(p.name for p in page.board.panels)))
    tab.emulate_media(color_scheme="dark")
    tab.wait_for_selector(".lx-dark")


def test_a_flow(open_watched):
    page = open_watched(flow_board(), ".lx-node")
    for n in (1, 4, 1):
        page.tab.locator(".lx-node").nth(n).click()
    assert page.state("selected")["flow"] == [4]
    change(page, "streamed", icons_for(page, "flow"))
    page.tab.set_viewport_size({"width": 500, "height": 700})
    change(page, "selected", {"flow": [0, 4]})
    assert page.tab.locator(".lx-node[aria-pressed=true]").count() == 2
