"""What is no image classifier, or would run code of its own, is refused in one sentence."""

import os
import warnings

import keras
import pytest
import tensorflow as tf
from keras import layers
from tensorflow.core.protobuf import saved_model_pb2

import lucid_ext as lx
from tests.models import networks
from tests.models.networks import SIDE

# Keras makes arrays of variables in a way that NumPy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def functional():
    return networks.functional()


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
    with pytest.raises(ValueError, match="are for Keras models; mini brings its own"):
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


def doubled(call, times):
    """A function that calls another twice, which calls another twice, ..."""
    for _ in range(times):
        call = tf.function(lambda x, f=call: f(f(x)), input_signature=[tf.TensorSpec((None, 3), tf.float32)])
    return call


def test_a_saved_model_whose_functions_call_each_other_ever_more_often(tmp_path):
    again = doubled(lambda x: x + 1.0, 12)

    @tf.function(input_signature=[IMAGES])
    def classify(x):
        return {"y": tf.nn.softmax(again(tf.reduce_mean(x, [1, 2])))}

    with pytest.raises(
        ValueError, match=r"net calls functions 4,09\d times, .* expected at most 3,000 times"
    ):
        lx.load_model(saved(tmp_path / "net", tf.Module(), serving_default=classify))


def test_a_saved_model_of_constants_that_would_take_too_much(tmp_path):
    """TensorFlow would compute them on loading, since a shape depends on them."""

    @tf.function(input_signature=[IMAGES])
    def classify(x):
        ones = tf.reduce_sum(tf.fill([77], 1))
        return {"y": tf.nn.softmax(tf.reshape(tf.reduce_mean(x, [1, 2]), tf.stack([-1, ones - 74])))}

    path = saved(tmp_path / "net", tf.Module(), serving_default=classify) / "saved_model.pb"
    proto = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    for function in proto.meta_graphs[0].graph_def.library.function:
        for node in function.node_def:
            node.attr.pop("_output_shapes", None)
            value = node.attr["value"].tensor if node.op == "Const" else None
            if value is not None and value.dtype == tf.int32 and tf.make_ndarray(value).tolist() == [77]:
                value.CopyFrom(tf.make_tensor_proto([2 * 10**9]))
    path.write_bytes(proto.SerializeToString())
    with pytest.raises(ValueError, match=r"net: its node 'Fill' \(Fill\) would make a tensor of 8\.0 GB"):
        lx.load_model(path.parent)


def test_a_saved_model_with_a_pipe_in_it(tmp_path):
    networks.sequential().export(tmp_path / "net", verbose=False)
    index = tmp_path / "net" / "variables" / "variables.index"
    index.unlink()
    os.mkfifo(index)
    with pytest.raises(ValueError, match="net holds what is neither file nor folder"):
        lx.load_model(tmp_path / "net")
