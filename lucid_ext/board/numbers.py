"""Numbers as a reader sees them in a text."""

import decimal
from typing import Any

MINUS = "\u2212"


def written(value: Any, how: str = ".2f") -> str:
    """A number by a format of Python's, with a real minus sign: `written(-0.04)` is "−0.04".

    Args:
        value: a number.
        how: a format specification, as ".0%" or "+.2f".
    """
    return format(value, how).replace("-", MINUS)


def rounded(value: float, digits: int = 2) -> str:
    """A number as the view writes it: halves round away from zero, as JavaScript's toFixed does."""
    places = decimal.Decimal(1).scaleb(-digits)
    return written(decimal.Decimal(float(value)).quantize(places, decimal.ROUND_HALF_UP), "f")
