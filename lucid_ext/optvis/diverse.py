"""Several different icons of one unit, for units that answer to several things."""

from typing import Any

import numpy as np
import tensorflow as tf

from lucid_ext.models.vision_model import VisionModel
from lucid_ext.optvis.recipe import Recipe
from lucid_ext.optvis.recipes import recipe_of
from lucid_ext.optvis.render import render_vis

STRENGTH = 2.0
EPSILON = 0.01  # added to a drive before its logarithm


def diverse_icons(
    model: VisionModel,
    layer: str,
    unit: int,
    count: int = 4,
    *,
    strength: float = STRENGTH,
    recipe: Recipe | None = None,
    seed: int = 0,
    progress: bool = True,
) -> np.ndarray:
    """Icons of one channel that are made to differ: Lucid's `diversity`, in one batch.

    x* = argmax_x E_t[ mean_i log a_i - strength * mean_{i != j} <G_i, G_j> ], where a_i is how
    strongly the i-th image drives the channel (mean over positions) and G_i its Gram matrix of the
    layer's channels, of length 1. The logarithm makes `strength` mean the same for a channel that
    fires by 0.1 and one that fires by 10: what the images may lose of their drive, as a factor
    e^-strength, to become as different as can be (Olah et al., Feature Visualization, 2017, use a
    weight found by hand). Rendered anew at each call, not stored.

    Args:
        model: the network.
        layer: a layer with positions.
        unit: the channel.
        count: how many icons.
        strength: how much being different counts.
        recipe: how to render; by default as the layer's icons.
        seed: of the random starts and transformations.
        progress: show a progress bar.

    Returns:
        uint8 (count, size, size, 3).
    """
    model.check_spatial(layer)
    model.check_unit(layer, unit)
    if not 2 <= count <= 16:
        raise ValueError(f"{count} icons cannot differ from each other; expected 2 to 16.")
    from lucid.optvis import objectives

    alike = objectives.diversity(layer)

    def objective(T: Any) -> tf.Tensor:
        driven = tf.reduce_mean(T(layer)[..., unit], [1, 2])
        return tf.reduce_mean(tf.math.log(tf.maximum(driven, 0.0) + EPSILON)) - strength * alike(T) / (
            count - 1
        )

    (images,) = render_vis(
        model,
        objective,
        verbose=False,
        recipe=recipe or recipe_of(model, layer),
        batch=count,
        seed=seed,
        progress=progress,
    )
    return np.round(images * 255).astype(np.uint8)
