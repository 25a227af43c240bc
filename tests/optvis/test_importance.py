"""The mask of importance: what an objective never cared for fades."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from scipy.ndimage import gaussian_filter

import lucid_ext as lx
from lucid_ext.optvis.icon import drive, stream_directions
from lucid_ext.optvis.importance import BLUR, composited, importance_of, opacity
from lucid_ext.optvis.recipe import Recipe
from lucid_ext.optvis.recipes import SKETCH

QUICK = dataclasses.replace(SKETCH, size=48, steps=6)


def left_half(T):
    images = T("input")
    return tf.reduce_sum(tf.sin(7 * images[:, :, : images.shape[2] // 2]))


def test_what_an_objective_does_not_read_is_transparent(model):
    (found,) = lx.render_vis(
        model, left_half, recipe=QUICK, alpha=True, verbose=False, progress=False, seed=3
    )
    assert found.shape == (1, 48, 48, 4)
    assert found.dtype == np.float32
    alpha = found[0, ..., 3]
    assert alpha[:, :20].min() > 0.5
    assert alpha[:, 30:].max() < 0.01


def test_a_recipe_that_fades_composites_the_same_picture_on_grey(model):
    options = {"verbose": False, "progress": False, "seed": 3}
    fading = dataclasses.replace(QUICK, fade=0.6)
    (apart,) = lx.render_vis(model, left_half, recipe=fading, alpha=True, **options)
    (plain,) = lx.render_vis(model, left_half, recipe=QUICK, **options)
    (faded,) = lx.render_vis(model, left_half, recipe=fading, **options)
    np.testing.assert_array_equal(apart[..., :3], plain)
    by_hand = plain * apart[..., 3:] + 0.5 * (1 - apart[..., 3:])
    np.testing.assert_allclose(faded, by_hand, atol=1e-6)
    assert np.abs(faded[0, :, 30:] - 0.5).max() < 0.01


def test_importance_is_the_sum_over_colours_of_gradients_each_step_alike():
    gradients = np.random.default_rng(0).normal(size=(2, 5, 6, 3)).astype(np.float32)
    gradients[1] *= 1e-4  # how steep an objective is must not decide which steps count
    found = importance_of(tf.constant(gradients)).numpy()
    by_hand = np.abs(gradients).sum(-1)
    np.testing.assert_allclose(found, by_hand / by_hand.mean((1, 2), keepdims=True), rtol=1e-4)


def test_opacity_is_smooth_importance_up_to_a_quantile():
    importance = np.random.default_rng(1).exponential(size=(2, 60, 50)).astype(np.float32)
    blurred = np.stack(
        [gaussian_filter(i, (60 * BLUR, 50 * BLUR), mode="nearest", truncate=3.0) for i in importance]
    )
    full = np.quantile(blurred, 0.7, axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(opacity(importance, 0.7), np.minimum(blurred / full, 1), atol=0.02)
    assert np.mean(opacity(importance, 0.7) == 1) == pytest.approx(0.3, abs=0.01)
    assert np.all(opacity(importance, 0.0) == 1)
    assert np.all(opacity(np.zeros((1, 9, 9)), 0.5) == 1)


def test_icons_are_measured_as_they_are_shown(model, store):
    axis = np.eye(model.layers["mixed4a"][-1], dtype=np.float32)[[7]]
    fading = dataclasses.replace(QUICK, fade=0.8)
    ((_, plain),) = stream_directions(model, "mixed4a", axis, QUICK, store=store)
    ((_, faded),) = stream_directions(model, "mixed4a", axis, fading, store=store)
    assert np.abs(faded.pixels - 127.5).mean() < np.abs(plain.pixels - 127.5).mean()
    assert faded.drive == drive(model, "mixed4a", faded.pixels[None], axis)[0]
    assert faded.drive != plain.drive
    ((_, again),) = stream_directions(model, "mixed4a", axis, fading, store=store)
    np.testing.assert_array_equal(again.pixels, faded.pixels)


def test_an_icon_is_as_important_as_it_was_the_first_time(model, tmp_path):
    # The ascent is traced once and used again: what it added up must start from nothing.
    fading, axis = dataclasses.replace(QUICK, fade=0.8), np.eye(model.layers["mixed4a"][-1])[[7]]
    once, twice = (
        next(stream_directions(model, "mixed4a", axis, fading, store=lx.IconStore(tmp_path / name)))[1].pixels
        for name in ("a", "b")
    )
    np.testing.assert_array_equal(once, twice)


def test_compositing_on_grey():
    image = np.full((1, 2, 2, 3), 0.9, np.float32)
    found = composited(image, np.array([[[0, 1], [0.5, 0.25]]], np.float32))
    np.testing.assert_allclose(found[0, ..., 0], [[0.5, 0.9], [0.7, 0.6]], rtol=1e-6)


@pytest.mark.parametrize("fade", [-0.1, 1.0, float("nan")])
def test_a_fade_that_is_no_quantile_is_refused(fade):
    with pytest.raises(ValueError, match=r"fade is .*expected a quantile"):
        Recipe(fade=fade)


def test_images_with_an_alpha_of_their_own_have_no_second_one(model):
    from lucid.optvis import param

    with pytest.raises(ValueError, match="alpha of their own"):
        lx.render_vis(model, "mixed4a:7", lambda: param.image(32, alpha=True), alpha=True, progress=False)
