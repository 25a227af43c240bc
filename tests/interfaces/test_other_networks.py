"""Feature visualization and the semantic dictionary on a network of one's own."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

import lucid_ext as lx
from lucid_ext.optvis import CHANNEL, SKETCH, recipes
from lucid_ext.optvis.ascent import evaluate
from tests.models import networks


@pytest.fixture(scope="module")
def own():
    return lx.load_model(networks.randomized(networks.functional()), labels=list("abcde"), preprocess=(0, 1))


@pytest.fixture(scope="module")
def linear():
    """A network whose sums are not followed by a ReLU, so that activations are negative too."""
    return lx.load_model(networks.randomized(networks.linear_blocks()))


@pytest.mark.parametrize("layer", ["block1_out", "mixed"])
def test_icons_raise_their_channels(own, layer, store):
    photograph = lx.load_image("cat_coffee")
    alive = np.argsort(-own.activations(photograph, layer).mean((0, 1)))[:2]

    def drive(steps):
        recipe = dataclasses.replace(CHANNEL, size=32, steps=steps)
        pixels = lx.icons(own, layer, alive, recipe=recipe, store=store, progress=False)
        (acts,) = own.function("input", [layer])(pixels / 255)
        return np.array([acts[i, ..., unit].numpy().mean() for i, unit in enumerate(alive)])

    assert np.all(drive(24) > drive(1))


def test_render_vis_raises_its_objective(own):
    def mean(T):
        return tf.reduce_mean(T("block2_out"))

    first, last = lx.render_vis(own, mean, thresholds=(0, 24), seed=0, verbose=False, progress=False)
    assert evaluate(own, mean, last) > evaluate(own, mean, first)


def test_a_class_of_a_network_with_a_fixed_size(own):
    """What comes after a Flatten has only one size."""
    with pytest.raises(
        ValueError,
        match=r"hidden of functional cannot be computed for 140 x 140 pixels; its own size is 24 x 24",
    ):
        lx.render_vis(own, "hidden:2", thresholds=(1,), verbose=False, progress=False)


@pytest.mark.parametrize("basis", ["channels", "PCA", "NMF"])
@pytest.mark.parametrize("network", ["own", "linear"])
def test_semantic_dictionary(network, basis, store, request, monkeypatch):
    quick = dataclasses.replace(SKETCH, size=32, steps=2)
    for kind in recipes.KINDS:
        monkeypatch.setitem(recipes.KINDS, kind, quick)
    model = request.getfixturevalue(network)
    dictionary = lx.SemanticDictionary(model, "cat_coffee", basis=basis, store=store)
    layer = dictionary.choice["layer"]
    assert layer == model.opening.layer
    board = dictionary.board
    acts = model.activations(dictionary.image, layer)
    assert (board["image"].rows, board["image"].cols) == acts.shape[:2]
    if basis == "channels":
        cell = acts.reshape(-1, acts.shape[-1])[7]
        unit, value = board.rows("units", {"image": 7})[0]
        strongest = int(np.abs(cell).argmax())
        assert value == np.abs(cell).max()
        assert board["units"].labels[unit].removesuffix(" below zero") == f"{layer}:{strongest}"
        assert board["units"].labels[unit].endswith("below zero") == (cell[strongest] < 0)
    assert [model.labels[i] for i, _ in board.rows("classes", {})] == [
        n for n, _ in model.predict(dictionary.image)
    ]
