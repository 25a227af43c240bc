"""A step of the render engine on InceptionV1's full-size graph: `make bench-render`.

Time per icon and step beside Lucid's, in turns; how near both are to what a matrix product reaches
on this machine; where the rest goes, layer by layer; and the peak memory of rendering 64 icons.
Weights are random: time and memory are the same.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from render import SIZE, Lucid, Ours, Task, step_times

import lucid_ext as lx
from lucid_ext.models.gradients import REDIRECTED_RELU, gradient_overrides
from lucid_ext.optvis import batch_size
from lucid_ext.optvis.transform import WINDOW

LAYER = "mixed4d"
LUCID_BATCH = 16
THROUGH = ("conv2d0", "conv2d2", "mixed3b", "mixed4a", "mixed4d")
SEEN = WINDOW.out_size(SIZE, SIZE)[0]  # pixels across of what the network is shown
LUCID_SEEN = SIZE + 12  # Lucid pads by 12 on each side and crops 8 and 4

SHEET = """
import resource, sys, tempfile
import lucid_ext as lx
model = lx.load_model(sys.argv[1])
lx.icons(model, "mixed4d", range(64), recipe=lx.Recipe(size=128, steps=2),
         store=lx.IconStore(tempfile.mkdtemp()), progress=False)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)
"""


def matmul_peak(side: int = 2048) -> float:
    """Floating point operations per second of a large matrix product."""
    a = tf.random.normal((side, side))
    product = tf.function(lambda x: x @ x)
    times = []
    for _ in range(8):
        before = time.perf_counter()
        product(a).numpy()
        times.append(time.perf_counter() - before)
    return 2 * side**3 / min(times)


def operations(model: lx.VisionModel, layer: str, size: int) -> float:
    """Floating point operations of the convolutions of one image up to a layer, forward and back."""
    total = 0

    def count(x: tf.Tensor) -> tf.Tensor:
        nonlocal total
        (found,) = model.splice({"input": x}, [layer])
        for op in found.graph.get_operations():
            if op.type == "Conv2D":
                total += 2 * int(np.prod(op.outputs[0].shape[1:]) * np.prod(op.inputs[1].shape[:3]))
        return found

    tf.function(count, autograph=False).get_concrete_function(tf.TensorSpec((1, size, size, 3)))
    return 2.0 * total  # the gradient by the image costs what the forward pass costs


def through(model: lx.VisionModel, layer: str) -> float:
    """Seconds per image of a forward and backward pass up to a layer, without anything else."""

    def run(x: tf.Tensor) -> tf.Tensor:
        with gradient_overrides(REDIRECTED_RELU):
            (acts,) = model.splice({"input": model.to_range(x)}, [layer])
        return tf.gradients(tf.reduce_mean(acts), x)[0]

    batch = batch_size(model)
    x = tf.random.uniform((batch, SEEN, SEEN, 3))
    traced = tf.function(run, autograph=False).get_concrete_function(x)
    traced(x).numpy()
    times = []
    for _ in range(5):
        before = time.perf_counter()
        traced(x).numpy()
        times.append((time.perf_counter() - before) / batch)
    return sorted(times)[2]


def main(arguments: Sequence[str] = ()) -> None:
    """Measure and print; with the path of a graph, on that."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(arguments[0]) if arguments else Path(folder) / "graph.pb"
        if not arguments:
            make = [sys.executable, "-m", "tests.models.full_size", str(file)]
            root = Path(__file__).parent.parent
            subprocess.run(make, cwd=root, check=True, stderr=subprocess.DEVNULL)
        model = lx.load_model(str(file))
        peak = matmul_peak()
        vectors = np.eye(model.layers[LAYER][-1], dtype=np.float32)[:LUCID_BATCH]
        task = Task("sheet", LAYER, 64, vectors)
        lucid, ours = step_times([Lucid(model, task, LUCID_BATCH), Ours(model, task, 64, batch_size(model))])
        theirs_flops, our_flops = (operations(model, LAYER, size) for size in (LUCID_SEEN, SEEN))
        print(f"matrix product: {peak / 1e9:.0f} GFLOP/s")
        for name, seconds, flops in (("Lucid", lucid, theirs_flops), ("ours", ours, our_flops)):
            cost = f"{1000 * seconds:.1f} ms per icon and step, {flops / 1e9:.2f} GFLOP"
            print(f"{name}: {cost}, {flops / seconds / peak:.0%} of it")
        print(f"ours takes {ours / lucid:.2f} of Lucid's time; 0.67 to reach")
        before, done = 0.0, 0.0
        for layer in THROUGH:
            seconds, flops = through(model, layer), operations(model, layer, SEEN)
            share = (flops - done) / (seconds - before) / peak
            print(f"  to {layer}: {1000 * (seconds - before):.1f} ms more, {share:.0%} of the matrix product")
            before, done = seconds, flops
        print(f"  image, transformation and Adam: {1000 * (ours - before):.1f} ms")
        command = [sys.executable, "-c", SHEET, str(file)]
        done_sheet = subprocess.run(command, capture_output=True, text=True, check=True)
        print(f"64 icons of {SIZE} px: {json.loads(done_sheet.stdout):.2f} GB at most; 3 to reach")


if __name__ == "__main__":
    main(sys.argv[1:])
