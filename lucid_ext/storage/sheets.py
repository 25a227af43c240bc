"""Many small pictures as one: sheets of icons."""

import io
import math

import numpy as np
from PIL import Image


def pack(tiles: np.ndarray, columns: int | None = None) -> tuple[np.ndarray, int]:
    """Lay tiles (n, s, s, 3) out row by row; returns the sheet (rows * s, columns * s, 3) and columns."""
    count, side = tiles.shape[:2]
    columns = columns or max(1, math.ceil(math.sqrt(count)))
    rows = max(1, math.ceil(count / columns))
    canvas = np.full((rows * columns, side, side, 3), 128, np.uint8)
    canvas[:count] = tiles
    grid = canvas.reshape(rows, columns, side, side, 3).swapaxes(1, 2)
    return grid.reshape(rows * side, columns * side, 3), columns


def unpack(sheet: np.ndarray, columns: int, count: int) -> np.ndarray:
    """The first `count` tiles of a sheet: (count, s, s, 3)."""
    side = sheet.shape[1] // columns
    grid = sheet.reshape(-1, side, columns, side, 3).swapaxes(1, 2)
    return grid.reshape(-1, side, side, 3)[:count]


def encode(tiles: np.ndarray, quality: int, form: str = "webp") -> tuple[bytes, int]:
    """Tiles as one picture file, and how many there are in a row.

    Args:
        tiles: uint8 (n, s, s, 3).
        quality: from 1 to 100, for forms that lose something.
        form: of the file, as Pillow calls it.
    """
    sheet, columns = pack(tiles)
    data = io.BytesIO()
    Image.fromarray(sheet).save(data, form, quality=quality, method=6)
    return data.getvalue(), columns


def decode(data: bytes, columns: int, count: int) -> np.ndarray:
    """The tiles of a picture file as whoever opens it sees them: uint8 (count, s, s, 3)."""
    with Image.open(io.BytesIO(data)) as picture:
        return unpack(np.asarray(picture.convert("RGB")), columns, count)
