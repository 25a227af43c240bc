"""Quality and time of activation grids: `make bench-grids`, or with CELLS=28 on a sample of cells.

Quality is `grid_quality`: the cosine between a tile's activations, where it is most like its cell,
and the cell's vector. Time is that of a fresh network with an empty icon store, tracing included;
beside it the processor's, which other work on the machine does not change.

The grid of mixed4d is compared with what the real Lucid makes of it. That takes a quarter of an
hour, so its tiles and times are kept in build/grids/ and rendered once.
"""

import argparse
import dataclasses
import functools
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import lucid_ext as lx
from lucid_ext.optvis.grids import BATCH, GridQuality, grid_quality, stream_tiles
from lucid_ext.optvis.recipes import TILE

LAYERS = ("mixed3a", "mixed4a", "mixed4d", "mixed5a")
COMPARED = "mixed4d"
IMAGE = "cat_coffee"
KEPT = Path(__file__).parent.parent / "build" / "grids"
ARTICLE_SIZE = 42  # of its tiles; it shows 38 pixels of them, all are measured


@dataclasses.dataclass(frozen=True, eq=False)
class Made:
    """Tiles uint8 (n, s, s, 3), and the seconds they took: by the clock, and of the processor."""

    tiles: np.ndarray
    seconds: float
    processor: float


def timed(make: Callable[[], np.ndarray]) -> Made:
    """Run it and look at the clocks."""
    start, busy = time.perf_counter(), time.process_time()
    tiles = make()
    return Made(tiles, time.perf_counter() - start, time.process_time() - busy)


def kept(name: str, make: Callable[[], np.ndarray]) -> Made:
    """What an earlier run made, or else run it and keep what it makes."""
    path = KEPT / f"{name}.npz"
    if not path.exists():
        made = timed(make)
        KEPT.mkdir(parents=True, exist_ok=True)
        np.savez(path, **dataclasses.asdict(made))
    with np.load(path) as file:
        return Made(file["tiles"], float(file["seconds"]), float(file["processor"]))


def ours(model: lx.VisionModel, acts: dict[str, np.ndarray], store: lx.IconStore, draft: bool) -> list[Made]:
    """The tiles of each layer."""

    def tiles(layer: str) -> np.ndarray:
        height, width = acts[layer].shape[:2]
        found = np.zeros((height * width, TILE.size, TILE.size, 3), np.uint8)
        for cells, pixels in stream_tiles(model, layer, acts[layer], store=store, draft=draft):
            found[cells] = pixels
        return found

    return [timed(lambda layer=layer: tiles(layer)) for layer in acts]  # type: ignore[misc]


def independent(model: lx.VisionModel, cells: np.ndarray, size: int, batch: int, steps: int) -> np.ndarray:
    """Lucid's `render_vis` with its own settings, an image of its own for each cell."""
    from lucid.optvis import objectives, param, render

    lucid_model = lx.to_lucid(model)
    found = []
    for start in range(0, len(cells), batch):
        part = cells[start : start + batch]
        objective = objectives.Objective.sum(
            [objectives.direction(COMPARED, cell, batch=i) for i, cell in enumerate(part)]
        )
        [images] = render.render_vis(
            lucid_model,
            objective,
            functools.partial(param.image, size, batch=len(part)),
            thresholds=(steps,),
            verbose=False,
            use_fixed_seed=True,
        )
        found.append(images)
    return to_bytes(np.concatenate(found))


def article(model: lx.VisionModel, acts: np.ndarray, chosen: np.ndarray, steps: int = 1024) -> np.ndarray:
    """The recipe of the article's grids, run with the real Lucid.

    Six groups, image of a cell = 0.7 * its own + 0.5 * sum_j g_j group_j in Fourier space, random
    batches of 64 cells out of 196; as many in proportion where a sample of cells is `chosen`.
    """
    import tensorflow.compat.v1 as tf
    from lucid.misc.channel_reducer import ChannelReducer
    from lucid.optvis import objectives, param, render

    flat = acts.reshape(-1, acts.shape[-1])
    shares = ChannelReducer(6, "NMF").fit_transform(flat)
    shares = (shares / shares.max(0))[chosen].astype(np.float32)
    cells, batch = flat[chosen], round(64 * len(chosen) / len(flat))
    np.random.seed(0)
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(0)
        groups = param.fft_image([6, ARTICLE_SIZE, ARTICLE_SIZE, 3])
        own = param.fft_image([len(cells), ARTICLE_SIZE, ARTICLE_SIZE, 3])
        images = param.to_valid_rgb(
            0.7 * own + 0.5 * tf.einsum("nk,khwc->nhwc", tf.constant(shares), groups), decorrelate=True
        )
        drawn = tf.random_uniform([batch], 0, len(cells), dtype=tf.int32)
        vectors = tf.gather(tf.constant(cells), drawn)
        objective = objectives.Objective.sum(
            [objectives.direction(COMPARED, vectors[i], batch=i) for i in range(batch)]
        )
        T = render.make_vis_T(lx.to_lucid(model), objective, tf.gather(images, drawn))
        session.run(tf.global_variables_initializer())
        for _ in range(steps):
            session.run(T("vis_op"))
        return to_bytes(session.run(images))


def to_bytes(images: np.ndarray) -> np.ndarray:
    """Images in [0, 1] as they would be displayed."""
    return np.round(np.clip(images, 0, 1) * 255).astype(np.uint8)


def row(what: str, made: Made | None = None, quality: GridQuality | None = None, note: str = "") -> None:
    """One line of the table."""
    times = f"{made.seconds:8.1f} s {made.processor:8.1f} s" if made else " " * 21
    found = f"{quality.mean:8.3f} {quality.worst:8.3f}" if quality else " " * 17
    print(f"{what:<58}{times}{found}   {note}", flush=True)


def total(made: list[Made]) -> Made:
    """The sum of their times."""
    return Made(np.zeros(0), sum(m.seconds for m in made), sum(m.processor for m in made))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cells", type=int, default=196, help="of mixed4d, compared with Lucid; default all")
    parser.add_argument("--only-ours", action="store_true", help="leave Lucid's renders out")
    options = parser.parse_args()
    image = lx.load_image(IMAGE)
    model = lx.load_model("mini")
    acts = model.activations(image, LAYERS)

    print(f"{'':<58}{'clock':>10} {'processor':>10} {'mean cos':>8} {'worst':>8}")
    finals: list[Made] = []
    with tempfile.TemporaryDirectory() as folder:
        store = lx.IconStore(folder)
        for name, draft in (("draft", True), ("final, after its draft", False)):
            finals = ours(model, acts, store, draft)
            for layer, made in zip(LAYERS, finals, strict=True):
                quality = grid_quality(model, layer, acts[layer], made.tiles)
                row(f"{layer} {acts[layer].shape[0]} x {acts[layer].shape[1]}, {name}", made, quality)
            row(f"all four layers, {name}", total(finals), note="to reach: 20 s" if draft else "aim: 90 s")
    if options.only_ours:
        return

    alone_model = lx.load_model("mini")  # nothing traced, no groups
    with tempfile.TemporaryDirectory() as folder:
        [alone] = ours(alone_model, {COMPARED: acts[COMPARED]}, lx.IconStore(folder), draft=False)
    flat = acts[COMPARED].reshape(-1, acts[COMPARED].shape[-1])
    chosen = np.linspace(0, len(flat) - 1, min(options.cells, len(flat))).round().astype(int)
    cells = flat[chosen]

    def measure(tiles: np.ndarray) -> GridQuality:
        return grid_quality(model, COMPARED, cells[None], tiles)

    count = len(chosen)
    mine = measure(alone.tiles[chosen])
    row(f"{COMPARED} alone, ours, all cells; cosines of {count}", alone, mine)
    recipe = kept(f"article-{count}", lambda: article(model, acts[COMPARED], chosen))
    found = measure(recipe.tiles)
    # A sample takes the recipe a share of its time.
    ratio = alone.processor / (recipe.processor * len(flat) / count)
    note = f"ours {mine.mean - found.mean:+.3f} in {ratio:.2f} of its time; to reach: 1/6"
    row(f"{count} cells, the article's recipe, 1024 steps", recipe, found, note)
    naive = kept(f"naive-{count}", lambda: independent(model, cells, ARTICLE_SIZE, count, 256))
    row(f"{count} cells, one plain batch, 256 steps", naive, measure(naive.tiles))
    ceiling = kept(f"ceiling-{count}", lambda: independent(model, cells, TILE.size, 2 * BATCH, 512))
    found = measure(ceiling.tiles)
    note = f"ours {mine.mean / found.mean:.2f} of it; to reach: 0.9"
    row(f"{count} cells, Lucid's settings, 512 steps each", ceiling, found, note)


if __name__ == "__main__":
    main()
