"""Many small pictures as one: sheets of icons."""

import math

import numpy as np


def pack(tiles: np.ndarray) -> tuple[np.ndarray, int]:
    """Lay tiles (n, s, s, 3) out row by row; returns the sheet (rows * s, columns * s, 3) and columns."""
    count, side = tiles.shape[:2]
    columns = max(1, math.ceil(math.sqrt(count)))
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
