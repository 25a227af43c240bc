"""What a graph would compute, known before it runs: the shape of every tensor, and that none is too large.

TensorFlow infers shapes, but evaluates on the way whatever it can of the settings that decide them,
however much memory that takes. So a graph goes in by rounds: no node is added before what could be
evaluated for it is known to be small.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import tensorflow as tf

from lucid_ext.models.graph import GraphDef, NodeDef, node_of

Shape: TypeAlias = tuple[int, ...]
Tensors: TypeAlias = Sequence[tf.Tensor]

# Of one image. A U-Net of 1,024 pixels makes tensors of 0.5 GB and takes 8e11 multiplications.
MAX_TENSOR_BYTES = 2 * 10**9
MAX_TOTAL_BYTES = 64 * 10**9
MAX_MULTIPLICATIONS = 4 * 10**12

# For shapes, paddings and masks, which TensorFlow computes anew where they are read.
MAX_FOR_SETTINGS = 10**9

# As many multiplications as a product of matrices does while anything else does one step.
PER_STEP = 100

SHAPE_OPS = {"Rank", "Shape", "Size"}
FREE = {"Const", "ExpandDims", "Identity", "NoOp", "Placeholder", "Reshape", "Squeeze", *SHAPE_OPS}
PRODUCTS = {"BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "MatMul"}
POOLINGS = {"AvgPool", "MaxPool"}


def infer_shapes(graph_def: GraphDef, given: Mapping[str, tf.TensorSpec], name: str) -> dict[str, Shape]:
    """Return the shape of every node's first output; only what decides shapes is computed.

    Args:
        graph_def: a checked graph or a part of one, its nodes in order.
        given: shapes and types of the nodes it reads from outside, for one image.
        name: what to call it in an error.

    Raises:
        ValueError: one sentence; it cannot be computed, a size is not known before it runs, or it
            would take too much memory or time.
    """
    shapes: dict[str, Shape] = {}
    total_bytes = multiplications = for_settings = 0
    for node, is_setting, inputs, outputs in _inferred(graph_def, given, name):
        what = f"{name}: its node {node.name!r} ({node.op})"
        if not all(tensor.shape.is_fully_defined() for tensor in outputs):
            raise ValueError(
                f"{what} makes a tensor whose size is not known beforehand; expected one that the size of "
                "the image decides."
            )
        if outputs:
            shapes[node.name] = tuple(outputs[0].shape)
        if node.op in FREE:
            continue
        size = sum(math.prod(tensor.shape) * tensor.dtype.size for tensor in outputs)
        needed = _multiplications(node, inputs, outputs)
        total_bytes += size
        multiplications += needed
        for_settings += needed if is_setting else 0
        for amount, limit, sentence in (
            (size, MAX_TENSOR_BYTES, "would make a tensor of {} GB"),
            (total_bytes, MAX_TOTAL_BYTES, "would bring what it makes of an image to {} GB"),
            (multiplications, MAX_MULTIPLICATIONS, "would bring its work to {} billion multiplications"),
            (
                for_settings,
                MAX_FOR_SETTINGS,
                "would bring its work on constants to {} billion multiplications",
            ),
        ):
            if amount > limit:
                raise ValueError(
                    f"{what} {sentence.format(f'{amount / 1e9:,.1f}')}; expected at most {limit / 1e9:,.0f}: "
                    "take a smaller network, or smaller images."
                )
    return shapes


def _inferred(
    graph_def: GraphDef, given: Mapping[str, tf.TensorSpec], name: str
) -> Iterator[tuple[NodeDef, bool, Tensors, Tensors]]:
    """Yield each node, whether settings alone decide it, what it reads and what it makes.

    A round is imported when all nodes of those before have been found small.
    """
    tensors: dict[str, Tensors] = {}
    rounds, settings = _rounds(graph_def)
    read = {node_of(tensor) for node in graph_def.node for tensor in node.input}
    outside = [_placeholder(node, spec) for node, spec in given.items() if node in read]
    with tf.Graph().as_default():
        for nodes in (outside, *rounds):
            part = GraphDef(node=map(_plain, nodes), versions=graph_def.versions)
            try:
                earlier = {
                    i: _tensor(i, tensors) for n in part.node for i in n.input if node_of(i) in tensors
                }
                made = tf.graph_util.import_graph_def(part, earlier, [n.name for n in nodes], name="round")
            except Exception as error:  # of many kinds
                reason = str(error).strip().partition("\n")[0]
                raise ValueError(f"{name} cannot be computed from its input ({reason[:200]}).") from error
            for node, operation in zip(nodes, made, strict=True):
                tensors[node.name] = operation.outputs
                # What a normalization tells besides is no more than some numbers per channel.
                outputs = operation.outputs[: 1 if node.op.startswith("FusedBatchNorm") else None]
                yield node, node.name in settings, list(operation.inputs), outputs


def _placeholder(name: str, spec: tf.TensorSpec) -> NodeDef:
    node = NodeDef(name=name, op="Placeholder")
    node.attr["dtype"].type = spec.dtype.as_datatype_enum
    node.attr["shape"].shape.CopyFrom(spec.shape.as_proto())
    return node


def _plain(node: NodeDef) -> NodeDef:
    """Copy a node without what does not change the shapes of what it makes."""
    copy = NodeDef(name=node.name, op=node.op)
    # A control input decides when, not what.
    copy.input.extend(tensor for tensor in node.input if not tensor.startswith("^"))
    for key, value in node.attr.items():
        if not key.startswith("_"):
            copy.attr[key].CopyFrom(value)
    return copy


def _tensor(name: str, tensors: Mapping[str, Tensors]) -> tf.Tensor:
    """Return the tensor an input means, as "a" or "a:1"."""
    node, _, index = name.partition(":")
    return tensors[node][int(index or 0)]


def _rounds(graph_def: GraphDef) -> tuple[list[list[NodeDef]], set[str]]:
    """Sort nodes into rounds, none of which reads what settings decide in the same round.

    Returns:
        The rounds, and the names of the nodes that settings alone, constants and shapes, decide.
    """
    rounds: list[list[NodeDef]] = []
    settings: set[str] = set()
    after: dict[str, int] = {}  # the first round in which a node can be read
    for node in graph_def.node:
        sources = {node_of(tensor) for tensor in node.input}
        is_known = node.op == "Const" or node.op in SHAPE_OPS
        is_computed = not is_known and bool(sources) and sources <= settings
        if is_known or is_computed:
            settings.add(node.name)
        at = max((after[source] for source in sources if source in after), default=0)
        after[node.name] = at + is_computed
        if at == len(rounds):
            rounds.append([])
        rounds[at].append(node)
    return rounds, settings


def _multiplications(node: NodeDef, inputs: Tensors, outputs: Tensors) -> int:
    """Return what a node costs, in multiplications of a product of matrices."""
    made, read = (sum(math.prod(tensor.shape) for tensor in tensors) for tensors in (outputs, inputs))
    if node.op == "Conv2D":
        return made * math.prod(inputs[1].shape[:3])
    if node.op in PRODUCTS:
        is_transposed = any(node.attr[key].b for key in ("transpose_a", "adj_x") if key in node.attr)
        return made * inputs[0].shape[-2 if is_transposed else -1]
    if node.op == "Einsum":
        return _einsum(node.attr["equation"].s.decode(), inputs)
    if node.op == "DepthwiseConv2dNative":
        made *= math.prod(inputs[1].shape[:2])
    elif node.op in POOLINGS:
        made *= math.prod(node.attr["ksize"].list.i)
    elif node.op == "LRN":
        made *= 2 * node.attr["depth_radius"].i + 1
    return PER_STEP * (made + read)


def _einsum(equation: str, inputs: Tensors) -> int:
    """Return how many products are summed: one per value of all indices."""
    sizes: dict[str, int] = {}
    others = 1
    for term, tensor in zip(equation.partition("->")[0].split(","), inputs, strict=True):
        before, _, after = term.partition("...")
        shape = list(tensor.shape)
        sizes |= dict(zip(before, shape, strict=False)) | dict(zip(after[::-1], shape[::-1], strict=False))
        others = max(others, math.prod(shape[len(before) : len(shape) - len(after)]))
    return others * math.prod(sizes.values())
