"""A flow in a browser: selecting paths by mouse, touch and keys, other numbers of groups, alignment."""

import numpy as np
import pytest

from lucid_ext.board import format_value
from lucid_ext.widgets.payload import board_key, sheet
from tests.board.test_flow import flow_board
from tests.widgets.test_page import open_page  # noqa: F401  a fixture

FIRST, SECOND = 3, 7  # the numbers of the first nodes of the second and third columns


class FlowPage:
    """An open page with a flow, and what a reader can see of it."""

    def __init__(self, made, boards):
        self.made, self.tab, self.boards = made, made.tab, boards
        self.board = boards[0]

    def node(self, n):
        return self.tab.locator(".lx-node").nth(n)

    def selected(self):
        return self.made.state("selected").get("flow", [])

    def caption(self):
        return self.tab.locator(".lx-caption").inner_text()

    def lit(self):
        """The bands on selected paths, {(pair, from, to)}, of what the page draws."""
        found = self.tab.locator(".lx-lit").evaluate_all("gs => gs.map((g) => g.band.key)")
        return {tuple(map(int, key.split(","))) for key in found}

    def boxes(self):
        return self.tab.locator(".lx-node").evaluate_all(
            "ns => ns.map((n) => n.getBoundingClientRect()).map((b) => [b.x, b.y, b.width, b.height])"
        )

    def settle(self):
        self.tab.mouse.move(2, 2)
        self.tab.wait_for_timeout(260)


def open_flow(open_page, **options):  # noqa: F811
    boards = [
        flow_board((count, 4, 3, 2), seed, groups=str(count), aligned=aligned)
        for seed, (count, aligned) in enumerate([(3, "off"), (4, "off"), (3, "on"), (4, "on")])
    ]
    made = open_page(boards=boards, ready=".lx-node", **options)
    return FlowPage(made, boards)


@pytest.fixture
def opened(open_page):  # noqa: F811
    page = open_flow(open_page)
    yield page
    assert page.made.errors == []


def test_bands_are_as_wide_as_links_and_marked_with_their_sign(opened):
    flow = opened.board["flow"]
    bands = opened.tab.locator(".lx-band").evaluate_all(
        "gs => gs.map((g) => [g.band.pair, g.band.value, g.band.thickness, g.firstChild.dataset.sign,"
        " getComputedStyle(g.firstChild).fill, g.lastChild.textContent])"
    )
    assert len(bands) == sum((links != 0).sum() for links in flow.links)
    for pair, value, thickness, sign, fill, text in bands:
        widest = max(t for p, _, t, *_ in bands if p == pair)
        most = np.abs(flow.links[pair]).max()
        assert thickness / widest == pytest.approx(abs(value) / most, rel=1e-4)
        assert sign == ("for" if value > 0 else "against")
        assert ("stripes" in fill) == (value < 0)  # a texture, not a colour alone
        assert text == ("" if thickness < 11 else "+" if value > 0 else "\u2212")


def test_selected_nodes_light_the_paths_through_them(opened):
    assert opened.caption() == "Nothing is selected."
    opened.node(FIRST + 1).click()
    opened.settle()
    assert opened.selected() == [FIRST + 1]
    links = opened.board["flow"].links
    into = {(0, i, 1) for i in range(3)}
    onward = {(1, 1, j) for j in range(3) if links[1][1, j]}
    ends = {(2, j, k) for _, _, j in onward for k in range(2)}
    assert opened.lit() == into | onward | ends
    assert opened.caption() == opened.board.describe({"flow": [FIRST + 1]})
    opened.node(0).click()
    opened.settle()
    assert opened.selected() == [0, FIRST + 1]
    assert opened.lit() == {(0, 0, 1)} | onward | ends
    assert opened.caption() == opened.board.describe({"flow": [0, FIRST + 1]})
    assert "measured" in opened.caption()
    rows = opened.tab.locator(".lx-links tbody tr").all_inner_texts()
    measures = opened.board["flow"].measured
    value, measured = (format_value(float(a[0][0, 1]), "number") for a in (links, measures))
    sign = "+" if links[0][0, 1] > 0 else ""
    assert [cell.strip() for cell in next(r for r in rows if "c1:1" in r).split("\t")][:3] == [
        "c0:0",
        "c1:1",
        sign + value,
    ]
    assert any(measured in r for r in rows)
    opened.node(0).click()
    opened.node(FIRST + 1).click()
    opened.settle()
    assert opened.selected() == []
    assert opened.lit() == set()
    assert opened.caption() == "Nothing is selected."


def test_the_part_of_a_band_that_is_on_the_paths_is_lit(opened):
    opened.node(FIRST).click()
    opened.settle()
    second = opened.board["flow"].links[1]
    shares = dict(enumerate(second[0] / np.where(second.sum(0), second.sum(0), 1)))
    found = opened.tab.locator(".lx-lit").evaluate_all(
        "gs => gs.map((g) => [g.band.key, g.band.thickness, g.children[1].getAttribute('d')])"
    )
    for key, thickness, path in found:
        pair, source, _ = map(int, key.split(","))
        top, bottom = (float(path.replace("Z", "").split()[i]) for i in (1, -1))
        share = min(1, abs(shares[source])) if pair == 2 else 1
        assert bottom - top == pytest.approx(share * thickness, abs=0.02)


def test_a_node_under_the_pointer_shows_what_selecting_it_would(opened):
    opened.node(0).click()
    opened.node(FIRST).hover()
    assert opened.caption() == opened.board.describe({"flow": [0, FIRST]})
    assert opened.selected() == [0]
    opened.settle()
    assert opened.caption() == opened.board.describe({"flow": [0]})
    opened.tab.get_by_role("button", name="Clear selection").click()
    assert opened.selected() == []


def test_a_band_can_be_picked(opened):
    band = opened.tab.locator(".lx-band").nth(0)
    ends = band.evaluate("g => [g.band.from, g.band.to]")
    band.locator("path").first.dispatch_event("click")
    opened.settle()
    assert opened.selected() == ends
    assert len({key for key in opened.lit() if key[0] == 0}) == 1


def test_the_picture_shows_where_selected_nodes_are(opened):
    heat = opened.board.link("flow", "image")
    opened.node(1).click()
    opened.settle()
    shade = opened.tab.locator(".lx-heat").evaluate(
        "c => [...c.getContext('2d').getImageData(0, 0, 3, 2).data].filter((_, i) => i % 4 === 3)"
    )
    row = heat.weights[1]
    np.testing.assert_allclose(shade, 215 * (1 - row / row.max()), atol=1.5)
    ends = opened.board["flow"].places.sum()
    assert opened.node(int(ends)).locator(".lx-node-map").is_hidden()
    assert opened.node(0).locator(".lx-node-map").is_visible()


def test_drafts_are_marked_as_approximate(opened):
    assert [opened.node(n).locator(".lx-node-badge").inner_text() for n in range(2)] == ["\u2248", "\u2248"]
    assert opened.node(2).locator(".lx-node-frame").is_hidden()


def test_icons_take_the_place_of_drafts_as_they_arrive(opened):
    icons = np.full((2, 16, 16, 3), 200, np.uint8)
    index = [0, -1, 1, *[-1] * (len(opened.board["flow"]) - 3)]
    entry = {"board": board_key(opened.board), "sheet": sheet(icons), "icon_of": index}
    opened.tab.evaluate("entry => window.lucidExt.set('streamed', { flow: entry })", entry)
    opened.settle()
    assert [opened.node(n).locator(".lx-node-badge").inner_text() for n in range(3)] == ["", "\u2248", ""]
    red = "c => c.getContext('2d').getImageData(8, 8, 1, 1).data[0]"
    for n in (0, 2):
        assert opened.node(n).locator("canvas.lx-icon").evaluate(red) == pytest.approx(200, abs=4)


def test_keys_walk_toggle_and_clear(opened):
    opened.node(0).focus()
    press = opened.tab.keyboard.press
    press("ArrowDown")
    press("Enter")
    assert opened.selected() == [1]
    assert opened.node(1).get_attribute("aria-pressed") == "true"
    press("ArrowRight")
    press("Home")
    press("End")
    press("Space")
    assert opened.selected() == [1, SECOND - 1]
    press("ArrowUp")
    press(" ")
    assert opened.selected() == [1, SECOND - 2, SECOND - 1]
    assert opened.node(SECOND - 2).evaluate("n => n.getRootNode().activeElement === n")
    spoken = opened.tab.locator(".lx-spoken").inner_text()
    assert spoken == opened.board.describe({"flow": opened.selected()})
    assert opened.tab.locator('.lx-node[tabindex="0"]').count() == 1
    press("Escape")
    assert opened.selected() == []
    labels = opened.board["flow"].labels
    assert opened.node(0).get_attribute("aria-label") == labels[0]


def test_a_slider_and_the_switch_keep_the_selection_and_the_place(opened):
    height = opened.tab.locator(".lx-stage").bounding_box()
    opened.node(FIRST).click()
    opened.settle()
    slider = opened.tab.locator("input[type=range]").first
    slider.focus()
    opened.tab.keyboard.press("ArrowRight")
    opened.settle()
    opened.board = opened.boards[1]
    assert opened.tab.locator(".lx-node").count() == len(opened.board["flow"])
    assert opened.selected() == [FIRST + 1]  # it bears the same name
    assert opened.caption() == opened.board.describe({"flow": [FIRST + 1]})
    opened.tab.locator("select").select_option("on")
    opened.settle()
    opened.board = opened.boards[3]
    assert opened.caption() == opened.board.describe({"flow": [FIRST + 1]})
    assert opened.tab.locator(".lx-stage").bounding_box() == height  # nothing below has moved
    opened.tab.get_by_role("button", name="Clear selection").click()
    opened.settle()
    listed = opened.tab.locator(".lx-links tbody td:nth-child(3)").all_inner_texts()
    drawn = opened.tab.locator(".lx-band").evaluate_all(
        "gs => gs.map((g) => [g.band.thickness, g.band.value])"
    )
    widest = [format_value(value, "number") for _, value in sorted(drawn, reverse=True)[: len(listed)]]
    assert [text.lstrip("+") for text in listed] == widest


def test_a_new_layout_is_reached_step_by_step(opened):
    before = opened.boxes()
    first = opened.tab.evaluate(
        "() => { const s = document.querySelector('select'); s.value = 'on';"
        " s.dispatchEvent(new Event('change'));"
        " return [...document.querySelectorAll('.lx-node')].map((n) => n.getBoundingClientRect().y) }"
    )
    assert first == pytest.approx([y for _, y, *_ in before], abs=0.5)
    opened.settle()
    assert [y for _, y, *_ in opened.boxes()] != pytest.approx(first, abs=0.5)


def test_without_motion_it_is_there_at_once(open_page):  # noqa: F811
    page = open_flow(open_page, reduced_motion="reduce")
    page.tab.locator("select").select_option("on")
    first = page.boxes()
    page.settle()
    assert page.boxes() == first


def test_on_a_phone_it_scrolls_inside_and_takes_taps(open_page):  # noqa: F811
    page = open_flow(open_page, viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    assert page.tab.evaluate("document.documentElement.scrollWidth") <= 390
    scroll = page.tab.locator(".lx-flow-scroll")
    assert scroll.evaluate("e => e.scrollWidth > e.clientWidth")
    page.node(0).tap()
    page.node(FIRST).tap()
    assert page.selected() == [0, FIRST]
    assert page.caption() == page.board.describe({"flow": [0, FIRST]})
    page.node(len(page.board["flow"]) - 1).focus()  # what has the focus comes into view
    assert scroll.evaluate("e => e.scrollLeft") > 0
    assert page.made.errors == []
