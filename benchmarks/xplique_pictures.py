"""What xplique draws of the same channels: run by the Python of an environment of its own.

    python benchmarks/xplique_pictures.py pictures.npz mixed4d 0 17 ...

xplique needs TensorFlow below 2.16 and a Keras model, so the embedded network's graph is wrapped in
one. Settings are xplique's own, but for the size. Writes the pictures and the seconds they took.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import tensorflow as tf
from xplique.features_visualizations import Objective, optimize

ASSETS = Path(__file__).parent.parent / "lucid_ext" / "assets"
SIZE = 128


def as_keras(layer: str) -> tf.keras.Model:
    """The embedded network up to a layer, for images in [0, 1]."""
    low, high = json.loads((ASSETS / "mini.json").read_text(encoding="utf-8"))["range"]
    graph = tf.compat.v1.GraphDef.FromString((ASSETS / "mini.pb").read_bytes())
    wrapped = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(graph, name=""), [])
    ends = (wrapped.graph.as_graph_element(f"{name}:0") for name in ("input", layer))
    run = wrapped.prune(*ends)
    seen = tf.keras.Input((SIZE, SIZE, 3))
    acts = tf.keras.layers.Lambda(lambda x: run(low + (high - low) * x), name=layer)(seen)
    return tf.keras.Model(seen, acts)


def main(path: str, layer: str, *units: str) -> None:
    """Draw and save."""
    model = as_keras(layer)
    objective = Objective.channel(model, layer, [int(unit) for unit in units])
    before = time.perf_counter()
    images, _ = optimize(objective, custom_shape=(SIZE, SIZE))
    seconds = time.perf_counter() - before
    last = np.asarray(images[-1]).reshape(-1, SIZE, SIZE, 3)
    np.savez(path, images=last.astype(np.float32), seconds=seconds)


if __name__ == "__main__":
    main(*sys.argv[1:])
