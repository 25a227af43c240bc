"""The paths of a graph: what all of the image passes through, and what joins from beside."""

from collections.abc import Collection, Iterable
from typing import Any

from lucid_ext.models.graph import GraphDef, NodeDef, between, node_of

MAX_HEADS = 100


def own_head(graph_def: GraphDef, name: str) -> NodeDef:
    """Return the node that ends in a network's own class probabilities.

    Auxiliary heads end in probabilities too: the own head is the one most nodes lead to. Gates do
    not count, nor whatever else leads to a head.

    Args:
        graph_def: the network, its nodes in order.
        name: what to call it in an error.

    Raises:
        ValueError: there is none, or no `input`, or there are too many.
    """
    heads, before = [], set[str]()
    for node in reversed(graph_def.node):
        is_end = node.op in ("Softmax", "Sigmoid")
        if is_end and node.name not in before:
            heads.append(node)
        if is_end or node.name in before:
            before.update(map(node_of, node.input))
    if not heads or "input" not in {node.name for node in graph_def.node}:
        raise ValueError(f"{name} has no node 'input' or no softmax: it is not an image classifier.")
    if len(heads) > MAX_HEADS:
        raise ValueError(
            f"{name} ends in {len(heads):,} softmaxes; expected one, or a few that help it learn."
        )
    return max(heads[::-1], key=lambda node: len(between(graph_def, (), [node.name]).node))


def bottlenecks(graph_def: GraphDef, source: str, target: str) -> list[str]:
    """Return the nodes every path from `source` to `target` goes through, both included, in order.

    They are the dominators of `target`; empty when no path leads there.
    """
    import networkx

    if source == target:
        return [source]
    part = between(graph_def, {source}, [target])
    flow = _flow(part)
    on_a_path = networkx.descendants(flow, source) if source in flow else set()
    order = [source, *(node.name for node in part.node if node.name in on_a_path)]
    if order[-1] != target:
        return []
    place = {name: i for i, name in enumerate(order)}
    found, furthest = [], 0
    for i, name in enumerate(order):
        if furthest <= i:  # no edge leads past this node
            found.append(name)
        furthest = max([furthest, *(place[reader] for reader in flow.successors(name))])
    return found


def beside(graph_def: GraphDef, source: str, targets: Iterable[str]) -> list[str]:
    """Return the nodes that decide `targets` together with `source`, and do not depend on it.

    They are where paths from `input` around `source` join those that go through it. Nodes that
    tell no more than a shape, and those of several outputs, are passed over for what they read.

    Raises:
        ValueError: a target does not come after `source`.
    """
    import networkx

    flow = _flow(graph_def)
    decided = {source, *networkx.descendants(flow, source)}
    seen = {"input", *networkx.descendants(flow, "input")}
    passed_over = decided | _only_shapes(graph_def, seen)
    passed_over |= {node.name for node in graph_def.node if node.op in ("Split", "SplitV", "Unpack")}
    waiting, known, found = list(targets), {source}, set()
    for name in waiting:
        if name not in decided:
            raise ValueError(f"{name} does not come after {source}, so it is no function of it.")
    while waiting:
        name = waiting.pop()
        if name in known:
            continue
        known.add(name)
        if name in passed_over:
            waiting += [tensor for tensor in flow.predecessors(name) if tensor in seen]
        else:
            found.add(name)
    return [node.name for node in graph_def.node if node.name in found]


def _flow(graph_def: GraphDef) -> Any:
    """Who is read by whom, as a networkx.DiGraph."""
    import networkx

    edges = [(node_of(i), node.name) for node in graph_def.node for i in node.input]
    return networkx.DiGraph(edges)


def _only_shapes(graph_def: GraphDef, seen: Collection[str]) -> set[str]:
    """Return the nodes among `seen` that depend on the input by shapes alone."""
    found = set[str]()
    for node in graph_def.node:
        inputs = [i for i in map(node_of, node.input) if i in seen]
        if node.op in ("Rank", "Shape", "Size") or (inputs and found.issuperset(inputs)):
            found.add(node.name)
    return found
