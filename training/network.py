"""The embedded network as it is trained: InceptionV1 at half width, batch norm after each convolution."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from lucid_ext.models.inception import BLOCKS, POOLED_BEFORE

EPSILON = 1e-3


def half(width: int) -> int:
    """Half of InceptionV1's width, rounded to a multiple of 4, at least 8."""
    return max(8, 4 * round(width / 8))


def build(classes: int, dtype: str) -> tf.keras.Model:
    """The network on (n, side, side, 3) pictures in -117..138, giving `classes` logits."""
    layers = tf.keras.layers

    def conv(x: Any, name: str, width: int, size: int, stride: int = 1, policy: str = dtype) -> Any:
        x = layers.Conv2D(width, size, stride, padding="same", use_bias=False, dtype=policy, name=name)(x)
        x = layers.BatchNormalization(epsilon=EPSILON, momentum=0.98, dtype=dtype, name=f"{name}_bn")(x)
        return layers.ReLU(dtype=dtype)(x)

    def pool(x: Any, stride: int) -> Any:
        return layers.MaxPool2D(3, stride, padding="same", dtype=dtype)(x)

    pixels = layers.Input((None, None, 3))
    # The first convolution stays float32: pixels have more levels than bfloat16 has digits.
    x = pool(conv(pixels, "conv2d0", half(64), 7, 2, policy="float32"), 2)
    x = conv(conv(x, "conv2d1", half(64), 1), "conv2d2", half(192), 3)
    for block, widths in BLOCKS.items():
        one, three_in, three, five_in, five, pooled = map(half, widths)
        name = f"mixed{block}"
        if block in POOLED_BEFORE:
            x = pool(x, 2)
        x = layers.Concatenate(dtype=dtype)(
            [
                conv(x, f"{name}_1x1", one, 1),
                conv(conv(x, f"{name}_3x3_bottleneck", three_in, 1), f"{name}_3x3", three, 3),
                conv(conv(x, f"{name}_5x5_bottleneck", five_in, 1), f"{name}_5x5", five, 5),
                conv(pool(x, 1), f"{name}_pool_reduce", pooled, 1),
            ]
        )
    x = layers.GlobalAveragePooling2D(dtype="float32")(x)
    x = layers.Dropout(0.2, dtype="float32")(x)
    return tf.keras.Model(pixels, layers.Dense(classes, dtype="float32", name="softmax2")(x))


def convolutions(model: tf.keras.Model) -> list[str]:
    """Names of the convolutions, in order."""
    return [layer.name for layer in model.layers if isinstance(layer, tf.keras.layers.Conv2D)]


def fold(model: tf.keras.Model) -> dict[str, np.ndarray]:
    """Batch norm folded into weights and biases: {name_w, name_b} in float16, HWIO and [in, out]."""
    arrays = {}
    for name in convolutions(model):
        norm = model.get_layer(f"{name}_bn")
        gamma, beta, mean, var = (
            np.asarray(v, np.float64) for v in (norm.gamma, norm.beta, norm.moving_mean, norm.moving_variance)
        )
        scale = gamma / np.sqrt(var + EPSILON)
        arrays[f"{name}_w"] = np.asarray(model.get_layer(name).kernel, np.float64) * scale
        arrays[f"{name}_b"] = beta - mean * scale
    dense = model.get_layer("softmax2")
    arrays["softmax2_w"], arrays["softmax2_b"] = np.asarray(dense.kernel), np.asarray(dense.bias)
    return {name: a.astype(np.float16) for name, a in arrays.items()}


def pre_norm_outputs(model: tf.keras.Model) -> tf.keras.Model:
    """The same network, giving every convolution's output before its batch norm."""
    return tf.keras.Model(model.input, [model.get_layer(n).output for n in convolutions(model)])


def unfold(model: tf.keras.Model, arrays: Mapping[str, np.ndarray], images: np.ndarray) -> None:
    """Put folded weights back under batch norm without changing the function.

    With mean m and variance v of a convolution's output over `images` (uint8, n x 64 x 64 x 3),
    gamma = sqrt(v) and beta = m + bias make batch norm the addition of the bias.
    """
    names = convolutions(model)
    for name in names:
        norm = model.get_layer(f"{name}_bn")
        model.get_layer(name).kernel.assign(arrays[f"{name}_w"].astype(np.float32))
        norm.moving_variance.assign(tf.ones_like(norm.moving_variance))
        norm.moving_mean.assign(tf.zeros_like(norm.moving_mean))
        norm.gamma.assign(tf.ones_like(norm.gamma) * np.sqrt(1 + EPSILON))
        norm.beta.assign(arrays[f"{name}_b"].astype(np.float32))
    dense = model.get_layer("softmax2")
    dense.kernel.assign(arrays["softmax2_w"].astype(np.float32))
    dense.bias.assign(arrays["softmax2_b"].astype(np.float32))
    outputs = pre_norm_outputs(model)(images.astype(np.float32) - 117.0, training=False)
    for name, out in zip(names, outputs, strict=True):
        norm = model.get_layer(f"{name}_bn")
        mean, var = tf.nn.moments(tf.cast(out, tf.float32), [0, 1, 2])
        norm.beta.assign_add(mean)
        norm.moving_mean.assign(mean)
        norm.moving_variance.assign(var)
        norm.gamma.assign(tf.sqrt(var + EPSILON))


def calibrate(model: tf.keras.Model, images: np.ndarray, side: int) -> None:
    """Set batch norm's statistics to those of whole `images` at `side`, for averaged weights."""
    norms = [model.get_layer(f"{n}_bn") for n in convolutions(model)]
    kept = [n.momentum for n in norms]
    for done, start in enumerate(range(0, len(images) - 99, 100)):
        for norm in norms:
            norm.momentum = done / (done + 1)
        x = tf.image.resize(tf.cast(images[start : start + 100], tf.float32), [side, side])
        model(x - 117.0, training=True)
    for norm, momentum in zip(norms, kept, strict=True):
        norm.momentum = momentum
