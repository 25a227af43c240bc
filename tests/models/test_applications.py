"""Well-known architectures of `keras.applications`, with random weights."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

import lucid_ext as lx
from lucid_ext.optvis import CHANNEL
from tests.models.networks import randomized

SIDE = 64

# Where blocks end, and what comes next to last.
EXPECTED = {
    "ResNet50": [
        "conv1_relu",
        *(
            f"conv{stage}_block{i}_out"
            for stage, n in ((2, 3), (3, 4), (4, 6), (5, 3))
            for i in range(1, n + 1)
        ),
        "predictions_pre_activation",
    ],
    "MobileNetV2": ["Conv1_relu", "block_1_project_BN", "block_2_add", "block_15_add", "out_relu"],
    "EfficientNetB0": ["stem_activation", "block2b_add", "block6d_add", "top_activation"],
    "VGG16": ["block1_conv1", "block3_conv3", "block5_conv3", "fc1", "fc2", "predictions_pre_activation"],
}
# A node inside a residual block, where the path around it comes from, and where the block ends.
HELD = {
    "ResNet50": ("conv4_block2_2_relu", "conv4_block1_out", "conv4_block2_out"),
    "MobileNetV2": ("block_4_depthwise_relu", "block_3_project_BN", "block_4_add"),
    "EfficientNetB0": ("block2b_activation", "block2a_project_bn", "block2b_add"),
    "VGG16": None,
}


@pytest.fixture(scope="module", params=[*list(EXPECTED)[:3], pytest.param("VGG16", marks=pytest.mark.slow)])
def application(request):
    """(architecture, the Keras model, the same frozen)."""
    make = getattr(keras.applications, request.param)
    keras_model = randomized(make(weights=None, input_shape=(SIDE, SIDE, 3), classes=10))
    return request.param, keras_model, lx.load_model(keras_model, preprocess=(-1, 1))


@pytest.fixture(scope="module")
def photograph():
    return lx.load_image("coffee")


def test_layers_and_activations_are_those_of_keras(application, photograph):
    name, keras_model, model = application
    listed = list(model.layers)
    if name == "ResNet50":
        assert listed == EXPECTED[name]
    assert [layer for layer in listed if layer in EXPECTED[name]] == EXPECTED[name]
    known = {layer.name for layer in keras_model.layers}
    compared = [layer for layer in listed if layer in known] + ["predictions"]
    assert len(compared) >= len(listed) - 1
    probe = keras.Model(keras_model.inputs, [keras_model.get_layer(layer).output for layer in compared])
    inputs = 2 * model.prepare(photograph)[None] - 1
    # As a graph, so that both sides are optimised alike and differ by rounding of the last digits only.
    expected = tf.function(lambda x: probe([x], training=False), autograph=False)(tf.constant(inputs))
    found = model.activations(photograph, compared)
    for layer, value in zip(compared, expected, strict=True):
        value = value.numpy()[0]
        assert np.abs(value).max() > 0
        assert np.abs(found[layer] - value).max() < 1e-5 * np.abs(value).max(), layer


def test_functions_between_layers(application, photograph):
    name, _, model = application
    whole = model.activations(photograph, [model.logits])[model.logits]
    scale = np.abs(whole).max()
    for layer in list(model.layers)[1:-1:5]:
        (rest,) = model.function(layer, [model.logits])(model.activations(photograph, layer)[None])
        assert np.abs(rest[0] - whole).max() < 1e-5 * scale, layer
    if HELD[name] is not None:
        source, held, end = HELD[name]
        function = model.function(source, [end, model.logits], image=photograph)
        assert held in function.held
        own, block = (model.activations(photograph, layer)[None] for layer in (source, end))
        again, logits = function(own)
        assert np.abs(logits[0] - whole).max() < 1e-5 * scale
        assert np.abs(again - block).max() < 1e-5 * np.abs(block).max()
        assert np.abs(function(0 * own)[0] - block).max() > 1e-2 * np.abs(block).max()


def test_icons_and_semantic_dictionary(application, photograph, store):
    _, _, model = application
    dictionary = lx.SemanticDictionary(model, photograph, store=store)
    layer = dictionary.choice["layer"]
    rows, cols, channels = model.layers[layer]
    assert (rows, cols) == (8, 8)
    signs = 1 + (model.activations(photograph, layer).min() < 0)
    assert len(dictionary.board["units"]) == signs * channels
    varied = int(model.activations(photograph, layer).std((0, 1)).argmax())

    def drive(steps):
        recipe = dataclasses.replace(CHANNEL, size=32, steps=steps)
        pixels = lx.icons(model, layer, [varied], recipe=recipe, store=store, progress=False)
        (acts,) = model.function("input", [layer])(pixels / 255)
        return acts.numpy()[0, ..., varied].mean()

    assert drive(48) > drive(1)
