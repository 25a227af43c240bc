"""Pages for a forced choice: which of two photographs does the unit behind this picture answer to?

    python benchmarks/forced_choice.py NETWORK PHOTOGRAPHS [--seed 15] [--rows 128]
    python benchmarks/forced_choice.py NETWORK PHOTOGRAPHS --answers LRLR... LLRR... RRLL...

Each row has a picture of a channel and two photographs: one of the eight that excite it most, one of
the weaker half. The picture is the icon that comes with the network, the icon by the engine's default
recipe, or another of the eight photographs. There are three books in `build/bench/choice`; each has
every channel once, with one of the three pictures, so that a judge sees no channel twice. People reach
82 % with synthetic pictures and 92 % with photographs (Borowski et al., 2021; Zimmermann et al., 2021).

PHOTOGRAPHS is the folder whose responses come with the network, a WordNet id in each name.
"""

import argparse
import dataclasses
import json
import re
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

import lucid_ext as lx
from lucid_ext.optvis import CHANNEL
from lucid_ext.optvis.shipped import shipped_responses

OUT = Path(__file__).parent.parent / "build" / "bench" / "choice"
KINDS = ("own", "default", "photograph")
STRONGEST = 8
SIDE, GAP, ON_A_PAGE = 220, 12, 4
RESAMPLES = 10_000


@dataclasses.dataclass(frozen=True)
class Row:
    """A channel, and numbers of photographs: one that excites it, one that does not, one to show it by."""

    layer: str
    unit: int
    strong: int
    weak: int
    shown: int
    strong_is_left: bool


def draw(model: lx.VisionModel, layers: list[str], count: int, rng: np.random.Generator) -> list[Row]:
    """Draw `count` channels, as many of each layer."""
    parts = zip(layers, np.array_split(np.arange(count), len(layers)), strict=True)
    return [row for layer, part in parts for row in rows_of(model, layer, len(part), rng)]


def rows_of(model: lx.VisionModel, layer: str, count: int, rng: np.random.Generator) -> list[Row]:
    """Draw channels of a layer that any photograph excites, and photographs for each."""
    found = shipped_responses(model.digest, layer)
    assert found is not None, f"no responses of {layer} come with {model.name}"
    maxima, rows = found[0].astype(np.float32), []
    for unit in rng.choice(np.flatnonzero(maxima.max(0) > 0), count, replace=False):
        order = np.argsort(-maxima[:, unit], kind="stable")
        strong, shown = rng.choice(order[:STRONGEST], 2, replace=False).tolist()
        weak = int(rng.choice(order[len(order) // 2 :]))
        rows.append(Row(layer, int(unit), strong, weak, shown, bool(rng.integers(2))))
    return rows


def folder_of_responses(model: lx.VisionModel, folder: Path) -> list[np.ndarray]:
    """The photographs whose responses come with the network, as it sees them, in their order."""
    found = shipped_responses(model.digest, model.opening.offered[-1])
    assert found is not None, f"no responses come with {model.name}"
    paths = {re.findall(r"n\d{8}", path.name)[-1]: path for path in folder.rglob("*") if path.is_file()}
    return [model.prepare(lx.load_image(paths[name])) for name in found[1]]


def pictures(model: lx.VisionModel, rows: list[Row], photographs: list[np.ndarray]) -> list[list[np.ndarray]]:
    """The three pictures of every row's channel: uint8 (s, s, 3)."""
    found: list[list[np.ndarray]] = []
    for recipe in (None, CHANNEL):
        icons = {}
        for layer in dict.fromkeys(row.layer for row in rows):
            units = [row.unit for row in rows if row.layer == layer]
            drawn = lx.icons(model, layer, units, recipe=recipe)
            icons.update({(layer, unit): icon for unit, icon in zip(units, drawn, strict=True)})
        found.append([icons[row.layer, row.unit] for row in rows])
    seen = [np.round(255 * photographs[row.shown]).astype(np.uint8) for row in rows]
    return [list(each) for each in zip(*found, seen, strict=True)]


def page(numbered: list[tuple[int, list[np.ndarray]]]) -> Image.Image:
    """Rows of a picture and two photographs, with their numbers."""
    made = Image.new("RGB", (48 + 3 * (SIDE + GAP) + 40, len(numbered) * (SIDE + GAP) + GAP), "white")
    pen = ImageDraw.Draw(made)
    for i, (number, row) in enumerate(numbered):
        top = GAP + i * (SIDE + GAP)
        pen.text((10, top + SIDE // 2), str(number), fill="black", font_size=20)
        for j, pixels in enumerate(row):
            shown = Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
            made.paste(shown, (48 + j * (SIDE + GAP) + (40 if j else 0), top))
    return made


def write(model: lx.VisionModel, rows: list[Row], folder: Path, seed: int) -> None:
    """Write three books of pages, and the key."""
    photographs = folder_of_responses(model, folder)
    shown = pictures(model, rows, photographs)
    key = []
    for book in range(len(KINDS)):
        order = np.random.default_rng([seed, book]).permutation(len(rows))
        entries = []
        for number, i in enumerate(order.tolist(), 1):
            row, kind = rows[i], (i + book) % len(KINDS)
            both = [np.round(255 * photographs[n]).astype(np.uint8) for n in (row.strong, row.weak)]
            entries.append((number, [shown[i][kind], *(both if row.strong_is_left else both[::-1])]))
            key.append({"book": book, "row": i, "kind": KINDS[kind], "answer": "RL"[row.strong_is_left]})
        for start in range(0, len(entries), ON_A_PAGE):
            page(entries[start : start + ON_A_PAGE]).save(
                OUT / f"book{book}_{start // ON_A_PAGE + 1:02d}.png"
            )
    (OUT / "key.json").write_text(json.dumps(key), encoding="utf-8")
    print(f"{len(KINDS)} books of {len(rows)} rows in {OUT}; write L or R for each row")


def score(rows: list[Row], answers: list[str]) -> None:
    """Print how often each kind of picture told, by layer, and the paired difference to the default."""
    key = json.loads((OUT / "key.json").read_text(encoding="utf-8"))
    right = np.full((len(rows), len(KINDS)), np.nan)
    for book, said in enumerate(answers):
        own = [entry for entry in key if entry["book"] == book]
        if len(said) != len(own) or set(said) - {"L", "R"}:
            raise SystemExit(
                f"book {book} has {len(own)} rows; expected as many of L and R, not {len(said)}."
            )
        for entry, letter in zip(own, said, strict=True):
            right[entry["row"], KINDS.index(entry["kind"])] = letter == entry["answer"]
    for layer in [*dict.fromkeys(row.layer for row in rows), None]:
        of = np.array([layer in (None, row.layer) for row in rows])
        print(layer or "all", {kind: f"{m:.2f}" for kind, m in zip(KINDS, right[of].mean(0), strict=True)})
    rng = np.random.default_rng(0)
    gain = right[:, 0] - right[:, 1]
    means = gain[rng.integers(len(gain), size=(RESAMPLES, len(gain)))].mean(1)
    low, high = np.percentile(means, [2.5, 97.5])
    print(f"own - default: {gain.mean():+.3f}, 95 % interval {low:+.3f} to {high:+.3f} (over channels)")


def main() -> None:
    """Write the pages, or compare answers with the key."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("network")
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--seed", type=int, default=15)
    parser.add_argument("--rows", type=int, default=128)
    parser.add_argument("--answers", nargs=len(KINDS))
    args = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    model = lx.load_model(args.network)
    rows = draw(model, list(model.opening.offered)[1:], args.rows, np.random.default_rng(args.seed))
    if args.answers:
        score(rows, args.answers)
    else:
        write(model, rows, args.photographs, args.seed)


if __name__ == "__main__":
    main()
