"""What the flow of groups costs, and how far its numbers hold, on the embedded network.

`python benchmarks/group_flow.py` prints one line per measurement.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

LAYERS = ("mixed4a", "mixed4d", "mixed5a")
IMAGES = ("cat_coffee", "coffee", "astronaut")


def timed(run: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    found = run()
    return found, time.perf_counter() - start


def measure(times: int = 3) -> None:
    """Time boards, slider steps and pages; compare attribution with what was measured."""
    import lucid_ext as lx

    model = lx.load_model("mini")
    _, first = timed(lambda: lx.GroupFlow(model, IMAGES[0], LAYERS).board)
    warm = [timed(lambda: lx.GroupFlow(model, IMAGES[1], LAYERS).board)[1] for _ in range(times)]
    print(
        f"GroupFlow over {len(LAYERS)} layers: first {first:.1f} s; then, of another picture, "
        f"{statistics.median(warm):.2f} s, 15 s to reach"
    )
    steps(times)
    page()
    for image in IMAGES:
        trust(image)


def steps(times: int) -> None:
    """A step of a slider, not computed ahead: another number of groups of one layer."""
    import lucid_ext as lx

    model = lx.load_model("mini")
    for aligned in (False, True):
        taken = []
        for _ in range(times):
            made = lx.GroupFlow(model, IMAGES[0], LAYERS, aligned=aligned)
            made.board_of(made.choice)  # the same for all steps from here
            for count in ("4", "8"):
                choice = {**made.choice, f"groups of {LAYERS[1]}": count}
                taken.append(timed(partial(made.board_of, choice))[1])
            ahead = timed(partial(made.board_of, choice))[1]
        print(
            f"a slider step{', aligned' if aligned else ''}: {statistics.median(taken):.2f} s to the new "
            f"board; computed ahead {1000 * ahead:.2f} ms"
        )


def page() -> None:
    """A page of the default layers with all its variants, its icons drawn."""
    import lucid_ext as lx

    with tempfile.TemporaryDirectory() as folder:
        made = lx.GroupFlow(lx.load_model("mini"), IMAGES[0], store=lx.IconStore(Path(folder) / "icons"))
        path, taken = timed(lambda: made.to_html(Path(folder) / "flow.html"))
        print(
            f"page of {len(made.page_choices())} boards: {taken:.1f} s with its icons, "
            f"{path.stat().st_size / 1e6:.1f} MB, 6 MB allowed"
        )


def trust(image: str) -> None:
    """Attribution against removal, paths against the straight gradient, and what alignment does."""
    import lucid_ext as lx
    from lucid_ext.attribution import agree

    model = lx.load_model("mini")
    for aligned in (False, True):
        flow: Any = lx.GroupFlow(model, image, LAYERS, aligned=aligned).board["flow"]
        pairs = list(zip(flow.links, flow.measured, strict=True))
        values, measured = (np.concatenate([np.ravel(p[i][p[0] != 0]) for p in pairs]) for i in (0, 1))
        within = [float(agree(p[p != 0], m[p != 0]).spearman) for p, m in pairs]
        signs = float((np.sign(values) == np.sign(measured)).mean())
        paths = np.stack([flow.adds_up([node]) for node in range(flow.sizes[0])])
        straight = flow.straight[: flow.sizes[0]]
        through = float(agree(paths.ravel(), straight.ravel()).spearman)
        real = float(agree(paths.ravel(), flow.straight_measured[: flow.sizes[0]].ravel()).spearman)
        positive = np.maximum(flow.links[0][:-1], 0)
        pure = float((positive.max(1) / positive.sum(1)).mean())
        print(
            f"{image}{', aligned' if aligned else ''}: links against measured, rank correlation "
            f"{', '.join(f'{w:.2f}' for w in within)}, signs {signs:.0%}; paths of the first layer against "
            f"the straight gradient {through:.2f}, against measured {real:.2f}; {pure:.0%} of what a group "
            f"leads to is one later group; {', '.join(n for n in flow.notes[: -flow.sizes[-1]] if n)}"
        )


if __name__ == "__main__":
    measure()
