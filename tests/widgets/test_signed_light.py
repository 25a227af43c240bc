"""Signed light in a browser: what a cell did to cells and classes, by sign, side and colour."""

import dataclasses

import numpy as np
import pytest

from lucid_ext.board import Board, Grid, Heat, Ranking, Units, format_value
from tests.widgets.test_page import open_page  # noqa: F401  a fixture
from tests.widgets.test_scene import Scene

FINE, COARSE, CLASSES = (8, 8), (4, 4), 6
START = 4  # a class that cell 20 speaks for


def board(method="one", seed=0) -> Board:
    """Two grids, each lit by the other with signs, and a list of classes that lights both."""
    rng = np.random.default_rng(seed)
    picture = np.full((96, 96, 3), 140, np.uint8)
    sizes = {"fine": FINE, "coarse": COARSE}
    panels, links = [], []
    weights = rng.normal(size=(64, 16)).astype(np.float32)
    for name, (rows, cols) in sizes.items():
        panels.append(Grid(name, name, picture, rows, cols, start=20 if name == "fine" else None))
        values = rng.normal(size=(rows * cols, CLASSES)).astype(np.float32)
        order = np.argsort(-np.abs(values), axis=1).astype(np.int32)
        links.append(Ranking(name, "classes", order, np.take_along_axis(values, order, 1)))
        links.append(Heat("classes", name, values.T.copy(), law="evidence"))
    links.append(Heat("fine", "coarse", weights, law="influence"))
    links.append(Heat("coarse", "fine", weights.T, scale=5.0, law="influence"))
    classes = Units("classes", "Classes", [f"c:{k}" for k in range(CLASSES)], scale=3.0, shown=4, most=6)
    captions = [
        "Where {classes} is.",
        *(f"{{{n}}} of {n}: {{classes.1}} ({{classes.1.value}})." for n in sizes),
    ]
    return Board("Light", "Look.", [*panels, classes], links, caption=captions, choice={"method": method})


@pytest.fixture
def opened(open_page):  # noqa: F811
    boards = [board(), board("two", 1)]
    made = open_page(boards=boards)
    scene = Scene(made)
    scene.boards = boards
    yield scene
    assert made.errors == []


def colours(scene, name, cell, cols):
    """Red, green, blue and opacity of a lit cell's frame and field, and where in its middle it is white."""
    return (
        scene.picture(name)
        .locator(".lx-heat")
        .evaluate(
            "(c, [x, y, cols]) => { const side = c.width / cols;"
            "const at = (i, j) => [...c.getContext('2d').getImageData("
            "Math.floor((x + i) * side), Math.floor((y + j) * side), 1, 1).data];"
            "const white = (i, j) => Math.min(...at(i, j).slice(0, 3)) > 200;"
            "return { frame: at(0.5, 0.06), field: at(0.2, 0.2),"
            "across: white(0.4, 0.5), up: white(0.5, 0.4) } }",
            [cell % cols, cell // cols, cols],
        )
    )


def check(scene, name, weights, scale, cols):
    for cell in np.argsort(-np.abs(weights))[:3]:
        found = colours(scene, name, int(cell), cols)
        share = min(1.0, abs(weights[cell]) / scale)
        assert found["field"][3] == pytest.approx(215 * (1 - share), abs=2)
        red, _, blue, _ = found["frame"]
        assert (blue > red) == (weights[cell] > 0)  # blue for, brown against
        assert found["across"]  # the bar of a plus and of a minus
        assert found["up"] == (weights[cell] > 0)


def test_a_cell_lights_the_other_grid_with_signs(opened):
    weights = opened.board.link("fine", "coarse").weights
    check(opened, "coarse", weights[20], np.abs(weights[20]).max(), 4)
    opened.tab.mouse.click(*opened.point("fine", 33))
    opened.tab.wait_for_timeout(60)
    check(opened, "coarse", weights[33], np.abs(weights[33]).max(), 4)
    law = opened.picture("coarse").locator(".lx-law").inner_text()
    assert law == f"influence, clear at ±{np.abs(weights[33]).max():.2f}"
    opened.tab.mouse.move(*opened.point("coarse", 5))  # what is under the pointer comes first
    check(opened, "fine", weights[:, 5], 5.0, 8)
    assert "±5.00" in opened.picture("fine").locator(".lx-law").inner_text()
    assert "lx-on" not in opened.picture("coarse").locator(".lx-heat").get_attribute("class")
    opened.tab.mouse.move(2, 2)
    check(opened, "coarse", weights[33], np.abs(weights[33]).max(), 4)


def test_classes_re_sort_and_light_both_grids(opened):
    opened.tab.mouse.click(*opened.point("coarse", 9))
    rows = opened.board.rows("classes", {"coarse": 9})
    assert opened.names() == [f"c:{unit}" for unit, _ in rows]
    shown = opened.tab.locator(".lx-row .lx-value").all_inner_texts()[: len(rows)]
    assert shown == [("+" if v > 0 else "") + format_value(v, "number") for _, v in rows]
    assert opened.tab.locator(".lx-caption").inner_text() == opened.board.describe({"coarse": 9})
    opened.tab.locator(".lx-row").nth(1).hover()
    for name, cols in (("fine", 8), ("coarse", 4)):
        weights = opened.board.link("classes", name).weights[rows[1][0]]
        check(opened, name, weights, np.abs(weights).max(), cols)
    assert opened.tab.locator(".lx-caption").inner_text() == f"Where c:{rows[1][0]} is."
    assert opened.names() == [f"c:{unit}" for unit, _ in rows]  # the list does not move under the pointer


def test_it_opens_with_the_start_unit_lit_and_each_unit_has_a_scale_of_its_own(open_page):  # noqa: F811
    """Clear at its own scale: stronger weights of a unit are no clearer, those of a weaker one not darker."""
    made = board()
    scales = np.linspace(0.5, 3, CLASSES).astype(np.float32)
    panels = [dataclasses.replace(p, start=START) if p.name == "classes" else p for p in made.panels]
    links = [
        dataclasses.replace(link, scale=scales)
        if isinstance(link, Heat) and link.source == "classes"
        else link
        for link in made.links
    ]
    page = open_page(boards=[dataclasses.replace(made, panels=panels, links=links)])
    opened = Scene(page)
    assert opened.state("selected") == {"fine": 20, "classes": START}
    rows = [unit for unit, _ in made.rows("classes", {"fine": 20})]
    assert opened.names() == [f"c:{unit}" for unit in rows]
    chosen = opened.tab.locator(".lx-row[aria-selected=true] .lx-name")
    assert chosen.all_inner_texts() == [f"c:{START}"]
    assert opened.tab.locator(".lx-caption").inner_text() == f"Where c:{START} is."

    def lit(unit):
        for name, cols in (("fine", 8), ("coarse", 4)):
            check(opened, name, opened.board.link("classes", name).weights[unit], scales[unit], cols)
            law = opened.picture(name).locator(".lx-law").inner_text()
            assert law == f"evidence, clear at \u00b1{format_value(float(scales[unit]), 'number')}"

    lit(START)
    for row, unit in enumerate(rows):
        opened.tab.locator(".lx-row").nth(row).hover()
        lit(unit)
    opened.tab.mouse.move(2, 2)
    lit(START)
    assert page.errors == []


def test_what_was_picked_last_decides(opened):
    opened.tab.locator(".lx-row").nth(0).click()
    unit = opened.state("selected")["classes"]
    light = opened.board.link("classes", "coarse").weights[unit]
    opened.tab.mouse.move(2, 2)
    check(opened, "coarse", light, np.abs(light).max(), 4)
    opened.picture("fine").locator(".lx-handle").focus()
    opened.tab.keyboard.press("ArrowRight")
    weights = opened.board.link("fine", "coarse").weights[21]
    check(opened, "coarse", weights, np.abs(weights).max(), 4)


def test_another_method_is_reached_in_place(opened):
    opened.tab.locator("select").select_option("two")
    opened.tab.wait_for_timeout(500)
    opened.board = opened.boards[1]
    assert opened.state("selected") == {"fine": 20}
    weights = opened.board.link("fine", "coarse").weights[20]
    check(opened, "coarse", weights, np.abs(weights).max(), 4)


def test_weights_that_links_share_travel_once():
    from lucid_ext.widgets.payload import payload

    made = board()
    heat = made.link("fine", "coarse")
    again = dataclasses.replace(heat, law="the same")
    links = payload([dataclasses.replace(made, links=[*made.links, again])], controls=False)["boards"][0][
        "links"
    ]
    first = made.links.index(heat)
    assert links[-1]["weights"] == {"as": first}
    assert links[first + 1]["weights"] == {"as": first, "turned": True}  # from the other side
    assert [link["signed"] for link in links if link["kind"] == "heat"] == [True] * 5
