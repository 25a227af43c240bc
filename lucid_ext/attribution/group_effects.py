"""What groups of a layer do to classes: predicted by gradients, and measured by turning them up and down."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from lucid_ext.attribution.atoms import passed_share
from lucid_ext.groups import Groups
from lucid_ext.models.vision_model import VisionModel

ROWS = 64  # images in one run of the network above the layer


class GroupEffects:
    """The network above a layer, at one picture.

    Group i of a factorization A ~ W H is the part W_i H_i of the activations. The network runs on what
    the layer passes on, so where it has a cap, what a group adds beyond that has no effect.

    Attributes:
        classes: numbers of the classes whose effects are predicted.
    """

    def __init__(self, model: VisionModel, layer: str, acts: np.ndarray, image: Any, classes: Sequence[int]):
        """Prepare; the backward passes, one for each class, serve all factorizations.

        Args:
            model: the network.
            layer: with positions.
            acts: what goes into its cap, if it has one: (h, w, c).
            image: the picture, at which paths that do not lead through the layer are held.
            classes: numbers of classes.
        """
        self.classes = list(classes)
        self._model, self._layer, self._acts = model, layer, acts
        self._run = model.function(layer, [model.logits, model.softmax], image)
        self._passed = model.passed_on(layer, acts)
        points = tf.repeat(tf.constant(self._passed[None]), len(self.classes), 0)
        with tf.GradientTape() as tape:
            tape.watch(points)
            logits, _ = self._run(points)
        chosen = tf.one_hot(self.classes, logits.shape[1])
        self._gradients = tape.gradient(logits, points, output_gradients=chosen).numpy()

    def predicted(self, groups: Groups) -> np.ndarray:
        """Return <d logit / dA, W_i H_i>, as far as it is passed on: (k, classes) float32."""
        parts = groups.spatial @ groups.channels
        without = self._model.passed_on(self._layer, self._acts - parts)
        gradients = self._gradients * passed_share(self._passed - without, parts)
        found = np.einsum("nyxc,yxk,kc->kn", gradients, groups.spatial, groups.channels, optimize=True)
        return found.astype(np.float32)

    def at(self, groups: Groups, levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return logits and probabilities (n, all classes) with groups at levels (n, k); 1 is as it was."""
        logits, odds = [], []
        for start in range(0, len(levels), ROWS):
            change = np.einsum(
                "nk,yxk,kc->nyxc",
                levels[start : start + ROWS].astype(np.float32) - 1,
                groups.spatial,
                groups.channels,
                optimize=True,
            )
            found = self._run(self._model.passed_on(self._layer, self._acts + change))
            logits.append(found[0].numpy())
            odds.append(found[1].numpy())
        return np.concatenate(logits), np.concatenate(odds)

    def alone(self, groups: Groups, levels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return what each group does by itself.

        Args:
            groups: k of them.
            levels: (m,), the first of them 0, where each group is put while the others stay.

        Returns:
            Probabilities (k, m, all classes); what every logit loses without each group (k, all classes);
            and what it loses without all of them (all classes,).
        """
        n, turned = len(groups.channels), np.flatnonzero(levels != 1)
        alone = np.ones((n, len(turned), n), np.float32)
        alone[np.arange(n), :, np.arange(n)] = levels[turned]
        ends = np.stack([np.ones(n, np.float32), np.zeros(n, np.float32)])
        logits, found = self.at(groups, np.concatenate([ends, alone.reshape(-1, n)]))
        odds = np.broadcast_to(found[0], (n, len(levels), found.shape[1])).copy()
        odds[:, turned] = found[2:].reshape(n, len(turned), -1)
        return odds, logits[0] - logits[2 :: len(turned)], logits[0] - logits[1]
