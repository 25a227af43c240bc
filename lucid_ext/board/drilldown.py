"""A trail: lists that answer one question after another, and a way back."""

import dataclasses
from collections.abc import Mapping, Sequence

from lucid_ext.board.panels.base import Panel


@dataclasses.dataclass(frozen=True, eq=False)
class Trail:
    """Lists with one question between them: what was picked last is asked about, and the others answer.

    The view shows them as columns side by side, remembers what was asked, and goes back and forth.

    Attributes:
        lists: names of lists of units, from left to right.
        start: the first question, a list and the number of its unit.
    """

    lists: Sequence[str]
    start: tuple[str, int]

    def steps(self, selected: Mapping[str, int]) -> list[tuple[str, int]]:
        """What was asked, the present question last: those of `selected` in its order, or the start."""
        return [step for step in selected.items() if step[0] in self.lists] or [self._first]

    def asking(self, selected: Mapping[str, int]) -> dict[str, int]:
        """A selection with only the present question left of all that was asked."""
        rest = {name: atom for name, atom in selected.items() if name not in self.lists}
        return {**rest, **dict(self.steps(selected)[-1:])}

    def answering(self, name: str, selected: Mapping[str, int]) -> tuple[list[tuple[str, int]], int | None]:
        """Whom a list answers.

        The list that holds the question itself goes on answering the one before it, so that what was
        picked stays where it was; where there is none, it answers itself.

        Returns:
            Questions it could answer, of which the first that it can is to be taken; and the unit that
            must be among its rows, or None.
        """
        steps = self.steps(selected)
        asked, atom = steps[-1]
        questions = [step for step in [*reversed(steps), self._first] if step[0] != name]
        return (questions, None) if asked != name else ([*questions, (name, atom)], atom)

    def validate(self, panels: Sequence[Panel]) -> None:
        """Refuse a trail of what are no lists, or that starts nowhere."""
        lists = {panel.name: len(panel) for panel in panels if panel.lists}
        for name in self.lists:
            if name not in lists:
                raise ValueError(f"the trail names {name!r}; the lists are {', '.join(lists)}.")
        start, atom = self.start
        if start not in self.lists or not 0 <= atom < lists[start]:
            raise ValueError(f"the trail starts at {start!r} {atom}, which is no unit of its lists.")

    @property
    def _first(self) -> tuple[str, int]:
        name, atom = self.start  # of a board that was loaded it is a list
        return name, atom
