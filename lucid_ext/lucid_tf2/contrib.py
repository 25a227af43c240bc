"""What Lucid uses of `tensorflow.contrib`, which TensorFlow 2 no longer has.

`contrib.image.rotate` turns images, for Lucid's `transform.random_rotate`; `contrib.slim` makes the
small networks of its `param.cppn`. Written anew on TensorFlow 2's own operations; only Lucid's
modules see it (see `lucid_tf2`).
"""

import contextlib
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import tensorflow as tf

_conv2d_defaults: dict[str, Any] = {}
"""What `arg_scope` has set for `conv2d`."""


def rotate(images: Any, angles: Any, interpolation: str = "NEAREST", name: str | None = None) -> tf.Tensor:
    """`contrib.image.rotate`: turn images counter-clockwise about their centre, in radians.

    Args:
        images: (n, h, w, c) or (h, w, c).
        angles: one angle, or one per image.
        interpolation: "NEAREST" or "BILINEAR".
        name: ignored, as there is more than one op.
    """
    images = tf.convert_to_tensor(images)
    batch = images if images.shape.rank == 4 else images[None]
    angles = tf.reshape(tf.cast(angles, tf.float32), [-1])
    size = tf.shape(batch)[1:3]
    height, width = tf.unstack(tf.cast(size, tf.float32) - 1.0)
    cos, sin, zero = tf.cos(angles), tf.sin(angles), tf.zeros_like(angles)
    x_offset = (width - (cos * width - sin * height)) / 2.0
    y_offset = (height - (sin * width + cos * height)) / 2.0
    rotated = tf.raw_ops.ImageProjectiveTransformV3(
        images=batch,
        transforms=tf.stack([cos, -sin, x_offset, sin, cos, y_offset, zero, zero], 1),
        output_shape=size,
        fill_value=0.0,
        interpolation=interpolation,
    )
    rotated.set_shape(batch.shape)
    return rotated if images.shape.rank == 4 else rotated[0]


@contextlib.contextmanager
def arg_scope(functions: Sequence[Callable], **defaults: Any) -> Iterator[None]:
    """`contrib.slim.arg_scope`: other defaults for `conv2d` inside the block."""
    if list(functions) != [conv2d]:
        raise NotImplementedError("on TensorFlow 2, Lucid's slim.arg_scope is there for conv2d alone.")
    before = dict(_conv2d_defaults)
    _conv2d_defaults.update(defaults)
    try:
        yield
    finally:
        _conv2d_defaults.clear()
        _conv2d_defaults.update(before)


def conv2d(inputs: tf.Tensor, num_outputs: int, **given: Any) -> tf.Tensor:
    """`contrib.slim.conv2d`: a convolution with weights and biases of its own, stride 1, same size.

    Args:
        inputs: (n, h, w, c), of known c.
        num_outputs: channels of the result.
        given: `kernel_size`, `weights_initializer`, `biases_initializer` and `activation_fn`, here or
            in an `arg_scope`.
    """
    settings = {**_conv2d_defaults, **given}
    get_variable = tf.compat.v1.get_variable
    with tf.compat.v1.variable_scope(None, "Conv"):
        shape = [*settings["kernel_size"], inputs.shape[-1], num_outputs]
        weights = get_variable("weights", shape, initializer=settings["weights_initializer"])
        biases = get_variable("biases", [num_outputs], initializer=settings["biases_initializer"])
    x = tf.nn.conv2d(inputs, weights, 1, "SAME") + biases
    activation = settings["activation_fn"]
    return x if activation is None else activation(x)


def instance_norm(inputs: tf.Tensor, epsilon: float = 1e-6) -> tf.Tensor:
    """`contrib.slim.instance_norm`: each channel of each image to mean 0 and variance 1, then learned."""
    get_variable = tf.compat.v1.get_variable
    with tf.compat.v1.variable_scope(None, "InstanceNorm"):
        beta = get_variable("beta", inputs.shape[-1:], initializer=tf.zeros_initializer())
        gamma = get_variable("gamma", inputs.shape[-1:], initializer=tf.ones_initializer())
    mean, variance = tf.nn.moments(inputs, [1, 2], keepdims=True)
    return tf.nn.batch_normalization(inputs, mean, variance, beta, gamma, epsilon)


image = types.SimpleNamespace(rotate=rotate)
slim = types.SimpleNamespace(arg_scope=arg_scope, conv2d=conv2d, instance_norm=instance_norm)
