"""The cell an interface begins with: the strongest inside, wherever there is an inside."""

import itertools

import numpy as np
import pytest

import lucid_ext as lx
from lucid_ext.interfaces.parts.cells import NAMED, first_cell, named, places


def norms_of(rng, rows, cols):
    """Of activations between none and many, as a ReLU leaves them."""
    return np.linalg.norm(np.maximum(rng.normal(size=(rows, cols, 8)), 0), axis=-1)


@pytest.mark.parametrize(("rows", "cols"), [(4, 4), (4, 9), (9, 4), (7, 7), (14, 14), (5, 28)])
def test_it_is_the_largest_of_those_not_at_the_border(rng, rows, cols):
    at_border = 0
    for _ in range(50):
        norms = norms_of(rng, rows, cols)
        y, x = divmod(first_cell(norms), cols)
        assert 0 < y < rows - 1
        assert 0 < x < cols - 1
        inner = [norms[i, j] for i, j in itertools.product(range(1, rows - 1), range(1, cols - 1))]
        assert norms[y, x] == max(inner)
        at_border += norms.max() > norms[y, x]
    assert at_border  # the strongest of all was another one, at least once


@pytest.mark.parametrize(("rows", "cols"), [(1, 1), (1, 9), (2, 2), (3, 3), (3, 14), (14, 3)])
def test_in_a_small_grid_it_is_the_strongest_of_all(rng, rows, cols):
    for _ in range(20):
        norms = norms_of(rng, rows, cols)
        assert first_cell(norms) == norms.argmax()


def test_where_nothing_answers_inside_it_is_the_strongest_of_all():
    norms = np.zeros((5, 6))
    assert first_cell(norms) == 0
    norms[4, 2] = 1
    assert first_cell(norms) == 4 * 6 + 2
    norms[2, 2] = 0.1
    assert first_cell(norms) == 2 * 6 + 2


def test_the_strongest_cell_is_so_called_wherever_it_is(rng):
    cells = np.maximum(rng.normal(size=(36, 8)), 0)
    cells[3] *= 10  # in the first row
    assert places(cells)["Strongest cell"] == 3


def test_named_cells_begin_with_the_first(rng):
    cells = np.maximum(rng.normal(size=(49, 8)), 0)
    first = next(cell for cell in range(49) if cell not in places(cells).values())
    found = named(cells, first)
    assert found[0] == first
    assert set(places(cells).values()) < set(found)
    assert len(set(found)) == len(found) == NAMED


OPTIONS = {
    lx.SemanticDictionary: {"layer": "mixed4d", "layers": ["mixed4d"]},
    lx.ActivationGrid: {"layers": ["mixed4d"], "caricature": False},
    lx.GroupFlow: {"layers": ["mixed4d", "mixed5a"], "n_groups": 3, "counts": (3,)},
    lx.NeuronGroups: {"layer": "mixed4d", "n_groups": 2, "counts": (2,)},
}


@pytest.mark.parametrize("interface", OPTIONS)
def test_interfaces_begin_inside(model, store, interface):
    """With a picture whose strongest cell is in the corner."""
    norms = np.linalg.norm(model.activations("rocket", "mixed4d"), axis=-1)
    assert norms.argmax() == 0
    made = interface(model, "rocket", store=store, **OPTIONS[interface])
    grid = made.board["mixed4d" if interface is lx.ActivationGrid else "image"]
    assert (grid.rows, grid.cols) == (14, 14)
    strengths = norms
    if interface is lx.NeuronGroups:
        strengths = np.abs(made.groups.spatial).sum(-1)
    y, x = divmod(grid.start, 14)
    assert strengths[y, x] == strengths[1:13, 1:13].max()
    assert 0 < y < 13
    assert 0 < x < 13
    if interface is lx.SemanticDictionary:
        assert grid.places["Strongest cell"] == 0
