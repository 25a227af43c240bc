"""Activation grids: for every cell of a layer, a picture of what the network sees there.

A cell's picture is x* = argmax_x E_t[mean over positions p of <f_p(t(x)), v> cos(f_p(t(x)), v)^2],
where v is the cell's activation vector at length 1 (before any cap) and t moves the picture round. The
dot product asks for much of v, the cosine for little else (Lucid's `direction` with cossim_pow=2).

Neighbouring cells see much the same, so they share what they share, as the grids of The Building
Blocks of Interpretability (2018) did: a factorization a_{y,x} ~ sum_j s_{y,x,j} g_j. There, pictures
of groups and cells were optimised together. Here pictures of the groups g_j come first, and a cell
starts, in Fourier space, from their mixture in the proportions s_{y,x}. A few steps of its own add
what the groups leave out, and cells that resemble each other get pictures that do.
"""

import dataclasses
import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from lucid_ext.groups import factorize
from lucid_ext.models.vision_model import VisionModel
from lucid_ext.optvis import param
from lucid_ext.optvis.adam import FourierAdam
from lucid_ext.optvis.ascent import Ascent, uniform_draws
from lucid_ext.optvis.icon import drive
from lucid_ext.optvis.images import FourierImages
from lucid_ext.optvis.recipe import GROUPS, GridRecipe
from lucid_ext.optvis.recipes import recipe_of_tiles
from lucid_ext.optvis.store import Icon, IconStore, icon_key

RECIPE_VERSION = 3
"""Part of every tile's key; changes when the same recipe gives other pictures."""

BATCH = 14  # tiles optimised at once; grids of 28, 14 and 7 fill such batches
COSINE_POWER = 2
SD = 0.01  # of the random start, before frequencies are scaled


def roll(images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
    """Move each image (n, h, w, 3) round its torus by the first two of its uniform draws (n, 4).

    A Fourier image has no edges: what leaves on one side comes in on the other. So no pixel is spent
    on a margin, and each part of a tile is seen at every position of the layer.
    """
    height, width = images.shape[1:3]
    shift = tf.cast(draws[:, :2] * tf.constant([height, width], tf.float32), tf.int32)
    rows = (tf.range(height) + shift[:, :1]) % height
    columns = (tf.range(width) + shift[:, 1:]) % width
    return tf.gather(tf.gather(images, rows, batch_dims=1), columns, axis=2, batch_dims=1)


def dead_cells(acts: np.ndarray) -> list[int]:
    """The cells of activations (h, w, c), row by row, that are zero: the layer saw nothing there."""
    return np.flatnonzero(~np.any(acts, axis=-1)).tolist()


def stream_tiles(
    model: VisionModel,
    layer: str,
    acts: np.ndarray,
    *,
    store: IconStore | None = None,
    seed: int = 0,
    go_on: Callable[[], bool] = lambda: True,
    draft: bool = False,
    recipe: GridRecipe | None = None,
    cells: Sequence[int] | None = None,
) -> Iterator[tuple[list[int], np.ndarray]]:
    """Pictures for all cells of a layer: those in the store first, then as they come.

    A tile depends on its own cell, on the grid's groups and on the seed, not on which other tiles
    are missing. Cells without any activation (`dead_cells`) get none.

    Args:
        model: the network.
        layer: a layer with positions.
        acts: its activations for an image, before any cap, or some of their rows and columns: (h, w, c).
        store: where finished tiles are kept; the user's cache by default. Drafts are not kept.
        seed: of the random start and of the moves.
        go_on: asked before every step; once it says no, what is under way is dropped.
        draft: take finished tiles where the store has them, and sketch the rest.
        recipe: how to render; by default the layer's `recipe_of_tiles`.
        cells: those to draw, in this order; all by default.

    Yields:
        Cells, numbered row by row, and their tiles: uint8 (n, size, size, 3).

    Raises:
        ValueError: for a layer without positions, or activations that are not the layer's.
    """
    model.check_spatial(layer)
    channels = model.layers[layer][-1]
    acts = np.ascontiguousarray(acts, np.float32)
    if acts.ndim != 3 or acts.shape[-1] != channels or not np.all(np.isfinite(acts)):
        raise ValueError(f"acts have shape {acts.shape}; expected finite (h, w, {channels}) for {layer}.")
    store = store or IconStore()
    own = recipe_of_tiles(model, layer)
    vectors = acts.reshape(-1, channels)
    digest = hashlib.sha256(repr(acts.shape).encode() + acts.tobytes()).hexdigest()
    finished, recipe = recipe or own, recipe or recipe_of_tiles(model, layer, draft)
    dead = set(dead_cells(acts))
    determined = {
        i: _determined_by(model, layer, digest, i, finished, seed)
        for i in (range(len(vectors)) if cells is None else cells)
        if i not in dead
    }
    kept = ((i, store.get(icon_key(d), finished.size)) for i, d in determined.items())
    found = {i: icon for i, icon in kept if icon is not None}
    if found:
        yield list(found), np.stack([icon.pixels for icon in found.values()])
    missing = [i for i in determined if i not in found]
    shared = _shared(model, layer, acts, digest, recipe, seed, go_on) if missing else None
    if shared is None:
        return
    for at in range(0, len(missing), BATCH):
        batch = missing[at : at + BATCH]
        directions = vectors[batch] / np.linalg.norm(vectors[batch], axis=1, keepdims=True)
        generators = [np.random.default_rng([seed, i + 1]) for i in batch]
        noise = [param.initial_spectrum(g, recipe.size, recipe.size, SD) for g in generators]
        start = np.stack(noise) + np.einsum("nk,k...->n...", shared.shares[batch], shared.spectra)
        pace = (recipe.steps, recipe.rate)
        rendered = _climb(model, layer, directions, start, generators, recipe, pace, go_on)
        if rendered is None:
            return
        pixels = np.round(rendered[1] * 255).astype(np.uint8)
        if not draft:
            for i, p, d in zip(batch, pixels, drive(model, layer, pixels, directions), strict=True):
                store.put(icon_key(determined[i]), Icon(p, d), determined[i])
        yield batch, pixels


@dataclasses.dataclass(frozen=True, eq=False)
class GridQuality:
    """How well tiles show their cells.

    Attributes:
        cosine: (h, w) float32, between each tile's activations and its cell's vector, at the
            position of the tile where their dot product is largest; NaN for dead cells.
        mean: over the cells that are not dead.
        worst: the smallest of them.
    """

    cosine: np.ndarray
    mean: float
    worst: float


def grid_quality(model: VisionModel, layer: str, acts: np.ndarray, tiles: np.ndarray) -> GridQuality:
    """How well tiles, as they are displayed, show their cells.

    The cosine is taken at one position, the one with the largest dot product: where the tile is most
    like its cell. A mean over positions would count the border of a tile, where the network looks
    out at nothing, and more so the smaller the tile. A larger tile has more positions to be at its
    best in: compare tiles of about the same size.

    Args:
        model: the network.
        layer: a layer with positions.
        acts: (h, w, c), not all of them dead.
        tiles: uint8 (h * w, s, s, 3), row by row; those of dead cells are not looked at.
    """
    cells = acts.reshape(-1, acts.shape[-1]).astype(np.float32)
    if tiles.dtype != np.uint8 or tiles.ndim != 4 or len(tiles) != len(cells):
        raise ValueError(f"tiles are {tiles.dtype} {tiles.shape}; expected uint8 ({len(cells)}, s, s, 3).")
    dead = set(dead_cells(acts))
    alive = [i for i in range(len(cells)) if i not in dead]
    if not alive:
        raise ValueError(f"all cells of these activations of {layer} are zero: there is nothing to compare.")
    run = model.function("input", [model.uncapped(layer)])
    cosine = np.full(len(cells), np.nan, np.float32)
    for at in range(0, len(alive), BATCH):
        batch = alive[at : at + BATCH]
        (seen,) = run(tf.constant(tiles[batch], tf.float32) / 255.0)
        found = tf.reshape(seen, (len(batch), -1, acts.shape[-1])).numpy()
        along = np.einsum("npc,nc->np", found, cells[batch])
        best = found[np.arange(len(batch)), np.argmax(along, 1)]
        lengths = np.linalg.norm(best, axis=1) * np.linalg.norm(cells[batch], axis=1)
        cosine[batch] = along.max(1) / np.maximum(lengths, 1e-12)
    return GridQuality(cosine.reshape(acts.shape[:2]), float(np.nanmean(cosine)), float(np.nanmin(cosine)))


@dataclasses.dataclass(frozen=True, eq=False)
class _Shared:
    """What the cells of a grid have in common: (n, k) shares, of length 1, of k groups' spectra."""

    shares: np.ndarray
    spectra: np.ndarray


def _shared(
    model: VisionModel,
    layer: str,
    acts: np.ndarray,
    digest: str,
    recipe: GridRecipe,
    seed: int,
    go_on: Callable[[], bool],
) -> _Shared | None:
    """The groups of a grid and their pictures, rendered once for draft and final; None if stopped."""
    latest = model.memo.setdefault("grids", {})  # of each layer, so that it does not grow
    key = (digest, dataclasses.replace(recipe, steps=1, rate=1.0), seed)
    known = latest.get(layer)
    if known is not None and known[0] == key:
        return known[1]
    groups = _groups(acts, recipe.error, seed)
    shares = groups.spatial.reshape(acts.shape[0] * acts.shape[1], len(groups.channels))
    shares = shares / np.maximum(np.linalg.norm(shares, axis=1, keepdims=True), 1e-12)
    generators = [np.random.default_rng([seed, 0, j]) for j in range(len(groups.channels))]
    size = recipe.size
    spectra = np.zeros((0, 2, 3, size, size // 2 + 1), np.float32)
    if generators:
        start = np.stack([param.initial_spectrum(g, size, size, SD) for g in generators])
        pace = (recipe.group_steps, recipe.group_rate)
        rendered = _climb(model, layer, groups.channels, start, generators, recipe, pace, go_on)
        if rendered is None:
            return None
        spectra = rendered[0]
    shared = _Shared(shares, spectra)
    latest[layer] = (key, shared)
    return shared


def _groups(acts: np.ndarray, error: float, seed: int) -> Any:
    """The factorization with the fewest groups that leaves out no more than `error`."""
    positive = np.maximum(acts, 0.0)
    most = min(acts.shape[0] * acts.shape[1], acts.shape[2])
    for count in GROUPS:
        groups = factorize(positive, min(count, most), seed=seed)
        if groups.error <= error:
            break
    return groups


def _determined_by(
    model: VisionModel, layer: str, digest: str, cell: int, recipe: GridRecipe, seed: int
) -> dict[str, Any]:
    """What a tile depends on, as JSON."""
    return {
        "weights": model.digest,
        "layer": layer,
        "grid": digest,
        "cell": cell,
        "objective": f"direction with cosine^{COSINE_POWER}",
        "recipe": dataclasses.asdict(recipe),
        "recipe_version": RECIPE_VERSION,
        "seed": seed,
    }


@dataclasses.dataclass
class _Renderer:
    """A traced ascent for one layer and size of tile, and the lock of whoever is using it."""

    ascent: Ascent
    images: FourierImages
    optimizer: tf.keras.optimizers.Optimizer
    lock: threading.Lock = dataclasses.field(default_factory=threading.Lock)


_making = threading.Lock()


def _renderer(model: VisionModel, layer: str, recipe: GridRecipe) -> _Renderer:
    with _making:
        known = model.memo.setdefault("grid renderers", {})
        key = (layer, recipe.size, recipe.decay_power, recipe.contrast)
        if key not in known:
            images, node = recipe.image().images(BATCH), model.uncapped(layer)

            def along(T: Callable[[str], Any]) -> tf.Tensor:
                dot = tf.einsum("nhwc,nc->nhw", T(node), T("directions"))
                length = tf.sqrt(tf.reduce_sum(T(node) ** 2, -1) + 1e-8)
                return tf.reduce_mean(dot * tf.maximum(0.1, dot / length) ** COSINE_POWER, [1, 2])

            optimizer = FourierAdam(recipe.rate)
            ascent = Ascent(model, along, images, images.variables, roll, optimizer)
            known[key] = _Renderer(ascent, images, optimizer)
        return known[key]


def _climb(
    model: VisionModel,
    layer: str,
    directions: np.ndarray,
    start: np.ndarray,
    generators: Sequence[np.random.Generator],
    recipe: GridRecipe,
    pace: tuple[int, float],
    go_on: Callable[[], bool],
) -> tuple[np.ndarray, np.ndarray] | None:
    """Let up to BATCH images climb, each along its own direction.

    Args:
        model: the network.
        layer: a layer with positions.
        directions: (n, c), of length 1.
        start: the spectra to go on from, (n, 2, 3, size, size // 2 + 1).
        generators: one for each image, for its moves.
        recipe: how to render.
        pace: number of steps, and the first step size.
        go_on: asked before every step.

    Returns:
        Spectra and images as they are then, or None if told to stop.
    """
    count, (steps, rate) = len(directions), pace
    padded = np.resize(directions, (BATCH, directions.shape[1])).astype(np.float32)
    renderer = _renderer(model, layer, recipe)
    with renderer.lock:
        renderer.images.start(np.resize(start, (BATCH, *start.shape[1:])))
        renderer.ascent.restart()
        for step in range(steps):
            if not go_on():
                return None
            renderer.optimizer.learning_rate.assign(rate * 0.5 * (1 + np.cos(np.pi * step / steps)))
            draws = np.resize(uniform_draws(generators), (BATCH, 4))
            renderer.ascent.step(draws, {"directions": padded})
        return renderer.images.spectra()[:count], renderer.ascent.images()[:count]
