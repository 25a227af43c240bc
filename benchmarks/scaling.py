"""What more workers bring: `python benchmarks/scaling.py [--icons N] [--model graph.pb] [--rate MB]`.

First measured: icons a minute of the embedded network with one worker process and with two, each of
one thread, and what an icon takes on disk and on the wire. Then on paper, from seconds per icon as
measured on each layer of InceptionV1's graph (random weights cost the same): all of its channels on
1, 10 and 100 machines like this one, dealt out as `render_sheet` does, layer by layer. Workers first
read the network over one shared line, start and trace; at the end of a layer they wait for the last.
"""

import argparse
import heapq
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from lucid_ext.optvis import CHANNEL
from lucid_ext.optvis.parallel import task_size

ROOT = Path(__file__).parent.parent
MACHINES = (1, 10, 100)
LIMITS = (0.9, 0.5)  # of efficiency, for which the largest number of machines is looked for

SHEET = """
import json, sys, tempfile, time
import joblib
import lucid_ext as lx
import tensorflow as tf
from lucid_ext.optvis import BATCH

workers, count = int(sys.argv[1]), int(sys.argv[2])
tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
model, store = lx.load_model("mini"), lx.IconStore(tempfile.mkdtemp())

def render(units, seed):
    with joblib.parallel_config(backend="loky", n_jobs=workers):
        lx.render_sheet(model, "mixed4d", units, seed=seed, store=store, progress=False)

render(range(2 * workers * BATCH), 1)  # every worker has started and traced
started = time.perf_counter()
render(range(count), 2)
seconds = time.perf_counter() - started
sizes = [path.stat().st_size for path in store.folder.rglob("*.png")]
print(json.dumps([seconds, sum(sizes) / len(sizes)]))
"""

LAYERS = """
import json, sys, time
began = time.perf_counter()
import lucid_ext as lx
import tensorflow as tf

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
import dataclasses
import tempfile
from lucid_ext.optvis import CHANNEL, batch_size

model, steps = lx.load_model(sys.argv[1]), int(sys.argv[2])
loaded, batch = time.perf_counter() - began, batch_size(model)

def seconds(layer, recipe):
    store = lx.IconStore(tempfile.mkdtemp())
    before = time.perf_counter()
    lx.icons(model, layer, range(batch), recipe=recipe, seed=1, store=store, progress=False)
    return time.perf_counter() - before

found = []
for layer, shape in model.layers.items():
    if len(shape) == 3:
        recipe = dataclasses.replace(CHANNEL, steps=steps)
        first = seconds(layer, recipe)
        again = seconds(layer, recipe)
        found.append([layer, shape[-1], again / batch * CHANNEL.steps / steps, first - again])
    model.memo.clear()
print(json.dumps([loaded, batch, found]))
"""


def child(code: str, *arguments: object) -> list:
    """What a fresh process prints last, as JSON."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    return json.loads(done.stdout.splitlines()[-1])


def hours(
    layers: Sequence[tuple[str, int, float, float]], batch: int, workers: int, start: float, reading: float
) -> tuple[float, float, float]:
    """A render of all channels, dealt out task by task to whoever is free.

    Args:
        layers: (name, channels, seconds per icon, seconds to trace) of each.
        batch: icons rendered at once.
        workers: how many there are.
        start: seconds until a worker has imported and parsed, once it has the network.
        reading: seconds one copy of the network takes on the line they share.

    Returns:
        Hours in all; and the shares of the workers' time that go into starting (reading and tracing
        too), and into waiting for the last task of a layer.
    """
    free = [start + reading * (i + 1) for i in range(workers)]  # one after another
    starting, waiting = sum(free), 0.0
    for _, channels, cost, tracing in layers:
        step = task_size(channels, workers, batch)
        tasks = [min(step, channels - at) for at in range(0, channels, step)]
        ends = [(at, False) for at in free]
        heapq.heapify(ends)
        for size in tasks:
            at, traced = heapq.heappop(ends)
            batches = -(-size // batch)  # a batch that is not full takes as long
            starting += 0.0 if traced else tracing
            heapq.heappush(ends, (at + (0.0 if traced else tracing) + batches * batch * cost, True))
        last = max(at for at, _ in ends)
        waiting += sum(last - at for at, _ in ends)
        free = [last] * workers
    total = free[0]
    return total / 3600, starting / (total * workers), waiting / (total * workers)


def efficiency(shares: tuple[float, float, float]) -> float:
    """The share of the workers' time in which they render."""
    return 1 - shares[1] - shares[2]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--icons", type=int, default=128, help="of mixed4d, for icons a minute")
    parser.add_argument("--steps", type=int, default=16, help="measured on each layer of InceptionV1")
    parser.add_argument("--model", type=Path, help="InceptionV1's graph; by default one of random weights")
    parser.add_argument("--rate", type=float, default=100.0, help="of the shared line, MB per second")
    args = parser.parse_args()

    print(f"mini, mixed4d, {CHANNEL.size} px, {CHANNEL.steps} steps, {args.icons} icons, one thread each")
    speeds = {}
    for workers in (1, 2):
        seconds, stored = child(SHEET, workers, args.icons)
        speeds[workers] = args.icons / seconds * 60
        print(f"{workers} worker{'s' * (workers > 1)}: {speeds[workers]:7.1f} icons a minute", flush=True)
    print(f"two against one: {speeds[2] / speeds[1]:.2f}")
    pixels = 3 * CHANNEL.size**2
    print(f"an icon: {stored / 1e3:.1f} kB on disk, {pixels / 1e3:.1f} kB back to who asked\n")

    with tempfile.TemporaryDirectory() as folder:
        file = args.model or Path(folder) / "InceptionV1.pb"
        if args.model is None:
            make = [sys.executable, "-m", "tests.models.full_size", str(file)]
            subprocess.run(make, cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
        size = file.stat().st_size
        start, batch, layers = child(LAYERS, file, args.steps)
    print(f"InceptionV1, {size / 1e6:.0f} MB: {start:.1f} s to import and load, one thread")
    for name, channels, cost, tracing in layers:
        print(f"{name:<16} {channels:>5} channels {cost:>7.2f} s an icon {tracing:>6.1f} s to trace")
    count = sum(channels for _, channels, _, _ in layers)
    work = sum(channels * cost for _, channels, cost, _ in layers)
    print(f"{'all':<16} {count:>5} channels {work / 3600:>7.2f} h of one thread\n")

    cores, reading = os.cpu_count() or 1, size / args.rate / 1e6
    print(f"on paper, {cores} one-thread workers a machine, one line of {args.rate:.0f} MB/s for all")
    print(f"{'machines':>8} {'hours':>7} {'rendering':>10} {'starting':>9} {'waiting':>8} {'MB/s':>6}")
    for machines in MACHINES:
        found = hours(layers, batch, machines * cores, start, reading)
        rate = count * (stored + pixels) / (found[0] * 3600) / 1e6
        print(
            f"{machines:>8} {found[0]:>7.2f} {efficiency(found):>10.0%} {found[1]:>9.0%} {found[2]:>8.0%} "
            f"{rate:>6.2f}"
        )
    for limit in LIMITS:
        machines = 1
        while (
            efficiency(hours(layers, batch, machines * cores, start, reading)) >= limit and machines < 10_000
        ):
            machines += 1
        print(f"from {machines} machines on, less than {limit:.0%} of the workers' time goes into rendering")


if __name__ == "__main__":
    main()
