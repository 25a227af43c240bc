"""Frozen graphs as data: read and check them, take their weights out, keep only a part."""

import math
from collections.abc import Collection, Iterable
from typing import TypeAlias

import numpy as np
import tensorflow as tf

GraphDef: TypeAlias = tf.compat.v1.GraphDef
NodeDef: TypeAlias = tf.compat.v1.NodeDef

# Below this many numbers a constant is a setting (an axis, a shape), not a weight.
SMALLEST_WEIGHT = 8

# A constant may state one number for a whole shape; this many in all are more than any graph needs.
MOST_CLAIMED = 1_000_000

# Far more than image classifiers have. TensorFlow follows the nodes by recursion, which ends in a
# crash at some 30,000 in a row.
MAX_NODES = 100_000
MAX_INPUTS = 1_000_000
MAX_DEPTH = 10_000

# No window, stride, padding, radius or block of an operation is wider.
MAX_ATTRIBUTE = 1024

# Where a constant keeps numbers that are not in `tensor_content`.
LISTS = ("half_val", "float_val", "double_val", "int_val", "int64_val", "bool_val", "string_val")

# Operations that read nothing.
SOURCES = {"Const", "NoOp", "Placeholder"}

# What an image classifier at inference is made of. Anything else is refused before it can run:
# a graph is a program, and some ops read files or call Python.
ALLOWED_OPS = {
    "Abs", "Add", "AddN", "AddV2", "ArgMax", "AvgPool", "BatchMatMul", "BatchMatMulV2",
    "BatchMatMulV3", "BiasAdd", "BroadcastTo", "Cast", "Ceil", "ClipByValue", "Concat", "ConcatV2",
    "Const", "Conv2D", "DepthwiseConv2dNative", "DepthToSpace", "Div", "Einsum", "Elu", "Equal",
    "Erf", "Erfc", "Exp", "ExpandDims", "Fill", "Floor", "FusedBatchNorm", "FusedBatchNormV2",
    "FusedBatchNormV3", "GatherV2", "Greater", "GreaterEqual", "Identity", "IdentityN", "Less",
    "LessEqual", "LogicalAnd", "LogicalNot", "LogicalOr", "LRN", "LeakyRelu", "Log", "LogSoftmax",
    "MatMul", "Max", "MaxPool", "MaxPoolV2", "Maximum", "Mean", "Min", "Minimum", "MirrorPad",
    "Mul", "Neg", "NoOp", "OneHot", "Pack", "Pad", "PadV2", "Placeholder", "PlaceholderWithDefault",
    "Pow", "Prod", "Range", "Rank", "RealDiv", "Reciprocal", "Relu", "Relu6", "Reshape",
    "ResizeBicubic", "ResizeBilinear", "ResizeNearestNeighbor", "ReverseV2", "Roll", "Rsqrt",
    "Select", "SelectV2", "Selu", "Shape", "Sigmoid", "Sign", "Size", "Slice", "Softmax",
    "Softplus", "SpaceToBatchND", "BatchToSpaceND", "SpaceToDepth", "Split", "SplitV", "Sqrt",
    "Square", "SquaredDifference", "Squeeze", "StopGradient", "StridedSlice", "Sub", "Sum", "Tanh",
    "Tile", "Transpose", "Unpack", "ZerosLike",
}  # fmt: skip


def read(data: bytes, name: str) -> GraphDef:
    """Parse and check a frozen graph.

    Args:
        data: the file's bytes.
        name: what to call it in an error.

    Raises:
        ValueError: one sentence saying what is wrong; nothing of the graph has run.
    """
    graph_def = GraphDef()
    try:
        graph_def.ParseFromString(data)
    except Exception as error:  # protobuf's DecodeError lives in a private module
        raise ValueError(
            f"{name} is not a frozen TensorFlow graph or is truncated "
            f"({len(data):,} bytes): fetch the file again."
        ) from error
    if not graph_def.node:
        raise ValueError(f"{name} holds no graph ({len(data):,} bytes): fetch the file again.")
    check(graph_def, name)
    return graph_def


def check(graph_def: GraphDef, name: str) -> None:
    """Refuse a graph that is not whole or does anything but compute; forget devices.

    Args:
        graph_def: the graph; nothing of it has run.
        name: what to call it in an error.
    """
    inputs = sum(len(node.input) for node in graph_def.node)
    if len(graph_def.node) > MAX_NODES or inputs > MAX_INPUTS:
        raise ValueError(
            f"{name} has {len(graph_def.node):,} nodes with {inputs:,} inputs, so it was not loaded; "
            f"expected at most {MAX_NODES:,} with {MAX_INPUTS:,}."
        )
    strange = sorted({node.op for node in graph_def.node} - ALLOWED_OPS)
    if strange or graph_def.library.function:
        what = ", ".join(strange) if strange else "functions"
        raise ValueError(
            f"{name} holds operations no frozen image classifier needs ({what}), "
            "so it was not loaded: export it for inference, with weights as constants."
        )
    claimed = 0
    known = {node.name for node in graph_def.node}
    if len(known) != len(graph_def.node):
        raise ValueError(f"{name} uses a node name twice, so it was not loaded.")
    for node in graph_def.node:
        missing = [node_of(i) for i in node.input if node_of(i) not in known]
        if missing:
            raise ValueError(f"{name} lacks node {missing[0]!r}, which {node.name!r} reads.")
        if node.op not in SOURCES and (not node.input or node.input[0].startswith("^")):
            raise ValueError(f"{name}: node {node.name!r} ({node.op}) reads nothing.")
        if node.op == "Const":
            claimed += _check_const(node, name)
        _check_attributes(node, name)
        node.device = ""
    if claimed > MOST_CLAIMED:
        raise ValueError(f"{name}: its constants claim {claimed:,} numbers the file does not hold.")
    for node in graph_def.node:
        if node.op == "Const" and node.attr["dtype"].type != node.attr["value"].tensor.dtype:
            raise ValueError(f"{name}: constant {node.name!r} is not of the type of its numbers.")


def _check_const(node: NodeDef, name: str) -> int:
    """How many numbers a constant claims beyond those it holds; refuse one that contradicts itself."""
    proto = node.attr["value"].tensor
    size = math.prod(d.size for d in proto.tensor_shape.dim)
    try:
        width = tf.as_dtype(proto.dtype).size
    except TypeError:
        raise ValueError(f"{name}: constant {node.name!r} is of no known type.") from None
    # Old writers list every number; a list that ends early stands for its last number repeated.
    listed = sum(len(getattr(proto, field)) for field in LISTS)
    content = len(proto.tensor_content)
    if any(d.size < 0 for d in proto.tensor_shape.dim) or listed > size or content not in (0, size * width):
        raise ValueError(f"{name}: constant {node.name!r} does not hold what its shape says.")
    return 0 if content else size - listed


def _check_attributes(node: NodeDef, name: str) -> None:
    """Refuse numbers that no operation of an image classifier is set to; they can bring TensorFlow down."""
    for key, value in node.attr.items():
        worst = max([value.i, *value.list.i], key=abs)
        if abs(worst) > MAX_ATTRIBUTE and not key.startswith("_"):
            raise ValueError(
                f"{name}: {key} of node {node.name!r} ({node.op}) is {worst}; expected at most "
                f"{MAX_ATTRIBUTE}."
            )


def node_of(tensor: str) -> str:
    """The node a tensor or control input comes from: "^a/b:1" -> "a/b"."""
    return tensor.lstrip("^").split(":")[0]


def add_pre_relu(graph_def: GraphDef) -> None:
    """Give each concatenation of ReLUs its `<name>_pre_relu`, as Lucid does.

    A mixed block's channels pass their ReLUs before they are concatenated; the added node
    concatenates what came before them, so that a unit can be read below zero too.
    """
    nodes = {node.name: node for node in graph_def.node}
    for node in list(graph_def.node):
        axis_first = node.op == "Concat"
        if not axis_first and node.op != "ConcatV2":
            continue
        towers = list(node.input[1:] if axis_first else node.input[:-1])
        relus = (node_of(t) in nodes and nodes[node_of(t)].op == "Relu" for t in towers)
        if f"{node.name}_pre_relu" in nodes or not towers or not all(relus):
            continue
        copy = graph_def.node.add()
        copy.CopyFrom(node)
        copy.name = f"{node.name}_pre_relu"
        before = [nodes[node_of(t)].input[0] for t in towers]
        copy.ClearField("input")
        copy.input.extend([node.input[0], *before] if axis_first else [*before, node.input[-1]])


def take_weights(graph_def: GraphDef) -> tuple[GraphDef, dict[str, np.ndarray]]:
    """Split a graph into its structure and its weights.

    Returns:
        The graph without the weights' nodes, and the weights by node name: float32, cast where the
        graph stores them in another precision. Who imports the structure maps the weights in.
    """
    readers: dict[str, list[str]] = {}
    for node in graph_def.node:
        for tensor in node.input:
            readers.setdefault(node_of(tensor), []).append(node.op)
    constants = {}
    for node in graph_def.node:
        if node.op == "Const" and tf.as_dtype(node.attr["dtype"].type).is_floating:
            value = tf.make_ndarray(node.attr["value"].tensor)
            if value.size >= SMALLEST_WEIGHT:
                constants[node.name] = value
    weights, gone = {}, set()
    for node in graph_def.node:
        source = node_of(node.input[0]) if node.input else ""
        if node.op == "Cast" and source in constants:
            weights[node.name] = constants[source].astype(np.float32, copy=False)
            gone |= {node.name, source}
        elif node.name in constants and set(readers.get(node.name, ())) != {"Cast"}:
            weights[node.name] = constants[node.name].astype(np.float32, copy=False)
            gone.add(node.name)
    structure = GraphDef(versions=graph_def.versions)
    structure.node.extend(node for node in graph_def.node if node.name not in gone)
    return structure, weights


def between(graph_def: GraphDef, replaced: Collection[str], fetch: Iterable[str]) -> GraphDef:
    """The nodes that `fetch` needs when the nodes in `replaced` are given from outside."""
    nodes = {node.name: node for node in graph_def.node}
    needed: set[str] = set()
    waiting = [name for name in fetch if name not in replaced]
    while waiting:
        name = waiting.pop()
        if name in needed or name not in nodes:
            continue
        needed.add(name)
        waiting.extend(s for s in map(node_of, nodes[name].input) if s not in replaced)
    part = GraphDef(versions=graph_def.versions)
    part.node.extend(node for node in graph_def.node if node.name in needed)
    return part


def in_order(graph_def: GraphDef, name: str) -> GraphDef:
    """Return the graph with its nodes in an order in which they can be computed.

    Args:
        graph_def: the graph.
        name: what to call it in an error.

    Raises:
        ValueError: nodes read each other in a circle, or too many in a row.
    """
    import networkx

    nodes = {node.name: node for node in graph_def.node}
    sources = {node.name: [s for s in map(node_of, node.input) if s in nodes] for node in graph_def.node}
    order = networkx.DiGraph()
    order.add_nodes_from(nodes)
    order.add_edges_from((source, reader) for reader, read in sources.items() for source in read)
    depth: dict[str, int] = {}
    try:
        for node in networkx.topological_sort(order):
            depth[node] = 1 + max((depth[source] for source in sources[node]), default=0)
    except networkx.NetworkXUnfeasible:
        raise ValueError(f"{name}: its nodes read each other in a circle; expected an order.") from None
    if max(depth.values(), default=0) > MAX_DEPTH:
        raise ValueError(
            f"{name} has {max(depth.values()):,} nodes in a row, so it was not loaded; expected at most "
            f"{MAX_DEPTH:,}."
        )
    result = GraphDef(versions=graph_def.versions)
    result.node.extend(nodes[node] for node in depth)
    return result
