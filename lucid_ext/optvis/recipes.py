"""Which recipe a picture has: what the network's card says of its layer, or else the engine's own."""

from lucid_ext.models.vision_model import VisionModel
from lucid_ext.optvis.recipe import Recipe, from_json

CHANNEL = Recipe()
"""For channels, whose icons are kept for good."""

SKETCH = Recipe(size=64, steps=24, rate=0.35)
"""For what somebody is waiting for: smaller, in a quarter of the time."""

KINDS = {"icon": CHANNEL, "sketch": SKETCH}
"""What pictures are for, and the recipe of networks whose card states none."""


def recipe_of(model: VisionModel, layer: str, kind: str = "icon") -> Recipe:
    """Return the recipe of a layer's pictures.

    A card has them as {kind: {layer: fields of a recipe}}; "*" stands for all other layers.

    Args:
        model: the network.
        layer: one of its layers.
        kind: "icon" or "sketch".

    Raises:
        ValueError: one sentence: what the card says is no recipe.
    """
    stated = model.recipes.get(kind, {})
    fields = stated.get(layer, stated.get("*")) if isinstance(stated, dict) else stated
    if fields is None:
        return KINDS[kind]
    try:
        return from_json(fields)
    except ValueError as error:
        raise ValueError(f"the card of {model.name} has no recipe of {kind} for {layer}: {error}") from None
