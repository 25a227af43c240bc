"""A real JupyterLab: open notebook 01 in a browser, click a cell, and see Python hear of it."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest

from lucid_ext.models.load import ASSETS, EMBEDDED

OPENING = json.loads((ASSETS / f"{EMBEDDED[0]}.json").read_text(encoding="utf-8"))["opening"]
COARSE = OPENING["series"][-1]  # half as many rows and columns
NOTEBOOK = Path(__file__).parent.parent.parent / "notebooks" / "01_semantic_dictionary.ipynb"

LISTEN = """
import json
import pathlib

def tell(change):
    pathlib.Path("selected.json").write_text(json.dumps([change["new"], dictionary.selected.get("image")]))

dictionary.view.observe(tell, "selected")
"""


@pytest.fixture
def lab(tmp_path):
    """A JupyterLab on localhost, in a folder with notebook 01 cut after its interface."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    shown = next(i for i, c in enumerate(notebook.cells) if c.source.endswith("\ndictionary"))
    notebook.cells = [*notebook.cells[: shown + 1], nbformat.v4.new_code_cell(LISTEN)]
    nbformat.write(notebook, tmp_path / "notebook.ipynb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = tmp_path / "home"
    home.mkdir()
    environment = {**os.environ, "HOME": str(home), "JUPYTER_CONFIG_DIR": str(home), "JUPYTER_NO_CONFIG": "1"}
    environment.pop("LUCID_EXT_OFFLINE", None)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"]
    command += ["--ServerApp.port_retries=0", "--IdentityProvider.token=", "--LabApp.news_url=None"]
    command += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    with (tmp_path / "lab.log").open("w") as log:
        server = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{url}/api", timeout=5).close()
                break
            except OSError:
                assert server.poll() is None, (tmp_path / "lab.log").read_text()
                time.sleep(0.25)
        yield url, tmp_path
    finally:
        server.terminate()
        server.wait(30)
        shutil.rmtree(home, ignore_errors=True)


def wait_for(path: Path, seconds: float = 60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            time.sleep(0.1)
    raise AssertionError(f"{path.name} was not written in {seconds} s")


def test_a_click_in_jupyterlab_reaches_python(lab, chromium):
    url, folder = lab
    tab = chromium.new_page(viewport={"width": 1500, "height": 1100})
    tab.goto(f"{url}/lab/tree/notebook.ipynb")
    tab.locator(".jp-Notebook h1").first.wait_for(timeout=60_000)
    tab.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=idle]", timeout=60_000)
    tab.get_by_role("menuitem", name="Run", exact=True).click()
    tab.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    tab.wait_for_selector(f".lx-board .lx-name:has-text('{OPENING['layer']}:')", timeout=180_000)
    tab.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=idle]", timeout=180_000)
    tab.locator(".lx-viewport").scroll_into_view_if_needed()
    (folder / "selected.json").unlink(missing_ok=True)
    box = tab.locator(".lx-viewport").bounding_box()
    tab.mouse.click(box["x"] + box["width"] * 2.5 / 14, box["y"] + box["height"] * 3.5 / 14)
    assert wait_for(folder / "selected.json") == [{"image": 3 * 14 + 2}, [3, 2]]

    # The keys move the cell, not JupyterLab's notebook.
    (folder / "selected.json").unlink()
    tab.keyboard.press("ArrowDown")
    assert wait_for(folder / "selected.json") == [{"image": 4 * 14 + 2}, [4, 2]]
    assert tab.locator(".lx-handle").evaluate("e => e === document.activeElement")

    # An ipywidgets control changes the layer; the selection stays at its place.
    tab.locator(".jupyter-widgets select").first.select_option(COARSE)
    tab.wait_for_selector(f".lx-board .lx-name:has-text('{COARSE}:')", timeout=60_000)
    assert tab.locator(".lx-handle").get_attribute("aria-label") == "row 2, column 1"
    if "LUCID_EXT_SCREENSHOT" in os.environ:
        tab.keyboard.press("Control+b")
        tab.locator(".jupyter-widgets select").first.evaluate("e => e.scrollIntoView({block: 'start'})")
        tab.wait_for_timeout(3000)  # the cell as a whole is drawn meanwhile
        tab.screenshot(path=os.environ["LUCID_EXT_SCREENSHOT"])
    tab.close()
