"""`load_model`: the embedded network, InceptionV1, or a frozen graph of the same family from a file."""

import os
import warnings
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import tensorflow as tf

from lucid_ext.models import card, inception_v1, sources
from lucid_ext.models.inception import MEAN_PIXEL, OPENING
from lucid_ext.models.keras import Preprocess, is_keras, load_keras
from lucid_ext.models.vision_model import VisionModel

EMBEDDED = ("efficientnet_lite0", "mini")
"""The networks that come with the package; the first is the one meant where none is named."""

ASSETS = Path(str(resources.files("lucid_ext"))) / "assets"

# What a protocol buffer, as a graph is stored, can have at most.
MAX_FILE_BYTES = 2**31 - 1
VALUE_RANGE = (-MEAN_PIXEL, 255.0 - MEAN_PIXEL)


def load_model(
    source: Any = EMBEDDED[0],
    *,
    labels: Sequence[str] | None = None,
    preprocess: Preprocess | None = None,
    size: tuple[int, int] | None = None,
) -> VisionModel:
    """Load a network.

    The other arguments say of a Keras model what its file does not; networks with a card have it
    there.

    Args:
        source: `"efficientnet_lite0"`, trained on ImageNet, which comes with the package; `"mini"`,
            which does too, InceptionV1 at half width on 200 classes; `"inception_v1"`, InceptionV1
            from the folder `$LUCID_EXT_MODELS` names, from the cache, or downloaded; or a path: of
            InceptionV1 as it was published (inception5h.zip, the .pb in it or Lucid's, class names
            in a .txt beside it), or of a frozen graph written by `training/export.py`, with its
            `.json` card beside it; a `keras.Model`, the path of its `.keras` file, or the folder of
            a SavedModel. A Keras model takes one image, colour or grey, channels last, and gives
            classes: as logits, with a softmax, or with sigmoids. It is frozen as it is now; training
            it further changes nothing here.
        labels: a name per class; by default "class 0", "class 1", ... A network with one sigmoid
            has two classes: give both names, or that of what it finds.
        preprocess: what the network takes. The values (low, high) that black and white become, such
            as (0, 1) or (-1, 1); or a function of TensorFlow from images in [0, 255], (n, h, w, 3)
            or for a grey network (n, h, w, 1), such as `keras.applications.resnet50.preprocess_input`,
            which becomes part of the graph. By default (0, 255): the levels themselves, as a model
            takes them that begins with its own Rescaling.
        size: (height, width) in pixels, for a network that takes any.

    Raises:
        ValueError: one sentence that says what is wrong with it; nothing of a file has run.
    """
    is_name = isinstance(source, str) and source in (*EMBEDDED, inception_v1.NAME)
    if isinstance(source, str | os.PathLike) and not is_name:
        source = _path(source)
    if not is_name and is_keras(source):
        return load_keras(source, labels, preprocess, size)
    if labels is not None or preprocess is not None or size is not None:
        raise ValueError(f"labels, preprocess and size are for Keras models; {source} brings its own.")
    if source == inception_v1.NAME:
        return _inception(sources.find(), inception_v1.NAME)
    path = ASSETS / f"{source}.pb" if is_name else source
    if not path.is_file():
        raise ValueError(
            f"there is no file {path}; expected a frozen graph (.pb) with its card (.json) beside it, "
            f"InceptionV1 (.pb or .zip), {inception_v1.NAME!r}, or nothing for the embedded network."
        )
    if path.stat().st_size > MAX_FILE_BYTES:
        raise ValueError(
            f"{path} has {path.stat().st_size:,} bytes; expected at most {MAX_FILE_BYTES:,}, as a graph has."
        )
    if path.with_suffix(".json").is_file() and path.suffix != ".zip":
        return card.load(path)
    return _inception(sources.from_file(path), path.stem)


def _path(source: str | os.PathLike) -> Path:
    """Read a text as a path, `~` as the reader's own folder.

    Raises:
        ValueError: one sentence; it can be none.
    """
    try:
        path = Path(source).expanduser()
        path.exists()  # too long a name is an error only now
        if "\0" in str(path):
            raise ValueError("a path holds no NUL")
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        raise ValueError(
            f"{ascii(source)[:80]} is no path ({getattr(error, 'strerror', None) or error}); "
            "expected the name or the path of a network."
        ) from None
    return path


def _inception(network: sources.Network, name: str) -> VisionModel:
    """InceptionV1 as published, once its nodes and weights are known to be right."""
    graph_def, labels = network
    size = (inception_v1.SIDE, inception_v1.SIDE)
    try:
        model = VisionModel(
            graph_def, labels=labels, size=size, value_range=VALUE_RANGE, name=name, opening=OPENING
        )
    except (ValueError, tf.errors.OpError) as error:
        what = str(error).partition("\n")[0][:160]
        raise ValueError(
            f"{name} is damaged or is not InceptionV1: its parts do not fit ({what})."
        ) from error
    for layer, shape in inception_v1.LAYERS.items():
        if model.layers.get(layer) != shape:
            found = model.layers.get(layer, "not on the way from the image to the classes")
            raise ValueError(f"{name} is not InceptionV1: {layer} is {found}, expected {shape}.")
    if not labels:
        warnings.warn(
            f"{name} came without class names, so its classes are numbered: put "
            f"{inception_v1.LABELS_IN_ZIP} of inception5h.zip beside the graph.",
            stacklevel=3,
        )
    return model
