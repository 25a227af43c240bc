"""Lucid's random transformations: sizes, contents, and gradients that pass."""

import numpy as np
import pytest
import tensorflow as tf
from lucid.optvis import transform

SIDE = 20


@pytest.fixture
def images(rng):
    return rng.random((2, SIDE, SIDE, 3), dtype=np.float32)


def apply(run, function, images, seed=0):
    return run(lambda: function(tf.constant(images)), seed)


def test_jitter_crops_at_random(run, images):
    crops = [apply(run, transform.jitter(4), images, seed) for seed in range(6)]
    places = set()
    for crop in crops:
        assert crop.shape == (2, SIDE - 4, SIDE - 4, 3)
        found = [
            (y, x)
            for y in range(5)
            for x in range(5)
            if np.array_equal(crop, images[:, y : y + SIDE - 4, x : x + SIDE - 4])
        ]
        assert len(found) == 1
        places.add(found[0])
    assert len(places) > 1


def test_jitter_knows_its_shape():
    with tf.Graph().as_default():
        cropped = transform.jitter(4)(tf.compat.v1.placeholder(tf.float32, [None, SIDE, SIDE, 3]))
    assert cropped.shape.as_list() == [None, SIDE - 4, SIDE - 4, 3]


def test_pad(run, images):
    padded = apply(run, transform.pad(3, mode="constant", constant_value=0.25), images)
    assert np.array_equal(padded[:, 3:-3, 3:-3], images)
    assert np.all(padded[:, :3] == 0.25)
    mirrored = apply(run, transform.pad(2), images)
    assert np.array_equal(mirrored[:, 1, 2:-2], images[:, 1])
    uniform = apply(run, transform.pad(3, mode="constant", constant_value="uniform"), images)
    assert len(np.unique(uniform[:, :3])) == 1


def test_random_scale(run, images):
    sides = {apply(run, transform.random_scale([0.5, 1.5]), images, seed).shape[1] for seed in range(8)}
    assert sides == {SIDE // 2, SIDE * 3 // 2}


def test_random_rotate(run, images):
    turned = apply(run, transform.random_rotate([90]), images)
    assert turned.shape == images.shape
    # Lucid's 90 degrees are 3.14 / 2, so nearest pixels at the border may differ.
    assert np.allclose(turned[:, 2:-2, 2:-2], np.rot90(images, 1, (1, 2))[:, 2:-2, 2:-2])
    radians = apply(run, transform.random_rotate([3.14 / 2], units="rads"), images)
    assert np.array_equal(radians, turned)


@pytest.mark.parametrize(("height", "width"), [(10, 30), (SIDE, SIDE)])
def test_crop_or_pad_to(run, images, height, width):
    assert apply(run, transform.crop_or_pad_to(height, width), images).shape == (2, height, width, 3)


def test_normalize_gradient(run, images):
    def make():
        x = tf.constant(images)
        out = transform.normalize_gradient([1.0, 3.0])(x)
        return out, tf.gradients(tf.reduce_sum(7.0 * out), x)[0]

    out, gradient = run(make)
    assert np.array_equal(out, images)
    norms = np.sqrt((gradient**2).sum((1, 2, 3)))
    assert norms == pytest.approx([1.0, 3.0], rel=1e-4)


def test_transparency_is_laid_on_noise(run, rng):
    images = rng.random((2, SIDE, SIDE, 4), dtype=np.float32)
    images[0, ..., 3], images[1, ..., 3] = 1.0, 0.0
    out = apply(run, transform.collapse_alpha_random(), images)
    assert np.allclose(out[0], images[0, ..., :3])
    assert not np.allclose(out[1], images[1, ..., :3], atol=0.2)


def test_standard_transforms_keep_a_gradient_for_every_image(run, images):
    def make():
        x = tf.constant(images)
        out = transform.compose(transform.standard_transforms)(x)
        return out, tf.gradients(tf.reduce_sum(out), x)[0]

    out, gradient = run(make)
    assert out.shape[0] == 2
    padded = SIDE + 2 * 12 - 8
    assert 0.9 * padded - 5 <= out.shape[1] <= 1.1 * padded - 4
    assert out.mean() == pytest.approx(0.5, abs=0.05)
    assert np.all(np.abs(gradient).sum((1, 2, 3)) > 0)
