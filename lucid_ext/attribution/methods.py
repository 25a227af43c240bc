"""How a score is shared out among atoms. A method is one function, and yours can be one of them."""

import functools
from typing import Any

import numpy as np

from lucid_ext.attribution.gap import completeness_gap
from lucid_ext.attribution.problem import Problem
from lucid_ext.attribution.registry import METHODS, method
from lucid_ext.models.gradients import SMOOTH_MAX_POOL

PIECE = 8  # points on each half of a way that is halved
SHORTEST = 1 / 64  # of the way; a piece this short is not halved again


@method("gradient", cost="fast", additive=True)
def gradient(problem: Problem) -> np.ndarray:
    """Gradient times activation: what the score would lose if it were linear in the activations."""
    return problem.linear()


@method("path", quick={"steps": 8, "tolerance": None}, additive=True)
def path(problem: Problem, steps: int = 32, tolerance: float | None = 0.01) -> np.ndarray:
    """Gradients averaged on the straight way from the baseline to the activations.

    Integrated gradients (Sundararajan et al., 2017) by Gauss-Legendre quadrature: the values sum up
    to the change of the score, but for the error of `steps` points. Where that is more than
    `tolerance` of the change, the way is halved again and again: a piece is left alone once its own
    error is within tolerance * sqrt(length), as errors of pieces have either sign, or once it is a
    `SHORTEST` of the way. None leaves every target at its `steps` points.
    """
    acts, baseline = problem.activations, problem.atoms.baseline
    atoms, shape = tuple(range(len(problem.atoms.shape))), problem.targets.shape

    def at(share: np.ndarray) -> np.ndarray:
        return baseline + share.reshape(-1, *[1] * acts.ndim) * (acts - baseline)

    def integral(start: float, end: float, points: int, targets: np.ndarray) -> np.ndarray:
        nodes, weights = np.polynomial.legendre.leggauss(points)
        half = (end - start) / 2
        return problem.linear(at(start + half * (nodes + 1)), half * weights, targets=targets)

    values = integral(0, 1, steps, np.arange(problem.targets.count))
    change = (problem.score - problem.score_without).reshape(-1)
    if tolerance is not None:
        rough = np.flatnonzero(completeness_gap(values, change) > tolerance)
        allowed = tolerance * np.maximum(np.abs(change), 0.01 * np.abs(values).sum(atoms))
        score = functools.cache(lambda share: problem.scores(at(np.array(share)))[0].reshape(-1))
        values[..., rough] = 0
        waiting = [(0.0, 1.0, rough)] if len(rough) else []
        while waiting:
            start, end, targets = waiting.pop()
            middle = (start + end) / 2
            for a, b in ((start, middle), (middle, end)):
                part = integral(a, b, PIECE, targets)
                missing = np.abs((score(b) - score(a))[targets] - part.sum(atoms))
                split = (missing > allowed[targets] * np.sqrt(b - a)) & (b - a > SHORTEST)
                values[..., targets[~split]] += part[..., ~split]
                if split.any():
                    waiting.append((a, b, targets[split]))
    return values.reshape((*problem.atoms.shape, *shape))


@method("smooth_maxpool", cost="fast", additive=True)
def smooth_maxpool(problem: Problem) -> np.ndarray:
    """Gradient times activation, with max-pooling smoothed in the backward pass.

    That of the spatial figures of The Building Blocks of Interpretability (2018). Between layers
    without max-pooling it is the same as the gradient.
    """
    return problem.linear(overrides=SMOOTH_MAX_POOL)


@method("ablation", kind="measurement")
def ablation(problem: Problem) -> np.ndarray:
    """Measured: how much the score falls when an atom alone is removed."""
    return problem.remove_each()


@method("shapley", cost="slow", quick={"permutations": 8})
def shapley(problem: Problem, permutations: int = 16) -> tuple[np.ndarray, np.ndarray]:
    """What an atom adds to those before it, averaged over random orders, and its standard error.

    Permutation sampling (Castro et al., 2009); every order is used backwards too, which halves most
    of the noise (Mitchell et al., 2022). The values sum up to the change of the score exactly.
    """
    if permutations < 4:
        raise ValueError(f"permutations is {permutations}; at least 4 are needed for error bars.")
    count = problem.atoms.count
    pairs = permutations // 2
    mean = np.zeros((count, problem.targets.count))
    squares = np.zeros_like(mean)
    for _ in range(pairs):
        order = problem.rng.permutation(count)
        added = np.zeros_like(mean)
        for way in (order, order[::-1]):
            scores = problem.keep_first(way, np.arange(count + 1)).reshape(count + 1, -1)
            added[way] += np.diff(scores.astype(np.float64), axis=0) / 2
        mean += added / pairs
        squares += added**2 / pairs
    error = np.sqrt(np.maximum(squares - mean**2, 0) / (pairs - 1))
    shape = (*problem.atoms.shape, *problem.targets.shape)
    return mean.reshape(shape), error.reshape(shape)


@method("random", cost="fast", kind="control")
def random(problem: Problem) -> np.ndarray:
    """Normal noise of the size of a fair share: what every other method must do better than."""
    share = np.abs(problem.score - problem.score_without) / problem.atoms.count
    return share * problem.rng.standard_normal((*problem.atoms.shape, *problem.targets.shape))


def run(name: str, problem: Problem, **options: Any) -> tuple[np.ndarray, np.ndarray | None]:
    """Let a method share out a problem's scores.

    Args:
        name: of a method.
        problem: what to share out; its `rng` starts anew.
        options: keyword arguments of the method.

    Returns:
        Values float32 (*atoms.shape, *targets.shape), and standard errors alike or None.

    Raises:
        ValueError: there is no such method or option, the method cannot answer for the problem's
            atoms, or one of the user's own gives something else than it should.
    """
    chosen = METHODS.named(name)
    chosen.check_atoms(problem.atoms.kind)
    chosen.check_options(options)
    problem.rng = np.random.default_rng(problem.seed)
    found = chosen.function(problem, **options)
    values, errors = found if isinstance(found, tuple) else (found, None)
    shape = (*problem.atoms.shape, *problem.targets.shape)
    for array in (values, errors):
        if array is not None and np.shape(array) != shape:
            raise ValueError(f"method {name!r} gave values of shape {np.shape(array)}; expected {shape}.")
    values = np.asarray(values, np.float32)
    if not np.all(np.isfinite(values)):
        raise ValueError(f"method {name!r} gave values that are not finite for {problem.targets.name}.")
    return values, None if errors is None else np.asarray(errors, np.float32)
