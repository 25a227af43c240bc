"""Functions from layers that other paths go around."""

import numpy as np
import pytest
import tensorflow as tf

import lucid_ext as lx
from lucid_ext.models.paths import beside
from tests.models.networks import SIDE, functional, randomized


@pytest.fixture(scope="module")
def residual():
    return lx.load_model(randomized(functional()))


@pytest.fixture(scope="module")
def picture():
    return np.random.default_rng(1).random((SIDE, SIDE, 3)).astype(np.float32)


def fed(model, picture, source, value, target):
    """A version 1 session that computes the whole graph, with one tensor given in its place."""
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        tf.graph_util.import_graph_def(model.graph_def, name="")
        return session.run(f"{target}:0", {"input:0": 255.0 * picture[None], f"{source}:0": value})[0]


@pytest.mark.parametrize(
    ("source", "held"),
    [
        ("block1_1_relu", ("stem",)),
        ("block2_1_relu", ("block2_0_conv",)),
        ("block2_0_conv", ("block2_2_bn",)),
        ("tower3", ("tower1",)),
        ("block1_out", ()),
    ],
)
def test_other_paths_are_held_at_the_images_values(residual, picture, rng, source, held):
    function = residual.function(source, ["classes"], image=picture)
    assert function.held == held
    own = residual.activations(picture, source)[None]
    (whole,) = function(own)
    np.testing.assert_allclose(whole[0], residual.activations(picture, "classes"), rtol=1e-4, atol=1e-7)
    other = (own * rng.random(own.shape)).astype(np.float32)
    expected = fed(residual, picture, source, other, "classes")
    np.testing.assert_allclose(function(other)[0][0], expected, rtol=1e-4, atol=1e-7)
    both = function(np.concatenate([own, other]))[0]
    np.testing.assert_allclose(both, [whole[0], expected], rtol=1e-4, atol=1e-7)


def test_without_an_image_other_paths_are_refused(residual):
    with pytest.raises(ValueError, match=r"the image reaches it by other paths too; .*or give the image"):
        residual.function("block1_1_relu", ["classes"])(np.zeros((1, 12, 12, 8)))


def test_a_target_before_the_source(residual, picture):
    with pytest.raises(ValueError, match="stem does not come after block2_out, so it is no function of it"):
        residual.function("block2_out", ["stem"], image=picture)


def test_in_the_embedded_network(model, cat):
    function = model.function("mixed4a_3x3", ["mixed4b"], image=cat)
    assert set(function.held) == {"mixed4a_1x1", "mixed4a_5x5", "mixed4a_pool_reduce"}
    (found,) = function(model.activations(cat, "mixed4a_3x3")[None])
    expected = model.activations(cat, "mixed4b")
    assert np.abs(found[0] - expected).max() < 1e-5 * expected.max()


def test_shapes_and_split_nodes_are_not_what_is_held():
    """A batch of three must not meet the shape that one image had."""
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, (None, 2), name="input")
        side = tf.tanh(x, name="side")
        left, right = tf.split(side, 2, 1, name="halves")
        main = tf.nn.relu(x, name="main")
        flat = tf.reshape(main, tf.stack([tf.shape(side)[0], 2], name="shape"), name="flat")
        tf.concat([flat * right, left], 1, name="end")
    assert beside(graph.as_graph_def(), "main", ["end"]) == ["side"]
