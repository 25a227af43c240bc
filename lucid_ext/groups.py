"""Neuron groups: activations written as a sum of a few directions of a layer."""

import dataclasses
import warnings

import numpy as np

METHODS = ("nmf", "pca")


@dataclasses.dataclass(frozen=True, eq=False)
class Groups:
    """A factorization a_{y,x} ~ mean + sum_j spatial_{y,x,j} channels_j.

    Attributes:
        spatial: (h, w, k) float32, how much of each group is where.
        channels: (k, c) float32, the direction of each group, of length 1.
        mean: (c,) float32, what is subtracted first; zero but for PCA.
        error: what the sum leaves out, ||A - sum|| / ||A||.
        order: (k,) the groups' numbers as the factorization returned them.
    """

    spatial: np.ndarray
    channels: np.ndarray
    mean: np.ndarray
    error: float
    order: np.ndarray


def factorize(acts: np.ndarray, n_groups: int = 6, method: str = "nmf", seed: int = 0) -> Groups:
    """Find a few directions that make up a layer's activations.

    NMF is scikit-learn's with `init="nndsvd"`, which reproduces the factorizations published with
    The Building Blocks of Interpretability (2018); its groups come in the order of their place in
    the picture, from left to right (the x-barycentre of spatial^2). Principal components come in
    the order of their variance. Lengths go into `spatial`, so that its values compare.

    Args:
        acts: (h, w, c), not negative for NMF.
        n_groups: how many; fewer come back where the activations span fewer.
        method: "nmf" or "pca".
        seed: of the solver.

    Raises:
        ValueError: for a method, a number or activations that make no sense.
    """
    if acts.ndim != 3 or not np.all(np.isfinite(acts)):
        raise ValueError(f"cannot factorize activations of shape {acts.shape}; expected finite (h, w, c).")
    most = min(acts.shape[0] * acts.shape[1], acts.shape[2])
    if not 1 <= n_groups <= most:
        raise ValueError(f"n_groups is {n_groups}; expected 1 to {most} for activations {acts.shape}.")
    cells = acts.reshape(-1, acts.shape[-1]).astype(np.float32)
    mean = np.zeros(acts.shape[-1], np.float32)
    if method == "nmf":
        spatial, channels = _nmf(cells, n_groups, seed)
    elif method == "pca":
        mean = cells.mean(0)
        spatial, channels = _pca(cells, n_groups, seed)
    else:
        raise ValueError(f"there is no method {method!r}; expected one of {', '.join(METHODS)}.")
    length = np.linalg.norm(channels, axis=1)
    order = np.flatnonzero(length)
    spatial, channels = (spatial * length)[:, order], channels[order] / length[order, None]
    if method == "nmf":
        column = np.tile(np.arange(acts.shape[1]), acts.shape[0])
        weight = spatial**2
        barycentre = (column @ weight) / np.maximum(weight.sum(0), 1e-12)
        left_to_right = np.argsort(barycentre, kind="stable")
        order, spatial, channels = order[left_to_right], spatial[:, left_to_right], channels[left_to_right]
    left_out = np.linalg.norm(cells - mean - spatial @ channels) / np.maximum(np.linalg.norm(cells), 1e-12)
    return Groups(
        spatial.reshape(*acts.shape[:2], -1).astype(np.float32),
        channels.astype(np.float32),
        mean,
        float(left_out),
        order,
    )


def project(acts: np.ndarray, groups: Groups) -> np.ndarray:
    """How much of each group is where in other activations, or in evidence for the same classes.

    Args:
        acts: (h, w, c), of another picture or layer; c as the groups'.
        groups: directions found by `factorize`.

    Returns:
        float32 (h, w, k): per cell the weights that come nearest to it; not negative, unless the
        groups are principal components.

    Raises:
        ValueError: the channels are not the groups'.
    """
    from scipy.optimize import nnls

    if acts.ndim != 3 or acts.shape[-1] != groups.channels.shape[1]:
        raise ValueError(
            f"activations of shape {acts.shape} have no share in groups of {groups.channels.shape[1]} "
            "channels: use activations with as many."
        )
    cells = acts.reshape(-1, acts.shape[-1]).astype(np.float64) - groups.mean
    if groups.mean.any():
        found = cells @ groups.channels.T
    else:
        found = np.array([nnls(groups.channels.T, cell)[0] for cell in cells])
    return found.reshape(*acts.shape[:2], -1).astype(np.float32)


def _nmf(cells: np.ndarray, n_groups: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning

    if cells.min() < 0:
        raise ValueError("activations below zero have no non-negative factorization; use method='pca'.")
    if not cells.any():
        return np.zeros((len(cells), n_groups)), np.zeros((n_groups, cells.shape[1]))
    model = NMF(n_groups, init="nndsvd", random_state=seed, max_iter=1000)
    with warnings.catch_warnings():
        # How good the fit is, `error` says.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit_transform(cells), model.components_


def _pca(cells: np.ndarray, n_groups: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.decomposition import PCA

    if not np.ptp(cells, axis=0).any():
        return np.zeros((len(cells), n_groups)), np.zeros((n_groups, cells.shape[1]))
    model = PCA(n_groups, svd_solver="full", random_state=seed)
    return model.fit_transform(cells), model.components_
