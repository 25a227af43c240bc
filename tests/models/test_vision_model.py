import numpy as np
import pytest
import tensorflow as tf

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


def test_image_of_wrong_shape(model):
    with pytest.raises(ValueError, match=r"shape \(4, 4\); expected \(height, width, 3\)"):
        model.predict(np.zeros((4, 4)))
