"""A long sitting: many pictures, layers and bases in one interface, in memory that stays bounded."""

import gc

import numpy as np
import psutil
import pytest

import lucid_ext as lx

pytestmark = pytest.mark.slow


def test_memory_stays_bounded(model, store, rng):
    interface = lx.SemanticDictionary(model, "cat_coffee", "mixed4d", store=store)
    interface.view  # noqa: B018  the live view takes part
    interface.stop()
    resident = []
    for sitting in range(40):
        interface.set_image(rng.random((240, 320, 3), dtype=np.float32))
        for layer in interface.options["layer"]:
            interface.choose(layer=layer, basis="channels")
            assert interface.board.rows("units", {"image": 0})
        if sitting >= 10:
            gc.collect()
            resident.append(psutil.Process().memory_info().rss)
    half = len(resident) // 2
    grown = np.median(resident[half:]) - np.median(resident[:half])
    assert grown < 30e6, f"{grown / 1e6:.0f} MB more in {half} pictures"


def test_rendering_does_not_slow_down_or_swell(model, store):
    """Graphs that grow with every unit, and memory that grows with every step, are old ailments."""
    recipe = lx.Recipe(size=32, steps=3)
    resident = []
    for start in range(0, 240, 8):
        lx.icons(model, "mixed4a", range(start, start + 8), recipe=recipe, store=store, progress=False)
        gc.collect()
        resident.append(psutil.Process().memory_info().rss)
    assert resident[-1] - resident[9] < 30e6
