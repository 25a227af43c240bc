"""The methods of attribution an interface offers."""

from collections.abc import Sequence
from typing import Any

from lucid_ext.attribution import METHODS
from lucid_ext.numerals import written

SLOW = ("shapley", "random")  # offered only where they are asked for
OPTIONS: dict[str, dict[str, Any]] = {
    "path": {"steps": 8, "tolerance": None}
}  # enough here, and a quarter of the time of the default


def agreement(spearman: Any, signs: Any) -> str:
    """How alike two attributions are, in words."""
    return f"rank correlation {written(float(spearman))}, signs {float(signs):.0%}"


def offered(method: str, methods: Sequence[str] | None = None) -> list[str]:
    """The methods to choose from, by default all there are but the slow ones; `method` is one of them.

    Raises:
        ValueError: there is no such method.
    """
    names = list(methods or [name for name in METHODS if name not in SLOW])
    if method not in names:
        names.insert(0, method)
    for name in names:
        if name not in METHODS:
            raise ValueError(f"there is no method {name!r}; expected one of {', '.join(METHODS)}.")
    return names
