"""Activation grids: tiles of every layer, their sizes, and any interface as a pair."""

import dataclasses

import ipywidgets
import numpy as np
import pytest

import lucid_ext as lx
from lucid_ext.board.comparison import pair
from lucid_ext.interfaces import activation_grid
from lucid_ext.interfaces.parts.cells import first_cell
from lucid_ext.live import controls
from lucid_ext.optvis import caricature, recipes

LAYERS = ["mixed4d", "mixed5a"]


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """A step per tile: what is tested here is not how they look."""
    monkeypatch.setattr(recipes, "DRAFT", dataclasses.replace(recipes.DRAFT, steps=1))
    monkeypatch.setattr(recipes, "TILE", dataclasses.replace(recipes.TILE, steps=2))
    brief = dataclasses.replace(recipes.CARICATURE, steps=1)
    monkeypatch.setitem(recipes.KINDS, "caricature", brief)


@pytest.fixture
def made(model, store):
    interfaces = []

    def make(image="cat_coffee", layers=LAYERS, **options):
        interfaces.append(lx.ActivationGrid(model, image, layers, store=store, **options))
        return interfaces[-1]

    yield make
    for interface in interfaces:
        interface.stop()
        interface.wait()


def test_areas_are_norms(model, cat, made):
    board = made().board
    for layer in LAYERS:
        norms = np.linalg.norm(model.activations(cat, layer), axis=-1).ravel()
        np.testing.assert_allclose(board[layer].sizes * norms.max(), norms, rtol=1e-4)
        assert f"{norms.max():.1f}" in board[layer].law
    assert board["mixed4d"].start == first_cell(np.linalg.norm(model.activations(cat, "mixed4d"), axis=-1))


def test_channels_are_the_cells_own(model, cat, made):
    board = made().board
    offset = 0
    for layer in LAYERS:
        cells = model.activations(cat, layer).reshape(-1, model.layers[layer][-1])
        for cell in (0, 17, 48):
            top = np.argsort(-cells[cell], kind="stable")[:5]
            assert board.rows("units", {layer: cell}) == [(offset + c, float(cells[cell, c])) for c in top]
            assert board["units"].labels[offset + top[0]] == f"{layer}:{top[0]}"
        offset += cells.shape[1]
    assert board.rows("units", {"image": 50}) == board.rows("units", {"mixed4d": 50})


def test_a_channel_lights_where_its_own_layer_answers(model, cat, made):
    board, offset = made().board, 0
    for layer in LAYERS:
        acts = model.activations(cat, layer)
        acts = acts.reshape(-1, acts.shape[-1])
        weights = board.link("units", layer).weights.copy()
        own = slice(offset, offset + acts.shape[1])
        np.testing.assert_allclose(weights[own], np.maximum(acts.T, 0), atol=1e-6)
        weights[own] = 0
        assert not weights.any()
        assert [*board.link("units", layer).of] == [*range(own.start, own.stop)]
        offset += acts.shape[1]
    assert offset == len(board["units"])


def test_icons_are_those_that_come_with_the_network(model, made):
    from lucid_ext.optvis import shipped_sheet

    units = made().board["units"]
    unit = units.labels.index("mixed5a:7")
    assert np.array_equal(
        units.icons[units.icon_of[unit]], shipped_sheet(model.digest, "mixed5a").icon(7).pixels
    )


def test_coarse_layers_come_first_and_drafts_before_final_tiles(made, monkeypatch):
    asked = []
    stream = activation_grid.stream_tiles

    def noted(model, layer, acts, **options):
        asked.append((layer, options["draft"]))
        return stream(model, layer, acts, **options)

    monkeypatch.setattr(activation_grid, "stream_tiles", noted)
    grid = made().wait()
    assert asked == [("mixed5a", True), ("mixed4d", True), ("mixed5a", False), ("mixed4d", False)]
    for name in (*LAYERS, "caricature"):
        assert (grid.board[name].tile_of >= 0).all()
        assert len(grid.board[name].tiles) == len(grid.board[name])  # final ones replaced the drafts
    grid.wait()
    assert len(asked) == 4


def test_the_caricature_is_cut_into_the_cells_of_its_layer(model, cat, made):
    grid = made(layers=["mixed5a"]).wait()
    panel = grid.board["caricature"]
    whole = panel.tiles[panel.tile_of].reshape(7, 7, 32, 32, 3).swapaxes(1, 2).reshape(224, 224, 3)
    expected = caricature(model, cat, "mixed5a", progress=False)
    small = whole.reshape(112, 2, 112, 2, 3).mean((1, 3)) / 255
    assert np.abs(small - expected).mean() < 0.03


def test_the_caricature_of_the_selected_cell_follows_the_selection(model, cat, made):
    grid = made(layers=["mixed5a"]).wait()
    whole = grid.board["caricature"].tiles
    view = grid.view
    grid.choose(caricature="selected cell")
    assert grid.board["caricature"].title == "Caricature of the cell by mixed5a"
    for cell in ((1, 2), (4, 4)):
        view.selected = {"mixed5a": cell[0] * 7 + cell[1]}
        panel = grid.wait().board["caricature"]
        pieces = panel.tiles[panel.tile_of].reshape(7, 7, 32, 32, 3).swapaxes(1, 2).reshape(224, 224, 3)
        expected = caricature(model, cat, "mixed5a", cell, progress=False)
        assert np.abs(pieces.reshape(112, 2, 112, 2, 3).mean((1, 3)) / 255 - expected).mean() < 0.03
    grid.choose(caricature="whole picture")
    np.testing.assert_array_equal(grid.board["caricature"].tiles, whole)


def test_a_picture_of_nothing_has_dead_cells(made, monkeypatch):
    grid = made(layers=["mixed5a"])
    acts = grid._acts["mixed5a"]
    acts[2, 3] = 0
    grid.session.boards.clear()
    grid.wait()
    panel = grid.board["mixed5a"]
    assert np.flatnonzero(panel.dead).tolist() == [17]
    assert panel.tile_of[17] == -1
    assert panel.label(17) == "row 2, column 3 (dead)"


def test_a_page_has_drafts_of_every_cell(made, tmp_path):
    path = made().to_html(tmp_path / "page.html")
    assert path.stat().st_size < 6_000_000


def test_tiles_stream_into_the_view(made):
    grid = made(layers=["mixed5a"])
    view = grid.view
    grid.wait()
    assert set(view.streamed) >= {"mixed5a", "caricature"}
    assert min(view.streamed["mixed5a"]["icon_of"]) >= 0


def test_bad_layers_are_refused(made):
    with pytest.raises(ValueError, match="no layer 'mixed4f'; did you mean"):
        made(layers=["mixed4f"])
    with pytest.raises(ValueError, match="name one layer twice: mixed5a, mixed5a"):
        made(layers=["mixed5a", "mixed5a"])


def test_a_pair_is_the_pair_of_the_boards_and_fills_both(model, cat, made):
    other = lx.adversarial(model, cat, 0, 4 / 255, "fgsm")
    one, two = (made(image, ["mixed5a"]) for image in (cat, other))  # one is larger than the network sees it
    both = one.pair(two, ("clean", "adversarial")).wait()
    expected = pair(one.board, two.board, ("clean", "adversarial"))
    assert both.board.describe({"b_mixed5a": 5}) == expected.describe({"b_mixed5a": 5})
    for side, interface in (("a_", one), ("b_", two)):
        panel, own = both.board[f"{side}mixed5a"], interface.board["mixed5a"]
        assert np.array_equal(panel.tiles[panel.tile_of], own.tiles[own.tile_of])
    assert both.board["d_image"].law == f"grey is 0, white +{4 / 255:.3f}"
    levels = both.board["d_image"].picture / 127.5 - 1
    np.testing.assert_allclose(levels * 4 / 255, model.prepare(cat) - other, atol=1e-4)
    drawn = [i.board["caricature"] for i in (one, two)]
    levels = [grid.tiles[grid.tile_of].astype(int) for grid in drawn]
    between = both.board["d_caricature"]
    assert between.picture.std() == 0  # what is beneath is no difference of the photographs
    assert np.abs(2 * between.tiles[between.tile_of].astype(int) - 255 - levels[0] + levels[1]).max() <= 1
    assert between.tiles.std() > 1
    before, after = (model.activations(i, "mixed5a").reshape(49, -1) for i in (cat, other))
    cosine = (before * after).sum(1) / np.linalg.norm(before, axis=1) / np.linalg.norm(after, axis=1)
    np.testing.assert_allclose(both.board["d_mixed5a"].values, 1 - cosine, atol=1e-4)
    with pytest.raises(ValueError, match="Pair shows the pictures it was made of"):
        both.set_image("coffee")


def test_a_pair_with_several_has_a_slider_and_shares_what_is_drawn(model, cat, made):
    levels = {"1/255": 1 / 255, "4/255": 4 / 255}
    seen = model.prepare(cat)
    clean = made(seen, ["mixed5a"], caricature=False)
    others = {
        name: made(lx.adversarial(model, seen, 0, e, "fgsm"), ["mixed5a"], caricature=False)
        for name, e in levels.items()
    }
    both = clean.pair(others, control="epsilon")
    slider = both.widget.children[0].children[0]
    assert isinstance(slider, ipywidgets.SelectionSlider)
    assert not any(isinstance(c, ipywidgets.FileUpload) for c in both.widget.children[0].children)
    first = both.board
    slider.value = "4/255"
    assert both.choice == {"epsilon": "4/255"}
    both.wait()
    slider.value = "1/255"  # whose board was made before the clean tiles came
    both.wait()
    assert both.board["d_mixed5a"].values.sum() == first["d_mixed5a"].values.sum()
    assert (both.board["a_mixed5a"].tile_of >= 0).all()
    assert [choice["epsilon"] for choice in both.page_choices()] == ["1/255", "4/255"]


def test_any_interface_can_be_a_pair(model, cat, store):
    one, two = (lx.SemanticDictionary(model, i, "mixed4d", store=store) for i in ("cat_coffee", "coffee"))
    both = one.pair(two, ("cat", "coffee"))
    cell, (a, b) = 77, (i._acts["mixed4d"].reshape(196, -1) for i in (one, two))
    unit = int(np.abs(a[cell] - b[cell]).argmax())
    assert both.board.rows("d_units", {"a_image": cell})[0] == (unit, float(a[cell, unit] - b[cell, unit]))
    both.choose(basis="NMF")  # whose groups are each picture's own
    assert "d_units" not in [panel.name for panel in both.board.panels]
    with pytest.raises(ValueError, match="not of the same kind"):
        one.pair(lx.SemanticDictionary(model, cat, layers=["mixed4a"], store=store))


@pytest.mark.parametrize(
    ("options", "slider"),
    [
        (["1", "2", "8"], True),
        (["0.5", "-1"], True),
        (["1/255", "4/255"], True),
        (["mixed4a", "mixed4d"], False),
        (["4", "all"], False),
    ],
)
def test_numbers_are_a_slider(options, slider):
    chosen = []
    widget = controls.option("steps", options, options[0], chosen.append)
    assert isinstance(widget, ipywidgets.SelectionSlider) == slider
    widget.value = options[1]
    assert chosen == [options[1]]


def test_options_may_be_given_as_numbers(model, cat):
    class Numbered(lx.SemanticDictionary):
        def __init__(self):
            super().__init__(model, cat, "mixed5a", layers=["mixed5a"])
            self.options["steps"] = ["4", "16"]
            self.choice["steps"] = "4"

    numbered = Numbered()
    numbered.choose(steps=16)
    assert numbered.choice["steps"] == "16"
    with pytest.raises(ValueError, match="there is no steps 5; expected one of 4, 16"):
        numbered.choose(steps=5)
