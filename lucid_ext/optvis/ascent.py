"""The optimisation behind every icon: gradient ascent on images, many at once, each on its own."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from lucid_ext.models.gradients import REDIRECTED_RELU, gradient_overrides
from lucid_ext.models.tracing import trace
from lucid_ext.models.vision_model import VisionModel
from lucid_ext.optvis.importance import importance_of
from lucid_ext.optvis.transform import DRAWS

Objective = Callable[[Callable[[str], Any]], tf.Tensor]
"""Lucid's form of an objective: from a function that gives tensors by name to what to raise."""


class Ascent:
    """One traced step of an optimisation, to be taken as often as wanted.

    Traced once; `inputs` may change from batch to batch, so that icons of a hundred units cost one
    trace.
    """

    def __init__(
        self,
        model: VisionModel,
        objective: Objective,
        images: Callable[[], tf.Tensor],
        variables: Sequence[tf.Variable],
        transform: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
        optimizer: Any,
        redirect_relu: bool = True,
        importance: bool = False,
    ):
        """Prepare an ascent.

        Args:
            model: the network; only the part under the objective's layers is used.
            objective: what to raise; its value may have one number per image.
            images: gives the images, (n, h, w, 3) in [0, 1], made from `variables`.
            variables: what is optimised.
            transform: from images and uniform draws (n, 4) to what the network sees.
            optimizer: anything with `apply_gradients`: of Keras, or of TensorFlow 1.
            redirect_relu: let gradients through ReLUs that block all of an image's.
            importance: keep account of where gradients reach the images, for `importance()`.
        """
        self._model, self._objective = model, objective
        self._variables, self._optimizer = list(variables), optimizer
        self._transform = transform
        self._overrides = REDIRECTED_RELU if redirect_relu else {}
        self._images = images
        self._importance = tf.Variable(tf.zeros(images().shape[:3])) if importance else None
        keras = isinstance(optimizer, tf.keras.optimizers.Optimizer)
        if keras:
            optimizer.build(self._variables)
            self._start = [(v, v.numpy()) for v in optimizer.variables]
        self._run = self._descend if keras else self._gradients
        self._step: Callable | None = None
        self._eager_apply = not keras

    def restart(self) -> None:
        """Forget the optimizer's momentum and step count, and what was important."""
        for variable, value in self._start:
            variable.assign(value)
        if self._importance is not None:
            self._importance.assign(tf.zeros_like(self._importance))

    def step(self, draws: np.ndarray, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """Take one step; returns the objective before it.

        Args:
            draws: (n, 4) uniform numbers for the transform.
            inputs: tensors the objective asks for by name beside layers.
        """
        given = tf.constant(draws), {k: tf.convert_to_tensor(v) for k, v in inputs.items()}
        if self._step is None:
            # Traced by hand: TensorFlow would warn of every fifth `Ascent` that it traces too often.
            self._step = trace(self._run, *given)
        found = self._step(*given)
        if self._eager_apply:
            value, gradients = found
            self._optimizer.apply_gradients(list(zip(gradients, self._variables, strict=True)))
        else:
            value = found
        return value.numpy()

    def images(self) -> np.ndarray:
        """The images as they are now: float32 (n, h, w, 3) in [0, 1]."""
        return self._images().numpy()

    def importance(self) -> np.ndarray:
        """Return how far each pixel mattered, added up over the steps so far: float32 (n, h, w)."""
        assert self._importance is not None, "ask for it when the ascent is made"
        return self._importance.numpy()

    def _descend(self, draws: tf.Tensor, inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        value, gradients = self._gradients(draws, inputs)
        self._optimizer.apply_gradients(list(zip(gradients, self._variables, strict=True)))
        return value

    def _gradients(self, draws: tf.Tensor, inputs: dict[str, tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
        images = self._images()
        seen = self._transform(images, draws)
        layers = layers_of(self._model, self._objective, images, seen, inputs)
        with gradient_overrides(self._overrides):
            found = self._model.splice({"input": self._model.to_range(seen)}, layers)
        tensors = {**inputs, **dict(zip(layers, found, strict=True)), "input": images}
        value = self._objective(lookup(self._model, tensors))
        wanted = self._variables if self._importance is None else [*self._variables, images]
        gradients = tf.gradients(-value, wanted)
        if self._importance is not None:
            self._importance.assign_add(importance_of(gradients.pop()))
        return value, gradients


def lookup(model: VisionModel, tensors: Mapping[str, tf.Tensor]) -> Callable[[str], Any]:
    """The function T an objective is given: tensors by name, and the class names."""

    def get(name: str) -> Any:
        return model.labels if name == "labels" else tensors[name]

    return get


def layers_of(
    model: VisionModel,
    objective: Objective,
    images: tf.Tensor,
    seen: tf.Tensor,
    inputs: Mapping[str, tf.Tensor],
) -> list[str]:
    """Which layers an objective reads: it is tried once on a graph that is thrown away.

    The images may differ in size, and by an alpha channel, from what the network has `seen` of them.
    """
    asked: dict[str, None] = {}
    with tf.Graph().as_default():
        placeholder = tf.compat.v1.placeholder

        def get(name: str) -> Any:
            if name == "labels":
                return model.labels
            if name in inputs:
                return placeholder(inputs[name].dtype, inputs[name].shape)
            if name == "input":
                return placeholder(tf.float32, images.shape)
            model.check_layer(name)
            asked[name] = None
            return placeholder(tf.float32, (seen.shape[0], *model.shape_of(name, seen.shape[1:3])))

        objective(get)
    return list(asked)


def uniform_draws(generators: Sequence[np.random.Generator]) -> np.ndarray:
    """The next (n, 4) uniform numbers, a row from each image's own generator."""
    return np.stack([g.random(DRAWS, dtype=np.float32) for g in generators])


def evaluate(model: VisionModel, objective: Objective, images: np.ndarray) -> np.ndarray:
    """The value of an objective for images (n, h, w, 3) as they are, untransformed."""

    def run(x: tf.Tensor) -> tf.Tensor:
        layers = layers_of(model, objective, x, x, {})
        found = model.splice({"input": model.to_range(x)}, layers)
        return objective(lookup(model, {**dict(zip(layers, found, strict=True)), "input": x}))

    x = tf.convert_to_tensor(images, tf.float32)
    return trace(run, tf.TensorSpec(x.shape, tf.float32))(x).numpy()
