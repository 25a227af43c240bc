"""Write the embedded network: weights as a frozen graph, and its card.

    python training/export.py WEIGHTS.npz IMAGES

`WEIGHTS.npz` is what `train.py` leaves; `IMAGES/val` holds pictures the network was not trained on,
a sub-folder per class, to measure its accuracy. Class names come from the present card.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf
from tqdm.auto import tqdm

import lucid_ext as lx
from lucid_ext.models.inception import MEAN_PIXEL, frozen_graph
from lucid_ext.models.load import ASSETS, EMBEDDED

SIDE = 112


def validation(folder: Path, classes: list[list[str]]) -> Iterator[tuple[tf.Tensor, np.ndarray]]:
    """Batches of (pictures (n, SIDE, SIDE, 3) in [0, 1], class numbers (n,))."""
    files = [(p, i) for i, (name, _) in enumerate(classes) for p in sorted((folder / name).iterdir())]
    for start in tqdm(range(0, len(files), 100), desc="validation", unit="batch"):
        batch = files[start : start + 100]
        images = [
            tf.image.resize(lx.load_image(p), (SIDE, SIDE), "bicubic", antialias=True) for p, _ in batch
        ]
        yield tf.clip_by_value(tf.stack(images), 0.0, 1.0), np.array([i for _, i in batch])


def measure(model: lx.VisionModel, folder: Path, classes: list[list[str]]) -> dict[str, float]:
    """Top-1 and top-5 accuracy."""
    parts = []
    run = model.function("input", [model.logits])
    for images, labels in validation(folder, classes):
        logits = run(images)[0].numpy()
        parts.append((logits > logits[np.arange(len(labels)), labels][:, None]).sum(1))
    ranks = np.concatenate(parts)
    return {
        "images": len(ranks),
        "top1": round(float((ranks < 1).mean()), 4),
        "top5": round(float((ranks < 5).mean()), 4),
    }


def main() -> None:
    """Write assets/mini.pb and assets/mini.json."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("weights", type=Path)
    parser.add_argument("images", type=Path)
    parser.add_argument(
        "--classes", type=Path, help="JSON [[WordNet id, names], ...], in the order of the logits"
    )
    args = parser.parse_args()
    graph_path, card_path = ASSETS / f"{EMBEDDED}.pb", ASSETS / f"{EMBEDDED}.json"
    classes = (
        json.loads(args.classes.read_text()) if args.classes else json.loads(card_path.read_text())["classes"]
    )

    graph_def = frozen_graph(np.load(args.weights))
    model = lx.VisionModel(
        graph_def,
        labels=[names for _, names in classes],
        size=(SIDE, SIDE),
        value_range=(-MEAN_PIXEL, 255.0 - MEAN_PIXEL),
        name=EMBEDDED,
    )
    card = {
        "digest": model.digest,
        "side": SIDE,
        "accuracy": measure(model, args.images / "val", classes),
        "classes": classes,
    }
    graph_path.write_bytes(graph_def.SerializeToString(deterministic=True))
    lines = json.dumps(card, indent=1, ensure_ascii=False)
    card_path.write_text(lines + "\n")
    print(f"{graph_path}: {graph_path.stat().st_size:,} bytes, {card['accuracy']}")


if __name__ == "__main__":
    main()
