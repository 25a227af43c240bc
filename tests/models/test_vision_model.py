import base64
import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import lucid_ext as lx

SPATIAL = {
    "conv2d0": 56,
    **dict.fromkeys(("conv2d1", "conv2d2", "mixed3a", "mixed3b"), 28),
    **dict.fromkeys(("mixed4a", "mixed4b", "mixed4c", "mixed4d", "mixed4e"), 14),
    **dict.fromkeys(("mixed5a", "mixed5b"), 7),
}


def test_layers_are_listed_with_their_shapes(model):
    assert list(model.layers) == [*SPATIAL, "softmax2_pre_activation"]
    for name, side in SPATIAL.items():
        assert model.layers[name][:2] == (side, side)
    assert model.layers["mixed4d"] == (14, 14, 264)
    assert model.layers["softmax2_pre_activation"] == (200,)
    assert len(model.labels) == 200
    assert "espresso" in model.labels


def test_listed_shapes_are_those_of_the_activations(model, cat):
    found = model.activations(cat, list(model.layers))
    assert {name: a.shape for name, a in found.items()} == model.layers
    assert all(a.dtype == np.float32 for a in found.values())


@pytest.mark.parametrize("layer", ["conv2d2", "mixed3b", "mixed4d", "mixed5a"])
def test_functions_between_layers_compose_to_the_whole(model, cat, layer):
    whole = model.activations(cat, "softmax2")
    middle = model.activations(cat, layer)
    (rest,) = model.function(layer, ["softmax2"])(tf.constant(middle[None]))
    assert np.abs(rest.numpy()[0] - whole).max() < 1e-6


def test_equals_tensorflows_own_session(model, cat):
    """The same graph, weights inside, run by a version 1 session."""
    x = model.prepare(cat)[None]
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        tf.graph_util.import_graph_def(model.graph_def, name="")
        expected = session.run(["mixed4d:0", "softmax2:0"], {"input:0": 255.0 * x - 117.0})
    for layer, value in zip(("mixed4d", "softmax2"), expected, strict=True):
        found = model.activations(cat, layer)
        assert np.abs(found - value[0]).max() < 1e-5 * np.abs(value).max()


def test_splice_replaces_and_fetches_in_the_same_call(model):
    @tf.function
    def run(x):
        given, later = model.splice({"mixed4a": x}, ["mixed4a", "mixed4b"])
        return given, later

    x = tf.random.stateless_uniform((2, 14, 14, 256), (0, 1))
    given, later = run(x)
    assert np.array_equal(given, x)
    assert later.shape == (2, 14, 14, 256)


def test_predictions_fall_and_sum_to_one(model, cat):
    found = model.predict(cat, top=200)
    values = [p for _, p in found]
    assert values == sorted(values, reverse=True)
    assert np.isclose(sum(values), 1, atol=1e-4)
    assert {label for label, _ in found} == set(model.labels)


def test_the_cup_is_recognized(model):
    assert model.predict(lx.load_image("coffee"), 1)[0][0] == "espresso"
    assert "espresso" in {label for label, _ in model.predict(lx.load_image("cat_coffee"), 5)}


def test_prepare_takes_the_centre_square(model):
    image = np.zeros((60, 180, 3), np.float32)
    image[:, 60:120] = [1.0, 0.5, 0.0]
    seen = model.prepare(image)
    assert seen.shape == (112, 112, 3)
    np.testing.assert_allclose(seen, np.broadcast_to([1.0, 0.5, 0.0], seen.shape), atol=1e-6)


def test_prepare_leaves_an_image_of_the_right_size_alone(model, rng):
    image = rng.random((112, 112, 3)).astype(np.float32)
    assert np.array_equal(model.prepare(image), image)


def test_unknown_layer_names_the_nearest(model, cat):
    with pytest.raises(ValueError, match=r"no layer 'mixed4f'; did you mean .*mixed4"):
        model.activations(cat, "mixed4f")


def test_unknown_channel_names_the_range(model):
    with pytest.raises(ValueError, match="channels 0 to 263; there is no 264"):
        model.check_unit("mixed4d", 264)


def test_a_source_that_other_paths_go_around_is_refused(model):
    with pytest.raises(ValueError, match="mixed4a_1x1 does not decide softmax2 alone"):
        model.function("mixed4a_1x1", ["softmax2"])(np.zeros((1, 14, 14, 96)))


@pytest.fixture
def forms(cat, tmp_path):
    """One picture, of whole levels, in every form a picture may have."""
    levels = np.round(cat * 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(levels).save(file, "png")
    (tmp_path / "cat.png").write_bytes(file.getvalue())
    return {
        "name": "cat_coffee",
        "path": tmp_path / "cat.png",
        "text of a path": str(tmp_path / "cat.png"),
        "bytes": file.getvalue(),
        "data URL": "data:image/png;base64," + base64.b64encode(file.getvalue()).decode(),
        "PIL image": Image.fromarray(levels),
        "upload": ({"name": "cat.png", "content": memoryview(file.getvalue())},),
        "levels": levels,
        "whole numbers": levels.astype(np.int64),
        "opaque": np.dstack([levels, np.full(levels.shape[:2], 255, np.uint8)]),
        "doubles": levels / 255,
        "list": (levels / 255).tolist(),
    }


def test_whatever_load_image_takes_is_taken_everywhere(model, cat, forms):
    """As numbers of 0 to 255 once were another picture, and names no picture at all."""
    seen = model.prepare(cat)
    for form, image in forms.items():
        np.testing.assert_allclose(model.prepare(image), seen, atol=1e-6, err_msg=form)
        assert model.crop(image).shape == model.crop(cat).shape
    probabilities = dict(model.predict(cat, 5))
    for form in ("name", "path", "levels", "doubles", "upload"):
        assert dict(model.predict(forms[form], 5)) == pytest.approx(probabilities, abs=1e-4), form
    acts = model.activations(cat, "mixed5a")
    np.testing.assert_allclose(model.activations(forms["levels"], "mixed5a"), acts, atol=1e-3)
    expected = lx.attribute(model, cat, "mixed5a", "espresso").values
    for form in ("name", "levels"):
        found = lx.attribute(model, forms[form], "mixed5a", "espresso").values
        np.testing.assert_allclose(found, expected, atol=1e-3 * np.abs(expected).max())
    twin = lx.adversarial(model, forms["path"], None, 1 / 255, "fgsm")
    assert np.abs(twin - seen).max() < 1.01 / 255


def test_what_load_image_refuses_is_refused_everywhere(model, cat):
    for image, what in (
        (cat * 255, "the array holds values from .*; expected 0 to 1: divide it by 255"),
        (cat - 1, "the array holds values from -1"),
        (np.where(cat > 0.5, np.nan, cat), "NaN or infinity"),
        (cat[None], r"shape \(1, 448, 448, 3\).*take one picture of the batch"),
        (np.zeros((4, 4)), "is 4 x 4 pixels"),
        (None, "NoneType is no picture"),
        ("dog.png", "'dog.png' is neither a sample nor a file"),
        ((), "nothing is uploaded yet"),
    ):
        for ask in (
            model.predict,
            model.prepare,
            model.crop,
            lambda image: model.activations(image, "mixed4d"),
            lambda image: lx.adversarial(model, image, None, 0.01),
            lambda image: lx.attribute(model, image, "mixed4d", "espresso"),
        ):
            with pytest.raises(ValueError, match=what):
                ask(image)


@pytest.mark.parametrize("size", [(112, 112), (2000, 1500), (20, 30), (8, 8)])
def test_what_is_a_picture_already_is_not_copied(model, size, rng):
    """So that adversarial and other images of the network's size pass through unchanged."""
    image = rng.random((*size, 3), np.float32)
    assert np.shares_memory(model.crop(image), image)
    if size == model.size:
        assert model.prepare(image).tobytes() == image.tobytes()
