"""TensorFlow functions traced once, as everything here that runs a network is."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def trace(run: Callable, *specs: Any) -> tf.types.experimental.ConcreteFunction:
    """Return `run` as a traced function of the tensors that `specs` describe.

    Raises:
        KeyboardInterrupt: also where TensorFlow makes a RuntimeError of one, as it does when Ctrl-C
            comes in the middle of an error of its own, of which tracing raises and catches many.
    """
    try:
        return tf.function(run, autograph=False).get_concrete_function(*specs)
    except RuntimeError as error:
        if "KeyboardInterrupt" in str(error):
            raise KeyboardInterrupt from None
        raise
