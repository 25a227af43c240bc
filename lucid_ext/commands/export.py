"""`export`: icons of a layer as one picture, and a JSON file that says what is where in it."""

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

from lucid_ext.commands import sheet

FORMS = {".webp": "webp", ".png": "png"}


def add(commands: Any) -> None:
    """Say what the command takes."""
    text = (
        "Write icons of a layer's channels as one picture, row by row, and beside it OUT.json: where each "
        "one is, how strongly it drives its channel, and how it was made. Missing icons are rendered first."
    )
    parser = commands.add_parser("export", help="write a sprite sheet of icons", description=text)
    parser.add_argument("model", help="mini, inception_v1, or the path of a network")
    parser.add_argument("layer", help="with positions")
    parser.add_argument("out", type=Path, metavar="OUT.webp", help="the picture to write: .webp or .png")
    sheet.add_options(parser)
    parser.add_argument("--quality", type=int, default=90, help="of .webp, from 1 to 100; by default 90")
    parser.set_defaults(run=_run)


def _run(chosen: argparse.Namespace) -> int:
    out = chosen.out
    if out.suffix not in FORMS:
        raise ValueError(f"{out} ends in {out.suffix or 'nothing'!r}; expected {' or '.join(FORMS)}.")
    if not out.parent.is_dir():
        raise ValueError(f"there is no folder {out.parent} to write {out.name} to.")
    if not 1 <= chosen.quality <= 100:
        raise ValueError(f"--quality is {chosen.quality}; expected 1 to 100.")
    order = sheet.order(chosen)
    model, layer = order.model, chosen.layer
    units = sheet.parse_units(chosen.units, model, layer)
    recipe, icons = order.recipe(layer), sheet.render(order, layer, units)
    import numpy as np

    from lucid_ext.optvis.icon import RECIPE_VERSION, receipt
    from lucid_ext.optvis.store import icon_key
    from lucid_ext.storage.files import write_file
    from lucid_ext.storage.sheets import encode

    picture, columns = encode(np.stack([icon.pixels for icon in icons]), chosen.quality, FORMS[out.suffix])
    made = {
        "model": model.name,
        "weights": model.digest,
        "layer": layer,
        "size": recipe.size,
        "columns": columns,
        "packing": "row by row: the i-th icon is at x = size * (i % columns), y = size * (i // columns)",
        "seed": order.seed,
        "recipe": dataclasses.asdict(recipe),
        "recipe_version": RECIPE_VERSION,
        "icons": [
            {
                "unit": unit,
                "drive": icon.drive,
                "key": icon_key(receipt(model, layer, unit, recipe, order.seed)),
            }
            for unit, icon in zip(units, icons, strict=True)
        ],
    }
    note = out.with_suffix(".json")
    write_file(out, picture)
    write_file(note, (json.dumps(made, indent=1) + "\n").encode())
    print(f"{out}: {len(icons)} icons of {layer}, {columns} in a row, {len(picture):,} bytes; {note}")
    return 0
