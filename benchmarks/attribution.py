"""Attribution's own measurements: `make bench-attribution`.

InceptionV1's graph at full size, with random weights unless a file is given; time and memory are
the same. What is compared with is the method of the Building Blocks notebook: the real Lucid imports
the graph, and one backward pass after another is run, a session call for each cell.

`python benchmarks/attribution.py --cells 8` tries it out on a sample of cells of the notebook's loop;
without it the loop is run for all of them.
"""

import argparse
import itertools
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil

ROOT = Path(__file__).parent.parent
LAYERS = ("mixed3a", "mixed4a", "mixed4d", "mixed5a")
COMPARED = (("mixed4d", "mixed5a", 1.5), ("mixed4a", "mixed4b", 4.0))


def notebook(lucid_model: Any, image: np.ndarray, source: str, layer: str, cells: list[int]) -> tuple:
    """The notebook's method, for some cells: their attributions (n, h, w), and seconds per cell."""
    import tensorflow.compat.v1 as tf
    from lucid.optvis import render

    with tf.Graph().as_default(), tf.Session():
        t_input = tf.placeholder_with_default(image, [None, None, 3])
        T = render.import_model(lucid_model, t_input, t_input)
        acts = T(source).eval()
        y, x = tf.placeholder("int32", []), tf.placeholder("int32", [])
        score = tf.sqrt(tf.reduce_sum(T(layer) ** 2, -1))[0][y, x]
        gradient = tf.gradients(score, T(source))[0]
        width = T(layer).eval({T(source): acts}).shape[2]

        def one(cell: int) -> np.ndarray:
            place = {y: cell // width, x: cell % width}
            return np.sum(acts[0] * gradient.eval({**place, T(source): acts})[0], -1)

        one(0)
        start = time.perf_counter()
        found = np.array([one(cell) for cell in cells])
        return found, (time.perf_counter() - start) / len(cells)


def flops(model: Any, source: str, layer: str) -> float:
    """Of the convolutions of one pass from one layer to the other, forward; backward takes as many."""
    graph = {node.name: node for node in model.graph_def.node}
    total = 0.0
    for name, weight in model.weights(source, layer).items():
        if len(weight.shape) == 4:
            height, width, _ = model.shape_of(_reader(graph, name), model.size)
            total += 2.0 * height * width * float(np.prod(weight.shape))
    return total


def _reader(graph: dict, weight: str) -> str:
    """The convolution that reads a weight."""
    return next(n.name for n in graph.values() if n.op == "Conv2D" and weight in n.input)


def flop_rate() -> float:
    """FLOP per second of a convolution of the network's own kind, in a large batch."""
    import tensorflow as tf

    x, w = tf.random.normal((32, 14, 14, 256)), tf.random.normal((3, 3, 256, 256))
    run = tf.function(lambda: tf.nn.conv2d(x, w, 1, "SAME"), autograph=False)
    seconds = min(timed(run)[1] for _ in range(5))
    return 2.0 * 32 * 14 * 14 * 9 * 256 * 256 / seconds


def timed(run: Callable) -> tuple[Any, float]:
    start = time.perf_counter()
    found = run()
    return found, time.perf_counter() - start


def peak() -> float:
    """Peak resident memory so far, in bytes."""
    return 1024.0 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def compare_with_the_notebook(graph: str, sample: int) -> None:
    import lucid_ext as lx

    model, image = lx.load_model(graph), lx.load_image("cat_coffee")
    lucid_model = lx.to_lucid(model)
    rate = flop_rate()
    print(f"a convolution alone: {rate / 1e9:.0f} GFLOP/s")
    for source, layer, reach in COMPARED:
        count = int(np.prod(model.layers[layer][:2]))
        cells = np.unique(np.linspace(0, count - 1, sample or count).astype(int)).tolist()
        ask = model, image, source, (layer, "cells")
        cold = timed(lambda ask=ask: lx.attribute(*ask))[1]
        theirs, each = notebook(lucid_model, model.prepare(image), source, layer, cells)
        ours, warm = min((timed(lambda ask=ask: lx.attribute(*ask)) for _ in range(3)), key=lambda t: t[1])
        values = ours.values.reshape(*ours.values.shape[:2], -1)[..., cells]
        apart = np.abs(np.moveaxis(values, -1, 0) - theirs).max() / np.abs(theirs).max()
        passes, once = len(ours.problem.passes), flops(model, source, layer)
        floor = (passes + 1) * once / rate
        print(
            f"{source} -> {layer}, {count} cells: notebook {each * count:.2f} s"
            f"{f' (from {len(cells)} cells)' if len(cells) < count else ''}, lucid_ext {warm:.2f} s "
            f"(first {cold:.2f} s), {each * count / warm:.1f} times faster, {reach} to reach; "
            f"{passes} backward passes, {(passes + 1) * once / 1e9:.0f} GFLOP, {floor:.2f} s at the least; "
            f"values differ by {apart:.0e} of the largest, 1e-4 allowed"
        )
    print(f"  peak resident memory {peak() / 1e9:.2f} GB, with the notebook's session")


def all_pairs(graph: str) -> None:
    """With the passes that pairs of one target share, and without; and for each pair its own floor."""
    import lucid_ext as lx

    model, image = lx.load_model(graph), lx.load_image("cat_coffee")
    rate = flop_rate()
    for turn in ("first", "again"):
        found, seconds = timed(lambda: lx.attribution.between(model, image, LAYERS))
        firsts = [(LAYERS[0], target) for target in LAYERS[1:]]
        least = sum((len(found[pair].problem.passes) + 1) * flops(model, *pair) for pair in firsts)
        print(
            f"all {len(found)} pairs of {', '.join(LAYERS)}, {turn}: {seconds:.1f} s; "
            f"{least / 1e9:.0f} GFLOP, {least / rate:.1f} s at the least"
        )
    for (source, layer), one in found.items():
        ask = model, image, source, (layer, "cells")
        lx.attribute(*ask)
        seconds = timed(lambda ask=ask: lx.attribute(*ask))[1]
        passes = len(one.problem.passes)
        least = (passes + 1) * flops(model, source, layer)
        print(
            f"  {source} -> {layer} alone: {seconds:.2f} s; {passes} passes, {least / 1e9:.0f} GFLOP, "
            f"{least / rate:.2f} s at the least"
        )
    print(f"  peak resident memory {peak() / 1e9:.2f} GB, 2 GB allowed")


def path_gap(graph: str) -> None:
    import lucid_ext as lx

    model, image = lx.load_model(graph), lx.load_image("cat_coffee")
    for source, target in (("mixed4d", 1), ("mixed3a", 1), ("mixed4a", ("mixed4b", "cells"))):
        found, seconds = timed(
            lambda source=source, target=target: lx.attribute(model, image, source, target, "path")
        )
        print(
            f"path, {source} -> {found.target}: completeness gap {np.median(found.gap):.2%} "
            f"(largest {found.gap.max():.2%}), 1% to reach, {seconds:.1f} s"
        )
    print(f"  peak resident memory {peak() / 1e9:.2f} GB, 2 GB allowed")


def ablation(graph: str) -> None:
    import lucid_ext as lx

    model, image = lx.load_model("mini"), lx.load_image("cat_coffee")
    ask = model, image, "mixed4d", model.predict(image, 1)[0][0], "ablation"
    cold = timed(lambda: lx.attribute(*ask))[1]
    warm = min(timed(lambda: lx.attribute(*ask))[1] for _ in range(3))
    print(
        f"ablation of the 196 cells of the embedded network's mixed4d: {warm:.2f} s "
        f"(first {cold:.2f} s), 2 s to reach"
    )


def interface(_: str) -> None:
    """A complete board of four layers of the embedded network, and then one of another picture."""
    import lucid_ext as lx

    model = lx.load_model("mini")

    def board(image: str) -> Any:
        return lx.SpatialAttribution(model, image, LAYERS).board

    board("cat_coffee")
    cold = time.time() - psutil.Process().create_time()
    warm = timed(lambda: board("coffee"))[1]
    print(
        f"SpatialAttribution of four layers of the embedded network: {cold:.1f} s from the start of the "
        f"process, 15 s to reach; then {warm:.1f} s, 3 s to reach"
    )


def survey(_: str) -> None:
    """The embedded network over all crops of the samples: which method, and between which layers."""
    import lucid_ext as lx

    model, photographs = lx.load_model("mini"), lx.Photographs()
    layers = ("mixed4a", "mixed4d", "mixed5a", "mixed5b")
    methods = ("gradient", "smooth_maxpool", "path", "random")
    pictures = [photograph for _, photograph in photographs.readable()]
    options = {"path": {"steps": 16, "tolerance": None}}
    found, seconds = timed(lambda: lx.attribution.survey(model, pictures, layers, methods, options=options))
    print(f"{photographs.about}, {seconds:.0f} s; medians of the rank correlation with what is measured:")
    for m, method in enumerate(methods):
        table = found.median("spearman", method)
        steps = [f"{a} -> {b} {table[i, i + 1]:.2f}" for i, (a, b) in enumerate(itertools.pairwise(layers))]
        apart = [f"{d} apart {np.nanmedian(v[m]):.2f}" for d, v in found.by_distance().items()]
        to_class = [f"{layer} {value:.2f}" for layer, value in zip(layers, table[:, -1], strict=True)]
        gap, signs = (found.median(what, method)[:, -1] for what in ("gap", "signs"))
        print(f"  {method}: {', '.join(apart)}; {', '.join(steps)}")
        print(f"    to the class from {', '.join(to_class)}; gap {gap.round(2)}, signs {signs.round(2)}")


PARTS: dict[str, Callable[..., None]] = {
    "notebook": compare_with_the_notebook,
    "pairs": all_pairs,
    "path": path_gap,
    "ablation": ablation,
    "interface": interface,
    "survey": survey,
}


def main() -> None:
    """Run every part in a process of its own, so that memory is its own too."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("graph", nargs="?", help="a frozen InceptionV1; without it one is made")
    parser.add_argument("--cells", type=int, default=0, help="of the notebook's loop; all by default")
    parser.add_argument("--part", choices=PARTS, help="only this, in this process")
    options = parser.parse_args()
    if options.part:
        args = (options.graph, options.cells) if options.part == "notebook" else (options.graph,)
        PARTS[options.part](*args)
        return
    with tempfile.TemporaryDirectory() as folder:
        graph = options.graph or f"{folder}/graph.pb"
        if not options.graph:
            make = [sys.executable, "-m", "tests.models.full_size", graph]
            subprocess.run(make, cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
        for part in PARTS:
            command = [sys.executable, __file__, graph, "--cells", str(options.cells), "--part", part]
            environment = {**os.environ, "PYTHONWARNINGS": "ignore", "TF_CPP_MIN_LOG_LEVEL": "3"}
            subprocess.run(command, check=True, env=environment, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
