"""How far neuron groups can be believed: found again from other starts and cells; how many to look for."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lucid_ext.groups.factorize import CENTRED, Groups, as_pictures, check_count, directions, factorize

STABLE = 0.9
"""A group found again with a mean cosine below this is called unstable: parts of one layer, none of them
below zero, resemble each other to begin with."""

MOST_CELLS = 8192
"""Refits and trials of numbers use no more cells: of larger sets, the same share of each picture's."""

COUNTS = tuple(range(2, 13))  # numbers of groups to choose from

RULE = (
    "the largest number up to the elbow of the error (where it lies furthest below the line from its first "
    f"value to its last) at which groups are found again with a mean cosine of at least {STABLE}; "
    "the elbow itself where none is"
)


@dataclasses.dataclass(frozen=True, eq=False)
class Stability:
    """How well the groups of a factorization are found again.

    Attributes:
        cosines: (refits, k) float32 in [0, 1], between each group's direction and that of the group
            matched with it; 0 where a refit found too few.
        neighbour: (k,) float32 in [0, 1], the cosine with the nearest other group of the same
            factorization: what a confusion of the two would give.
    """

    cosines: np.ndarray
    neighbour: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """(k,) the mean over refits."""
        return self.cosines.mean(0)

    @property
    def spread(self) -> np.ndarray:
        """(k,) the standard deviation over refits."""
        return self.cosines.std(0)

    @property
    def unstable(self) -> np.ndarray:
        """(k,) bool, groups that come back with a mean cosine below `STABLE`, or as another would."""
        return (self.mean < STABLE) | (self.mean < self.neighbour)


def stability(
    acts: Any,
    n_groups: int = 6,
    method: str = "nmf",
    *,
    seeds: int = 3,
    bootstraps: int = 4,
    seed: int = 0,
    groups: Groups | None = None,
) -> Stability:
    """Factorize anew and see which groups come back.

    Refits from other seeds begin NMF from random factors: from its singular vectors it would find the
    same whatever the seed. Bootstraps draw as many cells with replacement; of several pictures, as many
    pictures, since the cells of one resemble each other. Groups are matched one to one so that the sum of
    the cosines of their directions is largest (scipy's `linear_sum_assignment`); for principal and
    independent components, whose sign is a convention, of their magnitudes.

    Args:
        acts: as for `factorize`.
        n_groups: how many.
        method: of factorization.
        seeds: refits from other seeds.
        bootstraps: refits to cells drawn anew.
        seed: of the draws, and of the factorization compared with.
        groups: that factorization, where it is there already.

    Raises:
        ValueError: as `factorize`; there are no refits.
    """
    if seeds < 0 or bootstraps < 0 or seeds + bootstraps == 0:
        raise ValueError(f"{seeds} seeds and {bootstraps} bootstraps are no refits; expected at least one.")
    rng = np.random.default_rng(seed)
    pictures = _thinned(as_pictures(acts), rng)
    cells = np.concatenate(pictures)
    check_count(cells.shape, n_groups, method)
    own = (groups or factorize(acts, n_groups, method, seed)).channels
    count = max(1, min(n_groups, len(own)))
    found = [
        matched(own, directions(cells, count, method, seed + 1 + i, restart=True)[1], method)
        for i in range(seeds)
    ]
    for i in range(bootstraps):
        if len(pictures) == 1:
            drawn = cells[rng.integers(len(cells), size=len(cells))]
        else:
            drawn = np.concatenate([pictures[j] for j in rng.integers(len(pictures), size=len(pictures))])
        found.append(matched(own, directions(drawn, count, method, seed + i)[1], method))
    alike = _cosines(own, own, method)
    np.fill_diagonal(alike, 0)
    return Stability(np.array(found, np.float32), alike.max(1, initial=0).astype(np.float32))


def matched(own: np.ndarray, other: np.ndarray, method: str = "nmf") -> np.ndarray:
    """The cosine of each direction with the one matched with it: (k, c), (m, c) -> (k,) in [0, 1]."""
    from scipy.optimize import linear_sum_assignment

    cosine = _cosines(own, other, method)
    rows, cols = linear_sum_assignment(-cosine)
    found = np.zeros(len(own), np.float32)
    found[rows] = cosine[rows, cols]
    return found


def errors(acts: Any, ks: Sequence[int] = COUNTS, method: str = "nmf", *, seed: int = 0) -> np.ndarray:
    """What factorizations into different numbers of groups leave out, ||A - sum|| / ||A||.

    Args:
        acts: as for `factorize`.
        ks: numbers of groups.
        method: of factorization.
        seed: of the solver.

    Returns:
        float32 (len(ks),).
    """
    return np.array([factorize(acts, k, method, seed).error for k in ks], np.float32)


@dataclasses.dataclass(frozen=True, eq=False)
class Suggestion:
    """A number of groups, and the curves that suggest it.

    Attributes:
        n_groups: the number.
        elbow: where the error's curve bends most.
        ks: (n,) numbers that were tried.
        errors: (n,) float32, what is left out at each.
        stability: (n,) float32 in [0, 1], the mean cosine with which groups are found again at each; not
            a number beyond the elbow, where none is asked for.
        refits: {k: how well its groups are found again}, of those for which `stability` is a number.
        rule: how the number was chosen, in words.
    """

    n_groups: int
    elbow: int
    ks: np.ndarray
    errors: np.ndarray
    stability: np.ndarray
    refits: Mapping[int, Stability] = dataclasses.field(default_factory=dict)
    rule: str = RULE


def suggest(
    acts: Any,
    ks: Sequence[int] = COUNTS,
    method: str = "nmf",
    *,
    seeds: int = 2,
    bootstraps: int = 2,
    seed: int = 0,
    groups: Mapping[int, Groups] | None = None,
) -> Suggestion:
    """Suggest a number of groups, by `RULE`.

    Args:
        acts: as for `factorize`.
        ks: numbers to choose from; those the activations are too small for are left out.
        method: of factorization.
        seeds: as for `stability`.
        bootstraps: as for `stability`.
        seed: of the solver and the draws.
        groups: {k: the factorization of `acts`}, where some are there already.

    Raises:
        ValueError: there is nothing to choose from.
    """
    pictures = as_pictures(acts)
    most = min(sum(p.shape[0] * p.shape[1] for p in pictures), pictures[0].shape[-1])
    tried = np.array(sorted({k for k in ks if 1 <= k <= most}), int)
    if not len(tried):
        raise ValueError(f"none of the numbers of groups {list(ks)} lies between 1 and {most}.")
    cells = [p[None] for p in _thinned(pictures, np.random.default_rng(seed))]
    known = dict(groups or {})
    own = {k: known[k] if k in known else factorize(cells, k, method, seed) for k in tried.tolist()}
    left_out = np.array([one.error for one in own.values()], np.float32)
    bend = elbow(tried, left_out)
    refits = {
        k: stability(cells, k, method, seeds=seeds, bootstraps=bootstraps, seed=seed, groups=own[k])
        for k in tried[: bend + 1].tolist()
    }
    found = np.full(len(tried), np.nan, np.float32)
    found[: bend + 1] = [one.mean.mean() if one.mean.size else 0 for one in refits.values()]
    good = np.flatnonzero(found >= STABLE)
    chosen = int(good[-1]) if len(good) else bend
    return Suggestion(int(tried[chosen]), int(tried[bend]), tried, left_out, found, refits)


def elbow(ks: np.ndarray, values: np.ndarray) -> int:
    """Where a falling curve lies furthest below the line between its ends: an index into ks."""
    if len(ks) < 3:
        return 0
    line = np.interp(ks, [ks[0], ks[-1]], [values[0], values[-1]])
    return int(np.argmax(line - values))


def _thinned(pictures: Sequence[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
    """Cells (n, c) of each picture; of too many, the same share of each picture's."""
    cells = [p.reshape(-1, p.shape[-1]).astype(np.float32) for p in pictures]
    share = MOST_CELLS / sum(map(len, cells))
    if share >= 1:
        return cells
    return [c[rng.permutation(len(c))[: max(1, round(share * len(c)))]] for c in cells]


def _cosines(own: np.ndarray, other: np.ndarray, method: str) -> np.ndarray:
    lengths = np.linalg.norm(other, axis=1)
    cosine = own @ (other / np.maximum(lengths, 1e-12)[:, None]).T
    return np.clip(np.abs(cosine) if method in CENTRED else cosine, 0, 1)
