"""What to call a neuron group until somebody has looked at it: a guess from the classes it argues for."""

from collections.abc import Collection, Sequence

import numpy as np


def guesses(effects: np.ndarray, labels: Sequence[str], but: Collection[int] = ()) -> list[str]:
    """A name for each group: the class it argues for most, with a question mark, since it is a guess.

    Args:
        effects: (k, classes), how much each group adds to each class's logit.
        labels: of the classes; of several names of one, the first is taken.
        but: numbers of classes to pass over, as the one whose groups these are.

    Returns:
        k names, as "Persian cat?"; empty for a group that argues for no class.
    """
    argued = np.array(effects, np.float64)
    argued[:, list(but)] = 0
    best = argued.argmax(1)
    return [f"{labels[c].split(',')[0]}?" if argued[j, c] > 0 else "" for j, c in enumerate(best.tolist())]
