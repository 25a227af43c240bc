"""A page to judge pictures blind: ours and Lucid's, side by side in random order.

`build/bench/blind.html` shows 32 icons from both sides, as `benchmarks/render.py` left them; which
is whose stands in `build/bench/blind_key.json`. Look, decide, then read the key.
"""

import base64
import io
import json

import numpy as np
from PIL import Image
from render import FOLDER

TASKS = ("64 channels of mixed4d", "64 channels of mixed3b")

PAGE = """<!doctype html><meta charset="utf-8"><title>Which is better?</title>
<style>
body {{ font: 16px/1.5 system-ui; margin: 24px auto; max-width: 1100px; padding: 0 16px }}
ol {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); gap: 16px; padding: 0 }}
li {{ list-style-position: inside; white-space: nowrap }}
img {{ width: 128px; height: 128px; vertical-align: top }}
</style>
<h1>Which is better?</h1>
<p>Each pair shows one channel, left and right drawn by two programs in random order.
Write L, R or = for each, then compare with <code>blind_key.json</code>.</p>
<ol>{items}</ol>
"""


def encoded(image: np.ndarray) -> str:
    """An image (h, w, 3) in [0, 1] as the source of an `img`."""
    data = io.BytesIO()
    Image.fromarray(np.round(image * 255).astype(np.uint8)).save(data, "png")
    return "data:image/png;base64," + base64.b64encode(data.getvalue()).decode()


def main() -> None:
    """Write the page and its key."""
    pairs = []
    for task in TASKS:
        with np.load(FOLDER / f"pictures {task}.npz") as pictures:
            pairs += [(f"{task}, {i}", *both) for i, both in enumerate(zip(*pictures.values(), strict=True))]
    rng = np.random.default_rng()
    items, key = [], []
    for i in rng.permutation(len(pairs)):
        name, ours, theirs = pairs[i]
        sides = [("ours", ours), ("Lucid", theirs)]
        if rng.random() < 0.5:
            sides.reverse()
        items.append(
            "<li>" + " ".join(f'<img alt="" src="{encoded(image)}">' for _, image in sides) + "</li>"
        )
        key.append({"what": name, "left": sides[0][0], "right": sides[1][0]})
    (FOLDER / "blind.html").write_text(PAGE.format(items="".join(items)), encoding="utf-8")
    (FOLDER / "blind_key.json").write_text(json.dumps(key, indent=1), encoding="utf-8")
    print(f"{len(items)} pairs in {FOLDER / 'blind.html'}; the key is in blind_key.json")


if __name__ == "__main__":
    main()
