"""Damaged input of every kind is refused in one sentence, never by a crash and never accepted half."""

import io
import sys
import time
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import lucid_ext as lx
from lucid_ext.board import Board
from lucid_ext.models.graph import read
from lucid_ext.models.load import ASSETS
from tests.board.test_board import board
from tests.models.written import Graph

try:
    import resource
except ImportError:  # there is none on Windows
    resource = None
KILOBYTES = 1 if sys.platform == "darwin" else 1024  # what peaks of memory are counted in

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


def valid_checksums(png: bytes) -> bytes:
    """A PNG as it is, but for the checksum of each chunk, so that what is in it is looked at."""
    done, at = png[:8], 8
    while (end := at + 12 + int.from_bytes(png[at : at + 4], "big")) <= len(png):
        done += png[at : end - 4] + zlib.crc32(png[at + 4 : end - 4]).to_bytes(4, "big")
        at = end
    return done + png[at:]


PICTURES = {
    **{f"png {mode}": (mode, "png", {}) for mode in ("RGB", "RGBA", "LA", "L", "P", "1", "I;16")},
    **{f"tiff {mode}": (mode, "tiff", {}) for mode in ("RGB", "CMYK", "P", "1", "I", "I;16", "F")},
    **{f"tiff {c}": ("RGB", "tiff", {"compression": c}) for c in ("tiff_lzw", "tiff_adobe_deflate", "jpeg")},
    "tiff group4": ("1", "tiff", {"compression": "group4"}),
    "tiff turned": ("RGB", "tiff", {"tiffinfo": {274: 6}}),
    "jpeg": ("RGB", "jpeg", {}),
    "jpeg progressive": ("RGB", "jpeg", {"progressive": True}),
    "jpeg L": ("L", "jpeg", {}),
    "jpeg CMYK": ("CMYK", "jpeg", {}),
    "mpo": ("RGB", "mpo", {"save_all": True}),
    "webp": ("RGB", "webp", {}),
    "webp lossless": ("RGBA", "webp", {"lossless": True}),
    "webp animation": ("RGBA", "webp", {"save_all": True}),
    "gif": ("P", "gif", {}),
    "gif animation": ("P", "gif", {"save_all": True, "transparency": 0}),
    "bmp": ("RGB", "bmp", {}),
    "ppm": ("RGB", "ppm", {}),
    "ico": ("RGBA", "ico", {"sizes": [(48, 48), (32, 32)]}),
    "ico bmp": ("RGBA", "ico", {"sizes": [(48, 48)], "bitmap_format": "bmp"}),
    "tga": ("RGBA", "tga", {"compression": "tga_rle"}),
    "pcx": ("RGB", "pcx", {}),
    "jpeg2000": ("RGB", "jpeg2000", {}),
}
DEPTHS = {"I;16": np.uint16, "I": np.int32, "F": np.float32}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures(name, rng):
    mode, kind, options = PICTURES[name]
    ys, xs = np.mgrid[:60, :80]
    picture = Image.fromarray(np.stack([ys * 4, xs * 3, 255 - xs * 3], -1).astype(np.uint8))
    if mode in DEPTHS:
        picture = Image.fromarray((ys / 60).astype(DEPTHS[mode]))
    picture = picture if picture.mode == mode else picture.convert(mode)
    if "save_all" in options:
        options = {**options, "append_images": [picture.transpose(Image.Transpose.ROTATE_180)]}
    data = io.BytesIO()
    picture.save(data, kind, **options)
    refusals, longest = [], 0.0
    for _ in range(1500):
        bad = damaged(data.getvalue(), rng)
        began = time.monotonic()
        try:
            image = lx.load_image(valid_checksums(bad) if kind == "png" and rng.random() < 0.5 else bad)
        except ValueError as error:
            refusals.append(str(error))
        else:
            assert image.dtype == np.float32
            assert image.shape[2] == 3
            assert 0 <= image.min() <= image.max() <= 1
        longest = max(longest, time.monotonic() - began)
    assert refusals
    assert all("expected" in said and "\n" not in said for said in refusals)
    assert longest < 60
    if resource is not None:
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KILOBYTES < 2_000_000_000


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
    kinds = "is not a saved board or is damaged", "MB of memory; expected at most"
    assert all(any(kind in said for kind in kinds) for said in refusals)
