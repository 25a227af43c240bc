"""How a score is shared out among atoms. A method is one function, and yours can be one of them."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from lucid_ext.attribution.gap import completeness_gap
from lucid_ext.attribution.problem import Problem
from lucid_ext.models.gradients import SMOOTH_MAX_POOL

Method = Callable[..., Any]
"""From a `Problem` to values (*atoms.shape, *targets.shape), or to (values, standard errors)."""

METHODS: dict[str, Method] = {}
"""By name, in the order they are shown."""

PIECE = 8  # points on each half of a way that is halved
SHORTEST = 1 / 64  # of the way; a piece this short is not halved again


def method(name: str) -> Callable[[Method], Method]:
    """Add a method of your own: it can be used, shown and compared like those that are built in.

    A method asks its `Problem` for gradients (`linear`), for scores (`scores`) or for the effect of
    keeping a part of the atoms (`measure`), of all targets at once, and says nothing of which layer,
    atoms and targets they are. Its keyword arguments become those of `attribute`. Two examples:

        import lucid_ext as lx

        @lx.attribution.method("smoothgrad")
        def smoothgrad(problem, samples=16, noise=0.2):
            \"\"\"Gradients averaged over noise (Smilkov et al., 2017).\"\"\"
            a = problem.activations
            draws = problem.rng.standard_normal((samples, *a.shape))
            return problem.linear(a + noise * a.std() * draws)

        @lx.attribution.method("stochastic_path")
        def stochastic_path(problem, steps=16):
            \"\"\"The path of the Building Blocks notebook: from zero, each channel at its own pace.\"\"\"
            a, rng = problem.activations, problem.rng
            pace = (rng.random((2, steps, a.shape[-1])).sum(0) / 1.5).reshape(steps, *[1] * (a.ndim - 1), -1)
            share = np.arange(steps).reshape(steps, *[1] * a.ndim) / steps
            return problem.linear(a * share * pace)

    Args:
        name: what it is called; a second method of the name takes the place of the first.
    """

    def add(function: Method) -> Method:
        METHODS[name] = function
        return function

    return add


@method("gradient")
def gradient(problem: Problem) -> np.ndarray:
    """Gradient times activation: what the score would lose if it were linear in the activations."""
    return problem.linear()


@method("path")
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


@method("smooth_maxpool")
def smooth_maxpool(problem: Problem) -> np.ndarray:
    """Gradient times activation, with max-pooling smoothed in the backward pass.

    That of the spatial figures of The Building Blocks of Interpretability (2018). Between layers
    without max-pooling it is the same as the gradient.
    """
    return problem.linear(overrides=SMOOTH_MAX_POOL)


@method("ablation")
def ablation(problem: Problem) -> np.ndarray:
    """Measured: how much the score falls when an atom alone is removed."""
    return problem.remove_each()


@method("shapley")
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


@method("random")
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
        ValueError: there is no such method or option, or a method of the user's own gives something
            else than it should.
    """
    if name not in METHODS:
        raise ValueError(f"there is no method {name!r}; expected one of {', '.join(METHODS)}.")
    known = list(inspect.signature(METHODS[name]).parameters)[1:]
    for option in options:
        if option not in known:
            takes = f"it takes {', '.join(known)}" if known else "it takes none"
            raise ValueError(f"method {name!r} has no option {option!r}; {takes}.")
    problem.rng = np.random.default_rng(problem.seed)
    found = METHODS[name](problem, **options)
    values, errors = found if isinstance(found, tuple) else (found, None)
    shape = (*problem.atoms.shape, *problem.targets.shape)
    for array in (values, errors):
        if array is not None and np.shape(array) != shape:
            raise ValueError(f"method {name!r} gave values of shape {np.shape(array)}; expected {shape}.")
    values = np.asarray(values, np.float32)
    if not np.all(np.isfinite(values)):
        raise ValueError(f"method {name!r} gave values that are not finite for {problem.targets.name}.")
    return values, None if errors is None else np.asarray(errors, np.float32)
