"""The view's modules as one: what a notebook's front end or a page loads is a single script."""

import functools
import json
import re
from pathlib import Path

from lucid_ext.widgets.formula import ATTRIBUTES, ELEMENTS

STATIC = Path(__file__).parent / "static"

# Each after those it imports.
MODULES = (
    *("geometry", "paths", "sankey", "trail", "data", "dom", "icons", "theme", "controls", "tiles", "heat"),
    *("lens", "marks", "scene", "gestures", "picture", "names", "units", "cards", "flow", "columns", "dials"),
    "formula",
    *("layout", "selection", "board"),
)


@functools.cache
def view_script() -> str:
    """All modules of the view, without imports and exports, ending in `render` defined."""
    mathml = {"elements": ELEMENTS, "attributes": ATTRIBUTES}
    parts = [f"const BOARD_CSS = {json.dumps(board_css())};", f"const MATHML = {json.dumps(mathml)};"]
    parts += [_inlined(_read(f"{name}.js")) for name in MODULES]
    return "\n".join(parts)


def widget_module() -> str:
    """The ES module anywidget loads."""
    return view_script() + "\nexport default { render };\n"


def page_script() -> str:
    """The script of a page without Jupyter: the view and its host."""
    return view_script() + "\n" + _inlined(_read("page.js"))


@functools.cache
def board_css() -> str:
    """The style of the view, which its script puts into the page."""
    return _read("board.css")


def _read(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


def _inlined(source: str) -> str:
    source = re.sub(r"^import\s[^;]*;\n", "", source, flags=re.MULTILINE)
    return re.sub(r"^export (?=function|const|class)", "", source, flags=re.MULTILINE)
