"""What is to be explained: scores of a layer, one or many at once."""

import dataclasses
import difflib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from lucid_ext.groups import Groups
from lucid_ext.models import VisionModel

EPSILON = 1e-6
"""In sqrt(sum a^2 + eps), so that a cell's norm has a gradient at zero."""

KNOWN = (
    'a class, a pair of classes, a list of classes, "logsumexp", (layer, "cells"), (layer, "channels"), '
    "(layer, (y, x)), (layer, channel), (layer, [channel, ...]), (layer, direction) or (layer, groups)"
)


@dataclasses.dataclass(frozen=True, eq=False)
class Targets:
    """One or several scores of a layer.

    Attributes:
        layer: the node they are computed from.
        kind: "sums" (sum over positions, times a matrix), "norms" (of cells), "groups" or
            "logsumexp".
        shape: of the scores: () for one, (H, W) for all cells, (n,) for channels, classes, groups.
        params: arrays the kind needs.
        name: what to call them in a sentence.
        names: one for each score, where they have names.
    """

    layer: str
    kind: str
    shape: tuple[int, ...]
    params: tuple[np.ndarray, ...]
    name: str
    names: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many scores."""
        return int(np.prod(self.shape))

    @property
    def cells(self) -> np.ndarray | None:
        """(count,) the flat indices of the cells the scores belong to, or None."""
        return self.params[0] if self.kind == "norms" else None

    def score(self, layer: tf.Tensor, params: Iterable[tf.Tensor]) -> tf.Tensor:
        """The scores (n, count) for a batch of the layer's activations."""
        return SCORES[self.kind](layer, *params)

    def name_of(self, i: int) -> str:
        """What to call the i-th score."""
        if self.names:
            return self.names[i]
        if self.kind != "norms" or not self.shape:
            return self.name
        return f"{self.layer} ({', '.join(str(int(k)) for k in np.unravel_index(i, self.shape))})"


def _sums(layer: tf.Tensor, matrix: tf.Tensor) -> tf.Tensor:
    over = list(range(1, layer.shape.rank - 1))
    return (tf.reduce_sum(layer, over) if over else layer) @ matrix


def _norms(layer: tf.Tensor, cells: tf.Tensor) -> tf.Tensor:
    norms = tf.sqrt(tf.reduce_sum(layer**2, -1) + EPSILON)
    return tf.gather(tf.reshape(norms, [tf.shape(norms)[0], -1]), cells, axis=1)


def _groups(layer: tf.Tensor, spatial: tf.Tensor, channels: tf.Tensor) -> tf.Tensor:
    return tf.einsum("nhwk,hwk->nk", tf.einsum("nhwc,kc->nhwk", layer, channels), spatial)


def _logsumexp(layer: tf.Tensor) -> tf.Tensor:
    return tf.reduce_logsumexp(layer, -1, keepdims=True)


SCORES: dict[str, Callable[..., tf.Tensor]] = {
    "sums": _sums,
    "norms": _norms,
    "groups": _groups,
    "logsumexp": _logsumexp,
}


def find_targets(model: VisionModel, target: Any) -> Targets:
    """Read a target as a user writes it.

    Args:
        model: the network.
        target: one of
            - a class, by name or number: its logit;
            - (class_a, class_b): the difference of their logits, a - b;
            - [class, ...]: their logits, one by one;
            - "logsumexp": of all logits;
            - (layer, "cells"): the norm sqrt(sum a^2 + eps) of every cell;
            - (layer, "channels"): every channel's sum over positions, or every unit;
            - (layer, (y, x)): the norm of one cell;
            - (layer, channel): one channel's sum over positions;
            - (layer, [channel, ...]): that of several, one by one;
            - (layer, array (c,)): a direction, sum over positions of <a, v>;
            - (layer, Groups): every group's <A, W_j outer H_j> / (|W_j| |H_j|);
            - (layer, Groups, j): the same for one group.

    Raises:
        ValueError: there is no such class, layer, cell or channel, or it is none of these.
    """
    if isinstance(target, list) and target:
        classes = [find_class(model, name) for name in target]
        names = tuple(model.labels[i] for i in classes)
        matrix = _unit_columns(model, classes)
        return Targets(model.logits, "sums", (len(classes),), (matrix,), "classes", names)
    if isinstance(target, tuple) and len(target) in (2, 3):
        return _of_tuple(model, target)
    if isinstance(target, str) and target == "logsumexp" and target not in model.labels:
        return Targets(model.logits, "logsumexp", (), (), "logsumexp of the logits")
    if isinstance(target, str | int | np.integer):
        one = find_class(model, target)
        return Targets(model.logits, "sums", (), (_unit_columns(model, [one]),), model.labels[one])
    raise ValueError(f"{target!r} is no target; expected {KNOWN}.")


def find_class(model: VisionModel, name: Any) -> int:
    """The number of a class given by name or number.

    Raises:
        ValueError: there is none, or several of that name; the nearest names are said.
    """
    if isinstance(name, int | np.integer) and not isinstance(name, bool):
        if 0 <= name < len(model.labels):
            return int(name)
        raise ValueError(f"{model.name} has classes 0 to {len(model.labels) - 1}; there is no {name}.")
    numbers = [i for i, label in enumerate(model.labels) if label == name]
    if len(numbers) == 1:
        return numbers[0]
    if numbers:
        raise ValueError(
            f"{model.name} has {len(numbers)} classes called {name!r}: "
            f"give the number, one of {', '.join(map(str, numbers))}."
        )
    by_lower = {label.lower(): label for label in model.labels}
    near = [by_lower[n] for n in difflib.get_close_matches(str(name).lower(), by_lower, 3, 0.5)]
    near += [label for label in model.labels if str(name).lower() in label.lower()][:3]
    hint = f"; did you mean {', '.join(dict.fromkeys(near))}?" if near else "."
    raise ValueError(f"{model.name} has no class {name!r}{hint} See model.labels.")


def _unit_columns(model: VisionModel, units: Sequence[int], layer: str = "") -> np.ndarray:
    """(channels, units) with a one in each column."""
    channels = model.shape_of(layer or model.logits, model.size)[-1]
    return np.eye(channels, dtype=np.float32)[:, list(units)]


def _is_layer(model: VisionModel, name: Any) -> bool:
    try:
        model.check_layer(name)
    except ValueError:
        return False
    return True


def _of_tuple(model: VisionModel, target: tuple) -> Targets:
    layer, what = target[:2]
    plain = isinstance(what, str | int | np.integer) and what not in ("cells", "channels")
    if len(target) == 2 and plain and not (isinstance(layer, str) and _is_layer(model, layer)):
        a, b = find_class(model, layer), find_class(model, what)
        difference = _unit_columns(model, [a]) - _unit_columns(model, [b])
        return Targets(model.logits, "sums", (), (difference,), f"{model.labels[a]} − {model.labels[b]}")
    model.check_layer(layer)
    shape = model.shape_of(layer, model.size)
    if isinstance(what, Groups):
        return _of_groups(layer, shape, what, target[2:])
    if len(target) == 3:
        raise ValueError(f"{target!r} is no target; expected {KNOWN}.")
    if (isinstance(what, str) and what == "channels") or (isinstance(what, list) and what):
        units = range(shape[-1]) if isinstance(what, str) else what
        for unit in units:
            _check_channel(layer, shape, unit)
        classes = layer in (model.logits, model.softmax)
        names = tuple(model.labels[i] if classes else f"{layer}:{i}" for i in units)
        columns = _unit_columns(model, units, layer)
        return Targets(layer, "sums", (len(units),), (columns,), f"{layer} channels", names)
    if isinstance(what, int | np.integer):
        _check_channel(layer, shape, what)
        return Targets(layer, "sums", (), (_unit_columns(model, [int(what)], layer),), f"{layer}:{what}")
    if isinstance(what, str) and what == "cells":
        _check_positions(layer, shape)
        grid = (shape[0], shape[1])
        return Targets(layer, "norms", grid, (np.arange(grid[0] * grid[1]),), f"{layer} cells")
    if isinstance(what, tuple) and len(what) == 2:
        _check_positions(layer, shape)
        if not all(isinstance(k, int | np.integer) and 0 <= k < n for k, n in zip(what, shape, strict=False)):
            raise ValueError(f"{layer} has {shape[0]} x {shape[1]} cells; there is no {what}.")
        cell = np.array([what[0] * shape[1] + what[1]])
        return Targets(layer, "norms", (), (cell,), f"{layer} ({what[0]}, {what[1]})")
    if isinstance(what, np.ndarray):
        if what.shape != shape[-1:] or not np.all(np.isfinite(what)):
            raise ValueError(f"a direction of {layer} has shape {what.shape}; expected {shape[-1:]}, finite.")
        column = what.astype(np.float32)[:, None]
        return Targets(layer, "sums", (), (column,), f"a direction of {layer}")
    raise ValueError(f"{target!r} is no target; expected {KNOWN}.")


def _check_channel(layer: str, shape: tuple[int, ...], channel: Any) -> None:
    if not isinstance(channel, int | np.integer) or not 0 <= channel < shape[-1]:
        raise ValueError(f"{layer} has channels 0 to {shape[-1] - 1}; there is no {channel}.")


def _check_positions(layer: str, shape: tuple[int, ...]) -> None:
    if len(shape) != 3:
        raise ValueError(f"{layer} has no positions, so it has no cells: use 'channels' or a number.")


def check_groups(layer: str, shape: tuple[int, ...], groups: Groups) -> None:
    """Raise a ValueError unless groups are of a layer of this shape."""
    if groups.several:
        raise ValueError(
            f"these are groups of {len(groups.spatial)} pictures, and {layer} is one's: take groups.image(i)."
        )
    own = (*groups.spatial.shape[:2], groups.channels.shape[1])
    if own != shape:
        raise ValueError(
            f"the groups are of activations {own}, and those of {layer} are {shape}: "
            "factorize this layer's activations."
        )


def _of_groups(layer: str, shape: tuple[int, ...], groups: Groups, which: tuple) -> Targets:
    check_groups(layer, shape, groups)
    count = len(groups.channels)
    lengths = np.linalg.norm(groups.spatial, axis=(0, 1)) * np.linalg.norm(groups.channels, axis=1)
    spatial = groups.spatial / np.maximum(lengths, 1e-12)
    if not which:
        names = tuple(f"{layer} group {j}" for j in range(count))
        return Targets(layer, "groups", (count,), (spatial, groups.channels), f"{layer} groups", names)
    (j,) = which
    if not (isinstance(j, int | np.integer) and 0 <= j < count):
        raise ValueError(f"{layer} has groups 0 to {count - 1}; there is no {j!r}.")
    one = slice(int(j), int(j) + 1)
    return Targets(layer, "groups", (), (spatial[..., one], groups.channels[one]), f"{layer} group {j}")
