"""The channels of layers as a list: ranked for every cell, with the icons that come with the network."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lucid_ext.board import Ranking, Units
from lucid_ext.models import VisionModel
from lucid_ext.optvis import Survey, shipped_sheet
from lucid_ext.optvis.shipped import Sheet, compared

MOST = 10  # rows of the list
SHOWN = 5  # of them at first
BELOW = "below zero"


def ranked(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Units in falling order, for every cell: atoms int32 and values, from values (cells, units)."""
    atoms = np.argsort(-values, axis=1, kind="stable").astype(np.int32)
    return atoms, np.take_along_axis(values, atoms, axis=1)


def as_units(layer: str, acts: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """What a layer's channels say at its cells; one of both signs is two units, as it means two things.

    Args:
        layer: its name.
        acts: (h, w, c).

    Returns:
        Values (cells, n), directions (n, c) and names, of all channels and then of what is below zero.
    """
    cells = acts.reshape(-1, acts.shape[-1])
    axes = np.eye(acts.shape[-1], dtype=np.float32)
    names = [f"{layer}:{c}" for c in range(acts.shape[-1])]
    if cells.min(initial=0) >= 0:
        return cells, axes, names
    below = [f"{name} {BELOW}" for name in names]
    return np.maximum(np.concatenate([cells, -cells], 1), 0), np.concatenate([axes, -axes]), names + below


def channel_list(
    model: VisionModel, acts: Mapping[str, np.ndarray], name: str, title: str
) -> tuple[Units, dict[str, Ranking]]:
    """One list of the channels of several layers, and per layer the ranking from a grid of its cells.

    Args:
        model: the network.
        acts: {layer: (h, w, c)}, before any cap.
        name: of the list.
        title: its heading.

    Returns:
        The list, and {layer: ranking from the grid of the layer's name}.
    """
    labels: list[str] = []
    rankings, sizes, scale = {}, {}, 0.0
    for layer, a in acts.items():
        values, _, names = as_units(layer, a)
        atoms, falling = ranked(values)
        rankings[layer] = Ranking(layer, name, atoms + np.int32(len(labels)), falling)
        labels += names
        sizes[layer], scale = len(names), max(scale, float(values.max(initial=0)))
    most = min(MOST, *sizes.values())
    units = Units(
        name,
        title,
        labels,
        scale=scale or 1.0,
        shown=min(SHOWN, most),
        most=most,
        illustrated=True,
        **shipped_icons(model, list(acts), sizes=sizes),
    )
    return units, rankings


def shipped_icons(
    model: VisionModel,
    layers: Sequence[str],
    surveys: Mapping[str, Survey] | None = None,
    sizes: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """The icons that come with the network, for `Units` of all channels of some layers.

    Their notes compare them with photographs: those of `surveys`, {layer: survey}, where given. `sizes`
    are the numbers of units by layer, where these are not its channels.
    """
    icons: list[np.ndarray] = []
    index: list[np.ndarray] = []
    notes: list[str] = []
    for layer in layers:
        sheet = shipped_sheet(model.digest, layer)
        channels = (sizes or {}).get(layer, model.layers[layer][-1])
        if sheet is None:
            index.append(np.full(channels, -1, np.int32))
            notes += [""] * channels
        else:
            index.append(sum(map(len, icons)) + np.arange(channels, dtype=np.int32))
            icons.append(sheet.icons)
            notes += _notes(sheet, (surveys or {}).get(layer))
    if not icons:
        return {}
    return {"icons": np.concatenate(icons), "icon_of": np.concatenate(index), "notes": notes}


def _notes(sheet: Sheet, survey: Survey | None) -> list[str]:
    """A sentence per channel on how its icon compares with photographs."""
    if survey is None:
        return sheet.notes
    shares = [survey.percentile(unit, drive) for unit, drive in enumerate(sheet.drive)]
    about = survey.photographs.about
    return [compared(*found, about) for found in zip(sheet.drive, shares, strict=True)]
