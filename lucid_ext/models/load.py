"""`load_model`: the embedded network, or a frozen graph of the same family from a file."""

import hashlib
import json
import os
from importlib import resources
from pathlib import Path

from lucid_ext.models.graph import read
from lucid_ext.models.inception import MEAN_PIXEL
from lucid_ext.models.vision_model import VisionModel

EMBEDDED = "mini"
ASSETS = Path(str(resources.files("lucid_ext"))) / "assets"


def load_model(source: str | os.PathLike = EMBEDDED) -> VisionModel:
    """Load a network.

    Args:
        source: `"mini"`, the network that comes with the package, or the path of a frozen graph
            written by `training/export.py`, with its `.json` card beside it.

    Raises:
        ValueError: one sentence that says what is wrong with the file; nothing of it has run.
    """
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
