"""What every method is made of: scores and gradients from one layer to another, in batched passes."""

import copy
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from lucid_ext.attribution.atoms import Atoms, find_atoms
from lucid_ext.attribution.targets import Targets, find_targets
from lucid_ext.models import VisionModel
from lucid_ext.models.gradients import MAX_POOL, gradient_overrides

BUDGET = 1_000_000_000
"""Bytes that passes may hold at once. With TensorFlow and the network a process stays under 2 GB."""

MOST_ROWS = 64
"""Passes at once; more are not faster."""

HELD_BY_GRADIENTS = 3
"""How many times its activations a backward pass holds at most: gradients, and copies to work on."""


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
        score_without: the same with every atom removed.
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

        Raises:
            ValueError: one sentence that says what does not fit.
        """
        if source != "input":
            model.check_layer(source)
        self.model, self.source = model, source
        self.targets: Targets = find_targets(model, target)
        known = model.memo.setdefault("held", {})
        layers = (source, self.targets.layer)
        if layers not in known:
            check_order(model, *layers)
            known[layers] = tuple(model.held(source, [self.targets.layer]))
        self.held: tuple[str, ...] = known[layers]
        seen = model.prepare(image)
        found = model.function("input", [source, *self.held])(seen[None])
        self.activations = seen if source == "input" else found[0].numpy()[0]
        if not np.all(np.isfinite(self.activations)):
            raise ValueError(
                f"{source} of {model.name} has activations that are not finite for this image, so "
                "nothing can be attributed: check the image and the weights."
            )
        self.atoms: Atoms = find_atoms(source, self.activations, atoms, baseline)
        self.seed = seed
        self.rng = np.random.default_rng(seed)
        values = 4 * self.atoms.count * self.targets.count
        if values > BUDGET:
            raise ValueError(
                f"{self.atoms.count:,} {self.atoms.kind} times {self.targets.count:,} targets are "
                f"{values / 1e9:.1f} GB of values: choose coarser atoms or fewer targets."
            )
        self._given = {
            "params": [_tensor(array) for array in self.targets.params],
            "parts": [_tensor(array) for array in self.atoms.parts],
            "held": found[1:],
            "weights": {},
        }
        self.passes = self._share_passes()
        self._bytes = self._bytes_of_a_pass()
        self._find_ends()

    def with_weights(self, weights: Mapping[str, np.ndarray]) -> "Problem":
        """The same with other weights between source and targets, by node name."""
        other = copy.copy(self)
        other._given = {**self._given, "weights": {name: _tensor(w) for name, w in weights.items()}}
        other._find_ends()
        return other

    def scores(self, points: np.ndarray) -> np.ndarray:
        """The targets' scores for activations (n, h, w, c): (n, *targets.shape)."""
        rows = self._rows(1)
        found = [self._run("scores", self._scores, points[i : i + rows]) for i in range(0, len(points), rows)]
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
    ) -> np.ndarray:
        """Gradients of all targets, times the activations, summed over each atom.

        The sum over points p of weights_p <d score / d a (p), part of the atom>.

        Args:
            points: (p, h, w, c) where gradients are taken; by default at the activations.
            weights: (p,) of the points; by default their mean.
            overrides: {op: registered gradient} to use instead of the true ones.

        Returns:
            float32 (*atoms.shape, *targets.shape).
        """
        points = self.activations[None] if points is None else points
        weights = np.full(len(points), 1 / len(points)) if weights is None else weights
        # One backward pass for each forward pass has nothing to save there.
        overrides = {**(MAX_POOL if len(self.passes) > 1 else {}), **(overrides or {})}
        run = functools.partial(self._linear, overrides=overrides)
        rows = self._rows(HELD_BY_GRADIENTS)
        together = max(1, rows // len(self.passes))  # points in one batch
        sums = np.zeros((self.targets.count, *self.atoms.shape), np.float32)
        for i in range(0, len(points), together):
            given = points[i : i + together], weights[i : i + together]
            for j in range(0, len(self.passes), rows):
                passes = self.passes[j : j + rows]
                targets = np.concatenate(passes)
                of_pass = np.repeat(np.arange(len(passes)), [len(p) for p in passes])
                masks = np.zeros((len(passes), self.targets.count))
                masks[of_pass, targets] = 1
                own = self._seen_rows[targets], self._seen_columns[targets]
                sums[targets] += self._run(f"linear {overrides}", run, *given, masks, of_pass, *own)
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
        rows = self._rows(1)
        chunks = [numbers[i : i + rows] for i in range(0, len(numbers), rows)]
        return np.concatenate([self.measure(keep(k).reshape(-1, *self.atoms.shape)) for k in chunks])

    def _find_ends(self) -> None:
        ends = self.scores(np.stack([self.activations, self.atoms.baseline]))
        if not np.all(np.isfinite(ends)):
            raise ValueError(f"{self.targets.name} is not finite for this image: nothing can be attributed.")
        self.score, self.score_without = ends

    def _share_passes(self) -> list[np.ndarray]:
        """Targets, by the backward passes they can share: those that depend on different cells.

        Along each axis, targets a stride apart depend on different cells; the smallest such stride
        is used. They get their gradients from one pass, each its own part of the picture.
        """
        cells = self.targets.cells
        self._seen_rows = self._seen_columns = np.ones((self.targets.count, 1))
        alone = [np.array([i]) for i in range(self.targets.count)]
        if cells is None or len(cells) == 1 or self.activations.ndim != 3:
            return alone
        known = self.model.memo.setdefault("dependencies", {})
        layers = (self.source, self.targets.layer)
        if layers not in known:
            known[layers] = self.model.dependencies(*layers)
        rows, columns = known[layers]
        stride_y, stride_x = _stride(rows), _stride(columns)
        y, x = np.divmod(cells, len(columns))
        number = (y % stride_y) * stride_x + x % stride_x
        if len(np.unique(number)) == len(cells):
            return alone
        self._seen_rows, self._seen_columns = rows[y], columns[x]
        return [np.flatnonzero(number == k) for k in np.unique(number)]

    def _scores(self, points: tf.Tensor, given: dict[str, Any]) -> tf.Tensor:
        """The scores (n, count) of a batch, to be traced."""
        held = {
            name: tf.repeat(value, tf.shape(points)[0], 0)
            for name, value in zip(self.held, given["held"], strict=True)
        }
        start = self.model.to_range(points) if self.source == "input" else points
        replaced = {**given["weights"], **held, self.source: start}
        (layer,) = self.model.splice(replaced, [self.targets.layer])
        return self.targets.score(layer, given["params"])

    def _linear(
        self,
        points: tf.Tensor,
        weights: tf.Tensor,
        masks: tf.Tensor,
        of_pass: tf.Tensor,
        rows: tf.Tensor,
        columns: tf.Tensor,
        given: dict[str, Any],
        overrides: dict[str, str],
    ) -> tf.Tensor:
        """Gradients of targets, contracted: (targets, *atoms.shape); to be traced.

        One forward pass for the points, and for each row of `masks` a backward pass for the targets
        it chooses; target i reads from pass `of_pass[i]` what lies in its own rows and columns.
        """
        with gradient_overrides(overrides):
            scores = self._scores(points, given)

        def backward(mask: tf.Tensor) -> tf.Tensor:
            (gradient,) = tf.gradients(scores, points, weights[:, None] * mask)
            if gradient is None:
                raise ValueError(f"{self.targets.layer} has no gradient with respect to {self.source}.")
            return tf.reduce_sum(gradient, 0)

        one = len(self.passes) == 1  # no need to trace for many
        gradients = backward(masks[0])[None] if one else tf.vectorized_map(backward, masks)
        contract = functools.partial(self.atoms.contract, parts=given["parts"])
        if len(self.passes) == self.targets.count:
            return contract(gradients)
        seen = rows[:, :, None] * columns[:, None, :]
        if self.atoms.kind == "cells":
            return tf.gather(contract(gradients), of_pass) * seen
        return contract(tf.gather(gradients, of_pass) * seen[..., None])

    def _run(self, what: str, run: Callable, *inputs: np.ndarray) -> np.ndarray:
        """Run `run(*inputs, given)`, traced once for all problems alike and kept with the network."""
        tensors = [_tensor(array) for array in inputs]
        specs = [tf.TensorSpec([None, *t.shape[1:]], t.dtype) for t in tensors]
        return self._traced(what, run, specs)(*tensors, self._given).numpy()

    def _traced(self, what: str, run: Callable, specs: Sequence[tf.TensorSpec]) -> Any:
        specs = [*specs, tf.nest.map_structure(lambda t: tf.TensorSpec(t.shape, t.dtype), self._given)]
        passes = (len(self.passes) == 1, len(self.passes) < self.targets.count)
        layers = (self.source, self.targets.layer, self.targets.kind, self.atoms.kind)
        key = (what, *layers, *passes, str(specs))
        known = self.model.memo.setdefault("attribution", {})
        if key not in known:
            traced = tf.function(lambda *given: run(*given), autograph=False)
            known[key] = traced.get_concrete_function(*specs)
        return known[key]

    def _bytes_of_a_pass(self) -> int:
        """What all tensors between source and targets take for one row of a batch."""
        points = tf.TensorSpec((1, *self.activations.shape), tf.float32)
        graph = self._traced("bytes", self._scores, [points]).graph
        computed = [op for op in graph.get_operations() if op.type not in ("Placeholder", "Const")]
        return 4 * sum(t.shape.num_elements() or 0 for op in computed for t in op.outputs)

    def _rows(self, held: int) -> int:
        """How many rows of a batch the budget allows."""
        shared = math.ceil(self.targets.count / len(self.passes))
        row = held * self._bytes + 4 * self.activations.size * (2 + shared * (self.atoms.kind != "cells"))
        return int(np.clip(BUDGET // row, 1, MOST_ROWS))


def _tensor(array: np.ndarray) -> tf.Tensor:
    """Whole numbers as int64, all others as float32."""
    return tf.constant(array, tf.int64 if array.dtype == np.int64 else tf.float32)


def _stride(seen: np.ndarray) -> int:
    """How far apart along an axis two targets must be to depend on different cells."""
    meet = seen.astype(int) @ seen.T.astype(int) > 0
    first, second = np.nonzero(meet)
    return int(np.abs(first - second).max()) + 1


def check_order(model: VisionModel, source: str, layer: str) -> None:
    """Raise a ValueError unless the layer of the targets comes after the source."""
    if source == layer:
        raise ValueError(f"source and target are both {layer}: the source must come before the target.")
    try:
        model.held(source, [layer])
    except ValueError:
        pass
    else:
        return
    try:
        model.held(layer, [source])
    except ValueError:
        raise ValueError(
            f"{source} and {layer} do not lie on one path of {model.name}: neither decides the other."
        ) from None
    raise ValueError(f"{source} comes after {layer}: attribution goes from an earlier layer to a later one.")
