"""Layers and cells worth looking at first, of the many a network and a picture have."""

from collections.abc import Sequence

import numpy as np

from lucid_ext.models import VisionModel
from lucid_ext.models.opening import by_shapes

INNER = 4  # rows and columns; a smaller grid is nearly all border
NAMED = 20  # cells whose own icon is rendered without being asked for


def first_layer(model: VisionModel, layers: Sequence[str]) -> str:
    """Return which of several layers with positions speaks first.

    It is the one the network opens with, or else what their shapes suggest.
    """
    first = model.opening.layer
    return first if first in layers else by_shapes({n: model.layers[n] for n in layers}, model.name).layer


def first_cell(strengths: np.ndarray) -> int:
    """Return the cell to begin with: the strongest of those that are not at the border.

    In a grid of fewer than `INNER` rows or columns, or where nothing answers inside, it is the strongest
    of all.

    Args:
        strengths: of the cells of a grid: (rows, cols).
    """
    inside = np.zeros(strengths.shape, bool)
    if min(strengths.shape) >= INNER:
        inside[1:-1, 1:-1] = strengths[1:-1, 1:-1] > 0
    return int(np.where(inside, strengths, -np.inf).argmax() if inside.any() else strengths.argmax())


def places(cells: np.ndarray) -> dict[str, int]:
    """Where else to look: {what is special: cell}, from activations (cells, c), border and all."""
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


def named(cells: np.ndarray, first: int) -> list[int]:
    """The first cell and the places to go to, then cells each as unlike those before as can be."""
    chosen = list(dict.fromkeys([first, *places(cells).values()]))
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
