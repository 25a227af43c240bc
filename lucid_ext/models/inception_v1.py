"""InceptionV1 as it was published, in facts: nodes, shapes, where it lives; and a check against them.

Sources: the graph of Lucid's model zoo, which is also that of TensorFlow's "inception5h" example. What
is known of the files: TensorFlow's build files have the SHA-256 of inception5h.zip, which covers the
graph and the class names in it. Of Lucid's own files no checksum was published: that graph is known by
its nodes and the shapes of its weights only, its class names by their number only.
"""

import dataclasses
import math

from lucid_ext.models.graph import GraphDef
from lucid_ext.models.inception import BLOCKS

NAME = "inception_v1"
SIDE = 224
"""Its own input size, in pixels."""

CLASSES = 1008
NAMED_CLASSES = 1001
"""The number of logits, and of those that have a name; the first is "dummy"."""


@dataclasses.dataclass(frozen=True)
class Source:
    """Somewhere the network can be downloaded.

    Attributes:
        url: of a frozen graph, or of a zip that holds one and its labels.
        sha256: of that file, where it was published.
        labels: addresses of the class names, tried in turn, where the file does not hold them.
    """

    url: str
    sha256: str | None = None
    labels: tuple[str, ...] = ()


STORAGE = "https://storage.googleapis.com"
INCEPTION5H = "d13569f6a98159de37e92e9c8ec4dae8f674fbf475f69fe6199b514f756d4364"
"""The SHA-256 of inception5h.zip, as TensorFlow's own build files of 2017 have it."""

SOURCES = (
    Source(f"{STORAGE}/download.tensorflow.org/models/inception5h.zip", INCEPTION5H),
    Source("http://download.tensorflow.org/models/inception5h.zip", INCEPTION5H),
    Source(
        f"{STORAGE}/modelzoo/vision/other_models/InceptionV1.pb",
        labels=(
            f"{STORAGE}/modelzoo/labels/ImageNet_alternate.txt",
            f"{STORAGE}/modelzoo/vision/labels/ImageNet_alternate.txt",
        ),
    ),
)

GRAPH_IN_ZIP = "tensorflow_inception_graph.pb"
LABELS_IN_ZIP = "imagenet_comp_graph_label_strings.txt"
FILE_NAMES = ("inception5h.zip", f"{NAME}.zip", "InceptionV1.pb", GRAPH_IN_ZIP, f"{NAME}.pb")
"""Under which names the network is looked for in a folder."""

LABEL_NAMES = (LABELS_IN_ZIP, "ImageNet_alternate.txt")
"""Under which names its labels may lie beside it."""

MOST_BYTES = 80_000_000
"""No file of the network is larger, packed or not: the graph has 53,884,595 bytes."""

CONV2D = {"conv2d0": (7, 7, 3, 64), "conv2d1": (1, 1, 64, 64), "conv2d2": (3, 3, 64, 192)}
HEADS = {"0": 508, "1": 528}
"""The auxiliary heads, and the channels of the blocks they sit on, mixed4a and mixed4d."""

LRN = {"depth_radius": 5.0, "bias": 2.0, "alpha": 9.99999974738e-05, "beta": 0.5}
"""Local response normalization: x / (bias + alpha * sum of x^2 over 2 * depth_radius + 1 channels)^beta."""
LRN_DEFAULTS = {"depth_radius": 5.0, "bias": 1.0, "alpha": 1.0, "beta": 0.5}
"""TensorFlow's own."""

FLOAT32 = 1  # TensorFlow's number for the type


def _weights() -> dict[str, tuple[int, ...]]:
    convolutions, channels = dict(CONV2D), 192
    for block, (one, narrow3, three, narrow5, five, pooled) in BLOCKS.items():
        name = f"mixed{block}_"
        convolutions |= {
            f"{name}1x1": (1, 1, channels, one),
            f"{name}3x3_bottleneck": (1, 1, channels, narrow3),
            f"{name}3x3": (3, 3, narrow3, three),
            f"{name}5x5_bottleneck": (1, 1, channels, narrow5),
            f"{name}5x5": (5, 5, narrow5, five),
            f"{name}pool_reduce": (1, 1, channels, pooled),
        }
        channels = one + three + five + pooled
    dense = {"softmax2": (channels, CLASSES)}
    for head, below in HEADS.items():
        convolutions[f"head{head}_bottleneck"] = (1, 1, below, 128)
        dense |= {f"nn{head}": (2048, 1024), f"softmax{head}": (1024, CLASSES)}
    shapes: dict[str, tuple[int, ...]] = {}
    for name, shape in (convolutions | dense).items():
        shapes |= {f"{name}_w": shape, f"{name}_b": shape[-1:]}
    return shapes


WEIGHTS = _weights()
"""{constant: shape}, 128 of them: convolutions HWIO, dense [in, out]."""

LAYERS = {
    "conv2d0": (112, 112, 64),
    "conv2d1": (56, 56, 64),
    "conv2d2": (56, 56, 192),
    "mixed3a": (28, 28, 256),
    "mixed3b": (28, 28, 480),
    "mixed4a": (14, 14, 508),
    "mixed4b": (14, 14, 512),
    "mixed4c": (14, 14, 512),
    "mixed4d": (14, 14, 528),
    "mixed4e": (14, 14, 832),
    "mixed5a": (7, 7, 832),
    "mixed5b": (7, 7, 1024),
    "softmax2_pre_activation": (CLASSES,),
}
"""{layer: shape} from the image to the logits, as the network lists them at its own size."""

_CONVOLUTIONS = [
    name.removesuffix("_w")
    for name, shape in WEIGHTS.items()
    if len(shape) == 4 and not name.startswith("head")
]
OPS = {
    "input": "Placeholder",
    **{f"{name}_pre_relu/conv": "Conv2D" for name in _CONVOLUTIONS},
    **dict.fromkeys(_CONVOLUTIONS, "Relu"),
    **{f"mixed{block}": "Concat" for block in BLOCKS},
    **dict.fromkeys(("maxpool0", "maxpool1", "maxpool4", "maxpool10"), "MaxPool"),
    **dict.fromkeys(("localresponsenorm0", "localresponsenorm1"), "LRN"),
    "avgpool0": "AvgPool",
    "softmax2_pre_activation": "BiasAdd",
    "softmax2": "Softmax",
}
"""{node: op} on the way from the image to the classes: what makes the graph this network and no other."""


def check(graph_def: GraphDef, name: str) -> None:
    """Refuse a graph that is not InceptionV1: by its nodes, its constants and every weight's shape.

    Args:
        graph_def: a graph as `read` returns it.
        name: what to call it in an error.

    Raises:
        ValueError: one sentence with the first difference found; nothing of the graph has run.
    """
    nodes = {node.name: node for node in graph_def.node}
    wanted = (*OPS, *WEIGHTS)
    missing = [node for node in wanted if node not in nodes]
    if missing:
        raise ValueError(
            f"{name} is not InceptionV1: it lacks {len(missing)} of {len(wanted)} nodes, such as "
            f"{missing[0]!r}; expected {GRAPH_IN_ZIP} of inception5h.zip or Lucid's InceptionV1.pb; "
            "a network of another kind needs its card (.json) beside it."
        )
    for node, op in OPS.items():
        # Another writer may have put the dimension of a concatenation last.
        if nodes[node].op.removesuffix("V2") != op:
            raise ValueError(f"{name} is not InceptionV1: {node!r} is a {nodes[node].op}, expected {op}.")
        attr = nodes[node].attr
        for setting, value in LRN.items() if op == "LRN" else ():
            # A file may leave out what is TensorFlow's default.
            kept = attr.get(setting)
            found = LRN_DEFAULTS[setting] if kept is None else kept.f or float(kept.i)
            if not math.isclose(found, value, rel_tol=1e-5):
                raise ValueError(
                    f"{name} is not InceptionV1: {setting} of {node!r} is {found:g}, expected {value:g}."
                )
    for weight, shape in WEIGHTS.items():
        tensor = nodes[weight].attr["value"].tensor
        found_shape = tuple(d.size for d in tensor.tensor_shape.dim)
        if nodes[weight].op != "Const" or found_shape != shape or tensor.dtype != FLOAT32:
            raise ValueError(
                f"{name} is not InceptionV1: {weight!r} is a {nodes[weight].op} of shape {found_shape}, "
                f"expected float32 {shape}."
            )
