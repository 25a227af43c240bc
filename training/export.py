"""Write the embedded network: weights as a frozen graph, and its card.

    python training/export.py WEIGHTS.npz IMAGES

`WEIGHTS.npz` is what `train.py` leaves; `IMAGES/val` holds photographs the network was not trained
on, a sub-folder per class, to measure its accuracy. Class names come from the present card. The card
also holds values to check a copy of the graph against, computed by the network in Keras.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from network import build, unfold
from photographs import validation

import lucid_ext as lx
from lucid_ext.models import card
from lucid_ext.models.inception import BLOCKS, MEAN_PIXEL, OPENING, frozen_graph
from lucid_ext.models.load import ASSETS, VALUE_RANGE

SIDE = 112

NAME = "mini"


def measure(model: lx.VisionModel, folder: Path, classes: list[list[str]]) -> dict[str, float]:
    """Top-1 and top-5 accuracy."""
    parts = []
    run = model.function("input", [model.logits])
    for images, labels in validation(folder, classes, SIDE):
        logits = run(images)[0].numpy()
        parts.append((logits > logits[np.arange(len(labels)), labels][:, None]).sum(1))
    ranks = np.concatenate(parts)
    return {
        "images": len(ranks),
        "top1": round(float((ranks < 1).mean()), 4),
        "top5": round(float((ranks < 5).mean()), 4),
    }


def check_values(weights: Any, classes: int) -> dict[str, dict[str, Any]]:
    """Activations of Keras' network for an input made from a seed, in a few numbers per layer."""
    levels = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3)).astype(np.float32)
    network = build(classes, dtype="float32")
    unfold(network, weights, np.zeros((1, SIDE, SIDE, 3), np.uint8))
    # A block ends in a concatenation; the others in the ReLU after their batch norm.
    layers = {
        f"conv2d{i}": network.layers[network.layers.index(network.get_layer(f"conv2d{i}")) + 2]
        for i in range(3)
    }
    ends = [layer for layer in network.layers if isinstance(layer, tf.keras.layers.Concatenate)]
    layers |= {f"mixed{block}": layer for block, layer in zip(BLOCKS, ends, strict=True)}
    layers["softmax2_pre_activation"] = network.get_layer("softmax2")
    outputs = tf.keras.Model(network.input, [layer.output for layer in layers.values()])
    values = {}
    for name, acts in zip(layers, outputs(levels[None] - MEAN_PIXEL, training=False), strict=True):
        a = acts.numpy()[0]
        values[name] = {
            "shape": list(a.shape),
            "mean": float(a.mean()),
            "l2": float(np.linalg.norm(a)),
            "first": a.ravel()[:4].tolist(),
        }
    return values


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
    graph_path, card_path = ASSETS / f"{NAME}.pb", ASSETS / f"{NAME}.json"
    source = json.loads((args.classes or card_path).read_text(encoding="utf-8"))
    classes = source if args.classes else source["classes"]
    weights = np.load(args.weights)
    found = sorted(path.name for path in (args.images / "val").iterdir())
    if found != [name for name, _ in classes] or weights["softmax2_b"].shape != (len(classes),):
        raise SystemExit(f"{args.weights}, {args.images / 'val'} and the class names do not belong together.")

    model = lx.VisionModel(
        frozen_graph(weights),
        labels=[names.split(",")[0] for _, names in classes],
        size=(SIDE, SIDE),
        value_range=VALUE_RANGE,
        name=NAME,
        opening=OPENING,
    )
    accuracy = measure(model, args.images, classes)
    card.save(
        model, graph_path, accuracy=accuracy, check=check_values(weights, len(classes)), classes=classes
    )
    print(f"{graph_path}: {graph_path.stat().st_size:,} bytes, {accuracy}")


if __name__ == "__main__":
    main()
