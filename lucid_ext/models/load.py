"""`load_model`: the embedded network, or a frozen graph of the same family from a file."""

import hashlib
import json
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from lucid_ext.models.graph import read
from lucid_ext.models.inception import MEAN_PIXEL
from lucid_ext.models.keras import Preprocess, is_keras, load_keras
from lucid_ext.models.vision_model import VisionModel

EMBEDDED = "mini"
ASSETS = Path(str(resources.files("lucid_ext"))) / "assets"


def load_model(
    source: Any = EMBEDDED,
    *,
    labels: Sequence[str] | None = None,
    preprocess: Preprocess | None = None,
    size: tuple[int, int] | None = None,
) -> VisionModel:
    """Load a network.

    The other arguments say of a Keras model what its file does not; networks with a card have it
    there.

    Args:
        source: `"mini"`, the network that comes with the package; the path of a frozen graph
            written by `training/export.py`, with its `.json` card beside it; a `keras.Model`, the
            path of its `.keras` file, or the folder of a SavedModel. A Keras model takes one image,
            colour or grey, channels last, and gives classes: as logits, with a softmax, or with
            sigmoids. It is frozen as it is now; training it further changes nothing here.
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
    if str(source) != EMBEDDED and is_keras(source):
        return load_keras(source, labels, preprocess, size)
    if labels is not None or preprocess is not None or size is not None:
        raise ValueError(f"labels, preprocess and size are for Keras models; the card of {source} has them.")
    path = ASSETS / f"{EMBEDDED}.pb" if source == EMBEDDED else Path(source).expanduser()
    card_path = path.with_suffix(".json")
    for file in (path, card_path):
        if not file.is_file():
            raise ValueError(
                f"there is no file {file}; expected a frozen graph (.pb) with its card (.json) beside "
                "it, or nothing for the embedded network."
            )
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
        value_range=(-MEAN_PIXEL, 255.0 - MEAN_PIXEL),
        name=path.stem,
    )
