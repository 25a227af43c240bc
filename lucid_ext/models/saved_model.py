"""SavedModel folders: looked through before they are loaded, so that nothing in them runs on loading."""

from collections.abc import Callable
from pathlib import Path

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2

SIGNATURE = "serving_default"


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
    for node in proto.meta_graphs[0].object_graph_def.nodes:
        if node.WhichOneof("kind") in ("resource", "asset") or node.saveable_objects:
            raise ValueError(
                f"{path} has tables, files or functions that run when it is loaded, which no image "
                "classifier needs, so it was not loaded: export the network alone."
            )
