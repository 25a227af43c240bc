"""Links, what selecting an atom of one panel does to another."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from lucid_ext.board.panels import Grid, Panel, Units
from lucid_ext.board.panels.flow import Flow


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


def check_link(link: Link, source: Panel, target: Panel) -> None:
    """Refuse a link whose arrays do not fit its panels.

    Raises:
        ValueError: one sentence that says what was expected.
    """
    where = f"the link from {link.source!r} to {link.target!r}"
    if isinstance(source, Flow) and not isinstance(link, Heat):
        raise ValueError(f"{where} starts at a flow, of which several nodes may be selected: use a Heat.")
    if isinstance(link, Heat):
        _check_heat(link, where, source, target)
    elif isinstance(link, Dials):
        _check_dials(link, where, source, target)
    else:
        _check_atoms(link, where, source, target)


def _check_heat(link: Heat, where: str, source: Panel, target: Panel) -> None:
    if not isinstance(target, Grid):
        raise ValueError(f"{where} lights up cells, but {target.name!r} is {_kind(target)}: expected a Grid.")
    if not np.all(np.isfinite(link.weights)):
        raise ValueError(f"{where} has weights that are not finite numbers.")
    scale = 1.0 if link.scale is None else link.scale
    if np.shape(scale) not in ((), (len(source),)) or not np.all(np.asarray(scale) > 0):
        raise ValueError(f"{where} has scale {scale}; expected one above 0, or one for each, or None.")
    if link.of is not None and not all(0 <= atom < len(source) for atom in link.of):
        raise ValueError(f"{where} is of atoms beyond the {len(source)} of {link.source!r}.")
    expected = (len(source), len(target))
    if link.weights.shape != expected:
        raise ValueError(
            f"{where} has weights of shape {link.weights.shape}; expected {expected}, a row for each atom of "
            f"{link.source!r} and a column for each cell of {link.target!r}."
        )


def _check_dials(link: Dials, where: str, source: Panel, target: Panel) -> None:
    if not isinstance(source, Units) or not isinstance(target, Units) or target.values is None:
        raise ValueError(f"{where} needs a list of units, and one with values of its own.")
    if link.levels.ndim != 1 or not np.all(np.diff(link.levels) > 0) or 1 not in link.levels:
        raise ValueError(f"{where} has levels {link.levels}; expected rising levels with 1 among them.")
    expected = (len(source), len(link.levels), len(target))
    if link.values.shape != expected:
        raise ValueError(
            f"{where} has values of shape {link.values.shape}; expected {expected}: units of "
            f"{link.source!r}, levels, units of {link.target!r}."
        )


def _check_atoms(link: Ranking | Mixture, where: str, source: Panel, target: Panel) -> None:
    if not isinstance(target, Units):
        raise ValueError(f"{where} needs a list of units to lead to, but {target.name!r} is {_kind(target)}.")
    what, numbers = ("values", link.values) if isinstance(link, Ranking) else ("weights", link.weights)
    if link.atoms.ndim != 2 or link.atoms.shape != numbers.shape or len(link.atoms) != len(source):
        raise ValueError(
            f"{where} has atoms of shape {link.atoms.shape} and {what} of shape {numbers.shape}; expected "
            f"({len(source)}, k) of both, a row for each atom of {link.source!r}."
        )
    if isinstance(link, Ranking):
        for name, given in (("scales", link.scales), ("notes", link.notes or None)):
            if given is not None and len(given) != len(source):
                raise ValueError(f"{where} has {len(given)} {name}; expected {len(source)}.")
        if link.scales is not None and not np.all(link.scales > 0):
            raise ValueError(f"{where} has scales that are not above 0.")
    elif not np.all(link.weights >= 0):
        raise ValueError(f"{where} has weights that are negative or not numbers.")
    if link.atoms.size and not 0 <= link.atoms.min() <= link.atoms.max() < len(target):
        raise ValueError(f"{where} names atoms outside 0..{len(target) - 1}.")


def _kind(panel: Panel) -> str:
    """How a sentence calls a panel's kind."""
    return f"a {type(panel).__name__}"
