"""What panels of all kinds have in common."""

import re
from typing import Any

import numpy as np

FORMATS = ("number", "percent")  # of values
COLOUR = re.compile(r"#[0-9a-f]{6}")


def check_pictures(
    panel: Any,
    what: str,
    pictures: np.ndarray | None,
    which: str,
    index: np.ndarray | None,
    said: bool,
    word: str,
) -> None:
    """Refuse pictures of a panel's atoms that are no pictures, or not given with whose they are."""
    if pictures is not None and (pictures.dtype != np.uint8 or pictures.ndim != 4):
        raise ValueError(f"the {what} of panel {panel.name!r} are not uint8 (n, size, size, 3).")
    if index is not None and index.shape != (len(panel),):
        raise ValueError(
            f"{which} of panel {panel.name!r} has shape {index.shape}; expected ({len(panel)},)."
        )
    if (pictures is None) != (index is None):
        raise ValueError(f"panel {panel.name!r} needs {what} and {which} together.")
    if pictures is not None and not said:
        raise ValueError(f"panel {panel.name!r} has {what}, but is not said to be {word}.")
