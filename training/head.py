"""Refit the last layer of a trained network, everything under it left as it is.

    python training/head.py IMAGES WEIGHTS.npz OUT.npz

The robust stages leave a last layer that hedges: it was made for pictures that are moved against it.
A logistic regression on the mean activations of clean pictures is more accurate and says
probabilities that can be taken at their word. No feature and no icon changes.
"""

import argparse
from pathlib import Path

import numpy as np
import tensorflow as tf
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from tqdm.auto import tqdm
from train import OWN_SIDE, augment, read_folder

import lucid_ext as lx
from lucid_ext.models.inception import MEAN_PIXEL, frozen_graph

BATCH = 100
SMALLEST_CROP = 0.2  # of the image's area: close-ups too
PENALTIES = (0.01, 0.03, 0.1, 0.3)  # scikit-learn's C, for features of unit variance
HELD_OUT = 0.1


def features(weights: dict[str, np.ndarray], images: np.ndarray, seed: int) -> np.ndarray:
    """Mean activations (n, c) of `mixed5b`, of one random crop of each of `images` (n, 64, 64, 3) uint8."""
    model = lx.VisionModel(
        frozen_graph(weights),
        labels=[],
        size=(OWN_SIDE, OWN_SIDE),
        value_range=(-MEAN_PIXEL, 255.0 - MEAN_PIXEL),
        name="features",
    )

    @tf.function
    def run(batch: tf.Tensor) -> tf.Tensor:
        pixels = augment(batch, OWN_SIDE, SMALLEST_CROP)
        return model.splice({"input": pixels}, ["avgpool0"])[0]

    tf.random.set_seed(seed)
    starts = tqdm(range(0, len(images), BATCH), desc="features", unit="batch")
    return np.concatenate([run(tf.constant(images[i : i + BATCH])).numpy() for i in starts])


def fit(x: np.ndarray, labels: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A last layer for features x (n, c): weights (c, classes) and biases (classes,).

    The strength of its penalty is chosen on a tenth that is held out.
    """
    spread = x.std(0) + 1e-6
    train_x, test_x, train_y, test_y = train_test_split(
        x / spread, labels, test_size=HELD_OUT, random_state=seed, stratify=labels
    )
    best = None
    for penalty in PENALTIES:
        candidate = LogisticRegression(C=penalty, max_iter=60, tol=1e-3).fit(train_x, train_y)
        loss = log_loss(test_y, candidate.predict_proba(test_x))
        print(f"C = {penalty}: {loss:.3f} nats, {candidate.score(test_x, test_y):.1%} of the held-out crops")
        if best is None or loss < best[0]:
            best = (loss, candidate)
    assert best is not None
    return (best[1].coef_ / spread).T, best[1].intercept_


def main() -> None:
    """Write the weights with another last layer."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("images", type=Path, help="folder with train/, a sub-folder per class")
    parser.add_argument("weights", type=Path, help="an .npz that train.py left")
    parser.add_argument("out", type=Path, help="the .npz to write")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    classes = sorted(p.name for p in (args.images / "train").iterdir())
    images, labels = read_folder(args.images / "train", classes)
    weights = dict(np.load(args.weights))
    kernel, bias = fit(features(weights, images, args.seed), labels, args.seed)
    weights["softmax2_w"], weights["softmax2_b"] = kernel.astype(np.float16), bias.astype(np.float16)
    np.savez(args.out, **weights)


if __name__ == "__main__":
    main()
