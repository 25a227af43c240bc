"""InceptionV1 with random weights: the names, ops, shapes and size of the published graph.

`python -m tests.models.full_size graph.pb` writes one, to try things out on without a download.
"""

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

from lucid_ext.models.inception import BLOCKS, POOLED_BEFORE
from lucid_ext.models.inception_v1 import HEADS, LRN, WEIGHTS


def random_weights(seed: int = 0) -> dict[str, np.ndarray]:
    """Weights that keep activations at about the size of one from layer to layer (He et al., 2015)."""
    rng = np.random.default_rng(seed)
    weights = {}
    for name, shape in WEIGHTS.items():
        if len(shape) == 1:
            weights[name] = 0.1 * rng.standard_normal(shape, np.float32)
            continue
        scale = np.float32(np.sqrt(2 / np.prod(shape[:-1])))
        if name == "conv2d0_w":
            scale /= 40  # of pixels in -117..138
        elif name[:5] in ("conv2", "mixed"):
            scale *= 0.85  # max-pooling raises the mean
        weights[name] = scale * rng.standard_normal(shape, np.float32)
    return weights


def full_size_graph(weights: dict[str, np.ndarray]) -> tf.compat.v1.GraphDef:
    """Write weights as the published graph is written, both auxiliary heads included."""
    nn, v1 = tf.nn, tf.compat.v1
    with tf.Graph().as_default() as graph:

        def weight(name: str) -> tf.Tensor:
            return tf.constant(weights[name], name=name)

        def conv(x: tf.Tensor, name: str, stride: int = 1) -> tf.Tensor:
            x = nn.conv2d(x, weight(f"{name}_w"), stride, "SAME", name=f"{name}_pre_relu/conv")
            return nn.relu(nn.bias_add(x, weight(f"{name}_b"), name=f"{name}_pre_relu"), name=name)

        def dense(x: tf.Tensor, name: str, out: str) -> tf.Tensor:
            x = tf.matmul(x, weight(f"{name}_w"), name=f"{out}/matmul")
            return nn.bias_add(x, weight(f"{name}_b"), name=out)

        def pool(x: tf.Tensor, name: str, stride: int) -> tf.Tensor:
            return nn.max_pool2d(x, 3, stride, "SAME", name=name)

        def normalize(x: tf.Tensor, name: str) -> tf.Tensor:
            settings = {**LRN, "depth_radius": int(LRN["depth_radius"])}
            return nn.local_response_normalization(x, **settings, name=name)

        def flat(x: tf.Tensor, name: str, size: int) -> tf.Tensor:
            return tf.reshape(
                x, tf.constant([-1, size], name=f"{name}/reshape/shape"), name=f"{name}/reshape"
            )

        def classify(x: tf.Tensor, number: str, output: str) -> None:
            logits = dense(x, f"softmax{number}", f"softmax{number}_pre_activation")
            tf.identity(nn.softmax(logits, name=f"softmax{number}"), name=output)

        def mixed(x: tf.Tensor, name: str) -> tf.Tensor:
            towers = [
                conv(x, f"{name}_1x1"),
                conv(conv(x, f"{name}_3x3_bottleneck"), f"{name}_3x3"),
                conv(conv(x, f"{name}_5x5_bottleneck"), f"{name}_5x5"),
                conv(pool(x, f"{name}_pool", 1), f"{name}_pool_reduce"),
            ]
            axis = tf.constant(3, name=f"{name}/concat_dim")
            return tf.raw_ops.Concat(concat_dim=axis, values=towers, name=name)

        x = v1.placeholder(tf.float32, name="input")
        x.set_shape((None, None, None, 3))
        x = pool(conv(x, "conv2d0", 2), "maxpool0", 2)
        x = conv(conv(normalize(x, "localresponsenorm0"), "conv2d1"), "conv2d2")
        x = pool(normalize(x, "localresponsenorm1"), "maxpool1", 2)
        blocks = {}
        for block in BLOCKS:
            if block in POOLED_BEFORE:
                x = pool(x, POOLED_BEFORE[block], 2)
            x = blocks[block] = mixed(x, f"mixed{block}")
        x = nn.avg_pool2d(x, 7, 1, "VALID", name="avgpool0")
        classify(flat(x, "avgpool0", 1024), "2", "output2")
        # The heads come last here: the network's own softmax is not the last in the file.
        for number, block in zip(HEADS, ("4a", "4d"), strict=True):
            x = nn.avg_pool2d(blocks[block], 5, 3, "VALID", name=f"head{number}_pool")
            x = flat(conv(x, f"head{number}_bottleneck"), f"nn{number}", 2048)
            x = nn.relu(dense(x, f"nn{number}", f"nn{number}_pre_relu"), name=f"nn{number}")
            classify(x, number, f"output{number}" if number != "0" else "output")
        graph_def = graph.as_graph_def()
    for node in graph_def.node:
        for younger in {"dilations", "explicit_paddings"} & set(node.attr):
            del node.attr[younger]  # the published file is older than these
    return graph_def


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(full_size_graph(random_weights()).SerializeToString())
