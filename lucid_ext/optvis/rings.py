"""Rings of frequencies: the Fourier coefficients of an image that are as many whole cycles from zero."""

import functools

import numpy as np
import tensorflow as tf


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
