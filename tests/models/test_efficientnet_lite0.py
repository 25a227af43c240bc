"""The embedded ImageNet network: what it computes is what its weights, as published, compute."""

import json

import numpy as np
import pytest

import lucid_ext as lx
from lucid_ext.attribution import Problem
from lucid_ext.groups import Groups
from lucid_ext.models.load import ASSETS

LAYERS = (
    "stem block1a_project block2a_expand block2a_project block2b_add block3a_expand block3a_project "
    "block3b_add block4a_expand block4a_project block4b_add block4c_add block5a_expand block5a_project "
    "block5b_add block5c_add block6a_expand block6a_project block6b_add block6c_add block6d_add "
    "block7a_expand block7a_project top logits"
)

# By the weights in single precision.
PREDICTIONS = {
    "cat": {"Egyptian cat": 0.387, "tiger cat": 0.329, "tabby": 0.165},
    "coffee": {"espresso": 0.937, "cup": 0.018},
    "cat_coffee": {"Egyptian cat": 0.240, "tiger cat": 0.076, "espresso": 0.070, "tabby": 0.053},
}

LAYER = "block5a_expand"
BEFORE = f"{LAYER}_pre_relu"


@pytest.fixture(scope="module")
def network():
    return lx.load_model("efficientnet_lite0")


def test_it_is_the_network_of_its_card(network):
    card = json.loads((ASSETS / "efficientnet_lite0.json").read_text(encoding="utf-8"))
    assert network.digest == card["digest"]
    assert " ".join(network.layers) == " ".join(card["layers"]) == LAYERS
    assert network.layers[LAYER] == (14, 14, 480)
    assert network.layers["top"] == (7, 7, 1280)
    assert network.labels == card["labels"]
    assert len(set(network.labels)) == 1000


def test_its_classes_are_in_the_usual_order(network, shared):
    classes = json.loads((shared / "real_network" / "labels.json").read_text(encoding="utf-8"))
    card = json.loads((ASSETS / "efficientnet_lite0.json").read_text(encoding="utf-8"))
    assert card["classes"] == classes
    differ = {ours: name for ours, (_, name) in zip(network.labels, classes, strict=True) if ours != name}
    assert differ == {"crane (bird)": "crane", "crane (machine)": "crane", "tank suit": "maillot"}


@pytest.mark.parametrize("picture", PREDICTIONS)
def test_predictions(network, picture):
    """Weights in half precision move a probability by less than .003."""
    expected = PREDICTIONS[picture]
    found = network.predict(picture, top=len(expected))
    assert [label for label, _ in found] == list(expected)
    np.testing.assert_allclose([p for _, p in found], list(expected.values()), atol=0.003)


def test_what_is_before_a_relu_is_a_layer_though_not_listed(network):
    found = network.activations("cat", [LAYER, BEFORE])
    np.testing.assert_array_equal(found[LAYER], np.clip(found[BEFORE], 0, 6))
    assert BEFORE not in network.layers
    attribution = lx.attribute(network, "cat", BEFORE, "Egyptian cat", atoms="channels")
    assert attribution.values.shape == (480,)
    assert attribution.values.any()
    recipe = lx.Recipe(size=32, steps=4)
    icons = lx.render_vis(network, f"{BEFORE}:7", recipe=recipe)
    assert np.shape(icons)[-3:] == (32, 32, 3)


def test_every_layer_computes_what_was_published(network, shared):
    """Of noise, by numbers computed with weights in single precision, which ours are not.

    In single precision the same graph differs by about 1e-5. Rounding the weights moves norms by up to
    .3 %, maxima by 1.7 %, means by .0007 and single values by .023 of the layer's root mean square.
    """
    known = json.loads((shared / "real_network" / "check.json").read_text(encoding="utf-8"))["layers"]
    names = [name.replace("_pre", "_pre_relu") for name in known]
    levels = np.random.default_rng(0).integers(0, 256, (1, 224, 224, 3))
    low, high = network.value_range
    image = ((levels - 127) / 128 - low) / (high - low)
    assert len(names) > 70
    for name, tensor in zip(known, network.function("input", names)(image), strict=True):
        found, expected = tensor.numpy()[0], known[name]
        assert found.shape == tuple(expected["shape"]), name
        size = expected["norm"] / found.size**0.5
        assert np.linalg.norm(found) == pytest.approx(expected["norm"], rel=0.005), name
        assert found.max() == pytest.approx(expected["max"], rel=0.03), name
        assert found.mean() == pytest.approx(expected["mean"], abs=0.002 * size), name
        np.testing.assert_allclose(found.ravel()[:4], expected["first"], atol=0.04 * size, err_msg=name)


@pytest.fixture(scope="module")
def capped(network):
    """(y, x, channel) of a neuron at its cap, of those far above it."""
    y, x, channel = 3, 5, 386
    found = network.activations("cat_coffee", [LAYER, BEFORE, network.uncapped(LAYER)])
    assert found[LAYER][y, x, channel] == 6
    assert found[BEFORE][y, x, channel] == found[network.uncapped(LAYER)][y, x, channel] > 8
    return y, x, channel


def logits_with(network, layer, at, change):
    """The logits where a layer's activations are changed at one place, by the rest of the network."""
    activations = network.activations("cat_coffee", layer).copy()
    activations[at] = change(activations[at])
    return network.function(layer, ["logits"])(activations[None])[0].numpy()[0]


def test_what_is_at_its_cap_has_no_gradient_and_yet_an_effect(network, capped):
    """Both are facts: a little more or less of it changes nothing, its removal does."""
    logits = network.activations("cat_coffee", "logits")
    cat = network.labels.index("Egyptian cat")
    for change in (-1, 1):
        moved = logits_with(network, BEFORE, capped, lambda value, change=change: value + change)
        np.testing.assert_array_equal(moved, logits_with(network, BEFORE, capped, lambda value: value))
    effect = (logits - logits_with(network, BEFORE, capped, lambda value: 0.0))[cat]
    assert effect == pytest.approx(-0.0276, abs=0.003)

    number = np.ravel_multi_index(capped, network.layers[LAYER])
    image = lx.load_image("cat_coffee")
    before, after = (Problem(network, image, layer, cat, "neurons") for layer in (BEFORE, LAYER))
    assert before.linear()[capped] == 0
    assert after.linear()[capped] != 0
    for problem in (before, after):
        assert problem.remove_each([number])[0] == pytest.approx(effect, abs=1e-4)


@pytest.mark.parametrize("layer", [BEFORE, LAYER])
def test_a_group_at_its_cap(network, capped, layer):
    """Of one channel in one cell: the effect of its removal is the neuron's, whatever its gradient."""
    activations = network.activations("cat_coffee", layer, uncapped=True)
    spatial = np.zeros((*activations.shape[:2], 1), np.float32)
    spatial[(*capped[:2], 0)] = activations[capped]
    channels = np.eye(activations.shape[2], dtype=np.float32)[capped[2]][None]
    nothing = np.zeros(activations.shape[2], np.float32)
    group = Groups(spatial, channels, nothing, error=0.0, order=np.arange(1))
    by = {
        method: lx.attribute(network, "cat_coffee", layer, "Egyptian cat", method, atoms=group).values[0]
        for method in ("ablation", "gradient")
    }
    logits = network.activations("cat_coffee", "logits") - logits_with(
        network, layer, capped, lambda value: 0.0
    )
    assert by["ablation"] == pytest.approx(logits[network.labels.index("Egyptian cat")], abs=1e-4)
    assert abs(by["ablation"]) > 0.02
    assert (by["gradient"] == 0) == (layer == BEFORE)
