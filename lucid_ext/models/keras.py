"""Any Keras model as a `VisionModel`: traced at inference and frozen, with the names of its layers."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import tensorflow as tf

from lucid_ext.models.freeze import add_head, freeze
from lucid_ext.models.metadata import check_size
from lucid_ext.models.saved_model import open_saved_model
from lucid_ext.models.tracing import trace
from lucid_ext.models.vision_model import VisionModel

Preprocess: TypeAlias = tuple[float, float] | Callable[[tf.Tensor], tf.Tensor]
"""The values black and white become, or a function of images in [0, 255]."""

LEVELS = (0.0, 255.0)
"""What the `input` node takes: a picture's own levels."""

LUMA = (0.299, 0.587, 0.114)
"""The weights of red, green and blue in a grey picture (ITU-R BT.601), as in Pillow's "L"."""

Call: TypeAlias = Callable[[tf.Tensor], Any]


def is_keras(source: Any) -> bool:
    """Whether `load_keras` is to load it: a model, a Keras file, or a folder (a SavedModel)."""
    if not isinstance(source, Path):
        return True
    return source.suffix in {".keras", ".h5", ".hdf5"} or source.is_dir()


def load_keras(
    source: Any,
    labels: Sequence[str] | None = None,
    preprocess: Preprocess | None = None,
    size: tuple[int, int] | None = None,
) -> VisionModel:
    """Freeze a Keras model; arguments and errors are those of `load_model`."""
    call: Call
    if isinstance(source, Path) and source.is_dir():
        name = source.name
        call, shape = open_saved_model(source)
        fixed = True
    else:
        model, name = (source, getattr(source, "name", "the model"))
        if isinstance(source, Path):
            model, name = _open_file(source), source.stem
        call, shape, fixed = _inference(model, name)
    height, width, channels = _image_shape(shape, size, fixed, name)
    prepare = _preparation(preprocess, channels)

    def classify(levels: tf.Tensor) -> list[tf.Tensor]:
        return tf.nest.flatten(call(prepare(levels)))

    spec = tf.TensorSpec((None, height, width, 3), tf.float32, name="input")
    with _recorded() as recorded:
        try:
            traced = trace(classify, spec)
        except Exception as error:  # whatever a layer raises for images of this shape
            reason = str(error).strip().partition("\n")[0]
            raise ValueError(f"{name} cannot run on {height} x {width} pixels: {reason}") from error
    if len(traced.outputs) != 1:
        raise ValueError(
            f"{name} has {len(traced.outputs)} outputs; expected one, (n, classes): "
            "load keras.Model(model.inputs, model.outputs[i]) with the one you mean."
        )
    (output,) = traced.outputs
    if output.shape.rank != 2 or output.shape[1] is None:
        raise ValueError(
            f"{name} gives an output of shape {tuple(output.shape)}, so it is no image classifier; expected "
            "(n, classes): load it with its top, or put a classifying layer on it."
        )
    for layer, _, _ in recorded:
        if getattr(layer, "data_format", None) == "channels_first":
            raise ValueError(
                f"layer {layer.name} of {name} keeps channels first; expected channels last: "
                "build it with data_format='channels_last'."
            )
    # Layers called inside a function of their own cannot be told apart by tensor.
    whole = all(tensor.graph is traced.graph for _, tensor, _ in recorded)
    found = [(tensor.name, path) for _, tensor, path in recorded] if whole else []
    graph_def, layers = freeze(traced, found, name)
    names = add_head(graph_def, labels, name, output.shape[1])
    return VisionModel(
        graph_def, labels=names, size=(height, width), value_range=LEVELS, name=name, layers=layers
    )


def _open_file(path: Path) -> Any:
    """The model of a `.keras` file; nothing pickled and no code is read from it."""
    import keras

    if not path.is_file():
        raise ValueError(f"there is no file {path}; expected a .keras file or a SavedModel's folder.")
    if path.suffix != ".keras":
        raise ValueError(
            f"{path} is in the old HDF5 form, which can hold code: load it with keras.models.load_model, "
            "if you trust it, and give the model or save it as .keras."
        )
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # of many kinds, from zip, JSON, HDF5 and layers
        reason = " ".join(str(error).split())
        raise ValueError(
            f"{path} could not be loaded by Keras: {reason[:300]} If it needs classes or functions of yours, "
            "load it with keras.models.load_model and give the model."
        ) from error


def _inference(model: Any, name: str) -> tuple[Call, Sequence[int | None], bool]:
    """How to call a Keras model, the shape of its images, and whether that shape is its only one."""
    import keras

    if not isinstance(model, keras.Model):
        raise ValueError(
            f"cannot load a {type(model).__name__}; expected a name, a path, a keras.Model or the folder of "
            "a SavedModel."
        )
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            f"Keras runs on {keras.backend.backend()}, which leaves no graph: set KERAS_BACKEND=tensorflow "
            "before Keras is imported."
        )
    inputs = getattr(model, "inputs", None)
    if inputs:
        if len(inputs) != 1:
            raise ValueError(
                f"{name} has {len(inputs)} inputs ({', '.join(t.name for t in inputs)}); expected one image: "
                "fix the others in a keras.Model of one input."
            )
        if not tf.as_dtype(inputs[0].dtype).is_floating:
            raise ValueError(f"{name} takes {inputs[0].dtype}, which has no gradient; expected float32.")

        def call(images: tf.Tensor) -> Any:
            # A functional model wants its one image in the list or dict it was built with.
            structure = images if isinstance(model, keras.Sequential) else model.input
            return model(keras.tree.map_structure(lambda _: images, structure), training=False)

        return call, inputs[0].shape, True
    if not model.built or not model.weights:
        raise ValueError(f"{name} has no weights yet: call it once on a batch of images, then load it.")
    shape = (model.get_build_config() or {}).get("input_shape") or ()
    if len(shape) != 4 or not all(side is None or isinstance(side, int) for side in shape):
        raise ValueError(f"{name} takes inputs of shape {shape}; expected one batch of images, (n, h, w, 3).")
    return lambda images: model(images, training=False), shape, False


def _image_shape(
    shape: Sequence[int | None], size: tuple[int, int] | None, fixed: bool, name: str
) -> tuple[int, int, int]:
    """Height, width and channels of what a network takes."""
    shape = tuple(shape)
    if len(shape) == 4 and shape[3] not in (1, 3) and shape[1] in (1, 3):
        raise ValueError(
            f"{name} takes images of shape {shape[1:]}, channels first; expected channels last: "
            "build it with data_format='channels_last'."
        )
    if len(shape) != 4 or shape[3] not in (1, 3):
        raise ValueError(
            f"{name} takes inputs of shape {shape}; expected images (n, height, width, 3), or 1 for grey."
        )
    own = shape[1:3]
    if None in own and size is None:
        raise ValueError(f"{name} takes images of any size: say which, as in size=(224, 224).")
    given: Any = own if size is None else check_size(size, name)
    height, width = given
    if fixed and not (own[0] in (None, height) and own[1] in (None, width)):
        raise ValueError(f"size is {size}; {name} takes images of (height, width) = {own} pixels.")
    return height, width, shape[3]


def _preparation(preprocess: Preprocess | None, channels: int) -> Callable[[tf.Tensor], tf.Tensor]:
    """From colour images in [0, 255] to what a network takes."""
    if preprocess is None:
        preprocess = LEVELS
    if callable(preprocess):
        function = preprocess
    else:
        low, high = _range(preprocess)

        def function(images: tf.Tensor) -> tf.Tensor:
            return images if (low, high) == LEVELS else images * ((high - low) / 255.0) + low

    def prepare(levels: tf.Tensor) -> tf.Tensor:
        if channels == 1:
            levels = tf.nn.conv2d(levels, tf.reshape(LUMA, (1, 1, 3, 1)), 1, "SAME")
        images = tf.convert_to_tensor(function(levels))
        if images.shape.rank != 4 or images.shape[-1] != channels or not images.dtype.is_floating:
            raise ValueError(
                f"preprocess made {images.dtype.name} {tuple(images.shape)} of images "
                f"{tuple(levels.shape)}; expected float32 of the same shape."
            )
        return images

    return prepare


def _range(preprocess: Any) -> tuple[float, float]:
    try:
        low, high = (float(value) for value in preprocess)
    except (TypeError, ValueError):
        low = high = 0.0
    if not np.isfinite([low, high]).all() or low == high:
        raise ValueError(
            f"preprocess is {preprocess!r}; expected the values of black and white, as (0, 1) or (-1, 1), "
            "or a function of images in [0, 255]."
        )
    return low, high


_recording = threading.Lock()


@contextlib.contextmanager
def _recorded() -> Iterator[list[tuple[Any, tf.Tensor, tuple[str, ...]]]]:
    """What each layer gives while a model is called, in this thread, inside: (layer, tensor, path).

    Only the call itself knows: a subclassed model keeps no list of it.
    """
    import keras

    base, mine = keras.layers.Layer, threading.get_ident()
    call = base.__call__
    around: list[str] = []
    found: list[tuple[Any, tf.Tensor, tuple[str, ...]]] = []

    def noted(self: Any, *args: Any, **kwargs: Any) -> Any:
        if threading.get_ident() != mine:
            return call(self, *args, **kwargs)
        around.append(self.name)
        try:
            result = call(self, *args, **kwargs)
        finally:
            path = tuple(around[1:])  # the model itself is what all are part of
            around.pop()
        given = {id(value) for value in tf.nest.flatten((args, kwargs))}
        for value in tf.nest.flatten(result):
            # What is handed on as it is, as by dropout at inference, is nothing of this layer's.
            if path and id(value) not in given and isinstance(value, tf.Tensor) and value.dtype == tf.float32:
                found.append((self, value, path))
        return result

    with _recording:
        base.__call__ = noted
        try:
            yield found
        finally:
            base.__call__ = call
