"""TensorFlow functions traced once, as everything here that runs a network is."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf


def trace(run: Callable, *specs: Any) -> tf.types.experimental.ConcreteFunction:
    """Return `run` as a traced function of the tensors that `specs` describe.

    A Ctrl-C meanwhile counts once the trace is done, mostly within a second: in the middle of it,
    TensorFlow makes another error of it now and then, or waits for a lock of its own for ever.
    """
    with _interrupts_held_back():
        return tf.function(run, autograph=False).get_concrete_function(*specs)


@contextlib.contextmanager
def _interrupts_held_back() -> Iterator[None]:
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return
    came: list[tuple] = []
    signal.signal(signal.SIGINT, lambda *said: came.append(said))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if came:
            handler(*came[0])
