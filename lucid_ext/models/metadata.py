"""What is said of a network beside its graph, checked: its name, its classes, its size, its range."""

import unicodedata
from collections.abc import Iterable, Mapping
from numbers import Integral
from typing import Any, TypeAlias

import numpy as np

Bound: TypeAlias = float | np.ndarray
"""An end of a value range: a number, or float32 (3,), one for each colour."""

MIN_SIDE, MAX_SIDE = 4, 2048
MAX_LABEL_LENGTH = 200
MAX_LEVEL = 1e6

# Characters that turn the text around them, as U+202E does, and do not belong in a name.
EMBEDDINGS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
# Control characters, lone surrogates, ends of lines and of paragraphs.
CONTROLS = {"Cc", "Cs", "Zl", "Zp"}


def printable(text: str) -> str:
    """Return a text with a question mark in place of whatever is not to be shown."""
    return "".join("?" if _is_unsafe(character) else character for character in text)


def check_labels(labels: Any, name: str) -> list[str]:
    """Return class names as a list of strings; whole numbers are names too.

    Args:
        labels: the names, in the order of the classes.
        name: what to call the network in an error.

    Raises:
        ValueError: one sentence; they are no list, or one is no name that can be shown.
    """
    if isinstance(labels, str | bytes | Mapping | set | frozenset) or not isinstance(labels, Iterable):
        raise ValueError(f"labels of {name} are a {type(labels).__name__}; expected a list of names.")
    found = []
    for i, label in enumerate(labels):
        is_name = isinstance(label, str) or (isinstance(label, Integral) and not isinstance(label, bool))
        text = str(label) if is_name else ""
        if not text.strip() or len(text) > MAX_LABEL_LENGTH or any(map(_is_unsafe, text)):
            raise ValueError(
                f"label {i} of {name} is {ascii(label)[:80]}; expected a name of 1 to {MAX_LABEL_LENGTH} "
                "characters, none of which controls how text is shown."
            )
        found.append(text)
    return found


def check_size(size: Any, name: str) -> tuple[int, int]:
    """Return a size in pixels as (height, width).

    Raises:
        ValueError: one sentence; it is none, or none an image classifier has. `name` is what to call
            the network.
    """
    sides = tuple(size) if isinstance(size, Iterable) else ()
    is_whole = all(isinstance(side, Integral) and not isinstance(side, bool) for side in sides)
    if len(sides) != 2 or not is_whole or not all(MIN_SIDE <= side <= MAX_SIDE for side in sides):
        raise ValueError(
            f"size of {name} is {size!r}; expected (height, width), each of {MIN_SIDE} to {MAX_SIDE} pixels."
        )
    return int(sides[0]), int(sides[1])


def check_range(value_range: Any, name: str) -> tuple[Bound, Bound]:
    """Return what black and white become, each a number or float32 (3,).

    Raises:
        ValueError: one sentence; they are no such numbers, or the same. `name` is what to call the
            network.
    """
    try:
        low, high = (np.asarray(bound) for bound in value_range)
        fits = all(b.shape in ((), (3,)) and b.dtype.kind in "iuf" for b in (low, high))
        fits = fits and bool((np.maximum(abs(low), abs(high)) <= MAX_LEVEL).all() and (low != high).all())
    except (TypeError, ValueError):
        fits = False
    if not fits:
        raise ValueError(
            f"range of {name} is {value_range!r}; expected what black and white become, as (0, 1): two "
            "different numbers, or two lists of three."
        )
    return _bound(low), _bound(high)


def _bound(stated: np.ndarray) -> Bound:
    return stated.astype(np.float32) if stated.ndim else float(stated)


def _is_unsafe(character: str) -> bool:
    return unicodedata.category(character) in CONTROLS or unicodedata.bidirectional(character) in EMBEDDINGS
