"""A flow, drawn as a Sankey diagram: nodes in columns, and signed links from each column to the next."""

import dataclasses
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from lucid_ext.board.numbers import rounded
from lucid_ext.board.panels.base import Panel, Pictures
from lucid_ext.board.wire import Wire
from lucid_ext.storage.fields import check_fields

CLEAR = 0.05
"""Of what reaches a node by size, how much must be left with its sign for shares of it to make sense."""

TOLD = 3  # nodes of the last column that a sentence speaks of


@dataclasses.dataclass(frozen=True, eq=False)
class Flow(Panel):
    """Columns of nodes, with a number and a measured one for each link between neighbouring columns.

    Its atoms are the nodes, column by column; its selection is a list of them. A path takes one node
    of each column, and of a column with selected nodes one of these; a node that nothing leads to is
    where paths begin. A path carries what its last link says, times the share that each earlier link
    has in all that reaches the node it leads to. So the paths into a node of the last column sum up
    to the links into it.

    Attributes:
        name: what links call it.
        title: the heading over it.
        columns: a heading per column.
        sizes: the number of nodes in each.
        labels: a name per node, for sentences.
        marks: what stands on each node: a number, a short name.
        notes: a line per node; empty where there is none.
        links: for each pair of neighbouring columns float32 (from, to), signed.
        measured: alike, what was measured of the same.
        laws: for each pair of columns, the unit of its numbers.
        straight: (nodes before the last column, last), what each says straight to the last column.
        straight_measured: the same, measured.
        ends: a sentence per node of the last column, on what the links into it add up to.
        places: for nodes that a heat link lights a grid with, whether the grid's picture is drawn small
            on them: (n,) bool.
        colours: "#rrggbb" of each node, by which nodes are told apart.
        most: the most nodes that a column of any variant has: the room that is kept.
        icons: uint8 (m, size, size, 3), pictures of some of the nodes.
        icon_of: (n,) which of `icons` is the node's, -1 for none.
        drafts: the same, pictures to show until there are icons.
        draft_of: (n,) which of them.
    """

    kind: ClassVar[str] = "flow"
    several: ClassVar[bool] = True

    name: str
    title: str
    columns: Sequence[str]
    sizes: Sequence[int]
    labels: Sequence[str]
    marks: Sequence[str]
    notes: Sequence[str]
    links: Sequence[np.ndarray]
    measured: Sequence[np.ndarray]
    laws: Sequence[str]
    straight: np.ndarray
    straight_measured: np.ndarray
    ends: Sequence[str]
    places: np.ndarray
    colours: Sequence[str]
    most: int
    icons: np.ndarray | None = None
    icon_of: np.ndarray | None = None
    drafts: np.ndarray | None = None
    draft_of: np.ndarray | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        n, last = len(self), self.sizes[-1]
        where = f"of flow {self.name!r}"
        for what in ("labels", "marks", "notes", "places", "colours"):
            if len(getattr(self, what)) != n:
                raise ValueError(f"{what} {where} are {len(getattr(self, what))}; expected {n}, a node each.")
        pairs = list(zip(self.sizes[:-1], self.sizes[1:], strict=True))
        if not pairs or len(self.columns) != len(self.sizes) or len(self.laws) != len(pairs):
            raise ValueError(f"columns, sizes and laws {where} do not fit; expected two columns or more.")
        for what, arrays in (("links", self.links), ("measured", self.measured)):
            if [a.shape for a in arrays] != pairs or not all(np.all(np.isfinite(a)) for a in arrays):
                raise ValueError(
                    f"{what} {where} have shapes {[a.shape for a in arrays]}; expected {pairs}, finite."
                )
        for what in ("straight", "straight_measured"):
            if getattr(self, what).shape != (n - last, last):
                found = getattr(self, what).shape
                raise ValueError(f"{what} {where} is {found}; expected {(n - last, last)}.")
        if len(self.ends) != last or self.most < max(self.sizes):
            raise ValueError(f"ends or most {where} are too few; expected {last} and {max(self.sizes)}.")
        for what, which in (("icons", "icon_of"), ("drafts", "draft_of")):
            pictures, index = getattr(self, what), getattr(self, which)
            if (pictures is None) != (index is None):
                raise ValueError(f"flow {self.name!r} needs {what} and {which} together.")
            if pictures is not None and (pictures.dtype != np.uint8 or index.shape != (n,)):
                raise ValueError(f"{what} {where} are not uint8 pictures with an index of {n}.")

    def __len__(self) -> int:
        """The number of nodes."""
        return sum(self.sizes)

    def label(self, nodes: Sequence[int]) -> str:
        """How a sentence calls several nodes."""
        names = [self.labels[node] for node in sorted(nodes)]
        return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)

    def carry(self, atom: Any, old: Any) -> list[int] | None:
        """Return the nodes of the same names."""
        if not isinstance(old, Flow):
            return None
        there = [old.labels[node] for node in atom]
        return [i for i, label in enumerate(self.labels) if label in there] or None

    @property
    def pictures(self) -> Pictures | None:
        """The icons."""
        return None if self.icons is None or self.icon_of is None else (self.icons, self.icon_of)

    @property
    def awaits_pictures(self) -> bool:
        """Its nodes have icons, sooner or later."""
        return True

    def with_pictures(self, images: np.ndarray, index: np.ndarray) -> "Flow":
        """Return the flow with other icons."""
        return dataclasses.replace(self, icons=images, icon_of=index)

    def spec(self, wire: Wire) -> dict[str, Any]:
        """Return what the browser needs."""
        drafts = None if self.drafts is None or self.draft_of is None else (self.drafts, self.draft_of)
        sent = wire.sprites(self, drafts)
        return {
            **wire.fields(self, without=("links", "icons", "icon_of", "drafts", "draft_of")),
            "flows": wire.value(self.links),
            "draft_sheet": sent["sheet"],
            "draft_of": sent["icon_of"],
            **wire.sprites(self, self.pictures),
        }

    def likeness(self) -> Any:
        """Refuse to stand in a pair."""
        raise ValueError(
            "a flow has no pair: its nodes are found in one picture alone. Make a board of each picture."
        )

    def adds_up(self, nodes: Sequence[int]) -> np.ndarray:
        """What the paths through nodes carry to each node of the last column: (last,)."""
        starts = np.concatenate([[0], np.cumsum(self.sizes)])
        carried: np.ndarray = np.ones(self.sizes[0])
        chosen = False
        for column, size in enumerate(self.sizes):
            own = [node - starts[column] for node in nodes if 0 <= node - starts[column] < size]
            allowed = np.isin(np.arange(size), own) if own else np.ones(size, bool)
            if column == 0:
                carried = carried * allowed
            elif column < len(self.sizes) - 1:
                into = self.links[column - 1].astype(float)
                total, whole = into.sum(0), np.abs(into).sum(0)
                led = (np.abs(total) > CLEAR * whole) & (whole > 0)
                share = (carried @ into) / np.where(led, total, 1)
                carried = np.where(led, share, 0.0 if chosen else 1.0) * allowed
            else:
                return (carried @ self.links[-1].astype(float)) * allowed
            chosen |= bool(own)
        raise AssertionError("a flow has two columns or more")

    def tell(self, nodes: Sequence[int]) -> str:
        """A sentence on the selected nodes: what the paths through them add up to."""
        nodes = sorted(nodes)
        last, first = self.sizes[-1], len(self) - self.sizes[-1]
        ends = [node - first for node in nodes if node >= first]
        inner = [node for node in nodes if node < first]
        if not inner:
            return " ".join(self.ends[end] for end in ends)
        sums = self.adds_up(nodes)
        shown = sorted(ends or range(last), key=lambda end: -abs(sums[end]))[:TOLD]
        parts = []
        for end in shown:
            text = f"{_signed(sums[end])} on {self.labels[first + end]}"
            if len(inner) == 1:
                # Of the last layer before the end, the paths are the links.
                near = inner[0] >= first - self.sizes[-2]
                straight = "" if near else f"straight to it {_signed(self.straight[inner[0], end])}, "
                text += f" ({straight}measured {_signed(self.straight_measured[inner[0], end])})"
            parts.append(text)
        said = f"The paths through {self.label(inner)} add up to {_listed(parts)}."
        link = self._link(nodes)
        if link and ends:
            return link  # there is no other path
        return f"{link} {said}" if link else said

    def _link(self, nodes: Sequence[int]) -> str | None:
        """A sentence on the one link between two selected nodes, if that is what they are."""
        starts = np.concatenate([[0], np.cumsum(self.sizes)])
        if len(nodes) != 2:
            return None
        first, second = (int(np.searchsorted(starts, node, side="right")) - 1 for node in nodes)
        if second != first + 1:
            return None
        at = nodes[0] - starts[first], nodes[1] - starts[second]
        return (
            f"From {self.labels[nodes[0]]} to {self.labels[nodes[1]]}: attribution "
            f"{_signed(self.links[first][at])}, measured {_signed(self.measured[first][at])}."
        )


def _listed(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _signed(value: float) -> str:
    return ("+" if value > 0 else "") + rounded(value)
