"""Neuron groups: activations written as a sum of a few directions of a layer."""

import dataclasses
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

METHODS = ("nmf", "nmf_both", "nmf_signed", "pca", "ica", "kmeans")
ONE_PICTURE = 4096  # cells; beyond it NMF takes at most scikit-learn's default of 200 iterations
SWEEPS = 1000  # at most, over the groups of a projection
CENTRED = ("pca", "ica")  # their mean is subtracted first, and the sign of a direction is a convention


@dataclasses.dataclass(frozen=True, eq=False)
class Groups:
    """A factorization a_{y,x} ~ mean + sum_j spatial_{y,x,j} channels_j.

    Attributes:
        spatial: how much of each group is where: (h, w, k) float32 for one picture, (n, h, w, k) for
            several, and a list of (h, w, k) where their sizes differ.
        channels: (k, c) float32, the direction of each group, of length 1.
        mean: (c,) float32, what is subtracted first; zero but for PCA and ICA.
        error: what the sum leaves out, ||A - sum|| / ||A||.
        order: (k,) the groups' numbers as the factorization returned them.
        method: which factorization.
        lengths: (k,) float32, of the directions as it returned them; they have gone into `spatial`.
        errors: (n,) float32, what is left out of each of several pictures.
    """

    spatial: Any
    channels: np.ndarray
    mean: np.ndarray
    error: float
    order: np.ndarray
    method: str = "nmf"
    lengths: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(0, np.float32))
    errors: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(0, np.float32))

    @property
    def magnitude(self) -> np.ndarray:
        """(k,) float32, ||W_i|| ||H_i||: how much of the activations is in each group, as bars compare it."""
        each = self.spatial if isinstance(self.spatial, list) else [self.spatial]
        squares = sum(np.square(s.reshape(-1, len(self.channels))).sum(0) for s in each)
        return np.sqrt(squares) * np.linalg.norm(self.channels, axis=1)

    @property
    def several(self) -> bool:
        """Whether these are groups of several pictures."""
        return isinstance(self.spatial, list) or self.spatial.ndim == 4

    def image(self, i: int) -> "Groups":
        """The groups in one of several pictures: the same directions, and its own map and error."""
        if not self.several or not 0 <= i < len(self.spatial):
            count = len(self.spatial) if self.several else 1
            raise ValueError(f"there is no picture {i} among the {count} these groups were found in.")
        return dataclasses.replace(
            self, spatial=self.spatial[i], error=float(self.errors[i]), errors=np.zeros(0, np.float32)
        )


def factorize(acts: Any, n_groups: int = 6, method: str = "nmf", seed: int = 0) -> Groups:
    """Find a few directions that make up a layer's activations, or its attributions.

    - "nmf": min_{W,H >= 0} ||A - W H||^2. scikit-learn's, with `init="nndsvd"`, which reproduces the
      factorizations published with The Building Blocks of Interpretability (2018).
    - "nmf_both", for activations of both signs: these side by side, (A+, A-) ~ W (H+, H-), all
      non-negative, so that A ~ W (H+ - H-). A group's direction says which channels it raises and which
      it lowers.
    - "nmf_signed", for attributions or gradients times activations: the positive and the negative part
      share non-negative directions, (A+; A-) ~ (W+; W-) H, so that A ~ (W+ - W-) H. A group has a map
      with signs: where it speaks for, and where against.
    - "pca", "ica": principal and independent components (FastICA) of what differs from the mean. A
      direction points where its map is skewed to above zero (ICA), or as scikit-learn has it (PCA).
    - "kmeans": every cell is its cluster's mean; cells where nothing answers belong to none.

    Groups of one picture come from left to right (the x-barycentre of spatial^2, as published), those
    of several pictures by magnitude, and principal components by variance. Lengths go into `spatial`,
    so that its values compare.

    Args:
        acts: (h, w, c) of one picture, (n, h, w, c) of several, or a list of (h, w, c) of any sizes;
            the groups of several pictures are shared. Not negative for "nmf".
        n_groups: how many; fewer come back where the activations span fewer.
        method: one of the above.
        seed: of the solver.

    Raises:
        ValueError: for a method, a number or activations that make no sense.
    """
    pictures = as_pictures(acts)
    several = not _is_one(acts)
    cells = np.concatenate([p.reshape(-1, p.shape[-1]) for p in pictures]).astype(np.float32)
    check_count(cells.shape, n_groups, method)
    spatial, channels, mean = directions(cells, n_groups, method, seed)
    lengths = np.linalg.norm(channels, axis=1)
    order = np.flatnonzero(lengths)
    spatial, channels, lengths = (spatial * lengths)[:, order], channels[order], lengths[order]
    channels = channels / lengths[:, None]
    if method != "pca":
        weight = np.square(spatial)
        if several:
            again = np.argsort(-weight.sum(0), kind="stable")
        else:
            column = np.tile(np.arange(pictures[0].shape[1]), pictures[0].shape[0])
            again = np.argsort((column @ weight) / np.maximum(weight.sum(0), 1e-12), kind="stable")
        order, spatial = order[again], spatial[:, again]
        channels, lengths = channels[again], lengths[again]
    spatial, channels = spatial.astype(np.float32), channels.astype(np.float32)
    rest = cells - mean - spatial @ channels
    return Groups(
        _maps(spatial, pictures, several),
        channels,
        mean,
        _share(rest, cells),
        order,
        method,
        lengths.astype(np.float32),
        np.array(
            [_share(r, c) for r, c in zip(_split(rest, pictures), _split(cells, pictures), strict=True)]
            if several
            else [],
            np.float32,
        ),
    )


def project(acts: Any, groups: Groups) -> Any:
    """How much of each group is where in other activations, or in evidence for the same classes.

    Args:
        acts: (h, w, c), (n, h, w, c) or a list of (h, w, c), of other pictures or of another layer; c as
            the groups'.
        groups: directions found by `factorize`.

    Returns:
        float32 (h, w, k), (n, h, w, k) or a list of (h, w, k): per cell the weights that come nearest to
        it; not negative for NMF, one cluster's for k-means.

    Raises:
        ValueError: the channels are not the groups'.
    """
    pictures = as_pictures(acts)
    if pictures[0].shape[-1] != groups.channels.shape[1]:
        raise ValueError(
            f"activations of shape {pictures[0].shape} have no share in groups of {groups.channels.shape[1]} "
            "channels: use activations with as many."
        )
    cells = np.concatenate([p.reshape(-1, p.shape[-1]) for p in pictures]).astype(np.float64) - groups.mean
    own = groups.channels.astype(np.float64)
    if groups.method in CENTRED:
        found = cells @ np.linalg.pinv(own)
    elif groups.method == "kmeans":
        found = _one_of(cells, own * groups.lengths[:, None]) * groups.lengths
    elif groups.method == "nmf_both":
        found = _not_negative(cells, own)
    else:
        found = _not_negative(np.maximum(cells, 0), own)
        if groups.method == "nmf_signed":
            found -= _not_negative(np.maximum(-cells, 0), own)
    return _maps(found.astype(np.float32), pictures, not _is_one(acts))


def as_pictures(acts: Any) -> list[np.ndarray]:
    """Activations of one picture or several, as a list of (h, w, c).

    Raises:
        ValueError: they are not finite, or not of one layer.
    """
    one = _is_one(acts)
    pictures = [np.asarray(acts)] if one else [np.asarray(a) for a in acts]
    for i, picture in enumerate(pictures):
        if picture.ndim != 3 or not picture.size or not np.all(np.isfinite(picture)):
            which = "" if one else f" in picture {i}"
            raise ValueError(
                f"cannot factorize activations of shape {picture.shape}{which}; expected finite (h, w, c)."
            )
    channels = sorted({picture.shape[-1] for picture in pictures})
    if len(channels) != 1:
        counts = " and ".join(map(str, channels)) or "no"
        raise ValueError(f"pictures with {counts} channels have no groups in common; expected one layer's.")
    return pictures


def check_count(shape: tuple[int, ...], n_groups: int, method: str) -> None:
    """Raise a ValueError unless so many groups can be found in cells of this shape."""
    if method not in METHODS:
        raise ValueError(f"there is no method {method!r}; expected one of {', '.join(METHODS)}.")
    most = min(shape)
    if not 1 <= n_groups <= most:
        raise ValueError(
            f"n_groups is {n_groups}; expected 1 to {most} for {shape[0]} cells of {shape[1]} channels."
        )


def directions(
    cells: np.ndarray, n_groups: int, method: str, seed: int = 0, restart: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Factorize cells as the method's own library returns it.

    Args:
        cells: (n, c) float32.
        n_groups: how many.
        method: one of `METHODS`.
        seed: of the solver.
        restart: begin NMF from random factors of this seed instead of from the singular vectors, whose
            result hardly depends on the seed.

    Returns:
        How much of each is where (n, k), the directions (k, c), all zero where there are fewer, and the
        mean (c,).
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # faster for one picture, and the same result on any machine
        return _directions(cells, n_groups, method, seed, restart)


def _directions(
    cells: np.ndarray, n_groups: int, method: str, seed: int, restart: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    mean = np.zeros(cells.shape[1], np.float32)
    if method in CENTRED:
        mean = cells.mean(0)
        found = _components(cells - mean, n_groups, method, seed)
    elif method == "kmeans":
        found = _kmeans(cells, n_groups, seed)
    elif method == "nmf_signed":
        both = np.concatenate([np.maximum(cells, 0), np.maximum(-cells, 0)])
        there = np.any(both, axis=1)  # half of them are not
        spatial = np.zeros((len(both), n_groups), np.float32)
        spatial[there], channels = _nmf(both[there], n_groups, seed, restart)
        found = spatial[: len(cells)] - spatial[len(cells) :], channels
    elif method == "nmf_both":
        sides = np.concatenate([np.maximum(cells, 0), np.maximum(-cells, 0)], axis=1)
        spatial, both = _nmf(sides, n_groups, seed, restart)
        found = spatial, both[:, : cells.shape[1]] - both[:, cells.shape[1] :]
    elif cells.min() < 0:
        raise ValueError(
            "activations below zero have no non-negative factorization; use method='nmf_both', 'pca', "
            "'ica' or 'kmeans'."
        )
    else:
        found = _nmf(cells, n_groups, seed, restart)
    return *found, mean


def _nmf(cells: np.ndarray, n_groups: int, seed: int, restart: bool) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning

    if not cells.any():
        return np.zeros((len(cells), n_groups)), np.zeros((n_groups, cells.shape[1]))
    init = "random" if restart else "nndsvd"
    patience = 1000 if len(cells) <= ONE_PICTURE else 200
    model = NMF(n_groups, init=init, random_state=seed, max_iter=patience)
    with warnings.catch_warnings():
        # How good the fit is, `error` says.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit_transform(cells), model.components_


def _not_negative(cells: np.ndarray, own: np.ndarray) -> np.ndarray:
    """min_{W >= 0} ||cells - W own||^2 for all cells at once, by coordinate descent: (n, k)."""
    gram, goal = own @ own.T, cells @ own.T
    found = np.maximum(goal, 0) / np.maximum(gram.sum(1), 1)
    for _ in range(SWEEPS):
        before = found.copy()
        for j in range(len(own)):
            step = (goal[:, j] - found @ gram[:, j]) / gram[j, j]
            found[:, j] = np.maximum(found[:, j] + step, 0)
        if np.abs(found - before).max(initial=0) <= 1e-6 * np.abs(found).max(initial=0):
            break
    return found


def _components(centred: np.ndarray, n_groups: int, method: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """PCA or ICA; components beyond the rank are zero."""
    from sklearn.decomposition import PCA, FastICA
    from sklearn.exceptions import ConvergenceWarning

    spatial = np.zeros((len(centred), n_groups), np.float32)
    channels = np.zeros((n_groups, centred.shape[1]), np.float32)
    variance = np.linalg.eigvalsh(centred.T @ centred)
    n = min(n_groups, int((variance > 1e-6 * max(variance[-1], 1e-12)).sum()))
    if n == 0:
        return spatial, channels
    model = PCA(n, svd_solver="full", random_state=seed)
    spatial[:, :n], channels[:n] = model.fit_transform(centred), model.components_
    if method == "ica":
        unmixing = FastICA(n, whiten="unit-variance", random_state=seed, max_iter=500)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            sources = unmixing.fit_transform(spatial[:, :n].astype(np.float64))
        up = np.where(np.power(sources, 3).sum(0) < 0, -1, 1)
        spatial[:, :n], channels[:n] = sources * up, (unmixing.mixing_ * up).T @ channels[:n]
    return spatial, channels


def _kmeans(cells: np.ndarray, n_groups: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.cluster import KMeans

    centres = np.zeros((n_groups, cells.shape[1]), np.float32)
    distinct = min(n_groups, len(np.unique(cells, axis=0)))
    centres[:distinct] = KMeans(distinct, n_init=4, random_state=seed).fit(cells).cluster_centers_
    return _one_of(cells, centres), centres


def _one_of(cells: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """(n, k): one at the centre nearest to each cell; nothing for cells of zeros."""
    distance = np.square(centres).sum(1) - 2 * cells @ centres.T
    nearest = np.eye(len(centres), dtype=np.float32)[distance.argmin(1)]
    return nearest * np.any(cells, axis=1, keepdims=True)


def _is_one(acts: Any) -> bool:
    """Whether activations are one picture's; any array that is not four-dimensional is taken so."""
    return isinstance(acts, np.ndarray) and acts.ndim != 4


def _share(rest: np.ndarray, whole: np.ndarray) -> float:
    return float(np.linalg.norm(rest) / np.maximum(np.linalg.norm(whole), 1e-12))


def _split(cells: np.ndarray, pictures: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Rows of cells, picture by picture."""
    ends = np.cumsum([p.shape[0] * p.shape[1] for p in pictures])
    return np.split(cells, ends[:-1])


def _maps(spatial: np.ndarray, pictures: Sequence[np.ndarray], several: bool) -> Any:
    """(cells, k) as maps of the pictures they are of."""
    maps = [s.reshape(*p.shape[:2], -1) for s, p in zip(_split(spatial, pictures), pictures, strict=True)]
    if not several:
        return maps[0]
    return np.stack(maps) if len({m.shape for m in maps}) == 1 else maps
