"""Groups over a picture: a colour for each, told apart by colour-blind readers too, and its number."""

import numpy as np
from PIL import Image

from lucid_ext.board.panels import Mark

COLOURS = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7", "#b0b0b0")
"""Those of Okabe and Ito (2008), with grey for their black, which a photograph would hide."""

MOST = 0.8  # of the picture that the colours take where groups are strongest
GREY = 0.6  # how much of the picture's own colours is taken away first


def colour_of(group: int) -> str:
    """As "#rrggbb"; beyond eight groups colours come again, and the number tells them apart."""
    return COLOURS[group % len(COLOURS)]


def blended(picture: np.ndarray, spatial: np.ndarray) -> np.ndarray:
    """A picture under the colours of groups: each pixel their mixture, as clear as they are strong.

    Args:
        picture: uint8 (H, W, 3).
        spatial: (h, w, k), how much of each group is where; of values below zero, how much they are.

    Returns:
        uint8 (H, W, 3).
    """
    height, width, _ = picture.shape
    size = np.abs(spatial)
    wide = np.stack(
        [
            np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.BICUBIC))
            for plane in size.transpose(2, 0, 1).astype(np.float32)
        ],
        -1,
    )
    wide = np.maximum(wide, 0)
    total = wide.sum(-1)
    squares = wide * wide  # they let the strongest group of a place have its colour
    colours = [[int(colour_of(j)[i : i + 2], 16) for i in (1, 3, 5)] for j in range(size.shape[-1])]
    mixed = squares @ np.array(colours, np.float32) / np.maximum(squares.sum(-1, keepdims=True), 1e-12)
    full = max(float(np.quantile(total, 0.98)), 1e-12)
    cover = np.float32(MOST) * np.sqrt(np.minimum(total / np.float32(full), 1))[..., None]
    own = picture.astype(np.float32)
    grey = np.float32(GREY) * own.mean(-1, keepdims=True) + np.float32(1 - GREY) * own
    return np.round(grey + cover * (mixed - grey)).clip(0, 255).astype(np.uint8)


def marks(spatial: np.ndarray) -> list[Mark]:
    """The number of every group where it is strongest, no two at one cell while there are enough."""
    k = spatial.shape[-1]
    cells = np.abs(spatial).reshape(-1, k)
    taken: set[int] = set()
    found = []
    for group in range(k):
        order = np.argsort(-cells[:, group], kind="stable")
        atom = next((int(cell) for cell in order if int(cell) not in taken), int(order[0]))
        taken.add(atom)
        found.append(Mark(atom, str(group), colour_of(group)))
    return found
