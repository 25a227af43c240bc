"""Icons made to differ: they do, they still drive their channel, and the seed decides."""

import dataclasses

import numpy as np
import pytest

import lucid_ext as lx
from lucid_ext.optvis import CHANNEL

LAYER, UNIT = "mixed4a", 42
QUICK = dataclasses.replace(CHANNEL, size=48, steps=24)


def made(model, strength, seed=0):
    return lx.diverse_icons(model, LAYER, UNIT, 3, strength=strength, recipe=QUICK, seed=seed, progress=False)


def likeness(acts):
    """Mean cosine between the Gram matrices of different images, written out."""
    grams = [sum(np.outer(a, a) for a in image.reshape(-1, image.shape[-1])) for image in acts]
    grams = [g / np.linalg.norm(g) for g in grams]
    pairs = [(i, j) for i in range(len(grams)) for j in range(len(grams)) if i != j]
    return np.mean([np.sum(grams[i] * grams[j]) for i, j in pairs])


def test_they_differ_and_still_drive_the_channel(model):
    run = model.function("input", [LAYER])
    alike, different = (made(model, strength) for strength in (0.0, 2.0))
    assert different.shape == (3, 48, 48, 3)
    assert different.dtype == np.uint8
    plain, varied = (run(np.float32(x) / 255)[0].numpy() for x in (alike, different))
    assert likeness(varied) < likeness(plain) - 0.2
    noise = np.random.default_rng(0).normal(0.5, 0.05, different.shape).astype(np.float32)
    silent = run(noise)[0].numpy()[..., UNIT].max()
    assert varied[..., UNIT].max((1, 2)).min() > max(2 * silent, 0.3 * plain[..., UNIT].max())


def test_the_seed_decides(model):
    quick = dataclasses.replace(QUICK, steps=4)
    first, again, other = (
        lx.diverse_icons(model, LAYER, UNIT, 2, recipe=quick, seed=seed, progress=False) for seed in (0, 0, 1)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_bad_input_is_one_sentence(model):
    with pytest.raises(ValueError, match="1 icons cannot differ from each other; expected 2 to 16"):
        lx.diverse_icons(model, LAYER, UNIT, 1)
    with pytest.raises(ValueError, match="there is no 256"):
        lx.diverse_icons(model, LAYER, 256)
