"""The grammar of interfaces: panels show atoms, links say what selecting one does to another.

A `Board` is plain arrays and strings. It knows nothing of networks or browsers; one view draws any
of them, and is imported when a board is shown or written as a page.
"""

import dataclasses
import numbers
import os
import re
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lucid_ext.board.captions import SLOT, check_slots
from lucid_ext.board.drilldown import Trail
from lucid_ext.board.links import Dials, Link, Ranking, check_link
from lucid_ext.board.numbers import rounded
from lucid_ext.board.panels import Cards, Grid, Panel, Units
from lucid_ext.board.panels.flow import Flow
from lucid_ext.storage.fields import check_fields
from lucid_ext.storage.files import write_file

MAX_BYTES = 256_000_000  # of memory, for the arrays of a saved board
Selection = Mapping[str, Any]
"""{panel: atom}; of a flow, a list of nodes."""


@dataclasses.dataclass(frozen=True, eq=False)
class Board:
    """An interface as data.

    Attributes:
        title: what it is.
        reading: one sentence on how to read it.
        panels: what is shown, in reading order.
        links: what lights up what.
        formula: what the numbers are, in TeX.
        caption: a sentence about the selection. `{panel}` stands for the selected atom,
            `{panel.1}` for the first row of a list and `{panel.1.value}` for its value; `{panel}` of a
            flow for what it tells of its selected nodes. Of several sentences, the first that speaks
            only of what is selected. Names that come from elsewhere, as those of classes, belong in
            `literal`, since they may have braces.
        choice: where this board stands among those for other options, {control: option}.
        trail: lists that answer one question after another, if there are such.
    """

    title: str
    reading: str
    panels: Sequence[Panel]
    links: Sequence[Link] = ()
    formula: str = ""
    caption: str | Sequence[str] = ""
    choice: Mapping[str, str] = dataclasses.field(default_factory=dict)
    trail: Trail | None = None

    def __post_init__(self) -> None:
        _check_kinds("panel", self.panels, Panel)
        _check_kinds("link", self.links, Link)
        marks = [mark for panel in self.panels if isinstance(panel, Grid) for mark in panel.marks]
        facts = [fact for panel in self.panels if isinstance(panel, Cards) for fact in panel.facts]
        for part in (self, *self.links, *marks, *facts, *([self.trail] if self.trail else [])):
            check_fields(part)
        names = [panel.name for panel in self.panels]
        if len(set(names)) != len(names):
            raise ValueError(f"two panels share a name: {', '.join(names)}.")
        for link in self.links:
            for end in (link.source, link.target):
                if end not in names:
                    raise ValueError(f"a link names panel {end!r}; the panels are {', '.join(names)}.")
            check_link(link, self[link.source], self[link.target])
        if self.trail:
            self._check_trail(self.trail)
        for sentence in self.captions:
            check_slots(sentence, self.panels)
        for panel in self.panels:
            after = panel.named_after if isinstance(panel, Units) else ""
            if after and (after not in names or len(self[after]) != len(panel)):
                raise ValueError(f"panel {panel.name!r} is named after {after!r}, which has no such units.")
            if isinstance(panel, Cards) and panel.strip and panel.strip not in names:
                raise ValueError(f"cards {panel.name!r} have pictures of {panel.strip!r}, which is no panel.")

    def __getitem__(self, name: str) -> Panel:
        """The panel of this name."""
        for panel in self.panels:
            if panel.name == name:
                return panel
        raise KeyError(f"no panel {name!r}; the panels are {', '.join(p.name for p in self.panels)}.")

    @property
    def captions(self) -> list[str]:
        """The sentences of `caption`."""
        return [self.caption] if isinstance(self.caption, str) else list(self.caption)

    def link(self, source: str, target: str) -> Link:
        """The link from one panel to another."""
        for link in self.links:
            if (link.source, link.target) == (source, target):
                return link
        raise KeyError(f"no link from {source!r} to {target!r}.")

    def rows(
        self,
        name: str,
        selected: Selection,
        count: int | None = None,
        levels: Mapping[str, Mapping[int, float]] | None = None,
    ) -> list[tuple[int, float]]:
        """What a list shows, [(unit, value)], when `selected` atoms {panel: atom} are.

        The first selected panel with a ranking for the list decides. A grid without one speaks for the
        same place of a grid of its scene that has one; without any, the list's own values decide.
        Of a trail, what was selected last decides; see `Trail.answering`. `count` is how many rows, by
        default as many as the list shows at first; `levels` is how dials stand, {list: {unit: level}}.
        """
        panel = self[name]
        if not isinstance(panel, Units):
            raise KeyError(f"panel {name!r} is no list of units.")
        count = panel.shown if count is None else count
        if self.trail and name in self.trail.lists:
            return self._answer(self.trail, panel, selected, count)
        found = self._ranking(name, self.trail.asking(selected) if self.trail else selected)
        if found is not None:
            return _ranked_rows(*found, count)
        for dials in self.links:
            if isinstance(dials, Dials) and dials.target == name and dials.source in (levels or {}):
                turned = dials.at((levels or {})[dials.source])
                panel = panel if turned is None else dataclasses.replace(panel, values=turned)
        return _own_rows(panel, count)

    def rename(self, name: str, atom: int, label: str) -> "Board":
        """The board with another name for a unit of a list, and of those named after it."""
        panels = []
        for panel in self.panels:
            if isinstance(panel, Units) and name in (panel.name, panel.named_after):
                labels = list(panel.labels)
                labels[atom] = label
                panel = dataclasses.replace(panel, labels=labels)
            panels.append(panel)
        return dataclasses.replace(self, panels=panels)

    def _answer(
        self, trail: Trail, panel: Units, selected: Mapping[str, int], count: int
    ) -> list[tuple[int, float]]:
        """What a list of a trail shows.

        The unit asked about is always among it: where no answer names it, in the last row, with the
        list's own value.
        """
        questions, asked = trail.answering(panel.name, selected)
        links = {m.source: m for m in self.links if isinstance(m, Ranking) and m.target == panel.name}
        answers = [_ranked_rows(links[name], atom, count) for name, atom in questions if name in links]
        for rows in answers:
            if asked is None or asked in dict(rows):
                return rows
        rows = answers[-1] if answers else _own_rows(panel, count)
        if asked is not None and panel.values is not None and asked not in dict(rows):
            rows[-1:] = [(asked, float(panel.values[asked]))]
        return rows

    def _ranking(self, name: str, selected: Selection) -> tuple[Ranking, int] | None:
        """The ranking that fills a list, and the atom of its source that decides."""
        rankings = [link for link in self.links if isinstance(link, Ranking) and link.target == name]
        for link in rankings:
            if link.source in selected:
                return link, selected[link.source]
        for link in rankings:
            source = self[link.source]
            if not isinstance(source, Grid):
                continue
            for panel in self.panels:
                if isinstance(panel, Grid) and panel.name in selected and panel.scene == source.scene:
                    return link, panel.same_place(selected[panel.name], source)
        return None

    def describe(self, selected: Selection) -> str:
        """The caption for selected atoms {panel: atom}; empty where it speaks of none of them."""
        if self.trail:
            selected = self.trail.asking(selected)

        def fill(match: re.Match[str]) -> str:
            name, row, what = match["panel"], match["row"], match["what"]
            panel = self[name]
            if isinstance(panel, Flow):
                return panel.tell(selected[name])
            if row is None:
                return panel.label(selected[name])
            assert isinstance(panel, Units)
            atom, value = self.rows(name, selected, panel.most)[int(row) - 1]
            return format_value(value, panel.format) if what else panel.label(atom)

        for sentence in self.captions:
            try:
                return re.sub(SLOT, fill, sentence)
            except (KeyError, IndexError):
                continue
        return ""

    def check_selection(self, selected: Selection) -> None:
        """Refuse a selection of what is not on the board.

        Raises:
            ValueError: one sentence that names the panel and what can be selected in it.
        """
        for name, atom in selected.items():
            panel = next((p for p in self.panels if p.name == name), None)
            if panel is None:
                names = ", ".join(p.name for p in self.panels)
                raise ValueError(f"there is no panel {name!r} to select in; the panels are {names}.")
            several = isinstance(panel, Flow)
            atoms = atom if several and isinstance(atom, list | tuple) else [] if several else [atom]
            whole = [isinstance(one, numbers.Integral) and not isinstance(one, bool) for one in atoms]
            if not atoms or not all(whole) or not all(0 <= one < len(panel) for one in atoms):
                what = "a list of whole numbers" if several else "a whole number"
                cells = f" (row * {panel.cols} + column)" if isinstance(panel, Grid) else ""
                raise ValueError(
                    f"{atom!r} cannot be selected in panel {name!r}; expected {what} from 0 to "
                    f"{len(panel) - 1}{cells}."
                )

    def carry(self, selected: Selection, before: "Board") -> dict[str, Any]:
        """What was selected on another board, on this one.

        Cells become those at the same place, units and nodes those of the same name; what has no such
        counterpart is dropped.
        """
        carried: dict[str, Any] = {}
        for name, atom in selected.items():  # in the order it was selected in
            panel, old = (next((p for p in b.panels if p.name == name), None) for b in (self, before))
            if isinstance(panel, Flow) and isinstance(old, Flow):
                there = [old.labels[node] for node in atom]
                if nodes := [i for i, label in enumerate(panel.labels) if label in there]:
                    carried[panel.name] = nodes
                continue
            if panel is None or old is None or not 0 <= atom < len(old):
                continue
            if isinstance(panel, Grid) and isinstance(old, Grid):
                carried[panel.name] = old.same_place(atom, panel)
            elif isinstance(panel, Units) and isinstance(old, Units) and old.labels[atom] in panel.labels:
                carried[panel.name] = list(panel.labels).index(old.labels[atom])
        return carried

    def to_html(self, path: str | os.PathLike) -> Path:
        """Write one self-contained page that shows the board: no network, no kernel.

        Returns:
            The path written to.

        Raises:
            ValueError: it cannot be written; a page that was there before stays.
        """
        from lucid_ext.widgets import write_page

        return write_page([self], path)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """Draw the board where it is the last line of a cell."""
        from lucid_ext.widgets import BoardView, offline_bundle

        return offline_bundle(self, lambda: [self]) or BoardView(self, True)._repr_mimebundle_(**kwargs)

    def __repr__(self) -> str:
        """The title and the names of the panels."""
        return f"Board({self.title!r}: {', '.join(panel.name for panel in self.panels)})"

    def save(self, path: str | os.PathLike) -> None:
        """Write the board as one `.npz`: JSON for its structure, its arrays beside it.

        Raises:
            ValueError: it cannot be written; what was there before stays.
        """
        from lucid_ext.board.saved import encode

        write_file(path, encode(self))

    @staticmethod
    def load(path: str | os.PathLike, max_bytes: int = MAX_BYTES) -> "Board":
        """Read a board that `save` wrote.

        Args:
            path: of the file.
            max_bytes: of memory that what is in the file may take.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: the file is no board, is damaged, or would take more memory than it may.
        """
        from lucid_ext.board.saved import read

        return read(path, max_bytes)

    def _check_trail(self, trail: Trail) -> None:
        """Refuse a trail of what are no lists here, or that starts nowhere."""
        lists = {panel.name: len(panel) for panel in self.panels if isinstance(panel, Units)}
        for name in trail.lists:
            if name not in lists:
                raise ValueError(f"the trail names {name!r}; the lists are {', '.join(lists)}.")
        start, atom = trail.start
        if start not in trail.lists or not 0 <= atom < lists[start]:
            raise ValueError(f"the trail starts at {start!r} {atom}, which is no unit of its lists.")


def _ranked_rows(link: Ranking, atom: int, count: int) -> list[tuple[int, float]]:
    pairs = zip(link.atoms[atom][:count], link.values[atom][:count], strict=True)
    return [(int(a), float(v)) for a, v in pairs]


def _own_rows(panel: Units, count: int) -> list[tuple[int, float]]:
    if panel.values is None:
        return []
    order = np.argsort(-np.abs(panel.values), kind="stable")[:count]
    return [(int(a), float(panel.values[a])) for a in order]


def format_value(value: float, how: str) -> str:
    """A value as the view prints it."""
    return f"{rounded(100 * value, 1)}%" if how == "percent" else rounded(value)


def _check_kinds(what: str, parts: Any, kinds: Any) -> None:
    """Refuse a board whose panels or links are something else."""
    names = " or ".join(kind.__name__ for kind in typing.get_args(kinds))
    if not isinstance(parts, Sequence) or isinstance(parts, str):
        raise ValueError(f"the {what}s of a board are a {type(parts).__name__}; expected a list of {names}.")
    for i, part in enumerate(parts):
        if not isinstance(part, kinds):
            raise ValueError(f"{what} {i} of the board is a {type(part).__name__}; expected a {names}.")
