"""A trail in a browser: asking, the way back, the path as a row of buttons, keys, light, another variant."""

import numpy as np
import pytest

from lucid_ext.board import format_value
from tests.board.test_drilldown import BELOW, FIRST, HIDDEN, QUESTIONS, SHOWN, board
from tests.widgets.test_page import open_page  # noqa: F401  a fixture

COLUMNS = ["low", "high", "classes"]


class Trail:
    """What a reader sees of a trail."""

    def __init__(self, made, boards):
        self.page, self.tab, self.boards, self.board = made, made.tab, boards, boards[0]

    def column(self, name):
        return self.tab.locator(".lx-columns .lx-units").nth(COLUMNS.index(name))

    def row(self, name, unit):
        rows = [u for u, _ in self.board.rows(name, self.selected())]
        return self.column(name).locator(".lx-row").nth(rows.index(unit))

    def selected(self):
        return self.page.state("selected")

    def check(self, selected):
        """All columns and the caption are what the board says of a selection."""
        assert list(self.selected().items()) == list(selected.items())
        for name in COLUMNS:
            found = self.column(name).locator(".lx-row:not(.lx-empty)")
            shown = zip(
                found.locator(".lx-name").all_inner_texts(),
                found.locator(".lx-value").all_inner_texts(),
                strict=True,
            )
            rows = self.board.rows(name, selected)
            labels, signs = self.board[name].labels, {True: "+", False: ""}
            assert list(shown) == [(labels[u], signs[v > 0] + format_value(v, "number")) for u, v in rows]
        assert self.tab.locator(".lx-caption").inner_text() == self.board.describe(selected)

    def path(self):
        """The row of buttons: their texts, and which is the present question."""
        buttons = self.tab.locator(".lx-path button")
        now = buttons.evaluate_all("all => all.findIndex(b => b.getAttribute('aria-current') === 'step')")
        return buttons.all_inner_texts(), now

    def head(self, name):
        return [self.column(name).locator(s).inner_text() for s in (".lx-scale", ".lx-values", ".lx-note")]


@pytest.fixture
def trail(open_page):  # noqa: F811
    boards = [board(choice="one"), board(1, "two")]
    made = open_page(boards=boards)
    yield Trail(made, boards)
    assert made.errors == []
    assert all(url.startswith(("file:", "data:")) for url in made.requests)


def test_asking_and_the_way_back(trail):
    start = {"classes": 0}
    trail.check(start)
    assert trail.path() == ([QUESTIONS[0]], 0)
    trail.row("high", FIRST).click()
    first = {**start, "high": FIRST}
    trail.check(first)
    assert trail.row("high", FIRST).get_attribute("aria-selected") == "true"
    trail.row("low", BELOW).click()
    second = {"high": FIRST, "low": BELOW}
    trail.check(second)
    assert trail.path() == ([QUESTIONS[0], f"high:{FIRST}", f"low:{BELOW}"], 2)
    # What was asked before is no longer marked, though it may still be listed.
    assert trail.column("high").locator("[aria-selected=true]").count() == 0
    back, forward = (trail.tab.get_by_role("button", name=name, exact=True) for name in ("Back", "Forward"))
    assert forward.get_attribute("aria-disabled") == "true"
    back.click()
    trail.check(first)
    assert trail.path()[1] == 1
    back.click()
    trail.check(start)
    assert back.get_attribute("aria-disabled") == "true"
    back.click(force=True)
    trail.check(start)
    forward.click()
    forward.click()
    trail.check(second)
    trail.tab.locator(".lx-path button").nth(1).click()
    trail.check(first)
    other = next(u for u, _ in trail.board.rows("low", first) if u != BELOW)
    trail.row("low", other).click()
    assert trail.path() == ([QUESTIONS[0], f"high:{FIRST}", f"low:{other}"], 2)


def test_the_same_by_keys(trail):
    press = trail.tab.keyboard.press
    trail.column("classes").locator(".lx-row").first.focus()
    press("ArrowLeft")
    press("ArrowDown")
    assert trail.page.state("hovered") == {"high": FIRST}
    press("Enter")
    trail.check({"classes": 0, "high": FIRST})
    spoken = trail.tab.locator(".lx-spoken")
    assert spoken.inner_text() == trail.board.describe({"high": FIRST})
    press("ArrowLeft")
    press("Enter")
    below = trail.board.rows("low", {"high": FIRST})[1][0]
    trail.check({"high": FIRST, "low": below})
    press("Backspace")
    trail.check({"classes": 0, "high": FIRST})
    assert spoken.inner_text() == trail.board.describe({"high": FIRST})
    press("Alt+ArrowRight")
    trail.check({"high": FIRST, "low": below})
    press("Alt+ArrowLeft")
    press("Alt+ArrowLeft")
    trail.check({"classes": 0})
    press("Alt+ArrowRight")
    trail.column("high").locator("[aria-selected=true]").focus()
    press("Escape")
    trail.check({"classes": 0})
    assert trail.tab.url.startswith("file:")  # the browser did not go back itself


def test_pointing_lights_the_picture_and_moves_no_list(trail):
    trail.row("high", FIRST).click()
    trail.tab.mouse.move(2, 2)
    selected = {"classes": 0, "high": FIRST}
    before = [trail.column(name).locator(".lx-rows").inner_text() for name in COLUMNS]
    trail.row("low", BELOW).hover()
    assert [trail.column(name).locator(".lx-rows").inner_text() for name in COLUMNS] == before
    weights = trail.board.link("low", "image").weights[BELOW]
    law = trail.tab.locator(".lx-picture .lx-law").inner_text()
    assert law == f"where, clear at \u00b1{np.abs(weights).max():.2f}"
    ((_, value),) = trail.board.rows("effect", {"low": BELOW})
    shown = trail.tab.locator(".lx-pictures .lx-units .lx-value").inner_text()
    assert shown == ("+" if value > 0 else "") + format_value(value, "number")
    assert trail.tab.locator(".lx-caption").inner_text() == trail.board.describe({"low": BELOW})
    assert trail.tab.locator(".lx-trail > .lx-note").inner_text() == f"low:{BELOW}: icon of {BELOW}"
    trail.tab.mouse.move(2, 2)
    trail.check(selected)


def test_what_values_are_is_said_over_each_list(trail):
    link = trail.board.link("classes", "low")
    full = f"full bar {format_value(float(link.scales[0]), 'number')}"
    assert trail.head("low") == [full, f"added to {QUESTIONS[0]}", "trust of low 0"]
    trail.row("high", FIRST).click()
    full = f"full bar {format_value(float(trail.board.link('high', 'low').scales[FIRST]), 'number')}"
    assert trail.head("low")[:2] == [full, f"added to high:{FIRST}"]
    assert trail.head("high")[1:] == [f"added to {QUESTIONS[0]}", "trust of high 0"]
    assert trail.head("classes")[1] == f"added by high:{FIRST}"


def test_another_variant_keeps_the_path(trail):
    trail.row("high", FIRST).click()
    trail.row("low", BELOW).click()
    trail.tab.locator("select").select_option("two")
    trail.tab.mouse.move(2, 2)
    trail.board = trail.boards[1]
    assert trail.path() == ([QUESTIONS[0], f"high:{FIRST}", f"low:{BELOW}"], 2)
    trail.check({"high": FIRST, "low": BELOW})
    assert trail.row("low", BELOW).get_attribute("aria-selected") == "true"


def test_a_selection_from_outside_is_a_question_too(trail):
    trail.tab.evaluate("unit => window.lucidExt.set('selected', { high: unit })", HIDDEN)
    assert trail.path() == ([QUESTIONS[0], f"high:{HIDDEN}"], 1)
    trail.check({"high": HIDDEN})
    assert trail.column("high").locator(".lx-row").nth(SHOWN - 1).get_attribute("aria-selected") == "true"


def test_columns_by_touch_on_a_small_screen(open_page):  # noqa: F811
    made = open_page(boards=[board()], has_touch=True, is_mobile=True, viewport={"width": 390, "height": 800})
    trail = Trail(made, [made.board])
    trail.row("high", FIRST).tap()
    trail.check({"classes": 0, "high": FIRST})
    assert made.tab.evaluate("document.documentElement.scrollWidth") <= 390
    made.tab.get_by_role("button", name="Back", exact=True).tap()
    trail.check({"classes": 0})
