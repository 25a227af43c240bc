"""What every method is made of: scores and gradients from one layer to another, in batched passes."""

import copy
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from lucid_ext.attribution.atoms import Atoms, find_atoms
from lucid_ext.attribution.passes import find_held, share_passes
from lucid_ext.attribution.targets import Targets, find_targets
from lucid_ext.groups import Groups
from lucid_ext.models import VisionModel
from lucid_ext.models.gradients import MANY_PASSES, MANY_PASSES_ALREADY, gradient_overrides
from lucid_ext.models.tracing import trace

BUDGET = 1_000_000_000
"""Bytes that passes may hold at once. With TensorFlow and the network a process stays under 2 GB."""

MOST_ROWS = 64
"""Passes at once; more are not faster."""

HELD_BY_GRADIENTS = 4
"""How many times its activations a backward pass holds at most: themselves, gradients, copies to work on."""


class Problem:
    """From the activations of one layer to scores of a later one.

    This is what a method is given. It asks for scores of other activations (`scores`, `measure`) or
    for gradients (`linear`); how they are batched, and within what memory, is decided here.

    Attributes:
        model: the network.
        source: the earlier layer.
        activations: its (h, w, c) or (c,) for the image.
        targets: what is to be explained, of a later layer.
        atoms: what the activations are taken apart into.
        passes: the targets' numbers, by the backward passes they share.
        held: nodes on other paths, held at the image's values; mostly none.
        score: the targets' scores for the image.
        seed: of `rng`.
        rng: where a method's randomness comes from.
    """

    def __init__(
        self,
        model: VisionModel,
        image: np.ndarray,
        source: str,
        target: Any,
        atoms: Any = "cells",
        baseline: str = "zero",
        seed: int = 0,
        known: Mapping[str, tf.Tensor] | None = None,
    ):
        """Compute the activations and check that everything fits together.

        Args:
            model: the network.
            image: (H, W, 3) in [0, 1].
            source: a layer or node; "input" is the image itself.
            target: see `find_targets`.
            atoms: see `find_atoms`.
            baseline: see `find_atoms`.
            seed: of `rng`.
            known: activations of some layers for the image, (1, h, w, c), where they are there already.

        Raises:
            ValueError: one sentence that says what does not fit.
        """
        if source != "input":
            model.check_layer(source)
        self.model, self.source = model, source
        self.targets: Targets = find_targets(model, target)
        self.held: tuple[str, ...] = find_held(model, source, self.targets.layer)
        free = model.uncapped(source) if isinstance(atoms, Groups) else source
        found = _see(model, image, [source, free, self.targets.layer, *self.held], known or {})
        self.activations = found[source].numpy()[0]
        if not np.all(np.isfinite(self.activations)):
            raise ValueError(
                f"{source} of {model.name} has activations that are not finite for this image, so "
                "nothing can be attributed: check the image and the weights."
            )
        uncapped = found[free].numpy()[0]
        pass_on = functools.partial(model.passed_on, source)
        self.atoms: Atoms = find_atoms(source, self.activations, atoms, baseline, uncapped, pass_on)
        self.seed = seed
        self.rng = np.random.default_rng(seed)
        values = 4 * self.atoms.count * self.targets.count
        if values > BUDGET:
            raise ValueError(
                f"{self.atoms.count:,} {self.atoms.kind} times {self.targets.count:,} targets are "
                f"{values / 1e9:.1f} GB of values: choose coarser atoms or fewer targets."
            )
        params = [_tensor(array) for array in self.targets.params]
        self._given = {
            "params": params,
            "parts": [_tensor(array) for array in self.atoms.parts],
            "held": [found[name] for name in self.held],
            "weights": {},
        }
        spatial = self.activations.ndim == 3
        self.passes, self._seen_rows, self._seen_columns = share_passes(model, source, self.targets, spatial)
        score = self.targets.score(found[self.targets.layer], params).numpy()
        self.score = self._checked(score[0].reshape(self.targets.shape))
        self._share_with([self], {})

    @functools.cached_property
    def score_without(self) -> np.ndarray:
        """The targets' scores with every atom removed: float32 (*targets.shape)."""
        return self._checked(self.scores(self.atoms.baseline[None])[0])

    def with_weights(self, weights: Mapping[str, np.ndarray]) -> "Problem":
        """The same with other weights between source and targets, by node name."""
        other = copy.copy(self)
        other.__dict__.pop("score_without", None)
        other._given = {**self._given, "weights": {name: _tensor(w) for name, w in weights.items()}}
        other._share_with([other], {})
        other.score = other._checked(other.scores(other.activations[None])[0])
        return other

    @staticmethod
    def share(problems: Sequence["Problem"]) -> None:
        """Let problems of one image and the same targets share their backward passes.

        One pass from the targets back to the earliest source goes through the others, so that what
        they ask at their activations is computed together, when the first of them asks for it.

        Args:
            problems: the one of the earliest source first.
        """
        known: dict[tuple, np.ndarray] = {}
        for problem in problems:
            problem._share_with(problems, known)

    def _share_with(self, problems: Sequence["Problem"], known: dict[tuple, np.ndarray]) -> None:
        self._together, self._known = problems, known

    def scores(self, points: np.ndarray) -> np.ndarray:
        """The targets' scores for activations (n, h, w, c): (n, *targets.shape)."""
        rows = self._rows_of_scores()
        found = []
        for i in range(0, len(points), rows):
            given = [_tensor(points[i : i + rows])]
            found.append(self._traced("scores", self._scores, given)(*given, self._given).numpy())
        return np.concatenate(found).reshape(len(points), *self.targets.shape)

    def measure(self, keep: np.ndarray) -> np.ndarray:
        """The targets' scores when only a share of each atom is kept.

        Args:
            keep: (n, *atoms.shape), one keeps an atom, zero removes it.

        Returns:
            float32 (n, *targets.shape).
        """
        return self.scores(self.atoms.compose(keep))

    def linear(
        self,
        points: np.ndarray | None = None,
        weights: np.ndarray | None = None,
        overrides: Mapping[str, str] | None = None,
        targets: np.ndarray | None = None,
    ) -> np.ndarray:
        """Gradients of all targets, times the activations, summed over each atom.

        The sum over points p of weights_p <d score / d a (p), part of the atom>.

        Args:
            points: (p, h, w, c) where gradients are taken; by default at the activations.
            weights: (p,) of the points; by default their mean.
            overrides: {op: registered gradient} to use instead of the true ones.
            targets: (t,) flat numbers of the targets to compute; by default all.

        Returns:
            float32 (*atoms.shape, *targets.shape), or (*atoms.shape, t) of some targets.
        """
        overrides = dict(overrides or {})
        if points is None:
            how = tuple(sorted(overrides.items()))
            if (self.source, how) not in self._known:
                first = self._together[0]
                each = first._gradients(self._together, first.activations[None], np.ones(1), overrides, None)
                for problem, found in zip(self._together, each, strict=True):
                    self._known[problem.source, how] = found
            sums = self._known[self.source, how]
        else:
            weights = np.full(len(points), 1 / len(points)) if weights is None else weights
            (sums,) = self._gradients([self], points, weights, overrides, targets)
        if targets is not None:
            return np.moveaxis(sums[targets], 0, -1)
        return np.moveaxis(sums, 0, -1).reshape((*self.atoms.shape, *self.targets.shape))

    def keep_first(self, order: np.ndarray, counts: Sequence[int] | np.ndarray) -> np.ndarray:
        """The targets' scores when only the first few atoms of an order are kept.

        Args:
            order: (atoms.count,) flat numbers of the atoms.
            counts: (n,) how many are kept.

        Returns:
            float32 (n, *targets.shape).
        """
        rank = np.empty(self.atoms.count, np.int64)
        rank[order] = np.arange(self.atoms.count)
        return self._measure_by(lambda k: rank < k[:, None], np.asarray(counts))

    def remove_each(self, some: Sequence[int] | None = None) -> np.ndarray:
        """How much lower each score is without each atom: (*atoms.shape, *targets.shape).

        Args:
            some: (n,) flat numbers of atoms, to remove only these: (n, *targets.shape).
        """
        everyone = np.arange(self.atoms.count)
        removed = everyone if some is None else np.asarray(some)
        lost = self.score - self._measure_by(lambda i: everyone != i[:, None], removed)
        return lost if some is not None else lost.reshape((*self.atoms.shape, *self.targets.shape))

    def _measure_by(self, keep: Callable, numbers: np.ndarray) -> np.ndarray:
        """`measure` of what `keep` makes of numbers, a few at a time."""
        rows = self._rows_of_scores()
        chunks = [numbers[i : i + rows] for i in range(0, len(numbers), rows)]
        return np.concatenate([self.measure(keep(k).reshape(-1, *self.atoms.shape)) for k in chunks])

    def _checked(self, score: np.ndarray) -> np.ndarray:
        if not np.all(np.isfinite(score)):
            raise ValueError(f"{self.targets.name} is not finite for this image: nothing can be attributed.")
        return score

    def _layers(self, points: tf.Tensor, given: dict[str, Any], fetch: Sequence[str]) -> list[tf.Tensor]:
        """Later layers for a batch of activations, to be traced."""
        held = {
            name: tf.repeat(value, tf.shape(points)[0], 0)
            for name, value in zip(self.held, given["held"], strict=True)
        }
        start = self.model.to_range(points) if self.source == "input" else points
        return self.model.splice({**given["weights"], **held, self.source: start}, fetch)

    def _scores(self, points: tf.Tensor, given: dict[str, Any]) -> tf.Tensor:
        """The scores (n, count) of a batch, to be traced."""
        (layer,) = self._layers(points, given, [self.targets.layer])
        return self.targets.score(layer, given["params"])

    def _gradients(
        self,
        problems: Sequence["Problem"],
        points: np.ndarray,
        weights: np.ndarray,
        overrides: dict[str, str],
        targets: np.ndarray | None,
    ) -> list[np.ndarray]:
        """For each problem, the sum over points of its targets' gradients: (targets, *atoms.shape).

        `problems` are this one, and others that share its passes.
        """
        passes = self.passes
        if targets is not None:
            passes = [shared for p in passes if len(shared := p[np.isin(p, targets)])]
        one, count = len(passes) == 1, self.targets.count
        ops = self.model.ops(self.source, self.targets.layer)
        # Without gradients for more rows than went forward, each pass has a forward pass of its own.
        many = not one and ops <= {*MANY_PASSES, *MANY_PASSES_ALREADY}
        overrides = {**(MANY_PASSES if many else {}), **overrides}
        run = functools.partial(self._linear, problems=problems, overrides=overrides, one=one, many=many)
        what = f"linear {overrides} {one} {many} {[(p.source, p.atoms.kind) for p in problems]}"
        parts = [problem._given["parts"] for problem in problems]
        sums = [np.zeros((count, *problem.atoms.shape), np.float32) for problem in problems]

        def inputs(chunk: slice, passes: Sequence[np.ndarray]) -> list[Any]:
            own = np.concatenate(passes)
            of_pass = np.repeat(np.arange(len(passes)), [len(p) for p in passes])
            masks = np.zeros((len(passes), count), np.float32)
            masks[of_pass, own] = 1
            # Either one pass and many points, or many passes and one point.
            seeds = weights[chunk, None] * masks
            seen = [(problem._seen_rows[own], problem._seen_columns[own]) for problem in problems]
            arrays = [points[chunk], seeds, of_pass, seen, parts]
            return tf.nest.map_structure(lambda a: a if tf.is_tensor(a) else _tensor(a), arrays)

        traced = self._traced(what, run, inputs(slice(0, 1), passes))
        rows = self._rows(traced, HELD_BY_GRADIENTS)
        step = rows if one else 1
        for i in range(0, len(points), step):
            for j in range(0, len(passes), rows):
                some = passes[j : j + rows]
                found = traced(*tf.nest.flatten([*inputs(slice(i, i + step), some), self._given]))
                for total, values in zip(sums, found, strict=True):
                    total[np.concatenate(some)] += values.numpy()
        return sums

    def _linear(
        self,
        points: tf.Tensor,
        seeds: tf.Tensor,
        of_pass: tf.Tensor,
        seen: Sequence[tuple[tf.Tensor, tf.Tensor]],
        parts: Sequence[Sequence[tf.Tensor]],
        given: dict[str, Any],
        *,
        problems: Sequence["Problem"],
        overrides: dict[str, str],
        one: bool,
        many: bool,
    ) -> list[tf.Tensor]:
        """Gradients of targets, contracted: for each problem (targets, *atoms.shape); to be traced.

        A backward pass for each row of `seeds`, the weights of the scores in it. Target i reads from
        pass `of_pass[i]` what lies in its own rows and columns.
        """
        if not many:
            points = tf.repeat(points, tf.shape(seeds)[0] // tf.shape(points)[0], 0)
        others = [problem.source for problem in problems[1:]]
        with gradient_overrides(overrides):
            layer, *sources = self._layers(points, given, [self.targets.layer, *others])
        repeated = tf.repeat(layer, tf.shape(seeds)[0] // tf.shape(layer)[0], 0)
        (seed,) = tf.gradients(self.targets.score(repeated, given["params"]), repeated, seeds)
        gradients = tf.gradients(layer, [points, *sources], seed)
        if any(gradient is None for gradient in gradients):
            raise ValueError(f"{self.targets.layer} has no gradient with respect to {self.source}.")
        if one:
            gradients = [tf.reduce_sum(gradient, 0, keepdims=True) for gradient in gradients]
        shared = one or len(self.passes) < self.targets.count
        return [
            problem._contract(gradient, of_pass if shared else None, *own, part)
            for problem, gradient, own, part in zip(problems, gradients, seen, parts, strict=True)
        ]

    def _contract(
        self,
        gradients: tf.Tensor,
        of_pass: tf.Tensor | None,
        rows: tf.Tensor,
        columns: tf.Tensor,
        parts: Sequence[tf.Tensor],
    ) -> tf.Tensor:
        """Gradients of passes as shares of the atoms for each target: (targets, *atoms.shape)."""
        contract = functools.partial(self.atoms.contract, parts=parts)
        if of_pass is None:  # each target has its own
            return contract(gradients)
        if self.activations.ndim != 3:
            return contract(tf.gather(gradients, of_pass))
        seen = rows[:, :, None] * columns[:, None, :]
        if self.atoms.kind == "cells":
            return tf.gather(contract(gradients), of_pass) * seen
        return contract(tf.gather(gradients, of_pass) * seen[..., None])

    def _traced(self, what: str, run: Callable, inputs: Sequence[Any]) -> Any:
        """`run(*inputs, given)`, traced once for all problems alike and kept with the network."""

        def spec(tensor: tf.Tensor) -> tf.TensorSpec:
            return tf.TensorSpec([None, *tensor.shape[1:]], tensor.dtype)

        specs = tf.nest.map_structure(spec, list(inputs[:4])) + list(inputs[4:])
        specs = [*specs, self._given]
        specs = tf.nest.map_structure(
            lambda t: tf.TensorSpec(t.shape, t.dtype) if tf.is_tensor(t) else t, specs
        )
        key = (what, self.source, self.targets.layer, self.targets.kind, self.atoms.kind, str(specs))
        known = self.model.memo.setdefault("attribution", {})
        if key not in known:
            known[key] = trace(lambda *given: run(*given), *specs)
        return known[key]

    def _rows_of_scores(self) -> int:
        traced = self._traced("scores", self._scores, [_tensor(self.activations[None])])
        return self._rows(traced, 1)

    def _rows(self, traced: Any, held: int) -> int:
        """How many rows of a batch the budget allows, by what lies between source and targets."""
        ops = [op for op in traced.graph.get_operations() if op.name.startswith("network")]
        forward = 4 * sum(math.prod(t.shape[1:]) for op in ops for t in op.outputs if t.shape.rank)
        shared = math.ceil(self.targets.count / len(self.passes))
        row = held * forward + 4 * self.activations.size * (2 + shared * (self.atoms.kind != "cells"))
        return int(np.clip(BUDGET // row, 1, MOST_ROWS))


def _see(
    model: VisionModel, image: np.ndarray, layers: Sequence[str], known: Mapping[str, tf.Tensor]
) -> dict[str, tf.Tensor]:
    """Activations of layers for an image, (1, h, w, c); of "input", the image as the network sees it."""
    missing = [name for name in dict.fromkeys(layers) if name not in known]
    if not missing:
        return dict(known)
    seen = model.prepare(image)[None]
    fetch = [name for name in missing if name != "input"]
    found = dict(zip(fetch, model.function("input", fetch)(seen), strict=True)) if fetch else {}
    return {**known, "input": tf.constant(seen), **found}


def _tensor(array: np.ndarray) -> tf.Tensor:
    """Whole numbers as int64, all others as float32."""
    return tf.constant(array, tf.int64 if array.dtype == np.int64 else tf.float32)
