"""Layers and cells worth looking at first, of the many a network and a picture have."""

from collections.abc import Sequence

import numpy as np

from lucid_ext.models import VisionModel
from lucid_ext.models.opening import by_shapes

NAMED = 20  # cells whose own icon is rendered without being asked for


def first_layer(model: VisionModel, layers: Sequence[str]) -> str:
    """Return which of several layers with positions speaks first.

    It is the one the network opens with, or else what their shapes suggest.
    """
    first = model.opening.layer
    return first if first in layers else by_shapes({n: model.layers[n] for n in layers}, model.name).layer


def places(cells: np.ndarray) -> dict[str, int]:
    """Where to start: {what is special: cell}, from activations (cells, c)."""
    norms = np.linalg.norm(cells, axis=1)
    share = np.maximum(cells, 0) / np.maximum(np.maximum(cells, 0).sum(1, keepdims=True), 1e-12)
    entropy = -(share * np.log(np.maximum(share, 1e-12))).sum(1)
    mean = cells.mean(0)
    alike = cells @ mean / np.maximum(norms * np.linalg.norm(mean), 1e-12)
    return {
        "Strongest cell": int(norms.argmax()),
        "Most varied cell": int(entropy.argmax()),
        "Most unlike the rest": int(np.where(norms >= np.median(norms), alike, np.inf).argmin()),
        "Quietest cell": int(norms.argmin()),
    }


def named(cells: np.ndarray) -> list[int]:
    """The places to start from, then cells each as unlike those before as can be."""
    chosen = list(dict.fromkeys(places(cells).values()))
    unit = cells / np.maximum(np.linalg.norm(cells, axis=1, keepdims=True), 1e-12)
    nearest = (unit @ unit[chosen].T).max(1)
    while len(chosen) < min(NAMED, len(cells)):
        nearest[chosen] = np.inf
        chosen.append(int(nearest.argmin()))
        nearest = np.maximum(nearest, unit @ unit[chosen[-1]])
    return chosen


def around(cell: int, rows: int, cols: int, count: int) -> list[int]:
    """A cell and its nearest neighbours, `count` in all, nearest first."""
    ys, xs = np.divmod(np.arange(rows * cols), cols)
    y, x = divmod(cell, cols)
    return np.argsort((ys - y) ** 2 + (xs - x) ** 2, kind="stable")[:count].tolist()
