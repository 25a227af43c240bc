"""Time to quality of feature visualization, against the real Lucid: `make bench-render`.

Both sides run in this process, on the same TensorFlow and the same network, in turns. What Lucid
reaches in 512 steps is what ours has to reach: the objective of the pictures as displayed (8 bit),
clean and averaged over eight transformations that neither side optimises with, with no more
energy in high frequencies. The time ours takes includes tracing. Lucid's pictures are kept in
`build/bench`, since they take minutes.
"""

import dataclasses
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import tensorflow as tf
from scipy import ndimage
from tqdm.auto import tqdm

import lucid_ext as lx

# isort: split
from lucid.optvis import objectives, param
from lucid.optvis import render as lucid_render

# isort: split
from lucid_ext.optvis.ascent import Ascent, uniform_draws
from lucid_ext.optvis.recipe import Recipe

FOLDER = Path("build/bench")
SIZE = 128  # of the pictures, in pixels
LUCID_STEPS = 512
STEPS = (64, 80, 96, 112, 120, 128, 160, 192)  # numbers of steps ours is tried with
DAMPING = 0.003  # Lucid's noise leaves room for less damping than icons have
PATH = 32.0  # of each try, the first step size times the number of steps: more steps, finer ones
SAMPLE = 16  # of a sheet's icons, whose quality is measured
TURNS, TURN = 5, 3  # how often the two sides take turns, and steps a turn


@dataclasses.dataclass(frozen=True)
class Task:
    """Something to visualise: `count` pictures in all, of which `vectors` are measured."""

    name: str
    layer: str
    count: int
    vectors: np.ndarray  # (measured pictures, channels)
    to_reach: str = ""
    diverse: bool = False


def tasks(model: lx.VisionModel) -> list[Task]:
    """The measurements of the table."""
    rng = np.random.default_rng(0)

    def channels(layer: str, count: int) -> np.ndarray:
        width = model.layers[layer][-1]
        return np.eye(width, dtype=np.float32)[rng.choice(width, count, replace=False)]

    cells = model.activations(lx.load_image("cat_coffee"), "mixed4d").reshape(-1, model.layers["mixed4d"][-1])
    cells = cells[rng.choice(len(cells), SAMPLE, replace=False)]
    cells /= np.linalg.norm(cells, axis=1, keepdims=True)
    return [
        Task("one channel of mixed4d", "mixed4d", 1, channels("mixed4d", 1), "1/2"),
        Task("64 channels of mixed4d", "mixed4d", 64, channels("mixed4d", SAMPLE), "1/5"),
        Task("64 channels of mixed3b", "mixed3b", 64, channels("mixed3b", SAMPLE), "1/5"),
        Task("196 directions of mixed4d", "mixed4d", 196, cells),
        Task("diversity of 4, mixed4d", "mixed4d", 4, np.repeat(channels("mixed4d", 1), 4, 0), diverse=True),
    ]


def driven(T: Callable[[str], Any], task: Task) -> tf.Tensor:
    """(n,): the mean over positions of <a, v>, for each picture."""
    return tf.reduce_mean(tf.einsum("nhwc,nc->nhw", T(task.layer), task.vectors), [1, 2])


def objective(task: Task) -> Callable[[Callable[[str], Any]], tf.Tensor]:
    """What both sides raise."""
    if not task.diverse:
        return lambda T: driven(T, task)
    alike = objectives.diversity(task.layer)
    # Lucid's objectives are sums over the batch.
    return lambda T: tf.reduce_sum(driven(T, task)) - 4.0 * alike(T)


class Side(Protocol):
    """One of the two that are measured."""

    batch: int
    compiled: float

    def step(self) -> None:
        """Take one step for all pictures of the batch."""

    def images(self) -> np.ndarray:
        """The pictures so far: (batch, SIZE, SIZE, 3) in [0, 1]."""


class Lucid(Side):
    """Lucid's own optimisation, a step at a time."""

    def __init__(self, model: lx.VisionModel, task: Task, batch: int):
        before = time.perf_counter()
        self.batch = batch
        graph = tf.Graph()
        self.session = tf.compat.v1.Session(graph=graph)
        with graph.as_default(), self.session.as_default():
            tf.compat.v1.set_random_seed(0)
            np.random.seed(0)
            many = dataclasses.replace(task, vectors=np.resize(task.vectors, (batch, task.vectors.shape[1])))
            found = objective(many)
            T = lucid_render.make_vis_T(
                lx.to_lucid(model),
                objectives.Objective(lambda T: tf.reduce_sum(found(T))),
                lambda: param.image(SIZE, batch=batch),
            )
            self.session.run(tf.compat.v1.global_variables_initializer())
            self._step, self._image = T("vis_op"), T("input")
        self.step()
        self.compiled = time.perf_counter() - before

    def step(self) -> None:
        self.session.run(self._step)

    def images(self) -> np.ndarray:
        return self.session.run(self._image)


class Ours(Side):
    """The engine's optimisation of the same, a step at a time."""

    def __init__(self, model: lx.VisionModel, task: Task, steps: int, batch: int):
        before = time.perf_counter()
        recipe = Recipe(size=SIZE, steps=steps, rate=min(0.3, PATH / steps), damping=DAMPING)
        many = dataclasses.replace(task, vectors=np.resize(task.vectors, (batch, task.vectors.shape[1])))
        self._generators = [np.random.default_rng([0, i]) for i in range(batch)]
        images = recipe.images(batch)
        images.restart(self._generators)
        self._ascent = Ascent(
            model, objective(many), images, images.variables, recipe.transform, recipe.optimizer()
        )
        self.batch, self.steps = batch, steps
        self.step()
        self.compiled = time.perf_counter() - before

    def step(self) -> None:
        self._ascent.step(uniform_draws(self._generators), {})

    def images(self) -> np.ndarray:
        return self._ascent.images()


def unseen(images: np.ndarray) -> list[np.ndarray]:
    """Eight transformations of images that neither side optimises with."""
    noise = np.random.default_rng(5).normal(0.0, 0.03, images.shape)
    turned = [
        ndimage.rotate(images, angle, axes=(2, 1), reshape=False, order=1, mode="reflect")
        for angle in (14, -14)
    ]
    zoomed = [
        ndimage.zoom(images, (1, z, z, 1), order=1, mode="reflect", grid_mode=True) for z in (0.85, 1.18)
    ]
    blurred = ndimage.gaussian_filter(images, (0, 0.8, 0.8, 0), mode="nearest")
    return [
        np.clip(images + noise, 0, 1), blurred, 0.5 + 0.8 * (images - 0.5), images**1.25, *turned, *zoomed
    ]  # fmt: skip


def quality(model: lx.VisionModel, task: Task, images: np.ndarray) -> np.ndarray:
    """(3, n): the objective as displayed, over `unseen` transformations, and high-frequency energy.

    High is above a quarter of a cycle per pixel. A task of diversity counts as one picture.
    """
    shown = np.round(images * 255).astype(np.float32) / 255
    run = model.function("input", [task.layer])

    def value(batch: np.ndarray) -> np.ndarray:
        (acts,) = run(tf.constant(batch, tf.float32))
        found = objective(task)(lambda name: acts).numpy()
        return np.atleast_1d(found)

    clean, robust = value(shown), np.mean([value(batch) for batch in unseen(shown)], axis=0)
    spectrum = np.abs(np.fft.fft2(shown, axes=(1, 2), norm="ortho")) ** 2
    high = np.hypot(np.fft.fftfreq(SIZE)[:, None], np.fft.fftfreq(SIZE)) > 0.25
    energy = spectrum[:, high].mean((1, 2)).mean()
    return np.stack([clean, robust, np.full_like(clean, energy)])


def lucid_images(model: lx.VisionModel, task: Task) -> np.ndarray:
    """What Lucid has after 512 steps, from `build/bench` where it is there."""
    path = FOLDER / f"lucid {task.name} {model.digest[:12]}.npy"
    if not path.exists():
        lucid = Lucid(model, task, len(task.vectors))
        for _ in tqdm(range(LUCID_STEPS), desc=f"Lucid, {task.name}", unit="step"):
            lucid.step()
        np.save(path, lucid.images())
    return np.load(path)


def reach(model: lx.VisionModel, task: Task, goal: np.ndarray) -> tuple[Ours, np.ndarray, np.ndarray]:
    """The fewest steps with which ours is as good: the finished run, its images and their quality.

    As good: the mean over pictures of ours / Lucid's is 1 or more for both objectives.
    """
    for steps in STEPS:
        ours = Ours(model, task, steps, len(task.vectors))
        for _ in range(steps):
            ours.step()
        found = quality(model, task, ours.images())
        if (found[:2] / goal[:2]).mean(1).min() >= 1:
            break
    return ours, ours.images(), found


def step_times(sides: Sequence[Side]) -> list[float]:
    """Median seconds per picture and step of each side, in turns."""
    times: list[list[float]] = [[] for _ in sides]
    for _ in range(TURNS):
        for side, found in zip(sides, times, strict=True):
            before = time.perf_counter()
            for _ in range(TURN):
                side.step()
            found.append((time.perf_counter() - before) / TURN / side.batch)
    return [statistics.median(found) for found in times]


def measure(model: lx.VisionModel, task: Task) -> dict[str, Any]:
    """One row of the table."""
    theirs = lucid_images(model, task)
    goal = quality(model, task, theirs)
    ours, images, found = reach(model, task, goal)
    np.savez(FOLDER / f"pictures {task.name}.npz", ours=images, theirs=theirs)
    batch = min(task.count, 4)
    sides: list[Side] = [Lucid(model, task, len(task.vectors)), Ours(model, task, ours.steps, batch)]
    if task.count >= 64:
        sides.append(Lucid(model, task, 64))  # Lucid's better batching counts
    lucid, mine, *larger = step_times(sides)
    lucid_time = sides[0].compiled + LUCID_STEPS * task.count * min([lucid, *larger])
    our_time = sides[1].compiled + ours.steps * task.count * mine
    ratios = found / goal
    return {
        "name": task.name,
        "steps": ours.steps,
        "clean": float(ratios[0].mean()),
        "robust": float(ratios[1].mean()),
        "median": float(np.median(ratios[1])),
        "energy": float(ratios[2].mean()),
        "lucid_ms": 1000 * min([lucid, *larger]),
        "ours_ms": 1000 * mine,
        "lucid_s": lucid_time,
        "ours_s": our_time,
        "to_reach": task.to_reach,
    }


def show(rows: Sequence[dict[str, Any]]) -> None:
    """Print the table."""
    print(
        "| | steps, Lucid 512 | objective, ours / Lucid's: clean, transformed, its median | high frequencies "
        "| ms per picture and step, Lucid, ours | time, Lucid, ours | share | to reach |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for row in rows:
        print(
            "| {name} | {steps} | {clean:.2f}, {robust:.2f}, {median:.2f} | {energy:.2f} "
            "| {lucid_ms:.1f}, {ours_ms:.1f} | {lucid_s:.0f} s, {ours_s:.1f} s | 1/{share:.1f} "
            "| {to_reach} |".format(**row, share=row["lucid_s"] / row["ours_s"])
        )


def main() -> None:
    """Measure, print and keep the numbers."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    model = lx.load_model("mini")
    rows = []
    for task in tasks(model):
        rows.append(measure(model, task))
        (FOLDER / "render.json").write_text(json.dumps(rows, indent=1), encoding="utf-8")
    show(rows)


if __name__ == "__main__":
    main()
