"""Lets the real `lucid` package import and run on TensorFlow 2.

Two things stop Lucid there: module names that are gone (`tensorflow.contrib`, see `contrib`,
and `from tensorflow import gfile`) and version 1 functions under the bare name `tf`. So an import
hook gives Lucid's own modules a version 1 view of TensorFlow: inside them, and nowhere else,
`import tensorflow` means that view. `sys.modules` stays as it is, eager mode stays on, and until
somebody imports `lucid` the hook costs nothing.
"""

import builtins
import ctypes.util  # noqa: F401  lucid.misc.gl takes it for a part of `import ctypes`
import importlib
import importlib.abc
import importlib.machinery
import logging
import sys
import types
from collections.abc import Mapping, Sequence
from typing import Any


def install() -> None:
    """Put the hook in place; a second call changes nothing."""
    if not any(isinstance(finder, LucidFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, LucidFinder())
        _adopt()
        # On a process-wide logger, but it drops nothing that is not about Lucid's files.
        logging.getLogger("tensorflow").addFilter(_is_of_use)


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


def _adopt() -> None:
    """Give the view to those of Lucid's modules that were imported before this one."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "lucid" and hasattr(module, "tf"):
            vars(module)["tf"] = VIEW


def _is_of_use(record: logging.LogRecord) -> bool:
    """Whether a message is not TensorFlow's advice to rewrite one of Lucid's own lines."""
    if "deprecated" not in record.getMessage():
        return True
    frame = sys._getframe(1)
    while frame.f_back and _package(frame.f_globals) in ("logging", "tensorflow"):
        frame = frame.f_back
    return _package(frame.f_globals) != "lucid"


def _package(module: Mapping[str, Any]) -> str:
    return str(module.get("__name__")).partition(".")[0]


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
        if name == "contrib":
            return importlib.import_module("lucid_ext.lucid_tf2.contrib")
        return getattr(importlib.import_module("tensorflow.compat.v1"), name)


VIEW: Any = TensorFlow1View("tensorflow")
