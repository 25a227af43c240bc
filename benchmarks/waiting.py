"""How long a reader waits, on the network that comes embedded: `python benchmarks/waiting.py`.

Every figure is the median of processes of their own, beside what it must reach; for pictures, beside
the bare forward and backward passes through the network that they need, in the same process.
"""

import tempfile

from run import child, medians, row

OPEN = """
import json, time
start = time.perf_counter()
import lucid_ext as lx
interface = lx.{name}(lx.load_model(), "cat_coffee")
interface.view
shown = time.perf_counter()
interface.stop()
interface.wait()
again = time.perf_counter()
interface.set_image("cat")
interface.board
changed = time.perf_counter()
print(json.dumps([shown - start, changed - again]))
"""

BARE = """
import json, tempfile, time
import numpy as np
import tensorflow as tf
import lucid_ext as lx
from lucid_ext.models.tracing import trace
from lucid_ext.optvis import grids, icon, recipes

model = lx.load_model()
layer = model.opening.layer
store = lx.IconStore(tempfile.mkdtemp())
eye = np.eye(model.layers[layer][-1], dtype=np.float32)


def bare(size, batch, steps):
    "Seconds of so many passes, forward and backward, for images of this size."

    def run(x):
        (acts,) = model.splice({"input": model.to_range(x)}, [model.before_activation(layer)])
        return tf.gradients(tf.reduce_mean(acts[..., 0]), [x])

    images = tf.constant(np.random.default_rng(0).random((batch, size, size, 3)), tf.float32)
    step = trace(run, images)
    step(images)
    start = time.perf_counter()
    for _ in range(steps):
        step(images)
    return time.perf_counter() - start


def drawn(make):
    start = time.perf_counter()
    count = sum(1 for _ in make())
    return time.perf_counter() - start, count
"""

ICONS = (
    BARE
    + """
recipe = recipes.recipe_of(model, layer)
batch = icon.batch_size(model)
first = lambda units: icon.stream_directions(model, layer, eye[units], recipe, store=store)
drawn(lambda: first(range(batch)))
seconds, count = drawn(lambda: first(range(batch, 3 * batch)))
print(json.dumps([seconds / count, bare(recipe.transform.size, batch, recipe.steps) / batch]))
"""
)

GRIDS = (
    BARE
    + """
acts = model.activations(lx.load_image("cat_coffee"), layer, uncapped=True)
acts = np.maximum(acts, 0)
found = []
for draft in (True, False):
    recipe = recipes.recipe_of_tiles(model, layer, draft)
    model.memo.pop("grids", None)
    seconds, _ = drawn(lambda: grids.stream_tiles(model, layer, acts, store=store, draft=draft))
    batches = -(-acts.shape[0] * acts.shape[1] // grids.BATCH)
    passes = bare(recipe.size, grids.BATCH, recipe.steps * batches + recipe.group_steps)
    found += [seconds, passes]
print(json.dumps(found))
"""
)

REACH = {
    "SemanticDictionary": ("6 s", ""),
    "SpatialAttribution": ("20 s", "6 s"),
    "NeuronGroups": ("6 s", "6 s"),
}


def main() -> None:
    """Measure and print."""
    row("", "measured", "to reach")
    with tempfile.TemporaryDirectory() as cache:
        seconds, passes = medians(lambda: child(ICONS, cache))
        row("an icon of the opening layer, at its shipped size", f"{seconds:.2f} s", "0.9 s")
        row("  as a multiple of its bare passes", f"{seconds / passes:.2f}", "1.7")
        draft, of_draft, final, of_final = medians(lambda: child(GRIDS, cache))
        row("drafts of a grid of the opening layer, tracing included", f"{draft:.1f} s", "8 s")
        row("  as a multiple of their bare passes", f"{draft / of_draft:.2f}", "1.7")
        row("its final tiles", f"{final:.1f} s", "60 s")
        row("  as a multiple of their bare passes", f"{final / of_final:.2f}", "1.7")
        for name, (cold, picture) in REACH.items():
            shown, changed = medians(lambda name=name: child(OPEN.replace("{name}", name), cache))  # type: ignore[misc]
            row(f"cold process to a shown {name}", f"{shown:.1f} s", cold)
            row("  another picture", f"{changed:.1f} s", picture)


if __name__ == "__main__":
    main()
