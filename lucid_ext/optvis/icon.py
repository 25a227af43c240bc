"""Icons: for each channel or direction of a layer, the picture that shows what it responds to."""

import dataclasses
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tqdm.auto import tqdm

from lucid_ext.models.vision_model import VisionModel
from lucid_ext.optvis.ascent import Ascent, uniform_draws
from lucid_ext.optvis.images import FourierImages
from lucid_ext.optvis.importance import composited, opacity
from lucid_ext.optvis.recipe import Recipe, strongest
from lucid_ext.optvis.recipes import recipe_of
from lucid_ext.optvis.shipped import shipped_sheet
from lucid_ext.optvis.store import Icon, IconStore, icon_key

RECIPE_VERSION = 4
"""Part of every icon's key; changes when the same recipe gives other pictures."""

BATCH = 4
"""Images optimised at once, padded to it: a shape is traced once, and pictures do not depend on how
many are asked for. More at once are no faster on two cores, and the first one comes later."""

LARGE, LARGE_BATCH = 20_000_000, 8
"""From so many bytes of weights on, eight at once are a tenth faster."""

GPU_BATCH = 64
"""The same where TensorFlow finds a GPU, which a few small images leave idle."""


def icons(
    model: VisionModel,
    layer: str,
    units: Sequence[int] | None = None,
    *,
    directions: np.ndarray | None = None,
    recipe: Recipe | None = None,
    seed: int = 0,
    store: IconStore | None = None,
    progress: bool = True,
) -> np.ndarray:
    """Icons of channels or of directions: x* = argmax_x E_t[mean over positions of <f(t(x)), v>].

    Taken from the sheets that come with the embedded network or from the icon store; rendered, and
    saved, where they are missing. An icon depends on its own direction and seed, not on what else
    is asked for.

    Args:
        model: the network.
        layer: a layer with positions.
        units: channel numbers; all of the layer's by default.
        directions: instead of units, vectors v: (n, c).
        recipe: how to render; by default the layer's `recipe_of` for icons, and for directions its sketch.
        seed: of the random start and transformations.
        store: where icons are kept; the user's cache by default.
        progress: show a progress bar while rendering.

    Returns:
        uint8 (n, size, size, 3).
    """
    model.check_spatial(layer)
    recipe = recipe or recipe_of(model, layer, "icon" if directions is None else "sketch")
    if directions is None:
        units = range(model.layers[layer][-1]) if units is None else units
        found = stream_units(model, layer, units, recipe, seed, store)
        count = len(units)
    else:
        found = stream_directions(model, layer, directions, recipe, seed, store)
        count = len(directions)
    pixels: list[Any] = [None] * count
    with tqdm(total=count, desc=f"icons of {layer}", unit="icon", disable=not progress) as bar:
        for i, icon in found:
            pixels[i] = icon.pixels
            bar.update()
    return np.stack(pixels) if pixels else np.zeros((0, recipe.size, recipe.size, 3), np.uint8)


def stream_units(
    model: VisionModel,
    layer: str,
    units: Sequence[int],
    recipe: Recipe | None = None,
    seed: int = 0,
    store: IconStore | None = None,
    go_on: Callable[[], bool] = lambda: True,
    whole: bool = False,
) -> Iterator[tuple[int, Icon]]:
    """Icons of channels, as (position in `units`, icon): those at hand first, then as they come.

    Arguments and errors are those of `icons`; `go_on` and `whole` are those of
    `stream_directions`.
    """
    model.check_spatial(layer)
    for unit in units:
        model.check_unit(layer, unit)
    own = recipe_of(model, layer)
    recipe = recipe or own
    sheet = shipped_sheet(model.digest, layer) if seed == 0 and recipe == own else None
    if sheet is not None:
        yield from ((i, sheet.icon(unit)) for i, unit in enumerate(units))
        return
    directions = np.eye(model.layers[layer][-1], dtype=np.float32)[list(units)]
    yield from stream_directions(model, layer, directions, recipe, seed, store, go_on, whole)


def receipt(
    model: VisionModel, layer: str, unit: int, recipe: Recipe | None = None, seed: int = 0
) -> dict[str, Any]:
    """What the icon of a channel depends on, as JSON; `icon_key` of it is its name in the store."""
    model.check_unit(layer, unit)
    axis = np.eye(model.layers[layer][-1], dtype=np.float32)[unit]
    return _determined_by(model, layer, axis, recipe or recipe_of(model, layer), seed)


def stream_directions(
    model: VisionModel,
    layer: str,
    directions: np.ndarray,
    recipe: Recipe | None = None,
    seed: int = 0,
    store: IconStore | None = None,
    go_on: Callable[[], bool] = lambda: True,
    whole: bool = False,
) -> Iterator[tuple[int, Icon]]:
    """Icons of directions, as (position in `directions`, icon): those in the store first.

    Args:
        model: the network.
        layer: a layer with positions.
        directions: (n, c); only their directions matter, not their lengths.
        recipe: how to render; by default the layer's `recipe_of` for sketches.
        seed: of the random start and transformations.
        store: where icons are kept.
        go_on: asked before every step; once it says no, what is under way is dropped.
        whole: where one is missing, draw all of its batch: an icon's place in a batch may decide how
            its last bit is rounded, and so it is the same whenever the same icons are asked for.
    """
    model.check_spatial(layer)
    directions = _unit_length(model, layer, directions)
    recipe = recipe or recipe_of(model, layer, "sketch")
    store = store or IconStore()
    determined = [_determined_by(model, layer, v, recipe, seed) for v in directions]
    keys = [icon_key(d) for d in determined]
    size = batch_size(model)
    found = {i: icon for i, key in enumerate(keys) if (icon := store.get(key, recipe.size)) is not None}
    anew = {i // size for i in range(len(keys)) if i not in found} if whole else set()
    missing = [i for i in range(len(keys)) if i not in found or i // size in anew]
    yield from ((i, icon) for i, icon in found.items() if i // size not in anew)
    for start in range(0, len(missing), size):
        batch = missing[start : start + size]
        starts = [_start(determined[i]) for i in batch]
        rendered = _render(model, layer, directions[batch], starts, recipe, go_on)
        if rendered is None:
            return
        for i, icon in zip(batch, rendered, strict=True):
            store.put(keys[i], icon, determined[i])
            yield i, icon


def batch_size(model: VisionModel) -> int:
    """How many images this machine optimises at once."""
    if tf.config.list_physical_devices("GPU"):
        return GPU_BATCH
    return BATCH if model.graph_def.ByteSize() < LARGE else LARGE_BATCH


def _unit_length(model: VisionModel, layer: str, directions: np.ndarray) -> np.ndarray:
    directions = np.asarray(directions, np.float32)
    channels = model.layers[layer][-1]
    if directions.ndim != 2 or directions.shape[1] != channels:
        raise ValueError(f"directions have shape {directions.shape}; expected (n, {channels}) for {layer}.")
    length = np.linalg.norm(directions, axis=1, keepdims=True)
    if not np.all(np.isfinite(directions)) or np.any(length == 0):
        raise ValueError("a direction is zero or not finite, so no picture can follow it.")
    return directions / length


def _determined_by(
    model: VisionModel, layer: str, v: np.ndarray, recipe: Recipe, seed: int
) -> dict[str, Any]:
    """What an icon depends on, as JSON; a direction along one axis is named by its channel."""
    axis = np.flatnonzero(v)
    unit = int(axis[0]) if len(axis) == 1 and v[axis[0]] > 0 else None
    return {
        "weights": model.digest,
        "layer": layer,
        "unit": unit,
        # Coarse enough that another number of threads asks for the same icon.
        "direction": None if unit is not None else (np.round(v.astype(np.float64), 3) + 0.0).tolist(),
        "objective": "direction",
        "recipe": dataclasses.asdict(recipe),
        "recipe_version": RECIPE_VERSION,
        "seed": seed,
    }


def _start(determined_by: Mapping[str, Any]) -> tuple[int, int]:
    """What an icon's random numbers follow from: its seed and its channel.

    Not from its direction, so that one that differs in its last digits starts from the same noise.
    """
    unit = determined_by["unit"]
    return determined_by["seed"], 0 if unit is None else unit + 1


@dataclasses.dataclass
class _Renderer:
    """A traced ascent for one layer and recipe, and the lock of whoever is using it."""

    ascent: Ascent
    images: FourierImages
    lock: threading.Lock = dataclasses.field(default_factory=threading.Lock)


_making = threading.Lock()


def _renderer(model: VisionModel, layer: str, recipe: Recipe) -> _Renderer:
    with _making:
        known = model.memo.setdefault("renderers", {})
        if (layer, recipe) not in known:
            images = recipe.images(batch_size(model))

            node = recipe.reads(model, layer)

            def along(T: Callable[[str], Any]) -> tf.Tensor:
                return strongest(tf.einsum("nhwc,nc->nhw", T(node), T("directions")), recipe.share)

            ascent = Ascent(
                model,
                along,
                images,
                images.variables,
                recipe.transform,
                recipe.optimizer(),
                redirect_relu=node == layer,
                importance=recipe.fade > 0,
            )
            known[layer, recipe] = _Renderer(ascent, images)
        return known[layer, recipe]


def _render(
    model: VisionModel,
    layer: str,
    directions: np.ndarray,
    starts: Sequence[tuple[int, int]],
    recipe: Recipe,
    go_on: Callable[[], bool],
) -> list[Icon] | None:
    """Render up to `batch_size` icons, each from a random start of its own; None if told to stop."""
    count, size = len(directions), batch_size(model)
    padded = np.resize(directions, (size, directions.shape[1]))
    generators = [np.random.default_rng(start) for start in np.resize(starts, (size, 2))]
    renderer = _renderer(model, layer, recipe)
    with renderer.lock:
        renderer.images.restart(generators)
        renderer.ascent.restart()
        for _ in range(recipe.steps):
            if not go_on():
                return None
            renderer.ascent.step(uniform_draws(generators), {"directions": padded})
        images = renderer.ascent.images()
        if recipe.fade > 0:
            images = composited(images, opacity(renderer.ascent.importance(), recipe.fade))
        pixels = np.round(images * 255).astype(np.uint8)[:count]
    return [Icon(p, d) for p, d in zip(pixels, drive(model, layer, pixels, directions), strict=True)]


def drive(model: VisionModel, layer: str, pixels: np.ndarray, directions: np.ndarray) -> list[float]:
    """How strongly icons, as they are displayed, drive their directions, whatever cap the layer has.

    Args:
        model: the network.
        layer: a layer with positions.
        pixels: uint8 (n, s, s, 3).
        directions: (n, c), of unit length.

    Returns:
        For each icon the largest <f(x), v> over positions.
    """
    (acts,) = model.function("input", [model.uncapped(layer)])(tf.constant(pixels, tf.float32) / 255.0)
    along = tf.einsum("nhwc,nc->nhw", acts, tf.constant(directions, tf.float32))
    return [float(v) for v in tf.reduce_max(along, [1, 2])]
