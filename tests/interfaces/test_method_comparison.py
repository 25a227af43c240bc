"""The comparison of methods, against `attribute` and `trust`."""

import numpy as np
import pytest

import lucid_ext as lx
from lucid_ext.board import format_value
from lucid_ext.widgets.payload import payload

METHODS = ["gradient", "ablation", "random"]


@pytest.fixture(scope="module")
def made(model):
    return lx.MethodComparison(model, "cat_coffee", "mixed5a", METHODS)


def test_each_picture_is_lit_by_its_method_on_one_scale(model, cat, made):
    classes = np.argsort(-model.activations(cat, model.softmax), kind="stable")[:5].tolist()
    found = {m: lx.attribute(model, cat, "mixed5a", classes, m).values.reshape(49, 5) for m in METHODS}
    for method in METHODS:
        link = made.board.link("prediction", method)
        np.testing.assert_allclose(link.weights[classes], found[method].T, atol=1e-4)
        largest = np.max([np.abs(values).max(0) for values in found.values()], 0)
        np.testing.assert_allclose(link.scale[classes], largest, rtol=1e-4)
    assert made.board["prediction"].start == classes[0]


def test_the_caption_reads_every_method_at_a_cell(made):
    cell = 24
    rows = made.board.rows("said", {"ablation": cell})
    assert [made.board["said"].labels[unit] for unit, _ in rows] == METHODS
    assert [v for _, v in rows] == [pytest.approx(made.values(m).ravel()[cell]) for m in METHODS]
    said = made.board.describe({"ablation": cell})
    assert f"gradient {format_value(rows[0][1], 'number')}" in said


def test_agreement_is_that_of_trust(model, cat, made):
    trust = lx.attribute(model, cat, "mixed5a", made.target).trust()
    table = made.table("spearman")
    assert table[0, 1] == pytest.approx(float(trust.spearman), abs=1e-3)
    assert table[1, 0] == table[0, 1]
    assert f"signs {float(trust.signs):.0%}" in made.board["gradient"].note
    assert made.gap("gradient") == pytest.approx(float(trust.gap), abs=1e-4)
    assert min(made.seconds.values()) > 0


def test_scales_travel_by_atom(made):
    links = payload([made.board], controls=False)["boards"][0]["links"]
    heat = next(link for link in links if link["kind"] == "heat")
    assert heat["scale"] == made.board.link("prediction", "gradient").scale.tolist()
    assert len(heat["weights"]["rows"]) == 5  # the classes nothing was asked of do not travel
    with pytest.raises(ValueError, match="has no class 'tabbby'"):
        lx.MethodComparison(made.model, "cat_coffee", target="tabbby")
