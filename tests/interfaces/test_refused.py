"""What is refused changes nothing: the choice, the picture, the board, the menus and the view stay."""

import contextlib
import json

import ipywidgets
import numpy as np
import pytest

import lucid_ext as lx
from lucid_ext.board import Board, Grid, Units
from lucid_ext.interfaces import Interface

LAYERS = ["mixed5a", "mixed5b"]


def menu(interface, control):
    """The dropdown of a control."""
    bar = interface.widget.children[0].children
    return next(w for w in bar if isinstance(w, ipywidgets.Dropdown) and w.description == control)


def state(interface):
    """What a reader sees, and what Python is told."""
    view = interface.view
    return (
        dict(interface.choice),
        interface.board,
        interface.image,
        interface.picture,
        interface.note,
        view.payload,
        dict(view.selected),
        interface.selected,
    )


@contextlib.contextmanager
def nothing_changes(interface):
    before = state(interface)
    yield
    for old, new in zip(before, state(interface), strict=True):
        assert new is old or new == old


@pytest.fixture
def cells_only(methods):
    """A method that says nothing of what it cannot do, until it is asked."""

    @lx.attribution.method("cells_only")
    def cells_only(problem):
        if problem.atoms.kind != "cells":
            raise ValueError("cells only, please.")
        return problem.linear()

    return "cells_only"


def channels(model, image="cat_coffee", **options):
    methods = ["gradient", "ablation", "cells_only"]
    return lx.ChannelAttribution(model, image, LAYERS, methods=methods, channels=6, **options)


@pytest.mark.usefixtures("cells_only")
def test_a_choice_without_a_board_is_refused_and_the_old_one_stays(model):
    made = channels(model)
    made.view.selected = {"mixed5a": 2}
    with nothing_changes(made), pytest.raises(ValueError, match="cells only, please"):
        made.choose(method="cells_only")
    made.choose(method="ablation")
    assert made.board.choice["method"] == "ablation"
    with nothing_changes(made), pytest.raises(ValueError, match="there is no method 'guess'"):
        made.choose(method="guess")


@pytest.mark.usefixtures("cells_only")
def test_a_pair_refuses_alike(model):
    pair = channels(model).pair(channels(model, "cat"), ("both", "cat"))
    pair.view.selected = {"a_mixed5a": 2}
    with nothing_changes(pair), pytest.raises(ValueError, match="cells only, please"):
        pair.choose(method="cells_only")
    pair.choose(method="ablation")
    assert pair.board.choice["method"] == "ablation"


@pytest.mark.usefixtures("cells_only")
def test_a_refused_choice_in_a_menu_goes_back_and_the_reason_is_said(model):
    made = channels(model)
    chooser = menu(made, "method")
    for refused in (lambda: setattr(chooser, "value", "cells_only"), lambda: chooser.set_state({"index": 2})):
        with nothing_changes(made):
            refused()
        assert chooser.value == "gradient"
        assert made.view.status == "cells only, please."
    made.set_status("Drawing: 8 pictures so far.")  # which goes on behind
    assert made.view.status == "cells only, please. Drawing: 8 pictures so far."
    chooser.value = "ablation"
    assert made.choice["method"] == "ablation"
    assert "cells only" not in made.view.status
    chooser.value = "cells_only"
    made.view.selected = {"mixed5a": 1}  # the reader goes on
    assert "cells only" not in made.view.status
    made.choose(method="gradient")
    assert chooser.value == "gradient"  # the menu follows Python


@pytest.mark.usefixtures("cells_only")
def test_what_begins_with_a_choice_without_a_board_can_be_led_to_another(model):
    made = channels(model, method="cells_only")
    with pytest.raises(ValueError, match="cells only, please"):
        _ = made.board
    made.choose(method="gradient")
    assert made.board.choice["method"] == "gradient"


def test_a_picture_without_a_board_is_refused_and_the_old_one_stays(model):
    made = lx.NeuronGroups(model, "cat_coffee", "mixed5a", 2, counts=(2, 3))
    made.view.selected = {"groups": 1}
    groups, effects, suggestion = made.groups, made.effects, made.suggestion

    class Failing(lx.NeuronGroups):
        """Fails at the last moment, when everything has been computed anew."""

        def make_board(self, choice):
            if self.image.max() < 0.5:
                raise ValueError("too dark to show.")
            return super().make_board(choice)

    failing = Failing(model, "cat_coffee", "mixed5a", 2, counts=(2, 3))
    failing.view.selected = {"groups": 1}
    dark = 0.4 * lx.load_image("cat")
    for interface, picture, said in (
        (made, "no such picture.jpg", "neither a sample nor a file"),
        (failing, dark, "too dark to show"),
    ):
        with nothing_changes(interface), pytest.raises(ValueError, match=said):
            interface.set_image(picture)
        np.testing.assert_array_equal(interface.groups.spatial, groups.spatial)
        np.testing.assert_array_equal(interface.effects, effects)
        assert interface.suggestion.n_groups == suggestion.n_groups
    made.set_image("cat")
    assert made.groups is not groups
    np.testing.assert_array_equal(made.image, lx.load_image("cat"))
    made.stop()


class Answers(Interface):
    """Shows how light a picture is; some options and pictures fail at each of the steps."""

    def __init__(self, model, image="cat"):
        options = {"kind": ["plain", "unmade", "undrawn", "broken"]}
        super().__init__(model, image, options, {"kind": "plain"})

    def analyze(self, image):
        self.light = float(image.mean())
        if self.light < 0.01:
            raise ValueError("there is nothing to see.")
        self.seen = image

    def make_board(self, choice):
        if choice["kind"] == "unmade":
            raise ValueError("it cannot be made.")
        if choice["kind"] == "broken":
            raise ZeroDivisionError("once")
        grid = Grid("image", "Picture", self.picture, 2, 2)
        units = Units("units", "Light", ["light"], values=np.float32([self.light]), shown=1, most=1)
        formula = r"\undrawable" if choice["kind"] == "undrawn" else ""
        return Board("Light", "Read it so.", [grid, units], formula=formula, choice=choice)


def test_whatever_fails_on_the_way_to_the_eye_changes_nothing(model):
    made = Answers(model)
    made.view.selected = {"image": 3}
    chooser = menu(made, "kind")
    light, seen = made.light, made.seen
    for kind, error, said in (
        ("unmade", ValueError, "it cannot be made"),
        ("undrawn", ValueError, "undrawable"),
        ("broken", ZeroDivisionError, "once"),
    ):
        with nothing_changes(made), pytest.raises(error, match=said):
            made.choose(kind=kind)
        with nothing_changes(made), contextlib.suppress(ZeroDivisionError):
            chooser.value = kind
        assert chooser.value == "plain"
        assert said in made.view.status
    assert made.view.status == "ZeroDivisionError: once"
    with nothing_changes(made), pytest.raises(ValueError, match="there is nothing to see"):
        made.set_image(np.zeros((32, 32, 3), np.float32))
    assert made.light == light
    assert made.seen is seen
    made.set_image(np.full((32, 32, 3), 0.5, np.float32))
    assert made.board.rows("units", {}) == [(0, 0.5)]
    assert made.view.selected == {"image": 3}
    made.wait()
    assert made.view.status == ""


def test_directions_of_components_stay_those_of_the_picture_shown(model, store):
    class Failing(lx.SemanticDictionary):
        def make_board(self, choice):
            made = super().make_board(choice)
            if self.image.max() < 0.5:
                raise ValueError("too dark to show.")
            return made

    made = Failing(model, "cat_coffee", "mixed5a", basis="PCA", layers=["mixed5a"], store=store)
    board, directions = made.board, made._directions["mixed5a", "PCA"]
    with pytest.raises(ValueError, match="too dark"):
        made.set_image(0.4 * lx.load_image("cat"))
    assert made.board is board
    assert made._directions["mixed5a", "PCA"] is directions


def test_a_name_that_cannot_be_kept_is_not_taken(model, tmp_path):
    path = tmp_path / "names.json"
    made = lx.NeuronGroups(model, "cat_coffee", "mixed5a", 2, counts=(2,), names=path)
    made.rename("groups", 0, "cup")
    before = path.read_text()
    path.unlink()
    path.mkdir()  # where nothing can be written
    labels = list(made.board["groups"].labels)
    with pytest.raises(ValueError, match=r"names\.json cannot be written"):
        made.rename("groups", 1, "ear")
    assert list(made.board["groups"].labels) == labels
    path.rmdir()
    made.rename("groups", 0, "bowl")
    (names,) = json.loads(path.read_text()).values()
    assert names == {"0": "bowl"}
    assert list(json.loads(before).values()) == [{"0": "cup"}]
