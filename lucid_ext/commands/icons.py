"""`icons`: render sheets into the icon store, or check what it holds."""

import argparse
import tempfile
from typing import Any

from lucid_ext.commands import sheet
from lucid_ext.commands.table import print_table

LEAST_SSIM = 0.95
"""Of the median icon rendered again, whatever the number of threads: structural similarity."""


def add(commands: Any) -> None:
    """Say what the command takes."""
    text = (
        "Render icons of channels into the icon store ($LUCID_EXT_CACHE, or else the user's cache folder). "
        "Ended at any moment, it goes on where it was when it is called again."
    )
    parser = commands.add_parser("icons", help="render icons of layers' channels", description=text)
    parser.add_argument("model", help="mini, inception_v1, or the path of a network")
    parser.add_argument("layers", nargs="+", metavar="layer", help="with positions")
    sheet.add_options(parser)
    parser.add_argument(
        "--verify",
        type=int,
        metavar="N",
        help="render N of the icons at hand again and compare; exit code 1 if they have changed",
    )
    parser.set_defaults(run=_run)


def _run(chosen: argparse.Namespace) -> int:
    if chosen.verify is not None and chosen.verify < 1:
        raise ValueError(f"--verify is {chosen.verify}; expected the number of icons to render again.")
    order = sheet.order(chosen)
    asked = {layer: sheet.parse_units(chosen.units, order.model, layer) for layer in chosen.layers}
    if chosen.verify is not None:
        hold = [_verify(order, *layer, chosen.verify) for layer in asked.items()]
        return 0 if all(hold) else 1
    for layer, units in asked.items():
        icons = sheet.render(order, layer, units)
        dead = sum(icon.drive <= 0 for icon in icons)
        note = f"; for {dead} no picture was found" if dead else ""
        print(f"{len(icons)} icons of {layer} are at hand{note}.")
    return 0


def _verify(order: sheet.Order, layer: str, units: list[int], count: int) -> bool:
    """Render icons again, into a store of their own, and print how they compare."""
    import numpy as np
    from skimage.metrics import structural_similarity
    from tqdm.auto import tqdm

    import lucid_ext as lx
    from lucid_ext.optvis import shipped_sheet, stream_directions
    from lucid_ext.optvis.parallel import at_hand
    from lucid_ext.optvis.shipped import manifest
    from lucid_ext.storage.sheets import decode, encode

    stored = {units[i]: icon for i, icon in at_hand(*order.of(layer, units)).items()}
    if not stored:
        raise ValueError(
            f"there are no such icons of {layer} in {order.store.folder} to compare with: "
            "render them first, without --verify."
        )
    drawn = np.random.default_rng(order.seed).choice(list(stored), min(count, len(stored)), replace=False)
    sample = sorted(drawn.tolist())
    # As directions, for which no sheet is looked up.
    directions = np.eye(order.model.layers[layer][-1], dtype=np.float32)[sample]
    rows, similar = [("", "SSIM", "objective", "again")], []
    with tempfile.TemporaryDirectory(prefix="lucid_ext") as folder:
        again = stream_directions(
            order.model, layer, directions, order.recipe(layer), order.seed, lx.IconStore(folder)
        )
        icons = dict(tqdm(again, total=len(sample), desc=f"{layer} again", unit="icon"))
    pixels = np.stack([icons[i].pixels for i in range(len(sample))])
    if order.seed == 0 and not order.changes and shipped_sheet(order.model.digest, layer):
        # What comes with the network was compressed, so that is done to these too.
        pixels = decode(*encode(pixels, manifest(order.model.digest)["quality"]), len(sample))
    for i, unit in enumerate(sample):
        then, now = stored[unit], icons[i]
        ssim = structural_similarity(then.pixels, pixels[i], channel_axis=2, data_range=255)
        similar.append(float(ssim))
        rows.append((f"{layer}:{unit}", f"{ssim:.3f}", f"{then.drive:.3f}", f"{now.drive:.3f}"))
    print_table(rows)
    median = float(np.median(similar))
    holds = median >= LEAST_SSIM
    verdict = "the same to the eye" if holds else f"less than {LEAST_SSIM}: they have changed"
    print(f"Median SSIM of {len(sample)} of {len(stored)} icons of {layer}: {median:.3f}, {verdict}.")
    return holds
