"""Take the README's pictures anew: python docs/pictures.py [--images FOLDER] [NAME ...].

Every interface is built, exported as a page, driven in a headless Chromium and photographed; the
sheet of icons is cut from the one that is shipped. `FOLDER/val` holds a folder of photographs per
WordNet id, for the concepts. For the picture of JupyterLab a server of its own is started.
"""

import argparse
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

import lucid_ext as lx

HERE = Path(__file__).parent
SCHOOL_BUS, SPORTS_CAR = "n04146614", "n04285008"
QUALITY = 82
SCALE = 1.5  # pixels of a picture per pixel of the page
SHEET_COLUMNS, SHEET_ROWS = 12, 6
MAIN = lx.load_model().opening.layer
NOTEBOOK = (
    "import lucid_ext as lx\n\nmodel = lx.load_model()",
    'dictionary = lx.SemanticDictionary(model, "cat_coffee")\ndictionary',
)


def point(page: Page, panel: str, across: float, down: float, click: bool = False) -> None:
    """Move the pointer to a place of a picture, given in parts of its width and height."""
    section = page.locator("section", has=page.locator("h3", has_text=re.compile(f"^{panel}"))).first
    box = section.locator(".lx-viewport").bounding_box()
    assert box is not None, panel
    (page.mouse.click if click else page.mouse.move)(
        box["x"] + across * box["width"], box["y"] + down * box["height"]
    )


def grids(model: lx.VisionModel, image: Any, _: Path | None) -> Any:
    """The four layers, final tiles."""
    grid = lx.ActivationGrid(model, image)
    grid.wait()
    return grid


def pair(model: lx.VisionModel, image: Any, _: Path | None) -> Any:
    """A photograph and its adversarial twin."""
    layers = model.opening.series[-2:]
    twin = lx.adversarial(model, image, "sunglasses", epsilon=4 / 255)
    one, other = (lx.ActivationGrid(model, shown, layers=layers) for shown in (image, twin))
    both = one.pair(other, names=("clean", "adversarial"))
    both.wait()
    return both


def concepts(model: lx.VisionModel, _: Any, images: Path | None) -> Any:
    """School buses beside sports cars."""
    if images is None:
        raise SystemExit("The picture of concepts needs --images FOLDER.")
    return lx.concepts(model, images / "val" / SCHOOL_BUS, other=images / "val" / SPORTS_CAR)


def lens(page: Page) -> None:
    """Point at the cup."""
    point(page, MAIN, 0.42, 0.62)


def sized(page: Page) -> None:
    """Tiles as large as their vectors are long."""
    page.get_by_role("button", name="Tiles sized").click()
    lens(page)


def cell(page: Page) -> None:
    """Select a cell."""
    point(page, MAIN, 0.46, 0.6, click=True)
    page.mouse.move(2, 2)


def channel(page: Page) -> None:
    """Ask about a channel, then about one it is made from."""
    columns = page.locator(".lx-columns .lx-units")
    columns.nth(2).locator(".lx-row").first.click()
    columns.nth(1).locator(".lx-row").first.click()
    page.mouse.move(2, 2)


def node(page: Page) -> None:
    """Select a group."""
    page.get_by_role("button", name=f"{MAIN} group 4").first.click()
    page.mouse.move(2, 2)


def still(page: Page) -> None:
    """As it opens, with the pointer away."""
    page.mouse.move(2, 2)


Build = Callable[[lx.VisionModel, Any, Path | None], Any]
SHOTS: dict[str, tuple[Build, int, Callable[[Page], None], int | None]] = {
    # name: how to build it, width of the window, what is done there, height of the picture if it is cut
    "semantic_dictionary": (lambda m, i, _: lx.SemanticDictionary(m, i), 1180, still, None),
    "activation_grids": (grids, 1000, lens, None),
    "activation_grids_sized": (grids, 1000, sized, 890),
    "adversarial_pair": (pair, 1000, lens, 1480),
    "spatial_attribution": (lambda m, i, _: lx.SpatialAttribution(m, i), 1000, cell, None),
    "channel_attribution": (lambda m, i, _: lx.ChannelAttribution(m, i), 1280, channel, None),
    "method_comparison": (lambda m, i, _: lx.MethodComparison(m, i), 1000, still, None),
    "neuron_groups": (lambda m, i, _: lx.NeuronGroups(m, i), 1180, still, None),
    "group_flow": (lambda m, i, _: lx.GroupFlow(m, i), 1140, node, None),
    "concepts": (concepts, 1180, still, None),
}
OTHERS = ("icons", "jupyterlab")


@contextmanager
def browser() -> Iterator[Any]:
    """A Chromium, that of $CHROMIUM or one found."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])


def photograph(chromium: Any, page: Path, width: int, act: Callable[[Page], None], height: int | None) -> Any:
    """A picture of a page once it is drawn and something was done to it."""
    tab = chromium.new_page(viewport={"width": width, "height": 900}, device_scale_factor=SCALE)
    tab.goto(page.as_uri())
    tab.locator(".lx-board").wait_for()
    tab.wait_for_timeout(500)
    whole = tab.locator(".lx-board").bounding_box()
    tab.set_viewport_size({"width": width, "height": round(whole["height"]) + 40})
    act(tab)
    tab.wait_for_timeout(500)
    taken = Image.open(io.BytesIO(tab.screenshot())).convert("RGB")
    tab.close()
    return taken.crop((0, 0, taken.width, round(SCALE * height))) if height else taken


def sheet(model: lx.VisionModel) -> Image.Image:
    """Icons of the middle of two deep layers, as they come."""
    half = SHEET_COLUMNS * SHEET_ROWS // 2
    pixels = np.concatenate(
        [lx.icons(model, layer, range(100, 100 + half)) for layer in model.opening.series[-2:]]
    )
    size, gap = pixels.shape[1], 4
    step = size + gap
    whole = Image.new("RGB", (SHEET_COLUMNS * step - gap, SHEET_ROWS * step - gap), "white")
    for i, icon in enumerate(pixels):
        whole.paste(Image.fromarray(icon), (i % SHEET_COLUMNS * step, i // SHEET_COLUMNS * step))
    return whole


@contextmanager
def lab(folder: Path) -> Iterator[str]:
    """A JupyterLab on a notebook, without settings of the user's; its address."""
    cells = [nbformat.v4.new_code_cell(source) for source in NOTEBOOK]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), folder / "dictionary.ipynb")
    own = {f"JUPYTER_{what}_DIR": str(folder / f".{what}") for what in ("CONFIG", "DATA")}
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root"]
    command += [f"--ServerApp.root_dir={folder}", "--ServerApp.port=0", "--IdentityProvider.token="]
    server = subprocess.Popen(command, env={**os.environ, **own}, stderr=subprocess.PIPE, text=True)
    assert server.stderr is not None
    try:
        address = next(m for line in server.stderr if (m := re.search(r"http://\S+?/lab", line)))
        yield f"{address[0]}/tree/dictionary.ipynb"
    finally:
        server.terminate()
        server.wait()


def jupyterlab(chromium: Any, address: str) -> Image.Image:
    """The semantic dictionary as a live widget."""
    tab = chromium.new_page(viewport={"width": 1330, "height": 1000}, device_scale_factor=SCALE)
    tab.goto(address)
    tab.locator(".jp-NotebookPanel .jp-Cell").first.wait_for(timeout=60_000)
    tab.get_by_role("button", name="No", exact=True).click()  # no news
    tab.get_by_text("| Idle").wait_for(timeout=60_000)  # before that the kernel takes nothing
    tab.get_by_role("menuitem", name="Run", exact=True).click()
    tab.get_by_text("Run All Cells", exact=True).click()
    tab.locator(".lx-board").wait_for(timeout=120_000)
    tab.get_by_role("tab", name=re.compile("^File Browser")).click()  # it goes away
    tab.wait_for_timeout(3000)
    return Image.open(io.BytesIO(tab.screenshot())).convert("RGB")


def main() -> None:
    """Take the pictures asked for, or all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help=f"of {', '.join([*SHOTS, *OTHERS])}; all by default")
    parser.add_argument("--images", type=Path)
    given = parser.parse_args()
    model, image = lx.load_model(), lx.load_image("cat_coffee")
    for name in given.names or [*SHOTS, *OTHERS]:
        if name == "icons":
            taken = sheet(model)
        elif name == "jupyterlab":
            with tempfile.TemporaryDirectory() as folder, lab(Path(folder)) as address, browser() as chromium:
                taken = jupyterlab(chromium, address)
        else:
            build, width, act, height = SHOTS[name]
            with tempfile.TemporaryDirectory() as folder, browser() as chromium:
                page = build(model, image, given.images).to_html(Path(folder) / f"{name}.html")
                taken = photograph(chromium, page, width, act, height)
        taken.save(HERE / f"{name}.webp", quality=QUALITY, method=6)
        print(name, taken.size, f"{(HERE / f'{name}.webp').stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
