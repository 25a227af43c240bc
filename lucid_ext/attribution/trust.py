"""How far an attribution can be believed: beside what was predicted, what is measured."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import rankdata

from lucid_ext.attribution.gap import completeness_gap
from lucid_ext.attribution.methods import run
from lucid_ext.attribution.problem import Problem
from lucid_ext.attribution.registry import METHODS

CURVE_STEPS = 20


@dataclasses.dataclass(frozen=True, eq=False)
class Agreement:
    """How alike two attributions are; each (*targets.shape).

    Attributes:
        spearman: rank correlation over the atoms; nan where one has the same value everywhere.
        signs: share of atoms with the same sign.
        top: share of the strongest atoms (for or against) that both have in common.
    """

    spearman: np.ndarray
    signs: np.ndarray
    top: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class Trust:
    """What was found out about an attribution; what was not asked for is None or empty.

    Attributes:
        gap: (*targets.shape) the completeness gap.
        measured: (*atoms.shape, *targets.shape) how much each score falls without each atom.
        agreement: of the values with what was measured.
        fractions: (n,) of the atoms, in the order of their values, highest first.
        insertion: (n, *targets.shape) scores with only that fraction of the layer's atoms.
        deletion: (n, *targets.shape) scores with that fraction of them removed.
        randomized: agreement with the same method on the network with all weights above the layer
            shuffled. What stays alike does not come from what the network has learned (Adebayo et
            al., Sanity Checks for Saliency Maps, 2018).
        methods: {name: agreement} with other methods.
    """

    gap: np.ndarray
    measured: np.ndarray | None = None
    agreement: Agreement | None = None
    fractions: np.ndarray | None = None
    insertion: np.ndarray | None = None
    deletion: np.ndarray | None = None
    randomized: Agreement | None = None
    methods: Mapping[str, Agreement] = dataclasses.field(default_factory=dict)

    @property
    def spearman(self) -> np.ndarray | None:
        """Rank correlation with the measured effect, (*targets.shape)."""
        return None if self.agreement is None else self.agreement.spearman

    @property
    def signs(self) -> np.ndarray | None:
        """Share of atoms whose sign is that of the measured effect, (*targets.shape)."""
        return None if self.agreement is None else self.agreement.signs


def agree(a: np.ndarray, b: np.ndarray, targets: int = 0, top: int = 10) -> Agreement:
    """Compare two attributions of the same atoms to the same targets.

    Args:
        a: (*atoms.shape, *targets.shape).
        b: the same shape.
        targets: how many of the last axes are targets.
        top: how many of the strongest atoms to compare; fewer where there are fewer.

    Returns:
        Per target, Spearman's rank correlation, agreement of signs and overlap of the strongest.
    """
    if a.shape != b.shape:
        raise ValueError(f"attributions of shapes {a.shape} and {b.shape} cannot be compared.")
    shape = a.shape[a.ndim - targets :]
    a, b = (array.reshape(-1, int(np.prod(shape))) for array in (a, b))
    ranks = [rankdata(array, axis=0) for array in (a, b)]
    first, second = (r - r.mean(0) for r in ranks)
    length = np.sqrt((first**2).sum(0) * (second**2).sum(0))
    spearman = np.divide((first * second).sum(0), length, out=np.full(len(length), np.nan), where=length > 0)
    signs = (np.sign(a) == np.sign(b)).mean(0)
    top = min(top, len(a))
    strongest = [np.argsort(-np.abs(array), axis=0, kind="stable")[:top] for array in (a, b)]
    both = [len(np.intersect1d(x, y)) / top for x, y in zip(*(s.T for s in strongest), strict=True)]
    found = (np.asarray(x, np.float32).reshape(shape) for x in (spearman, signs, both))
    return Agreement(*found)


def trust(
    problem: Problem,
    method: str,
    values: np.ndarray,
    options: Mapping[str, Any],
    *,
    measured: bool = True,
    curves: bool = False,
    randomized: bool = False,
    methods: Sequence[str] | bool = False,
) -> Trust:
    """Find out how far values can be believed.

    Args:
        problem: what they answer.
        method: by which they were made.
        values: (*atoms.shape, *targets.shape).
        options: of the method.
        measured: remove every atom in turn: a forward pass each.
        curves: remove atoms, and add them, strongest first: 42 forward passes for each target.
        randomized: apply the method to the network with shuffled weights: costs what it cost.
        methods: other methods to compare with; True for all that answer for the atoms.
    """
    axes = len(problem.targets.shape)
    found: dict[str, Any] = {"gap": completeness_gap(values, problem.score - problem.score_without)}
    if measured:
        found["measured"] = problem.remove_each()
        found["agreement"] = agree(values, found["measured"], axes)
    if curves:
        found["fractions"], found["insertion"], found["deletion"] = _curves(problem, values)
    if randomized:
        other, _ = run(method, problem.with_weights(shuffled_weights(problem)), **options)
        found["randomized"] = agree(values, other, axes)
    if methods:
        every = METHODS.for_atoms(problem.atoms.kind)
        names = [n for n in every if n != method] if methods is True else methods
        found["methods"] = {name: agree(values, run(name, problem)[0], axes) for name in names}
    return Trust(**found)


def shuffled_weights(problem: Problem) -> dict[str, np.ndarray]:
    """The weights between source and targets, the numbers of each in random order."""
    rng = np.random.default_rng(problem.seed)
    weights = problem.model.weights(problem.source, problem.targets.layer)
    return {name: rng.permutation(w.numpy().ravel()).reshape(w.shape) for name, w in weights.items()}


def _curves(problem: Problem, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    count = problem.atoms.count
    fractions = np.linspace(0, 1, CURVE_STEPS + 1)
    kept = np.round(fractions * count).astype(int)
    insertion = np.zeros((len(kept), problem.targets.count), np.float32)
    deletion = np.zeros_like(insertion)
    for i, column in enumerate(values.reshape(count, -1).T):
        order = np.argsort(-column, kind="stable")
        insertion[:, i] = problem.keep_first(order, kept).reshape(len(kept), -1)[:, i]
        deletion[:, i] = problem.keep_first(order[::-1], count - kept).reshape(len(kept), -1)[:, i]
    shape = (len(kept), *problem.targets.shape)
    return kept / count, insertion.reshape(shape), deletion.reshape(shape)
