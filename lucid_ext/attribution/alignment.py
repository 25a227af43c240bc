"""Groups of an earlier layer that keep apart what leads to different groups of a later one."""

import dataclasses

import numpy as np

from lucid_ext.groups import Groups, factorize


def split(acts: np.ndarray, evidence: np.ndarray) -> np.ndarray:
    """Divide every activation among later groups, in proportion to what it says for each.

    The share of group j is max(0, evidence_j) / sum over j' of max(0, evidence_j'); an activation
    that speaks for none of them is divided equally.

    Args:
        acts: (h, w, c), not negative.
        evidence: (h, w, c, K), the attribution of every activation to each of K later groups.

    Returns:
        float32 (h, w, c, K), which sums over its last axis to the activations.
    """
    speaks_for = np.maximum(evidence, 0)
    total = speaks_for.sum(-1, keepdims=True)
    equally = np.float32(1 / evidence.shape[-1])
    share = np.divide(speaks_for, total, out=np.full_like(speaks_for, equally), where=total > 0)
    return acts[..., None] * share


def align(acts: np.ndarray, evidence: np.ndarray, n_groups: int = 6, seed: int = 0) -> Groups:
    """Factorize activations into groups each of which leads to few of the groups of a later layer.

    To a plain factorization it is all one whether a channel leads to one later group here and to
    another there. Here every activation is first split (see `split`), which makes of the (h w, c)
    activations a matrix (h w, c K) that is K times as wide; that is factorized,

        min over W, H >= 0 of || S - W H ||^2,    S: (h w, c K), W: (h w, k), H: (k, c K),

    and the copies of a channel are added up again: direction i is sum over j of H_{i,:,j}, (c,). The
    idea is that of the aligned groups in The Building Blocks of Interpretability (2018).

    Args:
        acts: (h, w, c), not negative.
        evidence: (h, w, c, K), the attribution of every activation to each of K later groups.
        n_groups: how many.
        seed: of the solver.

    Returns:
        Groups of the activations, as those of `factorize`: from left to right, with the length of
        a direction in `spatial`. They fit the activations less closely than unaligned ones.

    Raises:
        ValueError: for a number or activations that make no sense.
    """
    if evidence.shape[:-1] != acts.shape:
        raise ValueError(
            f"evidence of shape {evidence.shape} is not of activations {acts.shape}: expected (h, w, c, K)."
        )
    wide = split(acts, evidence)
    found = factorize(wide.reshape(*acts.shape[:2], -1), n_groups, seed=seed)
    directions = found.channels.reshape(-1, *wide.shape[2:]).sum(-1)
    length = np.linalg.norm(directions, axis=1)  # of sums of what is not negative: at least 1
    spatial = (found.spatial * length).astype(np.float32)
    channels = (directions / length[:, None]).astype(np.float32)
    left_out = np.linalg.norm(acts - spatial @ channels) / max(float(np.linalg.norm(acts)), 1e-12)
    mean = np.zeros(acts.shape[-1], np.float32)
    return dataclasses.replace(
        found,
        spatial=spatial,
        channels=channels,
        mean=mean,
        error=float(left_out),
        lengths=(found.lengths * length).astype(np.float32),
    )
