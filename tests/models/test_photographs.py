"""Photographs of a folder, a list, or the samples: read one by one, damaged ones left out and named."""

import numpy as np
import pytest
from PIL import Image

import lucid_ext as lx
from lucid_ext.models.photographs import Photographs
from lucid_ext.models.samples import FILES, open_sample


@pytest.fixture
def folder(tmp_path, rng):
    """Three good pictures, one of them deeper down, and two that are none."""
    (tmp_path / "more").mkdir()
    for name in ("b.png", "a.png", "more/c.png"):
        Image.fromarray(rng.integers(0, 256, (40, 50, 3), np.uint8)).save(tmp_path / name)
    (tmp_path / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("no picture, and not meant as one")
    return tmp_path


def test_a_folder_is_read_in_order_and_what_is_damaged_is_named(folder):
    photographs = Photographs(folder)
    assert photographs.names == ["a.png", "b.png", "cut.jpg", "empty.png", "more/c.png"]
    with pytest.warns(UserWarning, match=r"^2 of 5 photographs of .* left out: cut\.jpg, empty\.png\.$"):
        read = dict(photographs.readable())
    assert list(read) == [0, 1, 4]
    for i, image in read.items():
        assert np.array_equal(image, np.asarray(Image.open(folder / photographs.names[i]), np.float32) / 255)
    assert set(photographs.left_out) == {"cut.jpg", "empty.png"}
    assert photographs.about == f"3 photographs of {folder.name}"


def test_an_empty_folder_is_one_sentence(tmp_path):
    with pytest.raises(ValueError, match=r"^there is no picture in .*; expected JPEG"):
        Photographs(tmp_path)
    with pytest.raises(ValueError, match=r"nowhere is no folder; expected one with photographs"):
        Photographs(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"nobody_at_all/x is no folder"):
        Photographs("~nobody_at_all/x")
    with pytest.raises(ValueError, match="is no folder"):
        Photographs("x" * 5000)
    with pytest.raises(ValueError, match="the list of photographs is empty"):
        Photographs([])


def test_nothing_but_damaged_files_is_one_sentence(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"no")
    with pytest.raises(ValueError, match=r"^none of 1 photographs .* can be used; the first: .*a\.jpg"):
        list(Photographs(tmp_path).readable())


def test_a_list_takes_whatever_load_image_takes(folder, cat):
    photographs = Photographs([folder / "a.png", cat, "coffee", folder / "a.png"])
    assert photographs.names == ["a.png (0)", "photograph (1)", "coffee", "a.png (3)"]
    assert np.array_equal(photographs[1], cat)
    assert np.array_equal(photographs[2], lx.load_image("coffee"))


def test_samples_are_ten_crops_each(model):
    photographs = Photographs()
    assert len(photographs) == 10 * len(FILES) == 80
    assert set(photographs.origins) == set(FILES)
    pixels = np.asarray(open_sample("cat"), np.float32) / 255  # 300 x 451
    assert np.array_equal(photographs[photographs.names.index("cat")], pixels[:, 75:375])
    assert np.array_equal(photographs[photographs.names.index("cat, crop 1")], pixels[:150, 75:225])
    assert np.array_equal(photographs[photographs.names.index("cat, crop 9")], pixels[150:, 225:375])


def test_several_uploads_are_photographs(folder):
    entries = [{"name": name, "content": (folder / name).read_bytes()} for name in ("a.png", "b.png")]
    found = dict(Photographs(tuple(entries)).readable())
    for i, name in enumerate(("a.png", "b.png")):
        assert np.array_equal(found[i], lx.load_image(folder / name))
