"""Arrays of numbers as pictures: which shape, kind and range they may have."""

from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from lucid_ext.models.reduction import Size, bands, check_size, reduced, target_size

SLACK = 1e-3  # by which floats may be out of range, as they are after resampling


def from_array(source: Any, name: str, max_bytes: float) -> np.ndarray:
    """Return an array as a picture, float32 (H, W, 3) in [0, 1]; see `load_image` for what it may be.

    Raises:
        ValueError: one sentence that says what is wrong with it and what was expected.
    """
    try:
        array = np.asarray(source)
    except MemoryError:
        raise
    except Exception as error:  # whatever an object may raise when it is asked for its numbers
        raise ValueError(f"{name} is not rectangular or is no array; expected (H, W, 3).") from error
    if array.dtype.kind not in "uifb":
        one = "; give one of them" if isinstance(source, list | tuple | set) else ""
        raise ValueError(
            f"{type(source).__name__} is no picture; expected a sample's name, a path, a URL, bytes, "
            f"a PIL image or an array of numbers{one}."
        )
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[-1] not in (1, 3, 4):
        hint = "; take one picture of the batch" if array.ndim == 4 else ""
        if array.ndim == 3 and array.shape[0] in (1, 3, 4):
            hint = "; move its first axis last"
        raise ValueError(f"{name} has shape {array.shape}; expected (H, W, 3){hint}.")
    size = (array.shape[1], array.shape[0])
    check_size(name, size, array.nbytes, max_bytes)
    white = {"u": 65535 if array.dtype == np.uint16 else 255, "i": 255, "f": 1, "b": 1}[array.dtype.kind]
    return from_levels(lambda top, bottom: array[top:bottom], size, white, name)


def from_levels(
    levels: Callable[[int, int], np.ndarray], size: Size, white: int, name: str, numbers: str = "it"
) -> np.ndarray:
    """Return numbers from 0 to `white` as a picture, float32 (H, W, 3) in [0, 1], reduced where it is large.

    Args:
        levels: (top, bottom) -> those rows, (n, width, channels): grey, RGB, or RGB and opacity.
        size: of the whole.
        white: the largest number there may be; 1 for floats.
        name: what to call it in an error.
        numbers: where they can be had as an array, to be scaled.

    Raises:
        ValueError: one sentence on a number that is out of range.
    """
    _check_range(levels, size, white, name, numbers)

    def planes(top: int, bottom: int) -> list[Image.Image]:
        colours = _on_white(levels(top, bottom), white)
        return [Image.fromarray(colours[..., i]) for i in range(colours.shape[-1])]

    if target_size(size) == size:
        picture = _on_white(levels(0, size[1]), white)
    else:
        picture = np.clip(np.stack([np.asarray(plane) for plane in reduced(size, planes)], -1), 0.0, 1.0)
    return np.repeat(picture, 3, axis=-1) if picture.shape[-1] == 1 else picture


def _check_range(
    levels: Callable[[int, int], np.ndarray], size: Size, white: int, name: str, numbers: str
) -> None:
    rows = (levels(top, bottom) for top, bottom in bands(size))
    lowest, highest = np.array([(band.min(), band.max()) for band in rows]).T
    low, high = float(lowest.min()), float(highest.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError(f"{name} holds NaN or infinity; expected numbers from 0 to {white}.")
    slack = SLACK if white == 1 else 0
    if low < -slack or high > white + slack:
        cure = f"bring {numbers} into that range"
        if white == 1 and low >= 0 and high <= 65535:
            cure = f"divide {numbers} by {255 if high <= 255 else 65535}"
        raise ValueError(f"{name} holds values from {low:g} to {high:g}; expected 0 to {white}: {cure}.")


def _on_white(levels: np.ndarray, white: int) -> np.ndarray:
    """Return the colours of rows, float32 (n, width, 1 or 3) in [0, 1]."""
    unit = levels.astype(np.float32)
    unit /= white
    np.clip(unit, 0.0, 1.0, out=unit)
    if unit.shape[-1] < 4:
        return unit
    opacity = unit[..., 3:]
    colours = unit[..., :3] * opacity
    colours += 1.0 - opacity
    return colours
