"""Numbers in texts: a minus is a minus sign, wherever an interface writes one."""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

import lucid_ext as lx
from lucid_ext.board.numbers import rounded, written
from tests.models import networks

HYPHEN = re.compile(r"(?<![\w-])-[\d.]")


def texts(value: Any) -> Iterator[str]:
    """Every string of a board."""
    if isinstance(value, str):
        yield value
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from texts(getattr(value, field.name))
    elif isinstance(value, Mapping):
        yield from texts([*value, *value.values()])
    elif isinstance(value, list | tuple):
        for one in value:
            yield from texts(one)


def test_signs_of_numbers():
    assert written(-0.04) == "\u22120.04"
    assert written(-0.125, ".0%") == "\u221212%"
    assert written(3, "+.1f") == "+3.0"
    assert [rounded(value) for value in (-0.125, 0.125, -1)] == ["\u22120.13", "0.13", "\u22121.00"]
    assert rounded(-2.25, 1) == "\u22122.3"


@pytest.fixture
def contrary():
    """A method that says the opposite of the gradient, so that its ranks disagree with what is measured."""

    @lx.attribution.method("contrary")
    def contrary(problem):
        return -problem.linear()

    yield "contrary"
    lx.attribution.METHODS.pop("contrary")


@pytest.fixture(scope="module")
def own():
    return lx.load_model(networks.randomized(networks.functional()), labels=list("abcde"), preprocess=(0, 1))


@pytest.mark.parametrize("kind", ["MethodComparison", "SpatialAttribution", "ChannelAttribution"])
def test_no_text_of_a_board_has_a_hyphen_for_a_minus(own, contrary, kind):
    if kind == "MethodComparison":
        made = lx.MethodComparison(own, "cat_coffee", methods=["ablation", contrary])
    else:
        make = getattr(lx, kind)
        made = make(own, "cat_coffee", method=contrary, methods=["ablation"])
    found = list(texts(made.board))
    assert any("rank correlation \u2212" in text for text in found)
    assert not [text for text in found if HYPHEN.search(text)]
    for panel in made.board.panels:
        for unit in (0, len(panel) - 1):
            assert not HYPHEN.search(made.board.describe({panel.name: unit}))
