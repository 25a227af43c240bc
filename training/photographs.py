"""Photographs the network was not trained on, as the network sees them."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf
from tqdm.auto import tqdm

import lucid_ext as lx

BATCH = 100


def validation(folder: Path, classes: list[list[str]], side: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Batches of (photographs (n, side, side, 3) in [0, 1], class numbers (n,)) from `folder/val`."""
    files = []
    for number, (name, _) in enumerate(classes):
        files += [(path, number) for path in sorted((folder / "val" / name).iterdir())]
    for start in tqdm(range(0, len(files), BATCH), desc="photographs", unit="batch"):
        batch = files[start : start + BATCH]
        images = np.stack([lx.load_image(path) for path, _ in batch])
        resized = tf.image.resize(images, (side, side), "bicubic", antialias=True)
        yield np.clip(resized.numpy(), 0.0, 1.0), np.array([number for _, number in batch])
