"""A network's layers as a table: shapes, and how much of the image one cell can see."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from lucid_ext.models.graph import GraphDef, NodeDef, between, node_of
from lucid_ext.storage.markup import escaped

# Ops whose output at a place depends on their inputs at that place alone.
LOCAL_OPS = frozenset(
    [
        "Add",
        "AddN",
        "AddV2",
        "BiasAdd",
        "Cast",
        "Concat",
        "ConcatV2",
        "Div",
        "Elu",
        "Erf",
        "Exp",
        "FusedBatchNorm",
        "FusedBatchNormV2",
        "FusedBatchNormV3",
        "Identity",
        "LRN",
        "LeakyRelu",
        "Log",
        "LogSoftmax",
        "Maximum",
        "MirrorPad",
        "Minimum",
        "Mul",
        "Neg",
        "Pad",
        "PadV2",
        "Pow",
        "RealDiv",
        "Relu",
        "Relu6",
        "Rsqrt",
        "Selu",
        "Sigmoid",
        "Softmax",
        "Softplus",
        "Sqrt",
        "Square",
        "SquaredDifference",
        "StopGradient",
        "Sub",
        "Tanh",
    ]
)
PADDINGS = {"Pad", "PadV2", "MirrorPad"}
CONVOLUTIONS = {"Conv2D", "DepthwiseConv2dNative"}
POOLINGS = {"AvgPool", "MaxPool"}

Shape = tuple[int, ...]
Window = tuple[float, ...]
"""(height, width)."""

WHOLE: Window = (math.inf, math.inf)
COLUMNS = ("layer", "grid", "channels", "receptive field")


class Layers(dict[str, Shape]):
    """{name: shape} that prints as a table; (h, w, c), or (c,) for a layer without positions.

    Attributes:
        receptive_fields: {name: (height, width)} in pixels of the input, beyond the image's edge
            too, of what one cell can depend on; infinite where that is the whole image.
    """

    def __init__(self, shapes: Mapping[str, Shape], receptive_fields: Mapping[str, Window]):
        super().__init__(shapes)
        self.receptive_fields = dict(receptive_fields)

    def rows(self) -> list[tuple[str, str, str, str]]:
        """The table's cells, as text."""
        return [
            (name, _by(shape[:-1]) or "-", str(shape[-1]) if shape else "-", self._field(name))
            for name, shape in self.items()
        ]

    def _field(self, name: str) -> str:
        window = self.receptive_fields.get(name, WHOLE)
        if math.inf in window:
            return "whole image"
        return f"{window[0]:.0f} px" if window[0] == window[1] else f"{_by(window)} px"

    def __repr__(self) -> str:
        """A row per layer, columns aligned."""
        rows = [COLUMNS, *self.rows()]
        widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
        lines = (
            f"{row[0]:<{widths[0]}}" + "".join(f"  {row[i]:>{widths[i]}}" for i in (1, 2, 3)) for row in rows
        )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        def line(tag: str, cells: Sequence[str]) -> str:
            return "<tr>" + "".join(f"<{tag}>{escaped(cell)}</{tag}>" for cell in cells) + "</tr>"

        body = "".join(line("td", row) for row in self.rows())
        return f"<table><thead>{line('th', COLUMNS)}</thead><tbody>{body}</tbody></table>"


def _by(sizes: Sequence[float]) -> str:
    return " × ".join(f"{size:.0f}" for size in sizes)


def receptive_fields(
    graph_def: GraphDef, kernels: Mapping[str, Shape], names: Sequence[str], source: str = "input"
) -> dict[str, Window]:
    """How much of `source` one cell of each layer can depend on, from the graph alone.

    A window of k cells, d apart, on a layer whose cells are j pixels apart widens the field r to
    r + (k - 1) d j; a stride of s makes cells s j pixels apart (Araujo et al., Computing Receptive
    Fields of Convolutional Neural Networks, Distill 2019).

    Args:
        graph_def: a graph in NHWC.
        kernels: the shapes of its weights, by node name.
        names: the layers.
        source: the node the image comes in at.

    Returns:
        {name: (height, width)} in pixels; infinite where an op mixes positions freely.
    """
    import networkx

    part = between(graph_def, {source}, names)
    nodes = {node.name: node for node in part.node}
    paths = networkx.DiGraph((node_of(i), node.name) for node in part.node for i in node.input)
    fields: dict[str, Window] = {source: (1.0, 1.0)}
    steps = dict(fields)  # pixels between cells
    for name in networkx.topological_sort(paths):
        reached = [n for n in paths.predecessors(name) if n in fields]
        if not reached:
            continue  # the source, or what does not depend on it
        node = nodes[name]
        field, step = _largest([fields[n] for n in reached]), _largest([steps[n] for n in reached])
        if node.op in CONVOLUTIONS | POOLINGS:
            window, apart = _window(node, nodes, kernels)
            field = tuple(f + (k - 1) * d * s for f, k, d, s in zip(field, window, apart, step, strict=True))
            step = tuple(s * by for s, by in zip(step, node.attr["strides"].list.i[1:3], strict=True))
        elif node.op not in LOCAL_OPS:
            field = WHOLE
        fields[name], steps[name] = field, step
    return {name: fields.get(name, WHOLE) for name in names}


def dependencies(
    graph_def: GraphDef,
    kernels: Mapping[str, Shape],
    source: str,
    grid: Shape,
    target: str,
    target_grid: Shape,
) -> tuple[np.ndarray, np.ndarray]:
    """Which cells of one layer a cell of a later one can depend on, from the graph alone.

    Args:
        graph_def: a graph in NHWC.
        kernels: the shapes of its weights, by node name.
        source: the earlier layer.
        grid: its (height, width) in cells.
        target: the later layer.
        target_grid: its (height, width) in cells.

    Returns:
        Boolean (H, h) and (W, w): cell (Y, X) depends on no other cells (y, x) than those with
        `rows[Y, y] and columns[X, x]`. True everywhere where an op mixes positions freely.
    """
    import networkx

    part = between(graph_def, {source}, [target])
    nodes = {node.name: node for node in part.node}
    paths = networkx.DiGraph((node_of(i), node.name) for node in part.node for i in node.input)
    found: dict[str, list[np.ndarray] | None] = {source: [np.eye(size, dtype=bool) for size in grid]}
    for name in networkx.topological_sort(paths):
        reached = [found[n] for n in paths.predecessors(name) if n in found]
        if not reached:
            continue
        node, first = nodes[name], reached[0]
        axes = None
        if first is not None and all(
            other is not None and [a.shape for a in other] == [a.shape for a in first] for other in reached
        ):
            axes = [np.any(axis, axis=0) for axis in zip(*filter(None, reached), strict=True)]
        if axes is not None and node.op in CONVOLUTIONS | POOLINGS:
            axes = _through_window(node, _window(node, nodes, kernels), axes)
        elif node.op not in LOCAL_OPS - PADDINGS:
            axes = None
        found[name] = axes
    axes = found.get(target)
    if axes is None or tuple(len(axis) for axis in axes) != tuple(target_grid):
        axes = [np.ones((after, before), bool) for after, before in zip(target_grid, grid, strict=True)]
    return axes[0], axes[1]


def _through_window(
    node: NodeDef, window: tuple[Window, Window], axes: Sequence[np.ndarray]
) -> list[np.ndarray] | None:
    """Dependencies of what a convolution or pooling gives, from those of what it reads."""
    padding = node.attr["padding"].s
    if padding not in (b"SAME", b"VALID") or WHOLE[0] in window[0]:
        return None
    found = []
    strides = list(node.attr["strides"].list.i[1:3])
    for axis, size, apart, stride in zip(axes, *window, strides, strict=True):
        size, apart, stride = int(size), int(apart), int(stride)
        count, reach = len(axis), (size - 1) * apart + 1
        after = -(-count // stride) if padding == b"SAME" else (count - reach) // stride + 1
        before = max((after - 1) * stride + reach - count, 0) // 2 if padding == b"SAME" else 0
        out = np.zeros((after, axis.shape[1]), bool)
        for i in range(after):
            read = i * stride - before + apart * np.arange(size)
            out[i] = axis[read[(read >= 0) & (read < count)]].any(0)
        found.append(out)
    return found


def _largest(windows: Sequence[Window]) -> Window:
    return tuple(max(sizes) for sizes in zip(*windows, strict=True))


def _window(
    node: NodeDef, nodes: Mapping[str, NodeDef], kernels: Mapping[str, Shape]
) -> tuple[Window, Window]:
    """The (height, width) of what a cell of a convolution or pooling reads, and how far apart."""
    if node.op in POOLINGS:
        return tuple(node.attr["ksize"].list.i[1:3]), (1, 1)
    kernel = node_of(node.input[1])
    while kernel in nodes and nodes[kernel].op == "Identity":
        kernel = node_of(nodes[kernel].input[0])
    # Old files have no dilations; to ask for them by [] would write them in.
    dilations = node.attr.get("dilations")
    return kernels.get(kernel, WHOLE)[:2], tuple(dilations.list.i[1:3]) if dilations else (1, 1)
