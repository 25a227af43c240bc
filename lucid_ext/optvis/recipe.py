"""Recipes: everything that decides what a picture looks like, besides the network and the objective."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from lucid_ext.models.vision_model import VisionModel
from lucid_ext.optvis.adam import DAMPING, FourierAdam
from lucid_ext.optvis.images import SPECTRA, FourierImages
from lucid_ext.optvis.transform import CROPS, WINDOW, Crops, Transform
from lucid_ext.storage.fields import check_fields


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How a picture is optimised.

    Attributes:
        size: side of the image, in pixels.
        steps: how many steps of `FourierAdam`.
        rate: its first step size; it falls to zero on a straight line.
        damping: how far frequencies with little gradient are held back (see `FourierAdam`).
        sd: standard deviation of the random start, before frequencies are scaled.
        decay_power: how fast the weight of frequencies falls, where they are free: 1 / f^decay_power.
        contrast: factor on all frequencies.
        transform: what the image must survive.
        spectrum: what of its frequencies is free: "free", all; "rings" or "phases", as in `param`.
        share: of a layer's positions, the part that counts: the mean over the strongest is raised.
        fade: pixels less important than this quantile of them fade to grey (see `importance`); 0: none.
    """

    size: int = 80
    steps: int = 56
    rate: float = 0.3
    damping: float = DAMPING
    sd: float = 0.03
    decay_power: float = 1.25
    contrast: float = 0.75
    transform: Transform | Crops = WINDOW
    spectrum: str = "free"
    share: float = 1.0
    fade: float = 0.0

    def __post_init__(self) -> None:
        check_fields(self)
        if self.spectrum not in SPECTRA:
            raise ValueError(f"a recipe's spectrum is {self.spectrum!r}; expected {', '.join(SPECTRA)}.")
        for name, least in (("size", 2), ("steps", 1), ("rate", 0), ("contrast", 0), ("share", 0)):
            value = getattr(self, name)
            if not (value >= least and value > 0 and np.isfinite(value)):
                raise ValueError(f"a recipe's {name} is {value}; expected more than 0, and at least {least}.")
        if self.share > 1:
            raise ValueError(f"a recipe's share is {self.share}; expected a part of all positions, up to 1.")
        if not 0 <= self.fade < 1:
            raise ValueError(f"a recipe's fade is {self.fade}; expected a quantile, 0 or more and below 1.")

    def optimizer(self) -> tf.keras.optimizers.Optimizer:
        """Return what takes the steps."""
        rate = tf.keras.optimizers.schedules.PolynomialDecay(self.rate, self.steps, 0.0)
        return FourierAdam(rate, damping=self.damping)

    def images(self, batch: int, shape: tuple[int, int] | None = None) -> FourierImages:
        """Return a batch of images to optimise, squares of `size` pixels unless a shape (h, w) is given."""
        made, shape = SPECTRA[self.spectrum], shape or (self.size, self.size)
        return made(batch, shape, sd=self.sd, contrast=self.contrast, decay_power=self.decay_power)

    def reads(self, model: VisionModel, layer: str) -> str:
        """Return the node that the objective of a layer reads.

        Where frequencies are held it is what goes into the layer's activation, so that no picture
        starts dead; where they are free, gradients find their way through dead ReLUs.
        """
        return layer if self.spectrum == "free" else model.before_activation(layer)


GROUPS = (2, 4, 8, 14)
"""Numbers of groups that the cells of a grid may share, to be tried in turn."""


@dataclasses.dataclass(frozen=True)
class GridRecipe:
    """Everything that decides what tiles look like, besides the network and the activations.

    Attributes:
        size: side of a tile, in pixels.
        steps: steps of `FourierAdam` each cell takes on its own.
        rate: their first step size; it falls to zero on a cosine.
        group_steps: steps for the pictures of the groups.
        group_rate: their first step size; it falls likewise.
        error: the fewest of `GROUPS` that leave out no more than this are taken, or else the most.
        decay_power: how fast the weight of frequencies falls: 1 / f^decay_power.
        contrast: factor on all frequencies.
        draft_steps: of a draft, instead of `steps`.
    """

    size: int = 40
    steps: int = 16
    rate: float = 0.12
    group_steps: int = 20
    group_rate: float = 0.2
    error: float = 0.3
    decay_power: float = 1.5
    contrast: float = 0.5
    draft_steps: int = 3

    def __post_init__(self) -> None:
        check_fields(self)
        self.image()
        for name in ("steps", "group_steps", "draft_steps"):  # none: a picture as it starts
            if getattr(self, name) < 0:
                raise ValueError(f"a recipe's {name} is {getattr(self, name)}; expected 0 or more.")
        for name in ("rate", "group_rate", "error"):
            value = getattr(self, name)
            if not (value > 0 and np.isfinite(value)):
                raise ValueError(f"a recipe's {name} is {value}; expected more than 0.")

    def image(self) -> Recipe:
        """What of it concerns the images alone."""
        return Recipe(size=self.size, decay_power=self.decay_power, contrast=self.contrast)


def strongest(values: tf.Tensor, share: float) -> tf.Tensor:
    """Return the mean over the strongest positions of each image: (n, h, w) -> (n,)."""
    if share == 1:
        return tf.reduce_mean(values, [1, 2])
    flat = tf.reshape(values, [values.shape[0], -1])
    count = max(1, round(share * flat.shape[1]))
    return tf.reduce_mean(tf.math.top_k(flat, count, sorted=False).values, 1)


def from_json(stated: Mapping[str, Any]) -> Recipe:
    """Return the recipe of a card: its fields, `transform` by its own.

    Raises:
        ValueError: one sentence: it has a field that recipes do not have, or a value that makes no sense.
    """
    try:
        fields = dict(stated)
        if "transform" in fields:
            moves: dict[str, Any] = {
                k: tuple(v) if isinstance(v, list) else v for k, v in dict(fields["transform"]).items()
            }
            fields["transform"] = Crops(**moves) if "mean" in moves else Transform(**moves)
        return Recipe(**fields)
    except (TypeError, ValueError) as error:
        raise _no_recipe(stated, error, "Recipe") from error


def tiles_from_json(stated: Mapping[str, Any]) -> GridRecipe:
    """Return the recipe of tiles of a card.

    Raises:
        ValueError: one sentence, as of `from_json`.
    """
    try:
        return GridRecipe(**stated)
    except (TypeError, ValueError) as error:
        raise _no_recipe(stated, error, "GridRecipe") from error


def _no_recipe(stated: Any, error: Exception, kind: str) -> ValueError:
    reason = str(error).rstrip(".")
    return ValueError(f"{stated!r} is no recipe ({reason}); expected fields of {kind}.")


NATURAL = Recipe(size=112, steps=160, rate=1.0, sd=0.7, contrast=1.2, transform=CROPS, spectrum="rings")
"""For networks of photographs: pictures with the frequencies of photographs."""
