"""Any interface as a pair: the same of two pictures or two networks, under one selection."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from lucid_ext.board import Board, Link, Panel
from lucid_ext.board.comparison import pair
from lucid_ext.board.pairing import BETWEEN, FIRST, SECOND
from lucid_ext.live.interface import Interface
from lucid_ext.live.streaming import Arrived


class Pair(Interface):
    """An interface beside another of its kind, or beside one of several, and what differs.

    Attributes:
        a: the first one.
        others: those to compare it with, by the option of a control.
        names: what the first and the second are called.
        control: the control that chooses among `others`.
    """

    takes_pictures = False

    def __init__(
        self,
        a: Interface,
        other: Interface | Mapping[Any, Interface],
        names: tuple[str, str] = ("first", "second"),
        control: str = "compared with",
    ):
        """Make a pair; `Interface.pair` says what is what."""
        others = other if isinstance(other, Mapping) else {"": other}
        self.names, self.control = names, control
        self.others = {str(option): one for option, one in others.items()}
        if not self.others:
            raise ValueError("there is nothing to compare with: give another interface.")
        for one in self.others.values():
            if type(one) is not type(a) or one.options != a.options:
                raise ValueError(f"{one!r} is not of the same kind as {a!r}, with the same options.")
        self.a, *standing = a.beside(list(self.others.values()))
        self.others = dict(zip(self.others, standing, strict=True))
        several = len(self.others) > 1
        options = {**({control: list(self.others)} if several else {}), **a.options}
        first = {control: next(iter(self.others))} if several else {}
        self.streams_on_select = a.streams_on_select
        self._made_of: dict[tuple[str, ...], list[Sequence[Link]]] = {}  # the links of both boards
        super().__init__(a.model, a.image, options, {**first, **self.a.choice})

    def analyze(self, image: np.ndarray) -> None:
        """Both have seen their pictures already."""

    def label(self, control: str, option: str) -> str:
        """See `Interface.label`; that of the first one."""
        return self.a.label(control, option) if control in self.a.options else option

    def warning(self, choice: Mapping[str, str]) -> str:
        """See `Interface.warning`; that of either."""
        warnings = dict.fromkeys(one.warning(own) for one, own in self._sides(choice))
        return " ".join(warning for warning in warnings if warning)

    def make_board(self, choice: Mapping[str, str]) -> Board:
        """The boards of both for a choice, as one."""
        sides = self._sides(choice)
        a, b = (interface.board_of(own) for interface, own in sides)
        seen = [(one.picture, one.model.prepare(one.image)) for one, _ in sides if one.image is not None]
        made = pair(a, b, self.names, choice, seen)
        self._made_of[tuple(choice.values())] = [a.links, b.links]
        return made

    def stream(
        self, board: Board, selected: Mapping[str, int], stop: Callable[[], bool], page: bool = False
    ) -> Iterator[Arrived]:
        """What either still lacks, in turns, and what lies between as soon as both have it."""
        board, work = self._up_to_date(board), {}
        for side, (interface, own) in zip((FIRST, SECOND), self._sides(board.choice), strict=True):
            mine = {n.removeprefix(side): atom for n, atom in selected.items() if n.startswith(side)}
            present = interface.board_of(own)
            for panel in present.panels:
                # What came while another variant was shown.
                late = _pictures_beyond(panel, board[side + panel.name])
                if late:
                    yield side + panel.name, late
                    yield from self._difference(board, side, (panel.name, late))
            found = interface.stream(present, mine, stop, page)
            work[side] = (interface, own, found)
        while work:
            for side, (interface, own, found) in list(work.items()):
                arrived = next(found, None)
                board = self._up_to_date(board)
                if arrived is None:
                    del work[side]
                    continue
                interface.add(own, arrived)
                name, pictures = arrived
                yield side + name, pictures
                yield from self._difference(board, side, arrived)

    def _up_to_date(self, board: Board) -> Board:
        """A board of the pair, made anew if one of the two has been: by then it says more."""
        made_of = self._made_of[tuple(board.choice.values())]
        now = [interface.board_of(own).links for interface, own in self._sides(board.choice)]
        if any(links is not before for links, before in zip(now, made_of, strict=True)):
            self.invalidate(board.choice)
        return self.board_of(board.choice)

    def _difference(self, board: Board, side: str, arrived: Arrived) -> Iterator[Arrived]:
        """What pictures of one side mean to the panel between: its units are the first one's as well."""
        name, pictures = arrived
        between = next((panel for panel in board.panels if panel.name == BETWEEN + name), None)
        if between is None or not between.awaits_pictures:
            return
        first, second = (interface.board_of(own)[name] for interface, own in self._sides(board.choice))
        found = first.picture_differences(second) if not between.lists else pictures if side == FIRST else {}
        if found:
            yield between.name, found

    def _sides(self, choice: Mapping[str, str]) -> list[tuple[Interface, dict[str, str]]]:
        own = {control: choice[control] for control in self.a.options}
        return [(self.a, own), (self.others[choice.get(self.control, next(iter(self.others)))], own)]

    def page_choices(
        self, choice: Mapping[str, str] | None = None, paired: bool = False
    ) -> list[dict[str, str]]:
        """Return for every one of the others what the first one's own page has."""
        first = choice or self.choice
        own = {control: first[control] for control in self.a.options}
        choices, here = self.a.page_choices(own, True), first.get(self.control)
        if here is None:
            return choices
        options = [here, *(option for option in self.others if option != here)]
        return [{self.control: option, **own} for option in options for own in choices]


Interface.paired_by = Pair


def _pictures_beyond(panel: Panel, copy: Panel) -> dict[int, np.ndarray]:
    """The pictures of a panel that its copy in another board lacks or has otherwise: {atom: picture}."""
    found, other = panel.pictures, copy.pictures
    if found is None:
        return {}
    pictures, index = found
    atoms = np.flatnonzero(index >= 0)
    if other is not None and other[0].shape[1:] == pictures.shape[1:]:
        there = other[1][atoms]
        same = (pictures[index[atoms]] == other[0][there]).all((1, 2, 3)) & (there >= 0)
        atoms = atoms[~same]
    return {int(atom): pictures[index[atom]] for atom in atoms}
