"""The real Lucid package, on TensorFlow 2, beside code that uses TensorFlow 2 itself."""

import sys

import numpy as np
import pytest
import tensorflow as tf

import lucid_ext as lx
from lucid_ext import lucid_tf2


def test_lucid_imports_and_nothing_else_notices():
    before = sys.modules["tensorflow"]
    from lucid.misc.channel_reducer import ChannelReducer
    from lucid.optvis import objectives, param, render, transform

    assert sys.modules["tensorflow"] is before
    assert tf.executing_eagerly()
    assert not hasattr(tf, "placeholder")
    assert not hasattr(tf, "contrib")
    assert objectives.tf is render.tf is param.spatial.tf is transform.tf is lucid_tf2.VIEW
    reduced = ChannelReducer(3, "NMF").fit_transform(np.random.default_rng(0).random((1, 4, 4, 9)))
    assert reduced.shape == (1, 4, 4, 3)


def test_a_second_install_changes_nothing():
    before = list(sys.meta_path)
    lucid_tf2.install()
    assert sys.meta_path == before


def as_lucid_model(model: lx.VisionModel):
    from lucid.modelzoo.vision_base import Model

    class Embedded(Model):
        image_shape = (*model.size, 3)
        image_value_range = model.value_range
        input_name = "input:0"

    lucid_model = Embedded()
    lucid_model.graph_def = model.graph_def
    return lucid_model


def test_lucids_own_render_vis_runs_and_raises_its_objective(model):
    from lucid.optvis import objectives, param, render

    objective = objectives.channel("mixed4a", 7)
    steps = render.render_vis(
        as_lucid_model(model), objective, lambda: param.image(64), thresholds=(1, 24), verbose=False
    )
    first, last = (model.activations(s[0], "mixed4a")[..., 7].mean() for s in steps)
    assert steps[0].shape == (1, 64, 64, 3)
    assert last > 1.5 * first
    assert tf.executing_eagerly()


def slow_rotate(image: np.ndarray, angle: float) -> np.ndarray:
    """Counter-clockwise about the centre, nearest pixel, zero outside."""
    height, width, _ = image.shape
    out = np.zeros_like(image)
    cy, cx = (height - 1) / 2, (width - 1) / 2
    for y in range(height):
        for x in range(width):
            dx, dy = x - cx, y - cy
            sx = np.cos(angle) * dx - np.sin(angle) * dy + cx
            sy = np.sin(angle) * dx + np.cos(angle) * dy + cy
            ix, iy = int(np.floor(sx + 0.5)), int(np.floor(sy + 0.5))
            if 0 <= ix < width and 0 <= iy < height:
                out[y, x] = image[iy, ix]
    return out


@pytest.mark.parametrize("degrees", [0, 7, -33, 90])
def test_rotate_is_contribs(rng, degrees):
    image = rng.random((9, 9, 2), dtype=np.float32)
    angle = np.radians(degrees) + 1e-4
    assert np.array_equal(lucid_tf2.rotate(image, angle).numpy(), slow_rotate(image, angle))


def test_rotate_takes_an_angle_per_image(rng):
    images = rng.random((2, 8, 8, 1), dtype=np.float32)
    both = lucid_tf2.rotate(images, [0.3, -0.2]).numpy()
    assert np.array_equal(both[1], lucid_tf2.rotate(images[1], -0.2).numpy())


def test_cppn_says_what_to_use_instead():
    from lucid.optvis import param

    with tf.Graph().as_default(), pytest.raises(AttributeError, match=r"use param\.image"):
        param.cppn(8)
