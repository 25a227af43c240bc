"""The view's modules as one: what a notebook's front end or a page loads is a single script."""

import functools
import json
import re
from pathlib import Path

STATIC = Path(__file__).parent / "static"

# Each after those it imports.
MODULES = (
    *("geometry", "paths", "sankey", "trail", "data", "dom", "icons", "theme", "controls", "tiles", "heat"),
    *("lens", "marks", "scene", "gestures", "picture", "names", "units", "cards", "flow", "columns", "dials"),
    *("layout", "selection", "board"),
)


@functools.cache
def view_script() -> str:
    """All modules of the view, without imports and exports, ending in `render` defined."""
    parts = [f"const BOARD_CSS = {json.dumps((STATIC / 'board.css').read_text(encoding='utf-8'))};"]
    parts += [_inlined((STATIC / f"{name}.js").read_text(encoding="utf-8")) for name in MODULES]
    return "\n".join(parts)


def widget_module() -> str:
    """The ES module anywidget loads."""
    return view_script() + "\nexport default { render };\n"


def page_script() -> str:
    """The script of a page without Jupyter: the view and its host."""
    return view_script() + "\n" + _inlined((STATIC / "page.js").read_text(encoding="utf-8"))


def _inlined(source: str) -> str:
    source = re.sub(r"^import\s[^;]*;\n", "", source, flags=re.MULTILINE)
    return re.sub(r"^export (?=function|const|class)", "", source, flags=re.MULTILINE)
