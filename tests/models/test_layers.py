"""Layers as a table, and receptive fields against what really reaches a cell."""

import math

import numpy as np
import pytest
import tensorflow as tf

from lucid_ext.models.graph import read, take_weights
from lucid_ext.models.layers import Layers, dependencies, receptive_fields

# By hand, from the window sizes and strides of the published network.
INCEPTION = {
    "conv2d0": 7,
    "conv2d1": 11,
    "conv2d2": 19,
    "mixed3a": 59,
    "mixed3b": 91,
    "mixed4a": 171,
    "mixed4b": 235,
    "mixed4c": 299,
    "mixed4d": 363,
    "mixed4e": 427,
    "mixed5a": 587,
    "mixed5b": 715,
    "softmax2_pre_activation": math.inf,
}


def test_receptive_fields_of_inception(inception):
    assert inception.layers.receptive_fields == {name: (px, px) for name, px in INCEPTION.items()}


@pytest.mark.parametrize(("layer", "cell"), [("conv2d2", 12), ("mixed3a", 16)])
def test_a_cell_depends_on_its_receptive_field_and_on_nothing_beyond(model, rng, layer, cell):
    """Change one row of pixels after another: which of them reach the cell?"""
    size = 129
    image = rng.random((1, size, size, 3)).astype(np.float32)
    run = model.function("input", [layer])
    before = run(image)[0].numpy()[0, cell, cell]
    rows = np.repeat(image, size, 0)
    rows[np.arange(size), np.arange(size)] = rng.random((size, size, 3)) * 4 - 1.5
    after = np.concatenate([run(part)[0].numpy()[:, cell, cell] for part in np.array_split(rows, 5)])
    reached = np.flatnonzero(np.abs(after - before).max(-1) > 1e-4)
    field = model.layers.receptive_fields[layer][0]
    assert reached[-1] - reached[0] + 1 == field < size
    assert reached[0] > 0
    assert reached[-1] < size - 1


def test_windows_that_are_not_square_dilated_or_of_unknown_ops():
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, (1, 64, 64, 3), name="input")
        kernel = tf.identity(tf.constant(np.ones((1, 7, 3, 4), np.float32), name="w"))
        wide = tf.nn.conv2d(x, kernel, [1, 1, 2, 1], "SAME", name="wide")
        apart = tf.nn.conv2d(wide, tf.ones((3, 3, 4, 4)), 1, "SAME", dilations=4, name="apart")
        tf.add(wide, apart, name="sum")
        gate = tf.reduce_mean(wide, [1, 2], keepdims=True)
        tf.multiply(wide, gate, name="gated")
    structure, weights = take_weights(read(graph.as_graph_def().SerializeToString(), "g"))
    kernels = {name: weight.shape for name, weight in weights.items()}
    found = receptive_fields(structure, kernels, ["wide", "apart", "sum", "gated"])
    assert found == {"wide": (1, 7), "apart": (9, 23), "sum": (9, 23), "gated": (math.inf, math.inf)}


def test_prints_as_a_table_and_stays_a_mapping(inception):
    lines = repr(inception.layers).splitlines()
    assert lines[0].split() == ["layer", "grid", "channels", "receptive", "field"]
    assert len({len(line) for line in lines}) == 1
    row = next(line for line in lines if line.startswith("mixed4d "))
    assert row.split() == ["mixed4d", "14", "\u00d7", "14", "528", "363", "px"]
    assert lines[-1].split() == ["softmax2_pre_activation", "-", "1008", "whole", "image"]
    assert inception.layers["mixed4d"] == (14, 14, 528)
    assert dict(inception.layers)["mixed4d"] == (14, 14, 528)


def test_names_are_text_in_html():
    layers = Layers({"<script>evil</script>": (3, 5, 2)}, {"<script>evil</script>": (1, 7)})
    text = layers._repr_html_()
    assert "<script>" not in text
    assert (
        "<td>&lt;script&gt;evil&lt;/script&gt;</td><td>3 \u00d7 5</td><td>2</td><td>1 \u00d7 7 px</td>"
        in text
    )


@pytest.mark.parametrize(
    ("source", "target"),
    [("mixed4a", "mixed4b"), ("mixed4d", "mixed5a"), ("mixed3b", "mixed4a"), ("conv2d0", "mixed3a")],
)
def test_which_cells_a_cell_depends_on(model, rng, source, target):
    """Change one row after another, then one column: which rows and columns of the target change?"""
    rows, columns = model.dependencies(source, target)
    shape = model.layers[source]
    acts = rng.random(shape).astype(np.float32)
    run = model.function(source, [target])
    before = run(acts[None])[0].numpy()[0]
    for axis, expected in ((0, rows), (1, columns)):
        found = np.zeros_like(expected)
        for i in range(shape[axis]):
            other = np.moveaxis(acts.copy(), axis, 0)
            other[i] = 3 * rng.random(other[i].shape)
            after = run(np.moveaxis(other, 0, axis)[None])[0].numpy()[0]
            found[:, i] = (np.abs(after - before).max(-1) > 1e-4).any(1 - axis)
        assert np.array_equal(found, expected)


def test_dependencies_through_what_is_not_understood():
    """Padding of its own moves cells, a mean mixes them: then every cell counts."""
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, (1, 8, 8, 3), name="input")
        valid = tf.nn.max_pool2d(x, 3, 2, "VALID", name="valid")
        tf.multiply(valid, tf.reduce_mean(valid, [1, 2], keepdims=True), name="gated")
        tf.nn.relu(tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]]), name="padded")
    structure = graph.as_graph_def()
    rows, columns = dependencies(structure, {}, "input", (8, 8), "valid", (3, 3))
    assert rows.astype(int).tolist() == [
        [1, 1, 1, 0, 0, 0, 0, 0],
        [0, 0, 1, 1, 1, 0, 0, 0],
        [0, 0, 0, 0, 1, 1, 1, 0],
    ]
    assert np.array_equal(rows, columns)
    for name, side in (("gated", 3), ("padded", 10)):
        rows, _ = dependencies(structure, {}, "input", (8, 8), name, (side, side))
        assert rows.shape == (side, 8)
        assert rows.all()
