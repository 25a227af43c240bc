"""The icon store: one PNG file per icon, named by what determines it, carrying how it was made."""

import contextlib
import dataclasses
import hashlib
import io
import json
import math
import os
import stat
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

from lucid_ext.storage.files import cache_folder, write_atomically

RECEIPT = "lucid_ext"  # the PNG text field that holds how an icon was made
MAX_OVERHEAD = 100_000  # bytes of an icon's file beside its pixels
NO_WAIT = getattr(os, "O_NONBLOCK", 0)  # a pipe in an icon's place would be waited for


@dataclasses.dataclass(frozen=True)
class Icon:
    """An icon and how it came about.

    Attributes:
        pixels: uint8 (size, size, 3).
        drive: the largest activation of its direction anywhere in the icon, as displayed; zero for
            a dead unit, for which no picture was found.
    """

    pixels: np.ndarray
    drive: float


def icon_key(determined_by: dict[str, Any]) -> str:
    """The name of an icon: a hexadecimal digest of what determines it."""
    return hashlib.sha256(json.dumps(determined_by, sort_keys=True).encode()).hexdigest()


class IconStore:
    """A folder of icons that several processes may use at once.

    A reader sees a whole icon or none. A file that turns out damaged is removed and counts as
    missing. Where nothing can be written (a full or read-only disk), one warning says so and work
    goes on without saving.
    """

    def __init__(self, folder: str | os.PathLike | None = None):
        """Open or begin a store.

        Args:
            folder: by default `$LUCID_EXT_CACHE`, or else the user's cache folder.
        """
        self.folder = Path(cache_folder() if folder is None else folder) / "icons"
        self._warned = False

    def path(self, key: str) -> Path:
        """Where the icon of this key lies."""
        return self.folder / key[:2] / f"{key}.png"

    def get(self, key: str, size: int) -> Icon | None:
        """Return the icon of a key, or None where it is missing or damaged.

        Args:
            key: its name.
            size: the side it has, in pixels.
        """
        path = self.path(key)
        try:
            return _decoded(_read(path, MAX_OVERHEAD + size * size * 4), key, size)
        except (_NotReadError, MemoryError):  # that says nothing of the file
            return None
        except Exception:  # whatever a damaged file makes the decoders raise
            with contextlib.suppress(OSError):
                path.unlink()
            return None

    def put(self, key: str, icon: Icon, made: dict[str, Any]) -> None:
        """Save an icon with `made`, how it was made, which may be any JSON."""
        receipt = PngImagePlugin.PngInfo()
        note = {**made, "key": key, "size": icon.pixels.shape[0], "drive": icon.drive}
        receipt.add_text(RECEIPT, json.dumps(note))
        data = io.BytesIO()
        Image.fromarray(icon.pixels).save(data, "png", pnginfo=receipt)
        path = self.path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(OSError):
                path.rmdir()  # an empty folder in its place would keep it out for ever
            write_atomically(path, data.getvalue())
        except OSError as error:
            if not self._warned:
                self._warned = True
                warnings.warn(
                    f"icons cannot be saved in {self.folder} ({error.strerror or error}); they will be "
                    "rendered again next time: free some space or set LUCID_EXT_CACHE to a writable folder.",
                    stacklevel=2,
                )


class _NotReadError(Exception):
    """A file that is not there or cannot be read."""


def _read(path: Path, limit: int) -> bytes:
    """The bytes of a file; of what is no file, or larger than `limit`, none."""
    try:
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | NO_WAIT)) as file:
            found = os.fstat(file.fileno())
            return file.read() if stat.S_ISREG(found.st_mode) and found.st_size <= limit else b""
    except OSError as error:
        raise _NotReadError from error


def _decoded(data: bytes, key: str, size: int) -> Icon:
    """The icon in a file's bytes; raises where it is not whole, or not that of this key and size."""
    with Image.open(io.BytesIO(data), formats=["PNG"]) as picture:
        if picture.size != (size, size):
            raise ValueError(f"an icon of {picture.size} pixels")
        picture.load()
        made = json.loads(picture.text[RECEIPT])  # type: ignore[attr-defined]
        pixels, drive = np.asarray(picture.convert("RGB")), float(made["drive"])
    if made["key"] != key or not math.isfinite(drive):
        raise ValueError("another icon")
    return Icon(pixels, drive)
