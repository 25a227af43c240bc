"""InceptionV1's topology, and how to write a network of that family as a frozen graph."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

BLOCKS = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 204, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 48, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
"""InceptionV1's mixed blocks, in order, with the widths of 1x1, 3x3_bottleneck, 3x3, 5x5_bottleneck,
5x5 and pool_reduce; their channels are 1x1, 3x3, 5x5, pool_reduce, concatenated."""

POOLED_BEFORE = {"4a": "maxpool4", "5a": "maxpool10"}
"""The pooling in front of a block."""

MEAN_PIXEL = 117.0
"""The input node takes 255 * image - 117, RGB."""

OPENING = {
    "layer": "mixed4d",
    "offered": [f"mixed{block}" for block in BLOCKS],
    "series": ["mixed3a", "mixed4a", "mixed4d", "mixed5a"],
    "flow": ["mixed4a", "mixed4d"],
}
"""What interfaces open with, of InceptionV1 and of `mini`, whose layers have its names: the article's own
layers."""


def frozen_graph(weights: Mapping[str, np.ndarray]) -> tf.compat.v1.GraphDef:
    """Write weights as a frozen graph with InceptionV1's node names and ops.

    Widths are read off the arrays. Each weight is stored in the precision it comes in and cast to
    float32 by the node that carries InceptionV1's name. As in the embedded network, `maxpool1`,
    local response normalization and the auxiliary heads are left out, and `avgpool0` is a mean
    over whatever grid is left, so that any input of at least 48 pixels a side will do.

    Args:
        weights: `{node}_w` and `{node}_b` for `conv2d0..2`, the six convolutions of each mixed
            block and `softmax2`; convolutions HWIO, dense [in, out].

    Returns:
        A GraphDef from `input` (n, h, w, 3) to `softmax2` (n, classes).
    """
    nn, v1 = tf.nn, tf.compat.v1
    with tf.Graph().as_default() as graph:

        def weight(name: str) -> tf.Tensor:
            stored = tf.constant(weights[name], name=f"{name}/stored")
            return tf.cast(stored, tf.float32, name=name)

        def conv(x: tf.Tensor, name: str, stride: int = 1) -> tf.Tensor:
            x = nn.conv2d(x, weight(f"{name}_w"), stride, "SAME", name=f"{name}_pre_relu/conv")
            x = nn.bias_add(x, weight(f"{name}_b"), name=f"{name}_pre_relu")
            return nn.relu(x, name=name)

        def pool(x: tf.Tensor, name: str, stride: int) -> tf.Tensor:
            return nn.max_pool2d(x, 3, stride, "SAME", name=name)

        def mixed(x: tf.Tensor, name: str) -> tf.Tensor:
            towers = [
                conv(x, f"{name}_1x1"),
                conv(conv(x, f"{name}_3x3_bottleneck"), f"{name}_3x3"),
                conv(conv(x, f"{name}_5x5_bottleneck"), f"{name}_5x5"),
                conv(pool(x, f"{name}_pool", 1), f"{name}_pool_reduce"),
            ]
            axis = tf.constant(3, name=f"{name}/concat_dim")
            return tf.raw_ops.Concat(concat_dim=axis, values=towers, name=name)

        x = v1.placeholder(tf.float32, (None, None, None, 3), name="input")
        x = pool(conv(x, "conv2d0", 2), "maxpool0", 2)
        x = conv(conv(x, "conv2d1"), "conv2d2")
        for block in BLOCKS:
            if block in POOLED_BEFORE:
                x = pool(x, POOLED_BEFORE[block], 2)
            x = mixed(x, f"mixed{block}")
        x = tf.reduce_mean(x, [1, 2], name="avgpool0")
        x = tf.matmul(x, weight("softmax2_w"), name="softmax2_pre_activation/matmul")
        x = nn.bias_add(x, weight("softmax2_b"), name="softmax2_pre_activation")
        nn.softmax(x, name="softmax2")
        return graph.as_graph_def()
