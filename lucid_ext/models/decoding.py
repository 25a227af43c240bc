"""Files and PIL images as pictures: judged by what decoding takes, before anything is decoded."""

import contextlib
import struct
import warnings
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
from PIL import ExifTags, Image, JpegImagePlugin, TiffImagePlugin, UnidentifiedImageError

from lucid_ext.models.arrays import from_levels
from lucid_ext.models.reduction import Size, check_size, reduced, target_size

FORMATS = {
    "JPEG": 4,
    "MPO": 4,
    "PNG": 4,
    "WEBP": 16,
    "GIF": 4,
    "TIFF": 4,
    "BMP": 4,
    "PPM": 4,
    "AVIF": 20,
    "HEIF": 20,
    "JPEG2000": 28,
    "ICO": 8,
    "PCX": 4,
    "TGA": 4,
}
"""{format: bytes a pixel takes until it is decoded}, as measured; the image itself has 4 of them.

Other formats of Pillow are not read: they run programs, or do not say their size first.
"""

SCAN = b"\xff\xda"  # how one of a JPEG begins
MAX_SCANS = 100  # each is a pass over the whole picture, for a hundred bytes of the file
HIGH_DEPTH = {"I": 65535, "I;16": 65535, "I;16L": 65535, "I;16B": 65535, "I;16N": 65535, "F": 1}
"""{mode: what white is} of modes with more than 8 bits a channel."""

NUMBERS = "numpy.asarray(PIL.Image.open(...))"
"""How the numbers in a file become an array, for who has to scale them."""

FLIPPED = {2: (1,), 3: (0, 1), 4: (0,), 6: (1,), 7: (0, 1), 8: (0,)}
"""{EXIF orientation: axes to flip}; from 5 on, rows become columns first."""


def from_file(file: IO[bytes], name: str, max_bytes: float) -> np.ndarray:
    """Return the picture in a file, float32 (H, W, 3) in [0, 1]; of an animation its first frame.

    Args:
        file: open, and not only at its beginning.
        name: what to call it in an error.
        max_bytes: how much memory it may take, the file included.

    Raises:
        ValueError: one sentence that says what is wrong with it and what was expected.
    """
    bytes_in_file = file.seek(0, 2)
    if not bytes_in_file:
        raise ValueError(f"{name} is empty (0 bytes); expected a JPEG, PNG, WebP, GIF or TIFF.")
    length = f" ({bytes_in_file:,} bytes)"
    with _decoding(name, length):
        picture = _open(file)
        size = picture.size
        picture.draft("RGB", target_size(size))  # lets a large JPEG be decoded small
        decoding = bytes_in_file + _decoding_bytes(picture, size, name)
    check_size(name, size, decoding, max_bytes)
    return _pixels(picture, name, length)


def from_pil(picture: Image.Image, name: str, max_bytes: float) -> np.ndarray:
    """Return a PIL image as a picture, float32 (H, W, 3) in [0, 1]; see `from_file`."""
    with _decoding(name):
        decoding = _decoding_bytes(picture, picture.size, name)
    check_size(name, picture.size, decoding, max_bytes)
    return _pixels(picture, name)


class UnusableImageError(ValueError):
    """A refusal that says all there is to say."""


@contextlib.contextmanager
def _decoding(name: str, length: str = "") -> Iterator[None]:
    """Turn whatever a decoder raises into one sentence."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Pillow, about sizes and odd metadata
            yield
    except (MemoryError, UnusableImageError):
        raise
    except Image.DecompressionBombError as error:
        allowed = 2 * (Image.MAX_IMAGE_PIXELS or 0)
        raise ValueError(
            f"{name} has too many pixels for Pillow; expected at most {allowed:,}: scale it down, or set "
            "PIL.Image.MAX_IMAGE_PIXELS = None."
        ) from error
    except Exception as error:  # each decoder has exceptions of its own for a damaged file
        raise ValueError(
            f"{name} cannot be read as a picture, or is cut short{length}; "
            "expected a JPEG, PNG, WebP, GIF or TIFF."
        ) from error


def _open(file: IO[bytes]) -> Image.Image:
    """Open a picture of a known format, without a word on its size.

    `Image.open` would refuse a large JPEG that is never decoded at its full size.
    """
    Image.init()
    file.seek(0)
    start = file.read(16)
    for factory, accept in (Image.OPEN[name] for name in FORMATS if name in Image.OPEN):
        known = accept is None or accept(start)
        if known and not isinstance(known, str):  # a text says why it could not be read
            file.seek(0)
            with contextlib.suppress(SyntaxError, IndexError, TypeError, struct.error):  # another format
                return factory(file, "")
    raise UnidentifiedImageError


def _decoding_bytes(picture: Image.Image, size: Size, name: str) -> float:
    """Return how much memory it takes to decode a picture; `size` is what it has in the file."""
    pixels = picture.width * picture.height
    if isinstance(picture, JpegImagePlugin.JpegImageFile):
        return 4 * pixels + _coefficient_bytes(picture, size, name)
    if isinstance(picture, TiffImagePlugin.TiffImageFile):
        return (4 if picture.tag_v2.get(ExifTags.Base.Orientation, 1) == 1 else 8) * pixels + _strip_bytes(
            picture
        )
    return pixels * (4 if picture.format is None else FORMATS.get(picture.format, max(FORMATS.values())))


def _strip_bytes(picture: TiffImagePlugin.TiffImageFile) -> float:
    """Return what a compressed strip or tile of a TIFF takes: it may be as large as the picture or larger."""
    if picture.info.get("compression") == "raw":
        return 0
    tags: Any = picture.tag_v2
    width, height = tags[TiffImagePlugin.IMAGEWIDTH], tags[TiffImagePlugin.IMAGELENGTH]
    strip = width * min(height, tags.get(TiffImagePlugin.ROWSPERSTRIP, height))
    tile = tags.get(TiffImagePlugin.TILEWIDTH, 0) * tags.get(TiffImagePlugin.TILELENGTH, 0)
    return max(strip, tile) * sum(tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,))) / 8


def _coefficient_bytes(picture: JpegImagePlugin.JpegImageFile, size: Size, name: str) -> float:
    """Return what libjpeg keeps of a JPEG until its last scan, at full size: nothing if one scan has all."""
    file: Any = picture.fp
    if file is None:  # it is decoded already
        return 0
    _, across, down, _ = zip(*picture.layer, strict=True)
    if "progressive" not in picture.info and _first_scan(file) == len(picture.layer):
        return 0
    file.seek(0)
    scans = file.read().count(SCAN)
    if scans > MAX_SCANS:
        raise UnusableImageError(
            f"{name} is a JPEG of {scans:,} scans; expected at most {MAX_SCANS}: save it anew."
        )
    samples = sum(a * d for a, d in zip(across, down, strict=True)) / max(across) / max(down)
    return 2 * size[0] * size[1] * samples


def _first_scan(file: IO[bytes]) -> int:
    """Return how many of its components the first scan of a JPEG has; 0 where that cannot be found."""
    file.seek(2)
    while (segment := file.read(4))[:1] == SCAN[:1]:
        if segment[:2] == SCAN:
            return file.read(1)[0]
        file.seek(int.from_bytes(segment[2:], "big") - 2, 1)
    return 0


def _pixels(picture: Image.Image, name: str, length: str = "") -> np.ndarray:
    """Decode a picture that has been judged."""
    with _decoding(name, length):
        picture.load()
    orientation = 1
    with contextlib.suppress(Exception):  # a picture of damaged metadata is still a picture
        orientation = picture.getexif().get(ExifTags.Base.Orientation, 1)
    size = picture.size
    if picture.mode in HIGH_DEPTH:

        def levels(top: int, bottom: int) -> np.ndarray:
            return np.asarray(picture.crop((0, top, size[0], bottom)))[..., None]

        pixels = from_levels(levels, size, HIGH_DEPTH[picture.mode], name, NUMBERS)
    else:
        with _decoding(name, length):
            (image,) = reduced(size, lambda top, bottom: [_colours(picture.crop((0, top, size[0], bottom)))])
        pixels = np.array(image, np.float32)
        pixels /= 255.0
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    return np.ascontiguousarray(np.flip(pixels, FLIPPED.get(orientation, ())))


def _colours(band: Image.Image) -> Image.Image:
    """Return part of a picture as RGB; what is transparent lies on white."""
    if band.has_transparency_data:
        band = band.convert("RGBA")
        band = Image.alpha_composite(Image.new("RGBA", band.size, "white"), band)
    return band if band.mode == "RGB" else band.convert("RGB")
