"""Images in: from a sample's name, a file, a URL, bytes, a PIL image or an array to one form."""

import http.client
import io
import os
import urllib.request
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from lucid_ext.models.samples import SAMPLES, open_sample

LONGEST_SIDE = 1024  # larger pictures are reduced to it: enough to zoom into, small enough to keep
SMALLEST_SIDE = 16
MOST_PIXELS = 100_000_000
MOST_BYTES = 100_000_000  # of a download
DOWNLOAD_SECONDS = 20


def load_image(source: Any) -> np.ndarray:
    """Read a picture from wherever it is.

    Rotation by EXIF is applied; transparent pixels are laid on white; grey, palette, CMYK and
    16-bit pictures become RGB; of an animation the first frame is taken; a picture with a side
    over 1024 pixels is reduced to that.

    Args:
        source: the name of a sample (`SAMPLES`), a path, an http(s) URL, bytes of a file, a PIL
            image, or an array: (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), of floats in [0, 1] or
            integers in 0..255 (uint16: 0..65535).

    Returns:
        float32 (H, W, 3) in [0, 1].

    Raises:
        ValueError: one sentence that says what is wrong with it and what was expected.
    """
    if isinstance(source, Image.Image):
        return _from_pil(source, "the image")
    if isinstance(source, bytes | bytearray | memoryview):
        return _from_file(io.BytesIO(bytes(source)), "the uploaded file")
    if isinstance(source, str | os.PathLike):
        return _from_name(source)
    return _from_array(source)


def _from_name(source: str | os.PathLike) -> np.ndarray:
    name = os.fspath(source)
    if name in SAMPLES:
        return _from_pil(open_sample(name), name)
    if str(name).startswith(("http://", "https://")):
        return _from_file(_download(str(name)), str(name))
    path = Path(name).expanduser()
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "is neither a sample nor a file"
        raise ValueError(f"{name!r} {what}; expected a path, a URL or one of {', '.join(SAMPLES)}.")
    return _from_file(path, str(name))


def _download(url: str) -> io.BytesIO:
    try:
        with urllib.request.urlopen(url, timeout=DOWNLOAD_SECONDS) as response:
            data = response.read(MOST_BYTES + 1)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise ValueError(
            f"{url} could not be downloaded ({type(error).__name__}: {str(error)[:120]}); "
            "check the address and the network, or save the picture and give its path."
        ) from error
    if len(data) > MOST_BYTES:
        raise ValueError(f"{url} is larger than {MOST_BYTES // 1_000_000} MB; expected a picture.")
    return io.BytesIO(data)


def _from_file(file: Path | io.BytesIO, name: str) -> np.ndarray:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Pillow, about sizes and odd metadata
            with Image.open(file) as picture:
                _check_size(picture, name)
                picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # lets a large JPEG be decoded small
                picture.load()
                return _from_pil(picture, name)
    except UnusableImageError:
        raise
    except Exception as error:  # each decoder has exceptions of its own for a damaged file
        size = file.stat().st_size if isinstance(file, Path) else file.getbuffer().nbytes
        what = "is empty" if size == 0 else "cannot be read as a picture, or is cut short"
        raise ValueError(
            f"{name} {what} ({size:,} bytes); expected a JPEG, PNG, WebP, GIF or TIFF."
        ) from error


class UnusableImageError(ValueError):
    """A picture that can be read but not used."""


def _check_size(picture: Image.Image, name: str) -> None:
    width, height = picture.size
    if min(width, height) < SMALLEST_SIDE:
        raise UnusableImageError(
            f"{name} is {width} x {height} pixels; expected at least {SMALLEST_SIDE} x {SMALLEST_SIDE}."
        )
    if width * height > MOST_PIXELS:
        raise UnusableImageError(
            f"{name} is {width} x {height} pixels; expected at most {MOST_PIXELS // 1_000_000} "
            "million: scale it down first."
        )


def _from_pil(picture: Image.Image, name: str) -> np.ndarray:
    _check_size(picture, name)
    picture = ImageOps.exif_transpose(picture)
    if picture.mode in ("I", "I;16", "I;16L", "I;16B", "I;16N"):
        levels = np.asarray(picture).astype(np.float32) / 65535.0
        picture = Image.fromarray(levels)
    if picture.mode == "F":
        return _from_array(_reduced(picture), name)
    if picture.has_transparency_data:
        picture = _reduced(picture.convert("RGBA"))
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return np.asarray(_reduced(picture.convert("RGB")), np.float32) / 255.0


def _reduced(picture: Image.Image) -> Image.Image:
    """The picture with no side over LONGEST_SIDE."""
    scale = LONGEST_SIDE / max(picture.size)
    if scale >= 1:
        return picture
    width, height = (max(1, round(side * scale)) for side in picture.size)
    return picture.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=3.0)


def _from_array(source: Any, name: str = "the array") -> np.ndarray:
    try:
        array = np.asarray(source)
    except ValueError as error:
        raise ValueError(f"{name} is not rectangular; expected (H, W, 3).") from error
    if array.dtype.kind not in "uifb":
        raise ValueError(
            f"{type(source).__name__} is no picture; expected a sample's name, a path, a URL, bytes, "
            "a PIL image or an array of numbers."
        )
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[-1] not in (1, 3, 4):
        hint = "; take one picture of the batch" if array.ndim == 4 else ""
        if array.ndim == 3 and array.shape[0] in (1, 3, 4):
            hint = "; move its first axis last"
        raise ValueError(f"{name} has shape {array.shape}; expected (H, W, 3){hint}.")
    if min(array.shape[:2]) < SMALLEST_SIDE:
        raise ValueError(
            f"{name} is {array.shape[1]} x {array.shape[0]} pixels; "
            f"expected at least {SMALLEST_SIDE} x {SMALLEST_SIDE}."
        )
    if not np.all(np.isfinite(array)):
        raise ValueError(f"{name} holds NaN or infinity; expected numbers from 0 to 1.")
    top = {"u": 65535 if array.dtype == np.uint16 else 255, "i": 255, "f": 1, "b": 1}[array.dtype.kind]
    low, high = float(array.min()), float(array.max())
    slack = 1e-3 if array.dtype.kind == "f" else 0
    if low < -slack or high > top + slack:
        hint = ": divide it by 255" if top == 1 and low >= 0 and high <= 255 else ""
        raise ValueError(f"{name} holds values from {low:g} to {high:g}; expected 0 to {top}{hint}.")
    unit = np.clip(array.astype(np.float32) / top, 0.0, 1.0)
    if unit.shape[-1] == 4:
        unit = unit[..., :3] * unit[..., 3:] + (1.0 - unit[..., 3:])
    if max(unit.shape[:2]) > LONGEST_SIDE:
        planes = [_reduced(Image.fromarray(unit[..., c])) for c in range(unit.shape[-1])]
        unit = np.clip(np.stack([np.asarray(p) for p in planes], -1), 0.0, 1.0)
    return np.repeat(unit, 3, axis=-1) if unit.shape[-1] == 1 else unit
