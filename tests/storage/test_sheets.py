"""Many small pictures as one."""

import numpy as np
import pytest

from lucid_ext.storage.sheets import pack, unpack


@pytest.mark.parametrize("count", [0, 1, 2, 7, 16])
def test_tiles_come_back_from_a_sheet(count, rng):
    tiles = rng.integers(0, 256, (count, 5, 5, 3), dtype=np.uint8)
    sheet, columns = pack(tiles)
    assert np.array_equal(unpack(sheet, columns, count), tiles)
