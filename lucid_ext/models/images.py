"""Images in: from a sample's name, a file, a URL, an upload, bytes, a PIL image or an array to one form."""

import base64
import io
import os
import re
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

from lucid_ext.models.arrays import from_array
from lucid_ext.models.decoding import from_file, from_pil
from lucid_ext.models.download import DownloadError, download
from lucid_ext.models.samples import SAMPLES, open_sample

MAX_BYTES = 800_000_000
MAX_DOWNLOAD = 100_000_000  # bytes
DOWNLOAD_SECONDS = 60  # altogether
SILENT_SECONDS = 20
LONGEST_NAME = 120  # letters of a name in an error


def load_image(source: Any, *, max_bytes: int = MAX_BYTES) -> np.ndarray:
    """Read a picture from wherever it is.

    Rotation by EXIF is applied; transparent pixels are laid on white; grey, palette, CMYK and
    16-bit pictures become RGB; of an animation the first frame is taken; a picture with a side
    over 1024 pixels is reduced to that, but to no less than 256 pixels the other way.

    Args:
        source: the name of a sample (`SAMPLES`), a path, an http(s), file or data URL, bytes of a
            file, the `value` of a FileUpload, a PIL image, or an array: (H, W), (H, W, 1),
            (H, W, 3) or (H, W, 4), of floats in [0, 1] or integers in 0..255 (uint16: 0..65535).
            Floats in a file, as some TIFFs have, are in [0, 1] too.
        max_bytes: how much memory the picture may take while it is read; one that would take more
            is refused before it is decoded. A JPEG is decoded at the size it is needed in, so that
            large photographs take little.

    Returns:
        float32 (H, W, 3) in [0, 1].

    Raises:
        ValueError: one sentence that says what is wrong with it and what was expected.
    """
    if not isinstance(max_bytes, int | float) or not max_bytes > 0:
        raise ValueError(f"max_bytes is {max_bytes!r}; expected a number of bytes, such as {MAX_BYTES:_}.")
    try:
        return _load(source, max_bytes)
    except MemoryError as error:
        raise ValueError("there is too little memory to read this picture; scale it down first.") from error


def as_picture(source: Any) -> np.ndarray:
    """Return a picture as it is, of whatever size, if `load_image` could have given it; load anything else.

    Nothing is copied of float32 (H, W, 3) in [0, 1], so that asking again costs next to nothing.
    """
    is_one = isinstance(source, np.ndarray) and source.dtype == np.float32 and source.shape[2:] == (3,)
    if is_one and source.size and source.min() >= 0 and source.max() <= 1:
        return source
    return load_image(source)


def _load(source: Any, max_bytes: float) -> np.ndarray:
    if isinstance(source, Image.Image):
        return from_pil(source, "the image", max_bytes)
    if isinstance(source, bytes | bytearray | memoryview):
        return from_file(io.BytesIO(bytes(source)), "the uploaded file", max_bytes)
    if isinstance(source, str | os.PathLike):
        return _from_name(os.fsdecode(source), max_bytes)
    uploads = _uploads(source)
    if uploads is None:
        return from_array(source, "the array", max_bytes)
    if not uploads:
        raise ValueError("nothing is uploaded yet, or the list is empty; expected one picture: choose one.")
    if len(uploads) > 1:
        raise ValueError(f"{len(uploads)} files are uploaded; expected one picture: give one of them.")
    name, content = uploads[0]
    return from_file(io.BytesIO(bytes(content)), _short(str(name)), max_bytes)


def _uploads(value: Any) -> list[tuple[Any, Any]] | None:
    """Return (name, content) of each file in the value of a FileUpload, or None where it is none.

    ipywidgets 8 has a tuple of mappings there, ipywidgets 7 a mapping of them by name; one of them will do.
    """
    if isinstance(value, Mapping):
        entries = [(value.get("name"), value)] if "content" in value else list(value.items())
    elif isinstance(value, list | tuple) and all(isinstance(entry, Mapping) for entry in value):
        entries = [(entry.get("name"), entry) for entry in value]
    else:
        return None
    found = [(name, entry.get("content")) for name, entry in entries if isinstance(entry, Mapping)]
    whole = all(isinstance(content, bytes | bytearray | memoryview) for _, content in found)
    return found if whole and len(found) == len(entries) else None


def _from_name(name: str, max_bytes: float) -> np.ndarray:
    if name in SAMPLES:
        return from_pil(open_sample(name), name, max_bytes)
    called, address = _short(name), name.strip()
    scheme = address.partition(":")[0].lower()
    if scheme in ("http", "https"):
        try:
            data = download(address, MAX_DOWNLOAD, DOWNLOAD_SECONDS, SILENT_SECONDS)
        except DownloadError as error:
            raise ValueError(
                f"{called} could not be downloaded ({error}); check the address and the network, or save "
                "the picture and give its path."
            ) from error
        return from_file(io.BytesIO(data), called, max_bytes)
    if scheme == "data":
        return from_file(io.BytesIO(_data(address)), "the data URL", max_bytes)
    if scheme == "file":
        name = urllib.request.url2pathname(re.sub("^//(localhost)?(?=/)", "", address[len("file:") :]))
    return _from_path(os.path.expanduser(name), called, max_bytes)


def _from_path(path: str, name: str, max_bytes: float) -> np.ndarray:
    if not os.path.isfile(path):  # nothing else is opened: a pipe might never answer
        what = "is neither a sample nor a file"
        if os.path.isdir(path):
            what = "is a folder"
        elif os.path.exists(path):
            what = "is a device or a pipe"
        known = ", ".join(SAMPLES)
        raise ValueError(
            f"'{name}' {what}; expected a path, a URL (http, https, file, data) or one of {known}."
        )
    try:
        with open(path, "rb") as file:
            return from_file(file, name, max_bytes)
    except OSError as error:
        raise ValueError(
            f"{name} cannot be read ({error.strerror}); give a picture that you may read."
        ) from error


def _data(url: str) -> bytes:
    """Return what is written in a data URL itself."""
    kind, _, body = url.partition(",")
    try:
        data = urllib.parse.unquote_to_bytes(body)
        if kind.rstrip().lower().endswith(";base64"):
            data = base64.urlsafe_b64decode(data + b"==")  # takes both alphabets, and padding or none
    except ValueError as error:
        raise ValueError(
            f"the data URL is damaged ({len(url):,} letters); expected data:image/png;base64,... or the like."
        ) from error
    return data


def _short(name: str) -> str:
    """Return a name as it can stand in a sentence."""
    name = name if name.isprintable() else repr(name)[1:-1]
    half = LONGEST_NAME // 2
    return name if len(name) <= LONGEST_NAME else f"{name[:half]}...{name[-half:]}"
