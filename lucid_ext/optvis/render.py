"""`render_vis`: Lucid's function, with its signature and its objectives, on TensorFlow 2."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tqdm.auto import tqdm

from lucid_ext.models.lucid_model import from_lucid
from lucid_ext.models.vision_model import VisionModel
from lucid_ext.optvis.ascent import Ascent, evaluate, uniform_draws
from lucid_ext.optvis.importance import FADE, composited, opacity
from lucid_ext.optvis.recipe import Recipe
from lucid_ext.optvis.transform import STANDARD, Crops, Transform

LUCID = Recipe(size=128, decay_power=1.0, contrast=1.0)
"""Lucid's own defaults for the image."""


def render_vis(
    model: Any,
    objective_f: Any,
    param_f: Callable[[], tf.Tensor] | None = None,
    optimizer: Any = None,
    transforms: Transform | Crops | Sequence[Callable] | None = None,
    thresholds: Sequence[int] = (512,),
    print_objectives: Sequence[Any] | None = None,
    verbose: bool = True,
    relu_gradient_override: bool = True,
    use_fixed_seed: bool = False,
    *,
    recipe: Recipe | None = None,
    batch: int = 1,
    seed: int | None = None,
    alpha: bool = False,
    progress: bool = True,
) -> list[np.ndarray]:
    """Find images that raise an objective.

    x* = argmax_x E_t[objective(t(x))], where t is a random transformation.

    Args:
        model: the network: a `VisionModel`, or a `Model` of Lucid's model zoo.
        objective_f: an objective of `lucid.optvis.objectives`, "layer:channel", or any function of
            T, where T(layer) are its activations (n, h, w, c) and T("input") the images.
        param_f: makes the images as a tensor of variables, as Lucid's `param.image`
            or `lucid_ext.optvis.param.phases` do; by default one 128 x 128 Fourier image in
            decorrelated colour.
        optimizer: with `apply_gradients`, of Keras or TensorFlow 1; by default Adam at 0.05.
        transforms: a `Transform` or `Crops` (drawn per image, reproducible) or a list of Lucid's transforms
            (drawn once for the batch, not reproducible); by default Lucid's standard ones.
        thresholds: step counts at which to keep the images.
        print_objectives: further objectives whose values are printed at thresholds.
        verbose: print the objective and show the images at each threshold.
        relu_gradient_override: let gradients through ReLUs that would block all of them.
        use_fixed_seed: the same as seed=0.
        recipe: everything as icons have it: image, steps, optimizer and transformations at once.
            As good as Lucid's own in a fifth to a third of the steps.
        batch: how many images, where `param_f` does not say.
        seed: same seed, same images; None draws one.
        alpha: return RGBA, where alpha says how far each pixel mattered to the objective (see
            `importance`), instead of fading images to grey where the recipe says so.
        progress: show a progress bar.

    Returns:
        For each threshold, float32 (n, h, w, 3) in [0, 1]; (n, h, w, 4) with alpha. An interrupted run
        returns what it had reached, as Lucid does.
    """
    from lucid.optvis.objectives import as_objective

    if not isinstance(model, VisionModel):
        model = from_lucid(model)
    if seed is None:
        seed = 0 if use_fixed_seed else int(np.random.default_rng().integers(2**31))
    if isinstance(objective_f, str):
        _check_name(model, objective_f)
    objective = as_objective(objective_f)
    if objective is None:
        raise ValueError(f"objective_f is {objective_f!r}; expected an objective or 'layer:channel'.")
    if recipe is not None:
        if any(given is not None for given in (param_f, optimizer, transforms)):
            raise ValueError(
                "a recipe says how to make the image, the optimizer and the transforms: leave out "
                "param_f, optimizer and transforms, or the recipe."
            )
        optimizer, transforms, thresholds = recipe.optimizer(), recipe.transform, (recipe.steps,)
    if param_f is None:
        images: Any = (recipe or LUCID).images(batch)
        images.restart([np.random.default_rng(seed if batch == 1 else [seed, i]) for i in range(batch)])
        variables = images.variables
    else:
        images, variables = _from_lucid(param_f, seed)
        if alpha and images().shape[-1] != 3:
            raise ValueError("param_f makes images with an alpha of their own: leave out alpha=True.")
    fade = recipe.fade if recipe is not None else 0.0
    ascent = Ascent(
        model,
        objective,
        images,
        variables,
        _as_transform(transforms),
        optimizer() if callable(optimizer) else optimizer or tf.keras.optimizers.Adam(0.05),
        relu_gradient_override,
        importance=alpha or fade > 0,
    )
    generators = [np.random.default_rng([seed, i]) for i in range(ascent.images().shape[0])]
    kept: list[np.ndarray] = []
    steps = tqdm(range(max(thresholds) + 1), desc="render_vis", unit="step", disable=not progress)
    try:
        for step in steps:
            value = ascent.step(uniform_draws(generators), {})
            if step in thresholds:
                kept.append(_shown(ascent, fade, alpha))
                if verbose:
                    _report(step, value, print_objectives, model, kept[-1])
    except KeyboardInterrupt:
        kept.append(_shown(ascent, fade, alpha))
    return kept


def _shown(ascent: Ascent, fade: float, alpha: bool) -> np.ndarray:
    """The images as they are now, with what mattered of them as a fourth channel or by fading."""
    images = ascent.images()
    if alpha:
        return np.concatenate([images, opacity(ascent.importance(), fade or FADE)[..., None]], -1)
    return composited(images, opacity(ascent.importance(), fade)) if fade else images


def _check_name(model: VisionModel, name: str) -> None:
    """Refuse "layer:channel" unless there is such a channel."""
    layer, _, unit = name.partition(":")
    if not unit.strip().isdigit():
        raise ValueError(f"the objective is {name!r}; expected 'layer:channel', such as 'conv1:42'.")
    model.check_unit(layer.strip(), int(unit))


def _from_lucid(
    param_f: Callable[[], tf.Tensor], seed: int
) -> tuple[Callable[[], tf.Tensor], list[tf.Variable]]:
    """Lucid's parameterizations make version 1 variables from NumPy's global random state.

    Those of `param.cppn` start from TensorFlow's own random numbers: no seed reaches them.
    """
    state = np.random.get_state()
    np.random.seed(seed)
    try:
        images = tf.compat.v1.wrap_function(param_f, [])
    finally:
        np.random.set_state(state)
    return images, list(images.graph.variables)


def _as_transform(transforms: Any) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    if transforms is None:
        return STANDARD
    if isinstance(transforms, Transform | Crops):
        return transforms
    functions = list(transforms)

    def one_after_another(images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        for function in functions:
            images = function(images)
        return images

    return one_after_another


def _report(
    step: int, value: np.ndarray, others: Sequence[Any] | None, model: VisionModel, images: np.ndarray
) -> None:
    """Print objectives and show the images, as Lucid does at a threshold."""
    from lucid.misc.io import show

    print(step, value)
    for other in others or ():
        print(f"{other.description}: {evaluate(model, other, images)}")
    show(np.hstack(list(images)))
