"""Adversarial images: what makes a network change its mind without a person seeing a change."""

from typing import Any

import numpy as np
import tensorflow as tf

from lucid_ext.models.tracing import trace
from lucid_ext.models.vision_model import VisionModel

METHODS = ("fgsm", "pgd")
STEPS = 20
STRIDE = 2.5  # of epsilon, over all steps: PGD may reach the edge from anywhere (Madry et al., 2018)


def adversarial(
    model: VisionModel,
    image: Any,
    target: str | int | None,
    epsilon: float,
    method: str = "pgd",
    *,
    targeted: bool = True,
    steps: int = STEPS,
    seed: int = 0,
) -> np.ndarray:
    """An image no pixel of which is further than epsilon from the picture, and that misleads.

    With the loss L, the cross-entropy of the class: x' = x - epsilon sign(dL/dx) towards a class, with a
    plus away from it (FGSM: Goodfellow et al., Explaining and Harnessing Adversarial Examples, 2015);
    or many such steps, each followed by a projection into the cube of half-width epsilon, from a random
    start in it (PGD: Madry et al., Towards Deep Learning Models Resistant to Adversarial Attacks, 2018).

    Args:
        model: the network.
        image: anything `load_image` takes; its centre at the network's size is used.
        target: a class, by name or number; None means away from the class the network finds now.
        epsilon: the largest change of any level, in [0, 1] units, such as 4 / 255.
        method: "fgsm" or "pgd".
        targeted: towards `target`, or away from it.
        steps: how many, for PGD.
        seed: of PGD's random start.

    Returns:
        float32 (height, width, 3) in [0, 1], of the network's size.

    Raises:
        ValueError: for a class, an epsilon, a method or a number of steps that make no sense.
    """
    if method not in METHODS:
        raise ValueError(f"there is no method {method!r}; expected one of {', '.join(METHODS)}.")
    if not 0 <= epsilon <= 1:
        raise ValueError(f"epsilon is {epsilon}; expected 0 to 1, such as 4 / 255.")
    if steps < 1:
        raise ValueError(f"steps is {steps}; expected at least 1.")
    clean = model.prepare(image)
    if target is None:
        index = int(model.activations(clean, model.logits).argmax())
    else:
        index = _class_number(model, target)
    towards = targeted and target is not None
    low, high = np.maximum(clean - epsilon, 0), np.minimum(clean + epsilon, 1)
    if method == "fgsm":
        x, steps, stride = clean, 1, epsilon
    else:
        start = np.random.default_rng(seed).uniform(-epsilon, epsilon, clean.shape)
        x, stride = np.clip(clean + start.astype(np.float32), low, high), STRIDE * epsilon / steps
    gradient = _gradient(model)
    for _ in range(steps):
        sign = np.sign(gradient(tf.constant(x[None]), tf.constant([index])).numpy()[0])
        x = np.clip(x - stride * sign if towards else x + stride * sign, low, high)
    return x.astype(np.float32)


def _gradient(model: VisionModel) -> Any:
    """The traced function (images, classes) -> d cross-entropy / d images."""
    if "cross-entropy gradient" not in model.memo:

        def run(x: tf.Tensor, classes: tf.Tensor) -> tf.Tensor:
            (logits,) = model.splice({"input": model.to_range(x)}, [model.logits])
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(classes, logits)
            return tf.gradients(loss, x)[0]

        spec = [tf.TensorSpec((1, *model.size, 3), tf.float32), tf.TensorSpec((1,), tf.int32)]
        model.memo["cross-entropy gradient"] = trace(run, *spec)
    return model.memo["cross-entropy gradient"]


def _class_number(model: VisionModel, name: str | int) -> int:
    if isinstance(name, str) and name in model.labels:
        return model.labels.index(name)
    if isinstance(name, int | np.integer) and 0 <= name < len(model.labels):
        return int(name)
    raise ValueError(
        f"{model.name} has no class {name!r}; expected a name, such as {model.labels[0]!r}, or a number "
        f"from 0 to {len(model.labels) - 1}."
    )
