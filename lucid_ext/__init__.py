"""Look into image classifiers: feature visualization, attribution and the interfaces built on them."""

import importlib
import os
from typing import TYPE_CHECKING, Any

from lucid_ext import lucid_tf2

if TYPE_CHECKING:
    from lucid_ext.board import Board
    from lucid_ext.interfaces import SemanticDictionary
    from lucid_ext.models import SAMPLES, VisionModel, load_image, load_model
    from lucid_ext.optvis import IconStore, Recipe, Transform, icons, render_vis

__version__ = "0.1.0"

__all__ = [
    "SAMPLES",
    "Board",
    "IconStore",
    "Recipe",
    "SemanticDictionary",
    "Transform",
    "VisionModel",
    "icons",
    "load_image",
    "load_model",
    "render_vis",
]

_HOME = {
    "Board": "board",
    "SemanticDictionary": "interfaces",
    **dict.fromkeys(("SAMPLES", "VisionModel", "load_image", "load_model"), "models"),
    **dict.fromkeys(("IconStore", "Recipe", "Transform", "icons", "render_vis"), "optvis"),
}

# TensorFlow reports its build on every import; a notebook should open with its own first sentence.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

lucid_tf2.install()


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for: TensorFlow takes seconds."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
