"""The semantic dictionary: for every place of a picture, the features the network saw there."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from lucid_ext.board import Board, Grid, Heat, Link, Mixture, Panel, Ranking, Units
from lucid_ext.groups import factorize
from lucid_ext.interfaces.parts.cells import around, first_cell, named, places
from lucid_ext.interfaces.parts.channels import MOST, SHOWN, as_units, ranked, shipped_icons
from lucid_ext.interfaces.parts.patches import marked, pictures
from lucid_ext.live.interface import Interface
from lucid_ext.live.streaming import Arrived, arrivals, missing_icons, unless
from lucid_ext.models import Photographs, VisionModel
from lucid_ext.optvis import (
    BATCH,
    IconStore,
    Survey,
    recipe_of,
    stream_directions,
    stream_tiles,
    survey_photographs,
)

COMPONENTS = 6  # of the PCA and NMF bases
PATCHES = 3  # of photographs, for a channel
PAGE_LAYERS = 4  # layers an offline page carries
PAGE_ICONS = 48  # channels of each that are rendered for it, of a network that comes without icons

READING = (
    "Each square of the picture is one cell of the layer. Pick one: the list shows which features "
    "the network found there, each with the picture that excites it most, and how strongly."
)
BASES = {
    "channels": r"a_{y,x} = \sum_c a_{y,x,c}\, e_c",
    "PCA": r"a_{y,x} \approx \bar{a} + \sum_j s_{y,x,j}\, p_j",
    "NMF": r"a_{y,x} \approx \sum_j W_{y,x,j}\, H_j, \quad W, H \ge 0",
}
"""What a cell is written as a sum of, and how."""

ICON = (
    r"\qquad x^{*}_v = \underset{x}{\mathrm{argmax}}\; \mathbb{E}_t \langle f(t(x)), v \rangle"
    r", \quad x = \sigma(C\, F^{-1}(s\, z))"
)
CAPTION = (
    "The cell at {image} is mostly {units.1} ({units.1.value}) and {units.2} ({units.2.value}). "
    "For the whole picture the network says {classes.1} ({classes.1.value})."
)


class SemanticDictionary(Interface):
    """Cells of a picture, and for each its strongest channels, components or groups."""

    def __init__(
        self,
        model: VisionModel,
        image: Any,
        layer: str | None = None,
        *,
        basis: str = "channels",
        layers: Sequence[str] | None = None,
        images: Any = None,
        store: IconStore | None = None,
    ):
        """Look at a picture.

        Args:
            model: the network.
            image: anything `load_image` takes.
            layer: the layer to begin with; by default the one the network's card opens with
                (`model.opening`), or the last of those offered.
            basis: "channels", "PCA" or "NMF": what activations are written as a sum of.
            layers: the layers offered; by default those the network's card offers
                (`model.opening`).
            images: photographs to show beside the icons, as what excites a channel most: a folder,
                or a sequence of anything `load_image` takes; none by default. With them a channel's
                note compares its icon with these.
            store: where rendered icons are kept.
        """
        opening = model.opening
        layers = list(layers or opening.offered)
        for name in layers if layer is None else (layer, *layers):
            model.check_spatial(name)
        layer = layer or (opening.layer if opening.layer in layers else layers[-1])
        self._store = store or IconStore()
        self._surveys: dict[str, Survey] = {}
        if images is not None:
            photographs = images if isinstance(images, Photographs) else Photographs(images)
            self._surveys = survey_photographs(model, layers, photographs)
        options = {"layer": layers, "basis": list(BASES)}
        super().__init__(model, image, options, {"layer": layer, "basis": basis})

    def analyze(self, image: np.ndarray) -> None:
        """Keep the activations of every layer offered, and the class probabilities."""
        self._acts = self.model.activations(
            image, [*self.options["layer"], self.model.softmax], uncapped=True
        )
        self._directions: dict[tuple[str, str], np.ndarray] = {}
        self._sketched: dict[tuple[str, ...], set[int]] = {}
        self._tiles: dict[str, dict[int, np.ndarray]] = {}
        self._final: dict[str, set[int]] = {}

    def make_board(self, choice: Mapping[str, str]) -> Board:
        """Rank the units of every cell; icons at hand are in, others are left to `stream`."""
        layer, basis = choice["layer"], choice["basis"]
        acts = self._acts[layer]
        rows, cols, channels = acts.shape
        cells = acts.reshape(-1, channels)
        values, self._directions[layer, basis], labels = _express(acts, layer, basis)
        norms = np.linalg.norm(cells, axis=1)
        most = min(MOST, values.shape[1])
        top, top_values = ranked(values)
        start, worth = first_cell(norms.reshape(rows, cols)), places(cells)
        image = Grid("image", "What the network saw", self.picture, rows, cols, start, worth, self.note)
        heading = {"channels": f"Channels of {layer}", "PCA": "Principal components", "NMF": "Neuron groups"}
        signed = bool(acts.min() < 0)  # a layer that does not end in a ReLU
        surveys = {} if signed else self._surveys
        units = Units(
            "units",
            heading[basis],
            labels,
            scale=float(values.max(initial=0)) or 1.0,
            shown=min(SHOWN, most),
            most=most,
            illustrated=True,
            passing=basis != "channels",
            **(shipped_icons(self.model, [layer], surveys) if basis == "channels" and not signed else {}),
        )
        lengths = [f"length of a[{y}, {x}]" for y in range(rows) for x in range(cols)]
        scale = float(norms.max()) or 1.0
        vector = Units(
            "vector",
            "The cell as a whole",
            lengths,
            scale=scale,
            shown=1,
            most=1,
            large=True,
            illustrated=True,
        )
        probabilities = self._acts[self.model.softmax]
        classes = Units("classes", "Prediction", self.model.labels, values=probabilities, format="percent")
        own = np.arange(len(cells), dtype=np.int32)[:, None]
        panels: list[Panel] = [image, units, vector, classes]
        links: list[Link] = []
        if surveys and basis == "channels":
            panels[2:2], links = self._photographs(layer, top[:, :most])
        # An average of ten icons shows none of them: cubes let the strongest lead.
        blend = (np.maximum(top_values[:, :most], 0) / units.scale) ** 3
        return Board(
            title=f"Semantic dictionary of {layer}",
            reading=READING,
            panels=panels,
            links=[
                *links,
                Ranking("image", "units", top, top_values),
                Ranking("image", "vector", own, norms[:, None]),
                Mixture("vector", "units", top[:, :most], blend),
                Heat("units", "image", np.maximum(values.T, 0)),
            ],
            formula=BASES[basis] + ICON,
            caption=CAPTION,
            choice=choice,
        )

    def stream(
        self, board: Board, selected: Mapping[str, int], stop: Callable[[], bool], page: bool = False
    ) -> Iterator[Arrived]:
        """Icons of the list first, the most listed ahead, then pictures of whole cells, as grids have them.

        Sketches come first, for those who look on, and are replaced. A page has no use for them, and
        leaves out the least listed: a network that comes without icons would keep it for hours. Of the
        layer it opens with it has a picture of every cell; of others those at hand.
        """
        go_on = unless(stop)
        layer, basis = board.choice["layer"], board.choice["basis"]
        image, units, vector = board.panel("image", Grid), board["units"], board["vector"]
        cells = self._acts[layer].reshape(len(vector), -1)
        first = around(selected["image"], image.rows, image.cols, BATCH) if "image" in selected else []
        alive = np.flatnonzero(cells.any(1)).tolist()
        begin = named(cells, image.start or 0)
        soon = [cell for cell in dict.fromkeys([*first, *begin]) if cells[cell].any()]
        whole = list(dict.fromkeys([*soon, *alive]))
        listed, directions = _by_listing(board), self._directions[layer, basis]
        if page:
            lacking = missing_icons(units, listed)[:PAGE_ICONS]
            yield from self._drawn(board, units, lacking, directions, "icon", go_on)
            waits = go_on if layer == self.choice["layer"] else lambda: False
            yield from self._whole(board, whole, False, waits)
            return
        yield from self._drawn(board, units, listed, directions, "sketch", go_on)
        yield from self._whole(board, soon, True, go_on)
        yield from self._drawn(board, units, listed, directions, "icon", go_on)
        yield from self._whole(board, whole, True, go_on)
        yield from self._whole(board, whole, False, go_on)

    def _drawn(
        self,
        board: Board,
        panel: Panel,
        wanted: Sequence[int],
        directions: np.ndarray,
        kind: str,
        go_on: Callable[[], bool],
    ) -> Iterator[Arrived]:
        """Icons of a list that are missing, or only sketched."""
        layer = board.choice["layer"]
        recipe = recipe_of(self.model, layer, kind)
        sketched = self._sketched.setdefault((*board.choice.values(), panel.name), set())
        missing = set(missing_icons(panel, wanted))
        if kind == "icon":
            missing |= sketched
        lacking = [unit for unit in wanted if unit in missing]
        chosen = directions[lacking]
        found = stream_directions(self.model, layer, chosen, recipe, store=self._store, go_on=go_on)
        for name, ready in arrivals(panel.name, lacking, found):
            if kind == "sketch":
                sketched.update(ready)
            else:
                sketched.difference_update(ready)
            yield name, ready

    def _whole(
        self, board: Board, wanted: Sequence[int], draft: bool, go_on: Callable[[], bool]
    ) -> Iterator[Arrived]:
        """Pictures of whole cells: those drawn for another basis first."""
        layer = board.choice["layer"]
        there, final = self._tiles.setdefault(layer, {}), self._final.setdefault(layer, set())
        known = {cell: there[cell] for cell in missing_icons(board["vector"], wanted) if cell in there}
        if known:
            yield "vector", known
        lacking = [cell for cell in wanted if cell not in (there if draft else final)]
        options: dict[str, Any] = {"store": self._store, "go_on": go_on, "draft": draft, "cells": lacking}
        for drawn, tiles in stream_tiles(self.model, layer, self._acts[layer], **options) if lacking else ():
            ready = dict(zip(drawn, tiles, strict=True))
            there.update(ready)
            final.update(() if draft else drawn)
            yield "vector", ready

    def page_choices(
        self, choice: Mapping[str, str] | None = None, paired: bool = False
    ) -> list[dict[str, str]]:
        """Return a choice, its other bases, and a few layers spread over the depth."""
        first = dict(choice or self.choice)
        layers = self.options["layer"]
        spread = np.linspace(0, len(layers) - 1, min(PAGE_LAYERS, len(layers))).round().astype(int)
        others = [layers[i] for i in spread if layers[i] != first["layer"]][: PAGE_LAYERS - 1]
        bases = [basis for basis in self.options["basis"] if basis != first["basis"]]
        return [
            first,
            *({**first, "basis": basis} for basis in bases),
            *({"layer": layer, "basis": "channels"} for layer in others),
        ]

    def _photographs(self, layer: str, top: np.ndarray) -> tuple[list[Panel], list[Link]]:
        """A list of the photographs that excite a channel most, for the channels that any cell lists.

        Until one is selected, the strongest of the selected cell stands there.
        """
        survey = self._surveys[layer]
        listed = np.unique(top)
        patches = survey.patches(listed.tolist(), PATCHES)
        count = len(patches[0])
        flat = [(unit, patch) for unit, row in zip(listed, patches, strict=True) for patch in row]
        labels = [f"{layer}:{unit} in {patch.photograph}" for unit, patch in flat]
        drives = np.array([patch.drive for _, patch in flat], np.float32)
        panel = Units(
            "photographs",
            f"In {survey.photographs.about}",
            labels,
            scale=float(survey.maxima[:, listed].max(initial=0)) or 1.0,
            shown=count,
            most=count,
            **pictures([marked(patch) for _, patch in flat]),
        )
        atoms = np.zeros((survey.maxima.shape[1], count), np.int32)
        atoms[listed] = np.arange(len(flat), dtype=np.int32).reshape(-1, count)
        values = np.zeros(atoms.shape, np.float32)
        values[listed] = drives.reshape(-1, count)
        first = top[:, 0]
        return [panel], [
            Ranking("units", "photographs", atoms, values),
            Ranking("image", "photographs", atoms[first], values[first]),
        ]


def _by_listing(board: Board) -> list[int]:
    """Units in the order readers meet them: those of the places to start, then the most listed ones."""
    image, units = board.panel("image", Grid), board.panel("units", Units)
    ranking = board.link("image", "units", Ranking)
    assert image.start is not None
    listed = ranking.atoms[:, : units.shown]
    counts = np.bincount(listed.ravel(), minlength=len(units))
    first = listed[[image.start, *image.places.values()]].ravel().tolist()
    return list(dict.fromkeys([*first, *np.argsort(-counts, kind="stable").tolist()]))


def _express(acts: np.ndarray, layer: str, basis: str) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Every cell as a sum: values (cells, units), the units' directions (units, c), their names."""
    rows, cols, channels = acts.shape
    if basis == "channels":
        return as_units(layer, acts)
    method = "nmf_both" if basis == "NMF" and acts.min() < 0 else basis.lower()
    groups = factorize(acts, min(COMPONENTS, rows * cols, channels), method)
    spatial = groups.spatial.reshape(rows * cols, -1)
    if basis == "NMF":
        return spatial, groups.channels, [f"group {i}" for i in range(spatial.shape[1])]
    # A component and its opposite are different things to see: two units, never negative.
    names = [f"component {i} {sign}" for sign in "+\u2212" for i in range(spatial.shape[1])]
    both = np.maximum(np.concatenate([spatial, -spatial], 1), 0)
    return both, np.concatenate([groups.channels, -groups.channels]), names
