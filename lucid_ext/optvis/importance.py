"""The mask of importance: where an objective never cared for a picture, it fades to mid grey.

As in magnitude-constrained optimization (Fel et al. 2023): the sizes of gradients at the image's pixels
are added up over all steps. Pixels that hardly ever had any came out of the random start, not out of
the network, and a reader must not take them for a finding.
"""

import numpy as np
import tensorflow as tf

from lucid_ext.optvis.transform import GREY

FADE = 0.8
"""The quantile of importance from which on pixels are fully seen, where nothing else is said."""

BLUR = 0.03  # sides; the gradients of a few steps are speckled


def importance_of(gradients: tf.Tensor) -> tf.Tensor:
    """Return how much one step cared for each pixel: (n, h, w, colours) -> (n, h, w), mean 1 per image."""
    found = tf.reduce_sum(tf.abs(gradients), -1)
    return found / (tf.reduce_mean(found, [1, 2], keepdims=True) + 1e-20)


def opacity(importance: np.ndarray, fade: float = FADE) -> np.ndarray:
    """Return how far each pixel is seen: its importance as a share of the `fade` quantile's, up to 1.

    Args:
        importance: (n, h, w), not negative, added up over steps.
        fade: a quantile in [0, 1); at 0 all pixels are seen.

    Returns:
        float32 (n, h, w) in [0, 1]; all of an image that has no importance anywhere is seen.
    """
    if fade == 0:
        return np.ones_like(importance, dtype=np.float32)
    smooth = _blurred(np.asarray(importance, np.float32))
    full = np.quantile(smooth, fade, axis=(1, 2), keepdims=True)
    return np.where(full > 0, np.minimum(smooth / np.maximum(full, 1e-20), 1.0), 1.0).astype(np.float32)


def composited(images: np.ndarray, opacities: np.ndarray) -> np.ndarray:
    """Return images (n, h, w, 3) on mid grey, as far as they are seen (n, h, w)."""
    return (GREY + opacities[..., None] * (images - GREY)).astype(np.float32)


def _blurred(values: np.ndarray) -> np.ndarray:
    """Values (n, h, w) after a Gaussian of `BLUR` sides; beyond the edges lies what is at them."""
    for axis in (1, 2):
        sd = BLUR * values.shape[axis]
        reach = max(1, int(np.ceil(3 * sd)))
        kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sd) ** 2)
        padding = [(reach, reach) if i == axis else (0, 0) for i in range(3)]
        padded = np.pad(values, padding, mode="edge")
        values = np.apply_along_axis(np.convolve, axis, padded, kernel / kernel.sum(), mode="valid")
    return values
