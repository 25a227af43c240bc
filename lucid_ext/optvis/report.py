"""How far icons can be believed: against photographs, against other seeds, and made to differ."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from lucid_ext.models.photographs import Photographs
from lucid_ext.models.vision_model import VisionModel
from lucid_ext.optvis.diverse import diverse_icons
from lucid_ext.optvis.icon import BATCH, drive, icons
from lucid_ext.optvis.recipe import Recipe
from lucid_ext.optvis.shipped import compared
from lucid_ext.optvis.store import IconStore
from lucid_ext.optvis.survey import Patch, Survey, survey_photographs

SEEDS = (1, 2)
DIVERSE = 4
OTHERS = 8  # channels whose icons are the yardstick for agreement
PATCHES = 4


@dataclasses.dataclass(frozen=True, eq=False)
class Evidence:
    """What can be said of one channel's icon.

    Attributes:
        unit: the channel.
        icon: uint8 (size, size, 3).
        drive: the largest activation of the channel anywhere in the icon, as displayed.
        percentile: the share of photographs whose largest activation is below that, in [0, 1].
        patches: the parts of photographs that drive the channel most, falling.
        others: uint8 (seeds, size, size, 3), icons from other seeds.
        agreement: how much each of those is like `icon` to the layer: see `alike`.
        chance: the same of icons of other channels; agreement means something where it is well
            above this.
        diverse: uint8 (n, size, size, 3), icons of this channel that are made to differ.
        diverse_drive: (n,) how strongly each of those drives the channel.
        sentence: how the icon compares with photographs.
    """

    unit: int
    icon: np.ndarray
    drive: float
    percentile: float
    patches: list[Patch]
    others: np.ndarray
    agreement: np.ndarray
    chance: float
    diverse: np.ndarray
    diverse_drive: np.ndarray
    sentence: str


@dataclasses.dataclass(frozen=True, eq=False)
class Report:
    """Evidence on icons of a layer.

    Attributes:
        layer: the layer.
        units: evidence on each channel asked for, in order.
        survey: what photographs do to every channel of the layer.
        seeds: the seeds of `others`.
    """

    layer: str
    units: list[Evidence]
    survey: Survey
    seeds: tuple[int, ...]


def gather(
    model: VisionModel,
    layer: str,
    units: Sequence[int],
    images: Any = None,
    *,
    seeds: Sequence[int] = SEEDS,
    diverse: int = DIVERSE,
    patches: int = PATCHES,
    recipe: Recipe | None = None,
    store: IconStore | None = None,
    progress: bool = True,
) -> Report:
    """Gather the evidence on icons.

    Args:
        model: the network.
        layer: a layer with positions.
        units: channels.
        images: photographs: a folder, or a sequence of anything `load_image` takes; by default
            crops of the samples (`Photographs`), which are few.
        seeds: seeds of further icons, to compare; the icon itself has seed 0.
        diverse: how many icons that are made to differ; 0 for none. They are not stored.
        patches: how many parts of photographs for each unit, at most.
        recipe: how icons are rendered; by default by the layer's `recipe_of`.
        store: where icons are kept.
        progress: show progress bars.

    Raises:
        ValueError: there is no such layer or unit, no unit at all, or no photograph that can be used.
    """
    model.check_spatial(layer)
    units = [int(unit) for unit in units]
    for unit in units:
        model.check_unit(layer, unit)
    if not units:
        raise ValueError("there are no units to report on; expected channel numbers, such as [42, 113].")
    if 0 in seeds:
        raise ValueError("seed 0 is that of the icon itself; expected others to compare it with.")
    photographs = images if isinstance(images, Photographs) else Photographs(images)
    found = survey_photographs(model, [layer], photographs, progress)[layer]

    def make(channels: Sequence[int], seed: int) -> np.ndarray:
        return icons(model, layer, channels, recipe=recipe, seed=seed, store=store, progress=progress)

    pixels = make(units, 0)
    others = [make(units, seed) for seed in seeds]
    channels = model.layers[layer][-1]
    axes = np.eye(channels, dtype=np.float32)
    drives = _drive(model, layer, pixels, axes[units])
    # One more than compared with: a channel is not compared with itself.
    spread = np.unique(np.linspace(0, channels - 1, OTHERS + 1).round().astype(int)).tolist()
    references = mean_activations(model, layer, make(spread, 0))
    own = mean_activations(model, layer, pixels)
    again = [mean_activations(model, layer, batch) for batch in others]
    shown = found.patches(units, patches, progress)
    evidence = []
    for i, unit in enumerate(units):
        different = np.zeros((0, *pixels.shape[1:]), np.uint8)
        if diverse:
            different = diverse_icons(model, layer, unit, diverse, recipe=recipe, progress=progress)
        share = found.percentile(unit, drives[i])
        chance = [alike(own[i], v, unit) for c, v in zip(spread, references, strict=True) if c != unit]
        evidence.append(
            Evidence(
                unit,
                pixels[i],
                float(drives[i]),
                share,
                shown[i],
                np.stack([batch[i] for batch in others]) if others else different[:0],
                np.array([alike(own[i], batch[i], unit) for batch in again], np.float32),
                float(np.mean(chance[:OTHERS])) if chance else 0.0,
                different,
                _drive(model, layer, different, np.repeat(axes[[unit]], len(different), 0)),
                compared(float(drives[i]), share, photographs.about),
            )
        )
    return Report(layer, evidence, found, tuple(seeds))


def mean_activations(model: VisionModel, layer: str, pixels: np.ndarray) -> np.ndarray:
    """A layer's response to pictures uint8 (n, s, s, 3), averaged over positions: float32 (n, c)."""
    run = model.function("input", [layer])
    parts = [pixels[i : i + BATCH] for i in range(0, len(pixels), BATCH)]
    return np.concatenate([run(np.float32(part) / 255)[0].numpy().mean((1, 2)) for part in parts])


def alike(a: np.ndarray, b: np.ndarray, unit: int) -> float:
    """How much two icons of a unit are alike to its layer: the cosine of their mean activations.

    With m(x) the mean over positions of f(x), and the unit's own channel left out, since every icon
    of it raises that one:

        <m(a), m(b)> / (||m(a)|| ||m(b)||)

    The layer is asked, not the pixels, because two icons never show the same thing at the same
    place. Activations after a ReLU are not negative, so that any two pictures are somewhat alike:
    what that amounts to is `Evidence.chance`.

    Args:
        a: (c,) mean activations of one icon.
        b: (c,) of the other.
        unit: the channel to leave out.
    """
    a, b = np.delete(a, unit), np.delete(b, unit)
    return float(a @ b / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-12))


def _drive(model: VisionModel, layer: str, pixels: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """`drive` of any number of icons, a few at a time: float32 (n,)."""
    parts = [slice(i, i + BATCH) for i in range(0, len(pixels), BATCH)]
    found = [drive(model, layer, pixels[part], directions[part]) for part in parts]
    return np.array([v for part in found for v in part], np.float32)
