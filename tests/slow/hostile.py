"""Graphs with every operation, one of which is set to what nobody would set it to.

`python -m tests.slow.hostile FIRST COUNT` loads and runs them in a process of its own, and prints
of each what it is, and on a line of its own what came of it.
"""

import resource
import sys

import numpy as np
import tensorflow as tf

import lucid_ext as lx
from lucid_ext.models.graph import GraphDef, read

SIDE = 8
MEMORY = 12 * 10**9
R, F32, I32 = tf.raw_ops, tf.float32, tf.int32

UNARY = {
    "x": "Abs Ceil Erf Erfc Exp Floor Log Neg Reciprocal Rsqrt Sigmoid Sign Sqrt Square Tanh ZerosLike",
    "features": "Elu LeakyRelu Relu Relu6 Selu Softplus",
    "input": "Identity Rank Shape Size StopGradient",
    "logits": "LogSoftmax Softmax",
}
BINARY = "Add AddV2 Div Equal Greater GreaterEqual Less LessEqual Maximum Minimum Mul Pow RealDiv Sub"
REDUCTIONS = "Max Mean Min Prod Sum"
WINDOW = {"strides": [1, 2, 2, 1], "padding": "SAME"}
PADDED = {"strides": [1, 2, 2, 1], "padding": "EXPLICIT", "explicit_paddings": [0, 0, 1, 2, 1, 2, 0, 0]}
PADS = [[0, 0], [1, 1], [1, 1], [0, 0]]


def ones(*shape):
    return tf.constant(np.ones(shape, np.float32))


def normalized(x, **more):
    settings = {name: ones(3) for name in ("scale", "offset", "mean", "variance")}
    return R.FusedBatchNormV3(x=x, **settings, **more)[0]


def whole(x):
    return R.Cast(x=x, DstT=I32)


MAKERS = {
    **{op: lambda x, o=op, a=a: getattr(R, o)(**{a: x}) for a, ops in UNARY.items() for op in ops.split()},
    **{op: lambda x, o=op: getattr(R, o)(x=x, y=ones(1, 8, 1, 3)) for op in BINARY.split()},
    **{op: lambda x, o=op: getattr(R, o)(input=x, axis=[1, 2], keep_dims=True) for op in REDUCTIONS.split()},
    **{
        f"Resize{kind}": lambda x, k=kind: getattr(R, f"Resize{k}")(images=x, size=[5, 6])
        for kind in ("Bicubic", "Bilinear", "NearestNeighbor")
    },
    "AddN": lambda x: R.AddN(inputs=[x, x]),
    "ArgMax": lambda x: R.ArgMax(input=x, dimension=3),
    "AvgPool": lambda x: R.AvgPool(value=x, ksize=[1, 3, 3, 1], **WINDOW),
    "BatchMatMulV2": lambda x: R.BatchMatMulV2(x=x, y=ones(1, 8, 3, 4)),
    "BatchMatMulV3": lambda x: R.BatchMatMulV3(x=x, y=ones(1, 8, 3, 4), Tout=F32),
    "BatchToSpaceND": lambda x: R.BatchToSpaceND(
        input=R.SpaceToBatchND(input=x, block_shape=[2, 2], paddings=[[0, 0]] * 2),
        block_shape=[2, 2],
        crops=[[0, 0]] * 2,
    ),
    "BiasAdd": lambda x: R.BiasAdd(value=x, bias=ones(3)),
    "BroadcastTo": lambda x: x * R.BroadcastTo(input=ones(1, 1, 1, 3), shape=[1, 8, 8, 3]),
    "Cast": whole,
    "ClipByValue": lambda x: R.ClipByValue(t=x, clip_value_min=0.0, clip_value_max=1.0),
    "Concat": lambda x: R.Concat(concat_dim=3, values=[x, x]),
    "ConcatV2": lambda x: R.ConcatV2(values=[x, x], axis=3),
    "Conv2D": lambda x: R.Conv2D(input=x, filter=ones(3, 3, 3, 4), **WINDOW),
    "Conv2D, padded": lambda x: R.Conv2D(input=x, filter=ones(3, 3, 3, 4), **PADDED),
    "DepthToSpace": lambda x: R.DepthToSpace(input=R.Tile(input=x, multiples=[1, 1, 1, 4]), block_size=2),
    "Depthwise": lambda x: R.DepthwiseConv2dNative(input=x, filter=ones(3, 3, 3, 2), **WINDOW),
    "Depthwise, padded": lambda x: R.DepthwiseConv2dNative(input=x, filter=ones(3, 3, 3, 2), **PADDED),
    "Einsum": lambda x: R.Einsum(inputs=[x, ones(3, 4)], equation="abcd,de->abce"),
    "Einsum of one": lambda x: R.Einsum(inputs=[x], equation="a...d->ad..."),
    "ExpandDims": lambda x: R.ExpandDims(input=x, axis=1),
    "Fill": lambda x: x * R.Fill(dims=[1, 8, 8, 1], value=1.0),
    "FusedBatchNormV3": lambda x: normalized(x, is_training=False),
    "FusedBatchNormV3, training": lambda x: normalized(x, is_training=True),
    "GatherV2": lambda x: R.GatherV2(params=x, indices=[0, 1, 2], axis=3),
    "GatherV2 by pixels": lambda x: R.GatherV2(params=ones(10), indices=whole(x), axis=0),
    "IdentityN": lambda x: R.IdentityN(input=[x, 1])[0],
    "Logical": lambda x: R.LogicalAnd(x=R.LogicalNot(x=x > 0), y=R.LogicalOr(x=x < 1, y=x > 2)),
    "LRN": lambda x: R.LRN(input=x, depth_radius=5),
    "MatMul": lambda x: R.MatMul(a=R.Reshape(tensor=x, shape=[-1, 192]), b=ones(192, 4)),
    "MaxPool": lambda x: R.MaxPool(input=x, ksize=[1, 3, 3, 1], **WINDOW),
    "MaxPool, padded": lambda x: R.MaxPool(input=x, ksize=[1, 4, 4, 1], **PADDED),
    "MaxPoolV2": lambda x: R.MaxPoolV2(
        input=x, ksize=tf.constant([1, 3, 3, 1]), strides=tf.constant([1, 2, 2, 1]), padding="SAME"
    ),
    "MirrorPad": lambda x: R.MirrorPad(input=x, paddings=PADS, mode="REFLECT"),
    "OneHot": lambda x: R.OneHot(indices=whole(x), depth=4, on_value=1.0, off_value=0.0),
    "Pack": lambda x: R.Pack(values=[x, x], axis=1),
    "Pad": lambda x: R.Pad(input=x, paddings=PADS),
    "PadV2": lambda x: R.PadV2(input=x, paddings=PADS, constant_values=0.0),
    "Range": lambda x: R.Range(start=0, limit=10, delta=1),
    "Reshape": lambda x: R.Reshape(tensor=x, shape=[-1, 4, 16, 3]),
    "Reshape by shape": lambda x: R.Reshape(tensor=x, shape=R.Pack(values=[tf.shape(x)[0], 192])),
    "ReverseV2": lambda x: R.ReverseV2(tensor=x, axis=[1]),
    "Roll": lambda x: R.Roll(input=x, shift=[1], axis=[1]),
    "Select": lambda x: R.Select(condition=x > 0, x=x, y=x),
    "SelectV2": lambda x: R.SelectV2(condition=x > 0, t=x, e=0.0),
    "Slice": lambda x: R.Slice(input=x, begin=[0, 1, 1, 0], size=[-1, 3, 3, 3]),
    "SpaceToBatchND": lambda x: R.SpaceToBatchND(input=x, block_shape=[2, 2], paddings=[[0, 0]] * 2),
    "SpaceToDepth": lambda x: R.SpaceToDepth(input=x, block_size=2),
    "Split": lambda x: R.Split(axis=3, value=x, num_split=3)[1],
    "SplitV": lambda x: R.SplitV(value=x, size_splits=[1, 2], axis=3, num_split=2)[1],
    "SquaredDifference": lambda x: R.SquaredDifference(x=x, y=ones(1, 8, 1, 3)),
    "Squeeze": lambda x: R.Squeeze(input=R.ExpandDims(input=x, axis=1), axis=[1]),
    "StridedSlice": lambda x: R.StridedSlice(
        input=x, begin=[0, 1, 0, 0], end=[0, 7, 8, 2], strides=[1, 2, 1, 1], begin_mask=1, end_mask=1
    ),
    "Tile": lambda x: R.Tile(input=x, multiples=[1, 2, 2, 1]),
    "Transpose": lambda x: R.Transpose(x=x, perm=[0, 3, 1, 2]),
    "Unpack": lambda x: R.Unpack(value=x, num=8, axis=1)[2],
}

SMALL = [-5, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
WHOLE = [*SMALL, 16, 100, 1000, 4096, 65536, 2**31 - 1, -(2**31), 2**31, 2**32 + 1, 2**62, -(2**63)]
FLOATS = [0.0, -1.0, 0.5, float("nan"), float("inf"), -float("inf"), 1e38, 1e-45, 2.0**31]
TYPES = [F32, tf.float64, I32, tf.int64, tf.uint8, tf.bool, tf.half, tf.complex64, tf.string, tf.resource]
STRINGS = [b"SAME", b"VALID", b"EXPLICIT", b"NHWC", b"NCHW", b"NCHW_VECT_C", b"", b"REFLECT", b"SYMMETRIC"]
EQUATIONS = [
    b"", b"->", b"a", b"...->...", b"abcd->dcba", b"aabb->ab", b"abcd,abcd->", b"abcd,efgh->abcdefgh",
    b"abcd,", b"....", b"abcd,dd->abc", b"aaaa->a",
    b"abcd->" + b"a" * 60, b"ab" * 100, b"\x00->", b"abcd,de->eeee",
]  # fmt: skip


def graph(number: int) -> tuple[GraphDef, str]:
    """The graph of a number, and what was done to it: up to three changes to one or two operations."""
    rng = np.random.default_rng(number)
    names = [list(MAKERS)[number % len(MAKERS)], list(MAKERS)[int(rng.integers(len(MAKERS)))]]
    try:
        graph_def = built(names if rng.integers(2) else names[:1])
    except (TypeError, ValueError):  # the second cannot read what the first makes
        graph_def = built(names[:1])
    changed = [node for node in graph_def.node if node.name.startswith("changed/")]
    whole_numbers = SMALL if rng.integers(4) else WHOLE

    def pick(values):
        return values[int(rng.integers(len(values)))]

    said = [" ".join(names)]
    for _ in range(int(rng.integers(1, 4))):
        node = pick(changed)
        if node.op == "Const":
            change_constant(node, rng, pick, whole_numbers)
        elif node.attr and rng.integers(12):
            change_attribute(node, pick(sorted(node.attr)), rng, pick, whole_numbers)
        elif node.input:
            node.input[int(rng.integers(len(node.input)))] = pick(["input", *(n.name for n in changed)])
        said.append(" ".join(str(node).split()))
    return graph_def, "; ".join(said)


def built(names):
    """A network that sums up what these operations make of an image, one after the other."""
    with tf.Graph().as_default() as made:
        x = y = tf.compat.v1.placeholder(F32, (None, None, None, 3), name="input")
        with tf.name_scope("changed"):
            for name in names:
                y = MAKERS[name](y)
        y = R.Cast(x=tf.identity(y), DstT=F32)
        y = R.Sum(input=y, axis=R.Range(start=0, limit=R.Rank(input=y), delta=1))
        tf.nn.softmax(tf.nn.relu(tf.reduce_mean(x, [1, 2]) + y, name="logits"), name="softmax")
        return made.as_graph_def()


def change_constant(node, rng, pick, whole_numbers):
    value = tf.make_ndarray(node.attr["value"].tensor).copy()
    if not value.size or not rng.integers(3):
        shape = pick([(1, *value.shape), value.shape[1:], (), (0,), (5,), (300,), (2, 2), (2,) * 7])
        value = np.resize(value, shape) if value.size else np.zeros(shape, value.dtype)
    if value.size:
        chosen = pick(FLOATS) if value.dtype.kind == "f" else np.int64(pick(whole_numbers) % 2**63)
        with np.errstate(all="ignore"):
            value.flat[int(rng.integers(value.size))] = np.asarray(chosen).astype(value.dtype)
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value, shape=value.shape))


def change_attribute(node, key, rng, pick, whole_numbers):
    attr = node.attr[key]
    match attr.WhichOneof("value"):
        case "i":
            attr.i = pick(whole_numbers)
        case "b":
            attr.b = not attr.b
        case "f":
            attr.f = pick(FLOATS)
        case "type":
            attr.type = pick(TYPES).as_datatype_enum
        case "s":
            attr.s = pick(EQUATIONS if key == "equation" else STRINGS)
        case "list" if attr.list.i and rng.integers(4):
            attr.list.i[int(rng.integers(len(attr.list.i)))] = pick(whole_numbers)
        case "list":
            attr.list.i.append(pick(whole_numbers))
        case _:
            del node.attr[key]


def outcome(graph_def: GraphDef) -> str:
    """Load a graph, run it on one image and on three, and their gradient."""
    try:
        data = graph_def.SerializeToString()
        model = lx.VisionModel(
            read(data, "hostile"), labels=[], size=(SIDE, SIDE), value_range=(0, 1), name="hostile"
        )
    except ValueError as error:
        return f"refused: {' '.join(str(error).split())}"
    images = tf.constant(np.random.default_rng(0).random((3, SIDE, SIDE, 3), np.float32))
    try:
        model.predict(images[0].numpy())
        function = model.function("input", [model.logits])
        with tf.GradientTape() as tape:
            tape.watch(images)
            (logits,) = function(images)
    except (ValueError, MemoryError) as error:
        return f"run: {' '.join(str(error).split())}"
    try:
        tape.gradient(logits, images)
    except (LookupError, tf.errors.OpError) as error:
        return f"gradient: {type(error).__name__}"
    return "ran"


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    first, count = map(int, sys.argv[1:])
    for number in range(first, first + count):
        hostile, changes = graph(number)
        print(f"{number}: {changes}", flush=True)
        print(f"= {outcome(hostile)}", flush=True)
