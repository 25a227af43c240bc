"""Neuron groups: their numbers against slow ones, names, dials, and the view in a browser."""

import json

import numpy as np
import pytest
from PIL import Image

import lucid_ext as lx
from lucid_ext.board import Heat, format_value
from lucid_ext.interfaces.parts.group_map import COLOURS, blended, marks
from lucid_ext.widgets import board_key
from tests.widgets.test_page import open_page  # noqa: F401  a fixture

LAYER = "mixed5a"  # a coarse one: fast


@pytest.fixture(scope="module")
def made(model):
    return lx.NeuronGroups(model, "cat_coffee", LAYER, 3, counts=(2, 3, 4))


@pytest.fixture(scope="module")
def acts(model, cat):
    return model.activations(cat, LAYER)


def test_effects_are_those_of_a_slow_loop(model, made, acts):
    """<d logit / dA, W_i H_i> by a gradient tape, with scikit-learn's own W and H."""
    import tensorflow as tf
    from sklearn.decomposition import NMF

    nmf = NMF(3, init="nndsvd", random_state=0, max_iter=1000)
    W, H = nmf.fit_transform(acts.reshape(-1, acts.shape[-1])), nmf.components_
    order = made.groups.order
    run = model.function(LAYER, [model.logits])
    for column, k in enumerate(made.classes[:3]):
        with tf.GradientTape() as tape:
            a = tf.constant(acts[None])
            tape.watch(a)
            logit = run(a)[0][0, k]
        gradient = tape.gradient(logit, a)[0].numpy().reshape(W.shape[0], -1)
        slow = [np.sum(gradient * np.outer(W[:, i], H[i])) for i in order]
        np.testing.assert_allclose(made.effects[:, column], slow, rtol=2e-3, atol=2e-3)
        rows = dict(made.board.rows("classes", {"groups": 1}, 50))
        if k in rows:
            assert rows[k] == pytest.approx(slow[1], abs=1e-2)


def test_measured_is_what_a_logit_loses(model, made, acts):
    run = model.function(LAYER, [model.logits])
    whole = run(acts[None])[0].numpy()[0]
    for i in range(3):
        part = made.groups.spatial[..., i : i + 1] * made.groups.channels[i]
        without = run((acts - part)[None])[0].numpy()[0]
        np.testing.assert_allclose(made.measured[i], whole - without, atol=1e-3)
        atom, value = made.board.rows("measured", {"groups": i})[0]
        assert atom == np.abs(whole - without).argmax()
        assert value == pytest.approx((whole - without)[atom], abs=1e-3)


def test_a_cell_is_its_mixture_and_a_group_its_map(made, acts):
    groups = made.groups
    for cell in (0, 24):
        row, col = divmod(cell, 7)
        found = made.board.rows("mixture", {"image": cell})
        assert dict(found) == pytest.approx(dict(enumerate(groups.spatial[row, col])), abs=1e-6)
        assert [v for _, v in found] == sorted((v for _, v in found), reverse=True)
    light = made.board.link("groups", "image")
    assert isinstance(light, Heat)
    np.testing.assert_array_equal(light.weights, groups.spatial.reshape(49, 3).T)
    np.testing.assert_array_equal(made.board["groups"].values, groups.magnitude)


def test_dials_run_the_network_above_the_layer(model, made, acts):
    dials = made.board.link("groups", "prediction")
    assert dials.levels.tolist() == [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2]
    run = model.function(LAYER, [model.softmax])
    parts = made.groups.spatial[..., None] * made.groups.channels  # (h, w, k, c)
    rest = acts - parts.sum(2)

    def slow(levels):
        return run((rest + np.einsum("yxkc,k->yxc", parts, levels))[None])[0].numpy()[0]

    np.testing.assert_allclose(dials.values[1, 0], slow([1, 0, 1]), atol=1e-4)
    np.testing.assert_allclose(dials.values[2, 8], slow([1, 1, 2]), atol=1e-4)
    np.testing.assert_allclose(dials.values[0, 4], made.board["prediction"].values, atol=1e-4)
    together = made.rescale(made.choice, {"groups": [0, 1.5, 0.25]})["prediction"]
    np.testing.assert_allclose(together, slow([0, 1.5, 0.25]), atol=1e-4)
    with pytest.raises(ValueError, match="2 levels for 3 groups"):
        made.rescale(made.choice, {"groups": [0, 1]})


def test_a_kernel_answers_to_any_combination(made):
    view = made.view
    assert view.answers
    view.levels = {"groups": [0.0, 2.0, 1.0]}
    assert view.answer["board"] == board_key(made.board)
    assert view.answer["levels"] == view.levels
    expected = made.rescale(made.choice, view.levels)["prediction"]
    np.testing.assert_allclose(view.answer["values"]["prediction"], expected, rtol=1e-6)


def test_what_is_said_of_trust(made):
    board = made.board
    assert f"leave out {made.groups.error:.0%}" in board["image"].note
    assert f"mean cosine of {made.stability.mean.mean():.2f}" in board["image"].note
    for j, doubt in enumerate(board["groups"].doubts):
        assert bool(doubt) == bool(made.stability.unstable[j])
        assert f"{made.stability.mean[j]:.2f}" in board["groups"].notes[j]
    left_out = board["left_out"]
    np.testing.assert_allclose(left_out.values[1], made.groups.error, rtol=1e-5)
    assert [", suggested" in label for label in left_out.labels].count(True) == 1


def test_an_unstable_group_says_so(model):
    """Eight groups of 49 cells: more than come back."""
    found = lx.NeuronGroups(model, "cat_coffee", LAYER, 8, counts=(8,))
    assert found.stability.unstable.any()
    doubtful = int(np.flatnonzero(found.stability.unstable)[0])
    assert "unstable: found again" in found.board["groups"].doubts[doubtful]
    assert f"unstable: {doubtful}" in found.board["image"].note


def test_a_group_is_named_after_a_class_that_is_probable():
    network = lx.load_model("efficientnet_lite0")
    groups = lx.NeuronGroups(network, "coffee", n_groups=3, counts=(3,))
    (label, odds), *others = network.predict(groups.image, 3)
    assert label == "espresso"
    assert odds > 0.9
    assert all(odds < 0.1 for _, odds in others)
    argues = groups.effects[:, groups.classes.index(network.labels.index(label))] > 0
    expected = [f"espresso? (group {j})" if yes else f"group {j}" for j, yes in enumerate(argues)]
    assert list(groups.board["groups"].labels) == expected


def test_names_are_given_and_kept(model, tmp_path):
    path = tmp_path / "names.json"
    make = lambda n=2: lx.NeuronGroups(  # noqa: E731
        model, "cat_coffee", LAYER, n, counts=(2, 3), names=path
    )
    groups = make()
    assert model.predict(groups.image)[0][1] < 0.1  # nothing is probable here, so nothing is guessed
    assert groups.board["groups"].labels[0] == "group 0"
    groups.rename("groups", 0, "  cup \n rim ")
    assert groups.board["groups"].labels[0] == groups.board["mixture"].labels[0] == "cup rim"
    groups.view.names = {board_key(groups.board): {"groups": {"1": "<b>ear</b>"}}}
    assert groups.board["groups"].labels[1] == "<b>ear</b>"
    assert list(json.loads(path.read_text()).values()) == [{"0": "cup rim", "1": "<b>ear</b>"}]
    assert make().board["groups"].labels == ["cup rim", "<b>ear</b>"]
    assert "cup rim" not in make(3).board["groups"].labels
    groups.set_image("cat_coffee")
    groups.stop()
    assert groups.board["groups"].labels[0] == "cup rim"
    for atom, name in ((5, "x"), (0, "  ")):
        with pytest.raises(ValueError, match="cannot be named"):
            groups.rename("groups", atom, name)
    path.write_text("[1]")
    with pytest.raises(ValueError, match=r"names\.json is no file of names"):
        make()


@pytest.mark.parametrize("method", ["pca", "ica", "kmeans", "nmf_signed"])
def test_other_methods(model, acts, method):
    found = lx.NeuronGroups(model, "cat_coffee", LAYER, 3, method, counts=(3,))
    assert found.groups.method == method
    own = lx.factorize(acts, 3, method)
    np.testing.assert_allclose(found.groups.spatial, own.spatial, atol=1e-3)
    assert found.board["groups"].labels


def test_one_group_and_what_cannot_be(model):
    one = lx.NeuronGroups(model, "cat_coffee", LAYER, 1, counts=(1,))
    assert len(one.board["groups"]) == 1
    assert one.board.describe({"image": 3}).startswith("The cell at row 0, column 3 has")
    with pytest.raises(ValueError, match="n_groups is 50; expected 1 to 49"):
        lx.NeuronGroups(model, "cat_coffee", LAYER, 50)
    with pytest.raises(ValueError, match="no method 'svd'"):
        lx.NeuronGroups(model, "cat_coffee", LAYER, 3, "svd")
    with pytest.raises(ValueError, match="no listed layer with positions"):
        lx.NeuronGroups(model, "cat_coffee", model.logits)
    with pytest.raises(ValueError, match="there is no groups 7; expected one of 1"):
        one.choose(groups=7)


def test_colours_can_be_told_apart_and_marks_stand_apart(rng):
    """Also by who sees no red or no green (Vienot et al., 1999), and each where its group is strongest."""
    linear = np.array([[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in COLOURS]) ** 2.2
    lms = np.array([[17.8824, 43.5161, 4.11935], [3.45565, 27.1554, 3.86714], [0.0299566, 0.184309, 1.46709]])
    protan = np.array([[0, 2.02344, -2.52581], [0, 1, 0], [0, 0, 1]])
    deutan = np.array([[1, 0, 0], [0.494207, 0, 1.24827], [0, 0, 1]])
    for sight in (np.eye(3), protan, deutan):
        seen = linear @ lms.T @ sight.T @ np.linalg.inv(lms).T
        seen = np.clip(seen, 0, 1) ** (1 / 2.2)
        apart = np.linalg.norm(seen[:, None] - seen[None], axis=-1) + 9 * np.eye(len(COLOURS))
        assert apart.min() > 0.1
    spatial = np.zeros((4, 5, 3), np.float32)
    spatial[1, 2], spatial[1, 3, 1] = 1, 0.5
    spatial[3, 4, 2] = 2
    assert [(m.atom, m.text) for m in marks(spatial)] == [(7, "0"), (8, "1"), (19, "2")]
    picture = rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)
    mixed = blended(picture, np.eye(2, dtype=np.float32)[None].repeat(2, 0))
    assert mixed.shape == picture.shape
    left = np.asarray(Image.fromarray(mixed[:, :10]).resize((1, 1), Image.Resampling.BOX))[0, 0]
    assert left[0] > left[2]  # orange, as group 0


class Tab:
    """The page of two numbers of groups."""

    def __init__(self, made, boards):
        self.page, self.tab, self.boards = made, made.tab, boards

    def panel(self, title):
        return self.tab.locator(f'section.lx-units:has(h3:has-text("{title}"))')

    def rows(self, title):
        found = []
        for row in self.panel(title).locator(".lx-row:not(.lx-empty)").all():
            found.append((row.locator(".lx-name").inner_text(), row.locator(".lx-value").inner_text()))
        return found

    def expected(self, name, selected, levels=None, signed=False, board=None):
        b = board or self.boards[0]
        panel = b[name]
        found = []
        for atom, value in b.rows(name, selected, panel.shown, levels):
            sign = "+" if signed and value > 0 else ""
            found.append((panel.labels[atom], sign + format_value(value, panel.format)))
        return found


@pytest.fixture
def opened(open_page, made):  # noqa: F811
    boards = [made.board_of({"groups": k}) for k in ("3", "4")]
    page = open_page(boards=boards)
    yield Tab(page, boards)
    assert page.errors == []
    assert all(url.startswith(("file:", "data:")) for url in page.requests)


def test_in_a_browser(opened):
    """The slider, a group and a cell hovered, a group selected, named and turned down: one page."""
    tab = opened.tab
    own = opened.panel("Groups, by how much")
    assert opened.rows("Groups, by how much") == opened.expected("groups", {})
    assert tab.locator(".lx-mark").count() == 3
    # Hovered, a group is all that is lit; it and the lists speak of the group.
    strongest = opened.boards[0].rows("groups", {})[0][0]
    own.locator(".lx-row").first.hover()
    assert tab.locator(".lx-heat.lx-on").count() == 1
    lit = tab.locator(".lx-heat").evaluate(
        "c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].filter((_, i) => i % 4 == 3)"
    )
    weights = opened.boards[0].link("groups", "image").weights[strongest]
    np.testing.assert_allclose(lit, 215 * (1 - weights / weights.max()), atol=1.5)
    expected = opened.expected("classes", {"groups": strongest}, signed=True)
    assert opened.rows("It argues for") == expected
    # A cell hovered: its mixture.
    box = tab.locator(".lx-viewport").bounding_box()
    tab.mouse.move(box["x"] + 2.5 / 7 * box["width"], box["y"] + 4.5 / 7 * box["height"])
    assert opened.rows("The cell is made of") == opened.expected("mixture", {"image": 4 * 7 + 2})
    # Selected by key, then named by key.
    row = own.locator(".lx-row").first
    row.click()
    assert opened.page.state("selected")["groups"] == strongest
    tab.mouse.move(2, 2)
    assert opened.rows("Logits lost") == opened.expected("measured", {"groups": strongest}, signed=True)
    row.focus()
    tab.keyboard.press("F2")
    tab.keyboard.type("<i>my name</i>")
    tab.keyboard.press("Enter")
    names = [name for title in ("Groups, by how much", "The cell is made") for name, _ in opened.rows(title)]
    assert names.count("<i>my name</i>") == 2
    key = board_key(opened.boards[0])
    assert opened.page.state("names") == {key: {"groups": {str(strongest): "<i>my name</i>"}}}
    assert "<i>my name</i>" in tab.locator(".lx-caption").inner_text()
    # Escape leaves a name as it is.
    tab.keyboard.press("F2")
    tab.keyboard.type("other")
    tab.keyboard.press("Escape")
    assert opened.rows("Groups, by how much")[0][0] == "<i>my name</i>"
    # Turned down by keys, in steps, with what is precomputed.
    dial = tab.locator(".lx-dial input").nth(1)
    dial.focus()
    for step, level in enumerate((0.75, 0.5, 0.25, 0.0), 1):
        tab.keyboard.press("ArrowLeft")
        assert dial.get_attribute("aria-valuetext") == f"\u00d7{level:.2f}", step
        assert opened.rows("Prediction") == opened.expected("prediction", {}, {"groups": {1: level}})
    assert opened.page.state("levels") == {"groups": [1, 0, 1]}
    assert tab.locator(".lx-rest:visible").count() > 0
    # Without a kernel the others go back.
    other = tab.locator(".lx-dial input").nth(2)
    other.focus()
    tab.keyboard.press("End")
    assert opened.page.state("levels") == {"groups": [1, 1, 2]}
    assert opened.rows("Prediction") == opened.expected("prediction", {}, {"groups": {2: 2}})
    tab.get_by_role("button", name="All to").click()
    assert opened.rows("Prediction") == opened.expected("prediction", {})
    # Another number of groups.
    slider = tab.locator(".lx-controls input").first
    slider.focus()
    tab.keyboard.press("ArrowRight")
    assert tab.locator(".lx-mark").count() == 4
    assert tab.locator(".lx-dial").count() == 4
    assert opened.rows("Groups, by how much") == opened.expected("groups", {}, board=opened.boards[1])
    tab.keyboard.press("ArrowLeft")
    assert "<i>my name</i>" in [name for name, _ in opened.rows("Groups, by how much")]


def test_what_a_kernel_answers_is_drawn(opened, made):
    """With somebody to ask, several dials stand turned; the list waits for the answer to just that."""
    tab = opened.tab
    tab.evaluate("() => { lucidExt.state.answers = true; lucidExt.set('payload', lucidExt.get('payload')) }")
    for nth, key in ((0, "Home"), (2, "End")):
        tab.locator(".lx-dial input").nth(nth).focus()
        tab.keyboard.press(key)
    levels = opened.page.state("levels")
    assert levels == {"groups": [0, 1, 2]}
    before = opened.rows("Prediction")
    values = made.rescale({"groups": "3"}, levels)["prediction"]
    answer = {"levels": levels, "values": {"prediction": values.tolist()}}
    tab.evaluate("a => lucidExt.set('answer', a)", {**answer, "board": "another"})
    assert opened.rows("Prediction") == before
    tab.evaluate("a => lucidExt.set('answer', a)", {**answer, "board": board_key(opened.boards[0])})
    order = np.argsort(-values, kind="stable")[:5]
    labels = opened.boards[0]["prediction"].labels
    expected = [(labels[i], format_value(float(values[i]), "percent")) for i in order]
    assert opened.rows("Prediction") == expected
