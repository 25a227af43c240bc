"""Which recipe a picture has: what the network's card says of its layer, or else the engine's own."""

import dataclasses
from collections.abc import Callable
from typing import Any

from lucid_ext.models.vision_model import VisionModel
from lucid_ext.optvis.recipe import GridRecipe, Recipe, from_json, tiles_from_json
from lucid_ext.optvis.transform import SHIFT

CHANNEL = Recipe()
"""For channels, whose icons are kept for good."""

SKETCH = Recipe(size=64, steps=24, rate=0.35)
"""For what somebody is waiting for: smaller, in a quarter of the time."""

TILE = GridRecipe()
"""For cells of a grid."""

DRAFT = dataclasses.replace(TILE, steps=TILE.draft_steps)
"""Within seconds for a whole layer, and with the same groups, so that the final tiles resemble it."""

CARICATURE = Recipe(steps=48, rate=0.25, sd=0.01, decay_power=1.5, contrast=0.5, transform=SHIFT)
"""For photographs exaggerated, which have the network's size whatever the recipe's."""

KINDS = {"icon": CHANNEL, "sketch": SKETCH, "caricature": CARICATURE}
"""What pictures are for, and the recipe of networks whose card states none."""


def recipe_of(model: VisionModel, layer: str, kind: str = "icon") -> Recipe:
    """Return the recipe of a layer's pictures.

    A card has them as {kind: {layer: fields of a recipe}}; "*" stands for all other layers.

    Args:
        model: the network.
        layer: one of its layers.
        kind: "icon", "sketch" or "caricature".

    Raises:
        ValueError: one sentence: what the card says is no recipe.
    """
    return _stated(model, layer, kind, from_json) or KINDS[kind]


def recipe_of_tiles(model: VisionModel, layer: str, draft: bool = False) -> GridRecipe:
    """Return the recipe of the cells of a grid, which a card states as kind "tile".

    Args:
        model: the network.
        layer: one of its layers.
        draft: with as few steps as drafts have.

    Raises:
        ValueError: one sentence: what the card says is no recipe.
    """
    own = _stated(model, layer, "tile", tiles_from_json)
    if own is None:
        return DRAFT if draft else TILE
    return dataclasses.replace(own, steps=own.draft_steps) if draft else own


def _stated(model: VisionModel, layer: str, kind: str, read: Callable[[Any], Any]) -> Any:
    """What the card says of a kind of picture of a layer, or None."""
    stated = model.recipes.get(kind, {})
    fields = stated.get(layer, stated.get("*")) if isinstance(stated, dict) else stated
    if fields is None:
        return None
    try:
        return read(fields)
    except ValueError as error:
        raise ValueError(f"the card of {model.name} has no recipe of {kind} for {layer}: {error}") from None
