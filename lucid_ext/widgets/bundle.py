"""The view's modules as one: what a notebook's front end or a page loads is a single script."""

import functools
import json
import re
from pathlib import Path, PurePosixPath

from lucid_ext.widgets.formula import ATTRIBUTES, ELEMENTS

STATIC = Path(__file__).parent / "static"

_IMPORT = re.compile(r'^import \{([^}]*)\} from "([^"]+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:function|const|class) (\w+))", re.MULTILINE)


@functools.cache
def modules(main: str = "board") -> tuple[str, ...]:
    """Return the modules that `main` is made of, each after those it imports, itself last."""
    found: dict[str, None] = {}

    def take(name: str) -> None:
        for _, path in _IMPORT.findall(_read(f"{name}.js")):
            if (needed := _resolved(name, path)) not in found:
                take(needed)
        found[name] = None

    take(main)
    return tuple(found)


@functools.cache
def view_script(main: str = "board") -> str:
    """Return a script in which `modules` holds what each module exports, those of `main` last."""
    mathml = {"elements": ELEMENTS, "attributes": ATTRIBUTES}
    parts = [f"const BOARD_CSS = {json.dumps(board_css())};", f"const MATHML = {json.dumps(mathml)};"]
    return "\n".join([*parts, "const modules = {};", *map(_scoped, modules(main))])


def widget_module() -> str:
    """Return the ES module anywidget loads."""
    return view_script() + '\nconst { render } = modules["board"];\nexport default { render };\n'


def page_script() -> str:
    """Return the script of a page without Jupyter: the view and its host."""
    return view_script("page")


@functools.cache
def board_css() -> str:
    """Return the style of the view, which its script puts into the page; each module's stands beside it."""
    own = [name for name in modules() if (STATIC / f"{name}.css").exists()]
    return "\n".join(_read(f"{name}.css") for name in ("tokens", "base", *own, "overrides"))


def _read(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


def _resolved(name: str, path: str) -> str:
    """Which module `path` means in an import of module `name`."""
    parts: list[str] = []
    for part in (PurePosixPath(name).parent / path).parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def _scoped(name: str) -> str:
    """A module as a function that runs once and returns its exports; names in it are its own."""

    def imported(match: re.Match) -> str:
        names = match[1].replace(" as ", ": ")
        return f"const {{{names}}} = modules[{json.dumps(_resolved(name, match[2]))}];\n"

    source = _IMPORT.sub(imported, _read(f"{name}.js"))
    exports = ", ".join(_EXPORT.findall(source))
    source = _EXPORT.sub("", source)
    return f"modules[{json.dumps(name)}] = (() => {{\n{source}return {{ {exports} }};\n}})();"
