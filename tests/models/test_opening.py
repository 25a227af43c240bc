"""Which layers a network opens with: what its card says, or what the shapes of its layers suggest."""

import dataclasses
import json

import pytest

import lucid_ext as lx
from lucid_ext.models import card
from lucid_ext.models.opening import Opening, by_shapes, stated
from tests.models import networks

SHAPES = {"a": (28, 28, 8), "b": (14, 14, 8), "c": (14, 14, 16), "d": (7, 7, 16), "logits": (5,)}
SAID = {"layer": "b", "offered": ["a", "b"], "series": ["a", "c"], "flow": ["b", "d"]}
ONE_SENTENCE = r"[^.]*\.$"


def square(**sides):
    return {name: (side, side, 8) for name, side in sides.items()}


@pytest.mark.parametrize(
    ("shapes", "layer", "series", "flow"),
    [
        # The deepest of at least 64 cells; the last of each size.
        (square(a=112, b=56, c=28, d=14, e=14, f=7), "e", "bcef", "ef"),
        (square(a=8, b=7, c=7), "a", "ac", "ac"),
        # All coarse: the deepest of the finest.
        (square(x=5, y=5, z=2), "y", "yz", "yz"),
        (square(x=1, y=1), "y", "y", "y"),
        # One cell is no place, unless there is nothing else.
        (square(a=10, b=10, pooled=1), "b", "b", "b"),
        # Not square, and finer again on the way.
        ({"a": (4, 30, 8), "b": (30, 4, 8), "c": (4, 15, 8)}, "b", "abc", "bc"),
        ({**square(a=16, b=4, c=16), "classes": (10,)}, "c", "cb", "cb"),
    ],
)
def test_by_shapes(shapes, layer, series, flow):
    found = by_shapes(shapes, "made up")
    assert found.layer == layer
    assert found.offered == tuple(name for name, shape in shapes.items() if len(shape) == 3)
    assert found.series == tuple(series)
    assert found.flow == tuple(flow)


@pytest.mark.parametrize("shapes", [{}, {"hidden": (10,), "logits": (5,)}])
def test_no_layer_has_positions(shapes):
    with pytest.raises(ValueError, match=r"^made up has no layer with positions, so [^.]*\.$"):
        by_shapes(shapes, "made up")


def test_stated():
    assert stated(SAID, SHAPES, "made up") == Opening("b", ("a", "b"), ("a", "c"), ("b", "d"))


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({k: v for k, v in SAID.items() if k != "flow"}, "is {.*; expected layer, offered, series, flow"),
        ({**SAID, "first": "a"}, "is {.*; expected layer, offered, series, flow"),
        ({**SAID, 3: "a"}, "is {.*; expected layer, offered, series, flow"),
        ("b", "is 'b'; expected layer, offered, series, flow"),
        (["layer"], r"is \['layer'\]; expected layer, offered, series, flow"),
        ({**SAID, "layer": "e"}, "has layer 'e'; expected layers with positions: a, b, c, d"),
        ({**SAID, "layer": "logits"}, "has layer 'logits'; expected layers with positions: a, b, c, d"),
        ({**SAID, "layer": ["b"]}, r"has layer \['b'\]; expected layers with positions"),
        ({**SAID, "offered": ["a", "e"]}, r"has offered \['a', 'e'\]; expected layers with positions"),
        ({**SAID, "series": "a"}, "has series 'a'; expected layers with positions"),
        ({**SAID, "series": []}, r"has series \[\]; expected layers with positions"),
        ({**SAID, "flow": None}, "has flow None; expected layers with positions"),
        ({**SAID, "flow": ["b", "logits"]}, r"has flow \['b', 'logits'\]; expected layers with positions"),
        ({**SAID, "flow": [{}, 3]}, r"has flow \[{}, 3\]; expected layers with positions"),
    ],
)
def test_stated_refuses(said, sentence):
    with pytest.raises(ValueError, match=f"^the opening of made up {sentence}{ONE_SENTENCE}"):
        stated(said, SHAPES, "made up")


def test_of_the_embedded_networks_and_inception(model, inception):
    blocks = ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")
    expected = Opening(
        "mixed4d",
        tuple(f"mixed{block}" for block in blocks),
        ("mixed3a", "mixed4a", "mixed4d", "mixed5a"),
        ("mixed4a", "mixed4d"),
    )
    assert model.opening == inception.opening == expected
    blocks = ("block4a_expand", "block5a_expand", "block6a_expand", "block7a_expand")
    found = lx.load_model("efficientnet_lite0").opening
    assert found == Opening("block6a_expand", blocks, blocks, blocks[1:3])


@pytest.fixture(scope="module")
def own():
    return lx.load_model(networks.randomized(networks.functional()))


def with_card(own, **said):
    return lx.VisionModel(
        own.graph_def,
        labels=own.labels,
        size=own.size,
        value_range=own.value_range,
        name="own",
        layers=list(own.layers),
        **said,
    )


def test_of_a_network_without_a_card(own):
    assert own.opening == by_shapes(own.layers, own.name)


def test_a_saved_card_says_the_same(own, tmp_path):
    layers = [name for name, shape in own.layers.items() if len(shape) == 3]
    said = {"layer": layers[1], "offered": layers[1:3], "series": layers[:2], "flow": layers[-2:]}
    recipes = {"icon": {"*": {"size": 40}, layers[0]: {"size": 48, "share": 0.5}}, "sketch": {}}
    saved = with_card(own, opening=said, recipes=recipes)
    assert saved.opening == Opening(layers[1], *(tuple(said[k]) for k in ("offered", "series", "flow")))
    assert saved.opening != own.opening
    card.save(saved, tmp_path / "net.pb")
    found = lx.load_model(tmp_path / "net.pb")
    assert found.opening == saved.opening
    assert found.recipes == recipes


def test_what_the_shapes_suggest_is_saved(own, tmp_path):
    card.save(own, tmp_path / "net.pb")
    written = json.loads((tmp_path / "net.json").read_text())["opening"]
    assert written == json.loads(json.dumps(dataclasses.asdict(own.opening)))
    assert lx.load_model(tmp_path / "net.pb").opening == own.opening


def test_a_card_without_an_opening(own, tmp_path):
    """As of a network without positions, or written before cards said it."""
    card.save(own, tmp_path / "net.pb")
    path = tmp_path / "net.json"
    said = json.loads(path.read_text())
    for change in ({"opening": None, "recipes": None}, {}):
        path.write_text(
            json.dumps({k: v for k, v in said.items() if k not in ("opening", "recipes")} | change)
        )
        found = lx.load_model(tmp_path / "net.pb")
        assert found.opening == own.opening
        assert found.recipes == {}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"opening": "stem"}, "^the opening of net is 'stem'; expected layer, offered, series, flow"),
        ({"opening": {"layer": "stem"}}, "^the opening of net is {'layer': 'stem'}; expected layer, offered"),
        ({"opening": {}}, "^the opening of net is {}; expected layer, offered, series, flow"),
        ({"recipes": "large"}, r"net\.json is not the card of a network: fetch it again with net\.pb"),
        ({"recipes": [{"icon": {}}]}, r"net\.json is not the card of a network: fetch it again with net\.pb"),
    ],
)
def test_a_bad_card_is_refused(own, tmp_path, change, sentence):
    card.save(own, tmp_path / "net.pb", **change)
    with pytest.raises(ValueError, match=f"{sentence}{ONE_SENTENCE}"):
        lx.load_model(tmp_path / "net.pb")


def test_a_card_that_opens_with_a_layer_that_is_not_there(own, tmp_path):
    said = {**dataclasses.asdict(own.opening), "layer": own.logits}
    card.save(own, tmp_path / "net.pb", opening=said)
    with pytest.raises(ValueError, match=rf"^the opening of net has layer '{own.logits}'; expected layers"):
        lx.load_model(tmp_path / "net.pb")
