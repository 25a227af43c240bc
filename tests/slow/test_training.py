"""The embedded network's training, from nothing, on a folder of made-up pictures."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import lucid_ext as lx
from lucid_ext.models.inception import frozen_graph
from tests.conftest import ROOT

pytestmark = pytest.mark.slow

CLASSES = {"n0": (220, 60, 60), "n1": (60, 220, 60), "n2": (60, 60, 220)}


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Three classes of noisy colours, 60 pictures each to train on and 10 to check with."""
    folder, rng = tmp_path_factory.mktemp("images"), np.random.default_rng(0)
    for name, colour in CLASSES.items():
        for part, count in (("train", 60), ("val", 10)):
            (folder / part / name).mkdir(parents=True)
            for i in range(count):
                pixels = np.clip(rng.normal(colour, 40, (64, 64, 3)), 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(folder / part / name / f"{i}.png")
    return folder


def run(script, *arguments):
    command = [sys.executable, str(ROOT / "training" / script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def network(weights):
    return lx.VisionModel(
        frozen_graph(np.load(weights)),
        labels=list(CLASSES),
        size=(112, 112),
        value_range=(-117.0, 138.0),
        name="made up",
    )


def test_trains_and_goes_on(images, tmp_path):
    out = tmp_path / "run"
    run("train.py", images, "--out", out)
    log = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert len(log) == 4  # a record at the end of each stage
    trained = np.load(out / "weights.npz")
    assert len(trained.files) == 116
    assert all(np.isfinite(trained[name]).all() for name in trained.files)

    # The same command finds nothing left to do, and changes nothing.
    run("train.py", images, "--out", out)
    assert (out / "log.jsonl").read_text().count("\n") == 4

    # The frozen graph of its weights computes what was trained: one number per class.
    probabilities = network(out / "weights.npz").activations(np.full((112, 112, 3), 0.5), "softmax2")
    assert probabilities.shape == (len(CLASSES),)
    assert np.isclose(probabilities.sum(), 1, atol=1e-5)
