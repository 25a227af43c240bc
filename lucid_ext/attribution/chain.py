"""A chain of layers: what flows from groups to groups to classes, and what removing groups does."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from lucid_ext.attribution.alignment import align
from lucid_ext.attribution.atoms import passed_share
from lucid_ext.groups import Groups, factorize
from lucid_ext.models import VisionModel


@dataclasses.dataclass(frozen=True, eq=False)
class Influence:
    """What the groups of a layer, and what they leave out, do to scores of what comes later.

    Attributes:
        values: float32 (k + 1, n), attribution: the gradient of every score times the part of the
            activations a group stands for; the last row is what the k groups leave out.
        measured: float32 (k + 1, n), how much lower every score is without that part.
        scores: float32 (n,), for the image.
        change: float32 (n,), how much lower they are without all of the layer.
    """

    values: np.ndarray
    measured: np.ndarray
    scores: np.ndarray
    change: np.ndarray


class Chain:
    """Layers on one path, from early to late, and classes at its end, for one image.

    All scores are linear in the later layer: a class's logit, or <B, W_j outer H_j> / (|W_j| |H_j|) of
    group j of activations B. So the gradient with respect to the earlier layer is a pull-back of
    W_j outer H_j, and serves any factorization of the earlier layer; other numbers of groups cost a
    factorization and a few passes, and nothing is traced anew. The values are those of `attribute`
    from `Groups` to (layer, `Groups`) or to classes, and of its method "ablation".

    Attributes:
        model: the network.
        layers: from early to late.
        classes: numbers of the classes at the end.
        acts: (h, w, c) of every layer, before any cap; groups are of these.
        passed: (h, w, c) of every layer, what it passes on of them; attribution is of these.
        logits: (n,) of the classes.
        seed: of the factorizations.
    """

    def __init__(
        self,
        model: VisionModel,
        image: np.ndarray,
        layers: Sequence[str],
        classes: Sequence[int],
        seed: int = 0,
    ):
        """Run the network on the image.

        Args:
            model: the network.
            image: (H, W, 3) in [0, 1].
            layers: with positions, in the order of the network.
            classes: numbers of the classes.
            seed: of the factorizations.

        Raises:
            ValueError: layers that do not follow one another, or cannot be factorized.
        """
        for layer in layers:
            model.check_spatial(layer)
        order = [name for name in model.layers if name in layers]  # these all lie on one path
        if list(layers) != order:
            raise ValueError(
                f"layers {', '.join(layers)} do not follow one another in {model.name}: give each once, "
                f"from early to late, as {', '.join(order)}."
            )
        self.model, self.image, self.seed = model, image, seed
        self.layers, self.classes = list(layers), list(classes)
        found = model.activations(image, [*self.layers, model.logits], uncapped=True)
        self.acts: list[np.ndarray] = [found[layer] for layer in self.layers]
        self.passed = [model.passed_on(layer, found[layer]) for layer in self.layers]
        self.logits: np.ndarray = found[model.logits][self.classes]
        for layer, acts in zip(self.layers, self.acts, strict=True):
            if acts.min() < 0 or not acts.any():
                what = "values below zero" if acts.min() < 0 else "no response to this image"
                raise ValueError(
                    f"{layer} of {model.name} has {what}, so it falls into no groups: "
                    "choose a layer that ends in a ReLU and responds."
                )
        self._known: dict[tuple, Any] = {}

    def groups(self, counts: Sequence[int], aligned: bool = False) -> list[Groups]:
        """Groups of every layer.

        Args:
            counts: how many in each layer.
            aligned: factorize every layer but the last so that what leads to different groups of the
                next layer stays apart; see `align`.

        Raises:
            ValueError: a layer cannot be divided into so many.
        """
        for layer, acts, count in zip(self.layers, self.acts, counts, strict=True):
            most = min(acts.shape[0] * acts.shape[1], acts.shape[2])
            if count < 2:
                raise ValueError(
                    f"n_groups of {layer} is {count}; one group is the whole layer: expected 2 to {most}."
                )
            if count > most:
                raise ValueError(
                    f"n_groups of {layer} is {count}; its activations have no more than {most} dimensions: "
                    f"expected 2 to {most}."
                )
        return [self._groups(i, tuple(counts), aligned) for i in range(len(self.layers))]

    def influence(self, counts: Sequence[int], aligned: bool = False) -> list[Influence]:
        """From the groups of every layer to those of the next one, and of the last layer to the classes."""
        groups = self.groups(counts, aligned)
        found = []
        for i, own in enumerate(groups[:-1]):
            ways = _parts(groups[i + 1], unit=True)
            gradients = self._gradients(i, tuple(counts), aligned)
            scores = np.einsum("nyxc,kyxc->nk", self._without(i, counts, aligned)[0], ways, optimize=True)
            found.append(self._influence(i, own, gradients, scores))
        return [*found, self.on_classes(counts, aligned)[-1]]

    def on_classes(self, counts: Sequence[int], aligned: bool = False) -> list[Influence]:
        """From the groups of every layer straight to the classes."""
        return [
            self._influence(i, own, self._class_gradients(i), self._without(i, counts, aligned)[1])
            for i, own in enumerate(self.groups(counts, aligned))
        ]

    def _influence(self, i: int, groups: Groups, gradients: np.ndarray, scores: np.ndarray) -> Influence:
        """From gradients (n, h, w, c), and scores (k + 3, n) as `_without` orders its rows."""
        parts = groups.spatial @ groups.channels
        passed = passed_share(
            self.passed[i] - self.model.passed_on(self.layers[i], self.acts[i] - parts), parts
        )
        own = gradients * passed
        values = np.einsum("nyxc,yxk,kc->kn", own, groups.spatial, groups.channels, optimize=True)
        whole = np.einsum("nyxc,yxc->n", gradients, self.passed[i], optimize=True)
        values = np.concatenate([values, (whole - values.sum(0))[None]])
        seen, rows, nothing = scores[0], scores[1:-1], scores[-1]
        return Influence(
            values.astype(np.float32),
            (seen - rows).astype(np.float32),
            seen.astype(np.float32),
            (seen - nothing).astype(np.float32),
        )

    # What is asked for once, for any number of groups of the other layers.

    def _groups(self, i: int, counts: tuple[int, ...], aligned: bool) -> Groups:
        if not aligned or i == len(self.layers) - 1:
            return self._once(
                ("plain", i, counts[i]), lambda: factorize(self.acts[i], counts[i], seed=self.seed)
            )

        def find() -> Groups:
            evidence = self._gradients(i, counts, aligned) * self.passed[i]
            return align(self.acts[i], np.moveaxis(evidence, 0, -1), counts[i], self.seed)

        return self._once(("aligned", i, counts[i:]), find)

    def _gradients(self, i: int, counts: tuple[int, ...], aligned: bool) -> np.ndarray:
        """Of the scores of the next layer's groups: (K, h, w, c)."""
        later = self._groups(i + 1, counts, aligned)
        key = ("gradients", i, id(later))  # groups live as long as the chain
        return self._once(key, lambda: self._pull_back(i, self.layers[i + 1], _parts(later, unit=True)))

    def _class_gradients(self, i: int) -> np.ndarray:
        """Of the logits: (n, h, w, c)."""
        width = self.model.shape_of(self.model.logits, self.model.size)[-1]
        ways = np.eye(width, dtype=np.float32)[self.classes]
        return self._once(("classes", i), lambda: self._pull_back(i, self.model.logits, ways))

    def _pull_back(self, i: int, later: str, ways: np.ndarray) -> np.ndarray:
        """Gradients of <later layer, way> with respect to layer i, at the image: one for each way."""
        run = self.model.function(self.layers[i], [later], self.image)
        points = tf.repeat(tf.constant(self.passed[i])[None], len(ways), 0)
        with tf.GradientTape() as tape:
            tape.watch(points)
            (found,) = run(points)
        return tape.gradient(found, points, output_gradients=tf.constant(ways, tf.float32)).numpy()

    def _without(self, i: int, counts: Sequence[int], aligned: bool) -> tuple[np.ndarray, np.ndarray]:
        """The next layer and the logits for layer i as it is, without each group, the rest, and all of it.

        Returns:
            Activations (k + 3, H, W, C), and (k + 3, n) logits of the classes. Of the last layer, the
            logits come twice.
        """
        groups = self._groups(i, tuple(counts), aligned)

        def find() -> tuple[np.ndarray, np.ndarray]:
            parts = _parts(groups)
            whole = parts.sum(0)
            points = np.concatenate([self.acts[i][None], self.acts[i] - parts, whole[None]])
            points = self.model.passed_on(self.layers[i], points)
            points = np.concatenate([points, np.zeros_like(whole)[None]])
            later = self.layers[i + 1 : i + 2]
            run = self.model.function(self.layers[i], [*later, self.model.logits], self.image)
            found = [tensor.numpy() for tensor in run(points)]
            return found[0], found[-1][:, self.classes]

        return self._once(("without", i, id(groups)), find)

    def _once(self, key: tuple, find: Callable[[], Any]) -> Any:
        if key not in self._known:
            self._known[key] = find()
        return self._known[key]


def _parts(groups: Groups, unit: bool = False) -> np.ndarray:
    """What each group stands for, W_j outer H_j: (k, h, w, c); of length 1 where asked for."""
    parts = np.einsum("yxk,kc->kyxc", groups.spatial, groups.channels)
    if not unit:
        return parts
    lengths = np.linalg.norm(groups.spatial, axis=(0, 1)) * np.linalg.norm(groups.channels, axis=1)
    return parts / np.maximum(lengths, 1e-12)[:, None, None, None]
