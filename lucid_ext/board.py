"""The grammar of interfaces: panels show atoms, links say what selecting one does to another.

A `Board` is plain arrays and strings. It knows nothing of networks or browsers; one view draws any
of them.
"""

import dataclasses
import errno
import io
import json
import numbers
import os
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lucid_ext.fields import check_fields
from lucid_ext.files import write_file
from lucid_ext.flow import Flow
from lucid_ext.numerals import rounded
from lucid_ext.panels import Cards, Fact, Grid, Mark, Panel, Units
from lucid_ext.trail import Trail

FORMAT = 1  # of saved boards
MAX_BYTES = 256_000_000  # of memory, for the arrays of a saved board
TEXT_SHARE = 1 / 16  # of these, for its JSON, which takes many times its size
Selection = Mapping[str, Any]
"""{panel: atom}; of a flow, a list of nodes."""

SLOT = r"\{(?P<panel>\w+)(?:\.(?P<row>[1-9]\d*)(?P<what>\.value)?)?\}"  # in a caption


@dataclasses.dataclass(frozen=True, eq=False)
class Heat:
    """Selecting an atom of `source` lights up the cells of `target`.

    Attributes:
        source: name of a panel.
        target: name of a grid.
        weights: (atoms of source, atoms of target). Where any is negative, cells are marked with their
            sign too.
        scale: the weight at which a cell is fully clear, one for all atoms of the source or (n,) one
            for each; None for the largest of the selected atom.
        law: what the weights are.
        of: the atoms of the source that say anything of the target, None for all: the others, of which
            nothing is known here, light nothing.
    """

    source: str
    target: str
    weights: np.ndarray
    scale: float | np.ndarray | None = None
    law: str = ""
    of: Sequence[int] | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class Ranking:
    """Selecting an atom of `source` fills the list `target` anew, in the order given.

    It may rank more units than the list shows: a comparison of two boards needs them all.

    Attributes:
        source: name of a panel.
        target: name of a list of units.
        atoms: (atoms of source, k) int32, which units.
        values: (atoms of source, k) float32, their values.
        scales: (atoms of source,) float32, the value at which a bar is full; None for that of the list.
        law: what the values are; {} stands for the name of the source's atom.
        notes: a remark per atom of the source, shown under the list; empty where there is none.
    """

    source: str
    target: str
    atoms: np.ndarray
    values: np.ndarray
    scales: np.ndarray | None = None
    law: str = ""
    notes: Sequence[str] = ()


@dataclasses.dataclass(frozen=True, eq=False)
class Mixture:
    """Where a unit of `source` has no icon, it is shown as a blend of icons of `target`.

    Attributes:
        source: name of a list of units.
        target: name of a list of units with icons.
        atoms: (atoms of source, k) int32, whose icons.
        weights: (atoms of source, k) float32, how much of each; not negative.
    """

    source: str
    target: str
    atoms: np.ndarray
    weights: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class Dials:
    """Turning a unit of `source` up or down changes the values of the list `target`.

    The table holds what one unit alone does. Where several are turned at once, the view asks whoever
    answers behind it; where nobody does, as in a page, turning one lets the others go back.

    Attributes:
        source: name of a list of units; each has a dial.
        target: name of a list of units with values of its own.
        levels: (m,) float32, rising: where a dial can stand. At 1 all are as the list has them.
        values: (units of source, m, units of target) float32, with that unit alone at that level.
        title: the heading over the dials.
    """

    source: str
    target: str
    levels: np.ndarray
    values: np.ndarray
    title: str

    def at(self, levels: Mapping[int, float]) -> np.ndarray | None:
        """The target's values for dials {unit: level}; None while all stand at 1.

        Raises:
            ValueError: several are turned, or one stands where no level is.
        """
        turned = {unit: level for unit, level in levels.items() if level != 1}
        if not turned:
            return None
        (unit, level), *more = turned.items()
        where = np.flatnonzero(np.isclose(self.levels, level))
        if more or not len(where):
            raise ValueError(
                f"the dials of {self.source!r} stand at {dict(levels)}; the board has one at a time, at "
                f"{', '.join(f'{level:g}' for level in self.levels)}."
            )
        return self.values[unit, where[0]]


Link = Heat | Ranking | Mixture | Dials


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
            only of what is selected.
        choice: where this board stands among its variants, {control: option}.
        variants: boards for other options of the same controls.
        trail: lists that answer one question after another, if there are such.
    """

    title: str
    reading: str
    panels: Sequence[Panel]
    links: Sequence[Link] = ()
    formula: str = ""
    caption: str | Sequence[str] = ""
    choice: Mapping[str, str] = dataclasses.field(default_factory=dict)
    variants: Sequence["Board"] = ()
    trail: Trail | None = None

    def __post_init__(self) -> None:
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
            self._check(link)
        if self.trail:
            self._check_trail(self.trail)
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

    def save(self, path: str | os.PathLike) -> None:
        """Write the board as one `.npz`: JSON for its structure, its arrays beside it.

        Raises:
            ValueError: it cannot be written; what was there before stays.
        """
        arrays: dict[str, np.ndarray] = {}
        text = json.dumps({"format": FORMAT, "board": _to_json(self, arrays)})
        data = io.BytesIO()
        np.savez_compressed(data, **arrays, board=np.frombuffer(text.encode(), np.uint8))  # type: ignore[arg-type]
        write_file(path, data.getvalue())

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
        if not Path(path).exists():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), os.fspath(path))
        try:
            if not Path(path).is_file():
                raise ValueError("it is no file")
            with zipfile.ZipFile(path) as archive:
                claimed = {info.filename: info.file_size for info in archive.infolist()}
            needed = max(sum(claimed.values()), claimed["board.npy"] / TEXT_SHARE)
            if needed <= max_bytes:
                return _read(path)
        except Exception as error:  # zip, zlib, JSON and NumPy each have their own
            raise ValueError(
                f"{os.fspath(path)} is not a saved board or is damaged: save it again."
            ) from error
        raise ValueError(
            f"{os.fspath(path)} would take {needed / 1e6:,.0f} MB of memory; expected at most "
            f"{max_bytes / 1e6:,.0f}: if you know where it comes from, give load a larger max_bytes."
        )

    def _check(self, link: Link) -> None:
        """Refuse a link whose arrays do not fit its panels."""
        source, target = self[link.source], self[link.target]
        where = f"the link from {link.source!r} to {link.target!r}"
        if isinstance(source, Flow) and not isinstance(link, Heat):
            raise ValueError(f"{where} starts at a flow, of which several nodes may be selected: use a Heat.")
        if isinstance(link, Mixture) and not np.all(link.weights >= 0):
            raise ValueError(f"{where} has weights that are negative or not numbers.")
        if isinstance(link, Heat) and not np.all(np.isfinite(link.weights)):
            raise ValueError(f"{where} has weights that are not finite numbers.")
        scale = link.scale if isinstance(link, Heat) and link.scale is not None else 1.0
        if np.shape(scale) not in ((), (len(source),)) or not np.all(np.asarray(scale) > 0):
            raise ValueError(f"{where} has scale {scale}; expected one above 0, or one for each, or None.")
        if isinstance(link, Heat):
            expected = (len(source), len(target))
            if link.of is not None and not all(0 <= atom < len(source) for atom in link.of):
                raise ValueError(f"{where} is of atoms beyond the {len(source)} of {link.source!r}.")
            if not isinstance(target, Grid) or link.weights.shape != expected:
                raise ValueError(f"{where} has weights {link.weights.shape}; expected {expected} and a grid.")
            return
        if isinstance(link, Dials):
            own = (len(source), len(link.levels), len(target))
            if not isinstance(source, Units) or not isinstance(target, Units) or target.values is None:
                raise ValueError(f"{where} needs a list of units, and one with values of its own.")
            if link.values.shape != own or not np.all(np.diff(link.levels) > 0) or 1 not in link.levels:
                raise ValueError(
                    f"{where} has values {link.values.shape}; expected {own}, for rising levels with 1."
                )
            return
        if not isinstance(target, Units):
            raise ValueError(f"{where} needs a list of units to lead to.")
        numbers = link.values if isinstance(link, Ranking) else link.weights
        if link.atoms.shape != numbers.shape or link.atoms.shape[0] != len(source):
            raise ValueError(
                f"{where} has {link.atoms.shape} atoms; expected ({len(source)}, k), as its numbers."
            )
        if isinstance(link, Ranking):
            for what, given in (("scales", link.scales), ("notes", link.notes or None)):
                if given is not None and len(given) != len(source):
                    raise ValueError(f"{where} has {len(given)} {what}; expected {len(source)}.")
            if link.scales is not None and not np.all(link.scales > 0):
                raise ValueError(f"{where} has scales that are not above 0.")
        if link.atoms.size and not 0 <= link.atoms.min() <= link.atoms.max() < len(target):
            raise ValueError(f"{where} names atoms outside 0..{len(target) - 1}.")

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


_KINDS = (Board, Grid, Mark, Units, Cards, Fact, Flow, Heat, Ranking, Mixture, Dials, Trail)
KINDS = {kind.__name__: kind for kind in _KINDS}


def _read(path: str | os.PathLike) -> Board:
    """Read a saved board that is known to be of a size that can be read."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    document = json.loads(arrays.pop("board").tobytes())
    if document["format"] != FORMAT:
        raise ValueError(f"format {document['format']}")
    board = _from_json(document["board"], arrays)
    if not isinstance(board, Board):
        raise ValueError(f"a {type(board).__name__}")
    return board


def _to_json(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(value, np.ndarray):
        name = f"array{len(arrays)}"
        arrays[name] = value
        return {"array": name}
    if type(value).__name__ in KINDS:
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return {"kind": type(value).__name__, "fields": {k: _to_json(v, arrays) for k, v in fields.items()}}
    if isinstance(value, Mapping):
        return {"mapping": [[k, _to_json(v, arrays)] for k, v in value.items()]}
    if isinstance(value, list | tuple):
        return [_to_json(v, arrays) for v in value]
    return value.item() if isinstance(value, np.generic) else value


def _from_json(value: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    if isinstance(value, list):
        return [_from_json(v, arrays) for v in value]
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return arrays[value["array"]]
    if "mapping" in value:
        return {k: _from_json(v, arrays) for k, v in value["mapping"]}
    return KINDS[value["kind"]](**{k: _from_json(v, arrays) for k, v in value["fields"].items()})
