"""Look into image classifiers: feature visualization, attribution and the interfaces built on them."""

import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

from lucid_ext import lucid_tf2

if TYPE_CHECKING:
    from lucid_ext import attribution, board
    from lucid_ext.attribution import Attribution, attribute
    from lucid_ext.board import Board
    from lucid_ext.groups import Groups, factorize
    from lucid_ext.interfaces import (
        ActivationGrid,
        ChannelAttribution,
        Concepts,
        GroupFlow,
        IconReport,
        Interface,
        MethodComparison,
        NeuronGroups,
        Pair,
        SemanticDictionary,
        SpatialAttribution,
        concepts,
        icon_report,
    )
    from lucid_ext.models import (
        SAMPLES,
        Photographs,
        VisionModel,
        adversarial,
        from_lucid,
        load_image,
        load_model,
        to_lucid,
    )
    from lucid_ext.optvis import (
        IconStore,
        Recipe,
        Transform,
        diverse_icons,
        icons,
        render_sheet,
        render_vis,
    )

__version__ = "0.1.0"

__all__ = [
    "SAMPLES",
    "ActivationGrid",
    "Attribution",
    "Board",
    "ChannelAttribution",
    "Concepts",
    "GroupFlow",
    "Groups",
    "IconReport",
    "IconStore",
    "Interface",
    "MethodComparison",
    "NeuronGroups",
    "Pair",
    "Photographs",
    "Recipe",
    "SemanticDictionary",
    "SpatialAttribution",
    "Transform",
    "VisionModel",
    "adversarial",
    "attribute",
    "attribution",
    "board",
    "concepts",
    "diverse_icons",
    "factorize",
    "from_lucid",
    "icon_report",
    "icons",
    "load_image",
    "load_model",
    "render_sheet",
    "render_vis",
    "to_lucid",
]

LOG_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
"""Set it yourself, to anything, to see what TensorFlow writes when it starts."""

# Convolutions of oneDNN are a third faster on processors without AVX-512, where TensorFlow leaves
# them out. Set it to 0 yourself to go without.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

_HOME = {
    **dict.fromkeys(("Attribution", "attribute", "attribution"), "attribution"),
    **dict.fromkeys(("Board", "board"), "board"),
    "Groups": "groups",
    "factorize": "groups",
    **dict.fromkeys(
        (
            "ActivationGrid",
            "ChannelAttribution",
            "Concepts",
            "GroupFlow",
            "IconReport",
            "Interface",
            "MethodComparison",
            "NeuronGroups",
            "Pair",
            "SemanticDictionary",
            "SpatialAttribution",
            "concepts",
            "icon_report",
        ),
        "interfaces",
    ),
    **dict.fromkeys(
        (
            "SAMPLES",
            "Photographs",
            "VisionModel",
            "adversarial",
            "from_lucid",
            "load_image",
            "load_model",
            "to_lucid",
        ),
        "models",
    ),
    **dict.fromkeys(
        ("IconStore", "Recipe", "Transform", "diverse_icons", "icons", "render_sheet", "render_vis"),
        "optvis",
    ),
}

lucid_tf2.install()


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for: TensorFlow takes seconds."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if (
        _HOME[name] not in ("board", "groups")
        and "tensorflow" not in sys.modules
        and LOG_LEVEL not in os.environ
    ):
        import_tensorflow_quietly()
    module = importlib.import_module(f"{__name__}.{_HOME[name]}")
    return module if name == _HOME[name] else getattr(module, name)


def import_tensorflow_quietly() -> None:
    """TensorFlow reports its build and a missing GPU on every import, straight to file descriptor 2.

    A notebook should open with its own first sentence. Errors still reach Python as exceptions.
    """
    os.environ[LOG_LEVEL] = "3"
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "w", encoding="utf-8") as nowhere:
            os.dup2(nowhere.fileno(), 2)
            importlib.import_module("tensorflow")
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.environ.pop(LOG_LEVEL)  # processes started from here decide for themselves


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
