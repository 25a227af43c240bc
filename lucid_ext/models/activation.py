"""A layer's own activation: what goes into it, and what it would give if it had no cap.

A cap, as ReLU6 has one, makes ties: of the strongest channels of a cell many are all at 6. What is
before it has none, and above zero it is otherwise the same number.
"""

from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from lucid_ext.models.graph import GraphDef, NodeDef, node_of

Limits = tuple[np.ndarray, np.ndarray]
"""The least and the most that a layer passes on, each (c,) or ()."""

ACTIVATIONS = {"Elu", "LeakyRelu", "Relu", "Relu6", "Selu", "Sigmoid", "Softplus", "Tanh"}
BEFORE = ("{}_pre_relu", "{}_pre_activation")  # how what goes into a layer's activation is named


def add_uncapped(graph_def: GraphDef) -> dict[str, str]:
    """Give each node that ends in a cap a node `<name>_uncapped` beside it, without the cap.

    Args:
        graph_def: changed in place.

    Returns:
        {node: the node without its cap}.
    """
    nodes = {node.name: node for node in graph_def.node}
    found: dict[str, str] = {}
    for node in list(graph_def.node):
        without = _uncapped(node, nodes, found)
        if without is not None:
            without.name = found[node.name] = f"{node.name}_uncapped"
            graph_def.node.append(without)
    return found


def _uncapped(node: NodeDef, nodes: Mapping[str, NodeDef], found: Mapping[str, str]) -> NodeDef | None:
    """The same node without its cap, or None where it has none."""
    copy = NodeDef()
    copy.CopyFrom(node)
    if node.op == "Relu6":
        copy.op = "Relu"
    elif node.op == "ClipByValue" and len(node.input) == 3:
        copy.op = "Maximum"
        del copy.input[2]
    elif node.op == "Minimum" and len(node.input) == 2 and _is_number(node.input[1], nodes):
        copy.op = "Identity"
        del copy.input[1]
    elif node.op in ("Concat", "ConcatV2") and any(node_of(tensor) in found for tensor in node.input):
        copy.ClearField("input")
        copy.input.extend(found.get(node_of(tensor), tensor) for tensor in node.input)
    else:
        return None
    return copy


def _is_number(tensor: str, nodes: Mapping[str, NodeDef]) -> bool:
    """Whether a tensor is a constant of the structure, where weights are not."""
    source = nodes.get(node_of(tensor))
    return source is not None and source.op == "Const"


def limits(name: str, nodes: Mapping[str, NodeDef], width: Callable[[str], int]) -> Limits | None:
    """Return the limits of a node that ends in a cap, or None.

    Args:
        name: of the node.
        nodes: of the graph, by name.
        width: gives a node's number of channels.
    """
    node = nodes[name]
    if node.op == "Relu6":
        return np.array(0, np.float32), np.array(6, np.float32)
    if node.op == "ClipByValue":
        return _number(nodes[node_of(node.input[1])]), _number(nodes[node_of(node.input[2])])
    if node.op == "Minimum" and len(node.input) == 2 and _is_number(node.input[1], nodes):
        return np.array(-np.inf, np.float32), _number(nodes[node_of(node.input[1])])
    if node.op not in ("Concat", "ConcatV2"):
        return None
    parts = [node_of(tensor) for tensor in node.input]
    parts = parts[1:] if node.op == "Concat" else parts[:-1]
    own = [limits(part, nodes, width) for part in parts]
    if not any(own):
        return None
    free = np.array(-np.inf, np.float32), np.array(np.inf, np.float32)
    each = [
        [np.broadcast_to(limit, width(part)) for limit in found or free]
        for part, found in zip(parts, own, strict=True)
    ]
    low, high = (np.concatenate(side) for side in zip(*each, strict=True))
    return low, high


def _number(node: NodeDef) -> np.ndarray:
    return tf.make_ndarray(node.attr["value"].tensor).astype(np.float32)


def before_activation(layer: str, nodes: Mapping[str, NodeDef]) -> str:
    """Return the node whose values a layer's activation is given; the layer itself where it has none."""
    named = next((name.format(layer) for name in BEFORE if name.format(layer) in nodes), None)
    if named is None and nodes[layer].op in ACTIVATIONS:
        named = node_of(nodes[layer].input[0])
    return named or layer
