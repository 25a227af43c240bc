"""Caricatures: a photograph as a layer sees it, exaggerated."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from tqdm.auto import tqdm

from lucid_ext.models.vision_model import VisionModel
from lucid_ext.optvis.ascent import Ascent, uniform_draws
from lucid_ext.optvis.importance import composited, opacity
from lucid_ext.optvis.recipe import Recipe
from lucid_ext.optvis.recipes import recipe_of

COSINE_POWER = 2


def caricature(
    model: VisionModel,
    image: np.ndarray,
    layer: str,
    cell: tuple[int, int] | None = None,
    *,
    recipe: Recipe | None = None,
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
        recipe: how to render, at the network's size; by default the layer's `recipe_of` for caricatures.
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

    rng, recipe = np.random.default_rng(seed), recipe or recipe_of(model, layer, "caricature")
    images, fade = recipe.images(1, model.size), recipe.fade
    images.restart([rng])
    ascent = Ascent(
        model,
        likeness,
        images,
        images.variables,
        recipe.transform,
        recipe.optimizer(),
        importance=fade > 0,
    )
    for _ in tqdm(range(recipe.steps), desc=f"caricature of {layer}", unit="step", disable=not progress):
        if not go_on():
            break
        ascent.step(uniform_draws([rng]), {"target": target})
    drawn = ascent.images()
    return (composited(drawn, opacity(ascent.importance(), fade)) if fade else drawn)[0]
