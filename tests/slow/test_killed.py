"""A render killed at any moment loses at most what was under way, and the next one goes on."""

import os
import random
import subprocess
import sys
import time

import numpy as np
import pytest

import lucid_ext as lx
from lucid_ext.optvis.icon import stream_directions

pytestmark = pytest.mark.slow

RENDER = """
import sys
import numpy as np
import lucid_ext as lx
from lucid_ext.optvis.icon import Recipe, stream_directions

recipe = Recipe(size=48, steps=30)
model = lx.load_model("mini")
store = lx.IconStore(sys.argv[1])
directions = np.eye(256, dtype=np.float32)[:96]
print("begin", flush=True)
for i, _ in stream_directions(model, "mixed4a", directions, recipe, store=store):
    print(i, flush=True)
"""


def test_killed_again_and_again(tmp_path):
    drawn = random.Random(0)
    lives, done = 0, False
    while not done:
        assert lives < 60, "no progress between kills"
        lives += 1
        process = subprocess.Popen(
            [sys.executable, "-c", RENDER, str(tmp_path)],
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "begin\n"
        time.sleep(drawn.uniform(2.5, 5.0))
        done = process.poll() == 0
        process.kill()
        process.wait()
        process.stdout.close()
    assert lives > 2, "it was never killed in the middle"

    # What is there now is what an undisturbed run makes.
    model, recipe = lx.load_model("mini"), lx.Recipe(size=48, steps=30)
    directions = np.eye(256, dtype=np.float32)[:96]
    kept = dict(stream_directions(model, "mixed4a", directions, recipe, store=lx.IconStore(tmp_path)))
    assert len(list((tmp_path / "icons").rglob("*.png"))) == 96
    fresh = dict(
        stream_directions(model, "mixed4a", directions, recipe, store=lx.IconStore(tmp_path / "fresh"))
    )
    assert all(np.array_equal(kept[i].pixels, fresh[i].pixels) for i in range(96))
