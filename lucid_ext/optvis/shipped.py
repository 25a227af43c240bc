"""The icon sheets that come with a network: a webp per layer, a manifest of how, what photographs do."""

import dataclasses
import functools
import json
import math
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from lucid_ext.optvis.store import Icon
from lucid_ext.storage.sheets import decode

FOLDER = Path(str(resources.files("lucid_ext"))) / "assets" / "icons"
MANIFEST = "manifest.json"
RESPONSES = "responses.npz"


@dataclasses.dataclass(frozen=True)
class Sheet:
    """All icons of a layer.

    Attributes:
        icons: uint8 (n, size, size, 3), an icon per channel.
        drive: per channel, how strongly its icon drives it.
        percentile: per channel, the share of photographs that drive it less, in [0, 1].
        photographs: how many photographs that was measured on.
    """

    icons: np.ndarray
    drive: list[float]
    percentile: list[float]
    photographs: int

    def __len__(self) -> int:
        """The number of channels."""
        return len(self.drive)

    @property
    def notes(self) -> list[str]:
        """A sentence per channel: how its icon compares with photographs."""
        about = f"{self.photographs:,} photographs"
        return [compared(*found, about) for found in zip(self.drive, self.percentile, strict=True)]

    def icon(self, unit: int) -> Icon:
        """The icon of one channel."""
        return Icon(self.icons[unit], self.drive[unit])


def compared(drive: float, share: float, photographs: str) -> str:
    """A sentence on an icon: what `share` of `photographs` (a noun) excite its channel less."""
    if drive <= 0:
        return "Dead: no picture was found that excites this channel."
    if share == 1:
        return f"The icon excites it more than any of {photographs} does."
    return f"The icon excites it more than {100 * rounded_down(share):.1f}% of {photographs} do."


def rounded_down(share: float) -> float:
    """A share to a thousandth; what falls short of all must not read as all."""
    return math.floor(1000 * share) / 1000


@functools.cache
def manifest(digest: str) -> dict[str, Any]:
    """How the sheets of the network with this digest were made; without layers where none are shipped."""
    for path in FOLDER.glob(f"*/{MANIFEST}"):
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["weights"] == digest:
            return found
    return {"weights": digest, "layers": {}}


@functools.cache
def shipped_sheet(digest: str, layer: str) -> Sheet | None:
    """The sheet of a layer of the network with this digest, or None where there is none."""
    made = manifest(digest)
    entry = made["layers"].get(layer)
    if entry is None:
        return None
    data = (FOLDER / made["model"] / f"{layer}.webp").read_bytes()
    icons = decode(data, entry["columns"], len(entry["drive"]))
    return Sheet(icons, entry["drive"], entry["percentile"], made["photographs"])


@functools.cache
def shipped_responses(digest: str, layer: str) -> tuple[np.ndarray, list[str]] | None:
    """What photographs do to the channels of a layer, measured beforehand.

    Returns:
        The largest response of every channel to each of some photographs, before any cap of the layer,
        float16 (photographs, c), and their WordNet ids; or None where nothing was measured.
    """
    path = FOLDER / manifest(digest).get("model", "") / RESPONSES
    if layer not in manifest(digest)["layers"] or not path.exists():
        return None
    with np.load(path) as found:
        return found[layer], found["wordnet_ids"].tolist()
