"""Small charts as SVG, for numbers that no board shows: a matrix, and medians with their quartiles."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from lucid_ext.board.numbers import written
from lucid_ext.storage.markup import escaped

FOR, AGAINST = "#1f6fc4", "#b3611c"  # above and below zero, as in the view
SERIES = ("#1f6fc4", "#b3611c", "#4d8b31", "#8a4fae")
SHAPES = ("circle", "square", "diamond", "triangle")  # not told apart by colour alone
STYLE = "font: 13px system-ui, sans-serif; font-variant-numeric: tabular-nums; fill: currentColor"
CELL, HEIGHT = 46, 30  # pixels


@dataclasses.dataclass(frozen=True)
class Chart:
    """An SVG picture that notebooks show.

    Attributes:
        svg: its markup; text in it is escaped.
    """

    svg: str

    def _repr_html_(self) -> str:
        return self.svg

    def __add__(self, other: "Chart") -> "Chart":
        """Both, one beside the other."""
        return Chart(f'<span style="white-space: normal">{self.svg} {other.svg}</span>')


def matrix(
    values: np.ndarray, rows: Sequence[str], columns: Sequence[str], title: str, most: float = 1.0
) -> Chart:
    """Numbers in a grid, blue above zero and brown below, the fuller the larger.

    Args:
        values: (rows, columns); NaN leaves a place empty.
        rows: their names.
        columns: their names.
        title: what the numbers are.
        most: the number of a full colour.
    """
    left = 16 + 7.8 * max(map(len, rows))
    top = 44 + 5.8 * max(map(len, columns))
    parts = [_text(0, 16, title, weight="600")]
    for j, name in enumerate(columns):
        x = left + CELL * (j + 0.5)
        parts.append(_text(x, top - 8, name, turn=f"rotate(-45 {x:.0f} {top - 8:.0f})"))
    for i, name in enumerate(rows):
        parts.append(_text(left - 8, top + HEIGHT * (i + 0.5) + 4.5, name, anchor="end"))
        for j, value in enumerate(values[i]):
            if np.isnan(value):
                continue
            share = min(1.0, abs(float(value)) / most)
            x, y = left + CELL * j, top + HEIGHT * i
            parts.append(
                f'<rect x="{x + 1:.1f}" y="{y + 1:.1f}" width="{CELL - 2}" height="{HEIGHT - 2}" rx="3" '
                f'fill="{FOR if value >= 0 else AGAINST}" fill-opacity="{0.06 + 0.5 * share:.2f}"/>'
            )
            said = written(value)
            parts.append(_text(x + CELL / 2, y + HEIGHT / 2 + 4.5, said, anchor="middle"))
    lean = 5.2 * len(columns[-1])
    width = max(left + CELL * len(columns) + lean, 8.4 * len(title))
    return _chart(width, top + HEIGHT * len(rows) + 8, title, parts)


def quartiles(
    places: Sequence[str], series: Mapping[str, Sequence[np.ndarray]], title: str, below: str
) -> Chart:
    """For each place, the median of every series and the half of its numbers that lies around it.

    Args:
        places: along the axis.
        series: {name: for each place its numbers, (n,)}, between -1 and 1; NaN are left out.
        title: what the numbers are.
        below: what the places are.
    """
    left, top, width, height = 44, 64, 560, 220
    found = {
        name: np.array([np.nanquantile(v, (0.25, 0.5, 0.75)) for v in each]) for name, each in series.items()
    }
    low = min(0.0, min(float(np.floor(5 * q.min()) / 5) for q in found.values()))

    def at(value: float) -> float:
        return top + height * (1 - value) / (1 - low)

    parts = [_text(0, 16, title, weight="600")]
    for tick in np.arange(low, 1.01, 0.2):
        y = at(tick)
        parts.append(
            f'<line x1="{left}" x2="{left + width}" y1="{y:.1f}" y2="{y:.1f}" stroke="currentColor" '
            f'stroke-opacity="{0.6 if abs(tick) < 1e-9 else 0.15}"/>'
        )
        parts.append(_text(left - 8, y + 4.5, written(tick, ".1f"), anchor="end"))
    step = width / len(places)
    for i, place in enumerate(places):
        parts.append(_text(left + step * (i + 0.5), top + height + 22, place, anchor="middle"))
    parts.append(_text(left + width / 2, top + height + 44, below, anchor="middle"))
    for k, (name, quarters) in enumerate(found.items()):
        colour = SERIES[k % len(SERIES)]
        parts.append(_mark(left + 8 + 150 * k, 36, SHAPES[k % len(SHAPES)], colour))
        parts.append(_text(left + 20 + 150 * k, 40.5, name))
        for i, (first, median, third) in enumerate(quarters):
            x = left + step * (i + 0.5) + 16 * (k - (len(found) - 1) / 2)
            parts.append(
                f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{at(first):.1f}" y2="{at(third):.1f}" '
                f'stroke="{colour}" stroke-width="2" stroke-opacity="0.6"/>'
            )
            parts.append(_mark(x, at(median), SHAPES[k % len(SHAPES)], colour))
    return _chart(left + width + 8, top + height + 56, title, parts)


def _mark(x: float, y: float, shape: str, colour: str) -> str:
    if shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>'
    outline = {
        "square": ((-4.5, -4.5), (4.5, -4.5), (4.5, 4.5), (-4.5, 4.5)),
        "diamond": ((0, -6), (6, 0), (0, 6), (-6, 0)),
        "triangle": ((0, -6), (5.5, 4.5), (-5.5, 4.5)),
    }[shape]
    points = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in outline)
    return f'<polygon points="{points}" fill="{colour}"/>'


def _text(x: float, y: float, said: str, anchor: str = "start", weight: str = "400", turn: str = "") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}" transform="{turn}">'
        f"{escaped(said)}</text>"
    )


def _chart(width: float, height: float, title: str, parts: Sequence[str]) -> Chart:
    return Chart(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{escaped(title)}" '
        f'style="{STYLE}; max-width: 100%; margin-right: 24px">{"".join(parts)}</svg>'
    )
