"""Graphs no image classifier has, and nodes that would bring the process down, are refused in a sentence."""

import numpy as np
import pytest
import tensorflow as tf

import lucid_ext as lx
from lucid_ext.models.graph import MAX_DEPTH, MAX_INPUTS, MAX_NODES
from lucid_ext.models.paths import MAX_HEADS
from tests.models.written import Graph

F32, I32 = tf.float32, tf.int32


def conv(graph, window=(3, 3), channels=3, **attrs):
    graph.const("w", np.ones((*window, 3, channels)), np.float32)
    said = {"strides": [1, 1, 1, 1], "padding": "SAME", "dilations": [1, 1, 1, 1], **attrs}
    return graph.add("Conv2D", "x", "input", "w", T=F32, **said)


def pool(graph, side, stride=1):
    window, strides = [1, side, side, 1], [1, stride, stride, 1]
    return graph.add("MaxPool", "x", "input", T=F32, ksize=window, strides=strides, padding="SAME")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda g: conv(g, padding="EXPLICIT", explicit_paddings=[0, 0, 10**6, 10**6, 10**6, 10**6, 0, 0]),
            r"explicit_paddings of node 'x' \(Conv2D\) is 1000000; expected at most 1024",
        ),
        (lambda g: conv(g, dilations=[1, 5000, 5000, 1]), "dilations of node 'x' .* is 5000"),
        (lambda g: conv(g, strides=[1, 2**31, 1, 1]), "strides of node 'x' .* is 2147483648"),
        (lambda g: pool(g, 2**31 - 1), r"ksize of node 'x' \(MaxPool\) is 2147483647"),
        (
            lambda g: g.add("LRN", "x", "input", T=F32, depth_radius=2**40),
            r"depth_radius of node 'x' \(LRN\) is 1099511627776",
        ),
        (
            lambda g: g.add("DepthToSpace", "x", "input", T=F32, block_size=-(2**31)),
            "block_size of node 'x' .* is -2147483648",
        ),
    ],
)
def test_numbers_no_operation_is_set_to(make, message, tmp_path):
    graph = Graph()
    path = graph.end(make(graph)).save(tmp_path / "net.pb")
    with pytest.raises(ValueError, match=rf"net\.pb: {message}"):
        lx.load_model(path)


def gather(graph, batch_dims):
    graph.const("which", 0)
    graph.const("last", 3)
    return graph.add(
        "GatherV2", "x", "input", "which", "last", Tparams=F32, Tindices=I32, Taxis=I32, batch_dims=batch_dims
    )


def split(graph, sizes):
    graph.const("sizes", sizes)
    graph.const("last", 3)
    return graph.add("SplitV", "x", "input", "sizes", "last", T=F32, Tlen=I32, num_split=1)


def out_of_range(graph):
    graph.const("axis", 9)
    graph.const("by", 1)
    return graph.add("ReverseV2", "x", "input", "axis", T=F32, Tidx=I32)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda g: gather(g, 1), r"node 'x' \(GatherV2\) does not fit what it reads"),
        (lambda g: gather(g, 100), r"node 'x' \(GatherV2\) does not fit what it reads"),
        (lambda g: split(g, 3), r"node 'x' \(SplitV\) does not fit what it reads"),
        (lambda g: split(g, [[3]]), r"node 'x' \(SplitV\) does not fit what it reads"),
        (lambda g: split(g, [4]), "cannot be computed from its input"),
        (out_of_range, "cannot be computed from its input"),
        (lambda g: g.add("Relu", "x", "axes:7", T=F32), "cannot be computed from its input"),
    ],
)
def test_nodes_that_do_not_fit(make, message, tmp_path):
    """The first would end the process, not raise an error."""
    graph = Graph()
    path = graph.end(make(graph)).save(tmp_path / "net.pb")
    with pytest.raises(ValueError, match=f"net cannot be computed from its input .*{message}|{message}"):
        lx.load_model(path)


def row(graph, count):
    x = "input"
    for i in range(count):
        x = graph.add("Identity", f"in_a_row{i}", x, T=F32)
    return x


def crowd(graph, count):
    for i in range(count):
        graph.add("Identity", f"beside{i}", "input", T=F32)
    return "input"


def wide(graph, count):
    for i in range(count):
        graph.add("AddN", f"wide{i}", *["input"] * 1000, T=F32, N=1000)
    return "input"


def ends(graph, count):
    for i in range(count):
        graph.add("Softmax", f"end{i}", "input", T=F32)
    return "input"


def circle(graph):
    graph.add("AddV2", "a", "input", "b", T=F32)
    return graph.add("Relu", "b", "a", T=F32)


def scores(graph):
    """A head of its own, to which more nodes lead."""
    x = row(graph, 5)
    graph.const("all", [1, 2, 3])
    graph.add("Mean", "score", x, "all", T=F32, Tidx=I32)
    graph.add("Sigmoid", "probability", "score", T=F32)
    return "input"


def mistyped(graph):
    graph.const("w", np.ones(9))
    graph.graph_def.node[-1].attr["dtype"].type = F32.as_datatype_enum
    return "input"


def another_input(graph):
    graph.add("Placeholder", "rate", dtype=F32)
    return graph.add("Mul", "x", "input", "rate", T=F32)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda g: crowd(g, MAX_NODES), rf"has 100,005 nodes .* expected at most {MAX_NODES:,}"),
        (lambda g: wide(g, 1 + MAX_INPUTS // 1000), rf"with 1,001,004 inputs.* at most .*{MAX_INPUTS:,}"),
        (lambda g: row(g, MAX_DEPTH), rf"has 10,004 nodes in a row, .* at most {MAX_DEPTH:,}"),
        (lambda g: ends(g, MAX_HEADS), r"ends in 101 softmaxes"),
        (circle, "nodes read each other in a circle"),
        (another_input, "net takes 'rate' besides an image"),
        (lambda g: g.add("Relu", "x", T=F32), r"node 'x' \(Relu\) reads nothing"),
        (lambda g: g.add("Softmax", "x", "^input", T=F32), r"node 'x' \(Softmax\) reads nothing"),
        (scores, "net gives one number for an image; expected one for each of its classes"),
        (mistyped, "constant 'w' is not of the type of its numbers"),
    ],
)
def test_graphs_of_no_image_classifier(make, message, tmp_path):
    graph = Graph()
    path = graph.end(make(graph)).save(tmp_path / "net.pb")
    with pytest.raises(ValueError, match=message):
        lx.load_model(path)
