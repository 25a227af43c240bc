"""Work that goes on behind an interface: one thread, in rounds, that can be stopped and waited for."""

import atexit
import functools
import threading
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

LAST_STEP = 10.0  # seconds a round may take to end when the process does

Held = TypeVar("Held")
Round = Callable[[Callable[[], bool]], None]


class Background:
    """Runs rounds of work in a thread of its own.

    A round is given `go_on`, which it asks often and obeys. Whatever is asked for during a round
    makes another one follow.
    """

    def __init__(self, work: Round, finished: Callable[[BaseException | None], None]):
        """Prepare; nothing runs yet.

        Args:
            work: one round.
            finished: told when nothing is left to do, or what went wrong.
        """
        self._work, self._finished = work, finished
        self._lock = threading.RLock()
        # Not a thread's own `join`: a Ctrl-C in the middle of it takes a thread at work for a dead one.
        self._idle = threading.Event()
        self._idle.set()
        self._asked = False
        self._rests = 0  # how often `rest` has ended a round
        self._failure: BaseException | None = None
        self.stopped = False

    @property
    def asked(self) -> bool:
        """Whether another round will follow the present one."""
        return self._asked

    def ask(self) -> None:
        """Ask for a round; while stopped, it waits for `resume`."""
        with self._lock:
            self._asked = True
            if self._idle.is_set() and not self.stopped:
                self._idle.clear()
                threading.Thread(target=self._run, daemon=True, name="lucid_ext background").start()
                _at_work.add(self)

    def stop(self) -> None:
        """End the present round and begin no other."""
        self.stopped = True

    def rest(self) -> None:
        """End the present round; the next that is asked for begins as ever."""
        with self._lock:
            self._asked = False
            self._rests += 1

    def resume(self) -> None:
        """Go on after `stop`."""
        self.stopped = False
        self.ask()

    def wait(self) -> None:
        """Wait until nothing is left to do; raises what went wrong. Ctrl-C stops the work too."""
        self.resume()
        try:
            while not self._idle.wait(0.1):
                pass
        except KeyboardInterrupt:
            self.stop()
            raise
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    def _run(self) -> None:
        failure: BaseException | None = None
        while (rests := self._next(failure)) is not None:
            try:
                self._work(functools.partial(self._goes_on, rests))
            except Exception as error:  # said by `finished`, raised by `wait`
                failure = self._failure = error
        self._finished(failure)

    def _goes_on(self, rests: int) -> bool:
        """Whether a round goes on that began when `rests` others had been ended."""
        return not self.stopped and rests == self._rests

    def _next(self, failure: BaseException | None) -> int | None:
        """By what another round is known; None if there is none: the thread counts as gone from here on."""
        with self._lock:
            if self.stopped or failure is not None or not self._asked:
                self._idle.set()
                return None
            self._asked = False
            return self._rests


def weakly(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that does what a bound method does, for as long as somebody else holds its object."""
    held = weakref.WeakMethod(method)

    def call(*args: Any) -> Any:
        found = held()
        return None if found is None else found(*args)

    return call


def handle(held: Held) -> Held:
    """Return a second object with the very same attributes.

    Work that goes on holds this one, so that it can be told when nobody else holds the first.
    """
    other = object.__new__(type(held))
    other.__dict__ = vars(held)
    return other


_at_work: "weakref.WeakSet[Background]" = weakref.WeakSet()


@atexit.register
def _stop_all() -> None:
    """End all work before the process ends: TensorFlow aborts it if a step is cut off."""
    at_work = list(_at_work)
    for background in at_work:
        background.stop()
    for background in at_work:
        background._idle.wait(LAST_STEP)
