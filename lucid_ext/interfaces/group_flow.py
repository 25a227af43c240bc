"""The flow of groups: how those of one layer lead to those of the next, and to the answer."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from lucid_ext.attribution import find_class
from lucid_ext.attribution.chain import Chain, Influence
from lucid_ext.board import Board, Grid, Heat, Link, Ranking, Units, format_value, literal
from lucid_ext.board.panels.flow import Flow
from lucid_ext.groups import Groups
from lucid_ext.interfaces.parts.cells import first_cell
from lucid_ext.interfaces.parts.group_map import colour_of
from lucid_ext.live.interface import Interface
from lucid_ext.live.streaming import Arrived, arrivals, unless
from lucid_ext.models import VisionModel
from lucid_ext.optvis import IconStore, recipe_of, shipped_sheet, stream_directions

GROUPS = 6
COUNTS = (2, 4, 6, 8, 10)  # offered for every layer
CLASSES = 5
PAGE_BOARDS = 20  # an offline page carries no more variants
BLENDED = 8  # channels whose icons stand for a group's until it has its own
ALIGNED = "aligned"  # the control, and its options
SWITCH = ("off", "on")

PLAIN = "#808080"  # of nodes that are no groups

READING = (
    "Each column is a layer, each box a group of its neurons; the last column is the answer. A band is as "
    "wide as a group's influence: blue and + for what it leads to, striped brown and \u2212 against. Pick "
    "one box or several to follow the paths through them."
)
FORMULA = (
    r"A \approx \sum_i W_i \otimes H_i \qquad "
    r"s_j = \frac{\langle B, W_j \otimes H_j \rangle}{\lVert W_j \rVert \lVert H_j \rVert} \qquad "
    r"i \to j = \left\langle \frac{\partial s_j}{\partial A}, W_i \otimes H_i \right\rangle \qquad "
    r"j \to \text{class} = \left\langle \frac{\partial\, \text{logit}}{\partial B}, "
    r"W_j \otimes H_j \right\rangle"
)


class GroupFlow(Interface):
    """Groups of neurons in two layers or more, what flows between them, and which classes it reaches."""

    streams_on_select = False  # what is drawn does not depend on the selection

    def __init__(
        self,
        model: VisionModel,
        image: Any,
        layers: Sequence[str] | None = None,
        n_groups: int | Sequence[int] = GROUPS,
        *,
        aligned: bool = False,
        classes: Any = None,
        counts: Sequence[int] = COUNTS,
        store: IconStore | None = None,
        seed: int = 0,
    ):
        """Look at a picture.

        Args:
            model: the network.
            image: anything `load_image` takes.
            layers: with positions, from early to late; by default those between which groups flow by
                the network's card (`model.opening`).
            n_groups: how many groups to begin with: one number, or one for each layer.
            aligned: begin with earlier groups that keep apart what leads to different later ones; see
                `lucid_ext.attribution.alignment`.
            classes: the last column: a class, or several, by name or number; by default the five most
                probable ones.
            counts: the numbers of groups that the sliders offer.
            store: where icons of groups are kept.
            seed: of the factorizations and icons.

        Raises:
            ValueError: one sentence that says what does not fit.
        """
        self.layers = list(layers or model.opening.flow)
        for name in self.layers:
            model.check_spatial(name)
        if len(self.layers) < 2:
            raise ValueError(f"a flow needs two layers or more; {', '.join(self.layers)} is one.")
        begin = _numbers(n_groups, len(self.layers))
        several = classes if isinstance(classes, list | tuple) else [classes]
        if not several:
            raise ValueError("classes is empty; give a class or several, or None for the most probable.")
        self._wanted = None if classes is None else list(dict.fromkeys(find_class(model, c) for c in several))
        self._store, self._seed = store or IconStore(), seed
        most = [min(h * w, c) for h, w, c in (model.layers[name] for name in self.layers)]
        offered = [sorted({n, *(c for c in counts if 2 <= c <= m)}) for n, m in zip(begin, most, strict=True)]
        self._controls = [f"groups of {name}" for name in self.layers]
        self._begin = begin
        options = {**dict(zip(self._controls, offered, strict=True)), ALIGNED: SWITCH}
        choice = {**dict(zip(self._controls, begin, strict=True)), ALIGNED: SWITCH[aligned]}
        super().__init__(model, image, options, choice)

    def analyze(self, image: np.ndarray) -> None:
        """Run the network and find the groups to begin with."""
        found = self.model.activations(image, [self.model.softmax])[self.model.softmax]
        classes = (
            np.argsort(-found, kind="stable")[:CLASSES].tolist() if self._wanted is None else self._wanted
        )
        chain = Chain(self.model, image, self.layers, classes, self._seed)
        chain.groups(self._begin)
        self._chain, self._odds, self._classes = chain, found[classes], classes
        self._drawn: dict[tuple[str, ...], set[int]] = {}

    def page_choices(
        self, choice: Mapping[str, str] | None = None, paired: bool = False
    ) -> list[dict[str, str]]:
        """Return numbers of groups and their nearest, aligned and not, as far as there is room."""
        first = dict(choice or self.choice)
        around = 1
        while (around + 1) ** len(self.layers) * len(SWITCH) <= PAGE_BOARDS:
            around += 1
        near = [self._nearest(control, first[control], around) for control in self._controls]
        names = [*self._controls, ALIGNED]
        rest = [dict(zip(names, c, strict=True)) for c in itertools.product(*near, SWITCH)]
        return [first, *(other for other in rest if other != first)]

    def make_board(self, choice: Mapping[str, str]) -> Board:
        """Factorize and attribute; icons of groups are left to `stream`."""
        counts, aligned = self._counts(choice)
        groups = self._chain.groups(counts, aligned)
        flow = self._flow(groups, counts, aligned)
        fine = max(self._chain.acts, key=lambda acts: acts.shape[0] * acts.shape[1])
        norms = np.linalg.norm(fine, axis=-1)
        rows, cols = norms.shape
        image = Grid("image", "The picture", self.picture, rows, cols, first_cell(norms), note=self.note)
        maps = self._maps(groups, image)
        weights = np.zeros((len(flow), len(image)), np.float32)
        weights[flow.places] = np.concatenate(maps)
        units, ranking = self._in_the_cell(groups, image)
        listed = np.concatenate([own[:-1] for own in maps])
        links: list[Link] = [
            Heat("flow", "image", weights, law="where it is"),
            Heat("units", "image", listed, law="where it is"),
            ranking,
        ]
        return Board(
            title="How groups of neurons led to the answer",
            reading=READING,
            panels=[flow, image, units],
            links=links,
            formula=FORMULA,
            caption=["{flow}", literal(flow.ends[0])],
            choice=choice,
        )

    def stream(
        self, board: Board, selected: Mapping[str, int], stop: Callable[[], bool], page: bool = False
    ) -> Iterator[Arrived]:
        """The boards that the sliders' next steps lead to, then icons: sketches first, for those who look on.

        A page waits for sketches of its first numbers of groups, aligned and not, and takes of the
        others what the store has.
        """
        go_on = unless(stop)
        if page:
            first = {**board.choice, ALIGNED: ""} == {**self.choice, ALIGNED: ""}
            yield from self._icons(board, "sketch", go_on if first else lambda: False)
            return
        for choice in self._next(board.choice):
            if not go_on():
                return
            self.board_of(choice)
        for kind in ("sketch", "icon"):
            yield from self._icons(board, kind, go_on)

    def _icons(self, board: Board, kind: str, go_on: Callable[[], bool]) -> Iterator[Arrived]:
        """Icons of the groups' directions; what is there of a better kind stays."""
        drawn = self._drawn.setdefault((*board.choice.values(), kind), set())
        better = self._drawn.get((*board.choice.values(), "icon"), set())
        groups = self._chain.groups(*self._counts(board.choice))
        for layer, own, start in zip(self.layers, groups, _starts(groups), strict=True):
            lacking = [i for i in range(len(own.channels)) if start + i not in drawn | better]
            chosen, recipe = own.channels[lacking], recipe_of(self.model, layer, kind)
            nodes = [start + i for i in lacking]
            found = stream_directions(
                self.model, layer, chosen, recipe, self._seed, store=self._store, go_on=go_on
            )
            for name, ready in arrivals("flow", nodes, found):
                drawn.update(ready)
                yield name, ready

    # What the board is made of.

    def _flow(self, groups: Sequence[Groups], counts: Sequence[int], aligned: bool) -> Flow:
        between = self._chain.influence(counts, aligned)
        straight = self._chain.on_classes(counts, aligned)
        names = [self.model.labels[c] for c in self._classes]
        labels, marks, notes, colours, links, measured = [], [], [], [], [], []
        for i, (layer, own, influence) in enumerate(zip(self.layers, groups, between, strict=True)):
            k = len(own.channels)
            labels += [*(f"{layer} group {j}" for j in range(k)), f"the rest of {layer}"]
            marks += [*map(str, range(k)), "rest"]
            notes += [*[""] * k, f"{own.error:.0%} left out"]
            colours += [*(colour_of(j) for j in range(k)), PLAIN]
            # To what the groups of a later layer leave out, there is no score and no link.
            closed = np.zeros((k + 1, 0 if i == len(groups) - 1 else 1), np.float32)
            links.append(np.concatenate([influence.values, closed], 1))
            measured.append(np.concatenate([influence.measured, closed], 1))
        odds = [
            f"logit {format_value(float(v), 'number')}, {p:.1%}"
            for v, p in zip(self._chain.logits, self._odds, strict=True)
        ]
        places = np.arange(len(labels) + len(names)) < len(labels)
        most = max(int(n) for control in self._controls for n in self.options[control])
        drafts = self._blends(groups, len(places))
        return Flow(
            "flow",
            "",
            [*self.layers, "answer"],
            [*(len(own.channels) + 1 for own in groups), len(names)],
            [*labels, *names],
            [*marks, *names],
            [*notes, *odds],
            links,
            measured,
            [*["score"] * (len(groups) - 1), "logits"],
            np.concatenate([s.values for s in straight]),
            np.concatenate([s.measured for s in straight]),
            [self._end(k, between[-1]) for k in range(len(names))],
            places,
            [*colours, *[PLAIN] * len(names)],
            max(most + 1, len(names)),
            **drafts,
        )

    def _end(self, k: int, last: Influence) -> str:
        """What the links into a class add up to, beside its logit and what removing the layer does to it."""
        number = lambda value: format_value(float(value), "number")  # noqa: E731
        name, layer = self.model.labels[self._classes[k]], self.layers[-1]
        total, rest = last.values[:, k].sum(), last.values[-1, k]
        return (
            f"The links into {name} add up to {number(total)}, {number(rest)} of it from what the groups of "
            f"{layer} leave out. Its logit is {number(last.scores[k])}, and lower by "
            f"{number(last.change[k])} without all of {layer} (measured)."
        )

    def _maps(self, groups: Sequence[Groups], image: Grid) -> list[np.ndarray]:
        """Where each group is, and the rest, in the cells of the picture: (k + 1, cells) per layer."""
        found = []
        for own, acts in zip(groups, self._chain.acts, strict=True):
            rest = np.linalg.norm(acts - own.spatial @ own.channels, axis=-1, keepdims=True)
            both = np.concatenate([own.spatial, rest], -1).reshape(-1, len(own.channels) + 1)
            found.append(both[self._same_cells(acts, image)].T)
        return found

    def _same_cells(self, acts: np.ndarray, image: Grid) -> list[int]:
        """For every cell of the picture's grid, the cell of a layer at its place."""
        own = Grid("layer", "", self.picture, *acts.shape[:2])
        return [image.place(cell, own) for cell in range(len(image))]

    def _in_the_cell(self, groups: Sequence[Groups], image: Grid) -> tuple[Units, Ranking]:
        """A list of the groups by their share in a cell's vector, W_j / |a|, ranked for every cell."""
        labels, shares = [], []
        for layer, own, acts in zip(self.layers, groups, self._chain.acts, strict=True):
            labels += [f"{layer} group {j}" for j in range(len(own.channels))]
            lengths = np.linalg.norm(acts, axis=-1, keepdims=True)
            share = own.spatial / np.maximum(lengths, 1e-12)
            shares.append(share.reshape(-1, share.shape[-1])[self._same_cells(acts, image)])
        values = np.concatenate(shares, 1).astype(np.float32)
        order = np.argsort(-values, axis=1, kind="stable").astype(np.int32)
        shown = min(5, len(labels))
        units = Units(
            "units", "Groups in the cell", labels, format="percent", shown=shown, most=shown, passing=True
        )
        return units, Ranking("image", "units", order, np.take_along_axis(values, order, 1))

    def _blends(self, groups: Sequence[Groups], nodes: int) -> dict[str, Any]:
        """For each group a blend of its strongest channels' icons, where these come with the network."""
        pictures: list[np.ndarray] = []
        index = np.full(nodes, -1, np.int32)
        for layer, own, start in zip(self.layers, groups, _starts(groups), strict=True):
            sheet = shipped_sheet(self.model.digest, layer)
            if sheet is None:
                continue
            for j, direction in enumerate(own.channels):
                index[start + j] = len(pictures)
                top = np.argsort(-direction, kind="stable")[:BLENDED]
                # An average of many icons shows none of them: cubes let the strongest lead.
                weights = np.maximum(direction[top], 0) ** 3 + 1e-12
                blend = np.einsum("n,nhwc->hwc", weights / weights.sum(), sheet.icons[top].astype(np.float32))
                pictures.append(np.round(blend).astype(np.uint8))
        return {"drafts": np.stack(pictures), "draft_of": index} if pictures else {}

    # Choices.

    def _counts(self, choice: Mapping[str, str]) -> tuple[list[int], bool]:
        return [int(choice[control]) for control in self._controls], choice[ALIGNED] == SWITCH[1]

    def _nearest(self, control: str, option: str, count: int) -> list[str]:
        """The options nearest to one of them, in their own order."""
        options = self.options[control]
        at = options.index(option)
        near = sorted(range(len(options)), key=lambda i: (abs(i - at), i))[:count]
        return [options[i] for i in sorted(near)]

    def _next(self, choice: Mapping[str, str]) -> list[dict[str, str]]:
        """The choices one step of one control away."""
        found = []
        for control, options in self.options.items():
            at = options.index(choice[control])
            found += [{**choice, control: options[i]} for i in (at + 1, at - 1) if 0 <= i < len(options)]
        return found


def _numbers(n_groups: Any, layers: int) -> list[int]:
    """How many groups in each layer, from one number or several."""
    several = n_groups if isinstance(n_groups, list | tuple) else [n_groups] * layers
    if not all(isinstance(n, int | np.integer) for n in several):
        raise ValueError(f"n_groups is {n_groups!r}; expected a whole number, or one for each layer.")
    if len(several) != layers:
        raise ValueError(f"n_groups has {len(several)} numbers for {layers} layers: give one each, or one.")
    return [int(n) for n in several]


def _starts(groups: Sequence[Groups]) -> list[int]:
    """The number of the first node of each layer; each has one more for the rest."""
    sizes = [len(own.channels) + 1 for own in groups]
    return [sum(sizes[:i]) for i in range(len(sizes))]
