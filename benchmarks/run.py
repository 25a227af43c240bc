"""The measurements the README quotes: `make bench`.

Each figure is the median of several runs in processes of their own, beside what it must reach.
Nothing here is asserted in a test: machines differ.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

import lucid_ext as lx

ROOT = Path(__file__).parent.parent
RUNS = 3

COLD = """
import json, time
start = time.perf_counter()
import lucid_ext as lx
imported = time.perf_counter()
import tensorflow
tensorflow_imported = time.perf_counter()
dictionary = lx.SemanticDictionary(lx.load_model("mini"), "cat_coffee")
view = dictionary.view
shown = time.perf_counter()
changes = []
for layer in ("mixed4a", "mixed3a", "mixed5b"):
    before = time.perf_counter()
    dictionary.choose(layer=layer)
    changes.append(time.perf_counter() - before)
    dictionary.stop()
print(json.dumps([imported - start, tensorflow_imported - imported, shown - start, max(changes)]))
"""

POINTER = """
async () => {
  const waits = [];
  addEventListener("pointermove", (event) => {
    const handed = performance.now();
    requestAnimationFrame(() => {
      const channel = new MessageChannel();  // its message comes after the frame is painted
      channel.port1.onmessage = () => {
        const painted = performance.now();
        waits.push([painted - handed, painted - event.timeStamp]);
      };
      channel.port2.postMessage(0);
    });
  }, true);
  window.waits = waits;
}
"""


def child(code: str, cache: str) -> list[float]:
    """What a fresh process prints, as JSON."""
    environment = {**os.environ, "LUCID_EXT_CACHE": cache}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def medians(measure: Callable[[], list[float]]) -> list[float]:
    """The median of each figure over RUNS runs, after one that fills the disk cache."""
    measure()
    return [statistics.median(column) for column in zip(*(measure() for _ in range(RUNS)), strict=True)]


def notebook(cache: str, folder: Path) -> list[float]:
    """Seconds and peak resident gigabytes, over the process tree, of notebook 01 under nbconvert."""
    copy = folder / "01_semantic_dictionary.ipynb"
    shutil.copy(ROOT / "notebooks" / copy.name, copy)
    command = [sys.executable, "-m", "jupyter", "nbconvert", "--log-level", "ERROR", "--to", "html"]
    command += ["--config", str(ROOT / "notebooks" / "nbconvert" / "config.py"), "--execute", str(copy)]
    environment = {**os.environ, "LUCID_EXT_CACHE": cache, "LUCID_EXT_OFFLINE": "1"}
    before, peak = time.perf_counter(), 0
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet)
    while process.poll() is None:
        resident = 0
        try:
            tree = [psutil.Process(process.pid)]
            tree += tree[0].children(recursive=True)
        except psutil.NoSuchProcess:
            break
        for one in tree:
            try:
                resident += one.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        peak = max(peak, resident)
        time.sleep(0.05)
    assert process.wait() == 0
    return [time.perf_counter() - before, peak / 1e9]


def pointer(page: Path) -> list[float]:
    """The 95th percentile of 200 moves, in ms, up to the painted frame, and requests made.

    First from when the browser hands the event to the page, then from the event's own time stamp:
    between the two it waits for its next frame, up to 16.7 ms at 60 Hz, whatever the page does.
    """
    from playwright.sync_api import sync_playwright

    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(viewport={"width": 1100, "height": 900})
        requests: list[str] = []
        tab.on("request", lambda request: requests.append(request.url))
        tab.goto(page.as_uri())
        tab.wait_for_timeout(1000)
        tab.evaluate(POINTER)
        viewport = tab.locator(".lx-viewport").last
        viewport.scroll_into_view_if_needed()
        box = viewport.bounding_box()
        assert box is not None
        for i in range(200):
            x, y = (i * 37 % 101) / 101, (i * 53 % 89) / 89
            tab.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        tab.wait_for_timeout(200)
        handed, stamped = (sorted(column) for column in zip(*tab.evaluate("window.waits"), strict=True))
        browser.close()
    asked = [url for url in requests if not url.startswith(("file:", "data:"))]
    return [handed[int(0.95 * len(handed))], stamped[int(0.95 * len(stamped))], len(asked)]


def row(what: str, found: str, reach: str) -> None:
    """One line of the table."""
    print(f"{what:<58} {found:>12}   {reach}", flush=True)


def exported(interface: type[lx.ActivationGrid] | type[lx.SpatialAttribution], folder: Path) -> Path:
    """A page of an interface with its four layers, which have 1,225 cells."""
    path = folder / f"{interface.__name__}.html"
    return interface(lx.load_model("mini"), "cat_coffee").to_html(path)


def main() -> None:
    """Measure and print."""
    row("", "measured", "to reach")
    with tempfile.TemporaryDirectory() as cache, tempfile.TemporaryDirectory() as work:
        imported, tensorflow, shown, change = medians(lambda: child(COLD, cache))
        row("import lucid_ext", f"{imported:.2f} s", "0.5 s")
        row("import tensorflow, for comparison", f"{tensorflow:.1f} s", "")
        row("cold process to a shown SemanticDictionary, all included", f"{shown:.1f} s", "10 s")
        row("another layer", f"{change:.2f} s", "1 s")
        seconds, resident = notebook(cache, Path(work))
        row("notebook 01 under nbconvert, empty icon store", f"{seconds:.0f} s", "60 s")
        row("its peak resident memory, whole process tree", f"{resident:.2f} GB", "1.5 GB")
        page = Path(work) / "semantic_dictionary.html"
        row("exported page", f"{page.stat().st_size / 1e6:.2f} MB", "3 MB")
        handed, stamped, asked = pointer(page)
        row("requests the page makes", f"{asked:.0f}", "0")
        row("pointer event to painted frame, 95th percentile of 200", f"{handed:.1f} ms", "16 ms")
        row("  with the browser's wait for its next frame", f"{stamped:.1f} ms", "")
        for interface in (lx.ActivationGrid, lx.SpatialAttribution):
            handed, _, _ = pointer(exported(interface, Path(work)))
            row(f"the same over {interface.__name__}, four layers", f"{handed:.1f} ms", "16 ms")


if __name__ == "__main__":
    main()
