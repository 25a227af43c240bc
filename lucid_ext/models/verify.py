"""Does a network do what was published of it? Class probabilities and activations of known pictures.

The expectations that come with the package are what The Building Blocks of Interpretability (Olah
et al., Distill 2018) published of InceptionV1. Its pictures are not part of the package.
"""

import dataclasses
import glob
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lucid_ext.models.images import load_image
from lucid_ext.models.load import ASSETS
from lucid_ext.models.vision_model import VisionModel

PUBLISHED = ASSETS / "inception_v1_published.json"

# JPEG compression and the crop move what a picture gives by a few per cent.
SHARE_OFF = 0.05
PROBABILITY_OFF = 0.02


@dataclasses.dataclass(frozen=True)
class Row:
    """One comparison: what was looked at, what it is, what it should be, and whether that is near."""

    what: str
    found: str
    expected: str
    holds: bool


def read_expectations(path: str | os.PathLike = PUBLISHED) -> dict[str, Any]:
    """What is expected of a network, from a JSON file.

    `{"probabilities": {picture: [{"probability": p, "class": i or null}, ...]}, "activations":
    {picture: {layer: {"norm": n, "means": [a mean per channel]}}}}`, probabilities falling.

    Raises:
        ValueError: one sentence that says what is wrong with the file.
    """
    try:
        expected = json.loads(Path(path).read_text(encoding="utf-8"))
        ranks = [rank for ranks in expected["probabilities"].values() for rank in ranks]
        summaries = [s for layers in expected["activations"].values() for s in layers.values()]
        fit = all(0 <= r["probability"] <= 1 and (r["class"] is None or r["class"] >= 0) for r in ranks)
        fit = fit and all(s["norm"] > 0 and np.ndim(s["means"]) == 1 for s in summaries)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        fit = False
    if not fit:
        raise ValueError(f"{path} holds no expectations; expected JSON of the form of {PUBLISHED}.")
    return expected


def summarize(activations: np.ndarray) -> dict[str, Any]:
    """What is kept of activations (h, w, c): their norm and the mean of each channel."""
    values = activations.astype(np.float64)
    return {"norm": float(np.linalg.norm(values)), "means": values.mean((0, 1)).tolist()}


def verify(model: VisionModel, folder: Path, expected: Mapping[str, Any]) -> Iterator[Row]:
    """Compare a network with expectations, picture by picture.

    Args:
        model: the network.
        folder: with the pictures, named as in `expected`, of any format `load_image` reads.
        expected: as `read_expectations` returns it.
    """
    for picture in dict.fromkeys([*expected["probabilities"], *expected["activations"]]):
        file = next(iter(sorted(folder.glob(f"{glob.escape(picture)}.*"))), None)
        if file is None:
            yield Row(picture, "no picture", f"{picture}.* in {folder}", False)
            continue
        layers = expected["activations"].get(picture, {})
        acts = model.activations(load_image(file), [model.softmax, *layers])
        ranks = expected["probabilities"].get(picture, [])
        yield from _compare_classes(model, picture, acts[model.softmax], ranks)
        for layer, summary in layers.items():
            yield from _compare_activations(f"{picture}, {layer}", acts[layer], summary)


def _compare_classes(
    model: VisionModel, picture: str, probabilities: np.ndarray, ranks: Sequence[Mapping[str, Any]]
) -> Iterator[Row]:
    """The most probable classes, in order; which class it is counts where that was published."""
    order = np.argsort(-probabilities, kind="stable")
    for place, (index, rank) in enumerate(zip(order, ranks, strict=False), 1):
        found, wanted = float(probabilities[index]), float(rank["probability"])
        near = abs(found - wanted) <= PROBABILITY_OFF + SHARE_OFF * wanted
        expected = f"{wanted:.3f}"
        if rank["class"] is not None:
            near = near and index == rank["class"]
            expected += f" {_label(model, rank['class'])}"
        yield Row(f"{picture}, class {place}", f"{found:.3f} {model.labels[index]}", expected, bool(near))


def _label(model: VisionModel, index: int) -> str:
    return model.labels[index] if index < len(model.labels) else f"class {index}"


def _compare_activations(what: str, acts: np.ndarray, summary: Mapping[str, Any]) -> Iterator[Row]:
    """The length of all activations, and how far the channels' means are from those expected."""
    found, means = summarize(acts), np.array(summary["means"], np.float64)
    off = abs(found["norm"] / summary["norm"] - 1)
    yield Row(f"{what}, norm", f"{found['norm']:.1f}", f"{summary['norm']:.1f}", off <= SHARE_OFF)
    if len(means) != acts.shape[-1]:
        yield Row(f"{what}, channels", str(acts.shape[-1]), str(len(means)), False)
        return
    distance = np.linalg.norm(found["means"] - means) / np.linalg.norm(means)
    expected = f"at most {100 * SHARE_OFF:.0f}%"
    yield Row(f"{what}, channel means", f"{100 * distance:.1f}% off", expected, bool(distance <= SHARE_OFF))
