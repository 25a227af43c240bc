"""Frozen graphs as data: what is refused, what is split off, what lies between."""

import numpy as np
import pytest
import tensorflow as tf

import lucid_ext as lx
from lucid_ext.models.graph import add_pre_relu, between, node_of, read, take_weights
from lucid_ext.models.inception import BLOCKS, frozen_graph
from lucid_ext.models.load import ASSETS
from lucid_ext.models.paths import bottlenecks
from tests.models.by_hand import slow_conv, slow_mixed, slow_pool


def graph_bytes(make) -> bytes:
    with tf.Graph().as_default() as graph:
        make()
        return graph.as_graph_def().SerializeToString()


def placeholder(*shape):
    return tf.compat.v1.placeholder(tf.float32, shape, name="input")


@pytest.fixture(scope="module")
def embedded() -> bytes:
    return (ASSETS / "mini.pb").read_bytes()


def test_embedded_graph_has_inceptions_names_and_ops(embedded):
    nodes = {n.name: n for n in read(embedded, "mini").node}
    for block in BLOCKS:
        node = nodes[f"mixed{block}"]
        assert node.op == "Concat"
        assert [node_of(i) for i in node.input[1:]] == [
            f"mixed{block}_{b}" for b in ("1x1", "3x3", "5x5", "pool_reduce")
        ]
        assert nodes[f"mixed{block}_3x3"].op == "Relu"
        assert nodes[f"mixed{block}_3x3_pre_relu"].op == "BiasAdd"
        assert nodes[f"mixed{block}_3x3_pre_relu/conv"].op == "Conv2D"
    assert nodes["input"].op == "Placeholder"
    assert nodes["softmax2_pre_activation"].op == "BiasAdd"
    assert nodes["softmax2"].op == "Softmax"


@pytest.mark.parametrize("keep", [0, 1, 1000, 0.5, 0.999])
def test_truncated_file_is_refused(embedded, keep):
    size = keep if isinstance(keep, int) else int(keep * len(embedded))
    with pytest.raises(ValueError, match=r"weights\.pb .*(truncated|holds no graph|lacks|does not hold)"):
        read(embedded[:size], "weights.pb")


def test_file_that_is_no_graph_is_refused():
    with pytest.raises(ValueError, match="is not a frozen TensorFlow graph"):
        read(b"\x89PNG not a graph at all" * 99, "picture.png")


@pytest.mark.parametrize("op", ["ReadFile", "PyFunc", "WriteFile"])
def test_programs_are_refused(op, tmp_path):
    def make():
        if op == "PyFunc":
            tf.compat.v1.py_func(lambda: np.float32(1), [], tf.float32)
        elif op == "ReadFile":
            tf.io.read_file("/etc/passwd")
        else:
            tf.io.write_file(str(tmp_path / "written"), "x")

    with pytest.raises(ValueError, match=f"operations no frozen image classifier needs .*{op}"):
        read(graph_bytes(make), "evil.pb")
    assert not (tmp_path / "written").exists()


def test_constant_larger_than_its_file_is_refused():
    graph_def = tf.compat.v1.GraphDef()
    node = graph_def.node.add(name="w", op="Const")
    node.attr["dtype"].type = tf.float32.as_datatype_enum
    tensor = node.attr["value"].tensor
    tensor.dtype = tf.float32.as_datatype_enum
    tensor.tensor_shape.dim.add(size=10**9)
    tensor.float_val.append(1.0)
    with pytest.raises(ValueError, match="claim 999,999,999 numbers"):
        read(graph_def.SerializeToString(), "bomb.pb")


def test_many_constants_that_claim_too_much_together_are_refused():
    graph_def = tf.compat.v1.GraphDef()
    for i in range(20):
        node = graph_def.node.add(name=f"w{i}", op="Const")
        tensor = node.attr["value"].tensor
        tensor.dtype = tf.float32.as_datatype_enum
        tensor.tensor_shape.dim.add(size=100_000)
        tensor.float_val.append(1.0)
    with pytest.raises(ValueError, match="claim 1,999,980 numbers"):
        read(graph_def.SerializeToString(), "bomb.pb")


def test_constant_of_no_known_type_is_refused():
    graph_def = tf.compat.v1.GraphDef()
    graph_def.node.add(name="w", op="Const").attr["value"].tensor.dtype = 99
    with pytest.raises(ValueError, match="of no known type"):
        read(graph_def.SerializeToString(), "odd.pb")


@pytest.mark.parametrize("sizes", [(-1,), (2, -3), (2,)])
def test_constant_whose_shape_is_not_that_of_its_numbers_is_refused(sizes):
    graph_def = tf.compat.v1.GraphDef()
    tensor = graph_def.node.add(name="w", op="Const").attr["value"].tensor
    tensor.dtype = tf.float32.as_datatype_enum
    for size in sizes:
        tensor.tensor_shape.dim.add(size=size)
    tensor.float_val.extend([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="does not hold what its shape says"):
        read(graph_def.SerializeToString(), "odd.pb")


def test_constant_that_lists_every_number_is_read():
    """As old writers did; what it lists is not counted as claimed."""
    numbers = np.arange(1_200_000, dtype=np.float32)
    graph_def = tf.compat.v1.GraphDef()
    node = graph_def.node.add(name="w", op="Const")
    node.attr["dtype"].type = node.attr["value"].tensor.dtype = tf.float32.as_datatype_enum
    node.attr["value"].tensor.tensor_shape.dim.add(size=len(numbers))
    node.attr["value"].tensor.float_val.extend(numbers.tolist())
    _, weights = take_weights(read(graph_def.SerializeToString(), "old.pb"))
    assert np.array_equal(weights["w"], numbers)


def test_weights_are_split_off_in_float32(embedded):
    graph_def = read(embedded, "mini")
    structure, weights = take_weights(graph_def)
    assert {"conv2d0_w", "conv2d0_b", "softmax2_w"} <= weights.keys()
    assert all(w.dtype == np.float32 for w in weights.values())
    left = {n.name for n in structure.node}
    assert not left & weights.keys()
    assert not any(name.endswith("/stored") for name in left)
    assert len(structure.SerializeToString()) < len(embedded) / 50


def test_between_keeps_only_what_is_needed(embedded):
    structure, weights = take_weights(read(embedded, "mini"))
    part = {n.name for n in between(structure, {"mixed4a", *weights}, ["mixed4b"]).node}
    assert "mixed4b_3x3" in part
    assert "mixed4b" in part
    assert not part & {"mixed4a", "mixed4a_1x1", "input", "mixed4c"}


def test_bottlenecks_are_what_all_paths_share():
    def make():
        x = placeholder(1, 8, 8, 3)
        a = tf.nn.relu(x, name="a")
        b = tf.nn.relu(a, name="left")
        c = tf.nn.relu(a, name="right")
        tf.add(b, c, name="sum")
        tf.nn.relu(x, name="aside")

    graph_def = read(graph_bytes(make), "g")
    assert bottlenecks(graph_def, "input", "sum") == ["input", "a", "sum"]
    assert bottlenecks(graph_def, "left", "sum") == ["left", "sum"]
    assert bottlenecks(graph_def, "aside", "sum") == []


def test_pre_relu_nodes_are_concatenations_before_the_relus(model, cat):
    before = model.activations(cat, "mixed4c_pre_relu")
    after = model.activations(cat, "mixed4c")
    assert before.min() < 0
    assert np.array_equal(np.maximum(before, 0), after)


def test_pre_relu_is_added_once(embedded):
    graph_def = read(embedded, "mini")
    add_pre_relu(graph_def)
    count = len(graph_def.node)
    add_pre_relu(graph_def)
    assert len(graph_def.node) == count


def test_layers_equal_a_slow_convolution(model, rng):
    """From pixels to mixed3a, in NumPy, from the weights of the graph."""
    _, weights = take_weights(model.graph_def)
    image = rng.random((48, 48, 3)).astype(np.float32)

    def conv(x, name, stride=1):
        return np.maximum(slow_conv(x, weights[f"{name}_w"], weights[f"{name}_b"], stride), 0)

    x = slow_pool(conv(255.0 * image - 117.0, "conv2d0", 2), 2)
    expected = slow_mixed(conv(conv(x, "conv2d1"), "conv2d2"), weights, "mixed3a")
    (found,) = model.function("input", ["mixed3a"])(tf.constant(image[None]))
    assert np.abs(found.numpy()[0] - expected).max() < 1e-4 * np.abs(expected).max()


def test_reference_weights_give_reference_activations(shared):
    """The published check values, from the weights they were computed with."""
    import json

    check = json.loads((shared / "mini" / "check.json").read_text())
    classes = json.loads((shared / "mini" / "classes.json").read_text())
    model = lx.VisionModel(
        frozen_graph(np.load(shared / "mini" / "mini.npz")),
        labels=[names for _, names in classes],
        size=(112, 112),
        value_range=(-117, 138),
        name="reference",
    )
    levels = np.random.default_rng(0).integers(0, 256, (112, 112, 3)).astype(np.float32)
    found = model.activations(levels / 255.0, list(check["layers"]))
    for layer, expected in check["layers"].items():
        acts = found[layer]
        assert list(acts.shape) == expected["shape"]
        np.testing.assert_allclose(acts.mean(), expected["mean"], rtol=1e-4, err_msg=layer)
        np.testing.assert_allclose(np.linalg.norm(acts), expected["l2"], rtol=1e-5, err_msg=layer)
        np.testing.assert_allclose(acts.max(), expected["max"], rtol=1e-5, err_msg=layer)
        np.testing.assert_allclose(acts.ravel()[:4], expected["first"], atol=1e-4, err_msg=layer)
