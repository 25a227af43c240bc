"""Two boards as one: what is shared, and what is said to differ."""

import dataclasses

import numpy as np
import pytest

from lucid_ext.board import Board, Grid, Ranking, Units
from lucid_ext.board.comparison import pair

ROWS, COLS, UNITS = 3, 4, 5


def one(values: np.ndarray, probabilities: np.ndarray, level: int = 90, **changes) -> Board:
    """A board with a picture without a list, a grid of cells with values (cells, units), and classes."""
    atoms = np.argsort(-values, axis=1, kind="stable").astype(np.int32)
    picture = np.full((12, 16, 3), level, np.uint8)
    fields = {
        "title": "Test",
        "reading": "Read.",
        "panels": [
            Grid("image", "Picture", picture, ROWS, COLS, start=None),
            Grid("layer", "Layer", picture, ROWS, COLS, start=2),
            Units("units", "Channels", [f"a:{i}" for i in range(UNITS)], shown=2, most=3),
            Units("classes", "Prediction", list("xyz"), values=probabilities, format="percent", shown=3),
        ],
        "links": [Ranking("layer", "units", atoms, np.take_along_axis(values, atoms, 1))],
        "choice": {"layer": "a"},
    }
    return Board(**{**fields, **changes})


@pytest.fixture
def values(rng):
    return rng.random((2, ROWS * COLS, UNITS)).astype(np.float32)


@pytest.fixture
def made(values):
    a = one(values[0], np.float32([0.5, 0.3, 0.2]))
    b = one(values[1], np.float32([0.1, 0.4, 0.5]), level=100)
    return pair(a, b, ("clean", "other"))


def test_panels_come_in_rows_of_three(made):
    names = [panel.name for panel in made.panels]
    assert names == [
        side + name for name in ("image", "layer", "units", "classes") for side in ("a_", "b_", "d_")
    ]
    assert made["b_units"].title == "Channels, other"
    assert made.choice == {"layer": "a"}


@pytest.mark.parametrize("side", ["a_", "b_", "d_"])
def test_any_of_the_three_grids_fills_all_three_lists(made, values, side):
    for cell in range(ROWS * COLS):
        chosen = {f"{side}layer": cell}
        a, b = values[:, cell]
        assert made.rows("a_units", chosen)[0] == (int(a.argmax()), float(a.max()))
        assert made.rows("b_units", chosen)[0] == (int(b.argmax()), float(b.max()))
        by_size = sorted(range(UNITS), key=lambda u: -abs(float(a[u]) - float(b[u])))[:2]
        assert made.rows("d_units", chosen) == [(u, float(a[u] - b[u])) for u in by_size]


def test_a_picture_without_a_list_speaks_for_the_same_place(made):
    assert made.rows("d_units", {"b_image": 7}) == made.rows("d_units", {"a_layer": 7})


def test_how_far_cells_turned(made, values):
    a, b = values
    for cell in range(ROWS * COLS):
        cosine = a[cell] @ b[cell] / np.linalg.norm(a[cell]) / np.linalg.norm(b[cell])
        assert made["d_layer"].values[cell] == pytest.approx(1 - cosine, abs=1e-6)


def test_a_cell_without_values_has_not_turned(values):
    values[0, 4] = 0
    a, b = (one(v, np.float32([1, 0, 0])) for v in values)
    assert pair(a, b)["d_layer"].values[4] == 0


def test_pictures_are_subtracted(made):
    """90 - 100 is the largest difference there is: black."""
    assert made["d_image"].picture.max() == 0
    assert "+0.039" in made["d_image"].law


def test_equal_pictures_are_grey(values):
    a, b = (one(v, np.float32([1, 0, 0])) for v in values)
    assert np.unique(pair(a, b)["d_image"].picture).tolist() == [128]


def test_tiles_are_subtracted_where_both_are_there(values):
    def tiled(levels):
        tiles = np.stack([np.full((2, 2, 3), level, np.uint8) for level in levels.values()])
        tile_of = np.full(ROWS * COLS, -1, np.int32)
        tile_of[list(levels)] = np.arange(len(levels))
        board = one(values[0], np.float32([1, 0, 0]))
        panels = [
            dataclasses.replace(p, tiled=True, tiles=tiles, tile_of=tile_of) if p.name == "image" else p
            for p in board.panels
        ]
        return dataclasses.replace(board, panels=panels)

    between = pair(tiled({0: 255, 1: 10, 5: 60}), tiled({0: 0, 5: 60, 6: 1}))["d_image"]
    assert between.tiled
    assert np.flatnonzero(between.tile_of >= 0).tolist() == [0, 5]  # of the others one is not there yet
    assert between.tiles[between.tile_of[0]].mean() == 255
    assert between.tiles[between.tile_of[5]].mean() == 128
    assert np.unique(between.picture).tolist() == [127]


def test_lists_that_stand_still_are_subtracted(made):
    rows = made.rows("d_classes", {})
    assert [unit for unit, _ in rows] == [0, 2, 1]
    np.testing.assert_allclose([value for _, value in rows], [0.4, -0.3, -0.1], atol=1e-6)
    assert made["d_classes"].scale == pytest.approx(0.4)


def test_caption_says_what_leads_and_what_differs(made):
    text = made.describe({"b_layer": 5})
    assert text.startswith("At row 1, column 1, clean is mostly a:")
    assert "Most different is a:" in text


def test_units_of_one_picture_alone_are_not_compared(values):
    def passing(board):
        panels = [dataclasses.replace(p, passing=True) if p.name == "units" else p for p in board.panels]
        return dataclasses.replace(board, panels=panels)

    a, b = (passing(one(v, np.float32([1, 0, 0]))) for v in values)
    made = pair(a, b)
    assert "d_units" not in [panel.name for panel in made.panels]
    assert made["d_layer"].values is None


def test_a_unit_only_one_of_them_ranks_is_left_out(values):
    a, b = (one(v, np.float32([1, 0, 0])) for v in values)
    short = dataclasses.replace(b.links[0], atoms=b.links[0].atoms[:, :2], values=b.links[0].values[:, :2])
    made = pair(a, dataclasses.replace(b, links=[short]))
    for cell in range(ROWS * COLS):
        assert {u for u, _ in made.rows("d_units", {"a_layer": cell}, 5)} == set(short.atoms[cell].tolist())


def test_boards_of_different_kinds_are_refused(values):
    a = one(values[0], np.float32([1, 0, 0]))
    b = dataclasses.replace(a, panels=a.panels[:3])
    with pytest.raises(ValueError, match="need the same panels, with the same cells and units"):
        pair(a, b)


def test_round_trip(made, tmp_path):
    made.save(tmp_path / "board.npz")
    again = Board.load(tmp_path / "board.npz")
    assert np.array_equal(again["d_layer"].values, made["d_layer"].values)
    assert list(again.caption) == list(made.caption)
