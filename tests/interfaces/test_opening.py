"""Which layers interfaces open with is what the network's card says, and no name is in the code."""

import ast
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

import lucid_ext as lx
from lucid_ext.class_concepts.concepts import find_concepts
from lucid_ext.interfaces.parts.cells import first_layer
from lucid_ext.live.interface import Interface
from lucid_ext.models.vision_model import VisionModel

PACKAGE = Path(lx.__file__).parent
ONE_LAYER = [lx.NeuronGroups, lx.MethodComparison]
SERIES = [lx.ActivationGrid, lx.SpatialAttribution, lx.ChannelAttribution]
CONCEPTS = [lx.concepts, find_concepts]
OTHER = {
    "layer": "mixed4b",
    "offered": ["mixed3b", "mixed4b", "mixed5b"],
    "series": ["mixed3b", "mixed4e", "mixed5b"],
    "flow": ["mixed4c", "mixed4e", "mixed5a"],
}


@pytest.fixture(scope="module")
def other(model):
    """The embedded network, with another card."""
    given = {"labels": model.labels, "size": model.size, "value_range": model.value_range}
    return VisionModel(model.graph_def, name="other", layers=list(model.layers), opening=OTHER, **given)


@pytest.fixture(scope="module")
def flat():
    import keras

    layers = [keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(3)]
    return lx.load_model(keras.Sequential(layers, name="flat"))


@pytest.fixture(autouse=True)
def _unseen(monkeypatch):
    """Interfaces that only choose their layers: no picture is shown to them."""

    def init(self, model, image, options, choice):
        self.options, self.session, self.image = options, SimpleNamespace(choice=choice), None

    monkeypatch.setattr(Interface, "__init__", init)


@pytest.fixture(params=["model", "inception", "other"])
def network(request):
    return request.getfixturevalue(request.param)


def opens(interface, model, **options):
    """Whatever layers an interface begins with."""
    made = interface(model, "cat_coffee", **options)
    return made.layer if interface in ONE_LAYER else list(made.layers)


def test_of_one_layer(network):
    layer = "mixed4b" if network.name == "other" else "mixed4d"
    for interface in ONE_LAYER:
        assert opens(interface, network) == layer


@pytest.mark.parametrize("find", CONCEPTS)
def test_of_concepts(network, find, monkeypatch):
    asked = []

    def refuse(self, layer):
        asked.append(layer)
        raise ValueError("seen enough")

    monkeypatch.setattr(VisionModel, "check_spatial", refuse)
    with pytest.raises(ValueError, match="seen enough"):
        find(network, [], progress=False)
    assert asked == ["mixed4b" if network.name == "other" else "mixed4d"]


def test_of_a_series(network):
    series = ["mixed3a", "mixed4a", "mixed4d", "mixed5a"]
    for interface in SERIES:
        assert opens(interface, network) == (OTHER["series"] if network.name == "other" else series)


def test_of_a_flow(network):
    flow = OTHER["flow"] if network.name == "other" else ["mixed4a", "mixed4d"]
    assert opens(lx.GroupFlow, network) == flow


def test_of_the_dictionary(network):
    blocks = ["3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"]
    made = lx.SemanticDictionary(network, "cat_coffee")
    if network.name == "other":
        assert (made.options["layer"], made.choice["layer"]) == (OTHER["offered"], "mixed4b")
    else:
        assert made.options["layer"] == [f"mixed{block}" for block in blocks]
        assert made.choice["layer"] == "mixed4d"


def test_the_dictionary_of_other_layers_begins_with_the_last(model):
    for layers, first in (
        (["mixed5b", "mixed4d", "mixed3a"], "mixed4d"),
        (["mixed3a", "mixed5a"], "mixed5a"),
    ):
        made = lx.SemanticDictionary(model, "cat_coffee", layers=layers)
        assert (made.options["layer"], made.choice["layer"]) == (layers, first)
    made = lx.SemanticDictionary(model, "cat_coffee", "mixed3b", layers=["mixed3a", "mixed4d"])
    assert made.choice["layer"] == "mixed3b"


def test_the_layer_that_speaks_first(model, other):
    assert first_layer(model, ["mixed3a", "mixed4d", "mixed4e"]) == "mixed4d"
    assert first_layer(other, ["mixed4b", "mixed4d", "mixed4e"]) == "mixed4b"
    assert first_layer(model, ["mixed3a", "mixed4a", "mixed5a"]) == "mixed4a"  # 7 x 7 is coarse
    assert first_layer(model, ["mixed5a", "mixed5b"]) == "mixed5b"
    for interface in (lx.ActivationGrid, lx.SpatialAttribution):
        assert interface(model, "cat_coffee").first == "mixed4d"


def test_given_layers_are_kept(other):
    for interface in (*SERIES, lx.GroupFlow):
        assert opens(interface, other, layers=["mixed3a", "mixed4d"]) == ["mixed3a", "mixed4d"]
    for interface in ONE_LAYER:
        assert opens(interface, other, layer="mixed3a") == "mixed3a"


@pytest.mark.parametrize("interface", [*ONE_LAYER, *SERIES, lx.GroupFlow, lx.SemanticDictionary, *CONCEPTS])
def test_a_network_without_positions(flat, interface):
    sentence = r"^flat has no layer with positions, so there is no place to look at\.$"
    with pytest.raises(ValueError, match=sentence):
        interface(flat, "cat_coffee")


def test_no_layer_of_one_network_is_named_in_the_code(model):
    """But in InceptionV1's own description, which says what is in files without a card."""
    cards = [model, lx.load_model("efficientnet_lite0")]
    names = {"mixed"} | {name for card in cards for name in card.layers if re.search(r"\d", name)}
    found = set()
    for path in PACKAGE.rglob("*.py"):
        if not path.name.startswith("inception"):
            found |= {(path.name, name) for name in said(path) & names}
    assert found == set()
    assert "mixed" in said(PACKAGE / "models" / "inception.py")


def said(path: Path) -> set[str]:
    """The words of all texts in a file, but for docstrings and comments."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    loose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in loose]
    return {word for text in texts if isinstance(text.value, str) for word in re.findall(r"\w+", text.value)}
