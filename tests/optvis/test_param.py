import numpy as np
import pytest
import tensorflow as tf

from lucid_ext.optvis import param


@pytest.mark.parametrize(("height", "width"), [(8, 8), (12, 8), (8, 10)])
def test_image_equals_the_formula_written_out(rng, height, width):
    """x = sigmoid(C F^-1(s z)), with NumPy's Fourier transform."""
    z = rng.normal(size=(2, 2, 3, height, width // 2 + 1)).astype(np.float32)
    scale = param.frequency_scale(height, width)
    pixels = np.fft.irfft2((z[:, 0] + 1j * z[:, 1]) * scale, s=(height, width), norm="ortho")
    colours = param.color_transform()
    expected = 1 / (1 + np.exp(-np.einsum("nchw,cd->nhwd", pixels, colours)))
    np.testing.assert_allclose(param.to_image(z, scale, width), expected, atol=1e-5)


def test_is_lucids_fourier_image():
    """The same coefficients give the same pixels in Lucid's own parameterization."""
    from lucid.optvis.param import color, spatial

    size = 16
    state = np.random.get_state()
    np.random.seed(3)
    try:
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            image = color.to_valid_rgb(spatial.fft_image([1, size, size, 3]), decorrelate=True)
            (variable,) = tf.compat.v1.global_variables()
            session.run(tf.compat.v1.global_variables_initializer())
            expected, z = session.run([image, variable])
    finally:
        np.random.set_state(state)
    found = param.to_image(tf.constant(z[None]), param.frequency_scale(size, size), size)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_frequencies_are_scaled_by_one_over_their_height():
    scale = param.frequency_scale(16, 16)
    np.testing.assert_allclose(scale[0, 4] / scale[0, 8], 2.0, rtol=1e-6)
    assert scale[0, 0] == scale[0, 1]
