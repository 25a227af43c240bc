"""The view's JavaScript: pure parts under node, the bundle as one module."""

import dataclasses
import json
import os
import re
import subprocess
import typing
from pathlib import Path

import numpy as np
import pytest

from lucid_ext import board as grammar
from lucid_ext.board import Units, format_value
from lucid_ext.board.comparison import pair
from lucid_ext.widgets.bundle import STATIC, board_css, modules, page_script, widget_module
from lucid_ext.widgets.payload import payload
from tests.board.test_board import board, scene
from tests.board.test_drilldown import SELECTIONS
from tests.board.test_drilldown import board as trail_board
from tests.board.test_flow import flow_board

HERE = Path(__file__).parent


def run(node, *arguments, **environment):
    done = subprocess.run(
        [node, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_geometry(node):
    run(node, "--test", HERE / "geometry.test.js")


def test_trail(node):
    run(node, "--test", HERE / "trail.test.js")


def test_selection(node):
    run(node, "--test", HERE / "selection.test.js")


def test_data(node, tmp_path, rng):
    def expectation(b, selections):
        lists = [p.name for p in b.panels if isinstance(p, Units)]
        return {
            "payload": payload([b], controls=False),
            "selections": [
                {
                    "selected": s,
                    "rows": {name: b.rows(name, s) for name in lists},
                    "caption": b.describe(s),
                }
                for s in selections
            ],
        }

    b = board()
    selections = [{"image": i} for i in range(6)] + [{}, {"units": 1}, {"image": 2, "units": 3}]
    grids = [{name: i} for i in range(6) for name in ("fine", "coarse")]
    both = pair(b, board(links=[dataclasses.replace(b.links[0], values=b.links[0].values[::-1])]))
    sides = [{f"{side}_image": i} for i in range(6) for side in "abd"]
    numbers = [*(rng.normal(size=300) * 10 ** rng.uniform(-3, 3, 300)).astype(np.float32), 0.125, 2.675, 0.0]
    halves = rng.integers(0, 0x7C00, 500).astype(np.uint16)
    expected = {
        **expectation(b, selections),
        "others": [
            expectation(scene(), [*grids, {}]),
            expectation(both, [*sides, {}]),
            expectation(trail_board(), SELECTIONS),
        ],
        "values": [
            [float(v), how, format_value(float(v), how)] for v in numbers for how in ("number", "percent")
        ],
        "weights": b.link("units", "image").weights.tolist(),
        "halves": [[int(h), float(h.view(np.float16))] for h in halves],
    }
    (tmp_path / "expected.json").write_text(json.dumps(expected))
    run(node, "--test", HERE / "data.test.js", EXPECTED=str(tmp_path / "expected.json"))


def test_flow(node, tmp_path):
    b = flow_board()
    chosen = [[], [0], [4], [6], [0, 1], [0, 4], [4, 8], [0, 6], [0, 4, 8, 11], [9, 10], [8, 11], [10, 11]]
    selections = [
        {"nodes": n, "sums": b["flow"].adds_up(n).tolist(), "told": b["flow"].tell(n)} for n in chosen if n
    ]
    selections.append({"nodes": [], "sums": b["flow"].adds_up([]).tolist(), "told": ""})
    expected = {"payload": payload([b], controls=False), "selections": selections}
    (tmp_path / "expected.json").write_text(json.dumps(expected))
    run(node, "--test", HERE / "flow.test.js", EXPECTED=str(tmp_path / "expected.json"))


@pytest.mark.parametrize("script", [widget_module, page_script])
def test_bundle_is_one_module(node, script, tmp_path):
    text = script()
    assert not re.search(r"^import\b", text, re.MULTILINE)
    (tmp_path / "bundle.mjs").write_text(text)
    run(node, "--check", tmp_path / "bundle.mjs")


def test_bundle_holds_every_module():
    found = {path.relative_to(STATIC).with_suffix("").as_posix() for path in STATIC.rglob("*.js")}
    assert found == set(modules("page"))
    assert found == {*modules(), "page"}


def test_styles_stand_beside_their_modules():
    found = {path.relative_to(STATIC).with_suffix("").as_posix() for path in STATIC.rglob("*.css")}
    assert found <= {*modules(), "tokens", "base", "overrides"}
    for path in STATIC.rglob("*.css"):
        assert path.read_text() in board_css()


def test_modules_come_after_what_they_import():
    order = modules("page")
    for i, name in enumerate(order):
        path = STATIC / f"{name}.js"
        imported = re.findall(r'from "(\.[./\w]+)"', path.read_text())
        before = {(STATIC / f"{done}.js").resolve() for done in order[:i]}
        assert {(path.parent / other).resolve() for other in imported} <= before


def test_the_view_has_the_kinds_that_python_has(node):
    """The names of kinds in a payload are those of their classes."""
    code = (
        f"import {{ PANELS }} from '{(STATIC / 'panels/registry.js').as_uri()}';"
        f"import {{ LINKS }} from '{(STATIC / 'links/registry.js').as_uri()}';"
        "console.log(JSON.stringify([[...PANELS.keys()], [...LINKS.keys()]]));"
    )
    done = subprocess.run(
        [node, "--input-type=module", "-e", code], capture_output=True, text=True, check=True
    )
    panels, links = json.loads(done.stdout)
    assert set(panels) == kinds(grammar.Panel)
    assert set(links) == kinds(grammar.Link)


def test_each_kind_has_one_file_of_its_own():
    for folder, kind in (("panels", grammar.Panel), ("links", grammar.Link)):
        files = {path.stem for path in (STATIC / folder).glob("*.js")}
        assert files == {*kinds(kind), "base", "registry"}


def test_only_a_kind_knows_what_it_is():
    names = "|".join(kinds(grammar.Panel) | kinds(grammar.Link))
    asked = re.compile(rf"instanceof (?!ArrayBuffer\b|Map\b)|kind [!=]==|\"({names})\"")
    loop = [path for path in STATIC.rglob("*.js") if path.parent.name not in ("panels", "links")]
    found = {path.name: match[0] for path in loop if (match := asked.search(path.read_text()))}
    assert not found


def kinds(kind):
    """The names of all kinds of panels or links."""
    roots = typing.get_args(kind) or (kind,)
    every = [getattr(grammar, name) for name in dir(grammar)]
    found = {one for one in every if isinstance(one, type) and issubclass(one, roots)}
    return {one.__name__.lower() for one in found - {kind}}


def test_the_view_names_no_interface_and_no_network():
    text = widget_module()
    for word in ("semantic", "dictionary", "fetch(", "XMLHttpRequest", "WebSocket", "import("):
        assert word not in text
    assert not re.search(r"https?://(?!www\.w3\.org)", text)
