"""Every kind of picture a reader may bring."""

import io

import numpy as np
import pytest
from PIL import Image

import lucid_ext as lx


class Unreadable:
    """What raises an error of its own when it is asked for its numbers."""

    def __array__(self, *args, **kwargs):
        raise RuntimeError("on another device")


@pytest.fixture
def photo(rng):
    """A small photograph-like picture, uint8 (40, 60, 3)."""
    ys, xs = np.mgrid[:40, :60]
    return np.stack([ys * 6, xs * 4, 255 - xs * 4], -1).astype(np.uint8)


def encoded(picture: Image.Image, kind: str, **options) -> bytes:
    data = io.BytesIO()
    picture.save(data, kind, **options)
    return data.getvalue()


@pytest.mark.parametrize("name", lx.SAMPLES)
def test_samples(name):
    image = lx.load_image(name)
    assert image.dtype == np.float32
    assert image.shape[2] == 3
    assert min(image.shape[:2]) >= 300
    assert 0 <= image.min() < 0.2 < 0.8 < image.max() <= 1


def test_samples_say_what_the_default_network_says():
    network = lx.load_model()
    for name, sample in lx.SAMPLES.items():
        label, share, _ = sample.says.rsplit(" ", 2)
        [(found, probability)] = network.predict(name, top=1)
        assert found == label, name
        assert abs(100 * probability - int(share)) < 1, name  # decoders differ a little


def test_path_bytes_pil_and_array_agree(photo, tmp_path):
    data = encoded(Image.fromarray(photo), "png")
    path = tmp_path / "photo.png"
    path.write_bytes(data)
    expected = photo.astype(np.float32) / 255
    for source in (path, str(path), data, memoryview(data), Image.fromarray(photo), photo, expected):
        assert np.array_equal(lx.load_image(source), expected)


def test_grey(photo):
    grey = photo[..., 0]
    expected = np.repeat(grey[..., None], 3, -1).astype(np.float32) / 255
    assert np.array_equal(lx.load_image(Image.fromarray(grey)), expected)
    assert np.array_equal(lx.load_image(grey), expected)
    assert np.array_equal(lx.load_image(grey[..., None]), expected)


def test_sixteen_bit_grey(photo):
    levels = (photo[..., 0].astype(np.uint16) << 8) + 77
    expected = np.repeat(levels[..., None] / 65535, 3, -1)
    for source in (encoded(Image.fromarray(levels), "png"), levels):
        np.testing.assert_allclose(lx.load_image(source), expected, atol=1e-6)


def test_floats_in_a_file_are_from_0_to_1(photo):
    levels = photo[..., 0].astype(np.float32)
    expected = np.repeat(levels[..., None] / 255, 3, -1)
    np.testing.assert_allclose(
        lx.load_image(encoded(Image.fromarray(levels / 255), "tiff")), expected, atol=1e-6
    )
    for scale, by in ((1, 255), (257, 65535)):
        cure = rf"divide numpy\.asarray\(PIL\.Image\.open\(\.\.\.\)\) by {by}\.$"
        with pytest.raises(ValueError, match=rf"holds values from 0 to \d+; expected 0 to 1: {cure}"):
            lx.load_image(encoded(Image.fromarray(levels * scale), "tiff"))


def test_integers_of_32_bits_in_a_file_have_the_range_of_16(photo):
    levels = photo[..., 0].astype(np.int32)
    found = lx.load_image(encoded(Image.fromarray(levels * 257), "tiff"))
    np.testing.assert_allclose(found[..., 0], levels / 255, atol=1e-6)
    with pytest.raises(ValueError, match=r"holds values from 0 to 2\.\d+e\+06; expected 0 to 65535"):
        lx.load_image(encoded(Image.fromarray(levels * 10000), "tiff"))


def test_palette(photo):
    palette = Image.fromarray(photo).quantize(16)
    expected = np.asarray(palette.convert("RGB"), np.float32) / 255
    assert np.array_equal(lx.load_image(encoded(palette, "png")), expected)


def test_transparent_pixels_lie_on_white(photo):
    alpha = np.zeros(photo.shape[:2], np.uint8)
    alpha[:20] = 255
    image = lx.load_image(Image.fromarray(np.dstack([photo, alpha])))
    assert np.array_equal(image[:20], photo[:20].astype(np.float32) / 255)
    assert np.all(image[20:] == 1)
    floats = np.dstack([photo, alpha]).astype(np.float32) / 255
    np.testing.assert_allclose(lx.load_image(floats), image, atol=1e-6)


def test_transparent_palette(photo):
    palette = Image.fromarray(photo).quantize(8)
    palette.info["transparency"] = 0
    image = lx.load_image(encoded(palette, "png", transparency=0))
    assert np.all(image[np.asarray(palette) == 0] == 1)


def test_cmyk(photo):
    image = lx.load_image(encoded(Image.fromarray(photo).convert("CMYK"), "jpeg", quality=95))
    assert np.abs(image - photo / 255).mean() < 0.05


def test_rotation_by_exif(photo):
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees to show
    image = lx.load_image(encoded(Image.fromarray(photo), "png", exif=exif))
    assert np.array_equal(image, np.rot90(photo, -1).astype(np.float32) / 255)


def test_animation_gives_its_first_frame(photo):
    frames = [Image.fromarray(photo), Image.fromarray(255 - photo)]
    data = encoded(frames[0], "gif", save_all=True, append_images=frames[1:])
    assert np.abs(lx.load_image(data) - photo / 255).mean() < 0.05


@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_thirty_megapixels_are_reduced(kind):
    picture = Image.new("RGB", (6000, 5000), (255, 0, 0))
    image = lx.load_image(encoded(picture, kind))
    assert image.shape == (853, 1024, 3)
    np.testing.assert_allclose(image.mean((0, 1)), [1, 0, 0], atol=0.02)


def test_large_array_is_reduced(rng):
    image = lx.load_image(np.full((2048, 3000, 3), 0.25))
    assert image.shape == (699, 1024, 3)
    np.testing.assert_allclose(image, 0.25, atol=1e-5)


@pytest.mark.parametrize(
    ("array", "what"),
    [
        (np.full((20, 20, 3), np.nan), "NaN or infinity"),
        (np.full((20, 20, 3), np.inf), "NaN or infinity"),
        (np.full((20, 20, 3), 200.0), "from 200 to 200; expected 0 to 1: divide it by 255"),
        (np.full((20, 20, 3), -0.5), "from -0.5 to -0.5; expected 0 to 1"),
        (np.full((20, 20, 3), 4095.0), "from 4095 to 4095; expected 0 to 1: divide it by 65535"),
        (np.full((20, 20, 3), 1e6), "to 1e\\+06; expected 0 to 1: bring it into that range"),
        (np.full((20, 20, 3), 300), "from 300 to 300; expected 0 to 255"),
        (np.zeros((1, 1, 3)), "is 1 x 1 pixels; expected at least 16 x 16"),
        (np.zeros((0, 20, 3)), "is 20 x 0 pixels"),
        (np.zeros((2, 20, 20, 3)), "take one picture of the batch"),
        (np.zeros((3, 20, 20)), "move its first axis last"),
        (np.zeros((20, 20, 7)), r"shape \(20, 20, 7\)"),
        (np.zeros(20), r"shape \(20,\)"),
        (np.array(["a", "b"]), "is no picture"),
        (["cat", "coffee"], "list is no picture; .* give one of them"),
        ([[1, 2], [3]], "is not rectangular"),
        (Unreadable(), "is not rectangular or is no array"),
        (None, "NoneType is no picture"),
        (object(), "object is no picture"),
    ],
)
def test_bad_arrays_are_refused_in_one_sentence(array, what):
    with pytest.raises(ValueError, match=what) as error:
        lx.load_image(array)
    assert "\n" not in str(error.value)
    assert str(error.value).endswith(".")


def test_one_pixel_picture(tmp_path):
    path = tmp_path / "dot.png"
    Image.new("RGB", (1, 1)).save(path)
    with pytest.raises(ValueError, match=r"dot\.png is 1 x 1 pixels; expected at least 16 x 16"):
        lx.load_image(path)


def test_unreadable_and_empty_files(tmp_path):
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "text.png").write_text("not a picture")
    with pytest.raises(ValueError, match=r"empty\.jpg is empty"):
        lx.load_image(tmp_path / "empty.jpg")
    with pytest.raises(ValueError, match=r"text\.png cannot be read as a picture"):
        lx.load_image(tmp_path / "text.png")
    with pytest.raises(ValueError, match="the uploaded file is empty"):
        lx.load_image(b"")


def test_picture_cut_short(photo):
    whole = encoded(Image.effect_noise((200, 200), 90).convert("RGB"), "jpeg")
    with pytest.raises(ValueError, match="cut short"):
        lx.load_image(whole[: len(whole) // 2])


def test_unknown_sample_lists_the_known_ones(tmp_path):
    with pytest.raises(ValueError, match=r"'dog' is neither a sample nor a file; expected .*cat_coffee"):
        lx.load_image("dog")
    with pytest.raises(ValueError, match="is a folder"):
        lx.load_image(tmp_path)
