"""Lets the real `lucid` package import and run on TensorFlow 2.

Two things stop Lucid there: module names that are gone (`tensorflow.contrib`, `from tensorflow
import gfile`) and version 1 functions under the bare name `tf`. So an import hook gives Lucid's own
modules a version 1 view of TensorFlow: inside them, and nowhere else, `import tensorflow` means
that view. `sys.modules` stays as it is, eager mode stays on, and until somebody imports `lucid`
the hook costs nothing.
"""

import builtins
import importlib
import importlib.abc
import importlib.machinery
import sys
import types
from collections.abc import Mapping, Sequence
from typing import Any


def install() -> None:
    """Put the hook in place; a second call changes nothing."""
    if not any(isinstance(finder, LucidFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, LucidFinder())


class LucidFinder(importlib.abc.MetaPathFinder):
    """Finds `lucid` and its submodules as everyone else would, and wraps their loader."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The module's own spec, loaded by `LucidLoader`."""
        if fullname.partition(".")[0] != "lucid":
            return None
        for finder in sys.meta_path:
            if finder is not self and (spec := finder.find_spec(fullname, path, target)):
                if spec.loader is not None:
                    spec.loader = LucidLoader(spec.loader)
                return spec
        return None


class LucidLoader(importlib.abc.Loader):
    """Runs a module with an `__import__` of its own, under which tensorflow is the v1 view."""

    def __init__(self, loader: importlib.abc.Loader):
        self.loader = loader

    def __getattr__(self, name: str) -> Any:
        """Everything else (source, resources) is the wrapped loader's business."""
        return getattr(self.loader, name)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType | None:
        """As the wrapped loader does."""
        return self.loader.create_module(spec)

    def exec_module(self, module: types.ModuleType) -> None:
        """Run the module's code with the other `__import__`."""
        # Import statements look `__import__` up in their module's `__builtins__`.
        vars(module)["__builtins__"] = {**vars(builtins), "__import__": _import}
        self.loader.exec_module(module)


def _import(
    name: str,
    globals: Mapping[str, object] | None = None,
    locals: Mapping[str, object] | None = None,
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> Any:
    if level or name.partition(".")[0] != "tensorflow":
        return builtins.__import__(name, globals, locals, fromlist or (), level)
    if not fromlist:
        return VIEW
    module: Any = VIEW
    for part in name.split(".")[1:]:
        module = getattr(module, part)
    return module


class TensorFlow1View(types.ModuleType):
    """`tensorflow.compat.v1`, and what Lucid needs of `tensorflow.contrib`."""

    def __getattr__(self, name: str) -> Any:
        """Found on first use, so that importing this module does not import TensorFlow."""
        return getattr(importlib.import_module("tensorflow.compat.v1"), name)


def rotate(images: Any, angles: Any, interpolation: str = "NEAREST", name: str | None = None) -> Any:
    """`tf.contrib.image.rotate`: turn images counter-clockwise about their centre, in radians.

    Args:
        images: (n, h, w, c) or (h, w, c).
        angles: one angle, or one per image.
        interpolation: "NEAREST" or "BILINEAR".
        name: ignored, as there is more than one op.
    """
    import tensorflow as tf

    images = tf.convert_to_tensor(images)
    batch = images if images.shape.rank == 4 else images[None]
    angles = tf.reshape(tf.cast(angles, tf.float32), [-1])
    size = tf.shape(batch)[1:3]
    height, width = tf.unstack(tf.cast(size, tf.float32) - 1.0)
    cos, sin, zero = tf.cos(angles), tf.sin(angles), tf.zeros_like(angles)
    x_offset = (width - (cos * width - sin * height)) / 2.0
    y_offset = (height - (sin * width + cos * height)) / 2.0
    rotated = tf.raw_ops.ImageProjectiveTransformV3(
        images=batch,
        transforms=tf.stack([cos, -sin, x_offset, sin, cos, y_offset, zero, zero], 1),
        output_shape=size,
        fill_value=0.0,
        interpolation=interpolation,
    )
    rotated.set_shape(batch.shape)
    return rotated if images.shape.rank == 4 else rotated[0]


class _Slim(types.ModuleType):
    """`tf.contrib.slim` is gone from TensorFlow; only Lucid's CPPN images use it."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise AttributeError(
            f"tensorflow.contrib.slim.{name} does not exist in TensorFlow 2, "
            "so Lucid's param.cppn cannot run: use param.image."
        )


VIEW: Any = TensorFlow1View("tensorflow")
VIEW.contrib = types.ModuleType("tensorflow.contrib")
VIEW.contrib.image = types.ModuleType("tensorflow.contrib.image")
VIEW.contrib.image.rotate = rotate
VIEW.contrib.slim = _Slim("tensorflow.contrib.slim")
