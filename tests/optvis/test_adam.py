"""Adam with a second moment per ring, against the formula written out."""

import numpy as np
import pytest
import tensorflow as tf

from lucid_ext.optvis.adam import DAMPING, FourierAdam

BETA1, BETA2 = 0.6, 0.9


def ring_of(row: int, column: int, height: int) -> int:
    down = row if row <= height // 2 else height - row
    return round(np.hypot(down, column))


def by_hand(start: np.ndarray, gradients: list[np.ndarray], rate: float, damping: float) -> np.ndarray:
    z, first, second = start.astype(np.float64), np.zeros(start.shape), np.zeros(start.shape)
    n, _, colours, height, width = start.shape
    for t, gradient in enumerate(gradients, 1):
        shared = np.zeros(start.shape)
        for i in range(n):
            for colour in range(colours):
                rings: dict[int, list[float]] = {}
                for row in range(height):
                    for column in range(width):
                        both = gradient[i, :, colour, row, column]
                        rings.setdefault(ring_of(row, column, height), []).extend(both**2)
                for row in range(height):
                    for column in range(width):
                        mean = np.mean(rings[ring_of(row, column, height)])
                        shared[i, :, colour, row, column] = mean
        first = BETA1 * first + (1 - BETA1) * gradient
        second = BETA2 * second + (1 - BETA2) * shared
        unbiased = np.sqrt(second / (1 - BETA2**t))
        strongest = unbiased.max(axis=(1, 2, 3, 4), keepdims=True)
        z -= rate * first / (1 - BETA1**t) / (unbiased + damping * strongest)
    return z


@pytest.mark.parametrize("damping", [DAMPING, 0.3])
def test_steps_are_those_of_the_formula(rng, damping):
    start = rng.normal(size=(2, 2, 3, 8, 5)).astype(np.float32)
    gradients = [rng.normal(size=start.shape).astype(np.float32) for _ in range(4)]
    z, optimizer = tf.Variable(start), FourierAdam(0.3, (BETA1, BETA2), damping)
    for gradient in gradients:
        optimizer.apply_gradients([(tf.constant(gradient), z)])
    np.testing.assert_allclose(z.numpy(), by_hand(start, gradients, 0.3, damping), atol=2e-5)


def test_is_adam_where_all_gradients_are_alike_in_size(rng):
    start = rng.normal(size=(1, 2, 3, 8, 5)).astype(np.float32)
    sign = tf.constant(np.sign(rng.normal(size=start.shape)).astype(np.float32))
    ours, theirs = tf.Variable(start), tf.Variable(start)
    with_rings = FourierAdam(0.1, (BETA1, BETA2))
    plain = tf.keras.optimizers.Adam(0.1 / (1 + DAMPING), BETA1, BETA2)
    for size in (1.0, 3.0, 0.5):
        with_rings.apply_gradients([(size * sign, ours)])
        plain.apply_gradients([(size * sign, theirs)])
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=1e-5)


def test_a_coefficient_with_hardly_any_gradient_hardly_moves(rng):
    start = np.zeros((1, 2, 3, 16, 9), np.float32)
    gradient = np.ones(start.shape, np.float32)
    gradient[0, 0, 0, 3, 4] = 1e-6
    z = tf.Variable(start)
    FourierAdam(0.2).apply_gradients([(tf.constant(gradient), z)])
    moved = np.abs(z.numpy())
    assert moved[0, 0, 0, 3, 4] < 1e-6
    assert moved[0, 0, 0, 4, 3] == pytest.approx(0.2, rel=0.05)


def test_a_ring_with_hardly_any_gradient_hardly_moves(rng):
    gradient = np.zeros((2, 2, 3, 16, 9), np.float32)
    gradient[:, :, :, 2, 0] = 1.0
    gradient[0, :, :, 7, 0] = 1e-4  # the other picture has the same gradient there as at 2
    gradient[1, :, :, 7, 0] = 1.0
    z = tf.Variable(tf.zeros(gradient.shape))
    FourierAdam(0.2).apply_gradients([(tf.constant(gradient), z)])
    moved = np.abs(z.numpy())
    assert moved[0, :, :, 7, 0].max() < 0.02 * moved[1, :, :, 7, 0].min()


def test_stays_where_there_is_no_gradient():
    z = tf.Variable(tf.ones((1, 2, 3, 8, 5)))
    FourierAdam(0.2).apply_gradients([(tf.zeros(z.shape), z)])
    np.testing.assert_array_equal(z.numpy(), 1.0)


def test_starts_over_with_its_variables(rng):
    z, optimizer = tf.Variable(tf.zeros((1, 2, 3, 8, 5))), FourierAdam(0.2)
    optimizer.build([z])
    before = [v.numpy() for v in optimizer.variables]
    gradient = tf.constant(rng.normal(size=z.shape).astype(np.float32))
    optimizer.apply_gradients([(gradient, z)])
    once = z.numpy()
    for variable, value in zip(optimizer.variables, before, strict=True):
        variable.assign(value)
    z.assign(tf.zeros_like(z))
    optimizer.apply_gradients([(gradient, z)])
    np.testing.assert_array_equal(z.numpy(), once)
