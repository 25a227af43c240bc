"""What is given a share: the parts a layer's activations are taken apart into."""

import dataclasses
from collections.abc import Sequence
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
        parts: arrays whose product is the parts: (A - baseline,), or spatial and channel factors.
    """

    kind: str
    shape: tuple[int, ...]
    baseline: np.ndarray
    parts: tuple[np.ndarray, ...]

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
        spec = f"n{self._own},{self._factors}->n{self._axes}"
        parts = np.einsum(spec, keep.astype(np.float32), *self.parts, optimize=True)
        return self.baseline + parts

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
        return "yxk,kc" if self.kind == "groups" else self._axes


def find_atoms(layer: str, acts: np.ndarray, atoms: Any, baseline: str = "zero") -> Atoms:
    """Take activations apart.

    Args:
        layer: their name, for errors.
        acts: (h, w, c) or (c,).
        atoms: "cells", "channels", "neurons", "layer", or `Groups` of these activations, whose
            parts are spatial_j outer channels_j; what a factorization leaves out is no atom's.
        baseline: what a removed atom becomes: "zero", or the "mean" over positions.

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
        rest = acts - atoms.spatial @ atoms.channels
        return Atoms("groups", (len(atoms.channels),), rest, (atoms.spatial, atoms.channels))
    if not isinstance(atoms, str) or atoms not in ATOMS:
        raise ValueError(f"there are no atoms {atoms!r}; expected one of {', '.join(ATOMS)}, or Groups.")
    if atoms == "cells" and acts.ndim != 3:
        raise ValueError(f"{layer} has no positions, so it has no cells: use 'channels'.")
    base = np.zeros_like(acts)
    if baseline == "mean":
        base = np.broadcast_to(acts.mean((0, 1)), acts.shape)
    shape = {"cells": acts.shape[:-1], "channels": acts.shape[-1:], "neurons": acts.shape, "layer": ()}[atoms]
    return Atoms(atoms, shape, base, (acts - base,))
