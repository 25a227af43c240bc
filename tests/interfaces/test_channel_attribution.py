"""Channel attribution: against `attribute`, a slow loop and the article's tables; its page in a browser."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

import lucid_ext as lx
from lucid_ext.board import format_value
from lucid_ext.interfaces.parts.channel_evidence import SIDE, ends, listed, truth
from tests.conftest import ROOT
from tests.models import networks
from tests.widgets.test_page import open_page  # noqa: F401  a fixture

LAYERS = ["mixed4d", "mixed5a", "mixed5b"]


@pytest.fixture(scope="module")
def made(model):
    methods = ["gradient", "ablation"]
    return lx.ChannelAttribution(model, "cat_coffee", LAYERS, methods=methods, channels=12)


def numbers(board, layer):
    """The channels a column lists."""
    return [int(label.partition(":")[2]) for label in board[layer].labels]


def test_evidence_is_that_of_each_class_and_their_difference(model, cat, made):
    board = made.board
    names = [label for label, _ in model.predict(cat, top=2)]
    assert board["classes"].labels == [f"{names[0]} \u2212 {names[1]}", *names]
    for layer in LAYERS:
        values = lx.attribute(model, cat, layer, names, atoms="channels").values
        measured = lx.attribute(model, cat, layer, names, "ablation", atoms="channels").values
        for unit, channel in enumerate(numbers(board, layer)):
            a, b = values[channel]
            rows = board.rows("classes", {layer: unit})
            assert [u for u, _ in rows] == [0, 1, 2]
            np.testing.assert_allclose([v for _, v in rows], [a - b, a, b], atol=1e-4)
            c, d = measured[channel]
            both = [value for _, value in board.rows("effect", {layer: unit})]
            np.testing.assert_allclose(both, [a - b, c - d, a, c, b, d], atol=1e-4)


def test_a_column_holds_the_strongest_of_its_whole_layer(model, cat, made):
    names = made.board["classes"].labels[1:]
    for layer in LAYERS:
        a, b = lx.attribute(model, cat, layer, names, atoms="channels").values.T
        order = np.argsort(-(a - b), kind="stable")
        shown = [numbers(made.board, layer)[unit] for unit, _ in made.board.rows(layer, {})]
        assert shown == [*order[:SIDE], *order[-SIDE:]]
        alone = [numbers(made.board, layer)[unit] for unit, _ in made.board.rows(layer, {"classes": 1})]
        assert alone == sorted(alone, key=lambda c: -a[c])  # among those that are listed


def test_between_channels_as_a_slow_loop_finds_it(model, cat, made):
    import tensorflow as tf

    run = model.function("mixed4d", ["mixed5a"])
    acts = tf.constant(model.activations(cat, "mixed4d")[None])
    below, above = (numbers(made.board, layer) for layer in ("mixed4d", "mixed5a"))
    slow = np.zeros((len(below), len(above)))
    for j, channel in enumerate(above):
        with tf.GradientTape() as tape:
            tape.watch(acts)
            score = tf.reduce_sum(run(acts)[0][..., channel])
        slow[:, j] = tf.reduce_sum(acts * tape.gradient(score, acts), (0, 1, 2)).numpy()[below]
    tolerance = 1e-4 * np.abs(slow).max()
    for j in range(len(above)):
        rows = made.board.rows("mixed4d", {"mixed5a": j})
        np.testing.assert_allclose([v for _, v in rows], [slow[i, j] for i, _ in rows], atol=tolerance)
        order = np.argsort(-slow[:, j])
        np.testing.assert_allclose([v for _, v in rows][:SIDE], slow[order[:SIDE], j], atol=tolerance)
        np.testing.assert_allclose([v for _, v in rows][-SIDE:], slow[order[-SIDE:], j], atol=tolerance)
    for i in range(len(below)):
        rows = made.board.rows("mixed5a", {"mixed4d": i})
        np.testing.assert_allclose([v for _, v in rows], [slow[i, j] for j, _ in rows], atol=tolerance)


def test_light_is_the_evidence_place_by_place(model, cat, made):
    import tensorflow as tf

    a, b = (model.labels.index(name) for name in made.board["classes"].labels[1:])
    for layer, reach in (("mixed4d", 1), ("mixed5a", 2)):
        run = model.function(layer, [model.logits])
        acts = tf.constant(model.activations(cat, layer)[None])
        with tf.GradientTape() as tape:
            tape.watch(acts)
            logits = run(acts)[0][0]
            score = logits[a] - logits[b]
        where = (acts * tape.gradient(score, acts))[0].numpy()[..., numbers(made.board, layer)]
        link = made.board.link(layer, "image")
        expected = where.repeat(reach, 0).repeat(reach, 1).reshape(14 * 14, -1).T
        np.testing.assert_allclose(link.weights, expected, atol=1e-5)
        assert (link.weights < 0).any()  # signs are kept
        evidence = [made.board.rows("classes", {layer: i})[0][1] for i in range(12)]
        np.testing.assert_allclose(link.weights.sum(1) / reach**2, evidence, atol=1e-4)


def test_how_far_to_believe_it_is_said_of_every_question(model, cat, made):
    names = tuple(made.board["classes"].labels[1:])
    trust = lx.attribute(model, cat, "mixed5a", names, atoms="channels").trust()
    note = made.board.link("classes", "mixed5a").notes[0]
    assert f"rank correlation {float(trust.spearman):.2f}, signs {float(trust.signs):.0%}" in note
    above = numbers(made.board, "mixed5a")
    found = lx.attribute(model, cat, "mixed4d", ("mixed5a", above[3]), atoms="channels")
    below = numbers(made.board, "mixed4d")
    alike = lx.attribution.agree(found.values[below], found.trust().measured[below])
    note = made.board.link("mixed5a", "mixed4d").notes[3]
    assert f"rank correlation {float(alike.spearman):.2f}, signs {float(alike.signs):.0%}" in note
    assert truth(np.zeros((4, 1)), np.zeros((4, 1))) == ["Nothing here adds anything, or all the same."]


def test_another_method_lists_the_same_channels(made):
    before = made.board
    made.choose(method="ablation")
    after = made.board
    made.choose(method="gradient")
    assert [p.labels for p in after.panels[1:] if p.name != "effect"] == [
        p.labels for p in before.panels[1:] if p.name != "effect"
    ]
    both = [value for _, value in after.rows("effect", {"mixed5a": 3})]
    assert both[0] == both[1]
    light = after.link("mixed5a", "image")
    assert light.law == "its activation"
    assert light.weights.min() >= 0
    assert [c["method"] for c in made.page_choices()] == ["gradient", "ablation"]


def test_a_method_is_asked_once_it_is_chosen_and_has_its_own_strongest(model, cat):
    asked = []

    @lx.attribution.method("backwards")
    def backwards(problem):
        asked.append(problem.source)
        return -problem.linear()[..., ::-1, :] if problem.targets.layer == model.logits else problem.linear()

    try:
        made = lx.ChannelAttribution(
            model, cat, ["mixed5a", "mixed5b"], methods=["gradient", "ablation", "backwards"], channels=8
        )
        first = made.board
        assert not asked
        made.choose(method="backwards")
        assert asked
        names = first["classes"].labels[1:]
        for layer in ("mixed5a", "mixed5b"):
            a, b = lx.attribute(model, cat, layer, names, "backwards", atoms="channels").values.T
            order = np.argsort(-(a - b), kind="stable")
            shown = [numbers(made.board, layer)[unit] for unit, _ in made.board.rows(layer, {})]
            assert shown == [*order[:SIDE], *order[-SIDE:]]
            assert set(numbers(first, layer)) <= set(numbers(made.board, layer))  # a question stays one
    finally:
        lx.attribution.METHODS.pop("backwards")


def test_a_question_about_a_channel_has_its_gap_where_the_method_has_one(model, cat, made):
    channel = numbers(made.board, "mixed5a")[3]
    found = lx.attribute(model, cat, "mixed4d", ("mixed5a", channel), atoms="channels")
    order = np.argsort(-found.values)
    there = {*order[:SIDE], *order[-SIDE:]} & set(numbers(made.board, "mixed4d"))
    said = f" Gap {float(found.gap):.0%}. Of its 8 strongest in all of mixed4d, {len(there)} are listed."
    assert made.board.link("mixed5a", "mixed4d").notes[3].endswith(said)
    for word in ("Gap", "strongest"):  # what it leads to is no sum
        assert word not in made.board.link("mixed4d", "mixed5a").notes[3]
    other = made.board_of({**made.choice, "method": "ablation"})
    assert "Gap" not in other.link("mixed5a", "mixed4d").notes[3]


def test_the_caption_is_written_from_the_numbers(made):
    said = made.board.describe({"mixed5a": 3})
    values = [format_value(v, "number") for _, v in made.board.rows("effect", {"mixed5a": 3})]
    assert said.startswith(f"{made.board['mixed5a'].labels[3]} adds {values[0]} to ")
    for layer in ("mixed4d", "mixed5b"):
        (unit, value), *_ = made.board.rows(layer, {"mixed5a": 3})
        assert f"{made.board[layer].labels[unit]}" in said
        assert f"({format_value(value, 'number')})" in said


def test_listed_are_the_strongest_of_every_method():
    one, two = np.zeros(40), np.zeros(40)
    one[:20], two[-8:] = np.arange(20, 0, -1), [-4, -3, -2, -1, 1, 2, 3, 4]
    found = listed({"one": one[None], "two": two[None]}, 22)
    assert set(found) >= {0, 1, 2, 3, *range(32, 40)}
    assert len(found) == 22
    assert found == sorted(found)
    assert set(range(9)) <= set(found)  # the rest by the first method
    both = listed({"one": np.stack([one, one[::-1]])}, 12)  # of two pictures, those of either
    assert set(both) >= {0, 1, 2, 3, 36, 37, 38, 39}
    assert len(both) == 12
    atoms, values = ends(np.float32([[3, -1, 2], [0, 5, -2]]))
    assert atoms.tolist() == [[0, 2, 1], [1, 0, 2]]
    assert values.tolist() == [[3, 2, -1], [5, 0, -2]]


@pytest.fixture(scope="module")
def own():
    return lx.load_model(networks.randomized(networks.functional()), labels=list("abcde"), preprocess=(0, 1))


def test_a_network_of_ones_own(own, store):
    layers = [n for n, s in own.layers.items() if n != own.logits][-3:]
    methods = ["gradient", "ablation"]
    made = lx.ChannelAttribution(
        own, "cat_coffee", layers, classes=("a", 3), methods=methods, channels=6, store=store
    )
    board = made.board
    assert board["classes"].labels == ["a \u2212 d", "a", "d"]
    logits = own.activations(made.image, own.logits)
    assert board.rows("classes", {})[0][1] == pytest.approx(float(logits[0] - logits[3]), abs=1e-5)
    for layer in layers:
        assert len(board.rows(layer, {})) == min(2 * SIDE, len(board[layer]))
    made.choose(first="b")
    assert made.board["classes"].labels[0] == "b \u2212 d"
    with pytest.raises(ValueError, match="d cannot be compared with itself: give two classes"):
        made.choose(first="d")
    assert made.board["classes"].labels[0] == "b \u2212 d"  # nothing is lost


def test_bad_input_is_refused(model):
    for options, said in (
        ({"layers": ["mixed5a", "mixed4d"]}, "mixed5a comes after mixed4d: attribution goes from an earlier"),
        ({"layers": ["mixed4a_1x1", "mixed4a_5x5"]}, "mixed4a_1x1 and mixed4a_5x5 do not lie on one path"),
        ({"layers": ["mixed4f"]}, "no layer 'mixed4f'; did you mean"),
        ({"method": "guess"}, "there is no method 'guess'; expected one of gradient"),
        ({"classes": ("espresso", "expresso")}, "no class 'expresso'; did you mean espresso"),
        ({"classes": ("espresso", "espresso")}, "espresso cannot be compared with itself"),
        ({"classes": ("espresso",)}, "there are 1 classes to compare; expected two"),
    ):
        with pytest.raises(ValueError, match=said):
            lx.ChannelAttribution(model, "cat_coffee", **options)


# Two of them.


@pytest.fixture(scope="module")
def paired(model, made):
    first, second = (
        lx.ChannelAttribution(model, image, LAYERS, methods=made.options["method"], channels=12)
        for image in ("cat", "coffee")
    )
    return first, second, first.pair(second, ("cat", "coffee"))


def test_a_pair_lists_what_is_strong_in_either_picture(paired):
    first, second, pair = paired
    board, other = pair.board, second.board_of(pair.choice)
    assert first.board["classes"].labels != second.board["classes"].labels
    assert board["a_classes"].labels == board["b_classes"].labels == first.board["classes"].labels
    for layer in LAYERS:
        assert board[f"a_{layer}"].labels == board[f"b_{layer}"].labels
        for own in (first.board, other):
            strongest = {own[layer].labels[unit] for unit, _ in own.rows(layer, {"classes": 0})}
            assert strongest <= set(board[f"a_{layer}"].labels)
    assert len(first.board["mixed5b"].labels) < len(board["a_mixed5b"].labels)  # it goes on as it was
    # What a channel does is the same whether or not it is listed beside others.
    label = first.board["mixed5b"].labels[0]
    unit = board["a_mixed5b"].labels.index(label)
    assert board.rows("a_effect", {"a_mixed5b": unit}) == first.board.rows("effect", {"mixed5b": 0})


def test_both_pictures_of_a_pair_answer_one_question(paired):
    *_, pair = paired
    board = pair.board
    sides = [interface.board_of(pair.choice) for interface in (pair.a, pair.others[""])]
    for layer in LAYERS:
        unit = sides[0].rows(layer, {})[1][0]
        for asked in ("a_", "b_"):
            question = {f"{asked}{layer}": unit}
            for side, own in zip(("a_", "b_"), sides, strict=True):
                for target in {*LAYERS, "classes", "effect"} - {layer}:
                    assert board.rows(f"{side}{target}", question) == own.rows(target, {layer: unit})
            said = [own.describe({layer: unit}) for own in sides]
            assert board.describe(question) == f"cat: {said[0]} coffee: {said[1]}"
            light = {side: board.link(f"{asked}{layer}", f"{side}_image").weights for side in "abd"}
            for side, own in zip("ab", sides, strict=True):
                assert np.array_equal(light[side], own.link(layer, "image").weights)
            assert np.array_equal(light["d"], light["a"] - light["b"])
    pair.choose(method="ablation")
    assert [choice["method"] for choice in pair.page_choices()] == ["ablation", "gradient"]
    assert {choice["first"] for choice in pair.page_choices()} == {pair.choice["first"]}


# The article's own tables, made with InceptionV1.


@pytest.fixture(params=["pig", "beer"])
def folder(request):
    reference = Path(os.environ.get("LUCID_EXT_REFERENCE", ROOT.parent / "shared" / "reference"))
    if not (reference / request.param).is_dir():
        pytest.skip(f"needs the article's published data, which is not part of the project: no {reference}")
    return reference / request.param


def test_the_teasers_channels(folder, monkeypatch):
    """Three most for a class and three most for another, by the difference of what they add to each."""
    published = json.loads((folder / "teaser.json").read_text())
    classes, channels = published["classes"], published["channels"]
    values = np.full((len(classes), len(channels)), np.nan)
    pairs = {key: rows for key, rows in published.items() if "-" in key}
    for key, rows in pairs.items():
        for row in rows[:3] + rows[-3:]:
            for name, number in zip(("nv0", "nv1"), key.split("-"), strict=True):
                at = classes.index(int(number)), channels.index(row["c"])
                assert np.isnan(values[at]) or values[at] == row[name]  # evidence for a class has no rival
                values[at] = row[name]
    monkeypatch.setattr("lucid_ext.interfaces.parts.channel_evidence.SIDE", 3)
    for key, rows in pairs.items():
        a, b = (values[classes.index(int(number))] for number in key.split("-"))
        known = np.flatnonzero(~np.isnan(a - b))
        order, _ = ends((a - b)[None, known])
        assert [channels[known[i]] for i in order[0]] == [row["c"] for row in rows[:3] + rows[-3:]]
    # Place by place it was made with smoothed max-pooling, so that only the order can be alike.
    summed = np.load(folder / "teaser.npy").sum((1, 2))
    there = ~np.isnan(values)
    assert spearmanr(summed[there], values[there]).statistic > 0.7


def test_one_table_answers_both_questions(folder):
    """What a channel is made from and what it leads to: the same numbers, ranked by rows and by columns."""
    published = json.loads((folder / "channel_attr.json").read_text())
    layers = sorted(set(published) - {"output"})
    for low, high in ((a, b) for a in layers for b in layers if a < b):
        table = np.zeros((600, 600))
        for one, other, way in ((low, high, 1), (high, low, -1)):
            for channel, lists in published[one].items():
                for row in lists[other][:3]:
                    at = (int(channel), row["c"])[::way]
                    assert table[at] in (0, row["v"])
                    table[at] = row["v"]
        for one, other, seen in ((low, high, table), (high, low, table.T)):
            order, values = ends(seen)
            for channel, lists in published[one].items():
                theirs = lists[other][:3]
                assert values[int(channel), :3].tolist() == [row["v"] for row in theirs]
                if len({row["v"] for row in theirs}) == 3:
                    assert order[int(channel), :3].tolist() == [row["c"] for row in theirs]


# The page.


def test_the_page_in_a_browser(made, open_page, tmp_path):  # noqa: F811
    path = made.to_html(tmp_path / "page.html")
    assert path.stat().st_size < 6_000_000
    page = open_page(html=path.read_text(encoding="utf-8"))
    tab, board = page.tab, made.board
    columns = tab.locator(".lx-columns .lx-units")
    assert columns.locator("h3 span:first-child").all_inner_texts() == [*LAYERS, "classes"]
    first = columns.first.locator(".lx-name").first
    assert first.inner_html() == first.inner_text().replace(":", ":<wbr>")  # a number is not broken in two

    def shown(layer):
        return columns.nth(LAYERS.index(layer)).locator(".lx-name").all_inner_texts()

    def expected(layer, selected):
        return [board[layer].labels[unit] for unit, _ in board.rows(layer, selected)]

    # It opens with a question: the difference of the classes, picked and answered by every column.
    assert page.state("selected") == {"classes": 0}
    assert tab.locator(".lx-path [aria-current]").inner_text() == board["classes"].labels[0]
    asked = columns.nth(len(LAYERS)).locator("[aria-selected=true] .lx-name")
    assert asked.all_inner_texts() == board["classes"].labels[:1]
    for i, layer in enumerate(LAYERS):
        assert shown(layer) == expected(layer, {})
        assert columns.nth(i).locator(".lx-values").inner_text() == f"added to {board['classes'].labels[0]}"
        assert columns.nth(i).locator(".lx-note").inner_text() == board.link("classes", layer).notes[0]
    assert tab.locator(".lx-caption").inner_text() == board.describe({"classes": 0})
    columns.nth(1).locator(".lx-row").nth(2).hover()
    unit = board.rows("mixed5a", {})[2][0]
    clear = np.abs(board.link("mixed5a", "image").weights[unit]).max()
    assert tab.locator(".lx-law").inner_text().endswith(f"clear at \u00b1{clear:.2f}")
    columns.nth(1).locator(".lx-row").nth(2).click()
    for layer in LAYERS:
        assert shown(layer) == expected(layer, {"mixed5a": unit})
    columns.nth(0).locator(".lx-row").nth(0).click()
    path = {"mixed5a": unit, "mixed4d": board.rows("mixed4d", {"mixed5a": unit})[0][0]}
    for layer in LAYERS:
        assert shown(layer) == expected(layer, path)
    tab.locator("select").focus()
    tab.locator("select").select_option("ablation")
    other = made.board_of({**made.choice, "method": "ablation"})
    assert shown("mixed5b") == [other["mixed5b"].labels[u] for u, _ in other.rows("mixed5b", path)]
    tab.keyboard.press("Backspace")
    assert tab.locator(".lx-path [aria-current]").inner_text() == board["mixed5a"].labels[unit]
    tab.locator(".lx-path button").first.click()
    assert page.state("selected") == {"classes": 0}
    assert page.errors == []
    assert all(url.startswith(("file:", "data:")) for url in page.requests)
