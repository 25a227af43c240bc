"""Lucid's image parameterizations: shapes, ranges, statistics, and the gradients they carry."""

import numpy as np
import pytest
import tensorflow as tf
from lucid.optvis import param
from lucid.optvis.param import color, spatial, unit_balls
from lucid.optvis.param import random as random_param
from lucid.optvis.param.resize_bilinear_nd import resize_bilinear_nd

pixel_image = getattr(spatial, "pixel_image", getattr(spatial, "naive", None))
"""Its name is `naive` before Lucid 0.3.9."""

IMAGES = {
    "fourier": (lambda: param.image(24), (1, 24, 24, 3)),
    "pixels": (lambda: param.image(24, fft=False), (1, 24, 24, 3)),
    "correlated colours": (lambda: param.image(24, decorrelate=False), (1, 24, 24, 3)),
    "alpha": (lambda: param.image(24, batch=2, alpha=True), (2, 24, 24, 4)),
    "odd": (lambda: param.image(23, batch=2), (2, 23, 23, 3)),
    "clipped": (
        lambda: param.to_valid_rgb(param.fft_image([1, 16, 16, 3]), decorrelate=True, sigmoid=False),
        (1, 16, 16, 3),
    ),
    "random": (lambda: param.image_sample([2, 16, 16, 3]), (2, 16, 16, 3)),
    "cppn": (lambda: param.cppn(16), (1, 16, 16, 3)),
    "cppn, normalized": (lambda: param.cppn(16, batch=2, normalize=True), (2, 16, 16, 3)),
}


@pytest.mark.parametrize("name", IMAGES)
def test_images_are_images(run, name):
    make, shape = IMAGES[name]
    image = run(make)
    assert image.shape == shape
    assert image.dtype == np.float32
    assert 0 <= image.min() <= image.max() <= 1


def test_a_fourier_image_is_the_inverse_transform_of_scaled_noise(run):
    """Random numbers over their frequency, transformed back in double precision by NumPy."""
    height, width, sd = 12, 20, 0.3
    found = run(lambda: param.fft_image([1, height, width, 3], sd=sd), seed=5)
    np.random.seed(5)
    real, imaginary = sd * np.random.randn(2, 3, height, width // 2 + 1)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.abs(np.fft.fftfreq(width)[: width // 2 + 1]))
    scale = np.sqrt(height * width) / np.maximum(frequency, 1.0 / width)
    expected = np.fft.irfft2((real + 1j * imaginary) * scale, (height, width)).transpose(1, 2, 0) / 4.0
    assert np.allclose(found[0], expected, atol=1e-4)


def test_the_start_is_random_and_grey_on_average(run):
    first, second = (run(lambda: param.image(64, sd=0.01), seed=s) for s in (0, 1))
    assert not np.allclose(first, second, atol=1e-3)
    assert first.mean() == pytest.approx(0.5, abs=0.1)
    assert 0.001 < first.std() < 0.1


def test_a_random_image_falls_off_with_frequency(run):
    """Natural pictures have a spectrum of 1/f; white noise has a flat one."""
    images = run(lambda: random_param.rand_fft_image([16, 32, 32, 3], sd=1.0))
    power = np.sqrt((np.abs(np.fft.rfft2(images, axes=(1, 2))) ** 2).mean((0, 3)))
    assert power[0, 2] / power[0, 8] == pytest.approx(4.0, rel=0.3)


def test_decorrelated_colours_are_mixed_by_lucids_matrix(run, rng):
    free = rng.normal(size=(2, 3, 4, 3)).astype(np.float32)
    matrix = color.color_correlation_svd_sqrt / color.max_norm_svd_sqrt
    found = run(lambda: param.to_valid_rgb(tf.constant(free), decorrelate=True))
    assert np.allclose(found, 1 / (1 + np.exp(-free @ matrix.T)), atol=1e-5)
    plain = run(lambda: param.to_valid_rgb(tf.constant(free)))
    assert np.allclose(plain, 1 / (1 + np.exp(-free)), atol=1e-5)


def test_pixels_are_free(run):
    image = run(lambda: pixel_image([1, 64, 64, 3], sd=0.2))
    assert image.std() == pytest.approx(0.2, rel=0.05)


def test_lowres_is_smooth_and_shared(run):
    """A batch resized from one image is one image; across its pixels it is interpolated."""
    images = run(lambda: param.lowres_tensor([3, 32, 32, 3], [1, 8, 8, 3], sd=1.0))
    assert images.shape == (3, 32, 32, 3)
    assert np.allclose(images[0], images[2], atol=1e-6)
    assert np.abs(np.diff(images, axis=1)).max() < 0.5 * np.ptp(images)


def test_lowres_takes_offsets(run):
    moved = run(lambda: param.lowres_tensor([2, 32, 32, 3], [2, 8, 8, 3], offset=[0, True, 3, False]), seed=1)
    still = run(lambda: param.lowres_tensor([2, 32, 32, 3], [2, 8, 8, 3]), seed=1)
    assert np.allclose(moved[:, 2:, 3:], still[:, :-2, :-3], atol=1e-6)


def test_a_pyramid_is_coarse_and_fine(run):
    # Its name and whether the shape is a list or a tuple changed with Lucid 0.3.9.
    if hasattr(spatial, "laplacian_pyramid_image"):
        image = run(lambda: spatial.laplacian_pyramid_image((2, 32, 32, 3), 4))
    else:
        image = run(lambda: spatial.laplacian_pyramid([2, 32, 32, 3], 4))
    assert image.shape == (2, 32, 32, 3)
    assert np.abs(np.diff(image, axis=1)).mean() < 0.9 * image.std()


def test_resizing_in_any_number_of_dimensions(run):
    x = np.arange(4, dtype=np.float32).reshape(2, 1, 2, 1, 1)
    found = run(lambda: resize_bilinear_nd(tf.constant(x), [4, 1, 2, 1, 3]))
    assert found.shape == (4, 1, 2, 1, 3)
    assert np.allclose(found[:, 0, 0, 0, 0], [0, 1, 2, 2])


def test_textures_are_sampled_bilinearly(run, rng):
    sample = getattr(spatial, "bilinearly_sampled_image", spatial.sample_bilinear)
    texture = rng.random((4, 4, 3), dtype=np.float32)
    centres = np.array([[[0.375, 0.875], [0.5, 0.875]]], np.float32)  # u, v; v counts from below
    found = run(lambda: sample(tf.constant(texture), tf.constant(centres)))
    assert np.allclose(found[0, 0], texture[0, 1], atol=1e-5)
    assert np.allclose(found[0, 1], (texture[0, 1] + texture[0, 2]) / 2, atol=1e-5)


def gradient_of_sum(make, x):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tensor = tf.constant(x)
        out = make(tensor)
        (gradient,) = tf.gradients(tf.reduce_sum(out), tensor)
        return session.run([out, gradient])


def test_balls_project_and_so_do_their_gradients(run):
    """Inside the ball all is free; on its border no step leads out, to first order."""
    out, gradient = gradient_of_sum(unit_balls.constrain_L_inf, np.array([0.5, -2.0, 1.0], np.float32))
    assert np.allclose(out, [0.5, -1.0, 1.0])
    assert np.allclose(gradient, [1.0, 1.0, 0.0])
    out, _ = gradient_of_sum(unit_balls.constrain_L2, np.array([3.0, 4.0], np.float32))
    assert np.allclose(out, [0.6, 0.8])
    assert np.array_equal(run(lambda: unit_balls.unit_ball_L2([2, 3])), np.zeros((2, 3)))
    assert np.array_equal(run(lambda: unit_balls.unit_ball_L_inf([2, 3])), np.zeros((2, 3)))


def test_a_cppn_is_a_function_of_position(rng):
    """The network is evaluated at each pixel alone, so a larger picture shows the same, finer."""
    last = rng.normal(size=(1, 1, 48, 3)).astype(np.float32)
    pictures = {}
    for side in (9, 17):
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            tf.compat.v1.set_random_seed(0)
            image = param.cppn(side, num_layers=2)
            weights = [v for v in tf.compat.v1.trainable_variables() if "weights" in v.name]
            session.run(tf.compat.v1.global_variables_initializer())
            session.run(weights[-1].assign(last))
            pictures[side] = session.run(image)[0]
    assert pictures[9].std() > 0.1
    assert np.allclose(pictures[9], pictures[17][::2, ::2], atol=1e-4)
