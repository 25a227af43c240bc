"""Which recipe a layer's pictures have: the card's for it, the card's for all, or the engine's own."""

import dataclasses

import pytest

import lucid_ext as lx
from lucid_ext.optvis import CHANNEL, SKETCH, recipe_of
from lucid_ext.optvis.recipe import NATURAL
from lucid_ext.optvis.recipes import CARICATURE
from lucid_ext.optvis.transform import CROPS, WINDOW, Crops, Transform


@pytest.fixture
def with_recipes(model):
    """The embedded network, with a card of other recipes."""
    given = {"labels": model.labels, "size": model.size, "value_range": model.value_range}

    def make(recipes):
        return lx.VisionModel(
            model.graph_def, name="made", layers=list(model.layers), recipes=recipes, **given
        )

    return make


def test_the_engines_own(model, with_recipes):
    assert model.recipes == {}
    for network in (model, with_recipes(None), with_recipes({"icon": {}})):
        assert recipe_of(network, "mixed4d") == recipe_of(network, "mixed4d", "icon") == CHANNEL
        assert recipe_of(network, "mixed4d", "sketch") == SKETCH


def test_the_cards(with_recipes):
    made = with_recipes(
        {
            "icon": {
                "*": {"size": 40, "share": 0.5},
                "mixed4d": {"size": 48, "spectrum": "rings", "transform": dataclasses.asdict(CROPS)},
            },
            "sketch": {"mixed4a": {"steps": 3}},
        }
    )
    own = recipe_of(made, "mixed4d")
    assert own == dataclasses.replace(CHANNEL, size=48, spectrum="rings", transform=CROPS)
    assert isinstance(own.transform, Crops)
    for layer in ("mixed4a", "conv2d0"):
        assert recipe_of(made, layer) == dataclasses.replace(CHANNEL, size=40, share=0.5)
    assert recipe_of(made, "mixed4a", "sketch") == dataclasses.replace(CHANNEL, steps=3)
    assert recipe_of(made, "mixed4d", "sketch") == SKETCH


def test_a_transform_without_crops(with_recipes):
    moves = {**dataclasses.asdict(WINDOW), "jitter": 2}
    found = recipe_of(with_recipes({"icon": {"*": {"transform": moves}}}), "mixed4d").transform
    assert found == dataclasses.replace(WINDOW, jitter=2)
    assert isinstance(found, Transform)


@pytest.mark.parametrize("kind", ["icon", "sketch"])
@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"colour": "red"}, "unexpected keyword argument 'colour'"),
        ({"spectrum": "red"}, "a recipe's spectrum is 'red'; expected free, rings, phases"),
        ({"size": "large"}, "size of a Recipe is 'large'; expected int"),
        ({"steps": 0}, "a recipe's steps is 0; expected more than 0"),
        ({"share": 2}, "a recipe's share is 2; expected a part of all positions"),
        ({"rate": float("nan")}, "a recipe's rate is nan; expected more than 0"),
        ({"transform": {"mean": 0.5, "turn": 3}}, "unexpected keyword argument 'turn'"),
        ({"transform": "crops"}, "'crops'"),
        ("rings", "'rings' is no recipe"),
        (["size"], r"\['size'\] is no recipe"),
        (5, "5 is no recipe"),
    ],
)
def test_what_is_no_recipe_is_refused(with_recipes, kind, fields, reason):
    made = with_recipes({kind: {"mixed4d": fields}})
    sentence = rf"^the card of made has no recipe of {kind} for mixed4d: .*{reason}.*; expected fields of"
    with pytest.raises(ValueError, match=sentence) as refused:
        recipe_of(made, "mixed4d", kind)
    said = str(refused.value)
    assert said.endswith("expected fields of Recipe.")
    assert "\n" not in said
    assert ".)" not in said
    other = "sketch" if kind == "icon" else "icon"
    assert recipe_of(made, "mixed4d", other) == (SKETCH if other == "sketch" else CHANNEL)
    assert recipe_of(made, "mixed4a", kind) == (SKETCH if kind == "sketch" else CHANNEL)


def test_a_kind_that_says_nothing_of_layers(with_recipes):
    made = with_recipes({"icon": "rings"})
    with pytest.raises(ValueError, match=r"^the card of made has no recipe of icon for mixed4a: 'rings' is"):
        recipe_of(made, "mixed4a")
    assert recipe_of(made, "mixed4a", "sketch") == SKETCH


def test_of_efficientnet_lite0():
    """In early layers the strongest third of the positions counts, in late ones half, between them all."""
    network = lx.load_model("efficientnet_lite0")
    shares = dict.fromkeys(("stem", "block2a_expand", "block3a_expand", "block4a_expand"), 1 / 3)
    shares |= dict.fromkeys(("block6a_expand", "block7a_expand", "top"), 1 / 2)
    assert set(shares) < set(network.layers)
    for layer in network.layers:
        icon, sketch = recipe_of(network, layer), recipe_of(network, layer, "sketch")
        assert icon.share == sketch.share == shares.get(layer, 1)
        assert dataclasses.replace(icon, share=1.0) == NATURAL
        calm = dataclasses.replace(CARICATURE, decay_power=1.3, contrast=0.3)
        assert recipe_of(network, layer, "caricature") == calm
        assert (sketch.size, sketch.steps) == (96, 56)
        assert (sketch.spectrum, sketch.transform) == ("rings", dataclasses.replace(CROPS, size=80))
