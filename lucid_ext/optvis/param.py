"""Images as something to optimise: Fourier coefficients in decorrelated colours.

An image is x = sigmoid(C F^-1(s z)): z are numbers, s scales each frequency, F^-1 is the inverse real
Fourier transform and C mixes decorrelated colours into RGB.

Where z are free and s falls as 1/f, gradient ascent moves all frequencies alike and keeps colours
natural (Olah et al., Feature Visualization, 2017). Scale and colours are Lucid's.

Where the sizes of frequencies are held at those of photographs, a picture has no more fine detail and
no more contrast than a photograph has. `phases` holds each coefficient's, so that only its phase is
free (Fel et al., Unlocking Feature Visualization for Deeper Networks with MAgnitude Constrained
Optimization, 2023). What an objective has no use for must then lie about as clouds. `rings` holds the
root mean square of each ring of frequencies: the background may be quiet where the subject is not.
"""

import functools
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from lucid_ext.optvis.rings import ring_means

DECAY_POWER = 1.0
LUCID_SCALE = 0.25  # Lucid divides its Fourier image by 4

PHOTOGRAPHS = ((0.49, 1.23), (0.43, 1.24), (0.31, 1.10))
"""(a, b) for each decorrelated colour: at k cycles across a photograph of n pixels, its coefficients have
the mean size n a / k^b, whatever n. Measured on ImageNet, within a fifth from 1 to 112 cycles."""

MEANS = (0.30, 0.44, 0.36)
"""The same at zero cycles, by choice three tenths of what photographs have: pictures are about grey."""

EPSILON = 1e-8  # under the root of a size, so that its gradient exists at zero


@functools.cache
def color_transform() -> np.ndarray:
    """(3, 3): from decorrelated colours (rows) to RGB (columns); Lucid's, of ImageNet."""
    from lucid.optvis.param import color

    return (color.color_correlation_svd_sqrt / color.max_norm_svd_sqrt).T.astype(np.float32)


def frequency_scale(height: int, width: int, decay_power: float = DECAY_POWER) -> np.ndarray:
    """What each Fourier coefficient is multiplied by: (h, w // 2 + 1) float32.

    1 / max(f, 1 / longest side)^decay_power, for an orthonormal transform.
    """
    fy, fx = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)
    f = np.hypot(fy, fx)
    return (LUCID_SCALE / np.maximum(f, 1.0 / max(height, width)) ** decay_power).astype(np.float32)


def natural_sizes(height: int, width: int) -> np.ndarray:
    """The sizes that Fourier coefficients have in photographs: (3, h, w // 2 + 1) float32.

    For an orthonormal transform of what the sigmoid is of, in decorrelated colours.
    """
    side = np.sqrt(height * width)
    cycles = side * np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width))
    falling = [a / np.maximum(cycles, 1e-9) ** b for a, b in PHOTOGRAPHS]
    return np.stack([side * np.where(cycles == 0, m, f) for f, m in zip(falling, MEANS, strict=True)]).astype(
        np.float32
    )


def held_in_phases(z: tf.Tensor) -> tf.Tensor:
    """Spectra (n, 2, 3, h, w) with every coefficient at size 1: only its phase is left."""
    return z / tf.sqrt(tf.reduce_sum(z**2, 1, keepdims=True) + EPSILON)


def held_in_rings(z: tf.Tensor) -> tf.Tensor:
    """Spectra (n, 2, 3, h, w) with every ring of frequencies at a root mean square size of 1."""
    return z / tf.sqrt(2 * ring_means(z**2) + EPSILON)


def phases(size: int, batch: int = 1) -> tf.Tensor:
    """Images whose phases alone are free, as `param_f` of `render_vis` makes them, in Lucid's manner.

    Args:
        size: their side, in pixels.
        batch: how many.

    Returns:
        (batch, size, size, 3) in [0, 1], made from one new variable.
    """
    return _held(size, batch, held_in_phases)


def rings(size: int, batch: int = 1) -> tf.Tensor:
    """The same of images whose rings of frequencies have the sizes they have in photographs."""
    return _held(size, batch, held_in_rings)


def _held(size: int, batch: int, hold: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
    if size < 2 or batch < 1:
        raise ValueError(f"there is no batch of {batch} images of {size} pixels; expected at least 1 of 2.")
    start = np.random.normal(size=(batch, 2, 3, size, size // 2 + 1)).astype(np.float32)  # as Lucid draws it
    return to_image(hold(tf.Variable(start)), natural_sizes(size, size), size)


def initial_spectrum(rng: np.random.Generator, height: int, width: int, sd: float) -> np.ndarray:
    """A random start for one image: (2, 3, h, w // 2 + 1) float32, real and imaginary parts."""
    return rng.normal(0.0, sd, (2, 3, height, width // 2 + 1)).astype(np.float32)


def to_image(z: tf.Tensor, scale: np.ndarray, width: int) -> tf.Tensor:
    """Spectra (n, 2, 3, h, w // 2 + 1) -> images (n, h, w, 3) in [0, 1].

    `scale` is what coefficients are multiplied by: (h, w // 2 + 1), or (3, h, w // 2 + 1).
    """
    height = scale.shape[-2]
    coefficients = tf.complex(z[:, 0] * scale, z[:, 1] * scale)
    pixels = tf.signal.irfft2d(coefficients, [height, width]) * np.float32(np.sqrt(height * width))
    decorrelated = tf.transpose(pixels, [0, 2, 3, 1])
    return tf.sigmoid(tf.einsum("nhwc,cd->nhwd", decorrelated, color_transform()))
