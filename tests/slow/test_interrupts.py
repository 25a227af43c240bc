"""Ctrl-C at any moment of a trace is a KeyboardInterrupt, and the next trace goes on as ever."""

import random
import signal

import pytest
import tensorflow as tf

import lucid_ext as lx
from lucid_ext.models.tracing import trace

pytestmark = pytest.mark.slow


@pytest.fixture
def interrupted_after():
    """Sends this process a Ctrl-C after so many seconds; never, for 0."""
    before = signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    own = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda seconds: signal.setitimer(signal.ITIMER_REAL, seconds)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)
    signal.signal(signal.SIGINT, own)


def test_ctrl_c_in_the_middle_of_a_trace(interrupted_after):
    """TensorFlow by itself makes a RuntimeError of one in some hundreds, or never returns."""
    model = lx.load_model("mini")
    spec = tf.TensorSpec((1, *model.layers["mixed4a"]), tf.float32)

    def run(x):
        (y,) = model.splice({"mixed4a": x}, [model.softmax])
        return tf.gradients(tf.reduce_sum(y), x)[0]

    drawn, interrupted = random.Random(1), 0
    for _ in range(300):
        try:
            interrupted_after(drawn.uniform(0.0005, 0.1))
            trace(run, spec)
            interrupted_after(0)
        except KeyboardInterrupt:
            interrupted += 1
    assert interrupted > 30
    assert trace(run, spec)(tf.zeros(spec.shape)).shape == spec.shape
