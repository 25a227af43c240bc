"""Time of neuron groups, and the published factorizations: `make bench-groups`.

Times are of a warm process, in which the network has answered once; beside them the processor's, which
other work on the machine does not change. The published data is looked for in $LUCID_EXT_REFERENCE.
"""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

import lucid_ext as lx
from lucid_ext.widgets.payload import payload

IMAGE = "cat_coffee"
REFERENCE = "LUCID_EXT_REFERENCE"


def timed(what: str, make: Callable[[], object], to_reach: str) -> None:
    """Run it, look at the clocks and print a row."""
    start, busy = time.perf_counter(), time.process_time()
    make()
    wall, processor = time.perf_counter() - start, time.process_time() - busy
    print(f"| {what} | {wall:.2f} s ({processor:.2f} s of the processor) | {to_reach} |")


def neuron_groups(model: lx.VisionModel) -> None:
    """The first picture, and a step of the slider to a number computed ahead."""
    made: list[lx.NeuronGroups] = []

    def first() -> None:
        made.append(lx.NeuronGroups(model, IMAGE))
        payload([made[0].board], controls=False)

    timed("`NeuronGroups`, first picture", first, "6 s")
    timed("another number of groups, not computed ahead", lambda: made[0].board_of({"groups": "5"}), "0.15 s")

    def step() -> None:
        payload([made[0].board_of({"groups": "5"})], controls=False)

    timed("a step of the slider, computed ahead", step, "0.15 s")


def published() -> None:
    """The ten factorizations published with the article: the lowest matched cosine of all groups."""
    folder = Path(os.environ.get(REFERENCE, ""))
    if REFERENCE not in os.environ or not folder.is_dir():
        print(f"The published factorizations were not compared: ${REFERENCE} names no folder.")
        return
    lowest, compared = 1.0, 0
    for example in ("pig", "beer"):
        acts = np.load(folder / example / "mixed4d_activations.npy")[0]
        theirs = np.load(folder / example / "mixed4d_nmf.npy")[0]
        counts = json.loads((folder / example / "groups.json").read_text(encoding="utf-8"))["num_4d"]
        for i, k in enumerate(counts):
            maps = [m.reshape(-1, k) for m in (lx.factorize(acts, k).spatial, theirs[i, :, :, :k])]
            ours, own = (m / np.linalg.norm(m, axis=0) for m in maps)
            cosine = ours.T @ own
            lowest = min(lowest, float(cosine[linear_sum_assignment(-cosine)].min()))
            compared += 1
    print(f"| {compared} published factorizations, lowest cosine of a group | {lowest:.6f} | 0.9999 |")


def main() -> None:
    model = lx.load_model("mini")
    image = lx.load_image(IMAGE)
    model.predict(image)
    lx.factorize(model.activations(image, "mixed4d"), 2)
    print("| | measured | to reach |\n|---|---|---|")
    neuron_groups(model)
    published()


if __name__ == "__main__":
    main()
