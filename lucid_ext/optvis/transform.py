"""Random transformations an icon must survive: Lucid's, drawn for each image on its own.

Shift, scale and turn are one affine map, so each image is resampled once, bilinearly. Outside the
image lies mid-grey. The random numbers come from outside, so that they depend on nothing but an
image's own seed.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

DRAWS = 4  # uniform numbers one image needs for one step: two shifts, a scale, an angle
GREY = 0.5


@dataclasses.dataclass(frozen=True)
class Transform:
    """A distribution over affine maps of an image.

    Attributes:
        pad: pixels of grey added on each side.
        jitter: pixels cropped again, half of them on each side on average.
        scales: factors to choose from.
        angles: degrees to choose from.
    """

    pad: int
    jitter: int
    scales: Sequence[float]
    angles: Sequence[float]

    def out_size(self, height: int, width: int) -> tuple[int, int]:
        """The size of transformed images."""
        grown = 2 * self.pad - self.jitter
        return height + grown, width + grown

    def __call__(self, images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """Transform each image by its own draw.

        Args:
            images: (n, h, w, 3) in [0, 1], of known h and w.
            draws: (n, 4), uniform in [0, 1).

        Returns:
            (n, h', w', 3), as `out_size` says.
        """
        _, height, width, channels = images.shape
        out_h, out_w = self.out_size(height, width)
        shift = (draws[:, :2] - 0.5) * float(self.jitter)
        scale = _choose(self.scales, draws[:, 2])
        angle = _choose(np.radians(self.angles), draws[:, 3])
        cos, sin = tf.cos(angle) / scale, tf.sin(angle) / scale
        # From an output pixel, relative to the centre, to the input pixel it shows.
        x = (width - 1) / 2 + shift[:, 0] - (cos * (out_w - 1) - sin * (out_h - 1)) / 2
        y = (height - 1) / 2 + shift[:, 1] - (sin * (out_w - 1) + cos * (out_h - 1)) / 2
        zero = tf.zeros_like(angle)
        warped = tf.raw_ops.ImageProjectiveTransformV3(
            images=images - GREY,
            transforms=tf.stack([cos, -sin, x, sin, cos, y, zero, zero], 1),
            output_shape=[out_h, out_w],
            fill_value=0.0,
            interpolation="BILINEAR",
        )
        warped.set_shape([images.shape[0], out_h, out_w, channels])
        return warped + GREY


@dataclasses.dataclass(frozen=True)
class Crops:
    """A distribution over square crops of an image, each resized to the same side.

    Attributes:
        size: the side of what comes out, in pixels.
        mean: of the crop's side, as a share of the image's.
        deviation: its standard deviation (a normal distribution, cut off at `least` and at 1).
        least: the smallest.
    """

    size: int = 96
    mean: float = 0.85
    deviation: float = 0.15
    least: float = 0.5

    def out_size(self, height: int, width: int) -> tuple[int, int]:
        """The size of crops, whatever that of the images."""
        return self.size, self.size

    def __call__(self, images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """Crop each image by its own draw.

        Args:
            images: (n, h, w, 3) in [0, 1].
            draws: (n, 4), uniform in [0, 1): for the side and the place; the fourth is not used.

        Returns:
            (n, size, size, 3).
        """
        drawn = self.mean + self.deviation * tf.math.ndtri(tf.clip_by_value(draws[:, 0], 1e-4, 1 - 1e-4))
        side = tf.clip_by_value(drawn, self.least, 1.0)
        top, left = draws[:, 1] * (1 - side), draws[:, 2] * (1 - side)
        boxes = tf.stack([top, left, top + side, left + side], 1)
        return tf.image.crop_and_resize(images, boxes, tf.range(images.shape[0]), [self.size, self.size])


def _choose(values: Sequence[float] | np.ndarray, uniform: tf.Tensor) -> tf.Tensor:
    """One of `values` for each uniform number."""
    index = tf.cast(uniform * float(len(values)), tf.int32)
    return tf.gather(tf.constant(values, tf.float32), tf.minimum(index, len(values) - 1))


STANDARD = Transform(
    pad=12,
    jitter=12,
    scales=tuple(1 + (i - 5) / 50 for i in range(11)),
    angles=(*range(-10, 11), 0, 0, 0, 0, 0),
)
"""Lucid's `transform.standard_transforms`: pad 12, jitter 8 and 4, scale 0.9..1.1, turn +-10 degrees."""

WINDOW = Transform(
    pad=2,
    jitter=16,
    scales=tuple(1 + (i - 5) / 100 for i in range(11)),
    angles=tuple(range(-5, 6)),
)
"""For icons: milder, and a window a little smaller than the image, where Lucid's is larger: each
step is cheaper and reaches as far."""

SHIFT = Transform(pad=4, jitter=8, scales=(1.0,), angles=(0.0,))
"""For caricatures: up to four pixels each way, so places of picture and layer stay the same."""

CROPS = Crops()
"""For pictures with the frequencies of photographs: seen at the size they are shown at, on average."""
