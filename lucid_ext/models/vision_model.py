"""`VisionModel`: a frozen graph, its layers, and the one primitive everything else is built on."""

import dataclasses
import difflib
import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from lucid_ext.models.activation import add_uncapped, before_activation, limits
from lucid_ext.models.graph import GraphDef, add_pre_relu, between, in_order, take_weights
from lucid_ext.models.images import as_picture
from lucid_ext.models.layers import Layers, dependencies, receptive_fields
from lucid_ext.models.metadata import check_labels, check_range, check_size, printable
from lucid_ext.models.opening import Opening, by_shapes, stated
from lucid_ext.models.paths import beside, bottlenecks, own_head
from lucid_ext.models.sizes import infer_shapes
from lucid_ext.models.tracing import trace

# What a layer can end in; of the nodes that all of the image passes through, these are listed
# unless it is said which.
LAYER_OPS = {"Relu", "Relu6", "Concat", "ConcatV2", "Add", "AddV2", "Elu", "Selu", "LeakyRelu"}

PROBABLE = 0.1
"""A class that is less probable than this is no name for what is in a picture."""


@dataclasses.dataclass(frozen=True)
class LayerFunction:
    """The function from one layer to later ones, as `VisionModel.function` gives it.

    Attributes:
        run: from a batch of the source's activations to the targets' tensors.
        held: nodes that the source does not decide, held at an image's values; mostly none.
    """

    run: Callable[[Any], list[tf.Tensor]]
    held: tuple[str, ...]

    def __call__(self, x: Any) -> list[tf.Tensor]:
        """The targets' tensors, in order, for the source's (n, h, w, c) or (n, c)."""
        return self.run(x)


class VisionModel:
    """An image classifier as a frozen graph.

    Attributes:
        name: what to call it.
        digest: hexadecimal digest of the whole graph, weights included.
        labels: class names, in the order of the logits.
        layers: {name: shape}, from the image to the logits; (h, w, c), or (c,) without positions;
            prints as a table, with receptive fields.
        size: (height, width) of its own input, in pixels.
        logits: the node before the softmax.
        softmax: the node of the class probabilities; where classes do not exclude each other
            (sigmoids), they need not sum to 1.
        recipes: how its pictures are drawn, where that is known; see `lucid_ext.optvis.recipes`.
        memo: for whoever makes something costly from the network and wants it to live as long.
    """

    def __init__(
        self,
        graph_def: GraphDef,
        *,
        labels: Sequence[str],
        size: tuple[int, int],
        value_range: tuple[float, float] | tuple[np.ndarray, np.ndarray],
        name: str,
        layers: Collection[str] | None = None,
        opening: Mapping[str, Any] | None = None,
        recipes: Mapping[str, Any] | None = None,
    ):
        """Take a checked graph from `input` to a softmax, or to sigmoids.

        Args:
            graph_def: a frozen graph, as `read` returns it.
            labels: class names; the graph may have more logits than names.
            size: (height, width) in pixels its layers are listed for.
            value_range: what 0 and 1 in an image become at the input node; numbers, or (3,) each.
            name: what to call it.
            layers: nodes to list as layers, if all of the image passes through them; by default
                those that end in a ReLU, a concatenation or a sum.
            opening: which of them interfaces open with, as `Opening` has it; by default what their
                shapes suggest.
            recipes: how its pictures are drawn, {kind: {layer or "*": fields of a recipe}}; see
                `lucid_ext.optvis.recipes`.

        Raises:
            ValueError: one sentence; it is no image classifier, takes too much memory or time, or
                what is said of it does not fit.
        """
        self.name = name = printable(name)
        self.size = check_size(size, name)
        self.value_range = check_range(value_range, name)
        labels = check_labels(labels, name)
        self.digest = hashlib.sha256(graph_def.SerializeToString(deterministic=True)).hexdigest()
        self.graph_def = graph_def
        self._structure, weights = take_weights(graph_def)
        self._weights = {name: tf.constant(value) for name, value in weights.items()}
        add_pre_relu(self._structure)
        self._uncapped = add_uncapped(self._structure)
        self._structure = in_order(self._structure, name)
        self._nodes = {node.name: node for node in self._structure.node}
        self.memo: dict[str, Any] = {}
        self._functions: dict[Any, Callable] = {}
        own = own_head(self._structure, name)
        self.logits = own.input[0].split(":")[0]
        self.softmax = own.name
        self.layers = self._find_layers(layers)
        if not self.layers[self.logits]:
            raise ValueError(f"{name} gives one number for an image; expected one for each of its classes.")
        classes = self.layers[self.logits][-1]
        if len(labels) > classes:
            raise ValueError(f"{name} has {len(labels)} labels for {classes} classes; expected one for each.")
        self.labels = [*labels, *(f"class {i}" for i in range(len(labels), classes))]
        self._opening = opening
        self.recipes = dict(recipes or {})

    def __repr__(self) -> str:
        """Name, classes and layers in one line."""
        return (
            f"VisionModel({self.name}, {self.size[0]} x {self.size[1]} px, "
            f"{len(self.labels)} classes, {len(self.layers)} layers)"
        )

    @property
    def opening(self) -> Opening:
        """The layers that interfaces open with.

        Raises:
            ValueError: it has no layer with positions, or what was stated does not fit.
        """
        if self._opening is None:
            return by_shapes(self.layers, self.name)
        return stated(self._opening, self.layers, self.name)

    def splice(self, replaced: Mapping[str, tf.Tensor], fetch: Sequence[str]) -> list[tf.Tensor]:
        """Import the part of the network between `replaced` and `fetch`. The one primitive.

        Call it inside a traced function (`tf.function`). Weights are mapped in, so that many
        functions share one copy of them. A `gradient_override_map` around it reaches the ops.

        Args:
            replaced: {node: tensor to use in its place}; `input` takes values in `value_range`.
            fetch: nodes to return.

        Returns:
            Their tensors, in order.
        """
        given = {**self._weights, **replaced}
        part = between(self._structure, given.keys(), fetch)
        if any(node.op == "Placeholder" for node in part.node):
            raise ValueError(
                f"{', '.join(replaced)} does not decide {', '.join(fetch)} alone: "
                "the image reaches it by other paths too; replace a layer that all paths go through, "
                "or give the image to hold them at."
            )
        read = {i for node in part.node for i in node.input} & given.keys()
        names = [name for name in fetch if name not in given]
        found = tf.graph_util.import_graph_def(
            part,
            # An eager tensor becomes an input of the function being traced, not a copy in it.
            input_map={name: tf.convert_to_tensor(given[name]) for name in read},
            return_elements=[f"{name}:0" for name in names],
            name="network",
        )
        tensors = dict(zip(names, found, strict=True))
        return [given[name] if name in given else tensors[name] for name in fetch]

    def function(
        self, source: str, targets: Sequence[str], image: np.ndarray | None = None
    ) -> "LayerFunction":
        """The function from one layer (or `input`) to later ones, traced once per image size.

        `input` here takes images in [0, 1]: (n, h, w, 3).

        Args:
            source: a layer, or any node.
            targets: layers or nodes that come after it.
            image: (H, W, 3) in [0, 1]. Where other paths lead from the input around `source`, as
                in a residual block, what comes along them is held at its values for this image,
                and `held` of the result says which nodes those are.

        Raises:
            ValueError: there are such paths, and no image to hold them at; or, when it is called, it
                cannot be computed.
            MemoryError: when it is called: for so many, there is not enough.
        """
        held = [] if image is None else self.held(source, targets)
        values = self.function("input", held)(self.prepare(image)[None]) if image is not None and held else []

        def run(x: tf.Tensor, *values: tf.Tensor) -> list[tf.Tensor]:
            batch = tf.shape(x)[0]
            fixed = {name: tf.repeat(value, batch, 0) for name, value in zip(held, values, strict=True)}
            return self.splice({**fixed, source: self.to_range(x) if source == "input" else x}, targets)

        def call(x: Any) -> list[tf.Tensor]:
            x = tf.convert_to_tensor(x, tf.float32)
            key = (source, tuple(targets), tuple(held), tuple(x.shape[1:]))
            if key not in self._functions:
                spec = [tf.TensorSpec([None, *x.shape[1:]], tf.float32)]
                spec += [tf.TensorSpec(value.shape, value.dtype) for value in values]
                self._functions[key] = trace(run, *spec)
            try:
                return self._functions[key](x, *values)
            except tf.errors.ResourceExhaustedError as error:
                raise MemoryError(
                    f"{self.name} ran out of memory on {x.shape[0]} of {source}, {tuple(x.shape[1:])} each: "
                    "give fewer at once, or smaller images."
                ) from error
            except tf.errors.OpError as error:
                reason = [line for line in str(error.message).splitlines() if "[[" not in line][-1]
                raise ValueError(f"{self.name} cannot compute {targets[-1]}: {reason[:200]}.") from error

        return LayerFunction(call, tuple(held))

    def held(self, source: str, targets: Sequence[str]) -> list[str]:
        """The nodes that decide `targets` together with `source`, and do not depend on it; see `function`.

        Raises:
            ValueError: a target does not come after `source`.
        """
        return [] if source == "input" else beside(self._structure, source, targets)

    def weights(self, source: str, target: str) -> dict[str, tf.Tensor]:
        """The weights between two layers, by node name; `splice` can be given others in their place."""
        part = between(self._structure, {source, *self._weights}, [target])
        read = {i for node in part.node for i in node.input}
        return {name: value for name, value in self._weights.items() if name in read}

    def ops(self, source: str, target: str) -> set[str]:
        """The types of the operations between two layers, as "Conv2D"."""
        part = between(self._structure, {source, *self._weights}, [target])
        return {node.op for node in part.node}

    def dependencies(self, source: str, target: str) -> tuple[np.ndarray, np.ndarray]:
        """Which cells of `source` a cell of `target` can depend on; both are layers with positions.

        Returns:
            Boolean (H, h) and (W, w): rows of the target by rows of the source, and columns.
        """
        kernels = {name: tuple(weight.shape) for name, weight in self._weights.items()}
        grids = [self.shape_of(name, self.size)[:2] for name in (source, target)]
        return dependencies(self._structure, kernels, source, grids[0], target, grids[1])

    def to_range(self, images: tf.Tensor) -> tf.Tensor:
        """Images in [0, 1] as the input node takes them."""
        low, high = self.value_range
        return low + (high - low) * images

    def prepare(self, image: Any) -> np.ndarray:
        """Return the centre of an image at the network's own size.

        Args:
            image: anything `load_image` takes.

        Returns:
            float32 (height, width, 3) in [0, 1]: what the network sees.
        """
        crop = self.crop(image)
        if crop.shape[:2] == self.size:
            return crop
        resized = tf.image.resize(crop, self.size, method="bicubic", antialias=True)
        return np.clip(resized.numpy(), 0.0, 1.0)

    def crop(self, image: Any) -> np.ndarray:
        """Return the largest centred part of an image that has the shape of the network's input.

        Args:
            image: anything `load_image` takes.
        """
        image = as_picture(image)
        height, width = self.size
        scale = min(image.shape[0] / height, image.shape[1] / width)
        crop_h, crop_w = max(1, round(height * scale)), max(1, round(width * scale))
        top, left = (image.shape[0] - crop_h) // 2, (image.shape[1] - crop_w) // 2
        return image[top : top + crop_h, left : left + crop_w]

    def activations(self, image: Any, layer: str | Sequence[str], uncapped: bool = False) -> Any:
        """Return activations of one layer, or of several in one pass.

        Args:
            image: anything `load_image` takes; its centre at the network's size is used.
            layer: a name in `layers` or of any node of the graph; or a sequence of them.
            uncapped: give what each would be without a cap, as ReLU6 has; see `uncapped`.

        Returns:
            float32 (h, w, c), after the ReLU, or (c,) for a layer without positions; for a
            sequence, a dict by name.
        """
        names = [layer] if isinstance(layer, str) else list(layer)
        for name in names:
            self.check_layer(name)
        read = [self.uncapped(name) for name in names] if uncapped else names
        found = self.function("input", read)(self.prepare(image)[None])
        arrays = {name: tensor.numpy()[0] for name, tensor in zip(names, found, strict=True)}
        return arrays[layer] if isinstance(layer, str) else arrays

    def predict(self, image: Any, top: int = 5) -> list[tuple[str, float]]:
        """Return the `top` most probable classes: [(label, probability)], falling.

        Args:
            image: anything `load_image` takes.
            top: how many.
        """
        probabilities = self.activations(image, self.softmax)
        order = np.argsort(-probabilities, kind="stable")[:top]
        return [(self.labels[i], float(probabilities[i])) for i in order]

    def uncapped(self, layer: str) -> str:
        """Return the node that has a layer's values without a cap, as ReLU6 has; mostly the layer itself.

        By it channels are ranked and icons compared with photographs. What the network passes on, and
        so attributes and removes, is the layer.
        """
        return self._uncapped.get(layer, layer)

    def passed_on(self, layer: str, uncapped: np.ndarray) -> np.ndarray:
        """Return what the network passes on of a layer's values without their cap: (..., c) alike."""
        found = limits(layer, self._nodes, lambda node: self.shape_of(node, self.size)[-1])
        return uncapped if found is None else np.clip(uncapped, *found)

    def before_activation(self, layer: str) -> str:
        """Return the node whose values a layer's activation is given; the layer itself where it has none."""
        self.check_layer(layer)
        return before_activation(layer, self._nodes)

    def check_layer(self, layer: str) -> None:
        """Raise a ValueError that names the nearest layers unless `layer` is in the graph."""
        if layer not in self._nodes:
            near = difflib.get_close_matches(str(layer), [*self.layers, *self._nodes], 3, 0.5)
            hint = f"; did you mean {', '.join(near)}?" if near else "."
            raise ValueError(
                f"{self.name} has no layer {layer!r}{hint} Its layers: {', '.join(self.layers)}."
            )

    def check_spatial(self, layer: str) -> None:
        """Raise a ValueError unless `layer` is a listed layer with positions."""
        self.check_layer(layer)
        if len(self.layers.get(layer, ())) != 3:
            spatial = ", ".join(name for name, shape in self.layers.items() if len(shape) == 3)
            raise ValueError(f"{layer} is no listed layer with positions; expected one of {spatial}.")

    def check_unit(self, layer: str, unit: int) -> None:
        """Raise a ValueError unless `layer` has a channel of this number."""
        self.check_layer(layer)
        channels = (self.layers.get(layer) or self.shape_of(layer, self.size))[-1]
        if not (isinstance(unit, int | np.integer) and 0 <= unit < channels):
            raise ValueError(
                f"{layer} of {self.name} has channels 0 to {channels - 1}; there is no {unit!r}."
            )

    def shape_of(self, layer: str, size: Sequence[int]) -> tuple[int, ...]:
        """The shape of one layer, without the batch, for an input of `size` (height, width)."""
        if layer == "input":
            return (*size, 3)
        if tuple(size) == self.size and layer in self.layers:
            return self.layers[layer]
        return self._shapes([layer], size)[layer]

    def _find_layers(self, layers: Collection[str] | None) -> Layers:
        if layers is None:
            layers = {name for name, node in self._nodes.items() if node.op in LAYER_OPS}
        for name in layers:
            if name not in self._nodes:
                raise ValueError(
                    f"{self.name} has no node {name!r}; expected its layers to be nodes of the graph."
                )
        chain = bottlenecks(self._structure, "input", self.logits)
        names = [*(name for name in chain if name in layers and name != self.logits), self.logits]
        kernels = {name: tuple(weight.shape) for name, weight in self._weights.items()}
        shapes = self._shapes([*names, self.softmax], self.size)
        del shapes[self.softmax]
        return Layers(shapes, receptive_fields(self._structure, kernels, names))

    def _shapes(self, names: Sequence[str], size: Sequence[int]) -> dict[str, tuple[int, ...]]:
        """Shapes of nodes, without the batch, for images of `size`; nothing is run.

        Raises:
            ValueError: one sentence; they cannot be computed, or would take too much.
        """
        part = between(self._structure, {"input", *self._weights}, names)
        given = {name: tf.TensorSpec(weight.shape, weight.dtype) for name, weight in self._weights.items()}
        given["input"] = tf.TensorSpec((1, *size, 3), tf.float32)
        try:
            shapes = infer_shapes(part, given, self.name)
            # What was made for one number of positions may also take a few for several images.
            if any(shapes.get(name, (0,))[:1] not in ((), (1,), (None,)) for name in names):
                raise ValueError(f"{names[-1]} of {self.name} cannot be computed from its input.")
        except ValueError as error:
            if tuple(size) == self.size:
                raise
            raise ValueError(
                f"{names[-1]} of {self.name} cannot be computed for {size[0]} x {size[1]} pixels; its "
                f"own size is {self.size[0]} x {self.size[1]}: give images of that size, untransformed."
            ) from error
        return {name: shapes[name][1:] for name in names}
