"""The methods of attribution that interfaces offer: those that apply, slow ones with a warning."""

import ipywidgets
import numpy as np
import pytest

import lucid_ext as lx

LAYERS = ["mixed5a", "mixed5b"]


@pytest.fixture
def cells_only(methods):
    @lx.attribution.method("cells_only", atoms="cells", cost="fast")
    def cells_only(problem):
        assert problem.atoms.kind == "cells"
        return problem.linear() * 2

    return "cells_only"


def menu(interface, control="method"):
    """The dropdown of a control."""
    bar = interface.widget.children[0].children
    return next(w for w in bar if isinstance(w, ipywidgets.Dropdown) and w.description == control)


def test_an_interface_offers_the_methods_that_answer_for_its_atoms(model, cat, store, methods, cells_only):
    lx.attribution.method("channels_only", atoms="channels")(lambda problem: problem.linear())
    plain = ["gradient", "path", "smooth_maxpool", "ablation"]
    spatial = lx.SpatialAttribution(model, cat, LAYERS, store=store)
    channels = lx.ChannelAttribution(model, cat, LAYERS, channels=6)
    comparison = lx.MethodComparison(model, cat, "mixed5b", target=3)
    assert spatial.options["method"] == [*plain, cells_only]
    assert channels.options["method"] == [*plain, "channels_only"]
    assert comparison.methods == [*plain, "shapley", "random", cells_only]
    np.testing.assert_allclose(comparison.values(cells_only), 2 * comparison.values("gradient"), rtol=1e-6)
    spatial.choose(method=cells_only)
    values = lx.attribute(model, cat, "mixed5a", ("mixed5b", "cells")).values.reshape(49, 49)
    np.testing.assert_allclose(spatial.board.link("mixed5a", "mixed5b").weights, 2 * values, atol=1e-4)
    spatial.stop()


@pytest.mark.usefixtures("cells_only")
def test_a_method_that_does_not_apply_is_refused_where_it_is_asked_for(model, methods):
    lx.attribution.method("channels_only", atoms="channels")(lambda problem: problem.linear())
    for options in ({"method": "cells_only"}, {"methods": ["gradient", "cells_only"]}):
        with pytest.raises(ValueError, match="'cells_only' answers for cells, not for channels: use one"):
            lx.ChannelAttribution(model, "cat_coffee", LAYERS, **options)
    for ask in (
        lambda: lx.SpatialAttribution(model, "cat_coffee", LAYERS, "channels_only"),
        lambda: lx.SpatialAttribution(model, "cat_coffee", LAYERS, tinted_by="channels_only"),
        lambda: lx.MethodComparison(model, "cat_coffee", "mixed5a", ["channels_only"]),
    ):
        with pytest.raises(ValueError, match="'channels_only' answers for channels, not for cells: use one"):
            ask()
    with pytest.raises(ValueError, match="there is no method 'guess'; expected one of gradient"):
        lx.SpatialAttribution(model, "cat_coffee", LAYERS, tinted_by="guess")


def test_a_slow_method_is_marked_and_said_to_be_slow_while_it_is_asked(model, cat, methods, store):
    seen = []

    @lx.attribution.method("patient", cost="slow", quick={"times": 2})
    def patient(problem, times=500):
        seen.append((made.view.status, times))
        return problem.linear()

    made = lx.SpatialAttribution(
        model, cat, LAYERS, methods=["gradient", "patient"], tiles=False, store=store
    )
    chooser = menu(made)
    assert chooser.options == (("gradient", "gradient"), ("patient (slow)", "patient"))
    assert made.warning(made.choice) == ""
    chooser.value = "patient"
    assert made.choice["method"] == "patient"
    said = "patient is slow: it runs the network many times for each of the cells. This may take minutes."
    assert set(seen) == {(said, 2)}  # with its quick options
    made.wait()
    assert made.view.status == ""
    channels = lx.ChannelAttribution(model, cat, LAYERS, methods=["gradient", "shapley"])
    assert menu(channels).options == (("gradient", "gradient"), ("shapley (slow)", "shapley"))
    pair = channels.pair(lx.ChannelAttribution(model, "cat", LAYERS, methods=["gradient", "shapley"]))
    assert menu(pair).options == menu(channels).options
    assert "for each of the channels" in pair.warning({**pair.choice, "method": "shapley"})


def test_a_page_has_the_fast_methods_of_ones_own_too(model, cat, cells_only, store):
    made = lx.SpatialAttribution(model, cat, LAYERS, store=store)
    assert [choice["method"] for choice in made.page_choices()] == ["gradient", "smooth_maxpool", cells_only]


def test_the_tint_is_of_the_method_asked_for(model, cat, store, methods):
    @lx.attribution.method("last")
    def last(problem):
        """Says that only the last cell matters, to whatever it is asked about."""
        values = np.zeros((*problem.atoms.shape, *problem.targets.shape), np.float32)
        values[-1, -1] = 1
        return values

    made = lx.SpatialAttribution(model, cat, LAYERS, tinted_by="last", store=store)
    for layer in LAYERS:
        strength = made._tints[layer][..., 3]
        assert strength[-1, -1] > 0
        assert np.count_nonzero(strength) == 1
    assert made.board[made.first].start == 48


def test_a_comparison_says_which_methods_are_slow_and_which_one_measures(model, methods, cat):
    lx.attribution.method("whole", kind="measurement")(lambda problem: problem.remove_each())
    asked = ["gradient", "shapley", "whole"]
    made = lx.MethodComparison(model, cat, "mixed5b", asked)
    assert [made.board[name].title for name in asked] == ["gradient", "shapley (slow)", "whole"]
    assert made.found["shapley"].options == {"permutations": 8}
    assert made.board["whole"].note.startswith("Measured: gap")
    alike = lx.attribution.agree(made.values("gradient"), made.values("whole"))
    note = made.board["gradient"].note
    assert f"Against measured: gap 0%, rank correlation {float(alike.spearman):.2f}" in note
