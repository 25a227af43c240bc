"""Concepts of a class: neuron groups that recur in its pictures, what they are worth, and whose they are."""

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf
from tqdm.auto import tqdm

from lucid_ext.attribution import find_class
from lucid_ext.attribution.atoms import passed_share
from lucid_ext.groups.factorize import Groups, check_count, factorize, project
from lucid_ext.groups.stability import STABLE, Stability, stability
from lucid_ext.models import Photographs, VisionModel
from lucid_ext.optvis.survey import AT_ONCE, Survey

OCCURS = 0.5
"""A group occurs in a picture where its strongest cell reaches this share of what it reaches in the
pictures of the class that have most of it (the 95th percentile of their strongest cells)."""

AS_OFTEN = 0.5
"""A second class uses a concept where it occurs in at least this share of what it does in the first."""

SEEDS, BOOTSTRAPS = 2, 2  # refits that say how stable the groups are

SHARED, PARTLY, OWN = "shared", "partly", "its own"


@dataclasses.dataclass(frozen=True, eq=False)
class Pictures:
    """What a layer makes of many pictures.

    Attributes:
        photographs: where they come from.
        used: (n,) which of them: all but those that could not be read.
        acts: (n, h, w, c) float32, before any cap of the layer.
        logits: (n, classes) float32.
        target: the number of the class they are looked at for.
        asked: whether somebody said which; otherwise it is the one predicted most often.
    """

    photographs: Photographs
    used: np.ndarray
    acts: np.ndarray
    logits: np.ndarray
    target: int
    asked: bool

    @property
    def predicted(self) -> int:
        """In how many of them the class is the most probable one."""
        return int((self.logits.argmax(1) == self.target).sum())


@dataclasses.dataclass(frozen=True, eq=False)
class Shared:
    """What a class's concepts share with those of a second class.

    Attributes:
        pictures: of the second class.
        groups: that recur in them.
        match: (k,) which of these each concept of the first class is matched with, -1 for none.
        cosine: (k,) float32 in [0, 1], of the two directions.
        spatial: (m, h, w, k) float32, how much of each concept of the first class is where.
        strength: (k,) float32, the mean of a concept's strongest cells there, over that in the pictures
            of the first class.
        occurs: (m, k) bool, in which of the second class's pictures each concept occurs.
        words: k of `SHARED`: found again in the second class (cosine of at least `STABLE`) and used by
            it (`AS_OFTEN`); `OWN`: neither; `PARTLY`: one of them.
    """

    pictures: Pictures
    groups: Groups
    match: np.ndarray
    cosine: np.ndarray
    spatial: np.ndarray
    strength: np.ndarray
    occurs: np.ndarray
    words: tuple[str, ...]


@dataclasses.dataclass(frozen=True, eq=False)
class ClassConcepts:
    """Groups that recur in pictures of a class, those the class's logit loses most without first.

    Attributes:
        model: the network.
        layer: whose activations were factorized.
        pictures: of the class.
        groups: directions (k, c) and maps (n, h, w, k).
        attribution: (n, k) float32, gradient times activation of the class's logit.
        ablation: (n, k, classes) float32, what each logit loses without the group.
        occurs: (n, k) bool, in which pictures each occurs.
        stability: how well they are found again.
        shared: with a second class, or None.
    """

    model: VisionModel
    layer: str
    pictures: Pictures
    groups: Groups
    attribution: np.ndarray
    ablation: np.ndarray
    occurs: np.ndarray
    stability: Stability
    shared: Shared | None = None

    @property
    def target(self) -> int:
        """The number of the class."""
        return self.pictures.target

    @property
    def full(self) -> np.ndarray:
        """(k,) float32, what each group reaches in the pictures that have most of it; see `OCCURS`."""
        return _full(self.groups.spatial)

    @property
    def survey(self) -> Survey:
        """The strongest cell of each group in each picture: where patches of it are."""
        return _survey(self.model, self.layer, self.pictures, self.groups.spatial)


def find_concepts(
    model: VisionModel,
    images: Any,
    layer: str | None = None,
    target: Any = None,
    n_groups: int = 8,
    *,
    other: Any = None,
    other_target: Any = None,
    seed: int = 0,
    progress: bool = True,
) -> ClassConcepts:
    """Factorize a layer's activations over all pictures of a class, and weigh what is found.

    Groups are those of NMF shared by all pictures, found in what is before any cap of the layer, such as
    ReLU6's; what they are worth is measured with what the layer passes on. Values below zero and above
    are factorized side by side ("nmf_both" of `factorize`).
    Memory: the activations, 4 n h w c bytes, a few times, and the passes of `AT_ONCE` pictures.

    Args:
        model: the network.
        images: of the class: a folder, a `Photographs`, or a sequence of what `load_image` takes.
        layer: a listed layer with positions; by default the one the network's card opens with
            (`model.opening`).
        target: the class, by name or number; by default the one predicted most often.
        n_groups: how many; fewer come back where the activations span fewer.
        other: pictures of a second class.
        other_target: that class, likewise.
        seed: of the factorization and the refits.
        progress: show progress bars.

    Raises:
        ValueError: there is no such layer or class, too many groups, or fewer than two pictures.
    """
    layer = layer or model.opening.layer
    model.check_spatial(layer)
    photographs = _photographs(images)
    others = None if other is None else _photographs(other)
    for name in (target, other_target):
        if name is not None:
            find_class(model, name)
    rows, cols, channels = model.layers[layer]
    check_count((len(photographs) * rows * cols, channels), n_groups, "nmf")
    pictures = see_pictures(model, photographs, layer, target, progress)
    second = None if others is None else see_pictures(model, others, layer, other_target, progress)
    groups = _factorized(layer, pictures, n_groups, seed)
    attribution, ablation = effects(model, layer, pictures, groups, progress)
    order = np.argsort(-ablation[..., pictures.target].mean(0), kind="stable")
    groups = _ordered(groups, order)
    k, method = len(order), groups.method
    refits = stability(pictures.acts, k, method, seeds=SEEDS, bootstraps=BOOTSTRAPS, seed=seed, groups=groups)
    return ClassConcepts(
        model,
        layer,
        pictures,
        groups,
        attribution[:, order],
        ablation[:, order],
        _strongest(groups.spatial) >= OCCURS * _full(groups.spatial),
        refits,
        None if second is None else share(layer, groups, second, seed),
    )


def see_pictures(
    model: VisionModel, photographs: Photographs, layer: str, target: Any = None, progress: bool = True
) -> Pictures:
    """Show pictures to the network, a few at a time, and keep a layer's activations.

    Each is seen as its largest centred part of the network's shape, whatever its size.

    Raises:
        ValueError: fewer than two can be used.
    """
    run = model.function("input", [model.uncapped(layer), model.logits])
    used: list[int] = []
    acts: list[np.ndarray] = []
    logits: list[np.ndarray] = []
    for numbers, batch in photographs.batches(model.prepare, AT_ONCE, progress):
        used += numbers
        found = run(batch)
        acts.append(found[0].numpy())
        logits.append(found[1].numpy())
    if len(used) < 2:
        raise ValueError(
            f"there is one picture only that can be used, {photographs.names[used[0]]}, and what recurs "
            "takes at least two: give more, or factorize the activations of that one."
        )
    scores = np.concatenate(logits)
    if target is None:
        number = int(np.bincount(scores.argmax(1), minlength=scores.shape[1]).argmax())
    else:
        number = find_class(model, target)
    return Pictures(photographs, np.array(used), np.concatenate(acts), scores, number, target is not None)


def effects(
    model: VisionModel, layer: str, pictures: Pictures, groups: Groups, progress: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """What each group is worth to classes, picture by picture.

    Attribution to the class t: sum_{y,x} W_{n,y,x,j} <d logit_t / d A_{n,y,x}, H_j>; of a layer with a
    cap, the share of H_j that is passed on.
    Ablation, of every class: logit_c(A_n) - logit_c(A_n - W_{n,j} outer H_j), measured, before the cap.

    Returns:
        float32 (n, k) and (n, k, classes).
    """
    above = model.function(layer, [model.logits])
    attribution = np.zeros((len(pictures.acts), len(groups.channels)), np.float32)
    ablation = np.zeros((*attribution.shape, pictures.logits.shape[1]), np.float32)
    starts = range(0, len(attribution), AT_ONCE)
    for start in tqdm(starts, desc="effects on the class", unit="batch", disable=not progress):
        rows = slice(start, start + AT_ONCE)
        spatial, whole = groups.spatial[rows], pictures.acts[rows]
        acts = tf.constant(model.passed_on(layer, whole))
        with tf.GradientTape() as tape:
            tape.watch(acts)
            (logits,) = above(acts)
            score = tf.reduce_sum(logits[:, pictures.target])
        parts = spatial @ groups.channels
        passed = passed_share(acts.numpy() - model.passed_on(layer, whole - parts), parts)
        along = (tape.gradient(score, acts).numpy() * passed) @ groups.channels.T
        attribution[rows] = np.einsum("nhwk,nhwk->nk", along, spatial)
        for j, direction in enumerate(groups.channels):
            (without,) = above(model.passed_on(layer, whole - spatial[..., j : j + 1] * direction))
            ablation[rows, j] = (logits - without).numpy()
    return attribution, ablation


def share(layer: str, groups: Groups, second: Pictures, seed: int = 0) -> Shared:
    """Compare a class's groups with the pictures of a second class, and with the groups found in them.

    Directions are matched one to one so that the sum of their cosines is largest.
    """
    from scipy.optimize import linear_sum_assignment

    found = _factorized(layer, second, len(groups.channels), seed, groups.method)
    alike = np.clip(groups.channels @ found.channels.T, 0, 1)
    match, cosine = np.full(len(alike), -1), np.zeros(len(alike), np.float32)
    rows, cols = linear_sum_assignment(-alike)
    match[rows], cosine[rows] = cols, alike[rows, cols]
    spatial = project(second.acts, groups)
    full = _full(groups.spatial)
    own, theirs = _strongest(groups.spatial), _strongest(spatial)
    occurs = theirs >= OCCURS * full
    used = occurs.mean(0) >= AS_OFTEN * (own >= OCCURS * full).mean(0)
    again = cosine >= STABLE
    words = [SHARED if u and f else PARTLY if u or f else OWN for u, f in zip(used, again, strict=True)]
    strength = theirs.mean(0) / np.maximum(own.mean(0), 1e-12)
    return Shared(second, found, match, cosine, spatial, strength, occurs, tuple(words))


def _photographs(images: Any) -> Photographs:
    return images if isinstance(images, Photographs) else Photographs(images)


def _factorized(
    layer: str, pictures: Pictures, n_groups: int, seed: int, method: str | None = None
) -> Groups:
    method = method or ("nmf_both" if pictures.acts.min() < 0 else "nmf")
    groups = factorize(pictures.acts, n_groups, method, seed)
    if not len(groups.channels):
        raise ValueError(
            f"nothing in {layer} answers to {pictures.photographs.about}, so there are no groups: "
            "check the pictures, or choose another layer."
        )
    return groups


def _ordered(groups: Groups, order: np.ndarray) -> Groups:
    return dataclasses.replace(
        groups,
        spatial=groups.spatial[..., order],
        channels=groups.channels[order],
        order=groups.order[order],
        lengths=groups.lengths[order],
    )


def _strongest(spatial: np.ndarray) -> np.ndarray:
    """(n, h, w, k) to (n, k): the largest over positions."""
    return spatial.max((1, 2))


def _full(spatial: np.ndarray) -> np.ndarray:
    """(k,) what groups reach in the pictures that have most of them."""
    return np.maximum(np.percentile(_strongest(spatial), 95, axis=0), 1e-12).astype(np.float32)


def _survey(model: VisionModel, layer: str, pictures: Pictures, spatial: np.ndarray) -> Survey:
    flat = spatial.reshape(len(spatial), -1, spatial.shape[-1])
    cells = flat.argmax(1).astype(np.int32)
    return Survey(model, layer, pictures.photographs, pictures.used, flat.max(1), cells)
