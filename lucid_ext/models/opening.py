"""Where to begin looking at a network: which layers interfaces open with."""

import dataclasses
from collections.abc import Mapping
from typing import Any

FINE = 8 * 8  # cells; on a coarser grid a cell is no place of the picture any more
SERIES = 4  # layers that are shown side by side
FLOW = 2  # layers between which groups flow

Shapes = Mapping[str, tuple[int, ...]]
"""{layer: (h, w, c), or (c,) without positions}, from the image on."""


@dataclasses.dataclass(frozen=True)
class Opening:
    """The layers that interfaces open with; all have positions.

    Attributes:
        layer: of interfaces of one layer: deep, on a grid that is still fine.
        offered: what these offer instead.
        series: of interfaces of several layers, from fine to coarse.
        flow: of groups that flow from layer to layer.
    """

    layer: str
    offered: tuple[str, ...]
    series: tuple[str, ...]
    flow: tuple[str, ...]


def by_shapes(shapes: Shapes, name: str) -> Opening:
    """Return what the shapes of a network's layers suggest.

    The layer is the deepest whose grid is still fine; series and flow have the last layer of each size
    of grid, the coarsest of them.

    Raises:
        ValueError: there is no layer with positions. `name` is what to call the network.
    """
    spatial = {layer: shape for layer, shape in shapes.items() if len(shape) == 3}
    if not spatial:
        raise ValueError(f"{name} has no layer with positions, so there is no place to look at.")
    finest = max(h * w for h, w, _ in spatial.values())
    last = {shape[:2]: layer for layer, shape in spatial.items()}
    several = [layer for grid, layer in last.items() if grid != (1, 1) or len(last) == 1]
    return Opening(
        [layer for layer, (h, w, _) in spatial.items() if h * w >= min(FINE, finest)][-1],
        tuple(spatial),
        tuple(several[-SERIES:]),
        tuple(several[-FLOW:]),
    )


def stated(said: Any, shapes: Shapes, name: str) -> Opening:
    """Return what a network's card says.

    Args:
        said: {"layer": a layer, "offered": [...], "series": [...], "flow": [...]}.
        shapes: of the network's layers.
        name: what to call the network in an error.

    Raises:
        ValueError: one sentence; something is missing, or names no layer with positions.
    """
    fields = [field.name for field in dataclasses.fields(Opening)]
    if not isinstance(said, Mapping) or set(said) != set(fields):
        raise ValueError(f"the opening of {name} is {said!r}; expected {', '.join(fields)}, each of layers.")
    for field, layers in said.items():
        several = [layers] if field == "layer" else layers
        known = [layer for layer, shape in shapes.items() if len(shape) == 3]
        if not isinstance(several, list | tuple) or not several or not all(one in known for one in several):
            raise ValueError(
                f"the opening of {name} has {field} {layers!r}; expected layers with positions: "
                f"{', '.join(known)}."
            )
    return Opening(said["layer"], *(tuple(said[field]) for field in fields[1:]))
