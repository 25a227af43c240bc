"""What a network takes for one image, memory and work, and how much is too much."""

import math
from collections.abc import Sequence
from typing import TypeAlias

import tensorflow as tf

from lucid_ext.models.graph import NodeDef

Tensors: TypeAlias = Sequence[tf.Tensor]

# A U-Net of 1,024 pixels makes tensors of 0.5 GB, 10 GB in all, unrolls its windows to 1.2e9 numbers
# and takes 1.4e12 multiplications.
MAX_TENSOR_BYTES = 2 * 10**9
MAX_TOTAL_BYTES = 64 * 10**9
MAX_UNROLLED = 5 * 10**9
MAX_MULTIPLICATIONS = 10**13

# For shapes, paddings and masks, which TensorFlow computes anew where they are read.
MAX_FOR_SETTINGS = 10**9

# As many multiplications as a product of matrices does while anything else does one step, and as
# many channels as it makes while it reads what one is made of.
PER_STEP = 100
SPARE_CHANNELS = 32

SHAPE_OPS = {"Rank", "Shape", "Size"}
FREE = {"Const", "ExpandDims", "Identity", "NoOp", "Placeholder", "Reshape", "Squeeze", *SHAPE_OPS}
CONVOLUTIONS = {"Conv2D", "DepthwiseConv2dNative"}
PRODUCTS = {"BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Conv2D", "MatMul"}


class Cost:
    """What the nodes counted so far take.

    Attributes:
        images: of how many images.
        total_bytes: what they make.
        multiplications: as many would take as long as they do.
        for_settings: those of them that constants and shapes alone decide.
    """

    def __init__(self, images: int = 1) -> None:
        self.images = images
        self.total_bytes = self.multiplications = self.for_settings = 0

    def add(self, node: NodeDef, inputs: Tensors, outputs: Tensors, *, is_setting: bool) -> None:
        """Count a node in.

        Args:
            node: the node.
            inputs: what it reads, of known shapes.
            outputs: what it makes, of known shapes.
            is_setting: whether constants and shapes alone decide it.

        Raises:
            ValueError: the rest of a sentence: what the node would do that is too much.
        """
        if node.op in FREE:
            return
        size = sum(_elements(tensor) * tensor.dtype.size for tensor in outputs)
        summed = _summed(node, inputs, outputs)
        if node.op in PRODUCTS:
            work = summed * (outputs[0].shape[-1] + SPARE_CHANNELS)
        elif node.op == "Einsum":
            work = summed
        else:
            work = PER_STEP * (summed + sum(map(_elements, (*inputs, *outputs))))
        self.total_bytes += size
        self.multiplications += work
        self.for_settings += work * is_setting
        multiplications = " billion multiplications"
        for amount, limit, sentence, unit in (
            (size, MAX_TENSOR_BYTES, "make a tensor of", " GB"),
            (self.total_bytes, MAX_TOTAL_BYTES, "bring what is made of an image to", " GB"),
            (summed * (node.op in CONVOLUTIONS), MAX_UNROLLED, "unroll its windows to", " billion numbers"),
            (self.multiplications, MAX_MULTIPLICATIONS, "bring the work to", multiplications),
            (self.for_settings, MAX_FOR_SETTINGS, "bring the work on constants to", multiplications),
        ):
            if amount > limit * self.images:
                billions = amount / self.images / 1e9
                raise ValueError(
                    f"would {sentence} {billions:,.1f}{unit}; expected at most {limit / 1e9:,.0f}: "
                    "take a smaller network, or smaller images"
                )


def _elements(tensor: tf.Tensor) -> int:
    return math.prod(tensor.shape)


def _summed(node: NodeDef, inputs: Tensors, outputs: Tensors) -> int:
    """Return how many numbers a node adds up, of all its windows; of a product, for one channel."""
    made = _elements(outputs[0]) if outputs else 0
    if node.op in PRODUCTS:
        is_transposed = any(node.attr[key].b for key in ("transpose_a", "adj_x") if key in node.attr)
        row = inputs[0].shape[-2 if is_transposed else -1]
        window = math.prod(inputs[1].shape[:3]) if node.op == "Conv2D" else row
        return made // max(outputs[0].shape[-1], 1) * window
    if node.op == "DepthwiseConv2dNative":
        return made * math.prod(inputs[1].shape[:2])
    if node.op in ("AvgPool", "MaxPool"):
        return made * math.prod(node.attr["ksize"].list.i)
    if node.op == "MaxPoolV2":
        window = tf.get_static_value(inputs[1])
        return made * math.prod(inputs[0].shape if window is None else window.tolist())
    if node.op == "LRN":
        return made * (2 * node.attr["depth_radius"].i + 1)
    return _einsum(node.attr["equation"].s.decode(), inputs) if node.op == "Einsum" else 0


def _einsum(equation: str, inputs: Tensors) -> int:
    """Return how many products are added up: one per value of all indices."""
    sizes: dict[str, int] = {}
    others = 1
    for term, tensor in zip(equation.partition("->")[0].split(","), inputs, strict=True):
        before, _, after = term.partition("...")
        shape = list(tensor.shape)
        sizes |= dict(zip(before, shape, strict=False)) | dict(zip(after[::-1], shape[::-1], strict=False))
        others = max(others, math.prod(shape[len(before) : len(shape) - len(after)]))
    return others * math.prod(sizes.values())
