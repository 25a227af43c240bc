"""Gradients other than the true one, against the formula in NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from lucid_ext.models.gradients import MANY_PASSES, REDIRECTED_RELU, SMOOTH_MAX_POOL, gradient_overrides

POOLS = [(2, 2, "VALID"), (3, 2, "SAME"), (3, 1, "SAME")]


@pytest.mark.parametrize(("op", "most"), [("Relu", np.inf), ("Relu6", 6.0)])
def test_redirected_relus(op, most, rng):
    """Where nothing of an image passes, all passes that does not push a value further out."""
    x = rng.normal(0, 5, (3, 40)).astype(np.float32)
    x[1] = -np.abs(x[1])
    x[2] = np.where(rng.random(40) < 0.5, -np.abs(x[2]), 7 + np.abs(x[2]) if op == "Relu6" else -1)
    grad = rng.normal(size=x.shape).astype(np.float32)

    @tf.function(autograph=False)
    def run(x):
        with gradient_overrides(REDIRECTED_RELU):
            y = getattr(tf.nn, op.lower())(x)
        return tf.gradients(y, x, grad)[0]

    inside = (x > 0) & (x < most)
    outwards = ((x < 0) & (grad > 0)) | ((x > most) & (grad < 0))
    expected = np.where(outwards, 0, grad)
    expected[0] = np.where(inside[0], grad[0], 0)
    assert np.array_equal(run(tf.constant(x)), expected)


@pytest.mark.parametrize(("window", "stride", "padding"), POOLS)
def test_smoothed_max_pooling(window, stride, padding, rng):
    """Against TensorFlow's own gradient of the formula."""
    x = tf.constant(rng.normal(0, 1, (2, 9, 8, 3)).astype(np.float32))
    shape = tf.nn.max_pool2d(x, window, stride, padding).shape
    grad = tf.constant(rng.normal(size=shape).astype(np.float32))

    @tf.function(autograph=False)
    def run(x):
        with gradient_overrides(SMOOTH_MAX_POOL):
            y = tf.nn.max_pool2d(x, window, stride, padding)
        return y, tf.gradients(y, x, grad)[0]

    with tf.GradientTape() as tape:
        tape.watch(x)
        top = tf.nn.avg_pool2d(x**2, window, stride, padding)
        y = top / (1e-2 + tf.nn.avg_pool2d(tf.abs(x), window, stride, padding))
    value, found = run(x)
    assert np.array_equal(value, tf.nn.max_pool2d(x, window, stride, padding))
    np.testing.assert_allclose(found, tape.gradient(y, x, grad), atol=1e-5)


@pytest.mark.parametrize(("window", "stride", "padding"), POOLS)
def test_many_passes_after_one_get_what_each_gets_alone(window, stride, padding, rng):
    """Through every op that has a gradient of its own for it; with ties in the max-pooling."""
    kernel = tf.constant(rng.normal(size=(3, 3, 3, 4)).astype(np.float32))
    x = tf.constant(rng.normal(0, 1, (1, 9, 8, 3)).astype(np.float32).round())

    def network(x):
        pooled = tf.nn.max_pool2d(x, window, stride, padding)
        both = tf.concat([tf.nn.relu(tf.nn.conv2d(pooled, kernel, 1, "SAME")), pooled], -1)
        return both, tf.reduce_mean(tf.nn.relu(both), [1, 2])

    grads = [tf.constant(rng.normal(size=(5, *y.shape[1:])).astype(np.float32)) for y in network(x)]

    @tf.function(autograph=False, input_signature=[tf.TensorSpec([None, 9, 8, 3])])
    def run(x):
        with gradient_overrides(MANY_PASSES):
            found = network(x)
        return [tf.gradients(y, x, grad)[0] for y, grad in zip(found, grads, strict=True)]

    for which, found in enumerate(run(x)):
        for i in range(5):
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = network(x)[which]
            expected = tape.gradient(y, x, grads[which][i : i + 1])
            np.testing.assert_allclose(found[i], expected[0], atol=1e-5)
