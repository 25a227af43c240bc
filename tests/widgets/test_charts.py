"""Charts: what the numbers say is what is drawn, and text is text."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from lucid_ext.widgets import charts

SVG = "{http://www.w3.org/2000/svg}"


def test_a_matrix_prints_its_numbers_and_shows_their_size_and_sign():
    values = np.array([[1.0, -0.5], [np.nan, 0.25]])
    root = ET.fromstring(charts.matrix(values, ["a", "<b>"], ["c", "d"], "Two & two").svg)
    said = [text.text for text in root.iter(f"{SVG}text")]
    assert said == ["Two & two", "c", "d", "a", "1.00", "\N{MINUS SIGN}0.50", "<b>", "0.25"]
    boxes = list(root.iter(f"{SVG}rect"))
    assert [box.get("fill") for box in boxes] == [charts.FOR, charts.AGAINST, charts.FOR]
    depth = [float(box.get("fill-opacity")) for box in boxes]
    assert depth[0] > depth[1] > depth[2]
    assert root.get("aria-label") == "Two & two"


def test_quartiles_are_numpys_at_their_height():
    rng = np.random.default_rng(0)
    numbers = [rng.uniform(0, 1, 20), np.append(rng.uniform(0, 1, 20), np.nan)]
    root = ET.fromstring(charts.quartiles(["1", "2"], {"one": numbers}, "Title", "below").svg)
    dots = [float(dot.get("cy")) for dot in root.iter(f"{SVG}circle")][1:]  # the first is the legend's
    lines = [line for line in root.iter(f"{SVG}line") if line.get("stroke-width")]
    grid = [float(line.get("y1")) for line in root.iter(f"{SVG}line") if not line.get("stroke-width")]
    bottom, top = grid[0], grid[-1]
    for dot, line, own in zip(dots, lines, numbers, strict=True):
        first, median, third = np.nanquantile(own, (0.25, 0.5, 0.75))
        heights = [(bottom - y) / (bottom - top) for y in (float(line.get("y1")), dot, float(line.get("y2")))]
        assert heights == pytest.approx([first, median, third], abs=1e-3)


def test_charts_stand_side_by_side():
    one = charts.matrix(np.eye(2), ["a", "b"], ["a", "b"], "One")
    assert (one + one)._repr_html_().count("<svg") == 2
