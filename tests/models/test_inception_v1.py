"""A full-size InceptionV1 with random weights, through the code that loads the real one."""

import math

import numpy as np
import pytest
import tensorflow as tf

import lucid_ext as lx
from lucid_ext.models.graph import GraphDef, take_weights
from lucid_ext.models.inception_v1 import LAYERS, LRN, WEIGHTS
from tests.models.by_hand import slow_conv, slow_lrn, slow_mixed, slow_pool

BLOCKS = {  # side, and the widths of 1x1, 3x3_bottleneck, 3x3, 5x5_bottleneck, 5x5, pool_reduce
    "mixed3a": (28, 64, 96, 128, 16, 32, 32),
    "mixed3b": (28, 128, 128, 192, 32, 96, 64),
    "mixed4a": (14, 192, 96, 204, 16, 48, 64),
    "mixed4b": (14, 160, 112, 224, 24, 64, 64),
    "mixed4c": (14, 128, 128, 256, 24, 64, 64),
    "mixed4d": (14, 112, 144, 288, 32, 64, 64),
    "mixed4e": (14, 256, 160, 320, 32, 128, 128),
    "mixed5a": (7, 256, 160, 320, 48, 128, 128),
    "mixed5b": (7, 384, 192, 384, 48, 128, 128),
}
TOWERS = ("1x1", "3x3_bottleneck", "3x3", "5x5_bottleneck", "5x5", "pool_reduce")
NAMED = {
    "conv2d0": (112, 112, 64),
    "maxpool0": (56, 56, 64),
    "localresponsenorm0": (56, 56, 64),
    "conv2d1": (56, 56, 64),
    "conv2d2": (56, 56, 192),
    "localresponsenorm1": (56, 56, 192),
    "maxpool1": (28, 28, 192),
    "maxpool4": (14, 14, 480),
    "maxpool10": (7, 7, 832),
    "avgpool0": (1, 1, 1024),
    "softmax2_pre_activation": (1008,),
    "softmax2": (1008,),
    **{f"head{i}_bottleneck": (4, 4, 128) for i in "01"},
    **{f"nn{i}": (1024,) for i in "01"},
    **{f"softmax{i}_pre_activation": (1008,) for i in "01"},
    **{f"softmax{i}": (1008,) for i in "01"},
    **{
        f"{block}_{tower}{form}": (side, side, width)
        for block, (side, *widths) in BLOCKS.items()
        for tower, width in zip(TOWERS, widths, strict=True)
        for form in ("", "_pre_relu")
    },
    **{
        f"{block}{form}": (side, side, one + three + five + pooled)
        for block, (side, one, _, three, _, five, pooled) in BLOCKS.items()
        for form in ("", "_pre_relu")
    },
}


def test_every_named_layer_has_its_published_shape(inception, cat):
    found = inception.activations(cat, list(NAMED))
    assert {name: array.shape for name, array in found.items()} == NAMED
    assert all(np.isfinite(array).all() for array in found.values())


def test_layers_lists_those_all_of_the_image_passes_through(inception):
    expected = ["conv2d0", "conv2d1", "conv2d2", *BLOCKS, "softmax2_pre_activation"]
    assert list(inception.layers) == list(LAYERS) == expected
    assert inception.layers == {name: NAMED[name] for name in expected} == LAYERS
    assert inception.size == (224, 224)


def test_it_is_as_large_as_the_published_file(inception, inception_file):
    _, weights = take_weights(inception.graph_def)
    assert sum(weights[name].size for name in WEIGHTS) == 13_461_996
    assert len(WEIGHTS) == 128
    assert abs(inception_file.stat().st_size - 53_884_595) < 10_000


def test_activations_neither_die_nor_explode(inception, cat):
    """Or the comparisons below would say little."""
    for name, acts in inception.activations(cat, list(LAYERS)).items():
        assert 0.3 < (acts > 0).mean() < 0.7, name
        assert 0.1 < acts.std() < 3, name


def test_the_classes_are_those_of_the_networks_own_softmax(inception, cat):
    """Not of an auxiliary head, wherever in the file that stands."""
    softmaxes = [node.name for node in inception.graph_def.node if node.op == "Softmax"]
    assert softmaxes[-1] != "softmax2"
    assert (inception.softmax, inception.logits) == ("softmax2", "softmax2_pre_activation")
    logits = inception.activations(cat, "softmax2_pre_activation").astype(np.float64)
    expected = np.exp(logits) / np.exp(logits).sum()
    (label, probability), *_ = inception.predict(cat, 1)
    assert label == inception.labels[expected.argmax()]
    assert math.isclose(probability, expected.max(), rel_tol=1e-5)


def test_equals_tensorflows_own_session_everywhere(inception, cat):
    """The same file, weights inside, run by a version 1 session."""
    names = [name for name in NAMED if not name.endswith(tuple(f"{b}_pre_relu" for b in BLOCKS))]
    x = inception.prepare(cat)[None]
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        tf.graph_util.import_graph_def(inception.graph_def, name="")
        expected = session.run([f"{n}:0" for n in names], {"input:0": 255.0 * x - 117.0})
    found = inception.activations(cat, names)
    for name, value in zip(names, expected, strict=True):
        assert np.abs(found[name] - value[0]).max() < 1e-5 * np.abs(value).max(), name


@pytest.mark.parametrize("source", [name for name in LAYERS if name != "softmax2_pre_activation"])
def test_functions_from_a_layer_to_all_later_ones_compose_to_the_whole(inception, cat, source):
    later = [*list(LAYERS)[list(LAYERS).index(source) + 1 :], "softmax2"]
    whole = inception.activations(cat, [source, *later])
    found = inception.function(source, later)(tf.constant(whole[source][None]))
    for name, value in zip(later, found, strict=True):
        difference = np.abs(value.numpy()[0] - whole[name]).max()
        assert difference < 1e-5 * np.abs(whole[name]).max(), name


def test_equals_numpy_from_pixels_to_the_first_block(inception, rng):
    """Same-padding at even and odd sizes, the normalizations where they belong, and a mixed block."""
    _, weights = take_weights(inception.graph_def)
    image = rng.random((50, 37, 3)).astype(np.float32)

    def conv(x, name, stride=1):
        return np.maximum(slow_conv(x, weights[f"{name}_w"], weights[f"{name}_b"], stride), 0)

    settings = (5, 2.0, 9.99999974738e-05, 0.5)
    steps = {"conv2d0": conv(255.0 * image - 117.0, "conv2d0", 2)}
    steps["maxpool0"] = slow_pool(steps["conv2d0"], 2)
    steps["localresponsenorm0"] = slow_lrn(steps["maxpool0"], *settings)
    steps["conv2d2"] = conv(conv(steps["localresponsenorm0"], "conv2d1"), "conv2d2")
    steps["localresponsenorm1"] = slow_lrn(steps["conv2d2"], *settings)
    steps["maxpool1"] = slow_pool(steps["localresponsenorm1"], 2)
    steps["mixed3a"] = slow_mixed(steps["maxpool1"], weights, "mixed3a")
    found = inception.function("input", list(steps))(tf.constant(image[None]))
    for (name, expected), value in zip(steps.items(), found, strict=True):
        assert value.shape[1:] == expected.shape
        assert np.abs(value.numpy()[0] - expected).max() < 1e-5 * np.abs(expected).max(), name


def test_normalization_of_large_activations(inception, rng):
    """Where the sum over channels outweighs the bias, and at the first and last channels."""
    x = rng.normal(0, 300, (3, 4, 64)).astype(np.float32)
    (found,) = inception.function("maxpool0", ["localresponsenorm0"])(x[None])
    expected = slow_lrn(x, int(LRN["depth_radius"]), LRN["bias"], LRN["alpha"], LRN["beta"])
    assert np.abs(found.numpy()[0] - expected).max() < 1e-5 * np.abs(expected).max()
    assert np.abs(expected).max() < np.abs(x).max() / 5


def test_first_convolution_pads_two_before_and_three_after(inception):
    """On 224 pixels; a convolution that padded three before would answer one pixel off."""
    _, weights = take_weights(inception.graph_def)
    image = np.full((224, 224, 3), 117 / 255, np.float32)  # zero at the input node
    image[0, 0] = 1.0
    before = inception.activations(image, "conv2d0_pre_relu")[0, 0]
    kernel = weights["conv2d0_w"]
    assert np.allclose(before, 138.0 * kernel[2, 2].sum(0) + weights["conv2d0_b"], atol=1e-3)


def test_classes_of_images_too_small_for_the_last_pooling(inception):
    """Its 7 x 7 window does not fit the grid; larger images have several answers, one per place."""
    with pytest.raises(ValueError, match="cannot be computed for 140 x 140 pixels; its own size is 224"):
        inception.shape_of("softmax2_pre_activation", (140, 140))
    assert inception.shape_of("mixed5b", (140, 140)) == (5, 5, 1024)


def test_class_names_and_numbers(inception):
    assert len(inception.labels) == 1008
    assert inception.labels[:2] == ["dummy", "thing 1"]
    assert inception.labels[1000:1002] == ["thing 1000", "class 1001"]


def test_an_icon_can_be_rendered(inception, store):
    recipe = lx.Recipe(size=64, steps=8)
    icon = lx.icons(inception, "mixed4d", [0], recipe=recipe, store=store, progress=False)
    assert icon.shape == (1, 64, 64, 3)
    assert icon.std() > 1


def test_weights_listed_number_by_number_are_the_same_network(inception, inception_file, tmp_path, cat):
    """Old writers list numbers where today's write bytes; which of the two a file is should not matter."""
    graph_def = GraphDef.FromString(inception_file.read_bytes())
    for node in graph_def.node:
        if node.name in WEIGHTS:
            tensor = node.attr["value"].tensor
            tensor.float_val.extend(np.frombuffer(tensor.tensor_content, np.float32).tolist())
            tensor.ClearField("tensor_content")
    path = tmp_path / "old.pb"
    path.write_bytes(graph_def.SerializeToString())
    path.with_suffix(".txt").write_text(inception_file.with_suffix(".txt").read_text())
    acts = lx.load_model(path).activations(cat, "mixed4d")
    assert np.array_equal(acts, inception.activations(cat, "mixed4d"))
