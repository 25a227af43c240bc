"""Channel attribution: which channels speak for one class and which for another, layer by layer."""

import copy
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from lucid_ext.attribution import find_class
from lucid_ext.attribution.passes import check_order
from lucid_ext.board import Board, Grid, Heat, Link, Ranking, Units, literal
from lucid_ext.board.drilldown import Trail
from lucid_ext.interfaces.parts.channel_evidence import SIDE, Strongest, channels_kept, ends, truth
from lucid_ext.interfaces.parts.channels import shipped_icons
from lucid_ext.interfaces.parts.methods import menu_label, offered, warning
from lucid_ext.live.interface import Interface
from lucid_ext.live.streaming import Arrived, arrivals, missing_icons, unless
from lucid_ext.models import VisionModel
from lucid_ext.optvis import IconStore, stream_units

LISTED = 32  # channels of each layer
ADDED, ADDS = "added to {}", "added by {}"
PROBABLE = ("most probable", "next probable")  # classes that change with the picture

READING = (
    "Each column answers the question at the top: channels that add to it above, blue and +, channels that "
    "take from it below, brown and \u2212. Pick one to ask about it in turn; point at one to see where it "
    "speaks for either class, whatever was asked."
)
FORMULA = (
    r"s_{c \to A-B} = \sum_{y,x} a_{y,x,c} \frac{\partial\, (\text{logit}_A - \text{logit}_B)}"
    r"{\partial a_{y,x,c}} \qquad s_{c \to d} = \sum_{y,x} a_{y,x,c} \frac{\partial \sum_{Y,X} b_{Y,X,d}}"
    r"{\partial a_{y,x,c}}"
)


class ChannelAttribution(Interface):
    """Columns of channels: for one class and for another, and from a channel to those below and above."""

    streams_on_select = False  # icons are drawn for all that are listed

    def __init__(
        self,
        model: VisionModel,
        image: Any,
        layers: Sequence[str] | None = None,
        method: str = "gradient",
        *,
        classes: Sequence[Any] | None = None,
        methods: Sequence[str] | None = None,
        channels: int = LISTED,
        store: IconStore | None = None,
        seed: int = 0,
    ):
        """Look at a picture.

        Args:
            model: the network.
            image: anything `load_image` takes.
            layers: on one path, in the order of the network; by default the series the network's card
                opens with (`model.opening`).
            method: of attribution, to begin with.
            classes: the two to compare, by name or number; by default the two most probable ones.
            methods: those to choose from; by default all that answer for channels but the slow ones.
            channels: how many of each layer can be listed and asked about, those that add most to the
                difference; the cost of a board rises with it.
            store: where rendered icons are kept.
            seed: of methods that sample.

        Raises:
            ValueError: one sentence that says what does not fit.
        """
        self.layers = list(layers or model.opening.series)
        for earlier, later in itertools.pairwise([*self.layers, model.logits]):
            model.check_layer(earlier)
            check_order(model, earlier, later)
        shapes = [model.shape_of(layer, model.size) for layer in self.layers]
        self._grid = max((shape[:2] for shape in shapes if len(shape) == 3), default=(1, 1))
        self._store, self._seed, self._listed = store or IconStore(), seed, channels
        names = [n if model.labels.count(n) == 1 else f"{n} ({i})" for i, n in enumerate(model.labels)]
        self._classes = {name: i for i, name in enumerate(names)}
        chosen = list(PROBABLE)
        if classes is not None:
            if len(classes) != 2:
                raise ValueError(f"there are {len(classes)} classes to compare; expected two.")
            chosen = [names[find_class(model, name)] for name in classes]
        first, second = ([word, *names] for word in PROBABLE)
        options = {"method": offered(method, "channels", methods), "first": first, "second": second}
        choice = {"method": method, "first": chosen[0], "second": chosen[1]}
        _check_different(choice)
        self._beside: list[ChannelAttribution] = []  # whose strongest channels are listed too
        super().__init__(model, image, options, choice)

    def analyze(self, image: np.ndarray) -> None:
        """Keep the picture and its class probabilities."""
        self._seen, network = image, self.model
        names = list(dict.fromkeys([*self.layers, network.logits, network.softmax]))
        found = network.function("input", names)(network.prepare(image)[None])
        self._activations = dict(zip(names, found, strict=True))
        self._logits, self._odds = (
            self._activations[name].numpy()[0] for name in (network.logits, network.softmax)
        )
        self._strongest: dict[tuple[int, int], Strongest] = {}

    def choose(self, **choice: Any) -> None:
        """Change options, as the controls do: `choose(first="espresso", method="path")`."""
        _check_different({**self.choice, **choice})
        super().choose(**choice)

    def label(self, control: str, option: str) -> str:
        """See `Interface.label`; slow methods are marked."""
        return menu_label(option) if control == "method" else option

    def warning(self, choice: Mapping[str, str]) -> str:
        """See `Interface.warning`; said of slow methods."""
        return warning(choice["method"], "channels")

    def beside(self, others: Sequence[Interface]) -> list[Interface]:
        """Return copies that list the same channels, those that are strong in any of the pictures.

        They are asked about the same two classes, at first those of this one.
        """
        one, *rest = _listing_together([self, *others])
        name_of = {number: name for name, number in self._classes.items()}
        first, second = (name_of[number] for number in self._of_classes(self.choice).classes)
        one.session.choice = {**self.choice, "first": first, "second": second}
        return [one, *rest]

    def page_choices(
        self, choice: Mapping[str, str] | None = None, paired: bool = False
    ) -> list[dict[str, str]]:
        """Return every method, for the classes of a choice."""
        first = dict(choice or self.choice)
        others = [m for m in self.options["method"] if m != first["method"]]
        return [first, *({**first, "method": m} for m in others)]

    def make_board(self, choice: Mapping[str, str]) -> Board:
        """Attribute by the chosen method; icons that did not come with the network are left to `stream`."""
        method, found = choice["method"], self._of_classes(choice)
        a, b = (self.model.labels[k] for k in found.classes)
        names = [f"{a} \u2212 {b}", a, b]
        listed = self._listed_channels(choice)
        values = {n: found.evidence(n, method).values[kept] for n, kept in listed.items()}
        measured = {n: found.evidence(n, found.measuring).values[kept] for n, kept in listed.items()}
        scales = _largest(np.concatenate([*values.values(), *measured.values()]))
        of_a, of_b = self._logits[list(found.classes)]
        logits = np.array([[of_a - of_b, of_a, of_b]] * 3, np.float32)
        classes = Units("classes", "classes", names, shown=3, most=3, passing=True)
        effect = Units(
            "effect",
            "What it adds",
            [f"{name}, {what}" for name in ("difference", a, b) for what in (method, "measured")],
            scale=float(scales.max()),
            shown=6,
            most=6,
            passing=True,
        )
        rows, cols = self._grid
        picture = Grid("image", "The picture", self.picture, rows, cols, start=None, note=self.note)
        full = np.full(3, np.abs(logits).max() or 1, np.float32)
        links: list[Link] = [Ranking("classes", "classes", *_all(logits), full, "their logits")]
        for layer, kept in listed.items():
            evidence = found.evidence(layer, method)
            said = truth(evidence.values, found.evidence(layer, found.measuring).values, evidence.gap)
            notes = [" ".join([one, *evidence.notes]) for one in said]
            own, removed = values[layer], measured[layer]
            links += [
                Ranking("classes", layer, *ends(own.T), scales, ADDED, notes),
                Ranking(layer, "classes", *_all(own), np.full(len(own), scales.max()), ADDS),
                Ranking(layer, "effect", *_all(np.stack([own, removed], -1).reshape(len(own), 6))),
                *self._light(layer, evidence.cells, kept, names[0]),
            ]
        return Board(
            title=f"Why {a} rather than {b}, channel by channel",
            reading=READING,
            panels=[picture, effect, *(self._column(n, listed[n], values[n]) for n in values), classes],
            links=[*links, *self._between_layers(found, method, listed)],
            formula=FORMULA,
            caption=self._captions(names, found, {layer: len(kept) for layer, kept in listed.items()}),
            choice=choice,
            trail=Trail([*self.layers, "classes"], ("classes", 0)),
        )

    def stream(
        self, board: Board, selected: Mapping[str, int], stop: Callable[[], bool], page: bool = False
    ) -> Iterator[Arrived]:
        """Icons of a network that comes without them: first of all, for a page only, what is listed first."""
        go_on = unless(stop)
        kept = self._listed_channels(board.choice)
        drawn = [layer for layer in reversed(self.layers) if self._has_icons(layer)]
        first = {layer: [unit for unit, _ in board.rows(layer, {})] for layer in drawn}
        every = {layer: list(range(len(board[layer]))) for layer in drawn}
        for wanted in (first,) if page else (first, every):
            for layer, units in wanted.items():
                lacking = missing_icons(self.board_of(board.choice)[layer], units)
                channels = [kept[layer][unit] for unit in lacking]
                found = stream_units(self.model, layer, channels, store=self._store, go_on=go_on)
                yield from arrivals(layer, lacking, found)

    def _of_classes(self, choice: Mapping[str, str]) -> Strongest:
        """What is known of the classes of a choice; those that are probable are found in the picture."""
        chosen = [self._classes.get(choice[which]) for which in ("first", "second")]
        probable = iter([k for k in np.argsort(-self._odds, kind="stable").tolist() if k not in chosen])
        first, second = (next(probable) if k is None else k for k in chosen)
        if (first, second) not in self._strongest:
            self._strongest[first, second] = Strongest(
                *(self.model, self._seen, self.layers, (first, second)),
                *(self.options["method"], self._listed, self._seed, self._activations),
            )
        return self._strongest[first, second]

    def _listed_channels(self, choice: Mapping[str, str]) -> dict[str, list[int]]:
        """{layer: channels} that can be listed for a choice."""
        return channels_kept([one._of_classes(choice) for one in (self, *self._beside)], choice["method"])

    def _channels(self, layer: str) -> int:
        return int(self._activations[layer].shape[-1])

    def _has_icons(self, layer: str) -> bool:
        return len(self.model.layers.get(layer, ())) == 3

    def _column(self, layer: str, kept: Sequence[int], values: np.ndarray) -> Units:
        """A layer's list of channels; its own values are what they add to the difference."""
        icons = shipped_icons(self.model, [layer]) if self._has_icons(layer) else {}
        if icons:
            icons["icon_of"], icons["notes"] = icons["icon_of"][kept], [icons["notes"][c] for c in kept]
        return Units(
            layer,
            layer,
            [f"{layer}:{c}" for c in kept],
            values=values[:, 0],
            scale=float(_largest(values[:, :1])[0]),
            shown=min(2 * SIDE, len(kept)),
            most=min(2 * SIDE, len(kept)),
            illustrated=self._has_icons(layer),
            passing=True,
            **icons,
        )

    def _light(
        self, layer: str, cells: np.ndarray | None, kept: Sequence[int], difference: str
    ) -> list[Link]:
        """Where channels speak: what they add place by place or, where a method does not say, activations."""
        law = f"what it adds to {difference}"
        if cells is None:
            cells, law = self._activations[layer].numpy()[0], "its activation"
        if cells.ndim != 3:
            return []
        own, fine = (Grid("", "", self.picture, *shape) for shape in (cells.shape[:2], self._grid))
        place = [fine.place(atom, own) for atom in range(len(fine))]
        weights = cells.reshape(len(own), -1)[:, kept][place].T
        return [Heat(layer, "image", np.ascontiguousarray(weights), law=law)]

    def _between_layers(
        self, found: Strongest, method: str, listed: Mapping[str, Sequence[int]]
    ) -> list[Link]:
        """What channels add to channels, for all pairs of layers, from either side."""
        pairs = {two: found.between(*two, method, listed) for two in itertools.combinations(self.layers, 2)}
        links: list[Link] = []
        for layer in self.layers:
            below = {low: m for (low, high), m in pairs.items() if high == layer}
            above = {high: m.turned for (low, high), m in pairs.items() if low == layer}
            for others, law in ((below, ADDED), (above, ADDS)):
                scales = _largest(np.concatenate([m.values for m in others.values()])) if others else None
                for other, m in others.items():
                    notes = truth(m.values, m.measured, m.gap)
                    if m.listed is not None:
                        strongest = min(2 * SIDE, self._channels(other))
                        notes = [
                            f"{note} Of its {strongest} strongest in all of {other}, {there} are listed."
                            for note, there in zip(notes, m.listed, strict=True)
                        ]
                    links.append(Ranking(layer, other, *ends(m.values.T), scales, law, notes))
        return links

    def _captions(self, names: Sequence[str], found: Strongest, listed: Mapping[str, int]) -> list[str]:
        """A sentence for the classes, and one for the channels of each layer, of which so many are listed."""
        names = [literal(name) for name in names]
        odds = [f"{name} {self._odds[k]:.1%}" for name, k in zip(names[1:], found.classes, strict=True)]
        last = self.layers[-1]
        sentences = [
            f"The network says {' and '.join(odds)}. Of {last}, {{{last}.1}} adds most to {{classes}} "
            f"({{{last}.1.value}})."
        ]
        for below, layer, above in zip(
            [None, *self.layers], self.layers, [*self.layers[1:], None], strict=False
        ):
            said = (
                f"{{{layer}}} adds {{effect.1.value}} to {names[0]}: {{effect.3.value}} to {names[1]} and "
                f"{{effect.5.value}} to {names[2]}. Without it {{effect.2.value}} of the difference is lost."
            )
            if below:
                said += f" Of the {listed[below]} listed of {below}, {{{below}.1}} adds most to it "
                said += f"({{{below}.1.value}})."
            if above:
                said += f" Of the {listed[above]} of {above}, it adds most to {{{above}.1}} "
                said += f"({{{above}.1.value}})."
            sentences.append(said)
        return sentences


def _listing_together(interfaces: Sequence[Any]) -> list["ChannelAttribution"]:
    """Return copies, with boards of their own, that list the same channels if they are of one network."""
    copies = [copy.copy(one) for one in interfaces]
    for one in copies:
        same = [o for o in copies if o.model.digest == one.model.digest and o.layers == one.layers]
        one._beside = [other for other in same if other is not one]
    return copies


def _all(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All units in their own order for each row of values (rows, units)."""
    rows, units = values.shape
    return np.tile(np.arange(units, dtype=np.int32), (rows, 1)), values


def _largest(values: np.ndarray) -> np.ndarray:
    """The largest magnitude of each column, for full bars: above zero."""
    most = np.abs(values).max(0, initial=0)
    return np.where(most > 0, most, 1).astype(np.float32)


def _check_different(choice: Mapping[str, Any]) -> None:
    if choice["first"] == choice["second"]:
        raise ValueError(f"{choice['first']} cannot be compared with itself: give two classes.")
