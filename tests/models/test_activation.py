"""Layers without their cap: what of a graph counts as one, and what is read instead."""

import numpy as np
import pytest
import tensorflow as tf

import lucid_ext as lx
from lucid_ext.models.activation import add_uncapped

SIDE = 16


def network(capped):
    """A classifier whose layer `x` is `capped` of a convolution with strong weights."""
    rng = np.random.default_rng(0)
    with tf.Graph().as_default() as graph:
        image = tf.compat.v1.placeholder(tf.float32, (None, None, None, 3), name="input")
        weights = tf.constant(rng.normal(0, 1, (3, 3, 3, 8)), tf.float32, name="w")
        capped(tf.nn.conv2d(image, weights, 2, "SAME", name="before"))
        x = tf.reduce_mean(graph.get_tensor_by_name("x:0"), [1, 2], name="mean")
        dense = tf.constant(rng.normal(0, 1, (8, 3)), tf.float32, name="dense")
        logits = tf.matmul(x, dense, name="logits")
        tf.nn.softmax(logits, name="softmax")
    return lx.VisionModel(
        graph.as_graph_def(), labels=list("abc"), size=(SIDE, SIDE), value_range=(0.0, 6.0), name="capped"
    )


CAPS = {
    "Relu6": lambda x: tf.nn.relu6(x, name="x"),
    "ClipByValue": lambda x: tf.raw_ops.ClipByValue(t=x, clip_value_min=0.0, clip_value_max=6.0, name="x"),
    "Minimum": lambda x: tf.minimum(tf.nn.relu(x), 6.0, name="x"),
}


@pytest.mark.parametrize("cap", CAPS)
def test_what_is_capped_is_read_without_its_cap(cap):
    model = network(CAPS[cap])
    image = np.random.default_rng(1).random((SIDE, SIDE, 3), np.float32)
    capped, free, before = (model.activations(image, name) for name in ("x", model.uncapped("x"), "before"))
    assert capped.max() == 6 < free.max()
    np.testing.assert_array_equal(free, np.maximum(before, 0))
    np.testing.assert_array_equal(capped, np.minimum(free, 6))


def test_the_lesser_of_two_values_is_no_cap():
    """A minimum with weights of every position leaves nothing that could be called uncapped."""
    limits = np.random.default_rng(0).random((1, SIDE // 2, SIDE // 2, 8)).astype(np.float32)
    model = network(lambda x: tf.minimum(tf.nn.relu(x), tf.constant(limits, name="limits"), name="x"))
    assert model.uncapped("x") == "x"


def test_a_cap_whose_limits_are_missing_is_left_to_the_checks_of_graphs():
    graph = tf.compat.v1.GraphDef()
    for op, inputs in (("Minimum", ["input"]), ("ClipByValue", ["input", "least"]), ("Minimum", ["a", "b"])):
        graph.node.add(op=op, name=f"x{len(graph.node)}", input=inputs)
    assert add_uncapped(graph) == {}
