"""Paths through random graphs, compared with networkx."""

import networkx
import numpy as np
import pytest
import tensorflow as tf

from lucid_ext.models.paths import bottlenecks, own_head
from tests.models.written import Graph


@pytest.mark.parametrize("seed", range(30))
def test_bottlenecks_are_dominators(seed):
    """Sparse graphs, in which some nodes are passed by all paths."""
    rng = np.random.default_rng(seed)
    graph_def = tf.compat.v1.GraphDef()
    for i in range(25):
        near = {f"n{int(j)}" for j in rng.integers(max(0, i - 3), i, size=rng.integers(1, 3))} if i else set()
        graph_def.node.add(name=f"n{i}", op="AddN", input=sorted(near))
    edges = [(source, node.name) for node in graph_def.node for source in node.input]
    dominator = networkx.immediate_dominators(networkx.DiGraph(edges), "n0")
    for target in ("n24", "n23", "n12"):
        expected = [target] if target in dominator else []
        while expected and expected[-1] != "n0":
            expected.append(dominator[expected[-1]])
        assert bottlenecks(graph_def, "n0", target) == expected[::-1]


def test_the_own_head_is_the_one_most_nodes_lead_to():
    graph = Graph()
    graph.add("Sigmoid", "gate", "input")
    graph.add("Mul", "gated", "input", "gate")
    graph.add("Softmax", "auxiliary", "gated")
    graph.add("Relu", "deep", "gated")
    graph.add("Softmax", "own", "deep")
    graph.add("Softmax", "another", "input")
    assert own_head(graph.graph_def, "network").name == "own"
