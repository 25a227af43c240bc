import numpy as np
import pytest

from lucid_ext.optvis.transform import STANDARD, Transform

STILL = Transform(pad=0, jitter=0, scales=(1.0,), angles=(0.0,))


def slow_warp(image, out_h, out_w, shift, scale, angle):
    """Bilinear, about the centre, one pixel at a time; outside lies grey."""
    height, width, depth = image.shape

    def pixel(y, x):
        return image[y, x] if 0 <= y < height and 0 <= x < width else np.full(depth, 0.5)

    out = np.zeros((out_h, out_w, depth))
    for i in range(out_h):
        for j in range(out_w):
            dy, dx = i - (out_h - 1) / 2, j - (out_w - 1) / 2
            x = (np.cos(angle) * dx - np.sin(angle) * dy) / scale + (width - 1) / 2 + shift[0]
            y = (np.sin(angle) * dx + np.cos(angle) * dy) / scale + (height - 1) / 2 + shift[1]
            y0, x0 = int(np.floor(y)), int(np.floor(x))
            fy, fx = y - y0, x - x0
            out[i, j] = (
                (1 - fy) * (1 - fx) * pixel(y0, x0)
                + (1 - fy) * fx * pixel(y0, x0 + 1)
                + fy * (1 - fx) * pixel(y0 + 1, x0)
                + fy * fx * pixel(y0 + 1, x0 + 1)
            )
    return out


def test_nothing_to_do_leaves_images_alone(rng):
    images = rng.random((2, 12, 12, 3), dtype=np.float32)
    np.testing.assert_allclose(STILL(images, rng.random((2, 4), dtype=np.float32)), images, atol=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_equals_a_slow_warp(seed):
    rng = np.random.default_rng(seed)
    transform = Transform(pad=3, jitter=4, scales=(0.8, 0.9, 1.0, 1.1, 1.3), angles=(-20, -5, 0, 10, 35))
    image = rng.random((11, 11, 3), dtype=np.float32)
    draw = rng.random(4, dtype=np.float32)
    shift = (draw[:2] - 0.5) * 4
    scale = transform.scales[int(draw[2] * 5)]
    angle = np.radians(transform.angles[int(draw[3] * 5)])
    expected = slow_warp(image, 13, 13, shift, scale, angle)
    found = transform(image[None], draw[None]).numpy()[0]
    assert found.shape == (13, 13, 3)
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_each_image_has_its_own_draw(rng):
    images = np.repeat(rng.random((1, 32, 32, 3), dtype=np.float32), 3, 0)
    draws = rng.random((3, 4), dtype=np.float32)
    together = STANDARD(images, draws).numpy()
    for i in range(3):
        alone = STANDARD(images[i : i + 1], draws[i : i + 1]).numpy()[0]
        np.testing.assert_allclose(together[i], alone, atol=1e-6)
    assert not np.allclose(together[0], together[1])


def test_standard_is_lucids():
    """The lists Lucid draws from, read off its own functions' closures."""
    from lucid.optvis import transform

    closures = [
        {k: c.cell_contents for k, c in zip(f.__code__.co_freevars, f.__closure__, strict=True)}
        for f in transform.standard_transforms
    ]
    pad, jitter, scale, rotate, last = closures
    assert pad["w"] == STANDARD.pad
    assert pad["constant_value"] == 0.5
    assert jitter["d"] + last["d"] == STANDARD.jitter
    assert tuple(scale["scales"]) == STANDARD.scales
    assert tuple(rotate["angles"]) == STANDARD.angles
