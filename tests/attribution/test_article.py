"""Against what was published with The Building Blocks of Interpretability, made with InceptionV1.

The network's weights are not part of the data, so what can be checked is everything that is computed
from its attributions and activations, not these themselves.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.stats import spearmanr

import lucid_ext as lx
from lucid_ext.groups import project
from lucid_ext.storage.sheets import unpack
from tests.conftest import ROOT

LAYERS = ("mixed5a", "mixed4d", "mixed4a", "mixed3a")


@pytest.fixture(params=["pig", "beer"])
def folder(request):
    reference = Path(os.environ.get("LUCID_EXT_REFERENCE", ROOT.parent / "shared" / "reference"))
    if not (reference / request.param).is_dir():
        pytest.skip(f"needs the article's published data, which is not part of the project: no {reference}")
    return reference / request.param


def evidence(folder, layer):
    """Signed attribution of cells to the 50 most probable classes: (h, w, 50)."""
    return np.load(folder / f"class_attribution_{layer}.npy")


@pytest.mark.parametrize("layer", LAYERS)
def test_what_a_cell_argues_for_is_its_largest_positive_evidence(folder, layer):
    """The class lists of the spatial figure: per cell five classes, by the relu of signed evidence."""
    published = json.loads((folder / "spatial_attr.json").read_text())
    cells = published["layers"][layer]
    value = np.array([[[entry["v"] for entry in cell] for cell in row] for row in cells])
    number = np.array([[[entry["n"] for entry in cell] for cell in row] for row in cells])
    signed = evidence(folder, layer)
    assert signed.min() < 0
    positive = np.maximum(signed, 0)
    order = np.argsort(-positive, axis=-1, kind="stable")
    np.testing.assert_allclose(np.take_along_axis(positive, order[..., :5], -1), value, atol=5.1e-4)
    assert published["max"][layer] == pytest.approx(positive.max(), abs=5.1e-4)
    # Where values differ in the printed digits, the k-th of ours is always the same published class.
    ranked = np.take_along_axis(positive, order[..., :6], -1)
    clear = (np.diff(ranked) < -2e-3).all(-1)
    pairs = set(zip(order[clear][:, :5].ravel().tolist(), number[clear].ravel().tolist(), strict=True))
    assert len(pairs) == len({ours for ours, _ in pairs}) == len({theirs for _, theirs in pairs}) >= 5
    for k, entry in enumerate(published["output"]):
        assert dict(pairs).get(k, entry["n"]) == entry["n"]  # columns come by probability


def by_column(folder):
    """{column of the evidence: published class}, from the cells of mixed5a."""
    cells = json.loads((folder / "spatial_attr.json").read_text())["layers"]["mixed5a"]
    positive = np.maximum(evidence(folder, "mixed5a"), 0)
    found = {}
    for i in np.ndindex(7, 7):
        order = np.argsort(-positive[i], kind="stable")[:6]
        if (np.diff(positive[i][order]) < -2e-3).all():
            found.update(zip(order[:5].tolist(), (e["n"] for e in cells[i[0]][i[1]]), strict=True))
    return found


def test_the_classes_of_the_two_colours(folder):
    """Two factors of the positive evidence of mixed5a: the same classes, in the same proportions."""
    published = json.loads((folder / "spatial_attr.json").read_text())["nmf"]
    groups = lx.factorize(np.maximum(evidence(folder, "mixed5a"), 0), 2)
    classes = by_column(folder)
    for factor, theirs in zip(groups.channels[np.argsort(groups.order)], published, strict=True):
        top = np.argsort(-factor)[:5]
        values = np.array([entry["v"] for entry in theirs])
        np.testing.assert_allclose(factor[top] / factor[top[0]], values / values[0], rtol=1e-3)
        assert [classes.get(i, entry["n"]) for i, entry in zip(top, theirs, strict=True)] == [
            entry["n"] for entry in theirs
        ]


def test_the_two_colours_in_every_layer(folder):
    """Red rises with the first factor's share in a cell, blue with the second's.

    The pictures were drawn by a rule that was not published and ends in saturation, so it is the
    order of the cells that must be the same.
    """
    groups = lx.factorize(np.maximum(evidence(folder, "mixed5a"), 0), 2)
    for layer in LAYERS:
        spatial = project(np.maximum(evidence(folder, layer), 0), groups)[..., np.argsort(groups.order)]
        picture = np.array(Image.open(folder / "masks" / f"{layer}-nmf.png"))
        for factor, colour in ((0, 0), (1, 2)):
            found = spearmanr(spatial[..., factor].ravel(), picture[..., colour].ravel()).statistic
            assert found > (0.94 if layer == "mixed5a" else 0.99)


def test_sprites_of_activations(folder):
    acts = np.load(folder / "mixed4d_activations.npy")[0]
    sheet = np.array(Image.open(folder / "sprite_mixed4d_activations.png").convert("RGB"))
    tiles = unpack(sheet, columns=22, count=528)[..., 0]
    most = acts.max((0, 1))
    expected = np.moveaxis(255 * acts / np.where(most > 0, most, 1), -1, 0)
    # Cut to whole numbers, from activations that were rounded before they were published.
    assert np.abs(expected - tiles).max() < 1.001
    assert np.mean(np.floor(expected + 1e-3) == tiles) > 0.999
