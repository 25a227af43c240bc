"""`attribute`: who influenced whom, between any two layers."""

import dataclasses
import functools
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from lucid_ext.attribution.gap import completeness_gap
from lucid_ext.attribution.methods import run
from lucid_ext.attribution.problem import Problem
from lucid_ext.attribution.registry import METHODS
from lucid_ext.attribution.targets import EPSILON, find_targets
from lucid_ext.attribution.trust import Trust, trust
from lucid_ext.models import VisionModel
from lucid_ext.models.images import as_picture


@dataclasses.dataclass(frozen=True, eq=False)
class Attribution:
    """How much each atom of a layer speaks for (positive) or against (negative) each target.

    Attributes:
        values: float32 (*atoms.shape, *targets.shape), in units of the targets' scores; for cells
            to cells (h, w, H, W).
        errors: standard errors of the values, for methods that sample, or None.
        method: its name.
        options: of the method.
        notes: sentences that must be read with the values; mostly none.
        problem: what was asked: network, activations, atoms, targets.
    """

    values: np.ndarray
    errors: np.ndarray | None
    method: str
    options: Mapping[str, Any]
    notes: tuple[str, ...]
    problem: Problem

    @property
    def score(self) -> np.ndarray:
        """The targets' scores for the image: float32 (*targets.shape)."""
        return self.problem.score

    @property
    def change(self) -> np.ndarray:
        """The score minus that with every atom removed: float32 (*targets.shape)."""
        return self.problem.score - self.problem.score_without

    @functools.cached_property
    def gap(self) -> np.ndarray:
        """The completeness gap, float32 (*targets.shape).

        |change - sum of values| / max(|change|, 0.01 * sum |values|).
        """
        return completeness_gap(self.values, self.change)

    @property
    def source(self) -> str:
        """The earlier layer."""
        return self.problem.source

    @property
    def target(self) -> str:
        """What was explained, in words."""
        return self.problem.targets.name

    @property
    def target_names(self) -> tuple[str, ...]:
        """One for each target, in the order of the values' last axes, flattened."""
        return tuple(self.problem.targets.name_of(i) for i in range(self.problem.targets.count))

    @property
    def atoms(self) -> str:
        """The kind of the atoms."""
        return self.problem.atoms.kind

    def trust(self, **options: Any) -> Trust:
        """How far to believe it; see `lucid_ext.attribution.trust`."""
        return trust(self.problem, self.method, self.values, self.options, **options)

    def __repr__(self) -> str:
        """What it is, its gap and its notes, in one line each."""
        gap = f"completeness gap {float(np.median(self.gap)):.1%}"
        if self.gap.size > 1:
            gap += f", at worst {float(self.gap.max()):.1%}"
        lines = [
            f"Attribution({self.source} {self.atoms} to {self.target}, {self.method}, "
            f"{' x '.join(map(str, self.values.shape)) or 'one value'}, {gap})",
            *self.notes,
        ]
        return "\n".join(lines)


def attribute(
    model: VisionModel,
    image: Any,
    source: str,
    target: Any,
    method: str = "gradient",
    atoms: Any = "cells",
    seed: int = 0,
    *,
    baseline: str = "zero",
    **options: Any,
) -> Attribution:
    """Share out scores of a later layer among the parts of an earlier one.

    Args:
        model: the network.
        image: anything `load_image` takes.
        source: the earlier layer, any node, or "input".
        target: what to explain: a class by name or number, (class_a, class_b) for the difference of
            their logits, a list of classes, "logsumexp", (layer, "cells"), (layer, "channels"),
            (layer, (y, x)), (layer, channel), (layer, [channel, ...]), (layer, direction) or
            (layer, Groups).
        method: "gradient", "path", "smooth_maxpool", "ablation", "shapley", "random", or one added
            with `lucid_ext.attribution.method`.
        atoms: "cells", "channels", "neurons", "layer", or `Groups` of the source's activations.
        seed: of methods that sample.
        baseline: what a removed atom becomes, "zero" or the "mean" over positions.
        options: of the method, as `steps=64` of "path" or `permutations=100` of "shapley".

    Returns:
        Values (*atoms.shape, *targets.shape), with what is to be known about them.

    Raises:
        ValueError: one sentence that says what does not fit.
    """
    problem = Problem(model, as_picture(image), source, target, atoms, baseline, seed)
    return explain(problem, method, **options)


def explain(problem: Problem, method: str, **options: Any) -> Attribution:
    """Share out a problem's scores; `attribute` for who has a `Problem` already."""
    values, errors = run(method, problem, **options)
    return Attribution(values, errors, method, options, tuple(_notes(problem, values)), problem)


def compare(
    model: VisionModel,
    image: Any,
    source: str,
    target: Any,
    methods: Sequence[str] | None = None,
    atoms: Any = "cells",
    seed: int = 0,
    *,
    baseline: str = "zero",
) -> dict[str, Attribution]:
    """The same question answered by several methods, by default by all that answer for such atoms."""
    problem = Problem(model, as_picture(image), source, target, atoms, baseline, seed)
    return {name: explain(problem, name) for name in methods or METHODS.for_atoms(problem.atoms.kind)}


def from_layers(
    model: VisionModel,
    image: Any,
    sources: Sequence[str],
    target: Any,
    method: str = "gradient",
    seed: int = 0,
    *,
    atoms: str = "cells",
    known: Mapping[str, tf.Tensor] | None = None,
    **options: Any,
) -> dict[str, Attribution]:
    """Atoms of several layers to one target: {source: what `attribute` gives}, with shared passes.

    Args:
        model: the network.
        image: anything `load_image` takes.
        sources: layers on one path, in the order of the network; of cells, layers with positions.
        target: see `attribute`; of a layer after all of them.
        method: see `attribute`.
        seed: of methods that sample.
        atoms: of every source, by name; see `attribute`.
        known: see `Problem`.
        options: of the method.
    """
    picture = as_picture(image)
    layer = find_targets(model, target).layer
    if known is None:
        names = [*(s for s in sources if s != "input"), layer]
        known = dict(zip(names, model.function("input", names)(model.prepare(picture)[None]), strict=True))
    problems = [Problem(model, picture, source, target, atoms, seed=seed, known=known) for source in sources]
    Problem.share(problems)
    return {problem.source: explain(problem, method, **options) for problem in problems}


def between(
    model: VisionModel,
    image: Any,
    layers: Sequence[str],
    method: str = "gradient",
    seed: int = 0,
    **options: Any,
) -> dict[tuple[str, str], Attribution]:
    """Cells to cells for all pairs of layers: {(source, target): values (h, w, H, W)}.

    Args:
        model: the network.
        image: anything `load_image` takes.
        layers: with positions, in the order of the network.
        method: see `attribute`.
        seed: of methods that sample.
        options: of the method.
    """
    picture = as_picture(image)
    for layer in layers:
        model.check_layer(layer)
    known = dict(zip(layers, model.function("input", layers)(model.prepare(picture)[None]), strict=True))
    found = {
        target: from_layers(
            model, picture, layers[:i], (target, "cells"), method, seed, known=known, **options
        )
        for i, target in enumerate(layers)
        if i
    }
    return {pair: found[pair[1]][pair[0]] for pair in itertools.combinations(layers, 2)}


def _notes(problem: Problem, values: np.ndarray) -> list[str]:
    """What would otherwise be a silent black picture, in sentences."""
    targets, notes = problem.targets, []
    if problem.held:
        notes.append(
            f"The image reaches {targets.layer} around {problem.source} too; "
            f"{', '.join(problem.held)} is held at its values."
        )
    score = problem.score.reshape(-1)
    dead = score <= 2 * EPSILON**0.5 if targets.kind == "norms" else score == 0
    if dead.any():
        notes.append(
            f"{_several(problem, dead)} zero for this image, so there is nothing to attribute to it: "
            "choose a place or a unit that responds."
        )
    flat = ~dead & ~values.reshape(problem.atoms.count, -1).any(0)
    if flat.any():
        notes.append(
            f"{_several(problem, flat)} not influenced by any atom of {problem.source}: every value is "
            "exactly zero, as where the network is certain; try method 'ablation', or a class's logit."
        )
    return notes


def _several(problem: Problem, which: np.ndarray) -> str:
    if problem.targets.count == 1:
        return f"{problem.targets.name} is"
    first = problem.targets.name_of(int(np.flatnonzero(which)[0]))
    return f"{which.sum()} of {which.size} {problem.targets.name} (first {first}) are"
