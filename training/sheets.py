"""Render the icon sheets that come with an embedded network, and compare them with photographs.

    python training/sheets.py NETWORK IMAGES [LAYER ...]

Every channel of the layers, by default those that interfaces offer: rendered into the icon store, so
that the command may be interrupted and run again, then packed into one webp per layer and a manifest.
`IMAGES` is a folder of photographs the network was not trained on, with a WordNet id in the path of
each; what every photograph does to every channel is kept beside the sheets where there are few.
"""

import argparse
import dataclasses
import io
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from tqdm.auto import tqdm

import lucid_ext as lx
from lucid_ext.storage.files import write_atomically
from lucid_ext.models import Photographs
from lucid_ext.optvis import recipe_of
from lucid_ext.optvis.icon import RECIPE_VERSION, drive, stream_directions
from lucid_ext.optvis.shipped import FOLDER, MANIFEST, RESPONSES
from lucid_ext.optvis.survey import survey_photographs
from lucid_ext.storage.sheets import decode, encode

MOST_BYTES = 10_700_000
MOST_RESPONSES = 1_000  # photographs whose responses are kept one by one
QUALITIES = range(88, 40, -4)
GATE_CHANNELS = 64


def render(model: lx.VisionModel, layer: str, store: lx.IconStore) -> np.ndarray:
    """All icons of a layer: uint8 (c, size, size, 3)."""
    channels, recipe = model.layers[layer][-1], recipe_of(model, layer)
    pixels = np.zeros((channels, recipe.size, recipe.size, 3), np.uint8)
    found = stream_directions(model, layer, np.eye(channels), recipe, seed=0, store=store)
    for i, icon in tqdm(found, total=channels, desc=layer, unit="icon"):
        pixels[i] = icon.pixels
    return pixels


def pack(icons: dict[str, np.ndarray]) -> tuple[dict[str, tuple[bytes, int]], int]:
    """Sheets of all layers and their columns, at the best quality that is small enough."""
    for quality in QUALITIES:
        packed = {layer: encode(pixels, quality) for layer, pixels in icons.items()}
        if sum(len(data) for data, _ in packed.values()) <= MOST_BYTES:
            break
    return packed, quality


def measure(
    model: lx.VisionModel, layer: str, shown: np.ndarray, maxima: np.ndarray
) -> tuple[dict[str, Any], float]:
    """How the shipped icons of a layer drive their channels; the share of `GATE_CHANNELS` that do it well.

    Args:
        model: the network.
        layer: the layer.
        shown: uint8 (c, size, size, 3), as they are shipped.
        maxima: (photographs, c), what photographs do to the channels.

    Returns:
        The layer's entry in the manifest, and the share of channels, drawn at random, whose icon drives
        them above the 99th percentile of photographs; one that no photograph excites counts as missed.
    """
    count = len(shown)
    eye = np.eye(count, dtype=np.float32)
    driven = [drive(model, layer, shown[i : i + 32], eye[i : i + 32]) for i in range(0, count, 32)]
    drives = np.concatenate(driven).astype(np.float32)
    drawn = np.random.default_rng(0).choice(count, min(GATE_CHANNELS, count), replace=False)
    above = (drives > np.percentile(maxima, 99, axis=0)) & (maxima.max(0) > 0)
    entry = {
        "drive": [round(float(v), 4) for v in drives],
        "percentile": [round(float(v), 4) for v in (maxima < drives).mean(0)],
    }
    return entry, round(float(above[drawn].mean()), 4)


def main() -> None:
    """Write assets/icons/NETWORK."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("network")
    parser.add_argument("images", type=Path)
    parser.add_argument("layers", nargs="*")
    parser.add_argument("--store", type=Path, help="icon store to render into")
    args = parser.parse_args()
    model, store = lx.load_model(args.network), lx.IconStore(args.store)
    layers = args.layers or list(model.opening.offered)
    icons = {layer: render(model, layer, store) for layer in layers}
    surveys = survey_photographs(model, layers, Photographs(args.images))
    packed, quality = pack(icons)

    folder, entries, gate = FOLDER / model.name, {}, {}
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for layer, (data, columns) in packed.items():
        shown = decode(data, columns, len(icons[layer]))
        entry, gate[layer] = measure(model, layer, shown, surveys[layer].maxima)
        recipe = dataclasses.asdict(recipe_of(model, layer))
        entries[layer] = {"columns": columns, "recipe": recipe, **entry}
        write_atomically(folder / f"{layer}.webp", data)
    photographs, used = surveys[layers[0]].photographs, surveys[layers[0]].used
    if len(used) <= MOST_RESPONSES:
        ids = [re.findall(r"n\d{8}", photographs.names[i])[-1] for i in used]
        maxima: dict[str, Any] = {
            layer: survey.maxima.astype(np.float16) for layer, survey in surveys.items()
        }
        file = io.BytesIO()
        np.savez_compressed(file, wordnet_ids=np.array(ids), **maxima)
        write_atomically(folder / RESPONSES, file.getvalue())
    manifest = {
        "model": model.name,
        "weights": model.digest,
        "recipe_version": RECIPE_VERSION,
        "seed": 0,
        "quality": quality,
        "photographs": len(used),
        "gate": {"channels": GATE_CHANNELS, "above_99th_percentile": gate},
        "layers": entries,
    }
    write_atomically(folder / MANIFEST, (json.dumps(manifest) + "\n").encode())
    size = sum(len(data) for data, _ in packed.values())
    print(f"{size:,} bytes at quality {quality}; icons above the 99th percentile of photographs: {gate}")


if __name__ == "__main__":
    main()
