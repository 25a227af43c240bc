"""From a traced TensorFlow function to a frozen graph: weights as constants, and only what is needed."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from lucid_ext.models.graph import GraphDef, between, check, in_order, node_of, take_weights
from lucid_ext.models.metadata import check_labels
from lucid_ext.models.names import Labels, named, scope_labels
from lucid_ext.models.sizes import infer_shapes

# Nodes that hand on what they are given. Some carry a gradient under a name of this process alone.
PASSED_BY = {"Identity", "IdentityN", "PreventGradient"}

# What logits can come out of. Features, boxes and maps end otherwise: in a pooling, a ReLU.
LINEAR = {"MatMul", "BiasAdd", "Add", "AddV2", "Sub", "Mul", "RealDiv", "Reshape", "Squeeze", "LogSoftmax"}


def freeze(
    traced: tf.types.experimental.ConcreteFunction, labels: Labels, name: str
) -> tuple[GraphDef, list[str]]:
    """Freeze a traced function of one tensor.

    Whatever does not depend on the input is computed once, here: batch normalization at inference
    is then one multiplication and one sum.

    Args:
        traced: from images to classes.
        labels: (tensor of the traced graph, path of a layer), inner layers first; if there are
            none, layers are found by the scopes of names.
        name: what to call the network in an error.

    Returns:
        The graph, from `input` to its output as last node, and the layers worth listing.

    Raises:
        ValueError: one sentence; it is not a plain network at inference.
    """
    frozen = _inlined(convert_variables_to_constants_v2(traced, lower_control_flow=False))
    graph_def = frozen.graph.as_graph_def()
    check(graph_def, name)
    for node in graph_def.node:
        if node.op.startswith("FusedBatchNorm") and node.attr["is_training"].b:
            raise ValueError(f"{name} normalizes by its batch ({node.name}): save it for inference.")
        if "data_format" in node.attr and node.attr["data_format"].s == b"NCHW":
            raise ValueError(
                f"{name} keeps channels first ({node.name}); expected channels last: "
                "build it with data_format='channels_last'."
            )
        kinds = [tf.as_dtype(v.type) for v in node.attr.values() if v.WhichOneof("value") == "type"]
        for kind in kinds:
            if kind.is_floating and kind != tf.float32:
                raise ValueError(
                    f"{name} computes in {kind.name} ({node.name}); expected float32: build it anew with "
                    "keras.config.set_dtype_policy('float32') and give it these weights."
                )
    nodes = {node.name: node for node in graph_def.node}

    def origin(tensor: str) -> str:
        """Where a tensor really comes from: "a", or "a:1" for a second output."""
        source, _, index = tensor.partition(":")
        if nodes[source].op in PASSED_BY:
            return origin(nodes[source].input[int(index or 0)])
        return tensor if int(index or 0) else source

    for node in graph_def.node:
        kept = [origin(tensor) for tensor in node.input if not tensor.startswith("^")]
        node.ClearField("input")
        node.input.extend(kept)
        for key in [key for key in node.attr if key.startswith("_")]:
            del node.attr[key]
    wanted = between(graph_def, (), [origin(frozen.outputs[0].name)])
    graph_def = _folded(in_order(wanted, name), name)
    if not any(node.op == "Placeholder" for node in graph_def.node):
        raise ValueError(f"{name} gives the same for every image, so there is nothing to look into.")
    found = [(origin(tensor), path) for tensor, path in labels if node_of(tensor) in nodes]
    return named(graph_def, found or scope_labels(graph_def))


def add_head(graph_def: GraphDef, labels: Sequence[str] | None, name: str, classes: int) -> list[str]:
    """Let a frozen classifier end in probabilities, and name its classes.

    A softmax stays, and so do several sigmoids: classes that do not exclude each other. Logits
    get a softmax. One sigmoid of z is the softmax of (0, z), and becomes it: two classes.

    Args:
        graph_def: with its output as the last node; changed in place.
        labels: names of the classes, if there are any.
        name: what to call the network in an error.
        classes: how many numbers it gives.

    Returns:
        A label per class.

    Raises:
        ValueError: it ends in nothing that can be read as classes, or has another number of them.
    """
    output = graph_def.node[-1]
    binary = classes == 1 and (output.op == "Sigmoid" or (labels is not None and len(labels) == 2))
    if output.op not in {"Softmax", "Sigmoid", *LINEAR} or (classes == 1 and not binary):
        raise ValueError(
            f"{name} ends in {output.op} with {classes} {'output' if classes == 1 else 'outputs'}, so it is "
            "no image classifier: expected logits, a softmax or sigmoids; of a single logit, name both "
            "classes: labels=[without, with]."
        )
    taken = {node.name for node in graph_def.node}
    softmax, logits = ("class_" * (name in taken) + name for name in ("softmax", "logits"))
    if binary:
        classes = 2
        logit = output.input[0] if output.op == "Sigmoid" else output.name
        _add(graph_def, "Const", f"{logits}/weights", [], np.array([[0.0, 1.0]], np.float32))
        _add(graph_def, "MatMul", logits, [logit, f"{logits}/weights"])
        _add(graph_def, "Softmax", softmax, [logits])
    elif output.op in LINEAR:
        _add(graph_def, "Softmax", softmax, [output.name])
    if labels is None:
        return [f"class {i}" for i in range(classes)]
    labels = check_labels(labels, name)
    if binary and len(labels) == 1:
        labels = [f"not {labels[0]}", labels[0]]
    if len(labels) != classes:
        raise ValueError(f"labels has {len(labels)} names; {name} has {classes} classes: name each of them.")
    return labels


def _inlined(frozen: tf.types.experimental.ConcreteFunction) -> tf.types.experimental.ConcreteFunction:
    """Put the body of every function in its place, also of those kept apart to be compiled."""
    graph_def = frozen.graph.as_graph_def()
    if not graph_def.library.function:
        return frozen
    functions = graph_def.library.function
    nodes = [*graph_def.node, *(node for function in functions for node in function.node_def)]
    for owner in [*nodes, *functions]:
        for key in ("_noinline", "_XlaMustCompile"):
            owner.attr.pop(key, None)
    # TensorFlow knows them by name, as they were before.
    for function in functions:
        function.signature.name += "_plain"
    for value in (value for node in nodes for value in node.attr.values() if value.HasField("func")):
        value.func.name += "_plain"
    given, wanted = frozen.inputs[0], frozen.outputs[0].name

    def again(images: tf.Tensor) -> tf.Tensor:
        return tf.graph_util.import_graph_def(graph_def, {given.name: images}, [wanted], name="")[0]

    spec = tf.TensorSpec(given.shape, given.dtype, name="images")
    return convert_variables_to_constants_v2(tf.compat.v1.wrap_function(again, [spec]))


def _folded(graph_def: GraphDef, name: str) -> GraphDef:
    """The graph with everything computed that does not depend on its placeholder, if it is not too much."""
    depends: set[str] = set()
    for node in graph_def.node:
        if node.op == "Placeholder" or not depends.isdisjoint(map(node_of, node.input)):
            depends.add(node.name)
    ops = {node.name: node.op for node in graph_def.node}
    read = dict.fromkeys(t for node in graph_def.node if node.name in depends for t in node.input)
    fixed = [t for t in read if node_of(t) not in depends and ops[node_of(t)] != "Const"]
    if not fixed:
        return graph_def
    part = between(graph_def, (), map(node_of, fixed))
    structure, weights = take_weights(part)
    infer_shapes(structure, {key: tf.TensorSpec(w.shape, w.dtype) for key, w in weights.items()}, name)
    wanted = [tensor if ":" in tensor else f"{tensor}:0" for tensor in fixed]
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        tf.graph_util.import_graph_def(part, name="")
        values = session.run(wanted)
    names = {tensor: tensor.replace(":", "_output_") for tensor in fixed}
    result = GraphDef(versions=graph_def.versions)
    for tensor, value in zip(fixed, values, strict=True):
        _add(result, "Const", names[tensor], [], value)
    for node in graph_def.node:
        if node.name in depends or (node.op == "Const" and node.name in read):
            copy = result.node.add()
            copy.CopyFrom(node)
            for i, tensor in enumerate(node.input):
                copy.input[i] = names.get(tensor, tensor)
    return result


def _add(
    graph_def: GraphDef, op: str, name: str, inputs: Sequence[str], value: np.ndarray | None = None
) -> None:
    """Append a node of float tensors, or a constant."""
    node = graph_def.node.add(op=op, name=name, input=inputs)
    if value is None:
        node.attr["T"].type = tf.float32.as_datatype_enum
    else:
        node.attr["dtype"].type = tf.as_dtype(value.dtype).as_datatype_enum
        node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
