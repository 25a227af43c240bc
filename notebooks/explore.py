"""Run every notebook headless and gather what they make in one place: `make explore`.

Writes build/explore/index.html, which links each interface's self-contained page and the executed
notebooks. A notebook without an interface has no page but itself. Nothing of it needs a network or a kernel.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
from tqdm.auto import tqdm

from lucid_ext.storage.files import write_file
from lucid_ext.storage.markup import escaped

HERE = Path(__file__).parent
OUT = HERE.parent / "build" / "explore"
AT_ONCE = 2  # notebooks: each is busy on little more than one core

INDEX = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>Look into a network</title>
<style>
body {{ max-width: 46rem; margin: 48px auto; padding: 0 24px; font: 16px/1.5 system-ui, sans-serif; }}
h1 {{ font-size: 26px; }}
li {{ margin: 20px 0; }}
small {{ opacity: 0.75; }}
</style>
<h1>Look into a network</h1>
<p>Made {when} for {image}, with {model}. Everything here works without a network; keep it, or send it on.</p>
<ul>
{items}
</ul>
</html>
"""


def describe(notebook: Path) -> tuple[str, str]:
    """A notebook's title and its first sentence."""
    first = nbformat.read(notebook, as_version=4).cells[0].source
    lines = [line for line in first.splitlines() if line.strip() and not line.startswith("[![")]
    sentence = re.split(r"(?<=\.)\s", " ".join(lines[1:]))[0]
    return lines[0].lstrip("# "), sentence


def execute(notebook: Path, out: Path, environment: dict[str, str]) -> None:
    """Run one notebook; its HTML and whatever it writes land in `out`."""
    copy = out / notebook.name
    copy.write_bytes(notebook.read_bytes())
    command = [sys.executable, "-m", "jupyter", "nbconvert", "--log-level", "WARN"]
    command += ["--config", str(HERE / "nbconvert" / "config.py"), "--execute", "--to", "html"]
    try:
        run = subprocess.run(
            [*command, "--stdout", str(copy)], env=environment, capture_output=True, check=False
        )
    finally:
        copy.unlink()
    if run.returncode:
        raise SystemExit(f"{notebook.name} failed:\n{run.stderr[-6000:].decode(errors='replace')}")
    write_file(out / f"{notebook.stem}.html", run.stdout)


def item(notebook: Path, out: Path, before: float) -> str:
    """The notebook's entry in the index; its page, if it has made one since `before`."""
    title, sentence = describe(notebook)
    page, executed = f"{notebook.stem.partition('_')[2]}.html", f"{notebook.stem}.html"
    made = (out / page).exists() and (out / page).stat().st_mtime >= before - 1
    source = f'<br><small><a href="{executed}">the notebook it comes from, executed</a></small>'
    return (
        f'<li><strong><a href="{page if made else executed}">{escaped(title)}</a></strong>'
        f"<br>{escaped(sentence)}{source if made else ''}</li>"
    )


def absolute(name: str, names: Collection[str] = ()) -> str:
    """A path from the root, where there is such a file; notebooks run in a folder of their own.

    One of `names` is no path, whatever lies here.
    """
    path = Path(name).expanduser()
    return str(path.resolve()) if name and name not in names and path.exists() else name


def main() -> None:
    """Execute the notebooks and write the index."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--image", default="", help="your own picture: a path, a URL or a sample's name")
    parser.add_argument("--model", default="", help="another network: mini, inception_v1, or a path")
    parser.add_argument("--images", default="", help="a folder of photographs to compare icons with")
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args()
    # A picture, a network or a folder that cannot be read is refused before anything runs.
    import lucid_ext as lx

    image, images, out = absolute(args.image, lx.SAMPLES), absolute(args.images), args.out
    from lucid_ext.models.inception_v1 import NAME as INCEPTION
    from lucid_ext.models.load import EMBEDDED

    model = absolute(args.model, (*EMBEDDED, INCEPTION))
    try:
        if image:
            lx.load_image(image)
        if model:
            lx.load_model(model)
        if images:
            lx.Photographs(images)
    except ValueError as error:
        raise SystemExit(str(error)) from None
    out.mkdir(parents=True, exist_ok=True)
    chosen = {"LUCID_EXT_IMAGE": image, "LUCID_EXT_MODEL": model, "LUCID_EXT_IMAGES": images}
    environment = {**os.environ, "LUCID_EXT_OFFLINE": "1", **chosen}
    notebooks = sorted(HERE.glob("[0-9]*.ipynb"))
    before = time.time()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        done = pool.map(lambda notebook: execute(notebook, out, environment), notebooks)
        try:
            for _ in tqdm(done, total=len(notebooks), desc="notebooks", unit="notebook"):
                pass
        except BaseException:  # nobody waits for the rest
            pool.shutdown(cancel_futures=True)
            raise
    items = [item(notebook, out, before) for notebook in notebooks]
    when = time.strftime("%Y-%m-%d %H:%M")
    shown = escaped(Path(image).name if image else "the sample pictures cat_coffee and coffee")
    network = escaped(Path(model).name if model else EMBEDDED[0])
    index = INDEX.format(when=when, image=shown, model=network, items="\n".join(items))
    write_file(out / "index.html", index.encode())
    print(f"open {out / 'index.html'}")


if __name__ == "__main__":
    main()
