"""A network handed to Lucid and taken from it computes what it computed before."""

import numpy as np
import pytest
import tensorflow as tf

import lucid_ext as lx
from lucid_ext.models.graph import GraphDef


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).random((2, 112, 112, 3), dtype=np.float32)


def in_lucid(lucid_model, images, layers):
    """Activations in a graph and a session of version 1, imported by Lucid."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        lucid_model.import_graph(tf.constant(images), scope="import")
        return session.run([f"import/{layer}:0" for layer in layers])


def described(**properties):
    """A model as a user of Lucid describes one: a class with attributes."""
    from lucid.modelzoo.vision_base import Model

    graph_def = properties.pop("graph_def")
    lucid_model = type("Mine", (Model,), {"graph_def": None, **properties})()
    lucid_model.graph_def = graph_def
    return lucid_model


@pytest.fixture
def properties(model):
    return {
        "graph_def": model.graph_def,
        "image_shape": [112, 112, 3],
        "image_value_range": model.value_range,
        "input_name": "input:0",
    }


def test_to_lucid(model, images):
    lucid_model = lx.to_lucid(model)
    layers = ["conv2d0", "mixed4a", "mixed4a_pre_relu", "mixed5b", model.logits, model.softmax]
    expected = model.function("input", layers)(images)
    for layer, mine, lucids in zip(layers, expected, in_lucid(lucid_model, images, layers), strict=True):
        assert np.allclose(mine, lucids, rtol=1e-4, atol=1e-4), layer
    assert lucid_model.name == model.name
    assert lucid_model.labels == model.labels
    assert {layer.name: layer.depth for layer in lucid_model.layers} == {
        name: shape[-1] for name, shape in model.layers.items()
    }
    assert lucid_model.get_layer("mixed4a").tags == {"conv"}
    lucid_model.load_graphdef()  # there is nothing left to load
    assert lucid_model.graph_def.node


def test_there_and_back(model, images):
    again = lx.from_lucid(lx.to_lucid(model))
    assert again.layers == model.layers
    assert again.labels == model.labels
    assert (again.name, again.size, again.value_range) == (model.name, model.size, model.value_range)
    for mine, theirs in zip(
        model.function("input", ["mixed4a", model.logits])(images),
        again.function("input", ["mixed4a", model.logits])(images),
        strict=True,
    ):
        assert np.array_equal(mine, theirs)


def test_from_lucid(model, properties, images):
    lucid_model = described(**properties, labels=["tabby"])
    taken = lx.from_lucid(lucid_model)
    layers = ["mixed4a", "mixed4a_pre_relu", "softmax2"]
    for mine, lucids in zip(
        taken.function("input", layers)(images),
        in_lucid_with_pre_relu(lucid_model, images, layers),
        strict=True,
    ):
        assert np.allclose(mine, lucids, rtol=1e-4, atol=1e-4)
    assert taken.name == "Mine"
    assert taken.labels[:2] == ["tabby", "class 1"]


def in_lucid_with_pre_relu(lucid_model, images, layers):
    """The same, with the nodes that Lucid's InceptionV1 adds after its import."""
    from lucid.modelzoo.other_models import InceptionV1

    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        lucid_model.import_graph(tf.constant(images), scope="import")
        InceptionV1.post_import(lucid_model, "import")
        return session.run([f"import/{layer}:0" for layer in layers])


def test_from_lucid_with_channels_reversed_and_ranges_of_their_own(model, properties, images):
    """AlexNet and the networks of Caffe: BGR, a mean for each channel, another name for the input."""
    graph_def = GraphDef.FromString(model.graph_def.SerializeToString())
    for node in graph_def.node:
        node.name = "Placeholder" if node.name == "input" else node.name
        for i, tensor in enumerate(node.input):
            node.input[i] = "Placeholder" if tensor == "input" else tensor
    mean = np.array([103.9, 116.8, 123.7])
    changed = {"graph_def": graph_def, "input_name": "Placeholder", "is_BGR": True}
    lucid_model = described(**{**properties, **changed, "image_value_range": (-mean, 255 - mean)})
    taken = lx.from_lucid(lucid_model)
    layers = ["conv2d0", "mixed4d", "softmax2"]
    found = taken.function("input", layers)(images)
    for mine, lucids in zip(found, in_lucid(lucid_model, images, layers), strict=True):
        assert np.allclose(mine, lucids, rtol=1e-3, atol=1e-3)
    plain = model.function("input", layers)(images)
    assert not np.allclose(found[0], plain[0], atol=1e-2)


def test_render_vis_takes_either(model):
    options = {"thresholds": (3,), "verbose": False, "progress": False, "seed": 0}
    (mine,) = lx.render_vis(model, "mixed3a:7", **options)
    (theirs,) = lx.render_vis(lx.to_lucid(model), "mixed3a:7", **options)
    assert np.array_equal(mine, theirs)


def test_the_size_must_be_known(properties):
    lucid_model = described(**{**properties, "image_shape": [None, None, 3]})
    with pytest.raises(ValueError, match=r"Mine has no image_shape: pass size="):
        lx.from_lucid(lucid_model)
    assert lx.from_lucid(lucid_model, size=(64, 80)).layers["mixed3a"][:2] == (16, 20)


def test_the_input_must_exist(properties):
    with pytest.raises(ValueError, match="no input node 'image': set its input_name"):
        lx.from_lucid(described(**{**properties, "input_name": "image"}))


def test_a_graph_that_does_more_than_classify_is_refused(properties):
    graph_def = GraphDef.FromString(properties.pop("graph_def").SerializeToString())
    graph_def.node.add(name="passwd", op="ReadFile")
    with pytest.raises(ValueError, match=r"Lucid's Mine holds operations .*ReadFile"):
        lx.from_lucid(described(**properties, graph_def=graph_def))


def test_something_else_is_refused():
    with pytest.raises(ValueError, match="str is no Model of lucid"):
        lx.render_vis("inception_v1", "mixed4a:0")
