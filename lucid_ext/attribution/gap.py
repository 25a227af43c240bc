"""What of a score's change an attribution leaves unexplained."""

import numpy as np


def completeness_gap(values: np.ndarray, change: np.ndarray) -> np.ndarray:
    """|change - sum of values| / max(|change|, 0.01 * sum |values|); zero where all is zero.

    Args:
        values: (*atoms.shape, *targets.shape).
        change: (*targets.shape).
    """
    over = tuple(range(values.ndim - change.ndim))
    left = np.abs(change - values.sum(over, dtype=np.float64))
    whole = np.maximum(np.abs(change), 0.01 * np.abs(values).sum(over, dtype=np.float64))
    return np.divide(left, whole, out=np.zeros_like(left), where=whole > 0).astype(np.float32)
