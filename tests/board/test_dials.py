"""Marks, names and dials: what boards say of units that have a colour and can be turned."""

import dataclasses

import numpy as np
import pytest

from lucid_ext.board import Board, Dials, Grid, Mark, Ranking, Units
from lucid_ext.widgets.payload import payload

LEVELS = np.float32([0, 0.5, 1, 2])


def board(**changes) -> Board:
    """Two parts of a picture, each with a dial that changes three classes."""
    rng = np.random.default_rng(0)
    picture = np.zeros((8, 8, 3), np.uint8)
    marks = [Mark(0, "0", "#e69f00"), Mark(3, "1", "#0072b2")]
    kept = {"colours": ["#e69f00", "#0072b2"], "shown": 2, "most": 2}
    parts = Units(
        "parts",
        "Parts",
        ["a? (part 0)", "b? (part 1)"],
        values=np.float32([2, 1]),
        scale=2.0,
        doubts=["", "unstable"],
        renamable=True,
        **kept,
    )
    here = Units("here", "Here", parts.labels, named_after="parts", column=0, **kept)
    classes = Units("classes", "Classes", ["x", "y", "z"], values=np.float32([0.5, 0.3, 0.2]), shown=3)
    atoms = np.tile(np.int32([0, 1]), (4, 1))
    values = rng.random((2, 4, 3)).astype(np.float32)
    fields = {
        "title": "Parts",
        "reading": "Look.",
        "panels": [Grid("image", "Picture", picture, 2, 2, marks=marks), here, parts, classes],
        "links": [
            Ranking("image", "here", atoms, np.ones((4, 2), np.float32)),
            Dials("parts", "classes", LEVELS, values, "Turn"),
        ],
    }
    return Board(**{**fields, **changes})


def test_one_dial_alone_is_read_from_the_table():
    b = board()
    dials = b.link("parts", "classes")
    assert b.rows("classes", {}, 3) == b.rows("classes", {}, 3, {"parts": {0: 1, 1: 1}})
    for level in (0, 0.5, 2):
        expected = dials.values[1, LEVELS.tolist().index(level)]
        found = dict(b.rows("classes", {}, 3, {"parts": {0: 1, 1: level}}))
        np.testing.assert_array_equal([found[i] for i in range(3)], expected)
    with pytest.raises(ValueError, match=r"one at a time, at 0, 0\.5, 1, 2"):
        b.rows("classes", {}, 3, {"parts": {0: 0, 1: 0}})
    with pytest.raises(ValueError, match="one at a time"):
        dials.scaled({0: 0.7})


def test_a_name_goes_to_all_lists_of_the_same_units():
    b = board().rename("parts", 1, "ear")
    assert b["parts"].labels == b["here"].labels == ["a? (part 0)", "ear"]
    assert b["classes"].labels == ["x", "y", "z"]


def test_saved_and_loaded(tmp_path):
    b = board()
    b.save(tmp_path / "board.npz")
    again = Board.load(tmp_path / "board.npz")
    assert again["image"].marks == b["image"].marks
    assert again["parts"].doubts == ["", "unstable"]
    np.testing.assert_array_equal(again.link("parts", "classes").values, b.link("parts", "classes").values)
    assert payload([again], False) == payload([b], False)


@pytest.mark.parametrize(
    ("panel", "changes", "what"),
    [
        ("parts", {"colours": ["#e69f00"]}, "has 1 colours for 2 units"),
        ("parts", {"colours": ["red", "blue"]}, "not all #rrggbb"),
        ("parts", {"doubts": ["", "", ""]}, "has 3 doubts for 2 units"),
        ("parts", {"column": 3}, "expected 0, 1 or 2"),
        ("image", {"marks": [Mark(4, "x", "#000000")]}, "expected an atom of 4"),
        ("image", {"marks": [Mark(0, "x", "black")]}, "and #rrggbb"),
    ],
)
def test_what_no_panel_can_have(panel, changes, what):
    with pytest.raises(ValueError, match=what):
        dataclasses.replace(board()[panel], **changes)


def test_what_no_board_can_have():
    b = board()
    dials = b.link("parts", "classes")
    for changes, what in (
        ({"values": dials.values[:, :3]}, r"expected \(2, 4, 3\)"),
        ({"levels": LEVELS + 3}, "rising levels with 1"),
        ({"levels": LEVELS[::-1]}, "rising levels with 1"),
        ({"source": "image"}, "needs a list of units"),
        ({"target": "here"}, "one with values of its own"),
    ):
        with pytest.raises(ValueError, match=what):
            board(links=[dataclasses.replace(dials, **changes)])
    with pytest.raises(ValueError, match="named after 'nobody'"):
        board(panels=[*b.panels[:1], dataclasses.replace(b["here"], named_after="nobody"), *b.panels[2:]])
