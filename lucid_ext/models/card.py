"""A network as two files: a frozen graph (.pb), and its card (.json): what the graph does not say."""

import dataclasses
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from lucid_ext.models.graph import read
from lucid_ext.models.vision_model import VisionModel
from lucid_ext.storage.files import cache_folder, write_atomically

KEYS = ("digest", "size", "range", "labels", "layers")


def save(model: VisionModel, path: Path, **more: Any) -> None:
    """Write a network as a graph and its card: the same network for whoever loads the path.

    Args:
        model: the network.
        path: of the graph; ends in .pb.
        more: what else the card is to say, as JSON.

    Raises:
        OSError: as writing does; what was there before stays.
    """
    has_places = any(len(shape) == 3 for shape in model.layers.values())
    card = {
        "digest": model.digest,
        "size": list(model.size),
        "range": [np.asarray(bound, np.float64).tolist() for bound in model.value_range],
        "labels": model.labels,
        "layers": list(model.layers),
        "opening": dataclasses.asdict(model.opening) if has_places else None,
        "recipes": model.recipes,
        **more,
    }
    write_atomically(path, model.graph_def.SerializeToString(deterministic=True))
    text = json.dumps(card, indent=1, ensure_ascii=False) + "\n"
    write_atomically(path.with_suffix(".json"), text.encode())


def load(path: Path) -> VisionModel:
    """The network of a graph that has a card beside it.

    Raises:
        ValueError: one sentence that says what is wrong; nothing of the file has run.
    """
    card_path = path.with_suffix(".json")
    try:
        card = json.loads(card_path.read_text(encoding="utf-8"))
        digest, size, value_range, labels, layers = (card[key] for key in KEYS)
        fits = isinstance(layers, list) and all(isinstance(layer, str) for layer in layers)
        fits = fits and isinstance(card.get("recipes") or {}, dict)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        fits = False
    if not fits:
        raise ValueError(f"{card_path} is not the card of a network: fetch it again with {path.name}.")
    if not (isinstance(digest, str) and re.fullmatch("[0-9a-f]{64}", digest)):
        raise ValueError(
            f"the digest in {card_path} is {ascii(digest)[:80]}; expected the SHA-256 of {path.name}, 64 "
            "hexadecimal digits: fetch both files again."
        )
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error.strerror or error}).") from error
    if hashlib.sha256(data).hexdigest() != digest:
        raise ValueError(
            f"{path} is damaged or is not the network its card {card_path.name} describes: "
            "fetch both files again, or write them anew with training/export.py."
        )
    model = VisionModel(
        read(data, str(path)),
        labels=labels,
        size=size,
        value_range=value_range,
        name=path.stem,
        layers=layers,
        opening=card.get("opening"),
        recipes=card.get("recipes"),
    )
    if card.get("opening") is not None:
        model.opening  # noqa: B018  so that what does not fit is refused here
    return model


def kept(model: VisionModel) -> Path:
    """The path of a network's graph in the cache, named by its digest; written unless it is there.

    Raises:
        ValueError: one sentence: it cannot be written.
    """
    path = cache_folder() / "networks" / f"{model.digest}.pb"
    try:
        whole = hashlib.sha256(path.read_bytes()).hexdigest() == model.digest
        if whole and path.with_suffix(".json").is_file():
            return path
    except OSError:
        pass  # it is not there
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save(model, path)
    except OSError as error:
        raise ValueError(
            f"{model.name} cannot be written to {path.parent} ({error.strerror or error}), where other "
            "processes would find it: free some space or set LUCID_EXT_CACHE to a writable folder."
        ) from error
    return path
