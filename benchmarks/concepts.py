"""Concepts of a class over many pictures: seconds and memory. Called by `make bench-groups`.

`python benchmarks/concepts.py FOLDER [OTHER]` measures folders of your own; without any, 200 crops of the
samples, which take as long.
"""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import lucid_ext as lx

COUNT = 200
SECONDS, GIGABYTES = 60, 2  # to be reached


def pictures(folder: str | None) -> lx.Photographs:
    """Those of a folder, or crops of the samples over and over, each mirrored every other time."""
    if folder is not None:
        return lx.Photographs(folder)
    crops = list(lx.Photographs())
    return lx.Photographs([crops[i % len(crops)][:, :: 1 - 2 * (i // len(crops) % 2)] for i in range(COUNT)])


def once(folders: list[str]) -> dict[str, float]:
    """Seconds and peak resident gigabytes of this process."""
    model = lx.load_model("mini")
    own = pictures(folders[0] if folders else None)
    other = pictures(folders[1]) if len(folders) > 1 else None
    start = time.perf_counter()
    found = lx.concepts(model, own, other=other, progress=False).found
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    return {"pictures": len(found.occurs), "seconds": seconds, "gigabytes": peak}


def measure(folders: list[str]) -> str:
    """A line on concepts, measured in a process of its own."""
    command = [sys.executable, str(Path(__file__)), "--once", *folders]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    return (
        f"concepts of {found['pictures']} pictures: {found['seconds']:.1f} s (to reach: {SECONDS}), "
        f"{found['gigabytes']:.2f} GB (to reach: {GIGABYTES})"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--once"]:
        print(json.dumps(once(sys.argv[2:])))
    else:
        print(measure(sys.argv[1:]))
