"""The icon store: one PNG file per icon, named by what determines it, carrying how it was made."""

import contextlib
import dataclasses
import hashlib
import io
import json
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

from lucid_ext.files import cache_folder, write_atomically

RECEIPT = "lucid_ext"  # the PNG text field that holds how an icon was made


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

    def get(self, key: str) -> Icon | None:
        """The icon of this key, or None where it is missing or damaged."""
        path = self.path(key)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        try:
            with Image.open(io.BytesIO(data)) as picture:
                picture.load()
                made = json.loads(picture.text[RECEIPT])  # type: ignore[attr-defined]
                pixels = np.asarray(picture.convert("RGB"))
            if made["key"] != key or pixels.shape[:2] != (made["size"], made["size"]):
                raise ValueError(f"{path} holds another icon")
            return Icon(pixels, float(made["drive"]))
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
            write_atomically(path, data.getvalue())
        except OSError as error:
            if not self._warned:
                self._warned = True
                warnings.warn(
                    f"icons cannot be saved in {self.folder} ({error.strerror or error}); they will be "
                    "rendered again next time: free some space or set LUCID_EXT_CACHE to a writable folder.",
                    stacklevel=2,
                )
