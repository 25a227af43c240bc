"""Two boards under one selection, with what differs between them.

Of every panel the pair shows that of the first board, that of the second, and their difference:
for a grid whose cells a list describes, how far each cell's values have turned; for other pictures,
the signed difference of the pictures; for a list, its units by how much they differ, with the sign.
"""

import re
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from lucid_ext.board.board import Board
from lucid_ext.board.captions import literal
from lucid_ext.board.drilldown import Trail
from lucid_ext.board.links import Link
from lucid_ext.board.pairing import BETWEEN, FIRST, SECOND, Pairing
from lucid_ext.board.panels import Panel

FORMULA = r"\qquad d_{y,x} = a^{A}_{y,x} - a^{B}_{y,x}, \quad 1 - \cos(a^{A}_{y,x}, a^{B}_{y,x})"


def pair(
    a: Board,
    b: Board,
    names: tuple[str, str] = ("A", "B"),
    choice: Mapping[str, str] | None = None,
    seen: Sequence[tuple[np.ndarray, np.ndarray]] = (),
) -> Board:
    """One board of two that have the same panels.

    Cells are compared by the rankings of their lists; a unit that only one board ranks for a cell is
    left out. Lists whose units are found in one picture alone (`Units.passing`) are not compared.

    Args:
        a: the first board.
        b: the second.
        names: what to call them.
        choice: where the pair stands among its variants; by default where `a` stands.
        seen: of pictures that are subtracted, what to take in their place: (picture of a grid, float32
            (H, W, 3) in [0, 1]). Photographs may be shown larger than a network sees them.

    Raises:
        ValueError: the boards do not have the same panels.
    """
    _check_alike(a, b)
    first, second = names
    said = (literal(first), literal(second))
    pairing = Pairing(a, b, seen)
    between = {panel.name: panel.compare(b[panel.name], pairing) for panel in a.panels}
    different = [panel.name for panel in a.panels if panel.lists and between[panel.name] is not None]
    rows: list[list[Panel]] = []
    captions = []
    for panel in a.panels:
        sides = [panel.beside(FIRST, first, True), b[panel.name].beside(SECOND, second, False)]
        apart = between[panel.name]
        rows.append([*sides, *([] if apart is None else [apart])])
        if panel.scene is not None:
            captions += [
                _caption(side + panel.name, panel.name, a, different, said)
                for side in (FIRST, SECOND, BETWEEN)
            ]
    captions += _captions_of_lists(a, b, said)
    rows.sort(key=len, reverse=True)  # what has no difference would break the columns
    shown = {panel.name for row in rows for panel in row}
    return Board(
        title=f"{a.title}: {first} and {second}",
        reading=f"{a.reading} Each row shows {first}, then {second}, then what differs: dark or grey where "
        f"they agree; a number above zero is more in {first}.",
        panels=[panel for row in rows for panel in row],
        # What has no difference has no panel between.
        links=[link for link in _links(pairing) if {link.source, link.target} <= shown],
        formula=a.formula + FORMULA,
        caption=[sentence for sentence in captions if sentence],
        choice=dict(a.choice if choice is None else choice),
        trail=_both_trails(a, b),
    )


def _check_alike(a: Board, b: Board) -> None:
    if [panel.likeness() for panel in a.panels] != [panel.likeness() for panel in b.panels]:
        known = [", ".join(p.name for p in board.panels) for board in (a, b)]
        raise ValueError(
            f"the boards of a pair need the same panels, with the same cells and units; "
            f"they have {known[0]} and {known[1]}."
        )


def _links(pairing: Pairing) -> list[Link]:
    """The links of a pair: those of each side, those that lead to both, and those across."""
    a, b = pairing.a, pairing.b
    links = [
        made
        for side, board in ((FIRST, a), (SECOND, b))
        for link in board.links
        for made in link.beside(side)
    ]
    for link in a.links:
        other = pairing.other(link)
        links += [] if other is None else link.compare(other, pairing)
    for board, here, there in ((a, FIRST, SECOND), (b, SECOND, FIRST)):
        for link in board.links:
            links += link.across(here, there, pairing)
    return links


def _captions_of_lists(a: Board, b: Board, names: tuple[str, str]) -> list[str]:
    """What the boards say themselves, where lists are asked: of cards, which are all picked, both at once."""
    said = [
        [re.sub(r"\{(?=\w)", "{" + side, text) for text in board.captions]  # {panel}
        for side, board in ((FIRST, a), (SECOND, b))
    ]
    if a.trail and b.trail:
        return [*_asked_of_either(a, b, names), *said[0], *said[1]]
    if any(panel.steady for panel in a.panels):
        pairs = zip(*said, strict=False)
        return [f"{names[0]}: {one} {names[1]}: {other}" for one, other in pairs]
    return []


def _asked_of_either(a: Board, b: Board, names: tuple[str, str]) -> list[str]:
    """What both boards say of a question asked on one: {list} is what is asked, {list.1} an answer."""
    said = []
    for asked in (FIRST, SECOND):
        for sentences in zip(a.captions, b.captions, strict=False):
            both = [
                re.sub(r"\{(\w+)\.", rf"{{{side}\1.", re.sub(r"\{(\w+)\}", rf"{{{asked}\1}}", text))
                for side, text in zip((FIRST, SECOND), sentences, strict=True)
            ]
            said.append(" ".join(f"{name}: {text}" for name, text in zip(names, both, strict=True)))
    return said


def _both_trails(a: Board, b: Board) -> Trail | None:
    """One question between the lists of both boards."""
    if not a.trail or not b.trail:
        return None
    start, atom = a.trail.start
    lists = [side + name for side, trail in ((FIRST, a.trail), (SECOND, b.trail)) for name in trail.lists]
    return Trail(lists, (FIRST + start, atom))


def _caption(selected: str, name: str, a: Board, different: Collection[str], names: tuple[str, str]) -> str:
    """What a pair says of a selected cell: what leads in either, and what differs most.

    Of the lists that are `different`, one that the cell's grid fills is spoken of first.
    """
    rankings = [link for link in a.links if link.fills and link.target in different]
    own = [link for link in rankings if link.source == name]
    if not rankings:
        return ""
    target = (own or rankings)[0].target
    one, two, between = (f"{{{side}{target}" for side in (FIRST, SECOND, BETWEEN))
    return (
        f"At {{{selected}}}, {names[0]} is mostly {one}.1}} ({one}.1.value}}), {names[1]} {two}.1}} "
        f"({two}.1.value}}). Most different is {between}.1}} ({between}.1.value}})."
    )
