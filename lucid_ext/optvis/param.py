"""Images as something to optimise: Fourier coefficients in decorrelated colours.

An image is x = sigmoid(C F^-1(s z)): z are free numbers, s scales each frequency by 1/f, F^-1 is
the inverse real Fourier transform and C mixes decorrelated colours into RGB. Gradient ascent on z
then moves all frequencies alike and keeps colours natural (Olah et al., Feature Visualization,
2017). Scale and colours are Lucid's.
"""

import functools

import numpy as np
import tensorflow as tf

DECAY_POWER = 1.0
LUCID_SCALE = 0.25  # Lucid divides its Fourier image by 4


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


def initial_spectrum(rng: np.random.Generator, height: int, width: int, sd: float) -> np.ndarray:
    """A random start for one image: (2, 3, h, w // 2 + 1) float32, real and imaginary parts."""
    return rng.normal(0.0, sd, (2, 3, height, width // 2 + 1)).astype(np.float32)


def to_image(z: tf.Tensor, scale: np.ndarray, width: int) -> tf.Tensor:
    """Spectra (n, 2, 3, h, w // 2 + 1) -> images (n, h, w, 3) in [0, 1]."""
    height = scale.shape[0]
    coefficients = tf.complex(z[:, 0] * scale, z[:, 1] * scale)
    pixels = tf.signal.irfft2d(coefficients, [height, width]) * np.float32(np.sqrt(height * width))
    decorrelated = tf.transpose(pixels, [0, 2, 3, 1])
    return tf.sigmoid(tf.einsum("nhwc,cd->nhwd", decorrelated, color_transform()))
