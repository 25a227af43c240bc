"""Cards of concepts: the board says what the arrays say, and a page shows it."""

import dataclasses

import numpy as np
import pytest

import lucid_ext as lx
from lucid_ext.board import Board, format_value
from tests.class_concepts.test_concepts import crops


@pytest.fixture(scope="module")
def shown(model, tmp_path_factory):
    store = lx.IconStore(tmp_path_factory.mktemp("store"))
    return lx.concepts(model, crops("cat"), n_groups=4, other=crops("coffee"), store=store, progress=False)


def test_cards_say_what_was_found(shown):
    found, cards = shown.found, shown.board["concepts"]
    facts = [fact.values for fact in cards.facts]
    np.testing.assert_allclose(facts[0], found.ablation[..., found.target].mean(0))
    np.testing.assert_allclose(facts[1], found.attribution.mean(0))
    np.testing.assert_allclose(facts[2], found.stability.mean)
    np.testing.assert_allclose(facts[3], found.occurs.mean(0))
    np.testing.assert_allclose(facts[4], found.shared.occurs.mean(0))
    np.testing.assert_allclose(facts[5], found.shared.cosine)
    assert [mark.split(" ", 1)[1] for mark in cards.marks] == list(found.shared.words)
    assert [doubt == "unstable" for doubt in cards.doubts] == found.stability.unstable.tolist()
    assert all(label.startswith(f"{j + 1}") for j, label in enumerate(cards.labels))


def test_patches_are_where_a_concept_is_strongest_one_of_each_picture(shown):
    spatial = shown.found.groups.spatial
    for j in range(4):
        strongest = np.sort(spatial[..., j].max((1, 2)))[::-1]
        rows = shown.board.rows("patches", {"concepts": j})
        np.testing.assert_allclose([value for _, value in rows], strongest[: len(rows)], rtol=1e-6)
        names = [shown.board["patches"].label(atom) for atom, _ in rows]
        assert len(set(names)) == len(names) == 6


def test_cells_of_the_example_pictures_are_shares_of_full_strength(shown):
    board, found = shown.board, shown.found
    for grid, spatial in (("own", found.groups.spatial), ("other", found.shared.spatial)):
        weights = board.link("concepts", grid).weights
        assert weights.shape == (4, 42 * 42)
        first = weights.reshape(4, 42, 42)[:, :14, :14]
        picture = spatial[spatial[..., 0].max((1, 2)).argmax()]
        np.testing.assert_allclose(
            first, np.minimum(picture.transpose(2, 0, 1) / found.full[:, None, None], 1), atol=1e-5
        )
        (atom, value), *_ = board.rows(f"at_{grid}", {grid: 50})
        assert (atom, value) == (weights[:, 50].argmax(), weights[:, 50].max())


def test_classes_are_those_whose_logits_change_most(shown):
    worth = shown.found.ablation.mean(0)
    for j in range(4):
        rows = shown.board.rows("classes", {"concepts": j})
        assert [atom for atom, _ in rows] == np.argsort(-np.abs(worth[j]), kind="stable")[:6].tolist()
        assert f"Concept {shown.names[j]} is strongest in" in shown.board.describe({"concepts": j})


def test_a_board_of_cards_is_saved_and_read(shown, tmp_path):
    shown.board.save(tmp_path / "board.npz")
    read = Board.load(tmp_path / "board.npz")["concepts"]
    own = shown.board["concepts"]
    assert list(read.labels) == list(own.labels)
    assert list(read.doubts) == list(own.doubts)
    np.testing.assert_array_equal(read.facts[0].values, own.facts[0].values)


def test_cards_that_make_no_sense_are_refused(shown):
    cards = shown.board["concepts"]
    for wrong, sentence in (
        ({"values": None}, "they need values"),
        ({"marks": ["one"]}, "have 1 marks for 4 units"),
        ({"loud": np.zeros(2, bool)}, r"loud of cards 'concepts' has shape \(2,\)"),
        ({"start": 4}, "panel 'concepts' starts at unit 4 of 4"),
    ):
        with pytest.raises(ValueError, match=sentence):
            dataclasses.replace(cards, **wrong)
    with pytest.raises(ValueError, match="which is no panel"):
        Board("t", "r", [dataclasses.replace(cards, strip="nowhere")])


def test_the_page_in_a_browser(shown, chromium, tmp_path):
    path = shown.to_html(tmp_path / "page.html")
    assert path.stat().st_size < 6e6
    context = chromium.new_context(viewport={"width": 1100, "height": 900})
    context.set_offline(True)
    tab = context.new_page()
    requests, errors = [], []
    tab.on("request", lambda r: requests.append(r.url))
    tab.on("pageerror", lambda e: errors.append(str(e)))
    tab.goto(path.as_uri())
    cards = tab.locator(".lx-card")
    assert cards.count() == 4
    board = shown.board

    def state(name):
        tab.wait_for_timeout(80)
        return tab.evaluate(f"window.lucidExt.get('{name}')")

    def listed(title):
        panel = tab.locator(f".lx-panel:not(.lx-cards):has(h3:has-text('{title}'))")
        return list(
            zip(
                panel.locator(".lx-name").all_inner_texts(),
                panel.locator(".lx-value").all_inner_texts(),
                strict=True,
            )
        )

    def expected(name, j):
        rows = board.rows(name, {"concepts": j})
        return [(board[name].label(a), format_value(v, "number")) for a, v in rows]

    assert state("selected")["concepts"] == 0
    assert listed("Where it is strongest") == expected("patches", 0)
    for j in range(4):
        card, fact = cards.nth(j), board["concepts"].facts
        assert card.locator(".lx-name").inner_text() == shown.names[j]
        assert card.locator(".lx-mark").inner_text() == board["concepts"].marks[j]
        name, mark = (card.locator(part).bounding_box() for part in (".lx-name", ".lx-mark"))
        assert name["x"] + name["width"] <= mark["x"]
        assert card.locator(".lx-badge").is_visible() == bool(board["concepts"].doubts[j])
        assert card.locator(".lx-value").nth(3).inner_text() == format_value(
            float(fact[3].values[j]), "percent"
        )
    cards.nth(2).click()
    assert state("selected")["concepts"] == 2
    assert listed("Where it is strongest") == expected("patches", 2)
    assert tab.locator(".lx-heat.lx-on").count() == 2
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("Enter")
    assert state("selected")["concepts"] == 3
    assert board.describe({"concepts": 3}) == tab.locator(".lx-caption").inner_text()
    assert "found again" in cards.nth(3).get_attribute("aria-label")
    drawn = "c => new Set(c.getContext('2d').getImageData(0, 0, c.width, c.height).data).size"
    for canvas in cards.nth(0).locator("canvas").all():
        assert canvas.evaluate(drawn) > 8
    tab.set_viewport_size({"width": 360, "height": 800})
    tab.wait_for_timeout(100)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360
    assert errors == []
    assert all(url.startswith(("file:", "data:")) for url in requests)
    context.close()


@pytest.fixture(scope="module")
def two(model, tmp_path_factory):
    """Concepts of two classes, not equally many, and their pair."""
    store = lx.IconStore(tmp_path_factory.mktemp("store"))
    made = [
        lx.concepts(model, crops(name), n_groups=count, store=store, progress=False)
        for name, count in (("cat", 3), ("coffee", 2))
    ]
    return *made, made[0].pair(made[1], ("cat", "coffee"))


def test_a_pair_keeps_the_pictures_of_each_apart(two):
    *alone, pair = two
    board = pair.board
    for side, one in zip(("a_", "b_"), alone, strict=True):
        assert board[f"{side}concepts"].strip == f"{side}patches"
        for j in range(len(one.names)):
            own = one.board.rows("patches", {"concepts": j})
            # Whatever is picked on the other side.
            picked = {"a_concepts": 1, "b_concepts": 1, f"{side}concepts": j}
            assert board.rows(f"{side}patches", picked) == own
            assert board.rows(f"{side}classes", picked) == one.board.rows("classes", {"concepts": j})
            assert f"Concept {one.names[j]} is strongest in" in board.describe(picked)
    # There is nothing to subtract where each list speaks of concepts of its own.
    assert not [p.name for p in board.panels if p.name.startswith("d_") and p.name != "d_own"]


def test_the_page_of_a_pair_in_a_browser(two, chromium, tmp_path):
    *alone, pair = two
    context = chromium.new_context(viewport={"width": 1100, "height": 900})
    tab = context.new_page()
    errors = []
    tab.on("pageerror", lambda e: errors.append(str(e)))
    tab.goto(pair.to_html(tmp_path / "page.html").as_uri())
    tab.wait_for_selector(".lx-card")
    tab.wait_for_timeout(300)
    panels = tab.locator(".lx-cards")
    pixels = "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.join()"

    def strips(side):
        return [canvas.evaluate(pixels) for canvas in panels.nth(side).locator("canvas").all()]

    def listed(side):
        title = f"Where it is strongest, {pair.names[side]}"
        return tab.locator(f".lx-panel:has(h3:has-text('{title}')) .lx-value").all_inner_texts()

    def expected(side, j):
        rows = alone[side].board.rows("patches", {"concepts": j})
        return [format_value(value, "number") for _, value in rows]

    before = [strips(side) for side in (0, 1)]
    assert not set(before[0]) & set(before[1])  # no picture is on a card of both
    assert [listed(side) for side in (0, 1)] == [expected(side, 0) for side in (0, 1)]
    panels.nth(1).locator(".lx-card").nth(1).click()
    tab.wait_for_timeout(80)
    selected = tab.evaluate("window.lucidExt.get('selected')")
    assert (selected["a_concepts"], selected["b_concepts"]) == (0, 1)
    assert [listed(0), listed(1)] == [expected(0, 0), expected(1, 1)]
    assert [strips(side) for side in (0, 1)] == before
    assert tab.locator(".lx-caption").inner_text() == pair.board.describe(selected)
    assert errors == []
    context.close()
