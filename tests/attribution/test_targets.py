"""What can be asked, and what is refused in one sentence."""

import numpy as np
import pytest

import lucid_ext as lx
from tests.models.networks import randomized, sequential


@pytest.mark.parametrize(
    ("source", "target", "options", "what"),
    [
        (
            "mixed5a",
            ("mixed4d", "cells"),
            {},
            "mixed5a comes after mixed4d: attribution goes from an earlier",
        ),
        (
            "mixed4d",
            ("mixed4d", "cells"),
            {},
            "source and target are both mixed4d: the source must come before",
        ),
        ("mixed4a_1x1", ("mixed4a_5x5", 3), {}, "mixed4a_1x1 and mixed4a_5x5 do not lie on one path"),
        ("mixed4f", "espresso", {}, "no layer 'mixed4f'; did you mean"),
        ("mixed4d", ("mixed5x", "cells"), {}, "no layer 'mixed5x'; did you mean .*mixed5"),
        ("mixed4d", "expresso", {}, "no class 'expresso'; did you mean espresso"),
        ("mixed4d", ("espresso", "teepot"), {}, "no class 'teepot'; did you mean teapot"),
        ("mixed4d", ["espresso", 200], {}, "has classes 0 to 199; there is no 200"),
        ("mixed4d", -1, {}, "has classes 0 to 199; there is no -1"),
        ("mixed4d", 1.5, {}, "1.5 is no target; expected a class, a pair"),
        ("mixed4d", ("mixed5a", 416), {}, "mixed5a has channels 0 to 415; there is no 416"),
        ("mixed4d", ("mixed5a", (7, 0)), {}, r"mixed5a has 7 x 7 cells; there is no \(7, 0\)"),
        ("mixed4d", ("mixed5a", (-1, 0)), {}, r"there is no \(-1, 0\)"),
        ("mixed4d", ("mixed5a", np.ones(3)), {}, r"shape \(3,\); expected \(416,\), finite"),
        ("mixed4d", ("mixed5a", "rows"), {}, "is no target; expected"),
        ("mixed4d", ("softmax2_pre_activation", "cells"), {}, "no positions, so it has no cells"),
        ("mixed4d", "espresso", {"atoms": "pixels"}, "no atoms 'pixels'; expected one of cells, channels"),
        ("mixed4d", "espresso", {"baseline": "grey"}, "no baseline 'grey'; expected one of zero, mean"),
        ("avgpool0", "espresso", {}, "avgpool0 has no positions, so it has no cells: use 'channels'"),
        ("avgpool0", "espresso", {"atoms": "channels", "baseline": "mean"}, "mean over positions"),
    ],
)
def test_refused(model, cat, source, target, options, what):
    with pytest.raises(ValueError, match=what):
        lx.attribute(model, cat, source, target, **options)


def test_groups_of_other_activations_are_refused(model, cat):
    groups = lx.factorize(model.activations(cat, "mixed5a"), 3)
    with pytest.raises(
        ValueError, match=r"activations \(7, 7, 416\), and those of mixed4d are \(14, 14, 264\)"
    ):
        lx.attribute(model, cat, "mixed4d", "espresso", atoms=groups)
    with pytest.raises(ValueError, match="mixed5a has groups 0 to 2; there is no 3"):
        lx.attribute(model, cat, "mixed4d", ("mixed5a", groups, 3))


def test_two_classes_of_one_name():
    model = lx.load_model(randomized(sequential()), labels=["crane", "heron", "crane", "stork", "ibis"])
    with pytest.raises(ValueError, match="2 classes called 'crane': give the number, one of 0, 2"):
        lx.attribution.find_class(model, "crane")
    assert lx.attribution.find_class(model, 2) == 2


def test_more_values_than_fit(model, cat, monkeypatch):
    monkeypatch.setattr("lucid_ext.attribution.problem.BUDGET", 10_000_000)
    with pytest.raises(ValueError, match=r"51,744 neurons times 49 targets are 0.0 GB .* coarser atoms"):
        lx.attribute(model, cat, "mixed4d", ("mixed5a", "cells"), atoms="neurons")


def test_activations_that_are_not_finite():
    network = randomized(sequential())
    network.get_layer("third").kernel.assign(np.full((3, 3, 12, 12), np.nan, np.float32))
    model = lx.load_model(network)
    with pytest.raises(ValueError, match=r"third of .* has activations that are not finite"):
        lx.attribute(model, np.ones((24, 24, 3), np.float32), "third", 0)
    with pytest.raises(ValueError, match="class 0 is not finite for this image"):
        lx.attribute(model, np.ones((24, 24, 3), np.float32), "second", 0)


def test_a_cell_that_is_zero_says_so():
    """Biases so low that no ReLU of the layer lets anything through."""
    network = randomized(sequential())
    network.get_layer("second").bias.assign(np.full(12, -1e6, np.float32))
    model = lx.load_model(network)
    picture = np.ones((24, 24, 3), np.float32)
    one = lx.attribute(model, picture, "first_relu", ("second", (1, 2)))
    assert not one.values.any()
    assert one.gap == 0
    assert "second (1, 2) is zero for this image, so there is nothing to attribute" in one.notes[0]
    assert one.notes[0] in repr(one)
    many = lx.attribute(model, picture, "first_relu", ("second", "cells"))
    assert "144 of 144 second cells (first second (0, 0)) are zero for this image" in many.notes[0]
    class_ = lx.attribute(model, picture, "first_relu", 1)
    assert (
        "class 1 is not influenced by any atom of first_relu: every value is exactly zero" in class_.notes[0]
    )


def test_a_network_that_is_certain_says_so(chain, picture):
    """A probability of exactly one has no gradient."""
    network = randomized(sequential())
    network.get_layer("classes").bias.assign(np.array([0, 1e4, 0, 0, 0], np.float32))
    model = lx.load_model(network)
    found = lx.attribute(model, picture, "second", (model.softmax, 1))
    assert "is not influenced by any atom of second" in found.notes[0]
    assert "try method 'ablation', or a class's logit" in found.notes[0]
    assert not lx.attribute(model, picture, "second", 1).notes


def test_what_a_result_says_of_itself(model, cat):
    found = lx.attribute(model, "cat_coffee", "mixed4d", ("espresso", "teapot"))
    assert (found.source, found.target, found.atoms) == ("mixed4d", "espresso − teapot", "cells")
    assert repr(found).startswith("Attribution(mixed4d cells to espresso − teapot, gradient, 14 x 14, compl")
    assert found.values.dtype == np.float32
    assert found.notes == ()
    logits = model.activations(cat, model.logits)
    a, b = (model.labels.index(name) for name in ("espresso", "teapot"))
    assert found.score == pytest.approx(logits[a] - logits[b], rel=1e-4)
    cells = lx.attribution.Problem(model, cat, "mixed4d", ("mixed5a", "cells")).targets
    assert cells.name_of(9) == "mixed5a (1, 2)"
    all_classes = lx.attribute(model, cat, "mixed4d", (model.logits, "channels"))
    assert all_classes.target_names == tuple(model.labels)
