"""The semantic dictionary: what it shows is what the network computed."""

import dataclasses
import datetime
import io
import threading
import time

import ipywidgets
import numpy as np
import pytest
import traitlets
from PIL import Image
from sklearn.decomposition import NMF, PCA

import lucid_ext as lx
from lucid_ext.optvis import icon, recipes

LAYERS = ["mixed4a", "mixed4d", "mixed5a"]


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Icons of a few steps: what is tested here is not how they look."""
    for kind, size in (("sketch", 24), ("icon", 32)):
        quick = dataclasses.replace(recipes.SKETCH, size=size, steps=3)
        monkeypatch.setitem(recipes.KINDS, kind, quick)
    monkeypatch.setattr(recipes, "DRAFT", dataclasses.replace(recipes.DRAFT, steps=1, size=24))
    monkeypatch.setattr(recipes, "TILE", dataclasses.replace(recipes.TILE, steps=2, size=24))


@pytest.fixture
def made(model, store):
    interfaces = []

    def make(image="cat_coffee", layer="mixed4d", **options):
        interfaces.append(lx.SemanticDictionary(model, image, layer, layers=LAYERS, store=store, **options))
        return interfaces[-1]

    yield make
    for interface in interfaces:
        interface.stop()
        interface.wait()


def test_top_channels_are_argsorts(model, cat, made):
    board = made().board
    acts = model.activations(cat, "mixed4d").reshape(196, -1)
    for cell in range(196):
        order = sorted(range(acts.shape[1]), key=lambda c: (-acts[cell, c], c))[:5]
        assert board.rows("units", {"image": cell}) == [(c, float(acts[cell, c])) for c in order]


def test_bars_share_one_scale_and_heat_is_the_activation(model, cat, made):
    board = made().board
    acts = model.activations(cat, "mixed4d")
    assert board["units"].scale == acts.max()
    assert np.array_equal(board.link("units", "image").weights, acts.reshape(196, -1).T)


def test_classes_are_the_prediction(model, cat, made):
    rows = made().board.rows("classes", {})
    assert [(model.labels[i], v) for i, v in rows] == model.predict(cat)


def test_places_are_what_they_are_called(model, cat, made):
    norms = np.linalg.norm(model.activations(cat, "mixed4d"), axis=-1)
    places = made().board["image"].places
    assert places["Strongest cell"] == norms.argmax()
    assert places["Quietest cell"] == norms.argmin()


def test_pca_basis(model, cat, made):
    board = made(basis="PCA").board
    cells = model.activations(cat, "mixed4d").reshape(196, -1)
    scores = np.abs(PCA(6, svd_solver="full").fit_transform(cells))
    for cell in (0, 77, 195):
        found = sorted((v for _, v in board.rows("units", {"image": cell})), reverse=True)
        np.testing.assert_allclose(found, np.sort(scores[cell])[::-1][:5], rtol=1e-3, atol=1e-4)


def test_nmf_basis(model, cat, made):
    board = made(basis="NMF").board
    cells = model.activations(cat, "mixed4d").reshape(196, -1)
    fitted = NMF(6, init="nndsvd", max_iter=1000)
    expected = fitted.fit_transform(cells) * np.linalg.norm(fitted.components_, axis=1)
    found = board.link("units", "image").weights.T
    order = np.argsort(expected.sum(0))
    np.testing.assert_allclose(found[:, np.argsort(found.sum(0))], expected[:, order], atol=1e-3)
    assert board.link("units", "image").weights.min() >= 0


def test_icons_are_those_of_the_shipped_sheet(model, made):
    from lucid_ext.optvis import shipped_sheet

    units = made().board["units"]
    sheet = shipped_sheet(model.digest, "mixed4d")
    assert np.array_equal(units.icons[units.icon_of[42]], sheet.icon(42).pixels)
    assert units.notes == sheet.notes


def test_whole_cells_stream_in(made):
    dictionary = made()
    assert dictionary.board["vector"].icons is None
    dictionary.wait()
    vector = dictionary.board["vector"]
    assert (vector.icon_of >= 0).all()


def test_whole_cells_are_the_tiles_of_the_grid(model, made, store):
    dictionary = made().wait()
    vector = dictionary.board["vector"]
    acts = model.activations(dictionary.image, "mixed4d", uncapped=True)
    stored = list(lx.optvis.stream_tiles(model, "mixed4d", acts, store=store, go_on=lambda: False))
    ((cells, tiles),) = stored
    assert sorted(cells) == list(range(len(vector)))
    assert np.array_equal(vector.icons[vector.icon_of[cells]], tiles)


def test_the_selected_cell_is_drawn_first(made):
    dictionary = made()
    cell = next(c for c in range(196) if c not in dictionary.board["image"].places.values())
    found = dictionary.stream(dictionary.board, {"image": cell}, lambda: False)
    assert cell in next(ready for name, ready in found if name == "vector")


def test_selection_reads_as_row_and_column(made):
    dictionary = made()
    seen = []
    dictionary.view.observe(lambda change: seen.append(change["new"]), "selected")
    dictionary.view.selected = {"image": 14 * 3 + 5, "units": 42}
    assert seen == [{"image": 47, "units": 42}]
    assert dictionary.selected == {"image": (3, 5), "units": 42}
    dictionary.view.hovered = {"image": 0}
    assert dictionary.hovered == {"image": (0, 0)}
    with pytest.raises(traitlets.TraitError, match=r"\(3, 5\) cannot be selected in panel 'image'"):
        dictionary.view.selected = {"image": (3, 5)}
    assert dictionary.selected == {"image": (3, 5), "units": 42}
    dictionary.choose(layer="mixed5a")  # where the cell is another, and there is a pointer no more
    assert dictionary.selected["image"] == (1, 2)


def test_stop_ends_the_work_and_keeps_what_has_arrived(made, monkeypatch):
    step, begun = icon.Ascent.step, threading.Event()

    def slow(self, draws, inputs):
        begun.set()
        time.sleep(0.05)
        return step(self, draws, inputs)

    monkeypatch.setattr(icon.Ascent, "step", slow)
    dictionary = made()
    dictionary._repr_mimebundle_()
    assert begun.wait(60)
    dictionary.stop()
    deadline = time.monotonic() + 20
    while dictionary.view.status != "Stopped." and time.monotonic() < deadline:
        time.sleep(0.02)
    assert dictionary.view.status == "Stopped."
    vector = dictionary.board["vector"]
    assert vector.icon_of is None or (vector.icon_of < 0).any()
    dictionary.wait()
    assert (dictionary.board["vector"].icon_of >= 0).all()


def test_a_failure_behind_the_view_is_said_and_raised(made, monkeypatch):
    dictionary = made()
    view = dictionary.view
    monkeypatch.setattr(dictionary, "stream", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        dictionary.wait()
    deadline = time.monotonic() + 5
    while "ZeroDivisionError" not in view.status and time.monotonic() < deadline:
        time.sleep(0.02)
    assert "ZeroDivisionError" in view.status
    monkeypatch.undo()


def test_controls_change_layer_basis_and_length(made):
    dictionary = made()
    box = dictionary.widget
    layer, basis, slider = box.children[0].children[:3]
    assert list(layer.options) == LAYERS
    layer.value = "mixed5a"
    assert dictionary.choice["layer"] == "mixed5a"
    assert dictionary.board["image"].rows == 7
    assert dictionary.view.payload["boards"][0]["choice"]["layer"] == "mixed5a"
    basis.value = "PCA"
    assert "component 0 +" in dictionary.board["units"].labels[0]
    slider.value = 8
    assert dictionary.view.shown == {"units": 8}


def upload(dictionary, content: bytes) -> None:
    """What the browser does when the reader chooses a file."""
    chooser = next(c for c in dictionary.widget.children[0].children if isinstance(c, ipywidgets.FileUpload))
    file = {"name": "mine.png", "type": "image/png", "size": len(content), "content": content}
    chooser.set_trait("value", ({**file, "last_modified": datetime.datetime.now()},))


def test_own_picture_by_upload(made, model):
    dictionary = made()
    data = io.BytesIO()
    Image.new("RGB", (200, 150), (10, 200, 30)).save(data, "png")
    upload(dictionary, data.getvalue())
    assert dictionary.image.shape == (150, 200, 3)
    assert np.allclose(dictionary.board["classes"].values, model.activations(dictionary.image, "softmax2"))


def test_a_bad_upload_is_refused_and_loses_nothing(made):
    dictionary = made()
    before = dictionary.board
    upload(dictionary, b"oops")
    assert "the uploaded file cannot be read as a picture" in dictionary.view.status
    assert dictionary.board is before


def test_pictures_the_network_is_unsure_of_are_marked(model, made):
    seen = {name: model.predict(lx.load_image(name), 1)[0] for name in ("cat_coffee", "coffee", "cat")}
    assert min(odds for _, odds in seen.values()) < 0.1 < max(odds for _, odds in seen.values())
    for name, (label, odds) in seen.items():
        said = f"sure of nothing here: its best guess, {label}, is {odds:.0%} probable."
        assert (said in made(name).board["image"].note) == (odds < 0.1)


def test_a_picture_of_nothing(made):
    """All black, all white: no division by zero, no icon from a zero vector."""
    for level in (0.0, 1.0):
        dictionary = made(np.full((64, 64, 3), level, np.float32)).wait()
        assert np.isfinite(dictionary.board["classes"].values).all()


@pytest.mark.parametrize("basis", ["channels", "PCA", "NMF"])
def test_every_basis_finishes(made, basis):
    dictionary = made(layer="mixed5a", basis=basis).wait()
    units, vector = dictionary.board["units"], dictionary.board["vector"]
    assert (units.icon_of >= 0).all()
    assert (vector.icon_of >= 0).all()


def test_bad_options_are_refused(model, made):
    with pytest.raises(ValueError, match="no layer 'mixed4f'; did you mean"):
        made(layer="mixed4f")
    with pytest.raises(ValueError, match="there is no basis 'ICA'; expected one of channels, PCA, NMF"):
        made(basis="ICA")
    with pytest.raises(ValueError, match="there is no layer 'mixed3a'; expected one of mixed4a"):
        made().choose(layer="mixed3a")
    with pytest.raises(ValueError, match="neither a sample nor a file"):
        made("doggy")


def test_page_holds_the_variants_it_says(made, tmp_path):
    dictionary = made()
    path = dictionary.to_html(tmp_path / "page.html")
    text = path.read_text(encoding="utf-8")
    assert path.stat().st_size < 3_000_000
    for choice in dictionary.page_choices():
        assert f'"layer": "{choice["layer"]}", "basis": "{choice["basis"]}"' in text
    assert len(dictionary.page_choices()) == 5


def test_page_that_cannot_be_written(made, tmp_path, monkeypatch):
    dictionary = made()
    monkeypatch.setattr(dictionary, "page_choices", lambda: [dictionary.choice])
    with pytest.raises(ValueError, match=r"cannot be written .*give another path"):
        dictionary.to_html(tmp_path / "no such folder" / "page.html")


def test_offline_display_is_a_page_in_an_iframe(made, monkeypatch):
    dictionary = made()
    monkeypatch.setattr(dictionary, "page_choices", lambda: [dictionary.choice])
    monkeypatch.setenv("LUCID_EXT_OFFLINE", "1")
    bundle = dictionary._repr_mimebundle_()
    assert bundle["text/html"].startswith('<iframe sandbox="allow-scripts allow-downloads" srcdoc=')
    assert "application/vnd.jupyter.widget-view+json" not in bundle
    monkeypatch.delenv("LUCID_EXT_OFFLINE")
    live = dictionary._repr_mimebundle_()
    live = live[0] if isinstance(live, tuple) else live
    assert "application/vnd.jupyter.widget-view+json" in live


def test_page_of_a_network_without_icons_renders_the_most_listed(model, store, tmp_path, monkeypatch):
    """Everything is offered and ranked; pictures are made for what readers will meet."""
    graph_def = model.graph_def.FromString(model.graph_def.SerializeToString())
    weight = next(n for n in graph_def.node if n.name == "softmax2_b/stored").attr["value"].tensor
    weight.tensor_content = bytes(len(weight.tensor_content))
    options = {"labels": model.labels, "size": model.size, "value_range": model.value_range}
    other = lx.VisionModel(graph_def, name="other", **options)
    monkeypatch.setattr("lucid_ext.interfaces.semantic_dictionary.PAGE_ICONS", 24)
    dictionary = lx.SemanticDictionary(other, "cat_coffee", layers=["mixed4d"], store=store)
    monkeypatch.setattr(dictionary, "page_choices", lambda: [dictionary.choice])
    dictionary.to_html(tmp_path / "page.html")
    board = dictionary.board
    drawn = set(np.flatnonzero(board["units"].icon_of >= 0).tolist())
    assert len(drawn) == 24
    for cell in (board["image"].start, *board["image"].places.values()):
        assert {unit for unit, _ in board.rows("units", {"image": cell})} <= drawn
    assert len(board["units"]) == 264


def test_sketches_come_first_and_are_replaced(made):
    dictionary = made(layer="mixed4d", basis="NMF")
    board = dictionary.board
    sizes = [
        (pixels.shape[0], atom)
        for name, ready in dictionary.stream(board, {}, lambda: False)
        for atom, pixels in ready.items()
        if name == "units"
    ]
    units = set(range(len(board["units"])))
    assert (
        {atom for size, atom in sizes if size == 24} == {atom for size, atom in sizes if size == 32} == units
    )
    assert sizes == sorted(sizes, key=lambda found: found[0])  # all sketches before anything better
    dictionary.wait()
    assert dictionary.board["units"].icons.shape[1] == 32
    again = [size for _, ready in dictionary.stream(dictionary.board, {}, lambda: False) for size in ready]
    assert again == []


def test_exported_page_in_a_browser(made, chromium, tmp_path):
    """The list a reader sees equals the Board's arrays, cell by cell."""
    from lucid_ext.board import format_value

    dictionary = made()
    path = dictionary.to_html(tmp_path / "page.html")
    board = dictionary.board
    context = chromium.new_context()
    context.set_offline(True)
    tab = context.new_page()
    requests = []
    tab.on("request", lambda r: requests.append(r.url))
    tab.goto(path.as_uri())
    tab.locator(".lx-handle").focus()
    tab.keyboard.press("Control+Home")
    for cell in range(0, 40):
        rows = [
            (r.locator(".lx-name").inner_text(), r.locator(".lx-value").inner_text())
            for r in tab.locator(".lx-lists .lx-row").all()
        ]
        y, x = divmod(cell, 14)
        assert tab.locator(".lx-handle").get_attribute("aria-label") == f"row {y}, column {x}"
        assert rows == [
            (board["units"].labels[a], format_value(v, "number"))
            for a, v in board.rows("units", {"image": cell})
        ]
        tab.keyboard.press("ArrowRight")
        if x == 13:
            tab.keyboard.press("ArrowDown")
            tab.keyboard.press("Home")
    assert requests == [path.as_uri()] or all(u.startswith(("file:", "data:")) for u in requests)
    context.close()
