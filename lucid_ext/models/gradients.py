"""Gradients other than the true one, for the ops of an imported graph.

They act on `gradient_override_map` around `VisionModel.splice` and on `tf.gradients`; a
`tf.GradientTape` ignores them without a word.
"""

import contextlib
from collections.abc import Callable, Iterator

import tensorflow as tf


@tf.RegisterGradient("LucidExtRedirectedRelu")
def redirected_relu(op: tf.Operation, grad: tf.Tensor) -> tf.Tensor:
    """ReLU's gradient, except for images where it is zero everywhere.

    A unit that starts out below zero passes no gradient, and its icon stays grey. For such an image
    the gradient passes wherever it does not push a negative input lower still (Lucid's
    redirected_relu_grad, for as long as it is needed instead of 16 steps). Signs are those of a
    loss to be lowered.
    """
    x = op.inputs[0]
    usual = tf.raw_ops.ReluGrad(gradients=grad, features=op.outputs[0])
    return _where_alive(usual, lambda: tf.where((x < 0.0) & (grad > 0.0), tf.zeros_like(grad), grad))


@tf.RegisterGradient("LucidExtRedirectedRelu6")
def redirected_relu6(op: tf.Operation, grad: tf.Tensor) -> tf.Tensor:
    """The same for ReLU6, which is flat above 6 too (Lucid's redirected_relu6_grad)."""
    x = op.inputs[0]
    usual = tf.where((x > 0.0) & (x < 6.0), grad, tf.zeros_like(grad))
    outwards = ((x < 0.0) & (grad > 0.0)) | ((x > 6.0) & (grad < 0.0))
    return _where_alive(usual, lambda: tf.where(outwards, tf.zeros_like(grad), grad))


def _where_alive(usual: tf.Tensor, redirected: Callable[[], tf.Tensor]) -> tf.Tensor:
    """The usual gradient for images where it is not zero everywhere, and the other one for the rest."""
    axes = tf.range(1, tf.rank(usual))
    alive = tf.reduce_any(usual != 0.0, axes, keepdims=True)
    # After a few steps every image is alive, and the rest need not be computed.
    return tf.cond(tf.reduce_all(alive), lambda: usual, lambda: tf.where(alive, usual, redirected()))


# One forward pass, many backward passes: gradients with more rows than what they are gradients of. Row
# after row, they belong to the same numbers of the forward pass, which TensorFlow's own do not allow for.


def _rows_of(grad: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    """The shape of `like`, with the rows of `grad`."""
    return tf.concat([tf.shape(grad)[:1], tf.shape(like)[1:]], 0)


def _repeated(x: tf.Tensor, grad: tf.Tensor) -> tf.Tensor:
    """Numbers of the forward pass, as often as there are rows of gradients."""
    return tf.repeat(x, tf.shape(grad)[0] // tf.shape(x)[0], 0)


@tf.RegisterGradient("LucidExtManyConv2D")
def many_conv2d(op: tf.Operation, grad: tf.Tensor) -> list[tf.Tensor | None]:
    """The gradient of a convolution's input; weights get none."""
    attributes = {key: op.get_attr(key) for key in ("strides", "padding", "data_format", "dilations")}
    if attributes["padding"] == b"EXPLICIT":
        attributes["explicit_paddings"] = op.get_attr("explicit_paddings")
    x, weights = op.inputs
    sizes = _rows_of(grad, x)
    backward = tf.raw_ops.Conv2DBackpropInput(
        input_sizes=sizes, filter=weights, out_backprop=grad, **attributes
    )
    return [backward, None]


@tf.RegisterGradient("LucidExtManyRelu")
def many_relu(op: tf.Operation, grad: tf.Tensor) -> tf.Tensor:
    """ReLU's own gradient."""
    return grad * tf.cast(op.outputs[0] > 0, grad.dtype)


@tf.RegisterGradient("LucidExtManyConcat")
def many_concat(op: tf.Operation, grad: tf.Tensor) -> list[tf.Tensor | None]:
    """The gradient of a concatenation of channels: its parts."""
    axis_first = op.type == "Concat"
    values = op.inputs[1:] if axis_first else op.inputs[:-1]
    axis = tf.get_static_value(op.inputs[0] if axis_first else op.inputs[-1])
    if axis % grad.shape.rank == 0:
        raise ValueError(f"concatenation {op.name!r} joins rows.")
    parts = tf.split(grad, [value.shape[axis] for value in values], axis)
    return [None, *parts] if axis_first else [*parts, None]


@tf.RegisterGradient("LucidExtManyMean")
def many_mean(op: tf.Operation, grad: tf.Tensor) -> list[tf.Tensor | None]:
    """The gradient of a mean over positions."""
    x, axes = op.inputs
    kept = tf.reduce_mean(x, axes, keepdims=True)
    count = tf.cast(tf.size(x) // tf.size(kept), grad.dtype)
    whole = tf.broadcast_to(tf.reshape(grad, _rows_of(grad, kept)), _rows_of(grad, x))
    return [whole / count, None]


@tf.RegisterGradient("LucidExtManyMaxPool")
def many_max_pool(op: tf.Operation, grad: tf.Tensor) -> tf.Tensor:
    """Max-pooling's own gradient.

    TensorFlow's looks for the largest input of every window anew in each pass; here that is found
    once, and each pass only adds up. The numbers are the same.
    """
    (x,) = op.inputs
    window = {key: op.get_attr(key) for key in ("ksize", "strides", "padding")}
    if op.get_attr("data_format") != b"NHWC" or window["padding"] == b"EXPLICIT":
        raise ValueError(f"max-pooling {op.name!r} is not in NHWC with padding SAME or VALID.")
    _, largest = tf.raw_ops.MaxPoolWithArgmax(input=x, **window)
    return tf.raw_ops.MaxPoolGradWithArgmax(
        input=_repeated(x, grad), grad=grad, argmax=_repeated(largest, grad), **window
    )


@tf.RegisterGradient("LucidExtSmoothMaxPool")
def smooth_max_pool(op: tf.Operation, grad: tf.Tensor) -> tf.Tensor:
    """The gradient of avg_pool(x^2) / (1e-2 + avg_pool(|x|)) in place of max-pooling's.

    Max-pooling hands all of the gradient to the largest input of a window, by however little it
    won. This shares it out (Olah et al., The Building Blocks of Interpretability, 2018). There may be
    more rows of gradients than of inputs, as above.
    """
    (x,) = op.inputs
    window = {key: op.get_attr(key) for key in ("ksize", "strides", "padding", "data_format")}

    def spread(above: tf.Tensor) -> tf.Tensor:
        return tf.raw_ops.AvgPoolGrad(orig_input_shape=_rows_of(above, x), grad=above, **window)

    squares = tf.raw_ops.AvgPool(value=x**2, **window)
    sizes = 1e-2 + tf.raw_ops.AvgPool(value=tf.abs(x), **window)
    return 2 * x * spread(grad / sizes) - tf.sign(x) * spread(grad * squares / sizes**2)


REDIRECTED_RELU = {"Relu": "LucidExtRedirectedRelu", "Relu6": "LucidExtRedirectedRelu6"}
MANY_PASSES = {
    "Conv2D": "LucidExtManyConv2D",
    "Relu": "LucidExtManyRelu",
    "Concat": "LucidExtManyConcat",
    "ConcatV2": "LucidExtManyConcat",
    "Mean": "LucidExtManyMean",
    "MaxPool": "LucidExtManyMaxPool",
}
MANY_PASSES_ALREADY = {"BiasAdd", "Const", "Identity", "MatMul", "Softmax"}
"""Ops whose own gradients do with more rows than there were in the forward pass."""

SMOOTH_MAX_POOL = {"MaxPool": "LucidExtSmoothMaxPool"}


@contextlib.contextmanager
def gradient_overrides(overrides: dict[str, str]) -> Iterator[None]:
    """{op type: registered gradient} for what is imported inside, in the function being traced."""
    with tf.compat.v1.get_default_graph().gradient_override_map(overrides):
        yield
