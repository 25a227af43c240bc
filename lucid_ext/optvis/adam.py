"""Adam for Fourier coefficients."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from lucid_ext.optvis.rings import ring_means

BETAS = 0.6, 0.9
"""Both memories are short: the gradient changes with every transformation anyway, and a longer one
costs more steps than it saves (`benchmarks/render.py`)."""

DAMPING = 0.01
"""Of the strongest ring's root mean square, added to that of every ring. More is less noise, and more
steps to the same objective: for 64 channels of `mini`'s mixed4d at 128 px between 128 and 160, where 0.003
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
