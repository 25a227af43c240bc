"""Ctrl-C at any moment of a trace is a KeyboardInterrupt, and nothing else."""

import random
import signal

import pytest
import tensorflow as tf

import lucid_ext as lx
from lucid_ext.models.tracing import trace

pytestmark = pytest.mark.slow


def test_ctrl_c_in_the_middle_of_a_trace():
    """TensorFlow makes a RuntimeError of about one in five hundred."""
    model = lx.load_model()
    spec = tf.TensorSpec((1, *model.layers["mixed4a"]), tf.float32)

    def run(x):
        (y,) = model.splice({"mixed4a": x}, [model.softmax])
        return tf.gradients(tf.reduce_sum(y), x)[0]

    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    drawn, interrupted = random.Random(1), 0
    try:
        for _ in range(2000):
            try:
                signal.setitimer(signal.ITIMER_REAL, drawn.uniform(0.0005, 0.1))
                trace(run, spec)
                signal.setitimer(signal.ITIMER_REAL, 0)
            except KeyboardInterrupt:
                interrupted += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert interrupted > 200
