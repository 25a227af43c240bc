"""Render the icon sheets that come with the embedded network, and compare them with photographs.

    python training/sheets.py IMAGES

Every channel of mixed3a to mixed5b: rendered into the icon store, so that the command may be
interrupted and run again, then packed into one webp per layer and a manifest. `IMAGES/val` holds
the photographs the icons are compared with.
"""

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
from photographs import validation
from tqdm.auto import tqdm

import lucid_ext as lx
from lucid_ext.files import write_atomically
from lucid_ext.models.inception import BLOCKS
from lucid_ext.optvis.icon import CHANNEL, RECIPE_VERSION, drive, stream_directions
from lucid_ext.optvis.sheets import FOLDER, MANIFEST
from lucid_ext.tiles import decode, encode


LAYERS = [f"mixed{block}" for block in BLOCKS]
MOST_BYTES = 7_900_000
QUALITIES = range(88, 40, -4)
GATE_LAYERS = [f"mixed{block}" for block in ("4a", "4b", "4c", "4d", "4e")]
GATE_CHANNELS = 64


def render(model: lx.VisionModel, layer: str, store: lx.IconStore) -> np.ndarray:
    """All icons of a layer: uint8 (c, size, size, 3)."""
    channels = model.layers[layer][-1]
    pixels = np.zeros((channels, CHANNEL.size, CHANNEL.size, 3), np.uint8)
    found = stream_directions(model, layer, np.eye(channels), CHANNEL, seed=0, store=store)
    for i, icon in tqdm(found, total=channels, desc=layer, unit="icon"):
        pixels[i] = icon.pixels
    return pixels


def photograph_maxima(model: lx.VisionModel, folder: Path) -> dict[str, np.ndarray]:
    """Per layer, the largest activation of every channel in every photograph: (photographs, c)."""
    classes = json.loads((FOLDER.parent / f"{model.name}.json").read_text(encoding="utf-8"))["classes"]
    run = model.function("input", LAYERS)
    maxima: dict[str, list[np.ndarray]] = {layer: [] for layer in LAYERS}
    for images, _ in validation(folder, classes, model.size[0]):
        for layer, acts in zip(LAYERS, run(images), strict=True):
            maxima[layer].append(acts.numpy().max((1, 2)))
    return {layer: np.concatenate(parts) for layer, parts in maxima.items()}


def main() -> None:
    """Write assets/icons."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("images", type=Path)
    parser.add_argument("--store", type=Path, help="icon store to render into")
    args = parser.parse_args()
    model, store = lx.load_model(), lx.IconStore(args.store)
    icons = {layer: render(model, layer, store) for layer in LAYERS}
    maxima = photograph_maxima(model, args.images)

    for quality in QUALITIES:
        packed = {layer: encode(pixels, quality) for layer, pixels in icons.items()}
        if sum(len(data) for data, _ in packed.values()) <= MOST_BYTES:
            break
    layers: dict[str, dict[str, Any]] = {}
    for layer, (data, columns) in packed.items():
        count = len(icons[layer])
        shown = decode(data, columns, count)
        eye = np.eye(count, dtype=np.float32)
        driven = np.concatenate(
            [drive(model, layer, shown[i : i + 32], eye[i : i + 32]) for i in range(0, count, 32)]
        ).astype(np.float32)
        layers[layer] = {
            "columns": columns,
            "drive": [round(float(v), 4) for v in driven],
            "percentile": [round(float(v), 4) for v in (maxima[layer] < driven).mean(0)],
        }
    rng = np.random.default_rng(0)
    pairs = [(layer, c) for layer in GATE_LAYERS for c in range(len(icons[layer]))]
    drawn = [pairs[i] for i in sorted(rng.choice(len(pairs), GATE_CHANNELS, replace=False))]
    above = [layers[layer]["percentile"][c] >= 0.99 for layer, c in drawn]
    dead = {layer: [c for c, v in enumerate(entry["drive"]) if v <= 0] for layer, entry in layers.items()}

    FOLDER.mkdir(exist_ok=True)
    for layer, (data, _) in packed.items():
        write_atomically(FOLDER / f"{layer}.webp", data)
    manifest = {
        "weights": model.digest,
        "recipe": dataclasses.asdict(CHANNEL),
        "recipe_version": RECIPE_VERSION,
        "seed": 0,
        "size": CHANNEL.size,
        "quality": quality,
        "photographs": len(maxima[LAYERS[0]]),
        "gate": {"channels": GATE_CHANNELS, "above_99th_percentile": round(float(np.mean(above)), 4)},
        "layers": layers,
    }
    write_atomically(FOLDER / MANIFEST, (json.dumps(manifest) + "\n").encode())
    size = sum(len(data) for data, _ in packed.values())
    print(
        f"{size:,} bytes at quality {quality}; {np.mean(above):.0%} of {GATE_CHANNELS} channels of 4a to 4e"
    )
    print("are driven above the 99th percentile of photographs; dead:", {k: v for k, v in dead.items() if v})


if __name__ == "__main__":
    main()
