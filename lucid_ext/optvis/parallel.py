"""Sheets of icons on one machine or many: tasks for `joblib`, whatever backend it is told to use.

    with joblib.parallel_config(backend="loky", n_jobs=2):    # two processes here
        render_sheet(model, layer)

    dask.distributed.Client("scheduler:8786")                 # the workers of a cluster
    with joblib.parallel_config(backend="dask"):
        render_sheet(model, layer)

Workers need one folder in common with whoever asks: the cache (`$LUCID_EXT_CACHE`), where the network
lies as a file. They save every batch of icons as soon as it is there, so that a worker that dies loses
one batch. Icons also travel back, some 20 kB each, a thousandth of what they cost to make: so nothing
else depends on the folder, and a full disk costs no icon.
"""

import concurrent.futures
import multiprocessing
import threading
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import joblib
import tensorflow as tf
from joblib.parallel import get_active_backend
from tqdm.auto import tqdm

from lucid_ext.models import card
from lucid_ext.models.vision_model import VisionModel
from lucid_ext.optvis.icon import batch_size, receipt, stream_units
from lucid_ext.optvis.recipe import Recipe
from lucid_ext.optvis.recipes import recipe_of
from lucid_ext.optvis.store import Icon, IconStore, icon_key

MOST_PER_TASK = 32
TASKS_PER_WORKER = 4  # so that the last ones do not wait long for each other
MOST_DEATHS = 3  # of the processes of this machine, with no icon finished in between
SILENCE = 180.0  # seconds without an icon after which it is said that there may be no worker left
PATIENCE = 1800.0  # seconds after which it is taken for granted; joblib is not told of tasks dask gave up


def render_sheet(
    model: VisionModel,
    layer: str,
    units: Sequence[int] | None = None,
    *,
    recipe: Recipe | None = None,
    seed: int = 0,
    store: IconStore | None = None,
    threads: int = 1,
    progress: bool = True,
) -> list[Icon]:
    """Icons of many channels of a layer, rendered by the workers of `joblib`.

    Without a backend configured (`joblib.parallel_config`), they are rendered in this process. The
    icons are those of `icons`: bit for bit if rendered with as many threads.

    Args:
        model: the network; workers load it from a file and check its digest.
        layer: a layer with positions.
        units: channel numbers; all of the layer's by default.
        recipe: how to render; by default the layer's `recipe_of`.
        seed: of the random start and transformations.
        store: where icons are kept; the user's cache by default.
        threads: TensorFlow's threads in each worker, which should take one task at a time
            (`dask worker --nthreads 1`).
        progress: show a progress bar, with an estimate of the time left.

    Returns:
        An icon per unit, in order.

    Raises:
        ValueError: there is no such layer or unit; or the network cannot be written for workers.
        RuntimeError: worker processes of this machine died again and again, or the cluster gave up;
            icons made so far are kept, and the same call goes on from there.
    """
    model.check_spatial(layer)
    units = list(range(model.layers[layer][-1]) if units is None else units)
    recipe, store = recipe or recipe_of(model, layer), store or IconStore()
    icons, size = at_hand(model, layer, units, recipe, seed, store), batch_size(model)
    broken = {i // size for i in range(len(units)) if i not in icons}  # batches, drawn anew as a whole
    missing = [i for i in range(len(units)) if i // size in broken]
    icons = {i: icon for i, icon in icons.items() if i // size not in broken}
    with tqdm(
        total=len(units), initial=len(icons), desc=layer, unit="icon", smoothing=0.1, disable=not progress
    ) as bar:
        wanted = [units[i] for i in missing]
        if _elsewhere():
            rendered = _by_workers(model, layer, wanted, recipe, seed, store, threads)
        else:
            rendered = stream_units(model, layer, wanted, recipe, seed, store, whole=True)
        for at, icon in rendered:
            icons[missing[at]] = icon
            bar.update()
    return [icons[i] for i in range(len(units))]


def at_hand(
    model: VisionModel, layer: str, units: Sequence[int], recipe: Recipe, seed: int, store: IconStore
) -> dict[int, Icon]:
    """The icons that need no rendering, by their position in `units`."""
    return dict(stream_units(model, layer, units, recipe, seed, store, go_on=lambda: False))


def _elsewhere() -> bool:
    """Whether joblib has been told of other processes; threads of this one would gain nothing."""
    backend, _ = get_active_backend()
    return joblib.Parallel().n_jobs != 1 and not getattr(backend, "supports_sharedmem", False)


def _by_workers(
    model: VisionModel,
    layer: str,
    units: Sequence[int],
    recipe: Recipe,
    seed: int,
    store: IconStore,
    threads: int,
) -> Iterator[tuple[int, Icon]]:
    """Icons as (position in `units`, icon), in the order they are finished."""
    if not units:
        return
    file, folder = card.kept(model).resolve(), store.folder.parent.resolve()
    step = task_size(len(units), joblib.effective_n_jobs(), batch_size(model))
    waiting = {start: units[start : start + step] for start in range(0, len(units), step)}
    deaths = 0
    while waiting:
        tasks = (
            joblib.delayed(_task)(start, file, model.digest, layer, part, recipe, seed, folder, threads)
            for start, part in waiting.items()
        )
        try:
            # A task is a list of its own: `waiting` changes while they are dealt out.
            done = joblib.Parallel(return_as="generator_unordered", batch_size=1, timeout=PATIENCE)(
                list(tasks)
            )
            for start, icons in _watched(done, layer):
                deaths = 0
                del waiting[start]
                for i, icon in enumerate(icons, start):
                    _keep(store, icon, receipt(model, layer, units[i], recipe, seed))
                    yield i, icon
        except concurrent.futures.process.BrokenProcessPool as error:
            # Loky gives up all its processes with one of them; a cluster hands the task to another.
            deaths += 1
            if deaths == MOST_DEATHS:
                raise RuntimeError(
                    f"worker processes died {deaths} times in a row, the last time with {len(waiting)} tasks "
                    f"to go; they may need more memory: use fewer (n_jobs). Icons made so far are kept."
                ) from error
            warnings.warn(
                f"a worker process died; {sum(map(len, waiting.values()))} icons of {layer} are asked for "
                "again, and those it had saved are taken as they are.",
                stacklevel=3,
            )
        except Exception as error:
            if not _of_cluster(error):
                raise
            raise RuntimeError(
                f"the cluster gave up ({type(error).__name__}) with {sum(map(len, waiting.values()))} icons "
                f"of {layer} to go: its scheduler is gone, or a task ended its workers too often, as for "
                "want of memory. Icons made so far are kept, and the same call goes on from there."
            ) from error


def _of_cluster(error: Exception) -> bool:
    """Whether an error is dask's own, which is not imported here, or says that no answer came."""
    silent = isinstance(error, concurrent.futures.CancelledError | multiprocessing.TimeoutError)
    return silent or type(error).__module__.partition(".")[0] == "distributed"


def _watched(results: Iterator[Any], layer: str) -> Iterator[Any]:
    """The same results; where none comes for long, a warning: a cluster whose workers die says nothing."""

    def say() -> None:
        warnings.warn(
            f"no icon of {layer} has come for {SILENCE:.0f} s: see whether the workers are alive and have "
            "memory enough (their logs say so); Ctrl-C ends the waiting, and what is made is kept.",
            stacklevel=2,
        )

    while True:
        timer = threading.Timer(SILENCE, say)
        timer.daemon = True
        timer.start()
        try:
            result = next(results, None)
        finally:
            timer.cancel()
        if result is None:
            return
        yield result


def task_size(count: int, workers: int, batch: int) -> int:
    """How many units to give at once: whole batches, few enough that all workers end together."""
    batches = count // (batch * workers * TASKS_PER_WORKER)
    return batch * max(1, min(batches, MOST_PER_TASK // batch))


def _keep(store: IconStore, icon: Icon, made: dict) -> None:
    """Save what a worker could not save here, as one that has another disk."""
    key = icon_key(made)
    if not store.path(key).exists():
        store.put(key, icon, made)


def _task(
    start: int,
    file: Path,
    digest: str,
    layer: str,
    units: Sequence[int],
    recipe: Recipe,
    seed: int,
    folder: Path,
    threads: int,
) -> tuple[int, list[Icon]]:
    """In a worker: render units, saving each batch; returns `start` and the icons."""
    model = _network(file, digest, threads)
    icons = dict(stream_units(model, layer, units, recipe, seed, IconStore(folder), whole=True))
    return start, [icons[i] for i in range(len(units))]


_loading = threading.Lock()
_held: dict[str, VisionModel] = {}


def _network(file: Path, digest: str, threads: int) -> VisionModel:
    """In a worker: the network of a file, kept until another one is asked for."""
    with _loading:
        if digest not in _held:
            _held.clear()
            _limit_threads(threads)
            if not file.is_file():
                raise ValueError(
                    f"a worker finds no file {file}; set LUCID_EXT_CACHE to a folder that all machines share."
                )
            model = card.load(file)
            if model.digest != digest:
                raise ValueError(f"{file} holds another network ({model.digest}) than was asked for.")
            _held[digest] = model
        return _held[digest]


def _limit_threads(threads: int) -> None:
    """Set TensorFlow's threads, unless it has started: then whoever started it has chosen."""
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    except RuntimeError:
        return
