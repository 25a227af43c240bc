"""The channels of layers that say most of two classes: what they add to them, where, and to one another."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from lucid_ext.attribution import Problem, agree, attribute, explain
from lucid_ext.attribution.trust import completeness_gap
from lucid_ext.interfaces.methods import OPTIONS
from lucid_ext.models import VisionModel

SIDE = 4  # channels of a list for a question, and as many against it
BY_NEURON = ("gradient", "path", "smooth_maxpool")
"""Methods that say of all neurons at once what they add; of others only whole channels are asked."""


@dataclasses.dataclass(frozen=True, eq=False)
class Evidence:
    """What the channels of a layer add to the difference of two logits, and to each.

    Attributes:
        values: float32 (c, 3): to the difference, to the first logit, to the second.
        cells: float32 (h, w, c), what they add to the difference at each place; None where the method
            does not say, or where the layer has no positions.
        gap: (3,) completeness gaps.
        notes: sentences that must be read with the values; mostly none.
    """

    values: np.ndarray
    cells: np.ndarray | None
    gap: np.ndarray
    notes: tuple[str, ...]


class Strongest:
    """What the network answers about two classes for one picture, each asked for once.

    Attributes:
        classes: the numbers of the two classes.
        kept: {layer: channels}, those that can be listed, in rising order.
    """

    def __init__(
        self,
        model: VisionModel,
        image: np.ndarray,
        layers: Sequence[str],
        classes: tuple[int, int],
        methods: Sequence[str],
        count: int,
        seed: int = 0,
    ):
        """Find the strongest channels of each layer, the same for all methods.

        Args:
            model: the network.
            image: float32 (H, W, 3) in [0, 1].
            layers: on one path, in order.
            classes: two.
            methods: of attribution; of each of them the strongest channels are kept.
            count: how many channels of each layer to keep.
            seed: of methods that sample.
        """
        self.model, self.image, self.classes, self.seed = model, image, classes, seed
        self._found: dict[tuple[str, ...], Any] = {}
        self.kept = {
            layer: listed({m: self.evidence(layer, m).values[:, 0] for m in methods}, count)
            for layer in layers
        }

    def evidence(self, layer: str, method: str) -> Evidence:
        """What all channels of a layer add to the classes, place by place where the method can say."""

        def ask() -> Evidence:
            by_place = method in BY_NEURON and len(self.model.shape_of(layer, self.model.size)) == 3
            atoms, options = "neurons" if by_place else "channels", OPTIONS.get(method, {})
            found = attribute(
                self.model, self.image, layer, list(self.classes), method, atoms, self.seed, **options
            )
            signs = np.array([[1, 1, 0], [-1, 0, 1]], np.float32)  # the difference, the first, the second
            places = found.values @ signs
            values = places.sum((0, 1)) if by_place else places
            gap = completeness_gap(places, found.change @ signs)
            return Evidence(values, places[..., 0] if by_place else None, gap, found.notes)

        return self._once((layer, method), ask)

    def between(self, low: str, high: str, method: str) -> tuple[np.ndarray, np.ndarray]:
        """What the channels kept of one layer add to those of a later one, and measured: (low, high) each."""

        def problem() -> Problem:
            target = (high, self.kept[high])
            return Problem(self.model, self.image, low, target, "channels", seed=self.seed)

        asked = self._once((low, high), problem)
        measured = self._once((low, high, "measured"), lambda: asked.remove_each(self.kept[low]))
        if method == "ablation":
            return measured, measured
        options = OPTIONS.get(method, {})
        found = self._once((low, high, method), lambda: explain(asked, method, **options).values)
        return found[self.kept[low]], measured

    def _once(self, key: tuple[str, ...], ask: Callable[[], Any]) -> Any:
        if key not in self._found:
            self._found[key] = ask()
        return self._found[key]


def listed(found: Mapping[str, np.ndarray], count: int) -> list[int]:
    """Which channels of a layer to list: of each method the strongest, then those of the first method.

    Args:
        found: {method: (c,)}, what channels add to the difference.
        count: how many; more only where that leaves out one of the strongest `SIDE` of a method.
    """
    strongest = [unit for values in found.values() for unit in ends(values[None])[0][0].tolist()]
    first = next(iter(found.values()))
    rest = np.argsort(-np.abs(first), kind="stable").tolist()
    both = list(dict.fromkeys([*strongest, *rest]))
    return sorted(both[: max(count, len(set(strongest)))])


def ends(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The most positive and the most negative units of each row, `SIDE` of each, in falling order.

    Args:
        values: (rows, units).

    Returns:
        Units int32 and their values, (rows, 2 * SIDE); all units where there are no more.
    """
    order = np.argsort(-values, axis=1, kind="stable")
    if order.shape[1] > 2 * SIDE:
        order = np.concatenate([order[:, :SIDE], order[:, -SIDE:]], 1)
    return order.astype(np.int32), np.take_along_axis(values, order, axis=1)


def truth(predicted: np.ndarray, measured: np.ndarray, gap: np.ndarray | None = None) -> list[str]:
    """For each target, how far predictions agree with what was measured by removing.

    Args:
        predicted: (units, targets).
        measured: the same shape.
        gap: (targets,) completeness gaps, where they are known.
    """
    alike = agree(predicted, measured, 1)
    said = []
    for i, (spearman, signs) in enumerate(zip(alike.spearman, alike.signs, strict=True)):
        share = "" if gap is None else f" Gap {float(gap[i]):.0%}."
        if np.isnan(spearman):
            said.append(f"Nothing here adds anything, or all the same.{share}")
        else:
            against = f"rank correlation {float(spearman):.2f}, signs {float(signs):.0%}"
            said.append(f"Against measured: {against}.{share}")
    return said
