"""Layers and cells worth looking at first, of the many a network and a picture have."""

from collections.abc import Mapping, Sequence

import numpy as np

from lucid_ext.models import VisionModel

FIRST = "mixed4d"  # InceptionV1's layer of whole objects and their parts
FINE = 8 * 8  # cells; on a coarser grid a cell is no place of the picture any more
NAMED = 20  # cells whose own icon is rendered without being asked for


def first_layer(spatial: Mapping[str, tuple[int, ...]]) -> str:
    """The layer to begin with, of {name: (h, w, c)} in order: the deepest whose grid is still fine."""
    if FIRST in spatial:
        return FIRST
    finest = max(h * w for h, w, _ in spatial.values())
    return [name for name, (h, w, _) in spatial.items() if h * w >= min(FINE, finest)][-1]


def default_layers(model: VisionModel, wanted: Sequence[str], count: int) -> list[str]:
    """The `wanted` layers, or the last one of each size of grid, the coarsest `count` of them."""
    if all(name in model.layers for name in wanted):
        return list(wanted)
    last = {shape[:2]: name for name, shape in model.layers.items() if len(shape) == 3}
    if not last:
        raise ValueError(f"{model.name} has no layer with positions, so there is no place to look at.")
    return [name for shape, name in last.items() if shape != (1, 1) or len(last) == 1][-count:]


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
