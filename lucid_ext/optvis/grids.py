"""Tiles: for every cell of a layer, the picture of its activation vector."""

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np

from lucid_ext.models.vision_model import VisionModel
from lucid_ext.optvis.icon import BATCH, SKETCH, stream_directions
from lucid_ext.optvis.store import IconStore


def stream_tiles(
    model: VisionModel,
    layer: str,
    acts: np.ndarray,
    *,
    store: IconStore | None = None,
    seed: int = 0,
    go_on: Callable[[], bool] = lambda: True,
    draft: bool = False,
) -> Iterator[tuple[list[int], np.ndarray]]:
    """Pictures of a layer's cells as they come: cells, uint8 (len(cells), s, s, 3); dead ones have none.

    Args:
        model: the network.
        layer: a layer with positions.
        acts: its activations, (h, w, c).
        store: where tiles are kept.
        seed: of the random start and transformations.
        go_on: asked before every step; once it says no, what is under way is dropped.
        draft: sooner, and rougher.
    """
    cells = acts.reshape(-1, acts.shape[-1])
    alive = np.flatnonzero(np.linalg.norm(cells, axis=1)).tolist()
    recipe = dataclasses.replace(SKETCH, size=40, steps=8 if draft else 24)
    for start in range(0, len(alive), BATCH):
        batch = alive[start : start + BATCH]
        found = list(stream_directions(model, layer, cells[batch], recipe, seed, store, go_on))
        if len(found) < len(batch):
            return
        yield [batch[i] for i, _ in found], np.stack([icon.pixels for _, icon in found])
