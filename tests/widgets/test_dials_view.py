"""Dials under a finger: large enough, turned by sliding along them, not by scrolling past."""

import numpy as np
import pytest

from lucid_ext.board import format_value
from tests.board.test_dials import LEVELS, board
from tests.widgets.test_page import Finger, open_page  # noqa: F401  a fixture


class Turned:
    """An open page with dials, and what a reader can see of them."""

    def __init__(self, made):
        self.made, self.tab, self.board = made, made.tab, made.board
        self.finger = Finger(made.tab)

    def at(self, unit, level):
        """Where a finger turns a dial to a level."""
        box = self.tab.locator(".lx-dial input").nth(unit).bounding_box()
        share = LEVELS.tolist().index(level) / (len(LEVELS) - 1)
        thumb = 16  # its middle does not reach the ends
        x = box["x"] + thumb / 2 + share * (box["width"] - thumb)
        return x, box["y"] + box["height"] / 2

    def slide(self, start, *points):
        self.finger.send("touchStart", start)
        for point in points:
            self.finger.send("touchMove", point)
            self.tab.wait_for_timeout(30)
        self.finger.send("touchEnd")
        self.tab.wait_for_timeout(150)

    def levels(self):
        return self.made.state("levels")["parts"]

    def classes(self):
        panel = self.tab.locator(".lx-units:has(h3:has-text('Classes'))")
        names, values = (panel.locator(part).all_inner_texts() for part in (".lx-name", ".lx-value"))
        return list(zip(names, values, strict=True))

    def expected(self, turned):
        rows = self.board.rows("classes", {}, 3, {"parts": turned})
        return [(self.board["classes"].labels[a], format_value(v, "number")) for a, v in rows]


@pytest.fixture
def touched(open_page):  # noqa: F811
    made = open_page(
        boards=[board()],
        ready=".lx-dial",
        has_touch=True,
        is_mobile=True,
        viewport={"width": 390, "height": 700},
    )
    made.tab.locator(".lx-dials").scroll_into_view_if_needed()
    yield Turned(made)
    assert made.errors == []


def test_a_finger_finds_a_dial(touched):
    for unit in range(2):
        box = touched.tab.locator(".lx-dial input").nth(unit).bounding_box()
        assert box["height"] >= 44
    assert touched.tab.get_by_role("button", name="All to").bounding_box()["height"] >= 44


def test_a_tap_and_a_slide_turn_a_dial(touched):
    assert touched.levels() == [1, 1]
    touched.tab.touchscreen.tap(*touched.at(1, 0))
    assert touched.levels() == [1, 0]
    assert touched.classes() == touched.expected({1: 0})
    touched.slide(touched.at(0, 1), *(touched.at(0, level) for level in (0.5, 1, 2)))
    assert touched.levels() == [2, 1]  # without a kernel the other goes back
    assert touched.classes() == touched.expected({0: 2})
    touched.tab.get_by_role("button", name="All to").tap()
    assert touched.levels() == [1, 1]
    assert touched.classes() == touched.expected({})


def test_scrolling_past_a_dial_does_not_turn_it(touched):
    x, y = touched.at(0, 2)
    before = touched.tab.evaluate("scrollY")
    touched.slide((x, y), *((x, y + step) for step in np.linspace(10, 160, 8)))
    assert touched.tab.evaluate("scrollY") != before
    assert touched.levels() == [1, 1]
