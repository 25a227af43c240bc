"""Fields of a board's parts: each holds what it is declared to hold, wherever it came from."""

import dataclasses
import functools
import numbers
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

NUMBERS = {int: numbers.Integral, float: numbers.Real}


def check_fields(part: Any) -> None:
    """Refuse a dataclass with a field of another type than it is declared with.

    Raises:
        ValueError: one sentence that names the field, what it holds and what was expected.
    """
    kind: type = type(part)
    for name, hint in _hints(kind).items():
        value = getattr(part, name)
        if not _fits(value, hint):
            shown = repr(value) if len(repr(value)) <= 60 else f"a {type(value).__name__}"
            expected = getattr(hint, "__name__", str(hint)) if isinstance(hint, type) else str(hint)
            raise ValueError(f"{name} of a {type(part).__name__} is {shown}; expected {expected}.")


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def _fits(value: Any, hint: Any) -> bool:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return any(_fits(value, one) for one in inner)
    if origin is Mapping:
        return isinstance(value, Mapping) and all(
            _fits(key, inner[0]) and _fits(one, inner[1]) for key, one in value.items()
        )
    if origin in (Sequence, tuple):  # a saved tuple comes back as a list
        many = isinstance(value, Sequence) and not isinstance(value, str | bytes)
        each = inner if origin is tuple else inner * len(value) if many else ()
        return many and len(each) == len(value) and all(map(_fits, value, each))
    if hint in NUMBERS:
        return isinstance(value, NUMBERS[hint]) and not isinstance(value, bool)
    return isinstance(value, (bool, np.bool_) if hint is bool else hint)
