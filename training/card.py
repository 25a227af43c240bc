"""Write the figures of the embedded network into training/README.md, from the assets themselves."""

import json
import re
from pathlib import Path

import numpy as np

from lucid_ext.storage.files import write_file
from lucid_ext.models.load import ASSETS
from lucid_ext.optvis.shipped import FOLDER, MANIFEST

CARD = Path(__file__).parent / "README.md"
BLOCK = re.compile(r"(?<=<!-- figures -->\n).*?(?=<!-- end of figures -->)", re.DOTALL)

NAME = "mini"


def figures() -> str:
    """A Markdown table."""
    card = json.loads((ASSETS / f"{NAME}.json").read_text(encoding="utf-8"))
    manifest = json.loads((FOLDER / NAME / MANIFEST).read_text(encoding="utf-8"))
    accuracy, gate = card["accuracy"], manifest["gate"]
    percentiles = np.concatenate([entry["percentile"] for entry in manifest["layers"].values()])
    drives = np.concatenate([entry["drive"] for entry in manifest["layers"].values()])
    sheets = sum(p.stat().st_size for p in (FOLDER / NAME).glob("*.webp"))
    rows = [
        ("digest", f"`{card['digest'][:16]}`"),
        ("graph", f"{(ASSETS / f'{NAME}.pb').stat().st_size / 1e6:.1f} MB, half precision"),
        (
            f"accuracy at {card['size'][0]} px, {accuracy['images']:,} validation images",
            f"{accuracy['top1']:.1%} top-1, {accuracy['top5']:.1%} top-5",
        ),
        (
            "icons",
            f"{len(drives):,}, of {', '.join(manifest['layers'])}, {sheets / 1e6:.1f} MB of webp",
        ),
        ("channels for which no picture was found", f"{int((drives <= 0).sum())}"),
        (
            f"of {gate['channels']} channels drawn at random of each layer, icons that drive theirs above "
            f"the 99th percentile of {manifest['photographs']:,} photographs",
            ", ".join(f"{share:.0%}" for share in gate["above_99th_percentile"].values()),
        ),
        ("the same over all channels of all sheets", f"{(percentiles >= 0.99).mean():.0%}"),
    ]
    return "| | |\n|---|---|\n" + "".join(f"| {what} | {found} |\n" for what, found in rows)


if __name__ == "__main__":
    write_file(CARD, BLOCK.sub(lambda _: figures(), CARD.read_text(encoding="utf-8")).encode())
