"""Adam for Fourier coefficients."""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

BETAS = 0.6, 0.9
"""Both memories are short: the gradient changes with every transformation anyway, and a longer one
costs more steps than it saves (`benchmarks/render.py`)."""

DAMPING = 0.01
"""Of the strongest ring's root mean square, added to that of every ring. More is less noise, and more
steps to the same objective: for 64 channels of mixed4d at 128 px between 128 and 160, where 0.003
takes 112 and leaves nearly twice the noise."""

EPSILON = 1e-12  # where there is no gradient at all


class FourierAdam(tf.keras.optimizers.Optimizer):
    """Adam (Kingma and Ba, 2014) whose second moment is one number per ring of frequencies.

    Adam divides each coefficient by its own running gradient, so that one with hardly any gradient
    takes as long a step as its neighbours, in a direction rounding decides. Here all coefficients
    of an image's colour with the same |frequency|, rounded to whole cycles per image, real and
    imaginary parts alike, share the mean square of their gradients. Frequencies are still equalized,
    but only as far as they matter: a ring whose gradient is below `damping` times the strongest
    ring's takes shorter steps. Pictures drive their units as strongly as with Adam, with a quarter
    to half of the energy in high frequencies, and rounding decides less of what they show
    (`benchmarks/render.py`).

    Variables are spectra (n, 2, 3, h, w // 2 + 1), as of `param.to_image`.
    """

    def __init__(self, learning_rate: Any, betas: tuple[float, float] = BETAS, damping: float = DAMPING):
        super().__init__(learning_rate=learning_rate, name="fourier_adam")
        self._betas, self._damping = betas, damping
        self._first: list[Any] = []
        self._second: list[Any] = []

    def build(self, variables: Sequence[tf.Variable]) -> None:
        """Make room for the moments."""
        if self.built:
            return
        super().build(variables)
        for variable in variables:
            self._first.append(self.add_variable_from_reference(variable, "first_moment"))
            self._second.append(self.add_variable_from_reference(variable, "second_moment"))

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor) -> None:
        """Move one spectrum against its gradient."""
        first, second = (
            moments[self._get_variable_index(variable)] for moments in (self._first, self._second)
        )
        beta1, beta2 = self._betas
        t = tf.cast(self.iterations + 1, tf.float32)
        first.assign(beta1 * first + (1 - beta1) * gradient)
        second.assign(beta2 * second + (1 - beta2) * ring_means(gradient**2))
        length = learning_rate * tf.sqrt(1 - beta2**t) / (1 - beta1**t)
        root = tf.sqrt(second)
        strongest = tf.reduce_max(root, axis=[1, 2, 3, 4], keepdims=True)
        variable.assign_sub(length * first / (root + self._damping * strongest + EPSILON))


def ring_means(values: tf.Tensor) -> tf.Tensor:
    """Means over rings: (n, 2, 3, h, w) -> the same shape, alike within a ring and for both parts."""
    n, _, colours, height, width = values.shape
    ring, count = rings(height, width)
    flat = tf.transpose(tf.reshape(tf.reduce_mean(values, 1), [n * colours, height * width]))
    means = tf.math.unsorted_segment_sum(flat, ring, len(count)) / count[:, None]
    spread = tf.reshape(tf.transpose(tf.gather(means, ring)), [n, 1, colours, height, width])
    return tf.broadcast_to(spread, values.shape)


@functools.cache
def rings(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """The ring each coefficient (h * w,) of a real image's spectrum lies in, and how many lie in each.

    `width` is that of the spectrum. Frequencies are in whole cycles per image, and those of an image
    that is not square along its height.
    """
    across = np.arange(width) * height / (2 * (width - 1))
    radius = np.hypot(np.fft.fftfreq(height)[:, None] * height, across)
    ring = np.round(radius).astype(np.int32).ravel()
    _, ring, count = np.unique(ring, return_inverse=True, return_counts=True)
    return ring.astype(np.int32), count.astype(np.float32)
