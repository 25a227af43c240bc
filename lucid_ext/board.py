"""The grammar of interfaces: panels show atoms, links say what selecting one does to another.

A `Board` is plain arrays and strings. It knows nothing of networks or browsers; one view draws any
of them.
"""

import dataclasses
import decimal
import io
import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lucid_ext.files import write_atomically
from lucid_ext.panels import Grid, Panel, Units

FORMAT = 1  # of saved boards
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
    """

    source: str
    target: str
    weights: np.ndarray
    scale: float | np.ndarray | None = None
    law: str = ""


@dataclasses.dataclass(frozen=True, eq=False)
class Ranking:
    """Selecting an atom of `source` fills the list `target` anew, in the order given.

    It may rank more units than the list shows: a comparison of two boards needs them all.

    Attributes:
        source: name of a panel.
        target: name of a list of units.
        atoms: (atoms of source, k) int32, which units.
        values: (atoms of source, k) float32, their values.
    """

    source: str
    target: str
    atoms: np.ndarray
    values: np.ndarray


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


Link = Heat | Ranking | Mixture


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
            `{panel.1}` for the first row of a list and `{panel.1.value}` for its value. Of several
            sentences, the first that speaks only of what is selected.
        choice: where this board stands among its variants, {control: option}.
        variants: boards for other options of the same controls.
    """

    title: str
    reading: str
    panels: Sequence[Panel]
    links: Sequence[Link] = ()
    formula: str = ""
    caption: str | Sequence[str] = ""
    choice: Mapping[str, str] = dataclasses.field(default_factory=dict)
    variants: Sequence["Board"] = ()

    def __post_init__(self) -> None:
        names = [panel.name for panel in self.panels]
        if len(set(names)) != len(names):
            raise ValueError(f"two panels share a name: {', '.join(names)}.")
        for link in self.links:
            for end in (link.source, link.target):
                if end not in names:
                    raise ValueError(f"a link names panel {end!r}; the panels are {', '.join(names)}.")
            self._check(link)

    def __getitem__(self, name: str) -> Panel:
        """The panel of this name."""
        for panel in self.panels:
            if panel.name == name:
                return panel
        raise KeyError(f"no panel {name!r}; the panels are {', '.join(p.name for p in self.panels)}.")

    def link(self, source: str, target: str) -> Link:
        """The link from one panel to another."""
        for link in self.links:
            if (link.source, link.target) == (source, target):
                return link
        raise KeyError(f"no link from {source!r} to {target!r}.")

    def rows(
        self, name: str, selected: Mapping[str, int], count: int | None = None
    ) -> list[tuple[int, float]]:
        """What a list shows, [(unit, value)], when `selected` atoms {panel: atom} are.

        The first selected panel with a ranking for the list decides. A grid without one speaks for the
        same place of a grid of its scene that has one; without any, the list's own values decide.
        `count` is how many rows, by default as many as the list shows at first.
        """
        panel = self[name]
        if not isinstance(panel, Units):
            raise KeyError(f"panel {name!r} is no list of units.")
        count = panel.shown if count is None else count
        found = self._ranking(name, selected)
        if found is not None:
            link, atom = found
            pairs = zip(link.atoms[atom][:count], link.values[atom][:count], strict=True)
            return [(int(a), float(v)) for a, v in pairs]
        if panel.values is None:
            return []
        order = np.argsort(-np.abs(panel.values), kind="stable")[:count]
        return [(int(a), float(panel.values[a])) for a in order]

    def _ranking(self, name: str, selected: Mapping[str, int]) -> tuple[Ranking, int] | None:
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

    def describe(self, selected: Mapping[str, int]) -> str:
        """The caption for selected atoms {panel: atom}; empty where it speaks of none of them."""

        def fill(match: re.Match[str]) -> str:
            name, row, what = match["panel"], match["row"], match["what"]
            panel = self[name]
            if row is None:
                return panel.label(selected[name])
            assert isinstance(panel, Units)
            atom, value = self.rows(name, selected, panel.most)[int(row) - 1]
            return format_value(value, panel.format) if what else panel.label(atom)

        for sentence in [self.caption] if isinstance(self.caption, str) else self.caption:
            try:
                return re.sub(SLOT, fill, sentence)
            except (KeyError, IndexError):
                continue
        return ""

    def carry(self, selected: Mapping[str, int], before: "Board") -> dict[str, int]:
        """What was selected on another board, on this one.

        Cells become those at the same place, units those of the same name; what has no such
        counterpart is dropped.
        """
        carried = {}
        for panel in self.panels:
            old = next((p for p in before.panels if p.name == panel.name), None)
            atom = selected.get(panel.name)
            if atom is None or old is None or not 0 <= atom < len(old):
                continue
            if isinstance(panel, Grid) and isinstance(old, Grid):
                carried[panel.name] = old.same_place(atom, panel)
            elif isinstance(panel, Units) and isinstance(old, Units) and old.labels[atom] in panel.labels:
                carried[panel.name] = list(panel.labels).index(old.labels[atom])
        return carried

    def save(self, path: str | os.PathLike) -> None:
        """Write the board as one `.npz`: JSON for its structure, its arrays beside it."""
        arrays: dict[str, np.ndarray] = {}
        text = json.dumps({"format": FORMAT, "board": _to_json(self, arrays)})
        data = io.BytesIO()
        np.savez_compressed(data, **arrays, board=np.frombuffer(text.encode(), np.uint8))  # type: ignore[arg-type]
        write_atomically(path, data.getvalue())

    @staticmethod
    def load(path: str | os.PathLike) -> "Board":
        """Read a board that `save` wrote.

        Raises:
            ValueError: where the file is no board, or is damaged.
        """
        try:
            with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                document = json.loads(arrays["board"].tobytes())
                if document["format"] != FORMAT:
                    raise ValueError(f"format {document['format']}")
                return _from_json(document["board"], arrays)
        except FileNotFoundError:
            raise
        except Exception as error:  # zip, zlib, JSON and NumPy each have their own
            raise ValueError(
                f"{os.fspath(path)} is not a saved board or is damaged: save it again."
            ) from error

    def _check(self, link: Link) -> None:
        """Refuse a link whose arrays do not fit its panels."""
        source, target = self[link.source], self[link.target]
        where = f"the link from {link.source!r} to {link.target!r}"
        if isinstance(link, Mixture) and not np.all(link.weights >= 0):
            raise ValueError(f"{where} has weights that are negative or not numbers.")
        if isinstance(link, Heat) and not np.all(np.isfinite(link.weights)):
            raise ValueError(f"{where} has weights that are not finite numbers.")
        scale = link.scale if isinstance(link, Heat) and link.scale is not None else 1.0
        if np.shape(scale) not in ((), (len(source),)) or not np.all(np.asarray(scale) > 0):
            raise ValueError(f"{where} has scale {scale}; expected one above 0, or one for each, or None.")
        if isinstance(link, Heat):
            expected = (len(source), len(target))
            if not isinstance(target, Grid) or link.weights.shape != expected:
                raise ValueError(f"{where} has weights {link.weights.shape}; expected {expected} and a grid.")
            return
        if not isinstance(target, Units):
            raise ValueError(f"{where} needs a list of units to lead to.")
        numbers = link.values if isinstance(link, Ranking) else link.weights
        if link.atoms.shape != numbers.shape or link.atoms.shape[0] != len(source):
            raise ValueError(
                f"{where} has {link.atoms.shape} atoms; expected ({len(source)}, k), as its numbers."
            )
        if link.atoms.size and not 0 <= link.atoms.min() <= link.atoms.max() < len(target):
            raise ValueError(f"{where} names atoms outside 0..{len(target) - 1}.")


def format_value(value: float, how: str) -> str:
    """A value as the view prints it."""
    # Halves round away from zero, as JavaScript's toFixed does.
    number, places = (100 * value, "0.1") if how == "percent" else (value, "0.01")
    text = str(decimal.Decimal(number).quantize(decimal.Decimal(places), decimal.ROUND_HALF_UP))
    return text.replace("-", "\u2212") + ("%" if how == "percent" else "")


KINDS = {kind.__name__: kind for kind in (Board, Grid, Units, Heat, Ranking, Mixture)}


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
