"""Caricatures: a photograph as a layer sees it, exaggerated."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from tqdm.auto import tqdm

from lucid_ext.models.vision_model import VisionModel
from lucid_ext.optvis import param
from lucid_ext.optvis.adam import FourierAdam
from lucid_ext.optvis.ascent import Ascent, uniform_draws
from lucid_ext.optvis.transform import Transform

SHIFT = Transform(pad=4, jitter=8, scales=(1.0,), angles=(0.0,))
"""Up to four pixels each way: a place of the picture stays the same place of the layer."""

COSINE_POWER = 2
RATE = 0.25  # the first step size; it falls to zero on a cosine
DECAY_POWER, CONTRAST = 1.5, 0.5  # of the image's frequencies, as for icons


def caricature(
    model: VisionModel,
    image: np.ndarray,
    layer: str,
    cell: tuple[int, int] | None = None,
    *,
    steps: int = 48,
    seed: int = 0,
    progress: bool = True,
    go_on: Callable[[], bool] = lambda: True,
) -> np.ndarray:
    """The image that goes as far as it can in the direction in which a photograph lies for a layer.

    x* = argmax_x E_t[<f(t(x)), a> max(0.1, cos(f(t(x)), a))^2], where a are the layer's activations
    (before any cap) for the photograph at all positions together, or at one cell alone, at length 1; t
    moves x a little. That is the objective of Lucid's caricatures.

    Args:
        model: the network.
        image: (H, W, 3) in [0, 1]; its centre at the network's size is used.
        layer: a layer with positions.
        cell: (row, column) of the layer, to exaggerate what it sees at one place; all by default.
        steps: how many steps of `FourierAdam`.
        seed: same seed, same picture.
        progress: show a progress bar.
        go_on: asked before every step; once it says no, the picture is returned as it is.

    Returns:
        float32 (height, width, 3) in [0, 1], of the network's size.

    Raises:
        ValueError: for a layer without positions or a cell it does not have, and where the layer is
            zero for the photograph: then there is nothing to exaggerate.
    """
    model.check_spatial(layer)
    height, width = model.layers[layer][:2]
    acts, node = model.activations(image, layer, uncapped=True), model.uncapped(layer)
    if cell is not None:
        if not (0 <= cell[0] < height and 0 <= cell[1] < width):
            raise ValueError(f"{layer} has {height} x {width} cells; there is no cell {tuple(cell)}.")
        mask = np.zeros((height, width, 1), np.float32)
        mask[cell] = 1.0
    else:
        mask = np.ones((height, width, 1), np.float32)
    length = np.linalg.norm(acts * mask)
    if length == 0:
        raise ValueError(f"{layer} is zero there for this image: there is nothing to exaggerate.")
    target = (acts * mask / length).astype(np.float32)[None]

    def likeness(T: Callable[[str], Any]) -> tf.Tensor:
        seen = T(node) * mask
        dot = tf.reduce_sum(seen * T("target"))
        cosine = dot / tf.sqrt(tf.reduce_sum(seen**2) + 1e-8)
        return dot * tf.maximum(0.1, cosine) ** COSINE_POWER

    rng = np.random.default_rng(seed)
    scale = CONTRAST * param.frequency_scale(*model.size, DECAY_POWER)
    z = tf.Variable(param.initial_spectrum(rng, *model.size, sd=0.01)[None])
    rate = tf.keras.optimizers.schedules.CosineDecay(RATE, steps)

    def images() -> tf.Tensor:
        return param.to_image(z, scale, model.size[1])

    ascent = Ascent(model, likeness, images, [z], SHIFT, FourierAdam(rate))
    for _ in tqdm(range(steps), desc=f"caricature of {layer}", unit="step", disable=not progress):
        if not go_on():
            break
        ascent.step(uniform_draws([rng]), {"target": target})
    return ascent.images()[0]
