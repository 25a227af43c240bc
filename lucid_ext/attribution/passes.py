"""Between two layers: whether one decides the other, and which targets can share a backward pass."""

import numpy as np

from lucid_ext.attribution.targets import Targets
from lucid_ext.models import VisionModel


def find_held(model: VisionModel, source: str, layer: str) -> tuple[str, ...]:
    """The nodes on paths around `source` to `layer`, which have to be held at an image's values.

    Raises:
        ValueError: the layer does not come after the source.
    """
    known = model.memo.setdefault("held", {})
    if (source, layer) not in known:
        check_order(model, source, layer)
        known[source, layer] = tuple(model.held(source, [layer]))
    return known[source, layer]


def find_dependencies(model: VisionModel, source: str, layer: str) -> tuple[np.ndarray, np.ndarray]:
    """`VisionModel.dependencies`, found once for each pair of layers."""
    known = model.memo.setdefault("dependencies", {})
    if (source, layer) not in known:
        known[source, layer] = model.dependencies(source, layer)
    return known[source, layer]


def share_passes(
    model: VisionModel, source: str, targets: Targets, spatial: bool
) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Targets, by the backward passes they can share: those that depend on different cells.

    Along each axis, targets a stride apart depend on different cells; the smallest such stride
    is used. They get their gradients from one pass, each its own part of the picture.

    Args:
        model: the network.
        source: the layer gradients are taken at.
        targets: of a later layer.
        spatial: whether the source has positions.

    Returns:
        The numbers of the targets of each pass; and for every target the rows (count, h) and columns
        (count, w) of the source it depends on, or (count, 1) ones where each has a pass of its own.
    """
    cells, everything = targets.cells, np.ones((targets.count, 1))
    alone = [np.array([i]) for i in range(targets.count)]
    if cells is None or len(cells) == 1 or not spatial:
        return alone, everything, everything
    rows, columns = find_dependencies(model, source, targets.layer)
    stride_y, stride_x = _stride(rows), _stride(columns)
    y, x = np.divmod(cells, len(columns))
    number = (y % stride_y) * stride_x + x % stride_x
    if len(np.unique(number)) == len(cells):
        return alone, everything, everything
    return [np.flatnonzero(number == k) for k in np.unique(number)], rows[y], columns[x]


def _stride(seen: np.ndarray) -> int:
    """How far apart along an axis two targets must be to depend on different cells."""
    meet = seen.astype(int) @ seen.T.astype(int) > 0
    first, second = np.nonzero(meet)
    return int(np.abs(first - second).max()) + 1


def check_order(model: VisionModel, source: str, layer: str) -> None:
    """Raise a ValueError unless the layer of the targets comes after the source."""
    if source == layer:
        raise ValueError(f"source and target are both {layer}: the source must come before the target.")
    try:
        model.held(source, [layer])
    except ValueError:
        pass
    else:
        return
    try:
        model.held(layer, [source])
    except ValueError:
        raise ValueError(
            f"{source} and {layer} do not lie on one path of {model.name}: neither decides the other."
        ) from None
    raise ValueError(f"{source} comes after {layer}: attribution goes from an earlier layer to a later one.")
