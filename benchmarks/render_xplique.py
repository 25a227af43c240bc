"""One more peer, for the record: xplique's pictures of the channels `render.py` draws.

It needs an older TensorFlow, so an environment of its own is made under build/. Both TensorFlows
run on the same machine one after the other; Lucid's pictures and `render.py`'s row are read from
build/bench. xplique's settings are its own: 256 steps of Adam, its standard transformations.
"""

import json
import subprocess
import sys

import numpy as np
from render import FOLDER, lucid_images, quality, tasks

import lucid_ext as lx

ENVIRONMENT = FOLDER.parent / "xplique"
NEEDED = (
    *("xplique==1.5.2", "tensorflow-cpu==2.15.1", "tensorflow-probability==0.23", "keras<2.16", "numpy<2"),
    *("scipy<1.14", "einops", "opencv-python-headless<4.11", "matplotlib<3.10"),
)
TASK = "64 channels of mixed4d"


def main() -> None:
    """Draw, judge, print."""
    python = ENVIRONMENT / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *NEEDED, "scikit-learn"], check=True)
    model = lx.load_model("mini")
    (task,) = (task for task in tasks(model) if task.name == TASK)
    units = [str(unit) for unit in task.vectors.argmax(1)]
    path = FOLDER / "xplique.npz"
    script = FOLDER.parent.parent / "benchmarks" / "xplique_pictures.py"
    subprocess.run([str(python), str(script), str(path), task.layer, *units], check=True)
    goal = quality(model, task, lucid_images(model, task))
    with np.load(path) as made:
        found = quality(model, task, made["images"])
        seconds = float(made["seconds"]) / len(units) * task.count
    clean, robust, energy = (found / goal).mean(1)
    print(
        f"xplique, {TASK}, beside what Lucid reaches: objective {clean:.2f} clean, {robust:.2f} transformed,"
    )
    print(f"{energy:.2f} of its energy in high frequencies, in {seconds:.0f} s")
    row = FOLDER / "render.json"
    for known in json.loads(row.read_text(encoding="utf-8")) if row.exists() else ():
        if known["name"] == TASK:
            print(f"Lucid takes {known['lucid_s']:.0f} s, and we {known['ours_s']:.0f} s to be as good")


if __name__ == "__main__":
    main()
