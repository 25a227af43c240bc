"""InceptionV1's own measurements: `python benchmarks/inception_v1.py [graph.pb or .zip]`.

Without a file, one of full size with random weights is made: time and memory are the same. The
session that is compared with is TensorFlow's own, on the same graph, in turns with ours.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from lucid_ext.models.inception_v1 import GRAPH_IN_ZIP, LABELS_IN_ZIP, NAME, NAMED_CLASSES

ROOT = Path(__file__).parent.parent

MEASURE = """
import json, resource, statistics, time
import lucid_ext as lx
import tensorflow as tf

tf.zeros(1).numpy()
image = lx.load_image("cat_coffee")
start = time.perf_counter()
model = lx.load_model("inception_v1")
model.activations(image, "mixed4d")
loaded, resident = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

x = model.prepare(image)[None]
ours = model.function("input", ["mixed4d"])
graph = tf.Graph()
with graph.as_default():
    tf.graph_util.import_graph_def(model.graph_def, name="")
session = tf.compat.v1.Session(graph=graph)

def timed(run):
    before = time.perf_counter()
    run()
    return time.perf_counter() - before

def forward():
    ours(x)[0].numpy()

def in_session():
    session.run("mixed4d:0", {"input:0": 255.0 * x - 117.0})

timed(forward), timed(in_session)
pairs = [(timed(in_session), timed(forward)) for _ in range(40)]
theirs, mine = (statistics.median(column) for column in zip(*pairs))
print(json.dumps([loaded, resident, theirs, mine]))
"""


def cached_network(file: Path, folder: Path) -> Path:
    """A cache in `folder` that holds the network of `file`, as a download would leave it."""
    cached = folder / "models" / f"{NAME}.zip"
    cached.parent.mkdir(parents=True)
    if file.suffix == ".zip":
        shutil.copy(file, cached)
    else:
        with zipfile.ZipFile(cached, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(file, GRAPH_IN_ZIP)
            archive.writestr(LABELS_IN_ZIP, "\n".join(["dummy"] * NAMED_CLASSES))
    return folder


def main() -> None:
    """Measure in a process of its own and print."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(sys.argv[1] if len(sys.argv) > 1 else f"{folder}/graph.pb")
        if len(sys.argv) == 1:
            make = [sys.executable, "-m", "tests.models.full_size", str(file)]
            subprocess.run(make, cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
        environment = {**os.environ, "LUCID_EXT_CACHE": str(cached_network(file, Path(folder) / "cache"))}
        environment.pop("LUCID_EXT_MODELS", None)
        command = [sys.executable, "-c", MEASURE]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        loaded, resident, theirs, mine = json.loads(done.stdout.splitlines()[-1])
    print(f"{'from the cache to first activations':<58} {loaded:>9.2f} s   3 s")
    print(f"{'  peak resident memory':<58} {resident / 1e9:>8.2f} GB   1 GB")
    print(f"{'forward to mixed4d, a version 1 session':<58} {1000 * theirs:>8.1f} ms")
    print(f"{'  lucid_ext':<58} {1000 * mine:>8.1f} ms   {theirs / mine:.2f} of its speed, 0.95 to reach")


if __name__ == "__main__":
    main()
