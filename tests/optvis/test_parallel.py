"""Sheets rendered by processes of this machine and by a real dask cluster, with deaths among them."""

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import warnings

import joblib
import numpy as np
import psutil
import pytest

import lucid_ext as lx
from lucid_ext.models import card
from lucid_ext.optvis import parallel
from lucid_ext.optvis.parallel import _network, _task, _watched, task_size

LAYER, UNITS, QUICK = "mixed3a", range(64), lx.Recipe(size=32, steps=4)

ALONE = """
import sys
import numpy as np
import lucid_ext as lx
import tensorflow as tf

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
recipe = lx.Recipe(size=32, steps=4)
np.save(sys.argv[1], lx.icons(lx.load_model("mini"), "mixed3a", range(64), recipe=recipe, progress=False))
"""


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The icons as one process of one thread makes them."""
    folder = tmp_path_factory.mktemp("alone")
    environment = {**os.environ, "LUCID_EXT_CACHE": str(folder)}
    command = [sys.executable, "-c", ALONE, str(folder / "icons.npy")]
    subprocess.run(command, env=environment, check=True, stderr=subprocess.DEVNULL)
    return np.load(folder / "icons.npy")


@pytest.fixture(scope="module")
def cluster():
    """Two worker processes of one thread, each under a nanny that starts a new one when it dies."""
    distributed = pytest.importorskip("distributed", reason="needs the extra: pip install lucid_ext[cluster]")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=logging.CRITICAL
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def sheet(model, store, **options):
    return lx.render_sheet(model, LAYER, UNITS, recipe=QUICK, store=store, progress=False, **options)


def same(icons, expected):
    return all(np.array_equal(icon.pixels, pixels) for icon, pixels in zip(icons, expected, strict=True))


def saved(store):
    # Not what a killed process may leave half-written, which is cleared away after an hour.
    return [path for path in store.folder.rglob("*.png") if path.is_file()]


def kill_once_icons_come(store, process):
    """In a thread: SIGKILL to a process as soon as icons are there, which is long before all are."""
    killed_at = []

    def kill():
        while not saved(store):
            time.sleep(0.005)
        os.kill(process, signal.SIGKILL)
        killed_at.append(len(saved(store)))

    thread = threading.Thread(target=kill)
    thread.start()
    return thread, killed_at


def loky_workers():
    found = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):
            if "popen_loky_posix" in " ".join(child.cmdline()):
                found.append(child)
    return found


def test_without_a_backend_icons_are_rendered_in_this_process(model, store):
    workers = loky_workers()
    icons = lx.render_sheet(model, LAYER, [5, 9, 5], recipe=QUICK, store=store, progress=False)
    expected = lx.icons(model, LAYER, [5, 9, 5], recipe=QUICK, store=store, progress=False)
    assert same(icons, expected)
    assert all(icon.drive > 0 for icon in icons)
    assert loky_workers() == workers


def test_shipped_icons_are_not_rendered(model, store):
    with joblib.parallel_config(backend="loky", n_jobs=2):
        icons = lx.render_sheet(model, "mixed4d", [0, 42], store=store, progress=False)
    assert same(icons, lx.icons(model, "mixed4d", [0, 42], store=store, progress=False))
    assert not store.folder.exists()


def test_units_and_layers_that_are_not_there(model, store):
    with pytest.raises(ValueError, match="there is no 4000"):
        lx.render_sheet(model, LAYER, [4000], store=store)
    with pytest.raises(ValueError, match="no layer 'mixed7a'"):
        lx.render_sheet(model, "mixed7a", store=store)


@pytest.mark.parametrize(
    ("count", "workers", "size"), [(1, 2, 4), (64, 2, 8), (264, 2, 32), (264, 10, 4), (10_000, 100, 24)]
)
def test_tasks_are_whole_batches_and_many_enough(count, workers, size):
    assert task_size(count, workers, 4) == size


def test_two_processes_make_the_icons_of_one(model, store, alone):
    with joblib.parallel_config(backend="loky", n_jobs=2):
        icons = sheet(model, store)
    assert same(icons, alone)
    assert len(saved(store)) == len(UNITS)
    with joblib.parallel_config(backend="loky", n_jobs=2):
        again = sheet(model, store)
    assert [icon.drive for icon in again] == [icon.drive for icon in icons]


def test_a_killed_process_costs_no_icon(model, tmp_path, alone):
    with joblib.parallel_config(backend="loky", n_jobs=2):
        sheet(model, lx.IconStore(tmp_path / "before"))  # both have started, and hold the network
        store = lx.IconStore(tmp_path / "icons")
        thread, killed_at = kill_once_icons_come(store, loky_workers()[0].pid)
        with pytest.warns(UserWarning, match="a worker process died; .* are asked for again"):
            icons = sheet(model, store)
        thread.join()
    assert 0 < killed_at[0] < len(UNITS)
    assert same(icons, alone)
    assert len(saved(store)) == len(UNITS)


def test_workers_that_always_die_are_given_up_in_one_sentence(model, tmp_path):
    store, stop = lx.IconStore(tmp_path), threading.Event()

    def kill():
        while not stop.wait(0.02):
            for worker in loky_workers():
                with contextlib.suppress(psutil.NoSuchProcess):
                    worker.kill()

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        with joblib.parallel_config(backend="loky", n_jobs=2), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "a worker process died", UserWarning)
            with pytest.raises(RuntimeError, match=r"died 3 times in a row, .* fewer"):
                sheet(model, store)
    finally:
        stop.set()
        thread.join()


def test_a_cluster_makes_the_icons_of_one_process_though_a_worker_is_killed(model, tmp_path, alone, cluster):
    with joblib.parallel_config(backend="dask"):
        first = sheet(model, lx.IconStore(tmp_path / "first"))
        assert same(first, alone)
        workers = cluster.run(os.getpid)
        assert len(set(workers.values())) == 2
        store = lx.IconStore(tmp_path / "second")
        thread, killed_at = kill_once_icons_come(store, next(iter(workers.values())))
        second = sheet(model, store)
        thread.join()
    assert 0 < killed_at[0] < len(UNITS)
    assert same(second, alone)
    assert len(saved(store)) == len(UNITS)
    cluster.wait_for_workers(2)
    assert set(cluster.run(os.getpid).values()) != set(workers.values())


@pytest.mark.parametrize("ending", ["worker", pytest.param("scheduler", marks=pytest.mark.slow)])
def test_a_cluster_that_gives_up_is_said_in_one_sentence_and_the_same_call_goes_on(
    model, tmp_path, monkeypatch, ending
):
    """Its scheduler goes; or a worker is killed, and no task may end more than that one."""
    distributed, dask = pytest.importorskip("distributed"), pytest.importorskip("dask")
    monkeypatch.setattr(parallel, "PATIENCE", 30.0)
    store, slow = lx.IconStore(tmp_path), lx.Recipe(size=32, steps=100)
    quiet = {"dashboard_address": ":0", "silence_logs": logging.CRITICAL}
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, **quiet) as cluster,
        distributed.Client(cluster) as client,
        joblib.parallel_config(backend="dask"),
    ):
        worker, _ = client.run(os.getpid).values()

        def end():
            while not saved(store):
                time.sleep(0.005)
            client.shutdown() if ending == "scheduler" else os.kill(worker, signal.SIGKILL)

        thread = threading.Thread(target=end)
        thread.start()
        with pytest.raises(RuntimeError, match=r"the cluster gave up .* the same call goes on from there"):
            lx.render_sheet(model, LAYER, UNITS, recipe=slow, store=store, progress=False)
        thread.join()
    kept = {path: path.read_bytes() for path in saved(store)}
    assert 0 < len(kept) < len(UNITS)
    lx.render_sheet(model, LAYER, UNITS, recipe=slow, store=store, progress=False)
    assert len(saved(store)) == len(UNITS)
    whole = {path: data for path, data in kept.items() if path.read_bytes() == data}
    assert len(whole) >= len(kept) - 7  # batches that were not whole are drawn anew


def test_silence_is_broken(monkeypatch):
    monkeypatch.setattr(parallel, "SILENCE", 0.2)

    def results():
        yield 1
        time.sleep(0.5)
        yield 2

    with pytest.warns(UserWarning, match=r"no icon of mixed3a has come for 0 s: see whether the workers"):
        assert list(_watched(results(), "mixed3a")) == [1, 2]


def test_a_worker_without_a_disk_in_common_still_gives_its_icons(model, tmp_path):
    """What a worker saved elsewhere is saved again here."""
    theirs, ours = lx.IconStore(tmp_path / "theirs"), lx.IconStore(tmp_path / "ours")
    file = card.kept(model)
    start, icons = _task(8, file, model.digest, LAYER, [3, 4], QUICK, 0, theirs.folder.parent, 1)
    assert start == 8
    assert len(saved(theirs)) == 2
    assert same(icons, lx.icons(model, LAYER, [3, 4], recipe=QUICK, store=ours, progress=False))


def test_a_worker_takes_no_other_network_than_the_one_meant(model, tmp_path):
    file = card.kept(model)
    with pytest.raises(ValueError, match=r"finds no file .*nowhere\.pb; set LUCID_EXT_CACHE"):
        _network(tmp_path / "nowhere.pb", "0" * 64, 1)
    with pytest.raises(ValueError, match=f"holds another network .{model.digest}."):
        _network(file, "0" * 64, 1)
    described = json.loads(file.with_suffix(".json").read_text())
    copy = tmp_path / "copy.pb"
    copy.write_bytes(file.read_bytes()[:-100])
    copy.with_suffix(".json").write_text(json.dumps(described))
    with pytest.raises(ValueError, match=r"copy\.pb is damaged"):
        _network(copy, model.digest, 1)
