"""Neuron groups: a layer's activations as a handful of groups, and what each does to the answer."""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from lucid_ext.attribution.group_effects import GroupEffects
from lucid_ext.board import Board, Dials, Grid, Heat, Mixture, Ranking, Units
from lucid_ext.class_concepts.names import guesses
from lucid_ext.groups import Groups, factorize
from lucid_ext.groups.stability import COUNTS as TRIED
from lucid_ext.groups.stability import Stability, Suggestion, stability, suggest
from lucid_ext.interfaces.parts.cells import first_cell
from lucid_ext.interfaces.parts.channels import ranked, shipped_icons
from lucid_ext.interfaces.parts.given_names import Names
from lucid_ext.interfaces.parts.group_map import blended, colour_of, marks
from lucid_ext.live.interface import Interface
from lucid_ext.live.streaming import Arrived, arrivals, missing_icons, unless
from lucid_ext.models import VisionModel
from lucid_ext.optvis import IconStore, recipe_of, stream_directions

COUNTS = tuple(range(2, 9))  # numbers of groups offered
CLASSES = 50  # the most probable ones, whose evidence is computed
LEVELS = np.linspace(0, 2, 9, dtype=np.float32)  # of a dial
MIXED = 8  # channels whose icons stand for a group until its own arrives
REFITS: dict[str, Any] = {"seeds": 2, "bootstraps": 3}  # that say how stable groups are

READING = (
    "The layer's activations, written as a few groups of neurons: each has a colour and a number on the "
    "picture. Point at a group to see where it is, at a cell for its mixture, and pick a group to see "
    "what it argues for and against; until then the lists speak of all together. Dashed ones are unstable."
)
FORMULAS = {
    "nmf": r"\min_{W, H \ge 0} \lVert A - W H \rVert^2",
    "nmf_both": r"\min_{W, H^{+}, H^{-} \ge 0} \lVert (A^{+}, A^{-}) - W (H^{+}, H^{-}) \rVert^2",
    "nmf_signed": r"\min_{W^{+}, W^{-}, H \ge 0} \lVert A - (W^{+} - W^{-}) H \rVert^2",
    "pca": r"A \approx \bar{a} + W H, \quad H H^{T} = 1",
    "ica": r"A \approx \bar{a} + W H, \quad w_i \text{ independent}",
    "kmeans": r"\min_{W, H} \lVert A - W H \rVert^2, \quad \text{one } W_{p,i} \ne 0 \text{ a cell}",
}
EFFECT = r"\qquad \text{effect}_i = \langle \partial\, \text{logit}_k / \partial A, \; W_i H_i \rangle"


class NeuronGroups(Interface):
    """A picture in the colours of a few groups of neurons, and what each of them argues for.

    Attributes:
        layer: whose activations are factorized.
        method: of factorization.
        suggestion: a number of groups, and the curves that suggest it.
        classes: numbers of the classes whose evidence is computed, the most probable first.
    """

    streams_on_select = False  # icons are drawn of all groups

    def __init__(
        self,
        model: VisionModel,
        image: Any,
        layer: str | None = None,
        n_groups: int = 6,
        method: str = "nmf",
        *,
        counts: Sequence[int] = COUNTS,
        names: str | os.PathLike | None = None,
        store: IconStore | None = None,
        seed: int = 0,
    ):
        """Look at a picture.

        Args:
            model: the network.
            image: anything `load_image` takes.
            layer: with positions; by default the one the network's card opens with (`model.opening`).
            n_groups: the number to begin with.
            method: of `factorize`; "nmf" is "nmf_both" where a layer has values below zero.
            counts: numbers of groups to choose from; what the layer is too small for is left out.
            names: a JSON file that keeps the names readers give to groups, by network, picture, layer,
                method and number of groups; by default they live as long as this object.
            store: where icons are kept.
            seed: of the factorization.

        Raises:
            ValueError: one sentence that says what does not fit.
        """
        self.layer = layer or model.opening.layer
        model.check_spatial(self.layer)
        self.method, self._asked, self._seed = method, method, seed
        self._names, self._store = Names(names), store or IconStore()
        most = min(int(np.prod(model.layers[self.layer][:2])), model.layers[self.layer][-1])
        offered = sorted({*(k for k in counts if 1 <= k <= most), n_groups})
        super().__init__(model, image, {"groups": offered}, {"groups": n_groups})

    @property
    def groups(self) -> Groups:
        """The factorization shown: spatial (h, w, k), channels (k, c), its error."""
        return self._groups[int(self.choice["groups"])]

    @property
    def effects(self) -> np.ndarray:
        """(k, classes) float32, <d logit / dA, W_i H_i> for each of `classes`."""
        return self._effects[int(self.choice["groups"])]

    @property
    def measured(self) -> np.ndarray:
        """(k, all classes) float32, how much each logit falls when a group is removed."""
        self.board_of(self.choice)
        return self._measured[int(self.choice["groups"])]

    @property
    def stability(self) -> Stability:
        """How well the groups shown are found again."""
        return self._stability[int(self.choice["groups"])]

    def analyze(self, image: np.ndarray) -> None:
        """Factorize into every number of groups offered; ask once what all these groups argue for."""
        network = self.model
        found = network.activations(image, [self.layer, network.softmax], uncapped=True)
        acts, odds = found[self.layer], found[network.softmax]
        if not acts.any():
            raise ValueError(
                f"nothing answers in {self.layer} to this picture: choose another layer or picture."
            )
        self.method = "nmf_both" if self._asked == "nmf" and acts.min() < 0 else self._asked
        counts = [int(k) for k in self.options["groups"]]
        groups = {k: factorize(acts, k, self.method, self._seed) for k in counts}
        classes = np.argsort(-odds, kind="stable")[:CLASSES].tolist()
        self._above = GroupEffects(network, self.layer, acts, image, classes)
        self._effects = {k: self._above.predicted(own) for k, own in groups.items()}
        self._odds, self._groups, self.classes = odds, groups, classes
        tried = sorted({*TRIED, *counts})  # the elbow depends on where the curve ends
        refits = {**REFITS, "seed": self._seed}
        self.suggestion: Suggestion = suggest(acts, tried, self.method, **refits, groups=groups)
        self._stability: dict[int, Stability] = {
            k: self.suggestion.refits.get(k) or stability(acts, k, self.method, **refits, groups=groups[k])
            for k in counts
        }
        self._measured: dict[int, np.ndarray] = {}
        self._digest = hashlib.sha256(network.digest.encode() + network.prepare(image).tobytes()).hexdigest()

    def rescale(
        self, choice: Mapping[str, str], levels: Mapping[str, Sequence[float]]
    ) -> dict[str, np.ndarray]:
        """Class probabilities with every group turned to a level; the network above the layer runs."""
        groups = self._groups[int(choice["groups"])]
        row = np.asarray(levels.get("groups", np.ones(len(groups.channels))), np.float32)
        if row.shape != (len(groups.channels),):
            raise ValueError(f"{len(row)} levels for {len(groups.channels)} groups; expected one for each.")
        return {"prediction": self._above.at(groups, row[None])[1][0]}

    def make_board(self, choice: Mapping[str, str]) -> Board:
        """What is known of one number of groups; their icons are left to `stream`."""
        k = int(choice["groups"])
        groups, effects = self._groups[k], self._effects[k]
        rows, cols, n = groups.spatial.shape
        found = self._stability[k]
        odds, measured, without = self._above.alone(groups, LEVELS)
        self._measured[k] = measured
        doubts = [
            f"unstable: found again with a cosine of only {mean:.2f}" if bad else ""
            for mean, bad in zip(found.mean, found.unstable, strict=True)
        ]
        again = [
            f"Found again with a mean cosine of {mean:.2f} \u00b1 {spread:.2f} over {len(found.cosines)} "
            f"refits; the nearest other group is at {near:.2f}."
            for mean, spread, near in zip(found.mean, found.spread, found.neighbour, strict=True)
        ]
        labels = self._labels(k)
        colours = [colour_of(j) for j in range(n)]
        image = Grid(
            "image",
            f"{n} groups of {self.layer}",
            blended(self.picture, groups.spatial),
            rows,
            cols,
            start=first_cell(np.abs(groups.spatial).sum(-1)),
            note=" ".join(part for part in (self.note, self._truth(k, found)) if part),
            marks=marks(groups.spatial),
        )
        magnitude = groups.magnitude
        alike: dict[str, Any] = {
            "colours": colours,
            "doubts": doubts,
            "passing": True,
            "shown": n,
            "most": n,
        }
        own = Units(
            "groups",
            "Groups, by how much of the layer they are",
            labels,
            [self._sides(row) + said for row, said in zip(groups.channels, again, strict=True)],
            values=magnitude,
            scale=float(magnitude.max()),
            illustrated=True,
            renamable=True,
            column=1,
            **alike,
        )
        cells = groups.spatial.reshape(rows * cols, n)
        atoms = ranked(np.abs(cells))[0]
        mixture = Units(
            "mixture",
            "The cell is made of",
            labels,
            scale=float(np.abs(cells).max()) or 1.0,
            named_after="groups",
            column=0,
            **alike,
        )
        prediction = Units(
            "prediction",
            "Prediction",
            self.model.labels,
            values=self._odds,
            scale=float(odds.max()),
            format="percent",
            column=2,
        )
        return Board(
            title=f"Neuron groups of {self.layer}",
            reading=READING,
            panels=[
                *(image, mixture, self._left_out(k)),
                *(own, *self._arguments(k, without)),
                *(prediction, self._channels(groups)),
            ],
            links=[
                Heat("groups", "image", cells.T.copy(), law="how much of the group is where"),
                Ranking("image", "mixture", atoms, np.take_along_axis(cells, atoms, 1)),
                Heat("mixture", "image", cells.T.copy(), law="how much of the group is where"),
                *self._group_links(groups, effects, measured),
                Dials(
                    "groups",
                    "prediction",
                    LEVELS,
                    odds,
                    "Turn a group up or down",
                ),
            ],
            formula=FORMULAS[self.method] + EFFECT,
            caption=[
                "{groups} weighs most on {classes.1} ({classes.1.value}). Measured by removing it, what "
                "changes most is {measured.1} ({measured.1.value}).",
                "The cell at {image} is mostly {mixture.1} ({mixture.1.value}), then {mixture.2} "
                "({mixture.2.value}). For the whole picture the network says {prediction.1} "
                "({prediction.1.value}).",
                "The cell at {image} has {mixture.1} ({mixture.1.value}).",
            ],
            choice=choice,
        )

    def stream(
        self, board: Board, selected: Mapping[str, int], stop: Callable[[], bool], page: bool = False
    ) -> Iterator[Arrived]:
        """Icons of the groups: sketches, then better ones; before these, the boards of the next numbers.

        A page has sketches for the number it opens with, and blends for the others.
        """
        go_on = unless(stop)
        k = int(board.choice["groups"])
        if page and dict(board.choice) != self.choice:
            return
        if not page:
            for option in sorted(self.options["groups"], key=lambda o: abs(int(o) - k)):
                if not go_on():
                    return
                self.board_of({"groups": option})
        panel, directions = board["groups"], self._groups[k].channels
        lacking = missing_icons(panel, range(len(panel)))
        for kind in ("sketch",) if page else ("sketch", "icon"):
            recipe = recipe_of(self.model, self.layer, kind)
            if kind == "icon":
                lacking = list(range(len(panel)))
            found = stream_directions(
                self.model, self.layer, directions[lacking], recipe, store=self._store, go_on=go_on
            )
            yield from arrivals("groups", lacking, found)

    def renamed(self, choice: Mapping[str, str], name: str, atom: int, label: str) -> None:
        """Keep the name for this picture, layer, method and number of groups."""
        self._names.give(self._of(int(choice["groups"])), atom, label)

    def _of(self, k: int) -> str:
        return f"{self._digest[:16]}/{self.layer}/{self.method}/{k}"

    def _labels(self, k: int) -> list[str]:
        """Names that were given, or guesses."""
        given = self._names.of(self._of(k))
        names = [self.model.labels[c] for c in self.classes]
        guessed = guesses(self._effects[k], self._odds[self.classes], names)
        return [
            given.get(j, f"{guess} (group {j})" if guess else f"group {j}") for j, guess in enumerate(guessed)
        ]

    def _sides(self, direction: np.ndarray) -> str:
        """What a group's direction (c,) is made of, where a layer has channels of both signs."""
        if self.method != "nmf_both":
            return ""
        raised = float(np.square(np.maximum(direction, 0)).sum())
        return f"{raised:.0%} of it are channels above zero, {1 - raised:.0%} below. "

    def _truth(self, k: int, found: Stability) -> str:
        doubtful = [str(j) for j in np.flatnonzero(found.unstable)]
        said = f"; unstable: {', '.join(doubtful)}" if doubtful else "; all stable"
        return (
            f"The groups leave out {self._groups[k].error:.0%} of the activations' length, so they cover "
            f"{1 - self._groups[k].error ** 2:.0%} of their energy. Refitted "
            f"{len(found.cosines)} times, they come back with a mean cosine of {found.mean.mean():.2f}{said}."
        )

    def _left_out(self, k: int) -> Units:
        """The curve that suggests a number of groups, as a list."""
        best = self.suggestion
        labels = [f"{n} groups" + (", suggested" if n == best.n_groups else "") for n in best.ks]
        return Units(
            "left_out",
            "What so many groups leave out",
            labels,
            values=best.errors,
            format="percent",
            shown=len(labels),
            most=len(labels),
            passing=True,
            column=0,
        )

    def _channels(self, groups: Groups) -> Units:
        """The layer's channels, of which a group's direction is made; at first, all groups together."""
        together = groups.magnitude @ groups.channels
        return Units(
            "channels",
            "Channels of the group",
            [f"{self.layer}:{c}" for c in range(groups.channels.shape[1])],
            values=together / np.linalg.norm(together),
            scale=float(np.abs(groups.channels).max()),
            shown=4,
            most=4,
            illustrated=True,
            passing=True,
            column=2,
            **shipped_icons(self.model, [self.layer]),
        )

    def _arguments(self, k: int, without: np.ndarray) -> list[Units]:
        """What a group argues for and against: by its gradient, and measured. At first, of all together."""
        labels = self.model.labels
        total = np.zeros(len(labels), np.float32)
        total[self.classes] = self._effects[k].sum(0)
        # One scale, so that the two lists compare.
        shown = (self._effects[k], self._measured[k], total, without)
        scale = max(float(np.abs(values).max()) for values in shown) or 1.0
        both: dict[str, Any] = {"scale": scale, "shown": 6, "most": 6, "passing": True, "column": 1}
        return [
            Units("classes", "It argues for and against", labels, values=total, **both),
            Units("measured", "Logits lost without it", labels, values=without, **both),
        ]

    def _group_links(self, groups: Groups, effects: np.ndarray, measured: np.ndarray) -> list[Any]:
        def strongest(source: str, target: str, values: np.ndarray) -> Ranking:
            atoms = ranked(np.abs(values))[0]
            return Ranking(source, target, atoms, np.take_along_axis(values, atoms, 1))

        evidence = strongest("groups", "classes", effects)
        classes = np.array(self.classes, np.int32)
        own = strongest("groups", "channels", groups.channels)
        # An average of icons shows none of them: cubes let the strongest lead.
        blend = np.maximum(own.values[:, :MIXED], 0) ** 3
        return [
            Ranking("groups", "classes", classes[evidence.atoms], evidence.values),
            strongest("groups", "measured", measured),
            own,
            Mixture("groups", "channels", own.atoms[:, :MIXED], blend),
        ]
