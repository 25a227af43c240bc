"""Photographs and units: maxima, percentiles and patches, each against a loop over images."""

import numpy as np
import pytest
from PIL import Image

import lucid_ext as lx
from lucid_ext.models import Photographs
from lucid_ext.models.samples import FILES
from lucid_ext.optvis.survey import AT_ONCE, PATCH_SIDE, survey_photographs

LAYERS = ["mixed3a", "mixed4d"]
UNITS = [3, 42, 100]


@pytest.fixture(scope="module")
def images():
    """More than fit in one pass: crops of a sample, of several shapes."""
    from lucid_ext.models import load_image

    rng = np.random.default_rng(0)
    cat, temple = load_image("cat"), load_image("temple")
    found = []
    for i in range(AT_ONCE + 5):
        source = (cat, temple)[i % 2]
        height, width = rng.integers(130, 280, 2)
        y, x = rng.integers(0, source.shape[0] - height), rng.integers(0, source.shape[1] - width)
        found.append(source[y : y + height, x : x + width])
    return found


@pytest.fixture(scope="module")
def surveys(model, images):
    return survey_photographs(model, LAYERS, Photographs(images), progress=False)


@pytest.fixture(scope="module")
def one_by_one(model, images):
    return {layer: [model.activations(image, layer) for image in images] for layer in LAYERS}


@pytest.mark.parametrize("layer", LAYERS)
def test_maxima_and_their_cells(layer, surveys, one_by_one):
    for i, acts in enumerate(one_by_one[layer]):
        flat = acts.reshape(-1, acts.shape[-1])
        np.testing.assert_allclose(surveys[layer].maxima[i], flat.max(0), rtol=1e-3, atol=1e-4)
        at = surveys[layer].cells[i]
        np.testing.assert_allclose(flat[at, np.arange(len(at))], flat.max(0), rtol=1e-3, atol=1e-4)


def test_percentile_is_counted(surveys, one_by_one):
    strongest = [acts[..., 42].max() for acts in one_by_one["mixed4d"]]
    between = float(np.mean(sorted(strongest)[7:9]))  # above 8 of them
    assert surveys["mixed4d"].percentile(42, between) == 8 / len(strongest)
    assert surveys["mixed4d"].percentile(42, 1e9) == 1
    assert surveys["mixed4d"].percentile(42, -1.0) == 0


def test_patches_are_the_strongest_windows(model, images, surveys, one_by_one):
    field = model.layers.receptive_fields["mixed3a"][0]  # 35 of 112 pixels
    for unit, patches in zip(UNITS, surveys["mixed3a"].patches(UNITS, 3, progress=False), strict=True):
        strongest = [acts[..., unit].max() for acts in one_by_one["mixed3a"]]
        order = sorted(range(len(images)), key=lambda i: -strongest[i])[:3]
        assert [patch.photograph for patch in patches] == [f"photograph ({i})" for i in order]
        for patch, i in zip(patches, order, strict=True):
            acts = one_by_one["mixed3a"][i][..., unit]
            assert np.isclose(acts[patch.cell], acts.max(), rtol=1e-3)
            seen = model.crop(images[i])
            whole = len(seen)
            side = round(field / 112 * whole)
            middle = [(at + 0.5) / 28 * whole for at in patch.cell]
            top, left = (int(np.clip(round(m - side / 2), 0, whole - side)) for m in middle)
            window = np.round(seen[top : top + side, left : left + side] * 255).astype(np.uint8)
            expected = Image.fromarray(window).resize((PATCH_SIDE, PATCH_SIDE), Image.Resampling.BICUBIC)
            assert np.array_equal(patch.pixels, np.asarray(expected))
            np.testing.assert_allclose(
                patch.place, [(middle[0] - top) / side, (middle[1] - left) / side], atol=1e-6
            )


def test_a_field_larger_than_the_image_is_the_whole_image(model, images, surveys):
    ((patch,),) = surveys["mixed4d"].patches([42], 1, progress=False)
    i = int(patch.photograph[len("photograph (") : -1])
    pixels = np.round(model.crop(images[i]) * 255).astype(np.uint8)
    whole = Image.fromarray(pixels).resize((PATCH_SIDE, PATCH_SIDE), Image.Resampling.BICUBIC)
    assert np.array_equal(patch.pixels, np.asarray(whole))


def test_one_patch_of_each_photograph(model):
    found = survey_photographs(model, ["mixed3a"], Photographs(), progress=False)["mixed3a"]
    for row in found.patches(UNITS, len(FILES), progress=False):
        assert sorted(p.photograph.partition(",")[0] for p in row) == sorted(FILES)
        assert [p.drive for p in row] == sorted((p.drive for p in row), reverse=True)


def test_damaged_files_are_left_out_of_the_count(model, tmp_path, images):
    for i in range(3):
        Image.fromarray(np.uint8(images[i] * 255)).save(tmp_path / f"{i}.png")
    (tmp_path / "1.png").write_bytes(b"damaged")
    with pytest.warns(UserWarning, match=r"1 of 3 .* left out: 1\.png"):
        found = survey_photographs(model, ["mixed4d"], Photographs(tmp_path), progress=False)["mixed4d"]
    assert found.used.tolist() == [0, 2]
    assert len(found.maxima) == 2
    assert {p.photograph for p in found.patches([0], 5, progress=False)[0]} == {"0.png", "2.png"}


def test_a_cap_hides_nothing():
    network = lx.load_model("efficientnet_lite0")
    layer = network.opening.layer
    found = survey_photographs(network, [layer], Photographs(["coffee"]), progress=False)[layer]
    acts = network.activations("coffee", network.uncapped(layer))
    np.testing.assert_allclose(found.maxima[0], acts.max((0, 1)), rtol=1e-3, atol=1e-4)
    assert found.maxima.max() > network.activations("coffee", layer).max()


def test_a_layer_without_positions_is_refused(model):
    with pytest.raises(ValueError, match="no listed layer with positions"):
        survey_photographs(model, [model.logits], Photographs(), progress=False)
