"""One question, every method: what each says of every place, and how far they agree."""

import dataclasses
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lucid_ext.attribution import METHODS, Agreement, Attribution, agree, attribute, find_class
from lucid_ext.board import Board, Grid, Heat, Ranking, Units, literal
from lucid_ext.interfaces.parts.methods import agreement, menu_label, offered, warning
from lucid_ext.live.interface import Interface
from lucid_ext.models import VisionModel

CLASSES = 5  # the most probable ones
AGAIN = 2.0  # seconds; what took less is run again, so that its time is without tracing

READING = (
    "Every picture shows the same class by another method, all on one scale: clear cells matter, blue and + "
    "for the class, brown and \u2212 against. Point at another class, or pick a cell to read what each says."
)
FORMULA = (
    r"s_{y,x} \approx \text{logit}_k(a) - \text{logit}_k(a \text{ without } y,x), \qquad "
    r"\text{gap} = \frac{\left| \Delta - \sum s \right|}{\max(|\Delta|,\, 0.01 \sum |s|)}"
)


class MethodComparison(Interface):
    """A picture for each method of attribution, of the same classes, on a scale for all.

    Attributes:
        layer: whose cells are asked about.
        methods: their names, in the order shown.
        found: {method: `Attribution` of the classes}.
        seconds: {method: how long it took}.
        target: the number of the class to begin with.
    """

    def __init__(
        self,
        model: VisionModel,
        image: Any,
        layer: str | None = None,
        methods: Sequence[str] | None = None,
        *,
        target: Any = None,
        seed: int = 0,
    ):
        """Ask every method.

        Args:
            model: the network.
            image: anything `load_image` takes.
            layer: with positions; by default the one the network's card opens with (`model.opening`).
            methods: by default all that answer for cells, those of your own included; slow ones with
                their quick options, all others as they are.
            target: the class, by name or number, to begin with; by default the most probable one.
            seed: of methods that sample.
        """
        self.layer = layer or model.opening.layer
        model.check_spatial(self.layer)
        methods = list(methods or METHODS.for_atoms("cells"))
        self.methods = offered(methods[0], "cells", methods)
        self._chosen = None if target is None else find_class(model, target)
        self._seed = seed
        super().__init__(model, image, {}, {})

    def analyze(self, image: np.ndarray) -> None:
        """Ask every method about the most probable classes, and take its time."""
        self._odds = self.model.activations(image, self.model.softmax)
        likely = np.argsort(-self._odds, kind="stable")[:CLASSES].tolist()
        self.target = likely[0] if self._chosen is None else self._chosen
        self._classes = list(dict.fromkeys([self.target, *likely]))
        self.found: dict[str, Attribution] = {}
        self.seconds: dict[str, float] = {}
        for method in self.methods:
            facts = METHODS.named(method)
            options = facts.quick if facts.cost == "slow" else {}
            self.set_status(warning(method, "cells"))
            for _ in range(2):
                start = time.perf_counter()
                self.found[method] = attribute(
                    self.model,
                    image,
                    self.layer,
                    self._classes,
                    method,
                    seed=self._seed,
                    **options,
                )
                self.seconds[method] = time.perf_counter() - start
                if self.seconds[method] > AGAIN:
                    break
        self.set_status("")

    def values(self, method: str) -> np.ndarray:
        """What a method says of the class to begin with: float32 (h, w)."""
        return self.found[method].values[..., 0]

    def gap(self, method: str) -> float:
        """The completeness gap of a method for that class."""
        return float(self.found[method].gap[0])

    def agreement(self, a: str, b: str) -> Agreement:
        """How alike two methods are for that class."""
        return agree(self.values(a), self.values(b))

    def table(self, what: str) -> np.ndarray:
        """(methods, methods) of "spearman", "top" or "signs", as in `Agreement`."""
        return np.array(
            [[getattr(self.agreement(a, b), what) for b in self.methods] for a in self.methods], np.float32
        )

    def make_board(self, choice: Mapping[str, str]) -> Board:
        """A grid for each method, and what each says of the selected cell."""
        labels, name = self.model.labels, self.model.labels[self.target]
        rows, cols, _ = self.model.layers[self.layer]
        said = np.stack([self.values(method).ravel() for method in self.methods], 1)
        grids = [
            Grid(method, menu_label(method), self.picture, rows, cols, start=None, note=self._note(method))
            for method in self.methods
        ]
        grids[0] = dataclasses.replace(grids[0], start=int(np.abs(said[:, 0]).argmax()))
        largest = float(np.abs(said).max()) or 1.0
        each = Units(
            "said",
            f"What each says of the cell, for {name}",
            self.methods,
            scale=largest,
            shown=len(self.methods),
            most=len(self.methods),
        )
        prediction = Units(
            "prediction", "Prediction", labels, values=self._odds, format="percent", start=self.target
        )
        everyone = np.tile(np.arange(len(self.methods), dtype=np.int32), (len(said), 1))
        scale = np.ones(len(labels), np.float32)
        evidence = np.stack([self.found[method].values for method in self.methods])
        scale[self._classes] = np.maximum(np.abs(evidence).max((0, 1, 2)), 1e-12)
        listed = ", ".join(f"{{said.{i}}} {{said.{i}.value}}" for i in range(1, len(self.methods) + 1))
        lights = []
        for method in self.methods:
            weights = np.zeros((len(labels), rows * cols), np.float32)
            weights[self._classes] = self.found[method].values.reshape(rows * cols, -1).T
            lights.append(Heat("prediction", method, weights, scale, "evidence, one scale for all methods"))
        return Board(
            title=f"What every method says of {self.layer}",
            reading=READING,
            panels=[*grids, each, prediction],
            links=[Ranking(self.methods[0], "said", everyone, said), *lights],
            formula=FORMULA,
            caption=[
                *(f"At {{{method}}}, for {literal(name)}: {listed}." for method in self.methods),
                "{prediction}: its evidence by every method, for it and against it, on one scale.",
            ],
            choice=choice,
        )

    def _note(self, method: str) -> str:
        parts = [f"gap {self.gap(method):.0%}", f"{self.seconds[method]:.2f} s"]
        measured = next((name for name in self.methods if METHODS.named(name).kind == "measurement"), None)
        if measured and method != measured:
            alike = self.agreement(method, measured)
            parts.insert(1, agreement(alike.spearman, alike.signs))
            return f"Against measured: {', '.join(parts)}."
        return f"{'Measured' if method == measured else method}: {', '.join(parts)}."
