"""Caricatures: further than the photograph in its own direction, for all of it or for one cell."""

import dataclasses

import keras
import numpy as np
import pytest

import lucid_ext as lx
from lucid_ext.optvis.caricature import caricature
from lucid_ext.optvis.recipe import NATURAL
from lucid_ext.optvis.recipes import CARICATURE

LAYER = "mixed4a"
QUICK = dataclasses.replace(CARICATURE, steps=24)


@pytest.fixture(scope="module")
def drawn(model, cat):
    return caricature(model, cat, LAYER, recipe=QUICK, progress=False)


def along(model, photo, drawn, cell=None):
    """<f(drawn), a> / ||a||^2 and their cosine, at one cell or at all."""
    a, f = (model.activations(x, LAYER) for x in (photo, drawn))
    if cell is not None:
        a, f = a[cell], f[cell]
    dot = float((a * f).sum())
    return dot / float((a**2).sum()), dot / float(np.linalg.norm(a) * np.linalg.norm(f))


def test_exaggerates(model, cat, drawn):
    assert drawn.shape == (112, 112, 3)
    assert drawn.dtype == np.float32
    assert 0 <= drawn.min() < drawn.max() <= 1
    times, cosine = along(model, cat, drawn)
    assert times > 1  # further than the photograph itself
    noise = np.random.default_rng(0).random((112, 112, 3), dtype=np.float32)
    assert cosine > along(model, cat, noise)[1] + 0.1


def test_one_cell(model, cat, drawn):
    """It drives its own cell further than the caricature of all does, and draws little far away."""
    one = caricature(model, cat, LAYER, (2, 3), recipe=QUICK, progress=False)
    assert along(model, cat, one, (2, 3))[0] > along(model, cat, drawn, (2, 3))[0]
    near, far = (np.abs(np.diff(part, axis=0)).mean() for part in (one[12:32, 20:40], one[-20:, -20:]))
    assert near > 2 * far


@pytest.mark.parametrize("spectrum", ["rings", "phases"])
def test_with_the_frequencies_of_photographs(model, cat, spectrum):
    changes = {"steps": 40, "spectrum": spectrum, "transform": CARICATURE.transform, "fade": 0.3}
    found = caricature(model, cat, LAYER, recipe=dataclasses.replace(NATURAL, **changes), progress=False)
    assert found.shape == (112, 112, 3)
    noise = np.random.default_rng(0).random((112, 112, 3), dtype=np.float32)
    assert along(model, cat, found)[1] > along(model, cat, noise)[1] + 0.1


def test_a_network_whose_images_are_no_squares(oblong):
    image = np.random.default_rng(0).random((*oblong.size, 3), dtype=np.float32)
    layer = next(iter(oblong.layers))
    for recipe in (CARICATURE, dataclasses.replace(NATURAL, transform=CARICATURE.transform)):
        quick = dataclasses.replace(recipe, steps=3)
        assert caricature(oblong, image, layer, recipe=quick, progress=False).shape == image.shape


@pytest.fixture(scope="module")
def oblong():
    x = keras.Input((32, 48, 3))
    seen = keras.layers.Conv2D(4, 3, activation="relu", name="seen")(x)
    classes = keras.layers.Dense(2, activation="softmax")(keras.layers.GlobalAveragePooling2D()(seen))
    return lx.load_model(keras.Model(x, classes), labels=["a", "b"])


def test_same_seed_same_picture(model, cat):
    brief = dataclasses.replace(CARICATURE, steps=2)
    first, again, other = (
        caricature(model, cat, LAYER, (7, 7), recipe=brief, seed=seed, progress=False) for seed in (0, 0, 1)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_stopped(model, cat):
    asked = []

    def go_on():
        asked.append(1)
        return len(asked) <= 2

    stopped = caricature(model, cat, LAYER, progress=False, go_on=go_on)
    assert len(asked) == 3
    assert stopped.shape == (112, 112, 3)


def test_bad_input(model, cat):
    with pytest.raises(ValueError, match=r"mixed4a has 14 x 14 cells; there is no cell \(14, 0\)"):
        caricature(model, cat, LAYER, (14, 0))
    with pytest.raises(ValueError, match="no listed layer with positions"):
        caricature(model, cat, model.logits)


def test_nothing_to_exaggerate():
    """A layer whose units are all below zero for any image."""
    below = {"kernel_initializer": "zeros", "bias_initializer": keras.initializers.Constant(-1.0)}
    x = keras.Input((32, 32, 3))
    seen = keras.layers.Conv2D(4, 3, activation="relu", name="dead", **below)(x)
    classes = keras.layers.Dense(2, activation="softmax")(keras.layers.GlobalAveragePooling2D()(seen))
    dead = lx.load_model(keras.Model(x, classes), labels=["a", "b"])
    image = np.random.default_rng(0).random((32, 32, 3), dtype=np.float32)
    layer = next(name for name, shape in dead.layers.items() if len(shape) == 3 and shape[-1] == 4)
    with pytest.raises(ValueError, match="is zero there for this image"):
        caricature(dead, image, layer)
