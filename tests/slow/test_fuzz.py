"""Damaged input of every kind is refused in one sentence, never by a crash and never accepted half."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import lucid_ext as lx
from lucid_ext.board import Board
from lucid_ext.models.graph import read
from lucid_ext.models.load import ASSETS
from tests.models.written import Graph
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


def test_networks(rng):
    """Small enough that most of what is damaged is structure, not weights."""
    graph = Graph()
    graph.const("w", np.ones((3, 3, 3, 3)), np.float32)
    graph.add("Conv2D", "conv", "input", "w", T=tf.float32, strides=[1, 1, 1, 1], padding="SAME")
    graph.add("Relu", "relu", "conv", T=tf.float32)
    graph.const("axis", 3)
    graph.add("ConcatV2", "mixed", "relu", "relu", "axis", T=tf.float32, Tidx=tf.int32, N=2)
    whole = graph.end("mixed").graph_def.SerializeToString()
    loaded, refusals = 0, []
    for _ in range(5000):
        try:
            graph_def = read(damaged(whole, rng), "graph.pb")
            lx.VisionModel(graph_def, labels=[], size=(8, 8), value_range=(0, 1), name="graph.pb")
            loaded += 1
        except ValueError as error:
            refusals.append(str(error))
    assert loaded > 50
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
