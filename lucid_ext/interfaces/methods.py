"""The methods of attribution an interface offers."""

from collections.abc import Sequence
from typing import Any

from lucid_ext.attribution import METHODS
from lucid_ext.numerals import written


def agreement(spearman: Any, signs: Any) -> str:
    """How alike two attributions are, in words."""
    return f"rank correlation {written(float(spearman))}, signs {float(signs):.0%}"


def offered(method: str, atoms: str, methods: Sequence[str] | None = None) -> list[str]:
    """Return the methods to choose from; `method` is one of them.

    Args:
        method: the one to begin with.
        atoms: what they are to answer for.
        methods: by default all that do, but for slow ones and those that say nothing of the network.

    Raises:
        ValueError: there is no such method, or it does not answer for these atoms.
    """
    names = list(methods or [name for name in METHODS.for_atoms(atoms) if _offered_unasked(name)])
    if method not in names:
        names.insert(0, method)
    for name in names:
        METHODS.named(name).check_atoms(atoms)
    return names


def menu_label(method: str) -> str:
    """Return how a menu calls a method: a slow one is marked."""
    return f"{method} (slow)" if METHODS.named(method).cost == "slow" else method


def warning(method: str, atoms: str) -> str:
    """Return what a reader should know before a method is asked; mostly nothing."""
    if METHODS.named(method).cost != "slow":
        return ""
    return f"{method} is slow: it runs the network many times for each of the {atoms}. This may take minutes."


def _offered_unasked(name: str) -> bool:
    return METHODS[name].cost != "slow" and METHODS[name].kind != "control"
