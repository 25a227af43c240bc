"""Spatial attribution: which places of one layer led to which of another, and to which classes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from lucid_ext.attribution import METHODS, Attribution, agree, attribute, between, find_class, from_layers
from lucid_ext.board import Board, Grid, Heat, Link, Ranking, Units, literal
from lucid_ext.interfaces.parts.cells import first_layer
from lucid_ext.interfaces.parts.methods import agreement, menu_label, offered, warning
from lucid_ext.interfaces.parts.tint import factors, tinted, tinted_photograph
from lucid_ext.live.interface import Interface
from lucid_ext.live.streaming import Arrived, unless
from lucid_ext.models import VisionModel
from lucid_ext.optvis import IconStore
from lucid_ext.optvis.grids import stream_tiles

AT_ONCE = 256  # cells whose effects are measured before the board is shown; those of finer layers follow
CLASSES = 50  # the most probable ones, whose evidence is computed
SCALES = ("each cell", "pair of layers")  # what a fully clear cell is

READING = (
    "Pick a cell in any layer: the others show what led to it, or what it led to; clear cells matter, blue "
    "and + for, brown and \u2212 against. Point at a class to see where its evidence is."
)
FORMULA = (
    r"s_{y,x \to Y,X} = \sum_c a_{y,x,c} \frac{\partial \lVert b_{Y,X} \rVert}{\partial a_{y,x,c}}"
    r"\qquad s_{y,x \to k} = \sum_c a_{y,x,c} \frac{\partial\, \text{logit}_k}{\partial a_{y,x,c}}"
)


class SpatialAttribution(Interface):
    """Layers side by side: per cell what led to it, what it led to, and the classes it speaks for."""

    streams_on_select = False  # tiles are drawn for all cells

    def __init__(
        self,
        model: VisionModel,
        image: Any,
        layers: Sequence[str] | None = None,
        method: str = "gradient",
        *,
        methods: Sequence[str] | None = None,
        target: Any = None,
        tinted_by: str = "smooth_maxpool",
        tiles: bool = True,
        store: IconStore | None = None,
        seed: int = 0,
    ):
        """Look at a picture.

        Args:
            model: the network.
            image: anything `load_image` takes.
            layers: with positions, on one path; by default the series the network's card opens with
                (`model.opening`).
            method: of attribution, to begin with.
            methods: those to choose from; by default all that answer for cells but the slow ones.
            target: the class, by name or number, whose predicted and measured effects are compared; by
                default the most probable one. A pair of pictures needs the same.
            tinted_by: the method whose evidence for classes the tint shows; by default that of the
                article's figures.
            tiles: draw what each cell sees under its tint, as `ActivationGrid` does; they stream in,
                drafts first. A page takes what is there, and drafts of what is not. Where there is no
                tile, a cell is a part of the photograph.
            store: where tiles are kept.
            seed: of tiles, of methods that sample, and of the tint.
        """
        self.layers = sorted(dict.fromkeys(layers or model.opening.series), key=_place_in(model))
        self.first = first_layer(model, self.layers)
        self.target = None if target is None else find_class(model, target)
        METHODS.named(tinted_by).check_atoms("cells")
        self._tinted_by, self._measuring = tinted_by, METHODS.measuring("cells")
        self._asked = set(methods or ())
        self._tiled = tiles
        self._store, self._seed = store or IconStore(), seed
        options = {"method": offered(method, "cells", methods), "scale": list(SCALES)}
        super().__init__(model, image, options, {"method": method, "scale": SCALES[0]})

    def analyze(self, image: np.ndarray) -> None:
        """Find the classes to speak of, the tint of every cell, and the measured effects."""
        self._seen = image
        self._acts = self.model.activations(image, [*self.layers, self.model.softmax], uncapped=True)
        odds = self._acts[self.model.softmax]
        chosen = np.argsort(-odds, kind="stable")[:CLASSES].tolist()
        self._explained = chosen[0] if self.target is None else self.target
        self._classes = chosen if self._explained in chosen else [*chosen, self._explained]
        self._found: dict[tuple[str, str], Any] = {}
        evidence = {layer: self._to_classes(layer, self._tinted_by).values for layer in self.layers}
        labels = [self.model.labels[k] for k in self._classes]
        self._tints, self._legend = factors(evidence, labels, self._seed)
        self._tiles: dict[str, dict[int, np.ndarray]] = {layer: {} for layer in self.layers}
        self._final: dict[str, set[int]] = {layer: set() for layer in self.layers}

    def page_choices(
        self, choice: Mapping[str, str] | None = None, paired: bool = False
    ) -> list[dict[str, str]]:
        """Return the methods asked for, or else the fast ones and those looked at, by one scale.

        A page of both scales would be twice as large, and one of all methods takes minutes. A pair, which
        is larger, has those asked for, or else those looked at.
        """
        fast = {name for name in self.options["method"] if METHODS.named(name).cost == "fast"}
        first = dict(choice or self.choice)
        opened = {first["method"]} if paired else fast
        wanted = (self._asked or opened) | {name for kind, name in self._found if kind == "cells"}
        return [
            other
            for other in super().page_choices(first)
            if other["scale"] == first["scale"] and other["method"] in wanted
        ]

    def label(self, control: str, option: str) -> str:
        """See `Interface.label`; slow methods are marked."""
        return menu_label(option) if control == "method" else option

    def warning(self, choice: Mapping[str, str]) -> str:
        """See `Interface.warning`; said of slow methods."""
        return warning(choice["method"], "cells")

    def make_board(self, choice: Mapping[str, str]) -> Board:
        """Attribute by the chosen method; tiles are left to `stream`."""
        method, labels = choice["method"], self.model.labels
        rows, cols, _ = self._acts[self.first].shape
        note = " ".join(part for part in (self.note, self._legend) if part)
        grids = [Grid("image", "The picture", self.picture, rows, cols, start=None, note=note)]
        grids += [self._grid(layer, method) for layer in self.layers]
        rankings, scales, lights = self._class_links(method)
        name = labels[self._explained]
        classes = Units(
            "classes", "The cell speaks for and against", labels, scale=scales[0], shown=8, most=20
        )
        effect = Units(
            "effect",
            f"Its effect on {name}",
            [f"predicted by {method}", "measured by removing it"],
            scale=scales[1],
            shown=2,
            most=2,
            passing=self.target is None,
        )
        odds = self._acts[self.model.softmax]
        prediction = Units("prediction", "Prediction", labels, values=odds, format="percent")
        explained = literal(name)
        said = "evidence for and against it comes from the clear cells, + for and \u2212 against."
        return Board(
            title="Where it was seen, and what came of it",
            reading=READING,
            panels=[*grids, classes, effect, prediction],
            links=[*rankings, *self._cell_links(method, choice["scale"] == SCALES[0]), *lights],
            formula=FORMULA,
            caption=[
                *(f"{{{units}}}: {said}" for units in ("prediction", "classes")),
                *(
                    f"The cell at {{{layer}}} of {layer if layer != 'image' else 'the picture'} weighs most "
                    "on {classes.1} ({classes.1.value}) and {classes.2} ({classes.2.value}). Without it "
                    f"{explained} would lose {{effect.2.value}}; {method} predicts {{effect.1.value}}."
                    for layer in [*self.layers, "image"]
                ),
                *(
                    f"The cell at {{{layer}}} of {layer} weighs most on {{classes.1}} ({{classes.1.value}}) "
                    f"and {{classes.2}} ({{classes.2.value}}). {method} predicts that {explained} would lose "
                    "{effect.1.value} without it."
                    for layer in self.layers
                    if self._measured(layer) is None
                ),
            ],
            choice=choice,
        )

    def stream(
        self, board: Board, selected: Mapping[str, int], stop: Callable[[], bool], page: bool = False
    ) -> Iterator[Arrived]:
        """The effects of the cells of fine layers, measured; then tiles under their tint.

        Of these, those that are there, then drafts, then, but for a page, better ones.
        """
        go_on = unless(stop)
        yield from self._tiles_there()
        for layer in self.layers:
            if go_on() and self._measured(layer) is None:
                cells = int(np.prod(self._acts[layer].shape[:2]))
                self.set_status(f"Measuring what each of {cells} cells of {layer} does, by removing it.")
                self._measure(layer)
        if self._unmeasured(board):
            self.invalidate(board.choice)
            yield from self._tiles_there()
        coarse_first = self.layers[::-1] if self._tiled else []
        for layer in coarse_first:
            yield from self._drawn(layer, True, go_on)
        for layer in coarse_first if not page else ():
            yield from self._drawn(layer, False, go_on)

    def _tiles_there(self) -> Iterator[Arrived]:
        for layer in reversed(self.layers):
            if self._tiles[layer]:
                yield layer, dict(self._tiles[layer])

    def _unmeasured(self, board: Board) -> bool:
        """Whether effects that have been measured since are missing on a board."""
        return any(
            board.link(layer, "effect", Ranking).atoms.shape[1] == 1
            for layer in self.layers
            if self._measured(layer) is not None
        )

    def _drawn(self, layer: str, draft: bool, go_on: Callable[[], bool]) -> Iterator[Arrived]:
        acts, tints = self._acts[layer], self._tints[layer].reshape(-1, 4)
        alive = set(np.flatnonzero(acts.reshape(-1, acts.shape[-1]).any(1)).tolist())
        there, final = self._tiles[layer], self._final[layer]
        if alive <= (set(there) if draft else final):
            return
        for cells, tiles in stream_tiles(
            self.model, layer, acts, store=self._store, seed=self._seed, go_on=go_on, draft=draft
        ):
            pictures = tinted(np.stack(list(tiles)), tints[list(cells)])
            fresh = {c: p for c, p in zip(cells, pictures, strict=True) if not (draft and c in final)}
            there.update(fresh)
            final.update(() if draft else cells)
            if fresh:
                yield layer, fresh

    def _grid(self, layer: str, method: str) -> Grid:
        rows, cols, channels = self._acts[layer].shape
        norms = np.linalg.norm(self._acts[layer].reshape(-1, channels), axis=1)
        return Grid(
            layer,
            layer,
            tinted_photograph(self.picture, self._tints[layer]),
            rows,
            cols,
            start=self._start() if layer == self.first else None,
            tiled=self._tiled,
            dead=norms == 0,
            note=self._truth(layer, method),
        )

    def _start(self) -> int:
        """The cell that speaks most for the class."""
        return int(self._effect(self.first, self._tinted_by).argmax())

    def _truth(self, layer: str, method: str) -> str:
        """How far to believe what is said of a layer's effect on the class."""
        column = self._classes.index(self._explained)
        found, name = self._to_classes(layer, method), self.model.labels[self._explained]
        gap, measured = f"gap {float(found.gap[column]):.0%}", self._measured(layer)
        if measured is None:
            return (
                f"{method} to {name}: {gap}; its {found.values[..., 0].size} cells are still being measured."
            )
        alike = agree(found.values[..., column], measured)
        return f"{method} to {name}, against measured: {gap}, {agreement(alike.spearman, alike.signs)}."

    def _class_links(self, method: str) -> tuple[list[Link], tuple[float, float], list[Link]]:
        """What cells say of classes, the scales of the two lists, and where evidence for classes is."""
        rankings: list[Link] = []
        lights: list[Link] = []
        most = np.zeros(2)
        classes = np.array(self._classes, np.int32)
        for layer in self.layers:
            values = self._to_classes(layer, method).values.reshape(-1, len(classes))
            known = [self._effect(layer, method), self._measured(layer)]
            effects = np.stack([effect.ravel() for effect in known if effect is not None], 1)
            most = np.maximum(most, [np.abs(values).max(initial=0), np.abs(effects).max(initial=0)])
            order = np.argsort(-np.abs(values), axis=1, kind="stable")
            ranked = Ranking(layer, "classes", classes[order], np.take_along_axis(values, order, axis=1))
            pair = np.tile(np.arange(effects.shape[1], dtype=np.int32), (len(values), 1))
            # The picture itself speaks for the first layer.
            at = 0 if layer == self.first else len(rankings)
            rankings[at:at] = [ranked, Ranking(layer, "effect", pair, effects)]
            weights = np.zeros((len(self.model.labels), len(values)), np.float32)
            weights[classes] = values.T
            law = "evidence for the class"
            lights += [
                Heat(units, layer, weights, law=law, of=self._classes) for units in ("classes", "prediction")
            ]
        scales = [float(m) or 1.0 for m in most]
        return rankings, (scales[0], scales[1]), lights

    def _cell_links(self, method: str, own_scale: bool) -> list[Link]:
        """Of all pairs of layers, what cells did to cells: from either side."""
        links: list[Link] = []
        for (source, target), found in self._pairs(method).items():
            h, w, height, width = found.values.shape
            weights = found.values.reshape(h * w, height * width)
            scale = None if own_scale else float(np.abs(weights).max()) or 1.0
            links.append(Heat(source, target, weights, scale, "its influence on these"))
            links.append(Heat(target, source, weights.T, scale, "their influence on it"))
        return links

    # What the network answers, each asked for once.

    def _pairs(self, method: str) -> dict[tuple[str, str], Attribution]:
        options = METHODS.named(method).quick
        ask = lambda: between(self.model, self._seen, self.layers, method, self._seed, **options)  # noqa: E731
        return self._once(("cells", method), ask)

    def _to_classes(self, layer: str, method: str) -> Attribution:
        """Cells to classes: values (h, w, classes)."""
        facts = METHODS.named(method)
        options = facts.quick
        if facts.kind == "measurement":  # what is measured of one layer says nothing of the others
            ask = lambda: attribute(  # noqa: E731
                self.model, self._seen, layer, self._classes, method, seed=self._seed, **options
            )
            return self._once((layer, method), ask)
        ask_all = lambda: from_layers(  # noqa: E731
            self.model, self._seen, self.layers, self._classes, method, self._seed, **options
        )
        return self._once(("classes", method), ask_all)[layer]

    def _effect(self, layer: str, method: str) -> np.ndarray:
        """What a method says of the explained class: (h * w,)."""
        column = self._classes.index(self._explained)
        return self._to_classes(layer, method).values[..., column].ravel()

    def _measured(self, layer: str) -> np.ndarray | None:
        """What the explained class loses without each cell: (h, w); None where it is still to be measured."""
        if (layer, self._measuring) not in self._found and np.prod(self._acts[layer].shape[:2]) > AT_ONCE:
            return None
        return self._measure(layer)

    def _measure(self, layer: str) -> np.ndarray:
        return self._to_classes(layer, self._measuring).values[..., self._classes.index(self._explained)]

    def _once(self, key: tuple[str, str], ask: Callable[[], Any]) -> Any:
        if key not in self._found:
            self._found[key] = ask()
        return self._found[key]


def _place_in(model: VisionModel) -> Callable[[str], int]:
    """Where a layer stands in a network; refuses one that has no positions."""
    order = list(model.layers)

    def place(name: str) -> int:
        model.check_spatial(name)
        return order.index(name)

    return place
