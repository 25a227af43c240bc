"""Large pictures in bands: the same picture as all at once, whatever its shape."""

import numpy as np
import pytest
from PIL import Image, ImageOps

import lucid_ext as lx
from lucid_ext.models import reduction
from lucid_ext.models.reduction import reduced, target_size

SIZES = [(1024, 768), (1025, 700), (2500, 3100), (7000, 1301), (4099, 4100), (1500, 9001), (20, 5000)]


@pytest.mark.parametrize(
    ("size", "target"),
    [
        ((640, 480), (640, 480)),
        ((1024, 1024), (1024, 1024)),
        ((4000, 3000), (1024, 768)),
        ((3000, 12000), (256, 1024)),
        ((8000, 1000), (2048, 256)),  # a panorama
        ((20000, 17), (20000, 17)),
        ((300, 30000), (256, 25600)),
    ],
)
def test_target_size(size, target):
    assert target_size(size) == target
    assert target_size(size[::-1]) == target[::-1]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mode", ["RGB", "F"])
@pytest.mark.parametrize("pixels", [1, 20_000, 10**9])
def test_bands_give_what_pillow_gives_of_the_whole(size, mode, pixels, rng, monkeypatch):
    monkeypatch.setattr(reduction, "BAND_PIXELS", pixels)
    if mode == "RGB":
        whole = Image.fromarray(rng.integers(0, 256, (*size[::-1], 3), np.uint8))
    else:
        whole = Image.fromarray(rng.random(size[::-1], np.float32))
    (found,) = reduced(size, lambda top, bottom: [whole.crop((0, top, size[0], bottom))])
    expected = whole.resize(target_size(size), Image.Resampling.BICUBIC, reducing_gap=3.0)
    # To the last digit or nearly: of a tall picture Pillow resamples the columns first.
    np.testing.assert_allclose(
        np.array(found, float), np.array(expected, float), rtol=0, atol=1 if mode == "RGB" else 1e-6
    )


@pytest.fixture
def wide(rng):
    """A picture over the limit, smooth and with noise, uint8 (900, 2900, 3)."""
    ys, xs = np.mgrid[:900, :2900]
    smooth = np.stack([ys / 5, xs / 15, 190 - xs / 20], -1)
    return (smooth + rng.uniform(0, 50, smooth.shape)).astype(np.uint8)


def resized(levels: np.ndarray) -> np.ndarray:
    """(h, w, c) as floats at the size of a picture, all at once."""
    size = target_size(levels.shape[1::-1])
    planes = [Image.fromarray(levels[..., i].astype(np.float32)) for i in range(levels.shape[-1])]
    planes = [plane.resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0) for plane in planes]
    return np.clip(np.stack([np.asarray(plane) for plane in planes], -1), 0, 1)


def test_large_pictures_of_every_kind_agree(wide):
    expected = resized(wide / 255)
    for source in (wide, wide / 255, (wide / 255).astype(np.float16), Image.fromarray(wide)):
        np.testing.assert_allclose(lx.load_image(source), expected, atol=3 / 255)
    np.testing.assert_allclose(lx.load_image(wide / 255), expected, atol=1e-6)


def test_large_grey_pictures_of_every_depth_agree(wide):
    levels = wide[..., 0].astype(np.uint16) * 257
    expected = np.repeat(resized(levels[..., None] / 65535), 3, -1)
    for source in (levels, Image.fromarray(levels), Image.fromarray(levels.astype(np.int32))):
        np.testing.assert_allclose(lx.load_image(source), expected, atol=1e-6)
    floats = Image.fromarray((levels / 65535).astype(np.float32))
    np.testing.assert_allclose(lx.load_image(floats), expected, atol=1e-6)


def test_large_transparent_pictures_are_laid_on_white_first(wide, rng):
    alpha = rng.integers(0, 256, wide.shape[:2], np.uint8)
    opacity = alpha[..., None] / 255
    expected = resized(wide / 255 * opacity + 1 - opacity)
    rgba = np.dstack([wide, alpha])
    for source in (rgba, rgba / 255, Image.fromarray(rgba)):
        np.testing.assert_allclose(lx.load_image(source), expected, atol=3 / 255)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mode", ["RGB", "I;16"])
def test_large_pictures_are_turned_as_exif_says(wide, orientation, mode, tmp_path):
    picture = Image.fromarray(wide) if mode == "RGB" else Image.fromarray(wide[..., 0].astype(np.uint16) << 8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture.save(tmp_path / "turned.png", exif=exif, compress_level=1)
    turned = ImageOps.exif_transpose(Image.open(tmp_path / "turned.png"))
    levels = np.asarray(turned).reshape(*turned.size[::-1], -1) / (255 if mode == "RGB" else 65535)
    expected = np.broadcast_to(resized(levels), (*target_size(turned.size)[::-1], 3))
    np.testing.assert_allclose(lx.load_image(tmp_path / "turned.png"), expected, atol=3 / 255)


def test_a_long_picture_keeps_its_short_side():
    assert lx.load_image(Image.new("RGB", (20000, 17), "red")).shape == (17, 20000, 3)
    assert lx.load_image(np.zeros((12000, 300), np.uint8)).shape == (10240, 256, 3)
