"""What to call a neuron group until somebody has looked at it: a guess from the classes it argues for."""

from collections.abc import Collection, Sequence

import numpy as np

from lucid_ext.models.vision_model import PROBABLE


def guesses(
    effects: np.ndarray, odds: np.ndarray, labels: Sequence[str], but: Collection[int] = ()
) -> list[str]:
    """Return a name for each group: the probable class it argues for most; it is a guess, so it asks.

    Args:
        effects: (k, classes), how much each group adds to each class's logit.
        odds: (classes,), how probable each class is in the pictures the groups are of.
        labels: of the classes; of several names of one, the first is taken.
        but: numbers of classes to pass over, as the one whose groups these are.

    Returns:
        k names, as "Persian cat?"; empty for a group that argues for no probable class.
    """
    argued = np.where(np.asarray(odds) >= PROBABLE, np.array(effects, np.float64), 0)
    argued[:, list(but)] = 0
    best = argued.argmax(1)
    return [f"{labels[c].split(',')[0]}?" if argued[j, c] > 0 else "" for j, c in enumerate(best.tolist())]
