"""Groups of a layer with a cap: found before it, removed before it, attributed after it."""

import numpy as np
import pytest
import tensorflow as tf

import lucid_ext as lx
from lucid_ext.attribution.atoms import passed_share
from lucid_ext.attribution.chain import Chain

LAYER, BEFORE = "block6a_expand", "block6a_expand_pre_relu"
PICTURE = "cat_coffee"


@pytest.fixture(scope="module")
def network():
    return lx.load_model("efficientnet_lite0")


@pytest.fixture(scope="module")
def groups(network):
    return lx.factorize(network.activations(PICTURE, LAYER, uncapped=True), 4)


@pytest.fixture(scope="module")
def removed(network, groups):
    """What the cat's logit loses without each group, by relu6(relu(pre) - group) in the graph itself."""
    whole = np.maximum(network.activations(PICTURE, BEFORE), 0)
    parts = np.einsum("yxk,kc->kyxc", groups.spatial, groups.channels)
    (logits,) = network.function(BEFORE, [network.logits])(np.concatenate([whole[None], whole - parts]))
    cat = logits.numpy()[:, network.labels.index("Egyptian cat")]
    return cat[0] - cat[1:]


def test_some_of_it_is_held_back(network):
    acts = network.activations(PICTURE, LAYER, uncapped=True)
    assert acts.max() > 8
    np.testing.assert_array_equal(network.passed_on(LAYER, acts), network.activations(PICTURE, LAYER))
    assert network.passed_on(LAYER, acts - 9).min() == 0


def test_removal_is_before_the_cap(network, groups, removed):
    found = lx.attribute(network, PICTURE, LAYER, "Egyptian cat", "ablation", atoms=groups).values
    assert np.abs(removed).max() > 0.1
    np.testing.assert_allclose(found, removed, atol=2e-4)


def test_gradients_meet_what_is_passed_on(network, groups):
    """Number by number, what the groups lose is divided among them as their parts are."""
    passed = network.activations(PICTURE, LAYER)
    whole = network.activations(PICTURE, LAYER, uncapped=True)
    x = tf.constant(passed[None])
    with tf.GradientTape() as tape:
        tape.watch(x)
        logit = network.function(LAYER, [network.logits])(x)[0][0, network.labels.index("Egyptian cat")]
    gradient = tape.gradient(logit, x).numpy()[0]
    parts = [groups.spatial[..., j, None] * groups.channels[j] for j in range(4)]
    together = sum(parts)
    lost = passed - np.clip(whole - together, 0, 6)
    share = np.divide(lost, together, out=np.zeros_like(lost), where=together > 1e-12)
    expected = [float((gradient * share * part).sum()) for part in parts]
    found = lx.attribute(network, PICTURE, LAYER, "Egyptian cat", "gradient", atoms=groups).values
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)
    plain = [float((gradient * part).sum()) for part in parts]
    assert np.abs(np.array(plain) - expected).max() > 0.01  # the cap makes a difference


def test_the_path_adds_up(network, groups):
    found = lx.attribute(network, PICTURE, LAYER, "Egyptian cat", "path", atoms=groups)
    assert found.gap < 0.02


def test_a_chain_and_the_interface_say_the_same(network, groups, removed):
    cat = network.labels.index("Egyptian cat")
    gradient = lx.attribute(network, PICTURE, LAYER, "Egyptian cat", "gradient", atoms=groups).values
    (influence,) = Chain(network, lx.load_image(PICTURE), [LAYER], [cat]).on_classes([4])
    np.testing.assert_allclose(influence.values[:4, 0], gradient, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(influence.measured[:4, 0], removed, atol=2e-4)
    shown = lx.NeuronGroups(network, PICTURE, LAYER, 4, counts=(2, 4))
    np.testing.assert_allclose(shown.effects[:, shown.classes.index(cat)], gradient, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(shown.measured[:, cat], removed, atol=2e-4)


def test_without_a_cap_all_is_passed_on(rng):
    parts = rng.random((3, 4, 5)).astype(np.float32)
    np.testing.assert_allclose(passed_share(parts, parts), 1)
    np.testing.assert_allclose(passed_share(np.zeros_like(parts), parts), 0)
    np.testing.assert_array_equal(passed_share(parts, np.zeros_like(parts)), 1)
