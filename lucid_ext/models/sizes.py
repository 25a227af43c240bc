"""What a graph would compute, known before it runs: the shape of every tensor, and that none is too large.

TensorFlow infers shapes, but evaluates on the way whatever it can of the settings that decide them,
however much memory that takes. So a graph goes in by rounds: no node is added before what could be
evaluated for it is known to be small.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import tensorflow as tf

from lucid_ext.models.cost import SHAPE_OPS, Cost, Tensors
from lucid_ext.models.graph import GraphDef, NodeDef, node_of

Shape: TypeAlias = tuple[int, ...]

# For some inputs of these, TensorFlow (2.21) ends the process instead of raising an error.
ABORTING = {"GatherV2", "SplitV"}


def infer_shapes(graph_def: GraphDef, given: Mapping[str, tf.TensorSpec], name: str) -> dict[str, Shape]:
    """Return the shape of every node's first output; only what decides shapes is computed.

    Args:
        graph_def: a checked graph or a part of one, its nodes in order.
        given: shapes and types of the nodes it reads from outside; `input` for one image. Where its
            height and width are open, so is what depends on them.
        name: what to call it in an error.

    Raises:
        ValueError: one sentence; it cannot be computed, a size is not known before it runs, it would
            take too much memory or time, or ever more of it the more images there are.
    """
    shapes = _shapes(graph_def, given, name)
    if "input" in given and given["input"].shape.is_fully_defined():
        first, *rest = given["input"].shape
        two = tf.TensorSpec((2 * first, *rest), given["input"].dtype)
        for key, shape in _shapes(graph_def, {**given, "input": two}, f"{name} (two images at once)").items():
            if math.prod(shape) > 2 * math.prod(shapes[key]):
                raise ValueError(
                    f"{name}: its node {key!r} makes {math.prod(shape):,} numbers of two images, "
                    f"{math.prod(shapes[key]):,} of one; expected twice as many at most."
                )
    return shapes


def _shapes(graph_def: GraphDef, given: Mapping[str, tf.TensorSpec], name: str) -> dict[str, Shape]:
    """Return the shape of every node's first output, as `infer_shapes` does, where its rank is known."""
    shapes: dict[str, Shape] = {}
    is_open = not all(spec.shape.is_fully_defined() for spec in given.values())
    cost = Cost(1 if is_open or "input" not in given else given["input"].shape[0])
    for node, inputs, outputs, is_setting in _inferred(graph_def, given, name):
        what = f"{name}: its node {node.name!r} ({node.op})"
        is_known = all(tensor.shape.is_fully_defined() for tensor in (*inputs, *outputs))
        if not is_known and not is_open:
            raise ValueError(
                f"{what} makes a tensor whose size is not known beforehand; expected one that the size of "
                "the image decides."
            )
        try:
            if is_known:
                cost.add(node, inputs, outputs, is_setting=is_setting)
        except ValueError as error:
            raise ValueError(f"{what} {error}.") from None
        if outputs and outputs[0].shape.rank is not None:
            shapes[node.name] = tuple(outputs[0].shape)
    return shapes


def _inferred(
    graph_def: GraphDef, given: Mapping[str, tf.TensorSpec], name: str
) -> Iterator[tuple[NodeDef, Tensors, Tensors, bool]]:
    """Yield each node, what it reads, what it makes, and whether settings alone decide it.

    A round is imported when all nodes of those before have been found small.
    """
    another = next((node.name for node in graph_def.node if node.op == "Placeholder"), None)
    if another is not None:
        raise ValueError(f"{name} takes {another!r} besides an image; expected an image alone.")
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
                for node in part.node:
                    _check_ranks(node, [earlier[i].shape.rank for i in node.input if i in earlier])
                made = tf.graph_util.import_graph_def(part, earlier, [n.name for n in nodes], name="round")
            except Exception as error:  # of many kinds
                reason = str(error).strip().partition("\n")[0]
                raise ValueError(f"{name} cannot be computed from its input ({reason[:200]}).") from error
            for node, operation in zip(part.node, made, strict=True):
                # Statistics of a batch are small, of unknown shape, and nothing reads them at inference.
                outputs = operation.outputs[: 1 if node.op.startswith("FusedBatchNorm") else None]
                tensors[node.name] = outputs
                yield node, list(operation.inputs), outputs, node.name in settings


def _placeholder(name: str, spec: tf.TensorSpec) -> NodeDef:
    node = NodeDef(name=name, op="Placeholder")
    node.attr["dtype"].type = spec.dtype.as_datatype_enum
    node.attr["shape"].shape.CopyFrom(spec.shape.as_proto())
    return node


def _plain(node: NodeDef) -> NodeDef:
    """Copy a node without what does not change the shapes of what it makes."""
    if node.op == "PlaceholderWithDefault":  # it may leave open what shape it has
        node = NodeDef(name=node.name, op="Identity", input=node.input, attr={"T": node.attr["dtype"]})
    copy = NodeDef(name=node.name, op=node.op)
    # A control input decides when, not what.
    copy.input.extend(tensor for tensor in node.input if not tensor.startswith("^"))
    for key, value in node.attr.items():
        if not key.startswith("_"):
            copy.attr[key].CopyFrom(value)
    return copy


def _check_ranks(node: NodeDef, ranks: Sequence[int | None]) -> None:
    """Refuse a node that would end the process."""
    if node.op == "GatherV2":
        fits = abs(node.attr["batch_dims"].i) <= min(rank or 0 for rank in ranks[:2])
    else:
        fits = node.op != "SplitV" or ranks[1] == 1
    if not fits:
        raise ValueError(f"node {node.name!r} ({node.op}) does not fit what it reads")


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
        is_given = node.op == "Const" or node.op in SHAPE_OPS
        is_computed = not is_given and bool(sources) and sources <= settings
        if is_given or is_computed:
            settings.add(node.name)
        at = max((after[source] for source in sources if source in after), default=0)
        at += node.op in ABORTING  # its inputs are looked at before
        after[node.name] = at + is_computed
        rounds += [[] for _ in range(len(rounds), at + 1)]
        rounds[at].append(node)
    return rounds, settings
