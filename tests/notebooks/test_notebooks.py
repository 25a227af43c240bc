"""Every notebook: clean as committed, runs headless, and leaves a page that needs nothing."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from lucid_ext.models.load import ASSETS, EMBEDDED
from lucid_ext.models.samples import open_sample

FOLDER = Path(__file__).parent.parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("[0-9]*.ipynb"))
WITH_PAGE = [path for path in NOTEBOOKS if "to_html(" in path.read_text(encoding="utf-8")]
"""Those that show an interface, and leave it as a page of its own."""
PICTURE = "<script>evil=1<!-- & 'quoted'.png"
REPOSITORY = "https://github.com/lucid-ext/lucid_ext"


@pytest.fixture(params=NOTEBOOKS, ids=lambda p: p.stem)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, as_version=4)


def python(cell) -> str:
    return "\n".join(line for line in cell.source.splitlines() if not line.lstrip().startswith("%"))


def test_committed_without_outputs_or_widget_state(notebook):
    nbformat.validate(notebook)
    assert "widgets" not in notebook.metadata
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


def test_opens_with_a_title_a_badge_and_a_sentence(notebook, path):
    first = notebook.cells[0].source
    assert first.startswith("# ")
    badge = (
        f"colab.research.google.com/github/{REPOSITORY.partition('com/')[2]}/blob/main/notebooks/{path.name}"
    )
    assert badge in first
    assert first.rstrip().endswith(".")


def test_first_code_cell_installs_only_what_is_missing(notebook):
    guard = next(c.source for c in notebook.cells if c.cell_type == "code")
    assert 'find_spec("lucid_ext") is None' in guard
    assert "%pip install -q -c held.txt" in guard
    assert f"git+{REPOSITORY}" in guard


def test_shows_its_formula_and_ends_with_asserts(notebook):
    assert any("$$" in c.source for c in notebook.cells if c.cell_type == "markdown")
    last = notebook.cells[-1]
    assert last.cell_type == "code"
    assert sum(isinstance(n, ast.Assert) for n in ast.walk(ast.parse(python(last)))) >= 3


def test_names_no_layer_of_one_network(path, notebook):
    if path.stem.startswith("00"):  # Lucid's tutorial, on the network it was written for
        pytest.skip("is about one network")
    cards = [json.loads((ASSETS / f"{name}.json").read_text(encoding="utf-8")) for name in EMBEDDED]
    layers = {layer for card in cards for layer in card["layers"]} - {"logits", "stem", "top"}  # plain words
    named = re.compile("|".join([r"mixed\d[a-e]?", *map(re.escape, sorted(layers))]))
    for cell in notebook.cells:
        assert not named.search(cell.source), cell.source


@pytest.fixture(scope="module")
def explored(tmp_path_factory):
    """What `make explore IMAGE=...` makes, for a picture of the reader's with a nasty name."""
    folder = tmp_path_factory.mktemp("explore")
    picture = folder / PICTURE
    open_sample("cat_coffee").save(picture)
    command = [sys.executable, str(FOLDER / "explore.py"), "--image", str(picture), "--out", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-5000:]
    return folder


def test_index_links_a_page_per_interface_and_the_notebooks(explored, chromium):
    tab = chromium.new_page()
    tab.goto((explored / "index.html").as_uri())
    assert f"for {PICTURE}, with {EMBEDDED[0]}." in tab.locator("p").first.inner_text()
    assert tab.evaluate("window.evil") is None
    links = [a.get_attribute("href") for a in tab.locator("a").all()]
    assert WITH_PAGE
    for path in NOTEBOOKS:
        assert f"{path.stem}.html" in links
        assert (f"{path.stem.partition('_')[2]}.html" in links) == (path in WITH_PAGE)
    assert all((explored / link).is_file() for link in links)
    tab.close()


def test_explore_refuses_a_bad_picture_before_anything_runs(tmp_path):
    command = [sys.executable, str(FOLDER / "explore.py"), "--image", "no such picture.jpg"]
    done = subprocess.run([*command, "--out", str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert (
        done.stderr.strip()
        .splitlines()[-1]
        .startswith("'no such picture.jpg' is neither a sample nor a file")
    )
    assert list(tmp_path.iterdir()) == []


def test_explore_refuses_a_bad_network_before_anything_runs(tmp_path):
    (tmp_path / "graph.pb").write_bytes(b"not a graph")
    out = tmp_path / "out"
    command = [sys.executable, str(FOLDER / "explore.py"), "--model", str(tmp_path / "graph.pb")]
    done = subprocess.run([*command, "--out", str(out)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "graph.pb is not a frozen TensorFlow graph or is truncated" in done.stderr.splitlines()[-1]
    assert not out.exists()


def test_explore_refuses_an_empty_folder_of_photographs_before_anything_runs(tmp_path):
    (tmp_path / "none").mkdir()
    out = tmp_path / "out"
    command = [sys.executable, str(FOLDER / "explore.py"), "--images", str(tmp_path / "none")]
    done = subprocess.run([*command, "--out", str(out)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"there is no picture in {tmp_path / 'none'}")
    assert not out.exists()


def test_runs_headless_and_loads_nothing(path, explored):
    text = (explored / f"{path.stem}.html").read_text(encoding="utf-8")
    assert "application/vnd.jupyter.widget-state" not in text
    assert "application/vnd.jupyter.widget-view" not in text
    assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=\"(https?:)?//", text)
    assert not re.search(r'<div[^>]+data-mime-type="application/vnd.jupyter.stderr"', text)
    assert "\\sum" not in re.sub(r"srcdoc=\"[^\"]*\"", "", text)


def test_executed_notebook_works_with_the_network_cut(path, explored, chromium):
    context = chromium.new_context(viewport={"width": 1200, "height": 900})
    context.set_offline(True)
    tab = context.new_page()
    requests, errors = [], []
    tab.on("request", lambda r: requests.append(r.url))
    tab.on("pageerror", lambda e: errors.append(str(e)))
    tab.goto((explored / f"{path.stem}.html").as_uri())
    if path in WITH_PAGE:
        board = tab.frame_locator("iframe").first
        board.locator(".lx-handle").first.focus()
        tab.keyboard.press("Control+Home")
        readout = board.locator(".lx-readout").first.inner_text()
        assert re.fullmatch(r"Row 0, column 0(: [+\u2212]\d+\.\d\d)?", readout)
    else:
        sizes = "images => images.map(image => image.naturalWidth)"
        assert min(tab.locator(".jp-OutputArea img").evaluate_all(sizes)) > 64
    assert all(u.startswith(("file:", "data:", "about:")) for u in requests), requests
    assert errors == []
    context.close()


@pytest.mark.parametrize("path", WITH_PAGE, ids=lambda p: p.stem)
def test_pages_are_small_and_work_alone(path, explored, chromium):
    page = explored / f"{path.stem.partition('_')[2]}.html"
    assert page.stat().st_size < 8_000_000
    tab = chromium.new_page()
    tab.goto(page.as_uri())
    tab.wait_for_selector(".lx-board")
    tab.close()
