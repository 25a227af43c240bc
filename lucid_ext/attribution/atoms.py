"""What is given a share: the parts a layer's activations are taken apart into."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from lucid_ext.attribution.targets import check_groups
from lucid_ext.groups import Groups

ATOMS = ("cells", "channels", "neurons", "layer")
BASELINES = ("zero", "mean")

# Letters of an einsum: y, x positions, c channels, k groups.
AXES = {3: "yxc", 1: "c"}
ATOM_AXES = {"cells": "yx", "channels": "c", "layer": "", "groups": "k"}


@dataclasses.dataclass(frozen=True, eq=False)
class Atoms:
    """Activations written as baseline + a sum of parts, one for each atom.

    Attributes:
        kind: "cells", "channels", "neurons", "layer" or "groups".
        shape: of the atoms: (h, w), (c,), (h, w, c), () or (k,).
        baseline: activations when every atom is removed.
        parts: arrays whose product is the parts: (A - baseline,), or spatial and channel factors and
            what of them is passed on.
        rest: of groups, what they leave out of the activations before any cap.
        pass_on: what the layer passes on of activations before its cap.
    """

    kind: str
    shape: tuple[int, ...]
    baseline: np.ndarray
    parts: tuple[np.ndarray, ...]
    rest: np.ndarray | None = None
    pass_on: Callable[[np.ndarray], np.ndarray] | None = None

    @property
    def count(self) -> int:
        """How many atoms."""
        return int(np.prod(self.shape))

    def compose(self, keep: np.ndarray) -> np.ndarray:
        """Activations with only a share of each atom kept.

        Args:
            keep: (n, *shape), one keeps an atom, zero removes it.

        Returns:
            float32 (n, *activations).
        """
        keep = keep.astype(np.float32)
        if self.pass_on is not None and self.rest is not None:
            kept = np.einsum("nk,yxk,kc->nyxc", keep, *self.parts[:2], optimize=True)
            return self.pass_on(self.rest + kept)
        spec = f"n{self._own},{self._factors}->n{self._axes}"
        return self.baseline + np.einsum(spec, keep, *self.parts, optimize=True)

    def contract(self, gradients: tf.Tensor, parts: Sequence[tf.Tensor]) -> tf.Tensor:
        """<gradient, part> for every atom: (n, *activations) -> (n, *shape)."""
        return tf.einsum(f"n{self._axes},{self._factors}->n{self._own}", gradients, *parts)

    @property
    def _axes(self) -> str:
        return AXES[self.baseline.ndim]

    @property
    def _own(self) -> str:
        return ATOM_AXES.get(self.kind, self._axes)

    @property
    def _factors(self) -> str:
        return ",".join(("yxk", "kc", "yxc")[: len(self.parts)]) if self.kind == "groups" else self._axes


def find_atoms(
    layer: str,
    acts: np.ndarray,
    atoms: Any,
    baseline: str = "zero",
    uncapped: np.ndarray | None = None,
    pass_on: Callable[[np.ndarray], np.ndarray] = lambda acts: acts,
) -> Atoms:
    """Take activations apart.

    Args:
        layer: their name, for errors.
        acts: (h, w, c) or (c,).
        atoms: "cells", "channels", "neurons", "layer", or `Groups` of these activations, whose
            parts are spatial_j outer channels_j; what a factorization leaves out is no atom's.
        baseline: what a removed atom becomes: "zero", or the "mean" over positions.
        uncapped: the activations before any cap of the layer, which `Groups` are found in.
        pass_on: what the layer passes on of these.

    Raises:
        ValueError: for what cannot be taken apart so.
    """
    if baseline not in BASELINES:
        raise ValueError(f"there is no baseline {baseline!r}; expected one of {', '.join(BASELINES)}.")
    if baseline == "mean" and (isinstance(atoms, Groups) or acts.ndim != 3):
        raise ValueError(
            "baseline 'mean' is the mean over positions, for cells, channels and neurons: use 'zero'."
        )
    if isinstance(atoms, Groups):
        check_groups(layer, acts.shape, atoms)
        parts = atoms.spatial @ atoms.channels
        rest = (acts if uncapped is None else uncapped) - parts
        base = pass_on(rest)
        capped = () if base is rest else (passed_share(acts - base, parts),)
        factors = (atoms.spatial, atoms.channels, *capped)
        return Atoms("groups", (len(atoms.channels),), base, factors, rest, pass_on)
    if not isinstance(atoms, str) or atoms not in ATOMS:
        raise ValueError(f"there are no atoms {atoms!r}; expected one of {', '.join(ATOMS)}, or Groups.")
    if atoms == "cells" and acts.ndim != 3:
        raise ValueError(f"{layer} has no positions, so it has no cells: use 'channels'.")
    base = np.zeros_like(acts)
    if baseline == "mean":
        base = np.broadcast_to(acts.mean((0, 1)), acts.shape)
    shape = {"cells": acts.shape[:-1], "channels": acts.shape[-1:], "neurons": acts.shape, "layer": ()}[atoms]
    return Atoms(atoms, shape, base, (acts - base,))


def passed_share(passed: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Return the share, from 0 to 1, that a layer passes on of what groups stand for, number by number.

    A layer without a cap passes on all of it.

    Args:
        passed: what its activations lose without the groups.
        parts: what the groups stand for, alike.
    """
    there = np.abs(parts) > 1e-12
    return np.where(there, passed / np.where(there, parts, 1), 1).astype(np.float32)
