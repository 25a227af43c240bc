"""What an interface has to be written, and what it may rely on."""

import copy
import itertools
from typing import ClassVar

import numpy as np
import pytest

import lucid_ext as lx
from lucid_ext.board import Board, Grid
from lucid_ext.live import Interface


def board(choice):
    return Board(
        "Title", "Read it so.", [Grid("image", "Picture", np.zeros((8, 8, 3), np.uint8), 2, 2, tiled=True)]
    )


class Bare(Interface):
    controls: ClassVar = {"steps": (1, 2)}

    def make_board(self, choice):
        return board(choice)


def test_what_is_missing_is_refused_in_a_sentence(model):
    class Nothing(Interface):
        pass

    with pytest.raises(TypeError, match=r"^Nothing is no interface yet: give it make_board\(choice\), which"):
        Nothing(model, None, {}, {})
    with pytest.raises(TypeError, match=r"make_board\(choice\).* and analyze\(image\), which keeps"):
        Nothing(model, "cat", {}, {})
    with pytest.raises(TypeError, match=r"Bare is no interface yet: give it analyze\(image\)"):
        Bare(model, "cat")
    bare = Bare(model)
    with pytest.raises(TypeError, match=r"Bare is no interface yet: give it analyze\(image\)"):
        bare.set_image("cat")
    assert bare.image is None


def test_nothing_overridden_is_called_before_the_constructor_is_done(model):
    called = []

    class Late(Bare):
        def __init__(self, image):
            super().__init__(model, image)
            assert called == []
            self.scale = 2  # which `analyze` needs

        def analyze(self, image):
            called.append("analyze")
            self.light = self.scale * float(image.mean())

        def make_board(self, choice):
            called.append("make_board")
            return board(choice)

        def label(self, control, option):
            called.append("label")
            return option

    made = Late("cat")
    assert called == ["analyze"]
    assert made.light == pytest.approx(2 * lx.load_image("cat").mean())
    assert made.board.title == "Title"
    assert called == ["analyze", "make_board"]


def test_controls_are_declared_or_handed_over():
    assert Bare(None).choice == {"steps": "1"}
    assert Bare(None, choice={"steps": 2}).options == {"steps": ["1", "2"]}
    assert Bare(None, None, {"kind": ["a", "b"], "size": [3]}, {"kind": "b"}).choice == {
        "kind": "b",
        "size": "3",
    }
    with pytest.raises(ValueError, match="there is no steps 3; expected one of 1, 2"):
        Bare(None, choice={"steps": 3})


def test_earlier_names_work_and_warn(model):
    with pytest.warns(DeprecationWarning, match="is called") as warned:

        class Old(Interface):
            follows = False

            def see(self, image):
                self.seen = image

            def make_board(self, choice):
                return board(choice)

            def refine(self, board, selected, go_on, page=False):
                for cell in itertools.count():
                    if cell == 3 or not go_on():
                        return
                    yield "image", {cell: np.zeros((4, 4, 3), np.uint8)}

    said = sorted(str(one.message) for one in warned)
    assert [one.split(" is called ")[0] for one in said] == ["Old.follows", "Old.refine", "Old.see"]
    assert said[2] == "Old.see is called analyze now, and the earlier name will go."
    made = Old(model, "cat")
    assert made.seen is made.image
    assert not made.streams_on_select
    assert len(list(made.stream(made.board, {}, lambda: False))) == 3
    assert list(made.stream(made.board, {}, lambda: True)) == []
    with pytest.warns(DeprecationWarning, match="look_at is called set_image now"):
        made.look_at("coffee")
    made.wait()
    np.testing.assert_array_equal(made.seen, lx.load_image("coffee"))


def test_what_is_overridden_under_an_earlier_name_can_call_what_it_overrides(model):
    class New(Bare):
        def analyze(self, image):
            self.seen = image

    with pytest.warns(DeprecationWarning, match=r"Older\.see is called analyze now"):

        class Older(New):
            def see(self, image):
                super().see(image / 2)

    with pytest.warns(DeprecationWarning, match=r"New\.see is called analyze now"):
        made = Older(model, "cat")
    np.testing.assert_allclose(made.seen, lx.load_image("cat") / 2)


def test_a_copy_has_a_life_of_its_own():
    one = Bare(None)
    one.choose(steps=2)
    other = copy.copy(one)
    other.choose(steps=1)
    assert (one.choice, other.choice) == ({"steps": "2"}, {"steps": "1"})
    assert other.view is not one.view
    for made in (one, other):
        made.close()
