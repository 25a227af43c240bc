"""SavedModel folders: looked through before they are loaded, so that nothing in them runs on loading."""

import graphlib
from collections.abc import Callable, Iterable
from pathlib import Path

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2

from lucid_ext.models.graph import (
    ALLOWED_OPS,
    MAX_NODES,
    GraphDef,
    NodeDef,
    between,
    check,
    in_order,
    node_of,
)
from lucid_ext.models.sizes import infer_shapes

SIGNATURE = "serving_default"

# TensorFlow takes a minute for so many, and for twice as many four times as long.
MAX_CALLS = 3_000


def open_saved_model(path: Path) -> tuple[Callable[[tf.Tensor], tf.Tensor], tf.TensorShape]:
    """The inference function of a SavedModel, and the shape of the images it takes.

    Args:
        path: a folder, as `keras.Model.export` or `tf.saved_model.save` write it.

    Raises:
        ValueError: one sentence; it is no SavedModel, would run code of its own when loaded, or
            has no signature from one tensor to one.
    """
    _check_saved_model(path)
    try:
        loaded = tf.saved_model.load(str(path))
    except Exception as error:  # TensorFlow raises errors of many kinds here
        reason = str(error).partition("\n")[0]
        raise ValueError(f"{path} could not be loaded ({reason}): export the model again.") from error
    if SIGNATURE not in loaded.signatures:
        raise ValueError(f"{path} has no signature {SIGNATURE!r}: write it with keras.Model.export.")
    signature = loaded.signatures[SIGNATURE]
    inputs, outputs = signature.structured_input_signature[1], signature.structured_outputs
    if len(inputs) != 1 or len(outputs) != 1:
        raise ValueError(
            f"{path} has {len(inputs)} inputs ({', '.join(inputs)}) and {len(outputs)} outputs "
            f"({', '.join(sorted(outputs))}); expected one of each: export a model from images to classes."
        )
    ((given, spec),) = inputs.items()
    (wanted,) = outputs
    if spec.dtype != tf.float32:
        raise ValueError(f"{path} takes {spec.dtype.name}; expected float32: export it so.")

    def call(images: tf.Tensor) -> tf.Tensor:
        return loaded.signatures[SIGNATURE](**{given: images})[wanted]  # `loaded` keeps the weights

    return call, spec.shape


def _check_saved_model(path: Path) -> None:
    """Refuse what is damaged, and what has functions of its own that run on loading."""
    file = path / "saved_model.pb"
    if not file.is_file():
        raise ValueError(f"{path} is no SavedModel: give the folder that has saved_model.pb in it.")
    proto = saved_model_pb2.SavedModel()
    try:
        proto.ParseFromString(file.read_bytes())
    except DecodeError as error:
        raise ValueError(f"{file} is damaged or truncated: export the model again.") from error
    if len(proto.meta_graphs) != 1 or not proto.meta_graphs[0].object_graph_def.nodes:
        raise ValueError(
            f"{path} was not written by TensorFlow 2: export the model again with keras.Model.export."
        )
    if not all(entry.is_file() or entry.is_dir() for entry in path.rglob("*")):
        raise ValueError(f"{path} holds what is neither file nor folder: export the model again.")
    _check_functions(proto.meta_graphs[0].graph_def, str(path))
    for node in proto.meta_graphs[0].object_graph_def.nodes:
        if node.WhichOneof("kind") in ("resource", "asset") or node.saveable_objects:
            raise ValueError(
                f"{path} has tables, files or functions that run when it is loaded, which no image "
                "classifier needs, so it was not loaded: export the network alone."
            )


def _check_functions(graph_def: GraphDef, name: str) -> None:
    """Refuse functions that would take too much to load, or to put in place of their calls.

    TensorFlow evaluates what it can of constants on loading, whatever memory that takes; and thirty
    functions that each call the next twice are a thousand million calls.
    """
    functions = {function.signature.name: function for function in graph_def.library.function}
    called = {
        key: [
            value.func.name
            for node in function.node_def
            for value in node.attr.values()
            if value.func.name in functions
        ]
        for key, function in functions.items()
    }
    nodes: dict[str, int] = {}
    calls: dict[str, int] = {}
    try:
        for key in graphlib.TopologicalSorter(called).static_order():
            nodes[key] = len(functions[key].node_def) + sum(nodes[other] for other in called[key])
            calls[key] = sum(1 + calls[other] for other in called[key])
    except graphlib.CycleError:
        raise ValueError(f"{name} has a function that calls itself: export the model again.") from None
    if max(nodes.values(), default=0) > MAX_NODES or max(calls.values(), default=0) > MAX_CALLS:
        raise ValueError(
            f"{name} calls functions {max(calls.values()):,} times, {max(nodes.values()):,} nodes in all; "
            f"expected at most {MAX_CALLS:,} times, {MAX_NODES:,} nodes: export the model again."
        )
    for function in functions.values():
        constants = _constants(function.node_def, name)
        check(constants, name)
        infer_shapes(constants, {}, name)


def _constants(nodes: Iterable[NodeDef], name: str) -> GraphDef:
    """Return as a graph what constants alone decide in the body of a function."""
    body = GraphDef(node=nodes)
    for node in body.node:
        # An input is "a:output:1" in a function, and "a:1" in a graph.
        renamed = [":".join(tensor.split(":")[::2]) for tensor in node.input]
        node.ClearField("input")
        node.input.extend(renamed)
    body, known = in_order(body, name), set[str]()
    for node in body.node:
        sources = {node_of(tensor) for tensor in node.input}
        if node.op == "Const" or (node.op in ALLOWED_OPS and sources and sources <= known):
            known.add(node.name)
    return between(body, (), known)
