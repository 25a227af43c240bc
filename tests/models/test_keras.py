"""Keras models of every kind: what they compute is what Keras computes, under the names Keras gives."""

import threading

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import lucid_ext as lx
from tests.models import networks
from tests.models.networks import CLASSES, SIDE, randomized

# Keras makes arrays of variables in a way that NumPy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

FUNCTIONAL = {
    "stem": (12, 12, 8),
    "block1_out": (12, 12, 8),
    "block2_out": (12, 12, 12),
    "mixed": (12, 12, 12),
    "hidden": (10,),
    "classes_pre_activation": (CLASSES,),
}
SEQUENTIAL = {
    "first_relu": (24, 24, 8),
    "second": (12, 12, 12),
    "third": (12, 12, 12),
    "classes_pre_activation": (CLASSES,),
}
NESTED = {
    "shallow_relu": (24, 24, 8),
    "deep_relu": (24, 24, 8),
    "again": (24, 24, 8),
    "again_1": (24, 24, 8),
    "classes_pre_activation": (CLASSES,),
}
SUBCLASSED = {"one_relu": (24, 24, 8), "norm_add_relu": (24, 24, 8), "top": (CLASSES,)}


@pytest.fixture(scope="module")
def picture():
    return np.random.default_rng(1).random((SIDE, SIDE, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def functional():
    return randomized(networks.functional())


def outputs(keras_model, names, levels):
    """What Keras says that its layers give for one image."""
    probe = keras.Model(keras_model.inputs, [keras_model.get_layer(n).output for n in names])
    return dict(zip(names, tf.nest.flatten(probe([levels[None]], training=False)), strict=True))


def check(found, expected):
    for name, value in expected.items():
        value = np.asarray(value)[0]
        assert np.abs(value).max() > 0, name
        assert np.abs(found[name] - value).max() <= 1e-5 * np.abs(value).max(), name


def names_of_layers(keras_model):
    return [
        layer.name
        for layer in keras_model.layers
        if not isinstance(layer, layers.InputLayer | layers.Dropout)
    ]


@pytest.mark.parametrize(
    ("make", "listed"), [(networks.functional, FUNCTIONAL), (networks.sequential, SEQUENTIAL)]
)
def test_every_layer_gives_what_it_gives_in_keras(make, listed, picture):
    keras_model = randomized(make())
    model = lx.load_model(keras_model)
    assert model.layers == listed
    names = names_of_layers(keras_model)
    check(model.activations(picture, names), outputs(keras_model, names, 255.0 * picture))


def test_nested_models(picture):
    keras_model = randomized(networks.nested())
    model = lx.load_model(keras_model)
    assert model.layers == NESTED
    x, expected = 255.0 * picture[None], {}
    for part in ("shallow", "deep"):
        inner = keras_model.get_layer(part)
        expected[f"{part}_conv"] = inner.get_layer("conv")(x)
        x = expected[f"{part}_relu"] = expected[part] = inner(x)
    for name in ("again", "again_1"):
        x = expected[name] = keras_model.get_layer("again")(x)
    expected["classes"] = keras_model(255.0 * picture[None])
    check(model.activations(picture, list(expected)), expected)


def test_subclassed_models(picture):
    keras_model = randomized(networks.subclassed())
    model = lx.load_model(keras_model)
    assert model.layers == SUBCLASSED
    expected = keras_model.parts(255.0 * picture[None])
    check(model.activations(picture, list(expected)), expected)


def test_a_model_whose_call_is_a_function_of_its_own(picture):
    """Its layers are called while another graph is made: names come from scopes."""

    class Compiled(networks.Subclassed):
        @tf.function
        def call(self, x, training=False):
            return self.parts(x, training)["top"]

    keras_model = Compiled(name="compiled")
    keras_model.build((None, SIDE, SIDE, 3))
    model = lx.load_model(randomized(keras_model))
    assert model.layers == SUBCLASSED
    expected = keras_model.parts(255.0 * picture[None])
    check(model.activations(picture, list(expected)), expected)


def test_inference_mode(picture):
    """Dropout is off, and batch normalization uses the statistics it learned, whatever the batch."""
    model = lx.load_model(randomized(networks.sequential()))
    one = model.function("input", [model.logits])(picture[None])[0]
    batch = model.function("input", [model.logits])(np.stack([picture, 0 * picture, 1 - picture]))[0]
    again = model.function("input", [model.logits])(picture[None])[0]
    assert np.array_equal(one, again)
    np.testing.assert_allclose(batch[:1], one, rtol=1e-4, atol=1e-5)


def test_it_stays_as_it_was_when_it_was_loaded(picture):
    keras_model = randomized(networks.sequential())
    model = lx.load_model(keras_model)
    before = model.activations(picture, "second")
    randomized(keras_model, seed=1)
    assert np.array_equal(model.activations(picture, "second"), before)
    assert lx.load_model(keras_model).digest != model.digest


@pytest.mark.parametrize("make", [networks.functional, networks.subclassed])
def test_a_keras_file_is_the_same_network(make, tmp_path, picture):
    keras_model = randomized(make())
    keras_model.save(tmp_path / "net.keras")
    model = lx.load_model(tmp_path / "net.keras")
    direct = lx.load_model(keras_model)
    assert model.name == "net"
    assert model.digest == direct.digest
    assert np.array_equal(
        model.activations(picture, "softmax" if "top" in model.layers else "classes"),
        direct.activations(picture, direct.softmax),
    )


@pytest.mark.parametrize(
    ("make", "listed"),
    [
        (networks.functional, FUNCTIONAL),
        (networks.sequential, SEQUENTIAL),
        (networks.subclassed, SUBCLASSED),
        (networks.nested, {n.replace("again_1", "again_3"): s for n, s in NESTED.items()}),
    ],
)
def test_a_saved_model_is_the_same_network(make, listed, tmp_path, picture):
    keras_model = randomized(make())
    keras_model(picture[None])  # a subclassed model is exported as it was called
    keras_model.export(tmp_path / "net", verbose=False)
    model = lx.load_model(tmp_path / "net")
    direct = lx.load_model(keras_model)
    assert list(model.layers.values()) == list(listed.values())
    for name, other in zip(model.layers, direct.layers, strict=True):
        value = direct.activations(picture, other)
        assert np.abs(model.activations(picture, name) - value).max() < 1e-5 * np.abs(value).max()
    assert list(model.layers) == list(listed)


# What images become.


@pytest.mark.parametrize(
    ("preprocess", "expected"),
    [
        (None, lambda levels: levels),
        ((0, 255), lambda levels: levels),
        ((0, 1), lambda levels: levels / 255),
        ((-1, 1), lambda levels: levels / 127.5 - 1),
        (
            keras.applications.resnet50.preprocess_input,
            lambda levels: levels[..., ::-1] - [103.939, 116.779, 123.68],
        ),
        (layers.Rescaling(1 / 255, name="scale"), lambda levels: levels / 255),
        (lambda x: tf.reverse(x, [-1]) * [0.0, 1.0, 0.5], lambda levels: levels[..., ::-1] * [0, 1, 0.5]),
        (lambda x: x + tf.random.normal((3,)), None),
    ],
)
def test_preprocess(preprocess, expected, picture):
    if expected is None:
        with pytest.raises(
            ValueError, match=r"holds operations no frozen image classifier needs .*RandomStandardNormal"
        ):
            lx.load_model(networks.sequential(), preprocess=preprocess)
        return
    keras_model = randomized(networks.sequential())
    model = lx.load_model(keras_model, preprocess=preprocess)
    levels = expected(255.0 * picture).astype(np.float32)
    check(model.activations(picture, ["first", "third"]), outputs(keras_model, ["first", "third"], levels))
    assert "scale" not in model.layers


def test_preprocess_is_part_of_what_a_network_is(functional):
    digests = {lx.load_model(functional, preprocess=p).digest for p in ((0, 1), (-1, 1), (0, 255))}
    assert len(digests) == 3


@pytest.mark.parametrize(
    ("preprocess", "message"),
    [
        (3, "preprocess is 3; expected the values of black and white"),
        ((1, 1), r"preprocess is \(1, 1\)"),
        ((0, np.inf), "expected the values of black and white"),
        ((0, 1, 2), "expected the values of black and white"),
        (lambda x: x[..., :2], r"preprocess made float32 \(None, 24, 24, 2\)"),
        (lambda x: tf.cast(x, tf.int32), "preprocess made int32"),
    ],
)
def test_preprocess_that_makes_no_images(functional, preprocess, message):
    with pytest.raises(ValueError, match=message):
        lx.load_model(functional, preprocess=preprocess)


def test_grey_images(picture):
    keras_model = randomized(networks.sequential(channels=1))
    model = lx.load_model(keras_model, preprocess=(0, 1))
    grey = (picture @ np.float32([0.299, 0.587, 0.114]))[..., None]
    check(model.activations(picture, ["first", "classes"]), outputs(keras_model, ["first", "classes"], grey))
    assert model.layers["first_relu"] == (24, 24, 8)


def test_images_of_any_size(picture):
    image = keras.Input((None, None, 3))
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(8, 3, activation="relu", name="only")(image))
    keras_model = randomized(keras.Model(image, layers.Dense(4, activation="softmax")(x), name="any"))
    with pytest.raises(ValueError, match=r"any takes images of any size: say which, as in size=\(224, 224\)"):
        lx.load_model(keras_model)
    model = lx.load_model(keras_model, size=(SIDE, 40))
    assert model.layers["only"] == (SIDE - 2, 38, 8)
    wide = np.concatenate([picture, picture[:, :16]], 1)
    check(model.activations(wide, ["only"]), outputs(keras_model, ["only"], 255.0 * wide))


def test_grouped_convolutions(picture):
    """Keras gives each of them a function, kept apart to be compiled."""
    x = image = keras.Input((SIDE, SIDE, 3))
    x = layers.Conv2D(8, 3, activation="relu", name="plain")(x)
    for groups in (2, 4):
        x = layers.Conv2D(8, 3, groups=groups, activation="relu", name=f"in_{groups}")(x)
    x = layers.GlobalAveragePooling2D()(x)
    keras_model = randomized(keras.Model(image, layers.Dense(4, activation="softmax", name="classes")(x)))
    model = lx.load_model(keras_model)
    names = ["in_2", "in_4", "classes"]
    check(model.activations(picture, names), outputs(keras_model, names, 255.0 * picture))


# What classes are.


def test_labels(functional, picture):
    names = ["ant", "bee", "cat", "dog", "eel"]
    model = lx.load_model(functional, labels=names)
    assert model.labels == names
    assert {label for label, _ in model.predict(picture)} == set(names)
    assert lx.load_model(functional).labels == [f"class {i}" for i in range(CLASSES)]
    with pytest.raises(ValueError, match="labels has 2 names; functional has 5 classes"):
        lx.load_model(functional, labels=["ant", "bee"])


def test_logits_get_a_softmax(picture):
    keras_model = randomized(networks.sequential(last=None))
    model = lx.load_model(keras_model)
    logits = outputs(keras_model, ["classes"], 255.0 * picture)
    assert model.logits == "classes"
    check(model.activations(picture, ["classes"]), logits)
    expected = tf.nn.softmax(logits["classes"]).numpy()[0]
    np.testing.assert_allclose(model.activations(picture, model.softmax), expected, rtol=1e-4, atol=1e-6)


def test_several_sigmoids_are_classes_that_do_not_exclude_each_other(picture):
    keras_model = randomized(networks.sequential(last="sigmoid"))
    model = lx.load_model(keras_model)
    expected = outputs(keras_model, ["classes"], 255.0 * picture)
    check(model.activations(picture, ["classes"]), expected)
    found = dict(model.predict(picture))
    np.testing.assert_allclose(
        [found[f"class {i}"] for i in range(CLASSES)], expected["classes"][0], rtol=1e-4, atol=1e-6
    )
    assert model.logits == "classes_pre_activation"


def binary(last):
    image = keras.Input((SIDE, SIDE, 3))
    x = layers.Conv2D(8, 3, activation="relu", name="only")(image)
    x = layers.Dense(1, activation=last, name="answer")(layers.GlobalAveragePooling2D()(x))
    return randomized(keras.Model(image, x, name="binary"))


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (None, ["class 0", "class 1"]),
        (["cat"], ["not cat", "cat"]),
        (["dog", "cat"], ["dog", "cat"]),
    ],
)
def test_one_sigmoid_is_two_classes(labels, expected, picture):
    keras_model = binary("sigmoid")
    model = lx.load_model(keras_model, labels=labels, preprocess=(0, 1))
    assert model.labels == expected
    (probability,) = keras_model(picture[None]).numpy()[0]
    np.testing.assert_allclose(
        model.activations(picture, model.softmax), [1 - probability, probability], rtol=1e-5
    )
    no, yes = model.activations(picture, model.logits)
    assert no == 0
    np.testing.assert_allclose(1 / (1 + np.exp(-yes)), probability, rtol=1e-5)


def test_one_logit_is_two_classes_once_they_are_named(picture):
    keras_model = binary(None)
    with pytest.raises(ValueError, match="of a single logit, name both classes"):
        lx.load_model(keras_model)
    model = lx.load_model(keras_model, labels=["dog", "cat"], preprocess=(0, 1))
    assert model.activations(picture, model.logits)[1] == pytest.approx(keras_model(picture[None])[0, 0])


def test_layers_called_by_other_threads_are_not_recorded(functional):
    """Loading watches layers being called; another thread may be training."""
    done = threading.Event()
    other = randomized(networks.sequential(channels=3))

    def train():
        while not done.is_set():
            other(np.zeros((1, SIDE, SIDE, 3), np.float32))

    thread = threading.Thread(target=train)
    thread.start()
    try:
        model = lx.load_model(functional)
    finally:
        done.set()
        thread.join()
    assert model.layers == FUNCTIONAL
    assert keras.layers.Layer.__call__.__module__.startswith("keras")
