"""Layers without a ReLU: a channel is two units, one for each sign, and groups have both."""

import numpy as np
import pytest

import lucid_ext as lx
from lucid_ext.interfaces.parts.channels import as_units

LAYER = "block5c_add"


@pytest.fixture(scope="module")
def network():
    return lx.load_model("efficientnet_lite0")


def test_a_channel_of_both_signs_is_two_units(rng):
    acts = rng.normal(size=(2, 3, 4)).astype(np.float32)
    values, directions, names = as_units("x", acts)
    assert names == [*(f"x:{c}" for c in range(4)), *(f"x:{c} below zero" for c in range(4))]
    assert values.min() == 0
    np.testing.assert_allclose(values @ directions, acts.reshape(-1, 4))
    assert len(as_units("x", np.abs(acts))[2]) == 4


def test_the_dictionary_ranks_by_magnitude(network, store):
    board = lx.SemanticDictionary(network, "cat_coffee", LAYER, layers=[LAYER], store=store).board
    cells = network.activations("cat_coffee", LAYER).reshape(-1, 112)
    for cell in (0, 50, 101):
        rows = board.rows("units", {"image": cell})
        order = np.argsort(-np.abs(cells[cell]), kind="stable")[: len(rows)]
        assert [unit % 112 for unit, _ in rows] == order.tolist()
        assert [unit >= 112 for unit, _ in rows] == (cells[cell, order] < 0).tolist()
        np.testing.assert_allclose([value for _, value in rows], np.abs(cells[cell, order]), rtol=1e-6)


def test_groups_say_which_sign_and_how_much_is_covered(network, store):
    shown = lx.NeuronGroups(network, "cat_coffee", LAYER, 4, counts=(4,), store=store)
    assert shown.method == "nmf_both"
    covered = 1 - shown.groups.error**2
    assert f"cover {covered:.0%} of their energy" in shown.board["image"].note
    for note, row in zip(shown.board["groups"].notes, shown.groups.channels, strict=True):
        above = np.square(row[row > 0]).sum()
        assert note.startswith(f"{above:.0%} of it are channels above zero, {1 - above:.0%} below. ")
