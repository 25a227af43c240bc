"""Reports on icons: what they say against NumPy, and what their boards show."""

import dataclasses

import numpy as np
import pytest

import lucid_ext as lx
from lucid_ext.interfaces.parts.patches import marked
from lucid_ext.optvis import CHANNEL, shipped_sheet
from lucid_ext.optvis.survey import Patch

LAYER, UNITS = "mixed4a", [87, 42, 3]
QUICK = dataclasses.replace(CHANNEL, size=48, steps=4)


@pytest.fixture(scope="module")
def shown(model, tmp_path_factory):
    store = lx.IconStore(tmp_path_factory.mktemp("store"))
    options = {"seeds": (1, 2), "diverse": 3, "recipe": QUICK, "store": store, "progress": False}
    return lx.icon_report(model, LAYER, UNITS, **options)


def response(model, pictures):
    return model.function("input", [LAYER])(np.float32(pictures) / 255)[0].numpy()


def test_drive_and_percentile_are_counted_by_hand(model, shown):
    crops = [model.activations(image, LAYER).max((0, 1)) for image in lx.Photographs()]
    for e in shown.report.units:
        assert np.isclose(e.drive, response(model, [e.icon])[0, ..., e.unit].max(), rtol=1e-4)
        expected = np.mean([crop[e.unit] < e.drive for crop in crops])
        assert abs(e.percentile - expected) < 1 / len(crops) + 1e-9
        np.testing.assert_allclose(
            e.diverse_drive, response(model, e.diverse)[..., e.unit].max((1, 2)), rtol=1e-4
        )


def test_agreement_is_the_cosine_without_the_unit(model, shown):
    for e in shown.report.units:
        mean = response(model, [e.icon, *e.others]).astype(np.float64).mean((1, 2))
        mean[:, e.unit] = 0
        mean /= np.linalg.norm(mean, axis=1, keepdims=True)
        np.testing.assert_allclose(e.agreement, mean[1:] @ mean[0], atol=1e-5)


def test_the_icon_is_not_compared_with_itself(model, tmp_path):
    report = lx.icon_report(
        model, LAYER, [0], diverse=0, seeds=(), store=lx.IconStore(tmp_path), progress=False
    ).report
    sheet = shipped_sheet(model.digest, LAYER)
    assert np.array_equal(report.units[0].icon, sheet.icons[0])
    others = np.unique(np.linspace(0, 255, 9).round().astype(int))[1:]
    mean = response(model, sheet.icons[[0, *others]]).mean((1, 2))[:, 1:].astype(np.float64)
    mean /= np.linalg.norm(mean, axis=1, keepdims=True)
    assert np.isclose(report.units[0].chance, (mean[1:] @ mean[0]).mean(), atol=1e-5)


def test_board_shows_the_numbers_of_the_report(shown):
    board = shown.board
    for i, e in enumerate(shown.report.units):
        (name, share), = board.rows("unit", {"icons": i})  # fmt: skip
        assert board["unit"].label(name) == f"{LAYER}:{e.unit}"
        assert np.isclose(share, np.floor(1000 * e.percentile) / 1000)
        rows = board.rows("patches", {"icons": i})
        assert [v for _, v in rows] == sorted(
            [*(np.float32(p.drive) for p in e.patches), np.float32(e.drive)]
        )[::-1]
        assert {board["patches"].label(a) for a, _ in rows} == {
            "the icon",
            *(p.photograph for p in e.patches),
        }
        seeds = {board["seeds"].label(a): v for a, v in board.rows("seeds", {"icons": i})}
        assert np.isclose(seeds["seed 2"], e.agreement[1])
        assert f"{LAYER}:{e.unit} drives its channel more than" in board.describe({"icons": i})
    # Three icons lie in two rows of two: the tile that is left shows the last.
    assert board.rows("unit", {"icons": 3}) == board.rows("unit", {"icons": 2})


def test_live_it_offers_neither_upload_nor_stop(shown):
    import ipywidgets

    def inside(widget):
        yield widget
        for child in getattr(widget, "children", ()):
            yield from inside(child)

    kinds = {type(w) for w in inside(shown.widget)}
    assert not kinds & {ipywidgets.FileUpload, ipywidgets.Button}


def test_bad_input_is_one_sentence(model, tmp_path):
    for wrong, sentence in (
        ({"units": []}, "there are no units"),
        ({"units": [9999]}, "channels 0 to 255"),
        ({"images": tmp_path}, "there is no picture in"),
        ({"seeds": (0,)}, "seed 0 is that of the icon itself"),
    ):
        with pytest.raises(ValueError, match=sentence):
            lx.icon_report(model, LAYER, **{"units": [1], "progress": False, **wrong})


def test_a_mark_surrounds_the_cell_and_changes_nothing_else():
    pixels = np.full((80, 80, 3), 7, np.uint8)
    changed = (marked(Patch("x", pixels, 1.0, (0, 0), (0.5, 0.25))) != 7).any(-1)
    ys, xs = np.nonzero(changed)
    assert (round(ys.mean()), round(xs.mean())) == (40, 20)
    assert not changed[40, 20]
    assert np.ptp(ys) == np.ptp(xs) < 20


def test_the_dictionary_shows_the_photographs_of_the_selected_channel(model, store):
    images = [lx.load_image(name) for name in ("cat", "coffee", "temple", "rocket")]
    dictionary = lx.SemanticDictionary(
        model, "cat", "mixed4a", layers=["mixed4a"], images=images, store=store
    )
    board = dictionary.board
    cell = board["image"].start
    unit = board.rows("units", {"image": cell})[1][0]
    strongest = [model.activations(image, "mixed4a")[..., unit].max() for image in images]
    order = np.argsort(strongest)[::-1][:3]
    rows = board.rows("photographs", {"image": cell, "units": unit})
    assert [board["photographs"].label(a) for a, _ in rows] == [
        f"mixed4a:{unit} in photograph ({i})" for i in order
    ]
    np.testing.assert_allclose([v for _, v in rows], [strongest[i] for i in order], rtol=1e-3)
    first = board.rows("units", {"image": cell})[0][0]
    assert (
        board["photographs"]
        .label(board.rows("photographs", {"image": cell})[0][0])
        .startswith(f"mixed4a:{first} ")
    )
    drive = shipped_sheet(model.digest, "mixed4a").drive[unit]
    share = np.mean([s < drive for s in strongest])
    said = "any of 4 photographs" if share == 1 else f"{100 * share:.1f}% of 4 photographs"
    assert said in board["units"].notes[unit]
    dictionary.choose(basis="PCA")
    assert "photographs" not in [panel.name for panel in dictionary.board.panels]
