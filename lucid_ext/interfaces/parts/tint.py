"""Two colours over the cells of every layer: the strongest factors of what they say of the classes."""

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from lucid_ext.groups import factorize, project

COLOURS = {"lime": (190, 205, 40), "magenta": (205, 45, 150)}
"""Unlike in lightness too, so that they can be told apart without their hue."""

MOST = 0.6  # of a tile that the colour of a full cell takes


def factors(
    evidence: Mapping[str, np.ndarray], labels: Sequence[str], seed: int = 0
) -> tuple[dict[str, np.ndarray], str]:
    """A colour for every cell, from NMF(2) of the last layer's positive evidence, projected to the others.

    As in the multi-directional maps of The Building Blocks of Interpretability (2018).

    Args:
        evidence: {layer: float32 (h, w, classes)}, signed, in the order of the network.
        labels: of the classes.
        seed: of the factorization.

    Returns:
        {layer: float32 (h, w, 4)}, a colour in 0 to 255 and how much of it, 0 to 1; and a sentence on
        which colour leads to which class.
    """
    positive = {layer: np.maximum(values, 0) for layer, values in evidence.items()}
    last = list(positive)[-1]
    if not positive[last].any():
        return {layer: np.zeros((*v.shape[:2], 4), np.float32) for layer, v in positive.items()}, ""
    groups = factorize(positive[last], n_groups=2, seed=seed)
    colours = np.array(list(COLOURS.values()), np.float32)[: len(groups.channels)]
    tints = {}
    for layer, values in positive.items():
        shares = project(values, groups)
        total = shares.sum(-1, keepdims=True)
        mixed = shares @ colours / np.maximum(total, 1e-12)
        tints[layer] = np.concatenate([mixed, total / max(float(total.max()), 1e-12)], -1)
    leads = [labels[int(row.argmax())] for row in groups.channels]
    named = [f"{colour} leads to {label}" for colour, label in zip(COLOURS, leads, strict=False)]
    return tints, f"Tint: {', '.join(named)}."


def tinted(pictures: np.ndarray, tints: np.ndarray) -> np.ndarray:
    """Pictures (n, s, s, 3), uint8, each under its colour of `tints` (n, 4)."""
    share = (MOST * tints[:, 3])[:, None, None, None]
    return np.round((1 - share) * pictures + share * tints[:, None, None, :3]).astype(np.uint8)


def tinted_photograph(picture: np.ndarray, tints: np.ndarray) -> np.ndarray:
    """A picture (H, W, 3), uint8, under the colours of a layer's cells (h, w, 4)."""
    height, width, _ = picture.shape
    planes = [
        Image.fromarray(plane).resize((width, height), Image.Resampling.NEAREST)
        for plane in tints.transpose(2, 0, 1)
    ]
    whole = np.stack([np.asarray(plane) for plane in planes], -1)
    share = MOST * whole[..., 3:]
    return np.round((1 - share) * picture + share * whole[..., :3]).astype(np.uint8)
