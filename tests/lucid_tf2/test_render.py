"""Lucid's own renderer, and the gradients it overrides."""

import numpy as np
import pytest
import tensorflow as tf
from lucid.misc.gradient_override import gradient_override_map
from lucid.misc.redirected_relu_grad import redirected_relu6_grad, redirected_relu_grad
from lucid.optvis import objectives, param, render, transform

LAYER = "mixed3a"


def small():
    return param.image(48)


def driven(model, images, unit=7):
    return model.function("input", [LAYER])(images)[0].numpy()[..., unit].mean()


def test_render_vis_raises_its_objective(model, lucid_model, capsys):
    steps = render.render_vis(
        lucid_model,
        f"{LAYER}:7",
        small,
        thresholds=(1, 24),
        print_objectives=[objectives.channel(LAYER, 8)],
        verbose=True,
    )
    printed = capsys.readouterr().out
    assert len(steps) == 2
    assert steps[0].shape == (1, 48, 48, 3)
    assert driven(model, steps[1]) > 1.2 * driven(model, steps[0])
    assert f"Channel [{LAYER}, 8" in printed
    assert tf.executing_eagerly()


def test_optimizers_and_transforms_are_the_users(lucid_model):
    for optimizer in (
        tf.compat.v1.train.GradientDescentOptimizer(0.1),
        lambda: tf.compat.v1.train.AdamOptimizer(),
    ):
        (images,) = render.render_vis(
            lucid_model,
            f"{LAYER}:7",
            small,
            optimizer,
            [transform.jitter(2)],
            thresholds=(2,),
            verbose=False,
            relu_gradient_override=False,
            use_fixed_seed=True,
        )
        assert np.isfinite(images).all()


def test_make_vis_t_gives_every_tensor(model, lucid_model):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        get = render.make_vis_T(lucid_model, f"{LAYER}:7", small, transforms=[])
        session.run(tf.compat.v1.global_variables_initializer())
        image, layer, loss = session.run([get("input"), get(LAYER), get("loss")])
        assert get("labels") == model.labels
        assert loss == pytest.approx(layer[..., 7].mean(), rel=1e-4)
        before = loss
        for _ in range(10):
            session.run(get("vis_op"))
        assert session.run(get("loss")) > before
    assert np.allclose(layer, model.function("input", [LAYER])(image)[0], rtol=1e-4, atol=1e-4)


def test_a_tensor_is_a_parameterization_too(lucid_model):
    """As for feature inversion: one image fed, the other free."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        fed = tf.compat.v1.placeholder(tf.float32, [48, 48, 3])
        both = tf.concat([fed[None], param.image(48)], 0)
        objective = -1 * objectives.Objective(lambda T: tf.reduce_mean((T(LAYER)[0] - T(LAYER)[1]) ** 2))
        get = render.make_vis_T(lucid_model, objective, both, transforms=[])
        session.run(tf.compat.v1.global_variables_initializer())
        photo = np.random.default_rng(0).random((48, 48, 3), dtype=np.float32)
        losses = [session.run([get("loss"), get("vis_op")], {fed: photo})[0] for _ in range(12)]
    assert losses[-1] > losses[0]


def overridden(operation, override, x, step=0):
    """Gradient of the sum of an operation's result, weighted by -1 and 1 in turn."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        global_step = tf.compat.v1.train.get_or_create_global_step()
        tensor = tf.constant(x)
        with gradient_override_map(override):
            out = operation(tensor)
        weights = np.resize([-1.0, 1.0], out.shape.as_list()).astype(np.float32)
        (gradient,) = tf.gradients(tf.reduce_sum(out * weights), tensor)
        session.run(global_step.initializer)
        session.run(global_step.assign(step))
        return session.run(gradient)


def test_redirected_relu():
    """Of a dead row, whatever would raise it passes, for sixteen steps; a live row is left alone."""
    x = np.array([[-1, -2, -3, -4], [1, -2, 3, 4]], np.float32)
    override = {"Relu": redirected_relu_grad}
    assert overridden(tf.nn.relu, override, x).tolist() == [[-1, 0, -1, 0], [-1, 0, -1, 1]]
    assert overridden(tf.nn.relu, override, x, step=17).tolist() == [[0, 0, 0, 0], [-1, 0, -1, 1]]


def test_redirected_relu6():
    x = np.array([[-1, 7, -3, 8], [7, -2, 3, 4]], np.float32)
    found = overridden(tf.nn.relu6, {"Relu6": redirected_relu6_grad}, x)
    assert found.tolist() == [[-1, 1, -1, 1], [0, 0, -1, 1]]


def smoothed_maxpool(op, grad):
    """The gradient of an average weighted by the values, as the Building Blocks notebooks have it."""
    window = [op.get_attr("ksize"), op.get_attr("strides"), op.get_attr("padding")]
    x = op.inputs[0]
    smooth = tf.nn.avg_pool2d(x**2, *window) / (1e-2 + tf.nn.avg_pool2d(tf.abs(x), *window))
    return tf.gradients(smooth, [x], grad)[0]


def pooled(x):
    return tf.nn.max_pool2d(x, 2, 2, "VALID")


def test_smoothed_maxpool():
    """Every cell of a window gets a share, not its largest alone; the share by central differences."""
    x = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)[None, ..., None]
    found = overridden(pooled, {"MaxPool": smoothed_maxpool}, x)[0, ..., 0]

    def smooth(v):
        return -np.mean(v**2) / (1e-2 + np.mean(np.abs(v)))

    steps = 1e-3 * np.eye(4).reshape(4, 2, 2)
    expected = [(smooth(x[0, ..., 0] + s) - smooth(x[0, ..., 0] - s)) / 2e-3 for s in steps]
    assert np.allclose(found.ravel(), expected, atol=1e-3)


def test_lucids_smoothed_maxpool():
    overrides = pytest.importorskip("lucid.optvis.overrides", reason="Lucid has overrides from 0.3.9 on")
    x = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)[None, ..., None]
    found = overridden(pooled, overrides.pooling_overrides_map, x)
    assert np.allclose(found, -0.25)
    everything = overridden(lambda x: pooled(tf.nn.relu(-x)), overrides.default_overrides_map, x)
    assert np.allclose(everything, 0.25)
