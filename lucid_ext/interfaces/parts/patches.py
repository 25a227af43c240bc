"""Pictures of a list's rows that come from several places: patches of photographs, icons of any size."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from lucid_ext.optvis.survey import Patch

ACCENT, WHITE = (240, 110, 20), (255, 255, 255)
MARK = 0.14  # of a patch's side: the square around the strongest cell


def marked(patch: Patch) -> np.ndarray:
    """A patch with a small square around the cell that answered: uint8, of the patch's shape."""
    pixels = patch.pixels.copy()
    side = len(pixels)
    half = max(3, round(MARK * side / 2))
    y, x = (round(np.clip(at * side, half + 2, side - half - 3)) for at in patch.place)
    for reach, colour in ((half + 2, WHITE), (half + 1, ACCENT), (half, ACCENT)):
        pixels[y - reach : y + reach + 1, x - reach : x + reach + 1] = colour
    inside = slice(y - half + 1, y + half), slice(x - half + 1, x + half)
    pixels[inside] = patch.pixels[inside]
    return pixels


def pictures(icons: Sequence[np.ndarray | None]) -> dict[str, Any]:
    """One icon per unit of a list, or None; all as large as the largest."""
    side = max((len(icon) for icon in icons if icon is not None), default=1)
    stacked = [resized(icon, side) for icon in icons if icon is not None]
    icon_of = np.full(len(icons), -1, np.int32)
    icon_of[[i for i, icon in enumerate(icons) if icon is not None]] = np.arange(len(stacked))
    return {"icons": np.stack(stacked), "icon_of": icon_of, "illustrated": True}


def resized(icon: np.ndarray, side: int) -> np.ndarray:
    """An icon at another size: uint8 (side, side, 3)."""
    if len(icon) == side:
        return icon
    return np.asarray(Image.fromarray(icon).resize((side, side), Image.Resampling.BICUBIC))
