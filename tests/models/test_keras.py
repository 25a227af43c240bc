"""Keras models of every kind: what they compute is what Keras computes, under the names Keras gives."""

import threading
import warnings

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


@pytest.fixture(scope="module")
def residual(functional):
    return lx.load_model(functional)


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


# What is refused.


def small(end, **kwargs):
    image = keras.Input((SIDE, SIDE, 3))
    x = layers.Conv2D(4, 3, activation="relu", name="only", **kwargs)(image)
    return keras.Model(image, end(x), name="odd")


def two_inputs():
    images = [keras.Input((SIDE, SIDE, 3), name=name) for name in ("left", "right")]
    x = layers.GlobalAveragePooling2D()(layers.Add()(images))
    return keras.Model(images, layers.Dense(2, activation="softmax")(x), name="odd")


def channels_first(shape=(3, SIDE, SIDE)):
    image = keras.Input(shape)
    x = layers.MaxPooling2D(data_format="channels_first", name="pool")(image)
    return keras.Model(image, layers.Dense(2, activation="softmax")(layers.Flatten()(x)), name="odd")


def half_precision():
    image = keras.Input((SIDE, SIDE, 3))
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, dtype="mixed_float16")(image))
    return keras.Model(image, layers.Dense(2, activation="softmax", dtype="float32")(x), name="odd")


def average(x):
    return layers.GlobalAveragePooling2D(name="average")(x)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: small(lambda x: x),
            r"odd gives an output of shape \(None, 22, 22, 4\).*load it with its top",
        ),
        (lambda: small(average), "odd ends in Mean with 4 outputs, so it is no image classifier"),
        (
            lambda: small(lambda x: layers.Dense(3, activation="relu")(average(x))),
            "odd ends in Relu with 3 outputs",
        ),
        (lambda: small(lambda x: layers.Dense(1)(average(x))), "odd ends in AddV2 with 1 output"),
        (lambda: small(lambda x: [average(x), layers.Flatten()(x)]), "odd has 2 outputs; expected one"),
        (two_inputs, r"odd has 2 inputs \(left, right\); expected one image"),
        (channels_first, "channels first; expected channels last"),
        (lambda: channels_first((3, SIDE, 3)), "layer pool of odd keeps channels first"),
        (half_precision, "odd computes in float16"),
        (lambda: keras.Sequential([layers.Conv2D(2, 3)], name="odd"), "odd has no weights yet: call it once"),
        (lambda: networks.Subclassed(name="odd"), "odd has no weights yet: call it once"),
        (lambda: keras.Sequential([keras.Input((7,)), layers.Dense(2)], name="odd"), "expected images"),
        (lambda: keras.Sequential([keras.Input((9, 9, 4)), layers.Flatten()], name="odd"), "expected images"),
        (lambda: layers.Dense(3), "cannot load a Dense; expected a name, a path, a keras.Model"),
        (lambda: 7, "cannot load a int"),
    ],
)
def test_what_is_no_image_classifier_is_refused_in_one_sentence(make, message):
    with pytest.raises(ValueError, match=message):
        lx.load_model(make())


def test_another_size_than_its_own(functional):
    with pytest.raises(ValueError, match=r"size is \(30, 30\); functional takes images of .* \(24, 24\)"):
        lx.load_model(functional, size=(30, 30))


def test_arguments_of_keras_models_alone():
    with pytest.raises(ValueError, match="are for Keras models; the card of mini has them"):
        lx.load_model("mini", labels=["a"])


def test_code_in_a_keras_file_does_not_run(tmp_path):
    path = tmp_path / "net.keras"
    small(lambda x: average(layers.Lambda(lambda y: y + 1)(x))).save(path)
    with pytest.raises(ValueError, match=r"net\.keras could not be loaded by Keras: .*[Ll]ambda"):
        lx.load_model(path)


def test_classes_keras_does_not_know(tmp_path):
    class Unknown(layers.Layer):
        def call(self, x):
            return x * 2

    small(lambda x: average(Unknown()(x))).save(tmp_path / "net.keras")
    with pytest.raises(ValueError, match="needs classes or functions of yours, load it with keras"):
        lx.load_model(tmp_path / "net.keras")


@pytest.mark.parametrize("keep", [0, 100, 0.5])
def test_damaged_keras_files(functional, tmp_path, keep):
    path = tmp_path / "net.keras"
    functional.save(path)
    data = path.read_bytes()
    path.write_bytes(data[: keep if isinstance(keep, int) else int(keep * len(data))])
    with pytest.raises(ValueError, match=r"net\.keras could not be loaded by Keras"):
        lx.load_model(path)


def test_files_of_other_kinds(tmp_path, functional):
    with pytest.raises(ValueError, match=r"there is no file .*nowhere\.keras"):
        lx.load_model(tmp_path / "nowhere.keras")
    with pytest.raises(ValueError, match=r"is no SavedModel: give the folder that has saved_model\.pb"):
        lx.load_model(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras says that the form is old
        functional.save(tmp_path / "net.h5")
    with pytest.raises(ValueError, match=r"net\.h5 is in the old HDF5 form, which can hold code"):
        lx.load_model(tmp_path / "net.h5")


# SavedModels are programs.


def saved(path, module, **signatures):
    tf.saved_model.save(module, str(path), signatures=signatures or None)
    return path


IMAGES = tf.TensorSpec((None, SIDE, SIDE, 3), tf.float32)


def test_a_saved_model_that_reads_files_when_loaded(tmp_path):
    """A table that initializes itself is a program that runs on loading."""
    module = tf.Module()
    (tmp_path / "words").write_text("a\n")
    module.table = tf.lookup.StaticVocabularyTable(
        tf.lookup.TextFileInitializer(
            str(tmp_path / "words"),
            tf.string,
            tf.lookup.TextFileIndex.WHOLE_LINE,
            tf.int64,
            tf.lookup.TextFileIndex.LINE_NUMBER,
        ),
        1,
    )

    @tf.function(input_signature=[IMAGES])
    def classify(x):
        return {"y": tf.reduce_mean(x, [1, 2]) + tf.cast(module.table.size(), tf.float32)}

    with pytest.raises(ValueError, match="tables, files or functions that run when it is loaded"):
        lx.load_model(saved(tmp_path / "net", module, serving_default=classify))


def test_a_saved_model_that_writes_files_when_called(tmp_path):
    @tf.function(input_signature=[IMAGES])
    def classify(x):
        with tf.control_dependencies([tf.io.write_file(str(tmp_path / "written"), "x")]):
            return {"y": tf.nn.softmax(tf.reduce_mean(x, [1, 2]))}

    with pytest.raises(ValueError, match=r"operations no frozen image classifier needs .*WriteFile"):
        lx.load_model(saved(tmp_path / "net", tf.Module(), serving_default=classify))
    assert not (tmp_path / "written").exists()


def test_saved_models_that_are_no_classifiers(tmp_path):
    @tf.function(input_signature=[IMAGES])
    def two(x):
        return {"a": tf.reduce_mean(x, [1, 2]), "b": x}

    @tf.function(input_signature=[tf.TensorSpec((None, SIDE, SIDE, 3), tf.uint8)])
    def integers(x):
        return {"y": tf.reduce_mean(tf.cast(x, tf.float32), [1, 2])}

    with pytest.raises(ValueError, match=r"1 inputs \(x\) and 2 outputs \(a, b\); expected one of each"):
        lx.load_model(saved(tmp_path / "two", tf.Module(), serving_default=two))
    with pytest.raises(ValueError, match="takes uint8; expected float32"):
        lx.load_model(saved(tmp_path / "integers", tf.Module(), serving_default=integers))
    with pytest.raises(ValueError, match="has no signature 'serving_default'"):
        lx.load_model(saved(tmp_path / "none", tf.Module()))


def test_damaged_saved_models(tmp_path):
    networks.sequential().export(tmp_path / "net", verbose=False)
    file = tmp_path / "net" / "saved_model.pb"
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])
    with pytest.raises(ValueError, match="is damaged or truncated"):
        lx.load_model(tmp_path / "net")
    file.write_bytes(data)
    (weights,) = (tmp_path / "net" / "variables").glob("*.data*")
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(ValueError, match="net could not be loaded"):
        lx.load_model(tmp_path / "net")


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
