"""Names people know for the nodes of a graph that was traced, and which of them are its layers."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from lucid_ext.models.graph import GraphDef, node_of

Labels = Iterable[tuple[str, Sequence[str]]]
"""(tensor, path): a layer's output and the layer's name after those of the models it is part of."""

ACTIVATIONS = {
    "Elu", "Erf", "Erfc", "Exp", "LeakyRelu", "Relu", "Relu6", "Selu", "Sigmoid", "Softmax", "Softplus",
    "Tanh",
}  # fmt: skip

# Element by element; linear as long as all inputs but one are constants.
ELEMENTWISE = {
    "Add", "AddV2", "BiasAdd", "FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3", "Maximum", "Minimum",
    "Mul", "Neg", "RealDiv", "Sub",
}  # fmt: skip

# Whose output shows what was there before: never listed.
RESHAPING = {
    "AvgPool", "Cast", "Max", "MaxPool", "Mean", "MirrorPad", "Pack", "Pad", "PadV2", "Reshape",
    "ResizeBilinear", "ResizeNearestNeighbor", "Squeeze", "StridedSlice", "Transpose",
}  # fmt: skip

LEARNED = {"BatchMatMulV2", "Conv2D", "DepthwiseConv2dNative", "MatMul"}

# What code between layers does, how many inputs that takes, and what to call it.
BETWEEN_LAYERS = {
    **dict.fromkeys(("Relu", "Relu6"), (1, "relu")),
    **dict.fromkeys(("Add", "AddV2", "AddN"), (2, "add")),
    **dict.fromkeys(("Concat", "ConcatV2"), (2, "concat")),
    "Mul": (2, "mul"),
    "Elu": (1, "elu"),
    "Selu": (1, "selu"),
    "LeakyRelu": (1, "leaky_relu"),
}

# Scopes TensorFlow opens inside one layer, and those of calls.
INNER_SCOPES = re.compile(
    r"batchnorm|moments|Tensordot|einsum|convolution|Reshape(_\d+)?|(Stateful)?PartitionedCall(_\d+)?"
)


class Wiring:
    """Who reads whom in a graph sorted from input to output, and what depends on the input."""

    def __init__(self, graph_def: GraphDef):
        self.nodes = {node.name: node for node in graph_def.node}
        self.readers: dict[str, list[str]] = {name: [] for name in self.nodes}
        self.depends: dict[str, None] = {}
        for node in graph_def.node:
            for source in dict.fromkeys(map(node_of, node.input)):
                self.readers[source].append(node.name)
            if node.op == "Placeholder" or self.inputs(node.name):
                self.depends[node.name] = None

    def inputs(self, name: str) -> list[str]:
        """The nodes it reads that depend on the graph's input."""
        sources = dict.fromkeys(map(node_of, self.nodes[name].input))
        return [source for source in sources if source in self.depends]

    def op(self, name: str) -> str:
        """A node's operation."""
        return self.nodes[name].op

    def is_linear_step(self, name: str) -> bool:
        """Whether a node scales or shifts its one input by constants."""
        return self.op(name) in ELEMENTWISE and len(self.inputs(name)) == 1

    def is_activation(self, name: str) -> bool:
        """Whether all a node does ends in an activation, with at most scaling and shifting before."""
        if self.op(name) in ACTIVATIONS or (self.op(name) == "Mul" and len(self.inputs(name)) == 2):
            return True
        readers = self.readers[name]
        return self.is_linear_step(name) and bool(readers) and all(map(self.is_activation, readers))


def named(graph_def: GraphDef, labels: Labels) -> tuple[GraphDef, list[str]]:
    """Give every node a name that says which layer it is part of.

    A layer's output has the layer's name, so that "conv4_block6_out" is what Keras calls so; what
    goes into its activation is `<layer>_pre_relu` or `<layer>_pre_activation`; a ReLU, sum or
    concatenation that is no layer's is named after the layer before it: `<layer>_relu`. All other
    nodes are named after the layer that needs them: `<layer>/Conv2D`.

    Args:
        graph_def: sorted from its one placeholder to its output.
        labels: the layers, inner ones first.

    Returns:
        The same graph with the placeholder called `input`, and the layers worth listing: see
        `_is_listed`.
    """
    wiring = Wiring(graph_def)
    root = next(iter(wiring.depends))
    names = _Names()
    names.give(root, "input")
    for node, label in _shortened(labels):
        if node in wiring.depends and node != root:
            names.give(node, label)
    _name_between(wiring, names, root)
    learned = _after(wiring, LEARNED)
    layers = [node for node in wiring.depends if node in names.of and node in learned]
    listed = [names.of[node] for node in layers if _is_listed(wiring, node)]
    _name_before(wiring, names)
    return _renamed(graph_def, {**names.of, **_inside(wiring, names.of)}, names.second), listed


class _Names:
    """Names given so far: {node: name}, and {second name: node}."""

    def __init__(self) -> None:
        self.of: dict[str, str] = {}
        self.second: dict[str, str] = {}

    def give(self, node: str, label: str) -> None:
        """Name a node, with a number behind where the name is taken."""
        label = re.sub(r"[^A-Za-z0-9_.-]", "_", label).lstrip("_.-") or "layer"
        taken = {*self.of.values(), *self.second}
        name = label
        for i in range(1, len(taken) + 1):
            if name in taken:
                name = f"{label}_{i}"
        if node in self.of:
            self.second[name] = node
        else:
            self.of[node] = name


def _name_between(wiring: Wiring, names: _Names, root: str) -> None:
    """Name what code between layers does after the layer before it."""
    models = {scope for node in names.of for scope in _scopes_around(node)}
    before = {root: ""}
    for node in list(wiring.depends)[1:]:
        inputs = wiring.inputs(node)
        before[node] = before[inputs[0]]
        count, what = BETWEEN_LAYERS.get(wiring.op(node), (0, ""))
        ours = what and len(inputs) >= count and _scope(node) in models
        if node not in names.of and ours and before[node]:
            names.give(node, f"{before[node]}_{what}")
        before[node] = names.of.get(node, before[node])


def _name_before(wiring: Wiring, names: _Names) -> None:
    """Name what goes into a layer's own activation."""
    for node in [node for node in wiring.depends if node in names.of and wiring.op(node) in ACTIVATIONS]:
        before = wiring.inputs(node)[0]
        if before not in names.of:
            kind = "relu" if wiring.op(node).startswith("Relu") else "activation"
            names.give(before, f"{names.of[node]}_pre_{kind}")


def scope_labels(graph_def: GraphDef) -> list[tuple[str, tuple[str, ...]]]:
    """Layers by the scopes of a graph's names: where the flow leaves a scope is its layer's output.

    For graphs whose layers are gone, as those of a SavedModel.
    """
    wiring = Wiring(graph_def)
    scopes = {
        node: tuple(part for part in node.split("/")[:-1] if not INNER_SCOPES.fullmatch(part))
        for node in wiring.nodes
    }
    left: dict[tuple[str, ...], str] = {}
    for node in reversed(wiring.depends):
        around = [scopes[node][:depth] for depth in range(len(scopes[node]), 0, -1)]
        for scope in around:
            readers = wiring.readers[node]
            if not readers or any(scopes[reader][: len(scope)] != scope for reader in readers):
                left.setdefault(scope, node)
    labels = [(left[scope], scope) for scope in sorted(left, key=len, reverse=True)]
    if 2 * sum(path[-1].endswith("_1") for _, path in labels) > len(labels):
        # Keras opens the scope of each layer once before it calls it: the first call is the second.
        labels = [(node, tuple(part.removesuffix("_1") for part in path)) for node, path in labels]
    if len({path[0] for _, path in labels}) == 1:  # the model itself, which all are part of
        labels = [(node, path[1:]) for node, path in labels if path[1:]]
    return labels


def _shortened(labels: Labels) -> list[tuple[str, str]]:
    """Layers by their own names, or by their whole paths where a name occurs twice."""
    labels = [(tensor, tuple(path)) for tensor, path in labels if path]
    count = Counter(path[-1] for path in {path for _, path in labels})
    return [(tensor, path[-1] if count[path[-1]] == 1 else "_".join(path)) for tensor, path in labels]


def _is_listed(wiring: Wiring, name: str) -> bool:
    """Whether a layer's output is an end: of activations and sums, and of blocks without either.

    Left out are pooling and reshaping, and what only goes on to be normalized or activated: of a
    convolution, batch normalization and ReLU, the ReLU is listed.
    """
    readers = wiring.readers[name]
    if wiring.op(name) in RESHAPING or (len(readers) == 1 and wiring.is_linear_step(readers[0])):
        return False
    if wiring.op(name) in ACTIVATIONS:
        return True
    return not readers or not all(map(wiring.is_activation, readers))


def _after(wiring: Wiring, ops: set[str]) -> set[str]:
    """The nodes behind the first of some operations."""
    found: set[str] = set()
    for name in wiring.depends:
        if wiring.op(name) in ops or not found.isdisjoint(wiring.inputs(name)):
            found.add(name)
    return found


def _inside(wiring: Wiring, new: dict[str, str]) -> dict[str, str]:
    """Names for the nodes that have none, after the first layer that needs them."""
    owner: dict[str, str] = {}
    for name in reversed(wiring.nodes):
        readers = wiring.readers[name]
        owner[name] = new[name] if name in new else owner[readers[0]] if readers else "output"
    names, count = {}, Counter[str]()
    for name, node in wiring.nodes.items():
        if name not in new:
            inside = f"{owner[name]}/{node.op}"
            names[name] = f"{inside}_{count[inside]}" if count[inside] else inside
            count[inside] += 1
    return names


def _renamed(graph_def: GraphDef, new: dict[str, str], also: dict[str, str]) -> GraphDef:
    """The graph under new names; `also` are second names of nodes, as nodes beside the flow."""
    renamed = GraphDef(versions=graph_def.versions)
    for name, node in [(name, renamed.node.add()) for name in also]:
        node.name, node.op = name, "Identity"
        node.attr["T"].type = 1
        node.input.append(new[also[name]])
    for node in graph_def.node:
        copy = renamed.node.add()
        copy.CopyFrom(node)
        copy.name = new[node.name]
        for i, tensor in enumerate(node.input):
            copy.input[i] = new[node_of(tensor)] + tensor[len(node_of(tensor)) :]
    return renamed


def _scope(name: str) -> str:
    return name.rpartition("/")[0]


def _scopes_around(name: str) -> list[str]:
    """The scopes around a node's own scope."""
    parts = _scope(name).split("/")
    return ["/".join(parts[:i]) for i in range(len(parts) - 1, 0, -1)]
