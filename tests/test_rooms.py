"""The packages of lucid_ext are rooms; imports lead from one to another one way, as the code draws it."""

import ast
from pathlib import Path

import networkx
import pytest

import lucid_ext as lx

PACKAGE = Path(lx.__file__).parent
FLOORS = [
    {"storage", "lucid_tf2"},
    {"models", "groups", "board"},
    {"attribution", "optvis", "widgets"},
    {"class_concepts", "live"},
    {"interfaces"},
    {"commands"},
]
"""From the ground up: a room may lead to those below it, and to none beside or above."""

KNOW_NOTHING_OF = {
    "tensorflow": {"storage", "groups", "board", "widgets"},
    "ipywidgets": {"storage", "groups", "board", "models", "attribution", "optvis", "class_concepts"},
    "anywidget": {"storage", "groups", "board", "models", "attribution", "optvis", "class_concepts"},
}


def imports(path, anywhere=False):
    """The modules a file imports: when it is imported itself, or at any time."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = ast.walk(tree) if anywhere else tree.body
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports by dots"
            module = node.module or ""
            yield from (f"{module}.{alias.name}" for alias in node.names)


def rooms():
    """Every file that stands in a room, with the room's name."""
    for path in PACKAGE.rglob("*.py"):
        inside = path.relative_to(PACKAGE).parts
        if len(inside) > 1:
            yield path, inside[0]


@pytest.fixture(scope="module")
def plan():
    graph = networkx.DiGraph()
    for path, room in rooms():
        graph.add_node(room)
        for name in imports(path):
            first, _, rest = name.partition(".")
            other = rest.partition(".")[0]
            if first == "lucid_ext" and (PACKAGE / other).is_dir() and other != room:
                graph.add_edge(room, other)
    return graph


def test_every_room_is_on_a_floor(plan):
    assert set(plan) == set().union(*FLOORS)
    alone = {path.name for path in PACKAGE.glob("*.py")}
    assert alone == {"__init__.py", "__main__.py"}  # no file stands in the hall


def test_imports_lead_down(plan):
    floor = {room: i for i, floor in enumerate(FLOORS) for room in floor}
    assert [(a, b) for a, b in plan.edges if floor[a] <= floor[b]] == []
    assert networkx.is_directed_acyclic_graph(plan)


def test_no_circle_among_files():
    graph = networkx.DiGraph()
    for path, _ in rooms():
        own = ".".join(["lucid_ext", *path.relative_to(PACKAGE).with_suffix("").parts])
        for name in imports(path):
            module = PACKAGE.parent.joinpath(*name.split("."))
            for found in (module, module.parent):
                if found.with_suffix(".py").is_file() and PACKAGE in found.parents:
                    graph.add_edge(own, ".".join(found.relative_to(PACKAGE.parent).parts))
                    break
    assert graph.number_of_edges() > 100
    assert list(networkx.simple_cycles(graph)) == []


@pytest.mark.parametrize("package", KNOW_NOTHING_OF)
def test_rooms_know_nothing_of(package):
    found = {
        f"{room}/{path.name}"
        for path, room in rooms()
        if room in KNOW_NOTHING_OF[package]
        and any(name.split(".")[0] == package for name in imports(path, anywhere=True))
    }
    assert found == set()
