"""Damaged input of every kind is refused in one sentence, never by a crash and never accepted half."""

import io

import numpy as np
import pytest
from PIL import Image

import lucid_ext as lx
from lucid_ext.board import Board
from lucid_ext.models.graph import read
from lucid_ext.models.load import ASSETS
from tests.test_board import board

pytestmark = pytest.mark.slow


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """Some bytes changed, cut out, or doubled."""
    array = np.frombuffer(data, np.uint8).copy()
    kind = rng.integers(3)
    if kind == 0:
        at = rng.integers(len(array), size=rng.integers(1, 20))
        array[at] = rng.integers(0, 256, len(at))
    else:
        start, length = rng.integers(len(array)), rng.integers(1, 400)
        piece = array[start : start + length]
        rest = array[start + length :]
        array = np.concatenate([array[:start], *([piece] * int(2 * (kind - 1))), rest])
    return array.tobytes()


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "gif", "tiff"])
def test_pictures(kind, rng):
    ys, xs = np.mgrid[:60, :80]
    picture = Image.fromarray(np.stack([ys * 4, xs * 3, 255 - xs * 3], -1).astype(np.uint8))
    data = io.BytesIO()
    picture.save(data, kind)
    refusals = []
    for _ in range(1500):
        try:
            image = lx.load_image(damaged(data.getvalue(), rng))
        except ValueError as error:
            refusals.append(str(error))
            continue
        assert image.dtype == np.float32
        assert image.shape[2] == 3
        assert 0 <= image.min() <= image.max() <= 1
    assert refusals
    assert all("expected" in said for said in refusals)


def test_graphs(rng):
    whole = (ASSETS / "mini.pb").read_bytes()
    refusals = []
    for _ in range(150):
        try:
            graph_def = read(damaged(whole, rng), "graph.pb")
        except ValueError as error:
            refusals.append(str(error))
            continue
        assert graph_def.node
    assert refusals
    assert all("graph.pb" in said for said in refusals)


def test_boards(rng, tmp_path):
    path = tmp_path / "board.npz"
    board().save(path)
    whole = path.read_bytes()
    refusals = []
    for _ in range(1500):
        path.write_bytes(damaged(whole, rng))
        try:
            found = Board.load(path)
        except ValueError as error:
            refusals.append(str(error))
            continue
        assert len(found.panels) == 3
    assert refusals
    assert all("is not a saved board or is damaged" in said for said in refusals)
