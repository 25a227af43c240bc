"""Gradients other than the true one, against the formula in NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from lucid_ext.models.gradients import REDIRECTED_RELU, gradient_overrides


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
