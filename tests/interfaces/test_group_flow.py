"""The flow of groups: its numbers against slow passes, its sentences, choices, icons, and bad input."""

import dataclasses

import numpy as np
import pytest

import lucid_ext as lx
from lucid_ext.attribution.alignment import align
from lucid_ext.board import format_value
from lucid_ext.optvis import CHANNEL, recipes
from tests.models.networks import functional, randomized

LAYERS = ["mixed4d", "mixed5a"]


@pytest.fixture(scope="module")
def made(model, tmp_path_factory):
    store = lx.IconStore(tmp_path_factory.mktemp("icons"))
    return lx.GroupFlow(model, "cat_coffee", LAYERS, [3, 4], counts=(2, 3, 4), store=store)


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Of a small network that comes without icons."""
    store = lx.IconStore(tmp_path_factory.mktemp("own"))
    layers = ["stem", "block1_out", "mixed"]
    model = lx.load_model(randomized(functional()))
    return lx.GroupFlow(model, "cat_coffee", layers, 3, counts=(2, 3, 4), store=store)


@pytest.fixture(scope="module")
def by_hand(model, cat):
    """Groups of both layers, and the gradient of every score: (scores, h, w, c), one backward pass each."""
    import tensorflow as tf

    A, B = (model.activations(cat, layer) for layer in LAYERS)
    one, two = lx.factorize(A, 3), lx.factorize(B, 4)
    up, top = model.function(LAYERS[0], [LAYERS[1]]), model.function(LAYERS[1], [model.logits])
    ways = np.einsum("yxj,jc->jyxc", two.spatial, two.channels)
    ways /= np.linalg.norm(ways.reshape(4, -1), axis=1)[:, None, None, None]
    classes = np.argsort(-model.activations(cat, model.softmax), kind="stable")[:5]

    def gradient(run, acts, score):
        with tf.GradientTape() as tape:
            x = tf.constant(acts[None])
            tape.watch(x)
            value = score(run(x)[0][0])
        return tape.gradient(value, x).numpy()[0]

    scores = [lambda b, way=way: tf.reduce_sum(b * way) for way in ways]
    logits = [lambda z, k=int(k): z[k] for k in classes]
    return {
        "acts": (A, B),
        "groups": (one, two),
        "scores": (scores, logits),
        "gradients": (
            np.stack([gradient(up, A, score) for score in scores]),
            np.stack([gradient(top, B, score) for score in logits]),
        ),
        "runs": (up, top),
        "classes": classes,
    }


def test_links_are_gradients_times_parts(made, by_hand):
    flow = made.board["flow"]
    assert flow.sizes == [4, 5, 5]
    for p in range(2):
        groups, gradients = by_hand["groups"][p], by_hand["gradients"][p]
        expected = np.einsum("nyxc,yxk,kc->kn", gradients, groups.spatial, groups.channels)
        rest = by_hand["acts"][p] - groups.spatial @ groups.channels
        left = np.einsum("nyxc,yxc->n", gradients, rest)
        found = flow.links[p][:, :4] if p == 0 else flow.links[p]
        np.testing.assert_allclose(found[:-1], expected, atol=2e-4 * np.abs(expected).max())
        np.testing.assert_allclose(found[-1], left, atol=2e-3 * np.abs(left).max())
    assert not flow.links[0][:, 4].any()  # what is left out of a later layer has no score


def test_measured_is_one_pass_without_the_part(made, by_hand):
    flow = made.board["flow"]
    for p in range(2):
        acts, groups, run = by_hand["acts"][p], by_hand["groups"][p], by_hand["runs"][p]
        part = np.multiply.outer(groups.spatial[..., 1], groups.channels[1])
        for j, score in enumerate(by_hand["scores"][p]):
            lost = float(score(run(acts[None])[0][0])) - float(score(run((acts - part)[None])[0][0]))
            assert flow.measured[p][1, j] == pytest.approx(lost, abs=2e-3)


def test_the_sentence_of_a_class_compares_links_and_logit(model, cat, made):
    flow = made.board["flow"]
    k = int(model.activations(cat, model.softmax).argmax())
    whole = lx.attribute(model, cat, "mixed5a", k, atoms="layer")
    first = len(flow) - 5
    said = flow.tell([first])
    total, rest = flow.links[1][:, 0].sum(), flow.links[1][-1, 0]
    assert total == pytest.approx(float(whole.values), rel=1e-3)
    assert said == (
        f"The links into {model.labels[k]} add up to {format_value(float(total), 'number')}, "
        f"{format_value(float(rest), 'number')} of it from what the groups of mixed5a leave out. "
        f"Its logit is {format_value(float(whole.score), 'number')}, and lower by "
        f"{format_value(float(whole.change), 'number')} without all of mixed5a (measured)."
    )
    assert made.board.describe({}) == said
    np.testing.assert_allclose(flow.adds_up([]), flow.links[1].sum(0), rtol=1e-4)


def test_the_picture_shows_where_groups_are(made, by_hand):
    board = made.board
    weights = board.link("flow", "image").weights
    np.testing.assert_allclose(weights[1], by_hand["groups"][0].spatial[..., 1].ravel(), atol=1e-4)
    coarse = by_hand["groups"][1].spatial[..., 2].repeat(2, 0).repeat(2, 1)
    np.testing.assert_allclose(weights[4 + 2], coarse.ravel(), atol=1e-4)
    assert not weights[-5:].any()
    assert not board["flow"].places[-5:].any()
    shares = by_hand["groups"][0].spatial / np.linalg.norm(by_hand["acts"][0], axis=-1, keepdims=True)
    units = dict(board.rows("units", {"image": 131}))
    for j, share in enumerate(shares.reshape(196, 3)[131]):
        assert units.get(j, share) == pytest.approx(share, abs=1e-4)


def test_alignment_is_a_control(made, by_hand):
    evidence = np.moveaxis(by_hand["gradients"][0] * by_hand["acts"][0], 0, -1)
    expected = align(by_hand["acts"][0], evidence, 3)
    made.choose(aligned="on")
    made.stop()
    aligned = made.board
    made.choose(aligned="off")
    made.stop()
    weights = aligned.link("flow", "image").weights[:3]
    np.testing.assert_allclose(weights, expected.spatial.reshape(196, 3).T, atol=1e-2 * weights.max())
    np.testing.assert_array_equal(aligned["flow"].links[1], made.board["flow"].links[1])
    assert f"{expected.error:.0%} left out" == aligned["flow"].notes[3]


def test_choices_of_a_page_and_of_the_next_step(made):
    choices = made.page_choices()
    assert choices[0] == made.choice == {"groups of mixed4d": "3", "groups of mixed5a": "4", "aligned": "off"}
    assert len(choices) == len({tuple(c.values()) for c in choices}) == 18


def test_three_layers_of_a_network_of_ones_own(own):
    assert len(own.page_choices()) == 16
    flow = own.board["flow"]
    assert list(flow.columns) == ["stem", "block1_out", "mixed", "answer"]
    assert flow.sizes == [4, 4, 4, 5]
    assert flow.drafts is None  # no icons come with it
    for links in flow.links[:-1]:
        assert not links[:, -1].any()
    np.testing.assert_allclose(flow.adds_up([]), flow.links[-1].sum(0), rtol=1e-4)


def test_blends_stand_for_icons_to_come(made):
    flow = made.board["flow"]
    assert flow.icons is None
    assert (flow.draft_of >= 0).tolist() == [*[True] * 3, False, *[True] * 4, *[False] * 6]


def test_icons_arrive_after_the_neighbouring_boards(own, monkeypatch):
    quick = dataclasses.replace(CHANNEL, size=24, steps=2)
    monkeypatch.setitem(recipes.KINDS, "sketch", dataclasses.replace(quick, size=20))
    monkeypatch.setitem(recipes.KINDS, "icon", quick)
    arrived = {}
    for name, pictures in own.stream(own.board, {}, lambda: False):
        assert name == "flow"
        assert len(own.session.boards) >= 5  # a step of each control is there before the first icon
        for node, picture in pictures.items():
            arrived.setdefault(node, []).append(len(picture))
    groups = (0, 1, 2, 4, 5, 6, 8, 9, 10)
    assert arrived == {node: [20, 24] for node in groups}  # sketches, then better ones
    assert list(own.stream(own.board, {}, lambda: False)) == []


@pytest.mark.parametrize(
    ("layers", "n_groups", "options", "what"),
    [
        (LAYERS, [1, 4], {}, "n_groups of mixed4d is 1; one group is the whole layer: expected 2 to 196"),
        (LAYERS, [3, 50], {}, "n_groups of mixed5a is 50; .* no more than 49 dimensions: expected 2 to 49"),
        (LAYERS, [3], {}, "n_groups has 1 numbers for 2 layers: give one each, or one"),
        (LAYERS, 2.5, {}, "n_groups is 2.5; expected a whole number, or one for each layer"),
        (LAYERS[:1], 3, {}, "a flow needs two layers or more; mixed4d is one"),
        (
            LAYERS[::-1],
            3,
            {},
            "layers mixed5a, mixed4d do not follow one another in mini: .*, as mixed4d, mixed5a",
        ),
        (["mixed4a_1x1", "mixed4d"], 3, {}, "mixed4a_1x1 is no listed layer with positions"),
        (["mixed4f", "mixed4d"], 3, {}, "no layer 'mixed4f'; did you mean"),
        (LAYERS, 3, {"classes": "expresso"}, "no class 'expresso'; did you mean espresso"),
        (LAYERS, 3, {"classes": []}, "classes is empty; give a class or several"),
    ],
)
def test_bad_input_is_refused(model, layers, n_groups, options, what):
    with pytest.raises(ValueError, match=what):
        lx.GroupFlow(model, "cat_coffee", layers, n_groups, **options)


def test_a_bad_picture_leaves_what_was_there(made):
    before = made.board
    with pytest.raises(ValueError, match="neither a sample nor a file"):
        made.set_image("no such picture.jpg")
    assert made.board is before


def test_python_hears_what_is_selected(made):
    made.view.selected = {"flow": [1, 5], "image": 20}
    assert made.selected == {"flow": [1, 5], "image": (1, 6)}
    made.choose(aligned="on")  # what is selected stays so, by name
    made.choose(aligned="off")
    made.stop()
    assert made.selected["flow"] == [1, 5]


def test_classes_of_ones_own(model):
    made = lx.GroupFlow(model, "cat_coffee", LAYERS, 3, classes=["teapot", "espresso", "teapot"])
    assert list(made.board["flow"].labels[-2:]) == ["teapot", "espresso"]
    assert list(lx.GroupFlow(model, "cat_coffee", LAYERS, 3, classes=7).board["flow"].labels[-1:]) == [
        model.labels[7]
    ]
