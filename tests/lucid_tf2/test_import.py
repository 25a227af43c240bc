"""The real Lucid package imports on TensorFlow 2, and nobody else notices."""

import importlib
import pkgutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from lucid_ext import lucid_tf2
from lucid_ext.lucid_tf2 import contrib as lucid_contrib

# What needs more than TensorFlow: a running notebook, OpenGL, or packages Lucid does not ask for.
ELSEWHERE = ("lucid.scratch", "lucid.misc.gl.glcontext", "lucid.misc.gl.glrenderer", "lucid.modelzoo.wordnet")


def test_every_module_imports_and_nothing_else_notices():
    import lucid

    before = sys.modules["tensorflow"]
    names = [m.name for m in pkgutil.walk_packages(lucid.__path__, "lucid.") if m.name not in ELSEWHERE]
    names = [name for name in names if not name.startswith(ELSEWHERE[0])]
    modules = [importlib.import_module(name) for name in names]
    users = [module.tf for module in modules if hasattr(module, "tf")]
    assert len(users) > 15
    assert all(tensorflow is lucid_tf2.VIEW for tensorflow in users)
    assert sys.modules["tensorflow"] is before is tf
    assert tf.executing_eagerly()
    assert not any(hasattr(tf, name) for name in ("placeholder", "contrib", "gfile"))


def test_a_second_install_changes_nothing():
    before = list(sys.meta_path)
    lucid_tf2.install()
    assert sys.meta_path == before


def python(code: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_what_of_lucid_was_imported_before_gets_the_view_too():
    code = """
import lucid.misc.gradient_override, lucid.optvis.objectives as objectives
import tensorflow as tf
assert objectives.tf is tf
import lucid_ext
assert objectives.tf is not tf and tf.executing_eagerly()
from lucid.optvis import param
with tf.Graph().as_default(), tf.compat.v1.Session():
    print(objectives.L1()(lambda name: tf.ones([1, 2, 3, 3])).eval())
"""
    done = python(code)
    assert done.stdout == "18.0\n", done.stderr


def test_of_lucids_tutorial_one_import_changes():
    code = """
import lucid_ext.optvis as render
import lucid.modelzoo.vision_models as models
from lucid.misc.io import show
import lucid.optvis.objectives as objectives
import lucid.optvis.param as param
import lucid.optvis.transform as transform
import lucid_ext as lx

model = lx.to_lucid(lx.load_model("mini"))
model.load_graphdef()
obj = objectives.channel("mixed3a_pre_relu", 7) - objectives.channel("mixed3a_pre_relu", 8)
param_f = lambda: param.image(48, batch=2)
images = render.render_vis(model, obj, param_f, transforms=transform.standard_transforms, thresholds=(2, 5))
print([image.shape for image in images])
"""
    done = python(code)
    assert done.stdout.endswith("[(2, 48, 48, 3), (2, 48, 48, 3)]\n"), done.stderr


def test_no_advice_on_lines_that_are_not_the_users():
    """TensorFlow tells whoever calls version 1 functions to rewrite the line; the line is Lucid's."""
    code = """
import lucid_ext
import tensorflow as tf
from lucid.optvis import param
with tf.Graph().as_default():
    param.lowres_tensor([1, 8, 8, 3], [1, 4, 4, 3])
    print("now")
    tf.compat.v1.to_float([1])
"""
    done = python(code)
    assert done.stdout == "now\n", done.stderr
    assert "resize_bilinear" not in done.stderr
    assert "to_float" in done.stderr


def slow_rotate(image: np.ndarray, angle: float) -> np.ndarray:
    """Counter-clockwise about the centre, nearest pixel, zero outside."""
    height, width, _ = image.shape
    out = np.zeros_like(image)
    cy, cx = (height - 1) / 2, (width - 1) / 2
    for y in range(height):
        for x in range(width):
            dx, dy = x - cx, y - cy
            sx = np.cos(angle) * dx - np.sin(angle) * dy + cx
            sy = np.sin(angle) * dx + np.cos(angle) * dy + cy
            ix, iy = int(np.floor(sx + 0.5)), int(np.floor(sy + 0.5))
            if 0 <= ix < width and 0 <= iy < height:
                out[y, x] = image[iy, ix]
    return out


@pytest.mark.parametrize("degrees", [0, 7, -33, 90])
def test_rotate_is_contribs(rng, degrees):
    image = rng.random((9, 9, 2), dtype=np.float32)
    angle = np.radians(degrees) + 1e-4
    assert np.array_equal(lucid_contrib.rotate(image, angle).numpy(), slow_rotate(image, angle))


def test_rotate_takes_an_angle_per_image(rng):
    images = rng.random((2, 8, 8, 1), dtype=np.float32)
    both = lucid_contrib.rotate(images, [0.3, -0.2]).numpy()
    assert np.array_equal(both[1], lucid_contrib.rotate(images[1], -0.2).numpy())


def test_arg_scope_is_for_what_is_in_it():
    seen = {}
    settings = {"kernel_size": [1, 1], "weights_initializer": tf.ones_initializer()}
    rest = {"biases_initializer": tf.zeros_initializer(), "activation_fn": None}

    def double(x):
        seen["activation"] = True
        return 2.0 * x

    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        x = tf.ones([1, 2, 2, 3])
        with lucid_contrib.arg_scope([lucid_contrib.conv2d], **settings, **rest):
            plain = lucid_contrib.conv2d(x, 5)
            doubled = lucid_contrib.conv2d(x, 5, activation_fn=double)
        session.run(tf.compat.v1.global_variables_initializer())
        plain, doubled = session.run([plain, doubled])
        assert len(tf.compat.v1.global_variables()) == 4
        with pytest.raises(KeyError, match="kernel_size"):
            lucid_contrib.conv2d(x, 5)
    assert seen == {"activation": True}
    assert np.array_equal(plain, np.full((1, 2, 2, 5), 3.0))
    assert np.array_equal(doubled, np.full((1, 2, 2, 5), 6.0))
    with pytest.raises(NotImplementedError, match="conv2d alone"):  # noqa: SIM117
        with lucid_contrib.arg_scope([lucid_contrib.instance_norm]):
            pass


def test_instance_norm_is_per_image_and_channel(rng, run):
    x = rng.normal(3.0, 2.0, (2, 5, 6, 4)).astype(np.float32)
    found = run(lambda: lucid_contrib.instance_norm(tf.constant(x)))
    mean, variance = x.mean((1, 2), keepdims=True), x.var((1, 2), keepdims=True)
    assert np.allclose(found, (x - mean) / np.sqrt(variance + 1e-6), atol=1e-5)
