"""Activation grids: for every place of the picture, in every layer, a picture of what is seen there."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from lucid_ext.board import Board, Grid, Heat, Units
from lucid_ext.interfaces.parts.cells import first_cell, first_layer
from lucid_ext.interfaces.parts.channels import as_units, channel_list, ranked
from lucid_ext.live.interface import Interface
from lucid_ext.live.streaming import Arrived, arrivals, missing_icons, unless
from lucid_ext.models import VisionModel
from lucid_ext.optvis import IconStore, recipe_of, stream_directions
from lucid_ext.optvis.caricature import caricature
from lucid_ext.optvis.grids import stream_tiles

CARICATURE = "caricature"  # the name of its panel, and of the control
OF = ("whole picture", "selected cell")  # what the caricature exaggerates
PIECE = 32  # pixels of a cell of it
PAGE_ICONS = 48  # channels rendered for a page, of a network that comes without icons

READING = (
    "Each small picture shows what the layer sees at that place: what would excite the cell most. "
    "Point anywhere, and a lens magnifies the same place in every layer; pick a cell for its channels, and "
    "point at one of them to see where else it fires."
)
FORMULA = (
    r"x^{*}_{y,x} = \underset{x}{\mathrm{argmax}}\; \langle f(x), a_{y,x} \rangle \cos^2(f(x), a_{y,x})"
    r"\qquad \text{sized: area} \propto \lVert a_{y,x} \rVert"
)


class ActivationGrid(Interface):
    """Layers side by side: per cell the picture of its activation vector, under one lens."""

    def __init__(
        self,
        model: VisionModel,
        image: Any,
        layers: Sequence[str] | None = None,
        *,
        caricature: bool = True,
        store: IconStore | None = None,
        seed: int = 0,
    ):
        """Look at a picture.

        Args:
            model: the network.
            image: anything `load_image` takes.
            layers: from fine to coarse; by default the series the network's card opens with
                (`model.opening`).
            caricature: show the picture, or the selected cell, as one of the layers exaggerates it,
                beside the picture.
            store: where tiles are kept.
            seed: of the tiles and the caricature.
        """
        self.layers = list(layers or model.opening.series)
        for name in self.layers:
            model.check_spatial(name)
        if len(set(self.layers)) < len(self.layers):
            raise ValueError(f"layers name one layer twice: {', '.join(self.layers)}.")
        self.first = first_layer(model, self.layers)
        self._caricature = caricature
        self._store = store or IconStore()
        self._seed = seed
        options = {CARICATURE: OF} if caricature else {}
        super().__init__(model, image, options, dict.fromkeys(options, OF[0]))

    def analyze(self, image: np.ndarray) -> None:
        """Keep the activations of every layer, and the class probabilities."""
        self._acts = self.model.activations(image, [*self.layers, self.model.softmax], uncapped=True)
        self._drawn: dict[tuple[str, ...], set[int]] = {}

    def make_board(self, choice: Mapping[str, str]) -> Board:
        """Rank the channels of every cell; tiles are left to `stream`."""
        rows, cols, _ = self._acts[self.first].shape
        grids = [Grid("image", "The picture", self.picture, rows, cols, start=None, note=self.note)]
        if self._caricature:
            one = choice[CARICATURE] == OF[1]
            title = f"Caricature{' of the cell' if one else ''} by {self.first}"
            grids.append(Grid(CARICATURE, title, self.picture, rows, cols, start=None, tiled=True))
        grids += [self._grid(layer) for layer in self.layers]
        acts = {layer: self._acts[layer] for layer in self.layers}
        units, rankings = channel_list(self.model, acts, "units", "Channels of the cell")
        classes = Units(
            "classes",
            "Prediction",
            self.model.labels,
            values=self._acts[self.model.softmax],
            format="percent",
        )
        # The picture itself speaks for the first of them.
        links = sorted(rankings.values(), key=lambda ranking: ranking.source != self.first)
        captions = [
            f"At {{{layer}}}, {layer} sees mostly {{units.1}} ({{units.1.value}}) and {{units.2}} "
            f"({{units.2.value}})."
            for layer in self.layers
        ]
        captions += [
            f"At {{{name}}}, {self.first} sees mostly {{units.1}} ({{units.1.value}})."
            for name in ("image", *([CARICATURE] if self._caricature else []))
        ]
        return Board(
            title="What every layer sees, everywhere",
            reading=READING,
            panels=[*grids, units, classes],
            links=[*links, *self._fires(len(units))],
            formula=FORMULA,
            caption=captions,
            choice=choice,
        )

    def stream(
        self, board: Board, selected: Mapping[str, int], stop: Callable[[], bool], page: bool = False
    ) -> Iterator[Arrived]:
        """Drafts of all layers first, the coarsest ahead; then icons, the caricature, and final tiles.

        A page takes what is there, and drafts of what is not.
        """
        go_on = unless(stop)
        coarse_first = sorted(self.layers, key=lambda layer: self._acts[layer].shape[:2])
        for layer in coarse_first:
            yield from self._tiles(board, layer, go_on, draft=True)
        yield from self._icons(board, go_on, page)
        yield from self._exaggerated(board, selected, go_on)
        for layer in () if page else coarse_first:
            yield from self._tiles(board, layer, go_on, draft=False)

    def page_choices(
        self, choice: Mapping[str, str] | None = None, paired: bool = False
    ) -> list[dict[str, str]]:
        """Return the whole picture alone: a page cannot draw the cell its reader picks."""
        return [{CARICATURE: OF[0]}] if self._caricature else [{}]

    @property
    def streams_on_select(self) -> bool:  # type: ignore[override]
        """Whether what is drawn depends on the selection: a caricature of one cell does."""
        return self.choice.get(CARICATURE) == OF[1]

    def _grid(self, layer: str) -> Grid:
        rows, cols, channels = self._acts[layer].shape
        cells = self._acts[layer].reshape(-1, channels)
        norms = np.linalg.norm(cells, axis=1)
        most = float(norms.max()) or 1.0
        return Grid(
            layer,
            layer,
            self.picture,
            rows,
            cols,
            start=first_cell(norms.reshape(rows, cols)) if layer == self.first else None,
            tiled=True,
            dead=norms == 0,
            sizes=(norms / most).astype(np.float32),
            law=f"area \u221d \u2016a\u2016, full at {most:.1f}",
        )

    def _fires(self, count: int) -> Iterator[Heat]:
        """Of all `count` channels, those of each layer light up its grid."""
        offset = 0
        for layer in self.layers:
            values, _, names = as_units(layer, self._acts[layer])
            weights = np.zeros((count, len(values)), np.float32)
            own = range(offset, offset + len(names))
            weights[own.start : own.stop] = np.maximum(values.T, 0)
            yield Heat("units", layer, weights, law="its activation", of=own)
            offset = own.stop

    def _tiles(self, board: Board, layer: str, go_on: Callable[[], bool], draft: bool) -> Iterator[Arrived]:
        """Tiles of a layer as they come; nothing where all are there already."""
        acts = self._acts[layer]
        alive = set(np.flatnonzero(acts.reshape(-1, acts.shape[-1]).any(1)).tolist())
        final = self._drawn.setdefault((*board.choice.values(), layer), set())
        drawn = self._drawn.setdefault((*board.choice.values(), layer, "draft"), set()) if draft else final
        if alive <= drawn | final:
            return
        for cells, tiles in stream_tiles(
            self.model, layer, acts, store=self._store, seed=self._seed, go_on=go_on, draft=draft
        ):
            fresh = {c: t for c, t in zip(cells, tiles, strict=True) if not (draft and c in final)}
            drawn.update(cells)
            if fresh:
                yield layer, fresh

    def _exaggerated(
        self, board: Board, selected: Mapping[str, int], go_on: Callable[[], bool]
    ) -> Iterator[Arrived]:
        """The caricature, cut into the cells of its layer."""
        acts = self._acts[self.first]
        rows, cols, _ = acts.shape
        at = self._place(board, selected) if self.streams_on_select else -1
        cell = divmod(at, cols) if at >= 0 else None
        drawn = self._drawn.setdefault((*board.choice.values(), CARICATURE), set())
        if not self._caricature or at in drawn or not go_on() or not (acts[cell] if cell else acts).any():
            return
        image = caricature(
            self.model, self.image, self.first, cell, seed=self._seed, progress=False, go_on=go_on
        )
        if not go_on():
            return
        whole = Image.fromarray(np.round(image * 255).astype(np.uint8))
        pixels = np.asarray(whole.resize((cols * PIECE, rows * PIECE), Image.Resampling.BICUBIC))
        pieces = pixels.reshape(rows, PIECE, cols, PIECE, 3).swapaxes(1, 2).reshape(-1, PIECE, PIECE, 3)
        drawn.clear()
        drawn.add(at)
        yield CARICATURE, dict(enumerate(pieces))

    def _place(self, board: Board, selected: Mapping[str, int]) -> int:
        """The selected cell, as one of the layer the caricature is by."""
        first = board.panel(self.first, Grid)
        for name, atom in selected.items():
            panel = board[name]
            if panel.scene == first.scene:
                return panel.place(atom, first)
        return first.start or 0

    def _icons(self, board: Board, go_on: Callable[[], bool], page: bool) -> Iterator[Arrived]:
        """Icons of channels for a network that comes without, the most listed of each layer ahead."""
        units = board.panel("units", Units)
        offset = 0
        for layer in self.layers:
            values, directions, _ = as_units(layer, self._acts[layer])
            listed = ranked(values)[0][:, : units.shown]
            counts = np.bincount(listed.ravel(), minlength=len(directions))
            wanted = [offset + int(c) for c in np.argsort(-counts, kind="stable") if counts[c]]
            missing = missing_icons(units, wanted)
            missing = missing[: PAGE_ICONS // len(self.layers)] if page else missing
            chosen = directions[[unit - offset for unit in missing]]
            recipe = recipe_of(self.model, layer)
            found = stream_directions(self.model, layer, chosen, recipe, store=self._store, go_on=go_on)
            yield from arrivals("units", missing, found)
            offset += len(directions)
