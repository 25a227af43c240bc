"""Trails: which list answers what, and that what is asked about can always be seen."""

import dataclasses

import numpy as np
import pytest

from lucid_ext.board import Board, Grid, Heat, Ranking, Units
from lucid_ext.board.comparison import pair
from lucid_ext.board.drilldown import Trail

SIZES = {"low": 9, "high": 12}
SHOWN = 4
QUESTIONS = ["a \u2212 b", "a", "b"]


def ranking(source, target, values, **how) -> Ranking:
    """The strongest units of each row of values, strongest first."""
    order = np.argsort(-np.abs(values), axis=1, kind="stable")[:, :SHOWN].astype(np.int32)
    return Ranking(source, target, order, np.take_along_axis(values, order, 1), **how)


def board(seed=0, choice=None) -> Board:
    """A picture, two lists of channels and one of classes, all of which answer one another."""
    rng = np.random.default_rng(seed)
    picture = np.full((90, 120, 3), 140, np.uint8)
    between = rng.normal(size=(SIZES["low"], SIZES["high"])).astype(np.float32)
    panels = [Grid("image", "Picture", picture, 3, 4, start=None)]
    links = [
        ranking("high", "low", between.T, scales=np.abs(between).max(0), law="added to {}"),
        ranking("low", "high", between, scales=np.abs(between).max(1), law="added by {}"),
    ]
    for name, size in SIZES.items():
        values = rng.normal(size=(size, 3)).astype(np.float32)
        panels.append(
            Units(
                name,
                name,
                [f"{name}:{c}" for c in range(size)],
                notes=[f"icon of {c}" for c in range(size)],
                icons=rng.integers(0, 256, (size, 16, 16, 3), dtype=np.uint8),
                icon_of=np.arange(size, dtype=np.int32),
                illustrated=True,
                values=values[:, 0],
                shown=SHOWN,
                most=SHOWN,
            )
        )
        scales, notes = np.abs(values).max(0), [f"trust of {name} {i}" for i in range(3)]
        links.append(ranking("classes", name, values.T, scales=scales, law="added to {}", notes=notes))
        own = np.tile(np.arange(3, dtype=np.int32), (size, 1))
        links.append(Ranking(name, "classes", own, values, law="added by {}"))
        links.append(Ranking(name, "effect", own[:, :1], values[:, :1]))
        links.append(Heat(name, "image", rng.normal(size=(size, 12)).astype(np.float32), law="where"))
    logits = np.tile(np.float32([1.5, 4.0, 2.5]), (3, 1))
    same = np.tile(np.arange(3, dtype=np.int32), (3, 1))
    links.append(Ranking("classes", "classes", same, logits, scales=np.full(3, 4.0), law="logits"))
    panels.append(Units("classes", "classes", QUESTIONS, shown=3, most=3))
    panels.append(Units("effect", "Effect", ["measured"], shown=1, most=1))
    return Board(
        "Trail",
        "Ask.",
        panels,
        links,
        caption=[
            "{classes}: {low.1} and {high.1}.",
            "{low} adds {effect.1.value}, most to {high.1}.",
            "{high} adds {effect.1.value}, and is {low.1} ({low.1.value}).",
        ],
        choice={"method": choice} if choice else {},
        trail=Trail(["low", "high", "classes"], ("classes", 0)),
    )


def seen(made, name, selected):
    return [unit for unit, _ in made.rows(name, selected)]


MADE = board()
FIRST = seen(MADE, "high", {})[1]
BELOW = seen(MADE, "low", {"high": FIRST})[2]
HIDDEN = next(c for c in range(12) if c not in seen(MADE, "high", {}))
SELECTIONS = [
    {},
    {"classes": 1},
    {"high": FIRST},
    {"high": FIRST, "low": BELOW},
    {"low": BELOW, "high": FIRST},
    {"high": HIDDEN},
    {"low": BELOW, "classes": 2},
    {"image": 3},
]


def test_the_start_is_asked_until_something_else_is():
    link = MADE.link("classes", "low")
    assert seen(MADE, "low", {}) == link.atoms[0].tolist()
    assert seen(MADE, "low", {"classes": 2}) == link.atoms[2].tolist()
    assert [value for _, value in MADE.rows("classes", {})] == [1.5, 4.0, 2.5]


def test_the_others_answer_what_was_picked_last():
    selected = {"high": FIRST, "low": BELOW}
    assert seen(MADE, "high", selected) == MADE.link("low", "high").atoms[BELOW].tolist()
    assert seen(MADE, "low", {"low": BELOW, "high": FIRST}) == MADE.link("high", "low").atoms[FIRST].tolist()
    values = MADE.link("low", "classes").values[BELOW]
    assert [value for _, value in MADE.rows("classes", selected)] == values.tolist()
    assert MADE.rows("effect", selected) == [(0, float(values[0]))]


def test_what_was_picked_stays_where_it_was():
    assert seen(MADE, "high", {"high": FIRST}) == seen(MADE, "high", {})
    assert seen(MADE, "low", {"high": FIRST, "low": BELOW}) == seen(MADE, "low", {"high": FIRST})


def test_what_is_asked_about_can_be_seen_wherever_it_came_from():
    rows = MADE.rows("high", {"high": HIDDEN})
    assert rows[-1] == (HIDDEN, float(MADE["high"].values[HIDDEN]))
    assert rows[:-1] == MADE.rows("high", {})[:-1]
    for unit in range(12):
        assert unit in seen(MADE, "high", {"low": BELOW, "high": unit})


def test_the_caption_speaks_of_the_present_question_only():
    said = MADE.describe({"high": FIRST, "low": BELOW})
    assert said.startswith(f"low:{BELOW} adds ")
    assert MADE.describe({}).startswith("a \u2212 b: ")


def test_a_selection_is_carried_in_its_order():
    carried = board(1).carry({"low": 2, "high": 5, "image": 1}, MADE)
    assert list(carried.items()) == [("low", 2), ("high", 5), ("image", 1)]


def test_a_question_is_asked_of_both_boards_of_a_pair():
    other = board(1)
    both = pair(MADE, other)
    for selected in ({}, {"classes": 1}, {"high": FIRST}):
        asked = {f"a_{name}": atom for name, atom in selected.items()}
        assert both.rows("a_low", asked) == MADE.rows("low", selected)
        assert both.rows("b_low", asked) == other.rows("low", selected)
    # Lists of other units answer the start.
    names = [f"high:{c}" for c in range(1, 13)]
    panels = [dataclasses.replace(p, labels=names) if p.name == "high" else p for p in other.panels]
    panels, own = (
        [dataclasses.replace(p, passing=p.name in SIZES) if p.name in SIZES else p for p in x]
        for x in (panels, MADE.panels)
    )
    both = pair(dataclasses.replace(MADE, panels=own), dataclasses.replace(other, panels=panels))
    assert both.rows("b_low", {"a_high": FIRST}) == other.rows("low", {})
    assert both.rows("b_low", {"b_high": FIRST}) == other.rows("low", {"high": FIRST})


def test_round_trip(tmp_path):
    MADE.save(tmp_path / "board.npz")
    loaded = Board.load(tmp_path / "board.npz")
    for selected in SELECTIONS:
        assert loaded.describe(selected) == MADE.describe(selected)
        assert [loaded.rows(n, selected) for n in SIZES] == [MADE.rows(n, selected) for n in SIZES]
    assert loaded.link("classes", "low").notes == MADE.link("classes", "low").notes


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"trail": Trail(["low", "image"], ("low", 0))}, "the trail names 'image'; the lists are low, high"),
        ({"trail": Trail(["low"], ("high", 0))}, "the trail starts at 'high' 0, which is no unit"),
        ({"trail": Trail(["low"], ("low", 9))}, "the trail starts at 'low' 9, which is no unit"),
    ],
)
def test_a_trail_that_leads_nowhere(changes, said):
    with pytest.raises(ValueError, match=said):
        dataclasses.replace(MADE, **changes)


def test_a_ranking_says_one_thing_of_each_atom():
    link = MADE.link("classes", "low")
    for changes, said in (
        ({"notes": ["one"]}, "from 'classes' to 'low' has 1 notes; expected 3"),
        ({"scales": np.ones(2)}, "has 2 scales; expected 3"),
        ({"scales": np.zeros(3)}, "has scales that are not above 0"),
    ):
        with pytest.raises(ValueError, match=said):
            dataclasses.replace(MADE, links=[dataclasses.replace(link, **changes)])
