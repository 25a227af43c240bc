"""What the commands for icons have in common: which icons are meant, and rendering those not yet there."""

import argparse
import dataclasses
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lucid_ext.models.vision_model import VisionModel
    from lucid_ext.optvis import Icon, IconStore, Recipe

SMALLEST = 16  # pixels


@dataclasses.dataclass(frozen=True)
class Order:
    """Icons that somebody asks for.

    Attributes:
        model: the network.
        changes: fields of the recipe that differ from the layer's own.
        seed: of the random start and transformations.
        jobs: how many processes render.
        store: where they are kept.
    """

    model: "VisionModel"
    changes: dict[str, Any]
    seed: int
    jobs: int
    store: "IconStore"

    def of(self, layer: str, units: list[int]) -> tuple[Any, ...]:
        """What determines these icons, as the functions that find and render them take it."""
        return self.model, layer, units, self.recipe(layer), self.seed, self.store

    def recipe(self, layer: str) -> "Recipe":
        """How icons of a layer are rendered."""
        from lucid_ext.optvis import recipe_of

        return dataclasses.replace(recipe_of(self.model, layer), **self.changes)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that say which icons are meant."""
    parser.add_argument("--units", metavar="0-63,70", help="channels; by default all of the layer's")
    parser.add_argument("--seed", type=int, default=0, help="of the random start; by default 0")
    parser.add_argument("--size", type=int, metavar="PIXELS", help="side of an icon")
    parser.add_argument("--steps", type=int, help="of the optimisation")
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="processes that render; by default 1"
    )


def order(chosen: argparse.Namespace) -> Order:
    """The order of a command line.

    Raises:
        ValueError: one sentence: which option is wrong, or the network.
    """
    for name, least in (("jobs", 1), ("size", SMALLEST), ("steps", 1), ("seed", 0)):
        value = getattr(chosen, name)
        if value is not None and value < least:
            raise ValueError(f"--{name} is {value}; expected {least} or more.")
    import lucid_ext as lx

    model = lx.load_model(chosen.model)
    given = {"size": chosen.size, "steps": chosen.steps}
    changes = {name: value for name, value in given.items() if value is not None}
    return Order(model, changes, chosen.seed, chosen.jobs, lx.IconStore())


def parse_units(text: str | None, model: "VisionModel", layer: str) -> list[int]:
    """Channel numbers of "0-63,70", each once, in the order given; all of the layer's for None."""
    model.check_spatial(layer)
    if text is None:
        return list(range(model.layers[layer][-1]))
    units: dict[int, None] = {}
    for part in text.split(","):
        first, dash, last = (piece.strip() for piece in part.partition("-"))
        if not first.isdecimal() or (dash and not last.isdecimal()) or int(last or first) < int(first):
            raise ValueError(f"--units is {text!r}; expected numbers and ranges of them, as in 0-63,70.")
        for unit in (int(first), int(last or first)):
            model.check_unit(layer, unit)
        units.update(dict.fromkeys(range(int(first), int(last or first) + 1)))
    return list(units)


def render(order: Order, layer: str, units: list[int]) -> list["Icon"]:
    """Render what is missing, with a progress bar, and return all of them.

    Raises:
        KeyboardInterrupt: with a sentence on what is kept.
    """
    import joblib

    from lucid_ext.optvis.parallel import at_hand, render_sheet

    threads = max(1, (os.cpu_count() or 1) // order.jobs)
    try:
        with joblib.parallel_config(backend="loky", n_jobs=order.jobs, initializer=_begin):
            return render_sheet(
                order.model,
                layer,
                units,
                recipe=order.recipe(layer),
                seed=order.seed,
                store=order.store,
                threads=min(threads, 2),
            )
    except KeyboardInterrupt:
        kept = len(at_hand(*order.of(layer, units)))
        raise KeyboardInterrupt(
            f"Interrupted: {kept} of {len(units)} icons of {layer} are kept in {order.store.folder}; "
            "the same command goes on from there."
        ) from None


def _begin() -> None:
    """In a process that is to render: Ctrl-C is for the one that waits for it, TensorFlow starts quietly."""
    import lucid_ext

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    lucid_ext.import_tensorflow_quietly()


def _end_with(parent: int) -> None:
    """End this process soon after the one that started it, which may have been killed."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
