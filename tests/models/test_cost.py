"""What a network takes, compared with counting."""

import itertools
import math

import pytest
import tensorflow as tf

from lucid_ext.models.cost import PER_STEP, SPARE_CHANNELS, Cost


def cost_of(make, *shapes):
    """What the last node takes of what `make` builds from placeholders of these shapes."""
    with tf.Graph().as_default() as graph:
        made = make(*(tf.compat.v1.placeholder(tf.float32, shape) for shape in shapes))
        node = graph.get_operations()[-1] if made is None else made.op
        cost = Cost()
        cost.add(node.node_def, list(node.inputs), list(node.outputs), is_setting=False)
        return cost


def positions(*sizes):
    return sum(1 for _ in itertools.product(*map(range, sizes)))


def test_a_convolution():
    """A window of 3 x 3 x 4 for each of 5 x 6 places, each for 8 channels."""
    cost = cost_of(lambda x, w: tf.nn.conv2d(x, w, 2, "SAME"), (1, 10, 12, 4), (3, 3, 4, 8))
    assert cost.multiplications == positions(5, 6, 3, 3, 4, 8 + SPARE_CHANNELS)
    assert cost.total_bytes == 4 * 5 * 6 * 8


@pytest.mark.parametrize(
    ("a", "b", "transposed"), [((2, 3), (3, 5), {}), ((3, 2), (3, 5), {"transpose_a": True})]
)
def test_a_product_of_matrices(a, b, transposed):
    cost = cost_of(lambda x, y: tf.linalg.matmul(x, y, **transposed), a, b)
    assert cost.multiplications == positions(2, 3, 5 + SPARE_CHANNELS)


def test_many_products_of_matrices():
    cost = cost_of(lambda x, y: tf.linalg.matmul(x, y), (7, 2, 3), (7, 3, 5))
    assert cost.multiplications == positions(7, 2, 3, 5 + SPARE_CHANNELS)


@pytest.mark.parametrize(
    ("equation", "shapes", "indices"),
    [
        ("abc,cd->abd", [(2, 3, 4), (4, 5)], "abcd"),
        ("abc,adc->abd", [(2, 3, 4), (2, 5, 4)], "abcd"),
        ("...a,ab->...b", [(2, 3, 4), (4, 5)], "ijab"),
        ("a...->...a", [(6, 2, 3)], "aij"),
        ("aab->b", [(3, 3, 4)], "ab"),
    ],
)
def test_sums_over_indices(equation, shapes, indices):
    named = {"a": 0, "b": 0, "c": 0, "d": 0, "i": 2, "j": 3}
    for term, shape in zip(equation.split("->")[0].split(","), shapes, strict=True):
        named |= dict(zip(term.replace("...", "ij"), shape, strict=True))
    cost = cost_of(lambda *x: tf.raw_ops.Einsum(inputs=x, equation=equation), *shapes)
    assert cost.multiplications == positions(*(named[index] for index in indices))


def test_windows():
    """Beside what it sums, each reads its input once and writes its output."""
    depthwise = cost_of(
        lambda x, w: tf.nn.depthwise_conv2d(x, w, [1, 1, 1, 1], "SAME"), (1, 6, 6, 3), (5, 5, 3, 2)
    )
    pooled = cost_of(lambda x: tf.nn.max_pool2d(x, 3, 2, "SAME"), (1, 6, 6, 3))
    by_value = cost_of(
        lambda x: tf.raw_ops.MaxPoolV2(
            input=x, ksize=tf.constant([1, 3, 3, 1]), strides=tf.constant([1, 2, 2, 1]), padding="SAME"
        ),
        (1, 6, 6, 3),
    )
    normalized = cost_of(lambda x: tf.nn.lrn(x, 2), (1, 6, 6, 3))
    assert depthwise.multiplications == PER_STEP * (6 * 6 * 6 * 25 + 6 * 6 * 3 + 5 * 5 * 6 + 6 * 6 * 6)
    assert pooled.multiplications == PER_STEP * (3 * 3 * 3 * 9 + 6 * 6 * 3 + 3 * 3 * 3)
    assert by_value.multiplications == pooled.multiplications + PER_STEP * 8  # and reads its sizes
    assert normalized.multiplications == PER_STEP * (6 * 6 * 3 * 5 + 2 * 6 * 6 * 3)


def test_what_costs_nothing():
    assert cost_of(lambda x: tf.reshape(x, (-1,)), (4, 4)).total_bytes == 0
    assert cost_of(lambda x: tf.shape(x), (4, 4)).multiplications == 0


def test_all_of_a_network(model):
    """Of the embedded one: as many bytes as its nodes' values have, by its own functions."""
    import numpy as np

    from lucid_ext.models import sizes
    from lucid_ext.models.graph import between

    part = between(model._structure, {"input", *model._weights}, [model.softmax])
    given = {name: tf.TensorSpec(w.shape, w.dtype) for name, w in model._weights.items()}
    given["input"] = tf.TensorSpec((1, 112, 112, 3), tf.float32)
    cost = Cost()
    for node, inputs, outputs, is_setting in sizes._inferred(part, given, "mini"):
        cost.add(node, inputs, outputs, is_setting=is_setting)
    views = {"Const", "Identity", "Reshape"}
    names = [node.name for node in part.node if node.op not in views]
    found = model.activations(np.zeros((112, 112, 3)), names)
    assert cost.total_bytes == sum(4 * math.prod(value.shape) for value in found.values())
