"""The channels of layers that say most of two classes: what they add to them, where, and to one another."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from lucid_ext.attribution import METHODS, Attribution, Problem, agree, explain, from_layers
from lucid_ext.attribution.trust import completeness_gap
from lucid_ext.interfaces.methods import agreement
from lucid_ext.models import VisionModel

SIDE = 4  # channels of a list for a question, and as many against it


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


@dataclasses.dataclass(frozen=True, eq=False)
class Between:
    """What channels kept of one layer add to those of a later one.

    Attributes:
        values: float32 (low, high), by a method.
        measured: float32 (low, high), by removing each.
        gap: (high,) completeness gaps over all channels of the lower layer; None where the method asked
            only those kept.
        listed: (high,) how many of the `2 * SIDE` strongest of the whole lower layer are kept; None alike.
    """

    values: np.ndarray
    measured: np.ndarray
    gap: np.ndarray | None = None
    listed: np.ndarray | None = None

    @property
    def turned(self) -> "Between":
        """The same with a row for each channel of the later layer; what one adds above is no whole."""
        return Between(self.values.T, self.measured.T)


class Strongest:
    """What the network answers about two classes for one picture, each asked for once.

    Attributes:
        layers: on one path, in order.
        classes: the numbers of the two classes.
        measuring: the method by which channels are removed.
        common: methods by which channels are listed, whatever method is looked at.
        count: how many channels of each layer to list.
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
        known: Mapping[str, tf.Tensor] | None = None,
    ):
        """Nothing is asked yet.

        Args:
            model: the network.
            image: float32 (H, W, 3) in [0, 1].
            layers: on one path, in order.
            classes: two.
            methods: of attribution; by the first of them, and by what is measured, channels are listed.
            count: how many channels of each layer to list.
            seed: of methods that sample.
            known: activations of some layers for the image, where they are there already.
        """
        self.model, self.image, self.layers, self.seed = model, image, tuple(layers), seed
        self.classes, self.count, self._activations = classes, count, dict(known or {})
        self.measuring = METHODS.measuring("channels")
        self.common = [methods[0], *(m for m in methods[1:] if m == self.measuring)]
        self._found: dict[tuple, Any] = {}

    def evidence(self, layer: str, method: str) -> Evidence:
        """What all channels of a layer add to the classes, place by place where the method can say."""

        def ask() -> dict[str, Evidence]:
            facts = METHODS.named(method)
            atoms = "neurons" if facts.additive and "neurons" in facts.atoms else "channels"
            every = from_layers(
                *(self.model, self.image, self.layers, list(self.classes), method, self.seed),
                atoms=atoms,
                known=self._activations or None,
                **facts.quick,
            )
            return {name: _evidence(found) for name, found in every.items()}

        return self._once(("evidence", method), ask)[layer]

    def between(self, low: str, high: str, method: str, kept: Mapping[str, Sequence[int]]) -> Between:
        """What the channels kept of one layer add to those of a later one."""
        some, targets = list(kept[low]), tuple(kept[high])
        asked = self._problems(high, targets)[low]
        measured = self._once((low, tuple(some), high, targets), lambda: asked.remove_each(some))
        if method == self.measuring:
            return Between(measured, measured)
        options = METHODS.named(method).quick
        found = self._once((low, high, targets, method), lambda: explain(asked, method, **options))
        there = np.isin(ends(found.values.T)[0], some).sum(1)
        return Between(found.values[some], measured, found.gap, there)

    def _problems(self, high: str, channels: tuple[int, ...]) -> dict[str, Problem]:
        """From every layer below to channels of one, with shared passes."""

        def ask() -> dict[str, Problem]:
            target, below = (high, list(channels)), self.layers[: self.layers.index(high)]
            problems = [
                Problem(
                    self.model, self.image, low, target, "channels", seed=self.seed, known=self._activations
                )
                for low in below
            ]
            Problem.share(problems)
            return dict(zip(below, problems, strict=True))

        return self._once(("problems", high, channels), ask)

    def _once(self, key: tuple, ask: Callable[[], Any]) -> Any:
        if key not in self._found:
            self._found[key] = ask()
        return self._found[key]


def _evidence(found: Attribution) -> Evidence:
    """Values of two logits, (c, 2) or (h, w, c, 2), as those of their difference and of each."""
    signs = np.array([[1, 1, 0], [-1, 0, 1]], np.float32)
    places = found.values @ signs
    by_place = places.ndim == 4
    values = places.sum((0, 1)) if by_place else places
    gap = completeness_gap(places, found.change @ signs)
    return Evidence(values, places[..., 0] if by_place else None, gap, found.notes)


def channels_kept(pictures: Sequence[Strongest], method: str) -> dict[str, list[int]]:
    """Which channels can be listed, where a method is looked at.

    Those common to all methods, and the strongest by this one: no other has to be asked for it. Of
    several pictures, what is strong in any of them.

    Returns:
        {layer: channels in rising order}.
    """
    first, kept = pictures[0], {}
    for layer in first.layers:
        found = {m: [p.evidence(layer, m).values[:, 0] for p in pictures] for m in (*first.common, method)}
        common = listed({m: np.stack(found[m]) for m in first.common}, first.count)
        kept[layer] = sorted({*common, *ends(np.stack(found[method]))[0].ravel().tolist()})
    return kept


def listed(found: Mapping[str, np.ndarray], count: int) -> list[int]:
    """Which channels of a layer to list: of each method the strongest, then those of the first method.

    Args:
        found: {method: (pictures, c)}, what channels add to the difference.
        count: how many; more only where that leaves out one of the strongest `SIDE` of a method.
    """
    strongest = [unit for values in found.values() for unit in ends(values)[0].ravel().tolist()]
    first = np.abs(next(iter(found.values()))).max(axis=0)
    rest = np.argsort(-first, kind="stable").tolist()
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
            said.append(f"Against measured: {agreement(spearman, signs)}.{share}")
    return said
