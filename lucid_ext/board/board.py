"""The grammar of interfaces: panels show atoms, links say what selecting one does to another.

A `Board` is plain arrays and strings. It knows nothing of networks or browsers; one view draws any
of them, and is imported when a board is shown or written as a page.
"""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from lucid_ext.board import reading
from lucid_ext.board.captions import check_slots
from lucid_ext.board.drilldown import Trail
from lucid_ext.board.links import LINKS, Link
from lucid_ext.board.panels import PANELS, Panel
from lucid_ext.board.panels.base import Rows
from lucid_ext.board.reading import Selection
from lucid_ext.storage.fields import check_fields
from lucid_ext.storage.files import write_file

MAX_BYTES = 256_000_000  # of memory, for the arrays of a saved board

Kind = TypeVar("Kind", bound=Panel)
LinkKind = TypeVar("LinkKind", bound=Link)


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
        _check_kinds("panel", self.panels, Panel, PANELS)
        _check_kinds("link", self.links, Link, LINKS)
        for part in (self, *self.links, *([self.trail] if self.trail else [])):
            check_fields(part)
        names = [panel.name for panel in self.panels]
        if len(set(names)) != len(names):
            raise ValueError(f"two panels share a name: {', '.join(names)}.")
        for link in self.links:
            for end in (link.source, link.target):
                if end not in names:
                    raise ValueError(f"a link names panel {end!r}; the panels are {', '.join(names)}.")
            source, target = self[link.source], self[link.target]
            if source.several and not link.from_several:
                kind = type(source).__name__.lower()
                raise ValueError(
                    f"{link.where} starts at a {kind}, of which several nodes may be selected: use a Heat."
                )
            link.validate(source, target)
        if self.trail:
            self.trail.validate(self.panels)
        for sentence in self.captions:
            check_slots(sentence, self.panels)
        for panel in self.panels:
            panel.validate(self)

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

    def panel(self, name: str, kind: type[Kind]) -> Kind:
        """Return the panel of this name, which must be of a kind, as `board.panel("units", Units)`."""
        found = self[name]
        if not isinstance(found, kind):
            raise TypeError(f"panel {name!r} is a {type(found).__name__}; expected a {kind.__name__}.")
        return found

    def link(self, source: str, target: str, kind: type[LinkKind] = Link) -> LinkKind:  # type: ignore[assignment]
        """Return the link from one panel to another, which must be of a kind if one is given."""
        for link in self.links:
            if (link.source, link.target) == (source, target) and isinstance(link, kind):
                return link
        raise KeyError(f"no link from {source!r} to {target!r}.")

    def rows(
        self,
        name: str,
        selected: Selection,
        count: int | None = None,
        levels: Mapping[str, Mapping[int, float]] | None = None,
    ) -> Rows:
        """What a list shows, [(unit, value)], when `selected` atoms {panel: atom} are.

        The first selected panel with a ranking for the list decides. A grid without one speaks for the
        same place of a grid of its scene that has one; without any, the list's own values decide.
        Of a trail, what was selected last decides; see `Trail.answering`. `count` is how many rows, by
        default as many as the list shows at first; `levels` is how dials stand, {list: {unit: level}}.
        """
        return reading.rows_of(self, name, selected, count, levels)

    def rename(self, name: str, atom: int, label: str) -> "Board":
        """The board with another name for a unit of a list, and of those named after it."""
        panels = [panel.renamed(name, atom, label) for panel in self.panels]
        return dataclasses.replace(self, panels=panels)

    def describe(self, selected: Selection) -> str:
        """The caption for selected atoms {panel: atom}; empty where it speaks of none of them."""
        return reading.caption_of(self, selected)

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
            panel.check_selected(atom)

    def carry(self, selected: Selection, before: "Board") -> dict[str, Any]:
        """What was selected on another board, on this one.

        Cells become those at the same place, units and nodes those of the same name; what has no such
        counterpart is dropped.
        """
        carried: dict[str, Any] = {}
        for name, atom in selected.items():  # in the order it was selected in
            panel, old = (next((p for p in b.panels if p.name == name), None) for b in (self, before))
            found = None if panel is None or old is None else panel.carry(atom, old)
            if found is not None:
                carried[name] = found
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


def _check_kinds(what: str, parts: Any, base: type, kinds: Mapping[str, type]) -> None:
    """Refuse a board whose panels or links are something else."""
    names = " or ".join(kinds)
    if not isinstance(parts, Sequence) or isinstance(parts, str):
        raise ValueError(f"the {what}s of a board are a {type(parts).__name__}; expected a list of {names}.")
    for i, part in enumerate(parts):
        if not isinstance(part, base):
            raise ValueError(f"{what} {i} of the board is a {type(part).__name__}; expected a {names}.")
