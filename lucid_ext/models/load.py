"""`load_model`: the embedded network, InceptionV1, or a frozen graph of the same family from a file."""

import hashlib
import json
import os
import warnings
from importlib import resources
from pathlib import Path

import tensorflow as tf

from lucid_ext.models import inception_v1, sources
from lucid_ext.models.graph import read
from lucid_ext.models.inception import MEAN_PIXEL
from lucid_ext.models.vision_model import VisionModel

EMBEDDED = "mini"
ASSETS = Path(str(resources.files("lucid_ext"))) / "assets"
VALUE_RANGE = (-MEAN_PIXEL, 255.0 - MEAN_PIXEL)


def load_model(source: str | os.PathLike = EMBEDDED) -> VisionModel:
    """Load a network.

    Args:
        source: `"mini"`, the network that comes with the package; `"inception_v1"`, InceptionV1 from
            the folder `$LUCID_EXT_MODELS` names, from the cache, or downloaded; or a path: of
            InceptionV1 as it was published (inception5h.zip, the .pb in it or Lucid's, class names
            in a .txt beside it), or of a frozen graph written by `training/export.py`, with its
            `.json` card beside it.

    Raises:
        ValueError: one sentence that says what is wrong with the file; nothing of it has run.
    """
    if source == inception_v1.NAME:
        return _inception(sources.find(), inception_v1.NAME)
    path = ASSETS / f"{EMBEDDED}.pb" if source == EMBEDDED else Path(source).expanduser()
    if not path.is_file():
        raise ValueError(
            f"there is no file {path}; expected a frozen graph (.pb) with its card (.json) beside it, "
            f"InceptionV1 (.pb or .zip), {inception_v1.NAME!r}, or nothing for the embedded network."
        )
    if path.with_suffix(".json").is_file() and path.suffix != ".zip":
        return _with_card(path, path.with_suffix(".json"))
    return _inception(sources.from_file(path), path.stem)


def _with_card(path: Path, card_path: Path) -> VisionModel:
    """A graph of InceptionV1's family, with the card that `training/export.py` writes."""
    try:
        card = json.loads(card_path.read_text())
        labels = [names.split(",")[0] for _, names in card["classes"]]
        side, digest = int(card["side"]), card["digest"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{card_path} is not the card of a network: fetch it again with {path.name}."
        ) from error
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != digest:
        raise ValueError(
            f"{path} is damaged or is not the network its card {card_path.name} describes: "
            "fetch both files again, or write them anew with training/export.py."
        )
    return VisionModel(
        read(data, str(path)),
        labels=labels,
        size=(side, side),
        value_range=VALUE_RANGE,
        name=path.stem,
    )


def _inception(network: sources.Network, name: str) -> VisionModel:
    """InceptionV1 as published, once its nodes and weights are known to be right."""
    graph_def, labels = network
    size = (inception_v1.SIDE, inception_v1.SIDE)
    try:
        model = VisionModel(graph_def, labels=labels, size=size, value_range=VALUE_RANGE, name=name)
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
