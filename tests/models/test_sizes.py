"""What a graph would compute is known, and limited, before anything of it runs."""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import lucid_ext as lx
from lucid_ext.models.graph import in_order, take_weights
from lucid_ext.models.sizes import infer_shapes
from tests import memory
from tests.models import networks
from tests.models.written import SIDE, Graph

F32, I32 = tf.float32, tf.int32


@pytest.mark.parametrize("make", [networks.functional, networks.linear_blocks, networks.sequential])
def test_shapes_are_those_of_what_is_computed(make):
    """Of every node, run by a version 1 session."""
    model = lx.load_model(networks.randomized(make()))
    structure, weights = take_weights(model.graph_def)
    given = {name: tf.TensorSpec(weight.shape, weight.dtype) for name, weight in weights.items()}
    given["input"] = tf.TensorSpec((1, *model.size, 3), F32)
    structure.node.remove(next(node for node in structure.node if node.name == "input"))
    shapes = infer_shapes(in_order(structure, "network"), given, "network")
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        tf.graph_util.import_graph_def(model.graph_def, name="")
        names = [node.name for node in model.graph_def.node]
        values = session.run([f"{n}:0" for n in names], {"input:0": np.zeros((1, *model.size, 3))})
    assert len(shapes) > 20
    assert {name: value.shape for name, value in zip(names, values, strict=True)}.items() >= shapes.items()


def tile(graph, times):
    graph.const("times", [1, times, times, 1])
    return graph.add("Tile", "tiled", "input", "times", T=F32, Tmultiples=I32)


def depthwise(graph, side):
    large = tile(graph, 2)
    graph.const("w", np.ones((side, side, 3, 1)), np.float32)
    return graph.add("DepthwiseConv2dNative", "x", large, "w", T=F32, strides=[1, 1, 1, 1], padding="SAME")


def pool_by_value(graph, side):
    graph.const("ksize", [1, side, side, 1])
    graph.const("strides", [1, 1, 1, 1])
    return graph.add("MaxPoolV2", "x", "input", "ksize", "strides", T=F32, padding="SAME")


def pad(graph, side):
    graph.const("paddings", [[0, 0], [side, side], [side, side], [0, 0]])
    return graph.add("Pad", "x", "input", "paddings", T=F32, Tpaddings=I32)


def fill(graph, side):
    """Nothing of it depends on the image."""
    graph.const("dims", [1, side, side, 1])
    graph.const("one", 1, np.float32)
    graph.add("Fill", "filled", "dims", "one", T=F32, index_type=I32)
    graph.const("all", [1, 2])
    graph.add("Mean", "small", "filled", "all", T=F32, Tidx=I32, keep_dims=True)
    return graph.add("AddV2", "x", "input", "small", T=F32)


def doubled(graph, times):
    """Concatenated with itself; then cut to three channels again."""
    x = "input"
    graph.const("axis", 3)
    for i in range(times):
        x = graph.add("ConcatV2", f"twice{i}", x, x, "axis", T=F32, Tidx=I32, N=2)
    graph.const("begin", [0, 0, 0, 0])
    graph.const("size", [-1, -1, -1, 3])
    return graph.add("Slice", "x", x, "begin", "size", T=F32, Index=I32)


def many(graph, times):
    """One tensor of 1.9 GB after the other."""
    graph.const("times", [1, 800, 800, 1])
    graph.const("all", [1, 2])
    x = "input"
    for i in range(times):
        large = graph.add("Tile", f"large{i}", x, "times", T=F32, Tmultiples=I32)
        small = graph.add("Mean", f"small{i}", large, "all", T=F32, Tidx=I32, keep_dims=True)
        x = graph.add("AddV2", f"sum{i}", "input", small, T=F32)
    return x


def resize(graph, side):
    graph.const("side", [side, side])
    return graph.add("ResizeBilinear", "x", "input", "side", T=F32)


def one_hot(graph, depth):
    graph.add("Cast", "whole", "input", SrcT=F32, DstT=I32)
    graph.const("depth", depth)
    graph.const("on", 1, np.float32)
    graph.const("off", 0, np.float32)
    graph.add("OneHot", "hot", "whole", "depth", "on", "off", T=F32, TI=I32, axis=-1)
    graph.const("last", 4)
    return graph.add("Sum", "x", "hot", "last", T=F32, Tidx=I32)


def masked(graph, count):
    """A sum of whole numbers that constants alone decide."""
    for name, value in (("start", 0), ("limit", count), ("delta", 1), ("first", 0)):
        graph.const(name, value)
    graph.add("Range", "counted", "start", "limit", "delta", Tidx=I32)
    graph.add("Sum", "sum", "counted", "first", T=I32, Tidx=I32)
    graph.add("Cast", "float", "sum", SrcT=I32, DstT=F32)
    return graph.add("AddV2", "x", "input", "float", T=F32)


TOO_LARGE = [
    (
        lambda g: tile(g, 1000),
        r"'tiled' \(Tile\) would make a tensor of 3\.1 GB; expected at most 2: take a sm",
    ),
    (lambda g: pad(g, 30_000), r"'x' \(Pad\) would make a tensor of 43\.2 GB"),
    (lambda g: fill(g, 100_000), r"'filled' \(Fill\) would make a tensor of 40\.0 GB"),
    (lambda g: doubled(g, 26), r"'twice19' \(ConcatV2\) would make a tensor of 3\.2 GB"),
    (lambda g: resize(g, 2**31 - 1), r"'x' \(ResizeBilinear\) would make a tensor of 55,340,\d+,\d+\.\d GB"),
    (lambda g: one_hot(g, 2**30), r"'hot' \(OneHot\) would make a tensor of 3,298\.5 GB"),
    (
        lambda g: many(g, 40),
        r"'large32' \(Tile\) would bring what is made of an image to 64\.9 GB; expected at",
    ),
    (lambda g: masked(g, 20_000_000), r"'counted' \(Range\) would bring the work on constants to 2\.0 bill"),
    (lambda g: pool_by_value(g, 2**31 - 1), r"'x' \(MaxPoolV2\) would bring the work to .* multiplications"),
    (lambda g: depthwise(g, 1500), r"'x' \(DepthwiseConv2dNative\) would unroll its windows to 6\.9 bil"),
]


@pytest.mark.parametrize(("make", "message"), TOO_LARGE)
def test_what_would_take_too_much_is_refused_before_it_runs(make, message, tmp_path):
    graph = Graph()
    path = graph.end(make(graph)).save(tmp_path / "net.pb")
    with pytest.raises(ValueError, match=message):
        lx.load_model(path)


def test_what_is_within_the_limits_is_not_refused(tmp_path):
    graph = Graph()
    path = graph.end(tile(graph, 800)).save(tmp_path / "net.pb")  # 1.97 GB
    assert lx.load_model(path).layers == {"logits": (3,)}


@memory.needs_linux
def test_nothing_large_is_computed_to_find_a_size(tmp_path):
    """The sum of 2e9 numbers would decide a shape: TensorFlow would compute it to infer that shape."""
    graph = Graph()
    for name, value in (("dims", [2 * 10**9]), ("one", 1), ("first", 0), ("shape", [1, 16, 16, 3])):
        graph.const(name, value)
    graph.add("Fill", "filled", "dims", "one", T=I32, index_type=I32)
    graph.add("Sum", "sum", "filled", "first", T=I32, Tidx=I32)
    graph.add("Minimum", "least", "sum", "shape", T=I32)
    graph.add("Reshape", "x", "input", "least", T=F32, Tshape=I32)
    path = graph.end("x").save(tmp_path / "net.pb")
    code = """
        import sys
        import lucid_ext as lx
        lx.load_model("mini")
        before = peak()
        try: lx.load_model(sys.argv[1])
        except ValueError as error: print(error)
        print(peak() - before)
    """
    said, grown = memory.run(code, path)
    assert "'filled' (Fill) would make a tensor of 8.0 GB" in said
    assert int(grown) < 100_000_000


def test_a_size_that_the_pixels_decide(tmp_path):
    graph = Graph()
    graph.const("one", 1, np.float32)
    graph.const("all", [0, 1, 2, 3])
    graph.add("Sum", "sum", "input", "all", T=F32, Tidx=I32)
    graph.add("Cast", "whole", "sum", SrcT=F32, DstT=I32)
    graph.add("Pack", "dims", "whole", T=I32, N=1, axis=0)
    graph.add("Fill", "filled", "dims", "one", T=F32, index_type=I32)
    graph.const("first", 0)
    graph.add("Mean", "small", "filled", "first", T=F32, Tidx=I32)
    graph.add("AddV2", "x", "input", "small", T=F32)
    with pytest.raises(
        ValueError, match=r"'filled' \(Fill\) makes a tensor whose size is not known beforehand"
    ):
        lx.load_model(graph.end("x").save(tmp_path / "net.pb"))


def squared(graph):
    """Each image beside each."""
    graph.const("side", [-1, 1, 16, 48])
    graph.const("other", [1, -1, 16, 48])
    for name in ("side", "other"):
        graph.add("Reshape", f"on_{name}", "input", name, T=F32, Tshape=I32)
    graph.add("Mul", "squared", "on_side", "on_other", T=F32)
    graph.const("all", [0, 1, 2, 3])
    graph.add("Mean", "number", "squared", "all", T=F32, Tidx=I32)
    return graph.add("AddV2", "x", "input", "number", T=F32)


def powers(graph):
    """With three images, 3 ** 60 numbers, for which TensorFlow would end the process."""
    graph.const("all", [1, 2, 3])
    graph.add("Mean", "one", "input", "all", T=F32, Tidx=I32)
    graph.add("Einsum", "powers", "one", T=F32, N=1, equation="a->" + "a" * 60)
    graph.add("Size", "count", "powers", T=F32, out_type=I32)
    graph.add("Cast", "number", "count", SrcT=I32, DstT=F32)
    return graph.add("AddV2", "x", "input", "number", T=F32)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (squared, r"'squared' makes 3,072 numbers of two images, 768 of one; expected twice"),
        (powers, r"'powers' \(Einsum\) would make a tensor of 2,305,843,009\.2 GB"),
    ],
)
def test_what_grows_faster_than_the_images(make, message, tmp_path):
    graph = Graph()
    path = graph.end(make(graph)).save(tmp_path / "net.pb")
    with pytest.raises(ValueError, match=message):
        lx.load_model(path)


def test_an_input_that_has_a_value_of_its_own(tmp_path):
    """As old graphs have for what is only of use in training; it may leave open what shape it has."""
    graph = Graph()
    graph.const("one", 1, np.float32)
    graph.add("PlaceholderWithDefault", "keep", "one", dtype=F32)
    graph.graph_def.node[-1].attr["shape"].shape.unknown_rank = True
    graph.add("Mul", "x", "input", "keep", T=F32)
    model = lx.load_model(graph.end("x").save(tmp_path / "net.pb"))
    assert np.allclose(model.activations(np.full((SIDE, SIDE, 3), 0.25), "logits"), 0.25)


def test_what_only_running_it_shows(tmp_path):
    """A weight of a shape no inference looks at: one sentence all the same."""
    graph = Graph()
    graph.const("low", [0, 0], np.float32)
    graph.const("high", [1, 1], np.float32)
    graph.add("ClipByValue", "x", "input", "low", "high", T=F32)
    model = lx.load_model(graph.end("x").save(tmp_path / "net.pb"))
    with pytest.raises(ValueError, match=r"net cannot compute softmax: clip_value_min and clip_value_max"):
        model.predict(np.zeros((SIDE, SIDE, 3)))


def test_less_memory_than_it_takes(tmp_path):
    graph = Graph()
    path = graph.end(tile(graph, 700)).save(tmp_path / "net.pb")  # 1.5 GB
    code = (
        "import resource, numpy as np, lucid_ext as lx\n"
        "image = np.zeros((112, 112, 3), np.float32); lx.load_model('mini').predict(image)\n"
        f"model = lx.load_model({str(path)!r})\n"
        "used = int(open('/proc/self/statm', encoding='utf-8').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + 10**9, -1))\n"
        "try: model.predict(image)\n"
        "except MemoryError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("net ran out of memory on 1 of input, (16, 16, 3) each: give fewer at once")
