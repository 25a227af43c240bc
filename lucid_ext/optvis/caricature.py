"""Caricatures: a photograph as a layer sees it, exaggerated."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from lucid_ext.models.vision_model import VisionModel
from lucid_ext.optvis.render import render_vis


def caricature(
    model: VisionModel,
    image: np.ndarray,
    layer: str,
    cell: tuple[int, int] | None = None,
    *,
    steps: int = 64,
    seed: int = 0,
    progress: bool = True,
    go_on: Callable[[], bool] = lambda: True,
) -> np.ndarray:
    """The image that goes furthest in the direction of a photograph's activations: float32 (h, w, 3)."""
    from lucid.optvis import param

    acts = model.activations(image, layer)
    target = acts[None] if cell is None else acts[None, cell[0], cell[1], None, None]

    def likeness(T: Callable[[str], Any]) -> tf.Tensor:
        return tf.reduce_mean(T(layer) * target)

    size = model.size
    options: dict[str, Any] = {
        "thresholds": (steps,),
        "transforms": [],
        "verbose": False,
        "progress": progress,
        "seed": seed,
    }
    return render_vis(model, likeness, lambda: param.image(size[1], size[0]), **options)[0][0]
