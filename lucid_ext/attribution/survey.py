"""Between which layers attribution can be believed: asked of many pictures."""

import dataclasses
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from lucid_ext.attribution.attribute import explain
from lucid_ext.attribution.passes import find_dependencies
from lucid_ext.attribution.problem import Problem
from lucid_ext.attribution.registry import METHODS
from lucid_ext.attribution.trust import agree
from lucid_ext.models import VisionModel

REMOVED = 40  # cells of a source that are removed, each alone, drawn at random


@dataclasses.dataclass(frozen=True, eq=False)
class LayerSurvey:
    """How far methods agree with what removing cells does, from each layer to each later one.

    Arrays are float32 (pictures, methods, layers, layers + 1): of a picture, by a method, from one
    layer to another, or in the last column to the class; NaN where the target is not later.

    Attributes:
        layers: in the order of the network.
        methods: their names.
        spearman: rank correlation of values with the measured effects of the removed cells.
        signs: share of those cells whose sign is that of the measured effect.
        gap: completeness gap.
    """

    layers: tuple[str, ...]
    methods: tuple[str, ...]
    spearman: np.ndarray
    signs: np.ndarray
    gap: np.ndarray

    def by_distance(self, what: str = "spearman", to_class: bool = False) -> dict[int, np.ndarray]:
        """{layers from source to target: (methods, n) the numbers of all pictures and such pairs}."""
        table = getattr(self, what)
        count = len(self.layers)
        found: dict[int, list[np.ndarray]] = {}
        for i, j in itertools.combinations(range(count + 1), 2):
            if to_class == (j == count):
                found.setdefault(j - i, []).append(table[:, :, i, j].T)
        return {distance: np.concatenate(parts, 1) for distance, parts in sorted(found.items())}

    def median(self, what: str = "spearman", method: str = "gradient") -> np.ndarray:
        """(layers, layers + 1), over the pictures; NaN where the target is not later."""
        table = getattr(self, what)[:, self.methods.index(method)]
        found = np.full(table.shape[1:], np.nan, np.float32)
        for i, j in itertools.combinations(range(len(self.layers) + 1), 2):
            found[i, j] = np.nanmedian(table[:, i, j])
        return found


def survey(
    model: VisionModel,
    images: Iterable[np.ndarray],
    layers: Sequence[str],
    methods: Sequence[str] = ("gradient", "path"),
    *,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    removed: int = REMOVED,
    seed: int = 0,
) -> LayerSurvey:
    """Ask of every picture, for every pair of layers, what a method predicts and what is measured.

    The target is the later layer's strongest cell, and, for each layer, the logit of the most
    probable class. The effect is measured of a random sample of the cells the target depends on,
    each removed alone.

    Args:
        model: the network.
        images: (H, W, 3) in [0, 1]; each is asked for once.
        layers: with positions, in the order of the network.
        methods: see `attribute`.
        options: {method: its options}; without, a method has its quick ones.
        removed: how many cells of a source are removed, at most.
        seed: of the sample, and of methods that sample.

    Raises:
        ValueError: there is no picture, or no such layer or method.
    """
    for layer in layers:
        model.check_spatial(layer)
    asked = {name: METHODS.named(name).quick for name in methods}
    asked.update(options or {})
    tables: list[np.ndarray] = []
    names = [*layers, model.logits]
    for image in images:
        table = np.full((3, len(methods), len(layers), len(names)), np.nan, np.float32)
        tensors = model.function("input", names)(model.prepare(image)[None])
        known = dict(zip(names, tensors, strict=True))
        targets = [_strongest(name, known[name].numpy()[0]) for name in names]
        for i, j in itertools.combinations(range(len(names)), 2):
            problem = Problem(model, image, layers[i], targets[j], seed=seed, known=known)
            cells = np.random.default_rng(seed).permutation(_influential(problem))[:removed]
            measured = _effects(problem, cells)
            for m, method in enumerate(methods):
                found = explain(problem, method, **asked[method])
                alike = agree(found.values.ravel()[cells], measured)
                table[:, m, i, j] = alike.spearman, alike.signs, found.gap
        tables.append(table)
    if not tables:
        raise ValueError("there is no picture to survey; expected at least one.")
    spearman, signs, gap = np.stack(tables, 1)
    return LayerSurvey(tuple(layers), tuple(methods), spearman, signs, gap)


def _influential(problem: Problem) -> np.ndarray:
    """The cells the target can depend on; that the others have no effect is no prediction."""
    cells = problem.targets.cells
    if cells is None:
        return np.arange(problem.atoms.count)
    rows, columns = find_dependencies(problem.model, problem.source, problem.targets.layer)
    y, x = divmod(int(cells[0]), len(columns))
    return np.flatnonzero(rows[y][:, None] & columns[x])


def _strongest(name: str, acts: np.ndarray) -> Any:
    """The target that stands for a layer: its strongest cell, or of the logits the largest."""
    if acts.ndim == 1:
        return int(acts.argmax())
    y, x = np.unravel_index(int(np.linalg.norm(acts, axis=-1).argmax()), acts.shape[:2])
    return name, (int(y), int(x))


def _effects(problem: Problem, cells: np.ndarray) -> np.ndarray:
    """How much the score falls without each of some cells: (n,)."""
    keep = np.ones((len(cells), problem.atoms.count), np.float32)
    keep[np.arange(len(cells)), cells] = 0
    return problem.score - problem.measure(keep.reshape(-1, *problem.atoms.shape))
