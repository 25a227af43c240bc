"""Pictures that become ready one after another, and how a panel takes them up."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
from PIL import Image

from lucid_ext.board import Panel
from lucid_ext.optvis import BATCH, Icon

Arrived = tuple[str, dict[int, np.ndarray]]
"""What became ready: the name of a list or a tiled grid, and {atom: uint8 (s, s, 3)}."""


def unless(asked: Callable[[], bool]) -> Callable[[], bool]:
    """Return the opposite of a question: `go_on` of `stop`, which is how rendering is told to end."""
    return lambda: not asked()


def missing_icons(panel: Panel, wanted: Iterable[int]) -> list[int]:
    """Of some units of a list, those that have no icon yet."""
    found = panel.pictures
    return [i for i in wanted if found is None or found[1][i] < 0]


def arrivals(name: str, units: Sequence[int], found: Iterable[tuple[int, Icon]]) -> Iterator[Arrived]:
    """Icons for a list as they come, (position in `units`, icon), a few at a time."""
    ready: dict[int, np.ndarray] = {}
    for i, icon in found:
        ready[units[i]] = icon.pixels
        if len(ready) == BATCH:
            yield name, ready
            ready = {}
    if ready:
        yield name, ready


def with_pictures(panel: Panel, arrived: Mapping[int, np.ndarray]) -> Panel:
    """A panel with pictures {atom: uint8 (s, s, 3)} added, or put in the place of earlier ones."""
    pictures, index = panel.pictures or (None, None)
    return panel.with_pictures(*_merged(pictures, index, len(panel), arrived))


def _merged(
    pictures: np.ndarray | None, index: np.ndarray | None, count: int, arrived: Mapping[int, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    new = np.stack(list(arrived.values()))
    if pictures is None or index is None:
        pictures, index = new[:0], np.full(count, -1, np.int32)
    side = max(pictures.shape[1], new.shape[1])  # sketches are smaller than what follows them
    pictures, new = _at_least(pictures, side), _at_least(new, side)
    atoms = np.array(list(arrived), np.int64)
    index = index.copy()
    fresh = index[atoms] < 0
    index[atoms[fresh]] = len(pictures) + np.arange(fresh.sum())
    pictures = np.concatenate([pictures, new[fresh]])
    pictures[index[atoms]] = new
    return pictures, index


def _at_least(pictures: np.ndarray, side: int) -> np.ndarray:
    """Square pictures enlarged to `side`, unless they are as large already."""
    if not len(pictures):
        return np.zeros((0, side, side, 3), np.uint8)
    if pictures.shape[1] == side:
        return pictures
    enlarged = [Image.fromarray(p).resize((side, side), Image.Resampling.BICUBIC) for p in pictures]
    return np.stack([np.asarray(p) for p in enlarged])
