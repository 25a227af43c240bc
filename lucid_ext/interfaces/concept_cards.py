"""Concepts of a class as cards: what recurs in its pictures, what it is worth, and whose it is."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image
from scipy.special import softmax

from lucid_ext.board import Board, Grid, Heat, Link, Ranking, Units
from lucid_ext.board.numbers import written
from lucid_ext.board.panels import Cards, Fact
from lucid_ext.class_concepts.concepts import OWN, PARTLY, SHARED, ClassConcepts, Pictures, find_concepts
from lucid_ext.class_concepts.names import guesses
from lucid_ext.groups.stability import STABLE
from lucid_ext.interfaces.parts.channels import ranked
from lucid_ext.interfaces.parts.patches import marked, pictures
from lucid_ext.live.interface import Interface
from lucid_ext.live.streaming import Arrived, arrivals, missing_icons, unless
from lucid_ext.models import VisionModel
from lucid_ext.optvis import IconStore, stream_directions
from lucid_ext.optvis.recipes import recipe_of

PATCHES = 6  # pictures a concept is shown in
PATCH = 0.5  # of a picture's sides, at most
SIDE = 3  # example pictures across and down
EXAMPLE = 160  # pixels of an example picture
CLASSES = 6  # argued for and against, of a concept
SIGNS = {OWN: "●", PARTLY: "◐", SHARED: "○"}  # as moons: how much of it is the class's own

READING = (
    "Pick a card: its concept lights up in the example pictures, and the lists say where it is strongest "
    "and which classes it argues for. Point at a place in a picture for the concepts that are there."
)
FORMULA = (
    r"A_n \approx \sum_j W_{n,j} H_j, \quad W, H \ge 0 \qquad "
    r"\text{predicted}_j = \frac{1}{N} \sum_n \left\langle \frac{\partial\, \text{logit}}{\partial A_n}, "
    r"W_{n,j} H_j \right\rangle \qquad "
    r"\text{measured}_j = \frac{1}{N} \sum_n \text{logit}(A_n) - \text{logit}(A_n - W_{n,j} H_j)"
)


class Concepts(Interface):
    """Cards of the concepts of a class, and its pictures beside those of a second class.

    Attributes:
        found: the same as arrays.
        names: what to call the concepts: a number, and a guess from the probable classes each argues for.
    """

    takes_pictures = False
    streams_on_select = False

    def __init__(self, model: VisionModel, found: ClassConcepts, store: IconStore | None = None):
        """Show what was found; `concepts` does both at once."""
        self.found = found
        self._store = store or IconStore()
        worth = found.ablation.mean(0)
        odds = softmax(found.pictures.logits, axis=1).mean(0)
        named = guesses(worth, odds, model.labels, [found.target])
        self.names = [f"{j + 1} · {guess}".rstrip(" ·") for j, guess in enumerate(named)]
        self._sketched: set[int] = set()
        super().__init__(model, None, {"layer": [found.layer]}, {"layer": found.layer})

    def make_board(self, choice: Mapping[str, str]) -> Board:
        """Cards, example pictures of both classes, and the lists that a card or a place fills."""
        found, shared = self.found, self.found.shared
        title = self._name(found.target)
        patches, shown_in = self._patches()
        classes, argues = self._classes()
        panels: list[Any] = [self._cards()]
        links: list[Link] = [shown_in, argues]
        for name, seen, spatial in (
            ("own", found.pictures, found.groups.spatial),
            *([("other", shared.pictures, shared.spatial)] if shared else []),
        ):
            grid, spoken, lit = self._examples(name, seen, spatial)
            panels.append(grid)
            links += [spoken, lit]
        panels.append(patches)
        panels += [self._at(panel) for panel in panels if panel.scene is not None]
        panels.append(classes)
        beside = f", beside {self._name(shared.pictures.target)}" if shared else ""
        return Board(
            title=f"Concepts of {title} in {found.layer}{beside}",
            reading=READING,
            panels=panels,
            links=links,
            formula=FORMULA,
            caption=(
                "Concept {concepts} is strongest in {patches.1} ({patches.1.value}). Without it, of all "
                "classes, {classes.1} changes most: by {classes.1.value}, on average over the pictures."
            ),
            choice=choice,
        )

    def stream(
        self, board: Board, selected: Mapping[str, int], stop: Callable[[], bool], page: bool = False
    ) -> Iterator[Arrived]:
        """Drafts of all icons, then, but for a page, better ones."""
        go_on = unless(stop)
        wanted = list(range(len(self.names)))
        for kind in ("sketch",) if page else ("sketch", "icon"):
            lacking = missing_icons(board["concepts"], wanted)
            if kind == "icon":
                lacking = [j for j in wanted if j in self._sketched or j in lacking]
            directions = self.found.groups.channels[lacking]
            recipe = recipe_of(self.model, self.found.layer, kind)
            icons = stream_directions(
                self.model, self.found.layer, directions, recipe, store=self._store, go_on=go_on
            )
            for name, ready in arrivals("concepts", lacking, icons):
                (self._sketched.update if kind == "sketch" else self._sketched.difference_update)(ready)
                yield name, ready

    def _name(self, target: int) -> str:
        return self.model.labels[target].split(",")[0]

    def _cards(self) -> Cards:
        found, shared = self.found, self.found.shared
        own = self._name(found.target)
        measured = found.ablation[..., found.target].mean(0)
        predicted = found.attribution.mean(0)
        scale = float(max(np.abs(measured).max(), np.abs(predicted).max())) or 1.0
        facts = [
            Fact("worth, measured", measured, scale, "number"),
            Fact("worth, predicted", predicted, scale, "number"),
            Fact("found again", found.stability.mean.astype(np.float32)),
            Fact(f"in {own}", found.occurs.mean(0).astype(np.float32)),
        ]
        if shared:
            facts += [
                Fact(f"in {self._name(shared.pictures.target)}", shared.occurs.mean(0).astype(np.float32)),
                Fact("match there, cos", shared.cosine, 1.0, "number"),
            ]
        words = shared.words if shared else ("",) * len(measured)
        return Cards(
            "concepts",
            f"What recurs in {found.pictures.photographs.about}{_counted(words)}",
            self.names,
            notes=[self._note(j) for j in range(len(self.names))],
            values=measured,
            scale=scale,
            shown=len(self.names),
            most=len(self.names),
            illustrated=True,
            passing=True,
            facts=facts,
            marks=[f"{SIGNS[word]} {word}" if word else "" for word in words],
            loud=np.array([word == OWN for word in words]),
            doubts=["unstable" if shaky else "" for shaky in found.stability.unstable],
            strip="patches",
            start=0,
        )

    def _note(self, j: int) -> str:
        """What the numbers of a card are, for this concept."""
        found, shared = self.found, self.found.shared
        n = len(found.occurs)
        parts = [
            f"Concept {j + 1} occurs in {int(found.occurs[:, j].sum())} of {n} pictures",
            f"; other starts and other pictures find it again with a mean cosine of "
            f"{found.stability.mean[j]:.2f}",
        ]
        if found.stability.unstable[j]:
            parts.append(f", which is below {STABLE}: it is not stable")
        if shared:
            name = self._name(shared.pictures.target)
            parts.append(
                f". In {name} it occurs in {int(shared.occurs[:, j].sum())} of {len(shared.occurs)}, "
                f"{shared.strength[j]:.0%} as strong on average; the direction matched with it among "
                f"{name}'s own has a cosine of {written(shared.cosine[j])}"
            )
        return "".join(parts) + "."

    def _patches(self) -> tuple[Units, Ranking]:
        """Where each concept is strongest: one patch per picture."""
        survey = self.found.survey
        rows = survey.patches(range(len(self.names)), PATCHES, progress=False, most=PATCH)
        count = len(rows[0])
        flat = [patch for row in rows for patch in row]
        panel = Units(
            "patches",
            "Where it is strongest",
            [patch.photograph for patch in flat],
            scale=float(survey.maxima.max()) or 1.0,
            shown=count,
            most=count,
            passing=True,
            **pictures([marked(patch) for patch in flat]),
        )
        drives = np.array([patch.drive for patch in flat], np.float32).reshape(-1, count)
        return panel, Ranking(
            "concepts", "patches", np.arange(len(flat), dtype=np.int32).reshape(-1, count), drives
        )

    def _classes(self) -> tuple[Units, Ranking]:
        """The classes whose logits a concept changes most."""
        worth = self.found.ablation.mean(0)
        order = np.argsort(-np.abs(worth), axis=1, kind="stable").astype(np.int32)
        most = min(CLASSES, len(self.model.labels))
        panel = Units(
            "classes",
            "It argues for and against",
            self.model.labels,
            scale=float(np.abs(worth).max()) or 1.0,
            shown=most,
            most=most,
        )
        return panel, Ranking("concepts", "classes", order, np.take_along_axis(worth, order, axis=1))

    def _examples(self, name: str, seen: Pictures, spatial: np.ndarray) -> tuple[Grid, Ranking, Heat]:
        """Pictures that show the concepts most, as one; what is where in them; what lights up."""
        full = self.found.full
        chosen = _most_telling(spatial.max((1, 2)) / full, SIDE * SIDE)
        across = math.ceil(math.sqrt(len(chosen)))
        down = math.ceil(len(chosen) / across)
        h, w, k = spatial.shape[1:]
        picture = np.full((down, across, EXAMPLE, EXAMPLE, 3), 128, np.uint8)
        shares = np.zeros((down, across, h, w, k), np.float32)
        for i, row in enumerate(chosen):
            image = self.model.crop(seen.photographs[int(seen.used[row])])
            pixels = Image.fromarray(np.round(image * 255).astype(np.uint8))
            place = divmod(i, across)
            picture[place] = np.asarray(pixels.resize((EXAMPLE, EXAMPLE), Image.Resampling.BICUBIC))
            shares[place] = spatial[row] / full
        sheet = picture.swapaxes(1, 2).reshape(down * EXAMPLE, across * EXAMPLE, 3)
        cells = shares.swapaxes(1, 2).reshape(-1, k)
        first = int(cells[:, 0].argmax())
        grid = Grid(
            name,
            f"Pictures of {self._name(seen.target)}",
            sheet,
            down * h,
            across * w,
            start=first,
            note=self._said(seen),
            scene=name,
        )
        atoms, values = ranked(np.minimum(cells, 1))
        lit = Heat("concepts", name, np.clip(cells.T, 0, 1), 1.0, "share of its full strength")
        return grid, Ranking(name, f"at_{name}", atoms, values), lit

    def _at(self, grid: Grid) -> Units:
        shown = min(3, len(self.names))
        return Units(
            f"at_{grid.name}",
            "At this place",
            self.names,
            format="percent",
            shown=shown,
            most=shown,
            passing=True,
        )

    def _said(self, seen: Pictures) -> str:
        """How the class was found, and what could not be read."""
        how = "is the first prediction" if seen.asked else "is predicted most often:"
        counted = f"{self._name(seen.target)} {how} in {seen.predicted} of {seen.photographs.about}."
        return " ".join(part for part in (counted, seen.photographs.remark) if part)


def _counted(words: Sequence[str]) -> str:
    """How many concepts are whose, for a heading."""
    counts = [f"{words.count(word)} {word}" for word in SIGNS if word in words]
    return f": {', '.join(counts)}" if counts else ""


def concepts(
    model: VisionModel,
    images: Any,
    layer: str | None = None,
    target: Any = None,
    n_groups: int = 8,
    *,
    other: Any = None,
    other_target: Any = None,
    seed: int = 0,
    store: IconStore | None = None,
    progress: bool = True,
) -> Concepts:
    """Find what recurs in pictures of a class, and show it.

    Args:
        model: the network.
        images: pictures of the class, of any sizes: a folder, a `Photographs`, or a list of what
            `load_image` takes. Those that cannot be read are left out, named and counted.
        layer: by default the one the network's card opens with (`model.opening`).
        target: the class, by name or number; by default the one predicted most often.
        n_groups: how many concepts to look for.
        other: pictures of a second class, to see which concepts are shared.
        other_target: that class, likewise.
        seed: of the factorization and of the refits that say how stable it is.
        store: where icons are kept.
        progress: show progress bars.

    Returns:
        An interface, to be shown or written `to_html`; its `found` holds the arrays.

    Raises:
        ValueError: there is no such layer or class, no picture can be used, there is only one, or
            there are fewer cells or channels than groups.
    """
    found = find_concepts(
        model,
        images,
        layer,
        target,
        n_groups,
        other=other,
        other_target=other_target,
        seed=seed,
        progress=progress,
    )
    return Concepts(model, found, store)


def _most_telling(maxima: np.ndarray, count: int) -> list[int]:
    """Pictures (rows) in which concepts (columns) are strongest, taken in turns."""
    order = np.argsort(-maxima, axis=0, kind="stable")
    turns = dict.fromkeys(int(row) for rank in order for row in rank)
    return list(turns)[:count]
