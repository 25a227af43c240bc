"""Names of an earlier version, which work for one more."""

import functools
import warnings
from collections.abc import Callable
from typing import Any

from lucid_ext.live.streaming import unless

RENAMED = {
    "see": "analyze",
    "look_at": "set_image",
    "refine": "stream",
    "turned": "rescale",
    "follows": "streams_on_select",
    "say": "set_status",
    "renew": "invalidate",
}
"""{earlier name: present name} of what interfaces have."""


class EarlierNames:
    """Lets the earlier names of a class be called and overridden, with a warning."""

    def __init_subclass__(cls, **options: Any):
        """Give what a class defines its other name too."""
        super().__init_subclass__(**options)
        own = dict(vars(cls))
        for earlier, present in RENAMED.items():
            if present in own:
                setattr(cls, earlier, _earlier(cls.__name__, earlier, present, own[present]))
            elif earlier in own:
                _warn(cls.__name__, earlier, present)
                setattr(cls, present, _adapted(earlier, own[earlier]))


def _earlier(kind: str, earlier: str, present: str, found: Any) -> Any:
    """Return what stands under the earlier name of a method or of a value."""
    if callable(found):
        adapted = _adapted(earlier, found)

        @functools.wraps(found)
        def method(self: Any, *args: Any, **options: Any) -> Any:
            _warn(kind, earlier, present)
            return adapted(self, *args, **options)

        return method

    def value(self: Any) -> Any:
        _warn(kind, earlier, present)
        return getattr(self, present)

    def assign(self: Any, given: Any) -> None:
        _warn(kind, earlier, present)
        setattr(self, present, given)

    return property(value, assign)


def _adapted(earlier: str, method: Any) -> Any:
    """Return a method that takes what its other name took: `refine` had `go_on` where `stream` has `stop`."""
    if earlier != "refine":
        return method

    @functools.wraps(method)
    def other(self: Any, board: Any, selected: Any, asked: Callable[[], bool], page: bool = False) -> Any:
        return method(self, board, selected, unless(asked), page)

    return other


def _warn(kind: str, earlier: str, present: str) -> None:
    warnings.warn(
        f"{kind}.{earlier} is called {present} now, and the earlier name will go.", DeprecationWarning, 3
    )
