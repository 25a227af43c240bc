"""What is said of a network beside its graph: cards and arguments alike."""

import json

import numpy as np
import pytest

import lucid_ext as lx
from lucid_ext.models.metadata import printable
from tests.models import networks
from tests.models.written import Graph

NAN = float("nan")


def load(tmp_path, **card):
    """A network of three classes whose card says this."""
    return lx.load_model(Graph().end().save(tmp_path / "net.pb", **card))


@pytest.mark.parametrize(
    "size",
    [[0, 0], [-1, 5], [10**9, 10**9], [3, 16], [16, 2049], [16], [16, 16, 3], [16.5, 16], ["16", 16],
     [True, 16], 16, None, {"16": 16, "17": 17}, [NAN, 16]],
)  # fmt: skip
def test_sizes(tmp_path, size):
    with pytest.raises(ValueError, match=r"size of net is .*; expected \(height, width\), each of 4 to 2048"):
        load(tmp_path, size=size)


def test_a_size_the_graph_does_not_work_at(tmp_path):
    graph = Graph()
    graph.const("shape", [-1, 16, 16, 3])
    graph.add("Reshape", "x", "input", "shape")
    with pytest.raises(ValueError, match=r"net cannot be computed from its input \("):
        lx.load_model(graph.end("x").save(tmp_path / "net.pb", size=[20, 20]))


@pytest.mark.parametrize(
    "value_range",
    [[NAN, 1], [0, float("inf")], [0, 0], [0, 1e30], [0], [0, 1, 2], ["0", "1"], [True, False], None, 3,
     [[0, 0, 0], [1, 1, 0]], [[0, 0, 0], [1, 1]], [[0, 0], [1, 1]], [[0, NAN, 0], 1], [[[0], [0], [0]], 1]],
)  # fmt: skip
def test_ranges(tmp_path, value_range):
    with pytest.raises(ValueError, match=r"range of net is .*; expected what black and white become, as"):
        load(tmp_path, range=value_range)


@pytest.mark.parametrize("value_range", [[1, 0], [[0, 0, 0], [1, 2, 3]], [0, [1, 2, 3]], [-117.0, 138.0]])
def test_ranges_that_are_some(tmp_path, value_range):
    model = load(tmp_path, range=value_range)
    levels = np.array([0.25, 0.5, 0.75], np.float32)
    low, high = (np.asarray(bound) for bound in value_range)
    found = model.activations(np.broadcast_to(levels, (16, 16, 3)), "mean")
    np.testing.assert_allclose(found, low + (high - low) * levels, rtol=1e-6)


NO_NAMES = [
    {"a": 1},
    "abc",
    7,
    None,
    [["a"], "b", "c"],
    [{"name": "a"}, "b", "c"],
    [None, "b", "c"],
    [1.5, "b", "c"],
    [True, "b", "c"],
    ["", "b", "c"],
    [" \u3000", "b", "c"],
    ["a" * 201, "b", "c"],
    ["tab\tby", "b", "c"],
    ["a\0", "b", "c"],
    ["a\x1b[31m", "b", "c"],
    ["\u202egpj.exe", "b", "c"],
    ["a\u2066b", "b", "c"],
    ["a\u2028b", "b", "c"],
    ["\udcff", "b", "c"],
]


@pytest.mark.parametrize("labels", NO_NAMES)
def test_labels(tmp_path, labels):
    with pytest.raises(
        ValueError, match=r"labels? .*of net (is|are) .*; expected a (list of names|name of 1 to 200)"
    ):
        load(tmp_path, labels=labels)


@pytest.mark.parametrize("labels", [names for names in NO_NAMES if names is not None])
def test_labels_of_a_keras_model(keras_model, labels):
    with pytest.raises(
        ValueError, match=r"labels? .*of three (is|are) .*; expected a (list of names|name of 1 to)"
    ):
        lx.load_model(keras_model, labels=labels)


@pytest.fixture(scope="module")
def keras_model():
    import keras
    from keras import layers

    image = keras.Input((16, 16, 3))
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(3, 1, activation="relu")(image))
    return networks.randomized(keras.Model(image, layers.Dense(3, activation="softmax")(x), name="three"))


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["épée", "犬", "👩‍🚀"], ["épée", "犬", "👩‍🚀"]),
        (["می‌خواهم", "שלום\u200f!", "<b>&amp;"], ["می‌خواهم", "שלום\u200f!", "<b>&amp;"]),
        ([0, 1, 2], ["0", "1", "2"]),
        (["same", "same"], ["same", "same", "class 2"]),
        ([], ["class 0", "class 1", "class 2"]),
    ],
)
def test_labels_that_are_names(tmp_path, keras_model, labels, expected):
    assert load(tmp_path, labels=labels).labels == expected
    if len(labels) == 3:
        assert lx.load_model(keras_model, labels=tuple(labels)).labels == expected
        assert lx.load_model(keras_model, labels=np.array(labels)).labels == expected


def test_more_labels_than_classes(tmp_path):
    with pytest.raises(ValueError, match="net has 4 labels for 3 classes; expected one for each"):
        load(tmp_path, labels=list("abcd"))


def test_layers_the_graph_lacks(tmp_path):
    with pytest.raises(ValueError, match="net has no node 'mixed9'; expected its layers to be nodes"):
        load(tmp_path, layers=["logits", "mixed9"])
    for layers in ("logits", [{}], {"logits": 1}):
        with pytest.raises(ValueError, match=r"net\.json is not the card of a network"):
            load(tmp_path, layers=layers)


@pytest.mark.parametrize("digest", ["", "c7a2", 7, None, ["a"], "G" * 64, "A" * 64, "a" * 10**5])
def test_digests(tmp_path, digest):
    message = r"the digest in .*net\.json is .{1,90}; expected the SHA-256 of net\.pb, 64 hexadecimal digits"
    with pytest.raises(ValueError, match=message):
        load(tmp_path, digest=digest)


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"7", b"[1]", b"null", b"\xff\xfe{}", b"[" * 100_000, b'{"digest": ' + b"9" * 5000 + b"}"],
)
def test_cards_that_are_none(tmp_path, text):
    path = Graph().end().save(tmp_path / "net.pb")
    path.with_suffix(".json").write_bytes(text)
    with pytest.raises(ValueError, match=r"net\.json is not the card of a network"):
        lx.load_model(path)


@pytest.mark.parametrize("key", ["digest", "size", "range", "labels", "layers"])
def test_cards_that_lack_something(tmp_path, key):
    path = Graph().end().save(tmp_path / "net.pb")
    card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    del card[key]
    path.with_suffix(".json").write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(ValueError, match=r"net\.json is not the card of a network"):
        lx.load_model(path)


def test_the_name_of_a_file_is_shown_without_what_controls_text(tmp_path):
    path = Graph().end().save(tmp_path / "a\u202eb\tc\udcff.pb")
    assert lx.load_model(path).name == "a?b?c?"
    assert printable("épée 犬 <b>") == "épée 犬 <b>"
