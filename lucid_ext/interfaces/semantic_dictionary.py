"""The semantic dictionary: for every place of a picture, the features the network saw there."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import ipywidgets
import numpy as np

from lucid_ext.board import Board, Grid, Heat, Mixture, Ranking, Units
from lucid_ext.interfaces.interface import Arrived, Interface, picture_of
from lucid_ext.models import SAMPLES, VisionModel, load_image
from lucid_ext.optvis import IconStore, shipped_sheet, stream_directions, stream_units
from lucid_ext.optvis.icon import BATCH

COMPONENTS = 6  # of the PCA and NMF bases
MOST = 10  # rows of the list
NAMED_CELLS = 20  # cells whose own icon is rendered without being asked for
PAGE_LAYERS = 4  # layers an offline page carries

READING = (
    "Each square of the picture is one cell of the layer. Pick one: the list shows which features "
    "the network found there, each with the picture that excites it most, and how strongly."
)
FORMULAS = {
    "channels": r"a_{y,x} = \sum_c a_{y,x,c}\, e_c",
    "PCA": r"a_{y,x} = \bar{a} + \sum_j s_{y,x,j}\, p_j",
    "NMF": r"a_{y,x} \approx \sum_j W_{y,x,j}\, H_j, \quad W, H \ge 0",
}
ICON_FORMULA = (
    r"\qquad x^{*}_v = \underset{x}{\mathrm{argmax}}\; \mathbb{E}_t \langle f(t(x)), v \rangle"
    r", \quad x = \sigma(C\, F^{-1}(s\, z))"
)
CAPTION = (
    "The cell at {image} is mostly {units.1} ({units.1.value}) and {units.2} ({units.2.value}). "
    "For the whole picture the network says {classes.1} ({classes.1.value})."
)


class SemanticDictionary(Interface):
    """Cells of a picture, and for each its strongest channels, components or groups.

    Attributes:
        model: the network.
        image: the picture, (H, W, 3) in [0, 1].
    """

    def __init__(
        self,
        model: VisionModel,
        image: Any,
        layer: str = "mixed4d",
        *,
        basis: str = "channels",
        layers: Sequence[str] | None = None,
        store: IconStore | None = None,
    ):
        """Look at a picture.

        Args:
            model: the network.
            image: (H, W, 3) in [0, 1], or anything `load_image` takes.
            layer: the layer to begin with.
            basis: "channels", "PCA" or "NMF": what activations are written as a sum of.
            layers: the layers offered; by default all with positions from `mixed3a` on.
            store: where rendered icons are kept.
        """
        spatial = [name for name, shape in model.layers.items() if len(shape) == 3]
        layers = list(layers or [n for n in spatial if n.startswith("mixed")] or spatial)
        for name in (layer, *layers):
            model.check_layer(name)
        super().__init__({"layer": layers, "basis": list(FORMULAS)}, {"layer": layer, "basis": basis})
        self.model = model
        self._store = store or IconStore()
        self._directions: dict[tuple[str, str], np.ndarray] = {}
        self._look_at(image)

    def make_board(self, choice: Mapping[str, str]) -> Board:
        """Rank the units of every cell; icons that are at hand are in, others are left to `refine`."""
        layer, basis = choice["layer"], choice["basis"]
        acts = self._acts[layer]
        rows, cols, _ = acts.shape
        cells = acts.reshape(rows * cols, -1)
        values, directions, labels = _BASES[basis](layer, cells)
        self._directions[layer, basis] = directions
        norms = np.linalg.norm(cells, axis=1)
        most = min(MOST, values.shape[1])
        top = np.argsort(-values, axis=1, kind="stable")[:, :most].astype(np.int32)
        top_values = np.take_along_axis(values, top, axis=1)
        image = Grid(
            "image",
            "What the network saw",
            self._picture,
            rows,
            cols,
            start=int(norms.argmax()),
            places=_places(cells),
            note=self._note,
        )
        units = Units(
            "units",
            {"channels": f"Channels of {layer}", "PCA": "Principal components", "NMF": "Neuron groups"}[
                basis
            ],
            labels,
            scale=float(values.max()) or 1.0,
            shown=min(5, most),
            most=most,
            **self._icons_at_hand(layer, basis),
        )
        vector = Units(
            "vector",
            "The cell as a whole",
            [f"length of a[{y}, {x}]" for y in range(rows) for x in range(cols)],
            scale=float(norms.max()) or 1.0,
            shown=1,
            most=1,
            large=True,
        )
        classes = Units(
            "classes", "Prediction", self.model.labels, values=self._probabilities, format="percent"
        )
        own = np.arange(len(cells), dtype=np.int32)[:, None]
        return Board(
            title=f"Semantic dictionary of {layer}",
            reading=READING,
            panels=[image, units, vector, classes],
            links=[
                Ranking("image", "units", top, top_values),
                Ranking("image", "vector", own, norms[:, None]),
                Mixture("vector", "units", top, _blend(top_values)),
                Heat("units", "image", np.maximum(values.T, 0.0)),
            ],
            formula=FORMULAS[basis] + ICON_FORMULA,
            caption=CAPTION,
            choice=choice,
        )

    def refine(
        self, board: Board, selected: Mapping[str, int], go_on: Callable[[], bool]
    ) -> Iterator[Arrived]:
        """Icons of components or groups first, then of whole cells: the selected one, then named ones."""
        layer, basis = board.choice["layer"], board.choice["basis"]
        units, vector = board["units"], board["vector"]
        assert isinstance(units, Units)
        assert isinstance(vector, Units)
        missing = _missing(units, range(len(units)))
        if basis == "channels":
            found = stream_units(self.model, layer, missing, store=self._store, go_on=go_on)
        else:
            directions = self._directions[layer, basis][missing]
            found = stream_directions(self.model, layer, directions, store=self._store, go_on=go_on)
        yield from _batches("units", missing, found)
        cells = self._acts[layer].reshape(len(vector), -1)
        wanted = _named_cells(cells)
        if "image" in selected:
            grid = board["image"]
            assert isinstance(grid, Grid)
            wanted = [*_around(selected["image"], grid), *wanted]
        missing = [i for i in _missing(vector, dict.fromkeys(wanted)) if cells[i].any()]
        found = stream_directions(self.model, layer, cells[missing], store=self._store, go_on=go_on)
        yield from _batches("vector", missing, found)

    def page_choices(self) -> list[dict[str, str]]:
        """The current choice, its other bases, and a few layers spread over the depth."""
        layers = self.options["layer"]
        spread = np.linspace(0, len(layers) - 1, min(PAGE_LAYERS, len(layers))).round().astype(int)
        others = [layers[i] for i in spread if layers[i] != self.choice["layer"]][: PAGE_LAYERS - 1]
        bases = [b for b in self.options["basis"] if b != self.choice["basis"]]
        return [
            self.choice,
            *({**self.choice, "basis": basis} for basis in bases),
            *({"layer": layer, "basis": "channels"} for layer in others),
        ]

    def extra_controls(self) -> list[ipywidgets.Widget]:
        """The reader's own picture."""
        upload = ipywidgets.FileUpload(
            accept="image/*", description="Your picture", layout={"width": "150px"}
        )

        def take(change: Mapping[str, Any]) -> None:
            files = change["new"]  # a tuple of files; in ipywidgets 7 a dict by name
            file = next(iter(files.values() if isinstance(files, dict) else files), None)
            if file is None:
                return
            try:
                self.look_at(file["content"])
            except ValueError as error:
                self._say(str(error))

        upload.observe(take, "value")
        return [upload]

    def look_at(self, image: Any) -> None:
        """Show another picture; a bad one is refused and the present one stays."""
        self._look_at(image)
        self._forget()

    def _look_at(self, image: Any) -> None:
        known = not isinstance(image, str) or image not in SAMPLES or SAMPLES[image].known
        note = "" if known else "The network was trained on no class for this picture."
        image = image if isinstance(image, np.ndarray) else load_image(image)
        softmax = self.model.softmax
        found = self.model.activations(image, [*self.options["layer"], softmax])
        self.image, self._note = image, note
        self._acts, self._probabilities = found, found[softmax]
        self._picture = picture_of(self.model, image)

    def _icons_at_hand(self, layer: str, basis: str) -> dict[str, Any]:
        """The sheet that comes with the network, and how its icons compare with photographs."""
        sheet = shipped_sheet(self.model.digest, layer) if basis == "channels" else None
        if sheet is None:
            return {}
        channels = range(self.model.layers[layer][-1])
        notes = [
            "Dead: no picture was found that excites this channel."
            if sheet.drive[c] <= 0
            else f"The icon excites it more than {100 * sheet.percentile[c]:.1f}% of photographs do."
            for c in channels
        ]
        icons = np.stack([sheet.icon(c).pixels for c in channels])
        return {"icons": icons, "icon_of": np.arange(len(icons), dtype=np.int32), "notes": notes}


def _channels(layer: str, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Every channel is a unit: (cells, c), identity, names."""
    count = cells.shape[1]
    return cells, np.eye(count, dtype=np.float32), [f"{layer}:{c}" for c in range(count)]


def _pca(layer: str, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Principal components; each direction and its opposite are two units, never negative."""
    from sklearn.decomposition import PCA

    pca = PCA(min(COMPONENTS, *cells.shape), svd_solver="full").fit(cells)
    scores, axes = pca.transform(cells), pca.components_
    values = np.maximum(np.concatenate([scores, -scores], axis=1), 0).astype(np.float32)
    shares = pca.explained_variance_ratio_
    labels = [f"component {i} {sign} ({100 * s:.0f}%)" for sign in "+\u2212" for i, s in enumerate(shares)]
    return values, np.concatenate([axes, -axes]).astype(np.float32), labels


def _nmf(layer: str, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Groups of neurons that fire together, by Lucid's ChannelReducer."""
    from lucid.misc.channel_reducer import ChannelReducer

    reducer = ChannelReducer(min(COMPONENTS, *cells.shape), "NMF", init="nndsvd", max_iter=1000)
    spatial = reducer.fit_transform(cells)
    groups = reducer._reducer.components_
    length = np.linalg.norm(groups, axis=1)
    alive = np.flatnonzero(length)
    values = (spatial * length)[:, alive].astype(np.float32)
    return values, groups[alive].astype(np.float32), [f"group {i}" for i in range(len(alive))]


_BASES = {"channels": _channels, "PCA": _pca, "NMF": _nmf}


def _blend(values: np.ndarray) -> np.ndarray:
    """How much of each icon goes into a blend: cubes, as an average of ten icons shows none of them."""
    values = np.maximum(values, 0.0)
    return (values / np.maximum(values.max(1, keepdims=True), 1e-12)) ** 3


def _places(cells: np.ndarray) -> dict[str, int]:
    """Cells worth starting from."""
    norms = np.linalg.norm(cells, axis=1)
    share = cells / np.maximum(cells.sum(1, keepdims=True), 1e-12)
    varied = -(share * np.log(np.maximum(share, 1e-12))).sum(1)
    mean = cells.mean(0)
    alike = cells @ mean / np.maximum(norms * np.linalg.norm(mean), 1e-12)
    return {
        "Strongest cell": int(norms.argmax()),
        "Most varied cell": int(varied.argmax()),
        "Most unlike the rest": int(np.where(norms > np.median(norms), alike, np.inf).argmin()),
        "Quietest cell": int(norms.argmin()),
    }


def _named_cells(cells: np.ndarray) -> list[int]:
    """The places to start from, then cells each as unlike those before as can be."""
    chosen = list(dict.fromkeys(_places(cells).values()))
    unit = cells / np.maximum(np.linalg.norm(cells, axis=1, keepdims=True), 1e-12)
    nearest = (unit @ unit[chosen].T).max(1)
    while len(chosen) < min(NAMED_CELLS, len(cells)):
        chosen.append(int(nearest.argmin()))
        nearest = np.maximum(nearest, unit @ unit[chosen[-1]])
    return chosen


def _around(cell: int, grid: Grid) -> list[int]:
    """A cell and its nearest neighbours: as many as are rendered at once."""
    ys, xs = np.divmod(np.arange(len(grid)), grid.cols)
    y, x = divmod(cell, grid.cols)
    return np.argsort((ys - y) ** 2 + (xs - x) ** 2, kind="stable")[:BATCH].tolist()


def _missing(panel: Units, wanted: Any) -> list[int]:
    return [i for i in wanted if panel.icon_of is None or panel.icon_of[i] < 0]


def _batches(name: str, units: Sequence[int], found: Iterator[tuple[int, Any]]) -> Iterator[Arrived]:
    """Icons as they come, a few at a time."""
    ready: dict[int, np.ndarray] = {}
    for i, icon in found:
        ready[units[i]] = icon.pixels
        if len(ready) == BATCH:
            yield name, ready
            ready = {}
    if ready:
        yield name, ready
