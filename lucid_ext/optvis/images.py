"""Batches of images to optimise: what of their frequencies is free."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from lucid_ext.optvis import param


class FourierImages:
    """A batch of images given by free Fourier coefficients (see `param`)."""

    def __init__(self, batch: int, shape: tuple[int, int], *, sd: float, contrast: float, decay_power: float):
        """Make room for them; see `Recipe`.

        Args:
            batch: how many.
            shape: their height and width, in pixels.
            sd: standard deviation of random starts.
            contrast: factor on all frequencies.
            decay_power: how fast the weight of free frequencies falls.
        """
        self._shape, self._sd, self._decay_power = shape, sd, decay_power
        self._scale = contrast * self.sizes()
        self._z = tf.Variable(tf.zeros((batch, 2, 3, shape[0], shape[1] // 2 + 1)))
        self.variables = [self._z]

    def __call__(self) -> tf.Tensor:
        """The images: (n, h, w, 3) in [0, 1]."""
        return param.to_image(self.hold(self._z), self._scale, self._shape[1])

    def sizes(self) -> np.ndarray:
        """What coefficients are multiplied by, but for the contrast."""
        return param.frequency_scale(*self._shape, self._decay_power)

    def hold(self, z: tf.Tensor) -> tf.Tensor:
        """What of the coefficients is used: all of them."""
        return z

    def restart(self, generators: Sequence[np.random.Generator]) -> None:
        """Give every image a new random start from its own generator."""
        self.start(np.stack([param.initial_spectrum(g, *self._shape, self._sd) for g in generators]))

    def start(self, spectra: np.ndarray) -> None:
        """Go on from these coefficients: (n, 2, 3, h, w // 2 + 1)."""
        self._z.assign(spectra)

    def spectra(self) -> np.ndarray:
        """The coefficients as they are now."""
        return self._z.numpy()


class RingImages(FourierImages):
    """The same with every ring of frequencies as large as in photographs."""

    def sizes(self) -> np.ndarray:
        """Those of photographs."""
        return param.natural_sizes(*self._shape)

    def hold(self, z: tf.Tensor) -> tf.Tensor:
        """How coefficients are to each other within a ring, and their phases."""
        return param.held_in_rings(z)


class PhaseImages(RingImages):
    """The same with every coefficient as large as in photographs."""

    def hold(self, z: tf.Tensor) -> tf.Tensor:
        """Phases alone."""
        return param.held_in_phases(z)


SPECTRA = {"free": FourierImages, "rings": RingImages, "phases": PhaseImages}
