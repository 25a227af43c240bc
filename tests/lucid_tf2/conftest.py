import numpy as np
import pytest
import tensorflow as tf

import lucid_ext as lx


@pytest.fixture(scope="session")
def lucid_model(model):
    """The embedded network as Lucid's own functions take it."""
    return lx.to_lucid(model)


@pytest.fixture
def run():
    """Evaluate what a function makes, in a graph and a session of its own."""

    def evaluate(make, seed=0):
        np.random.seed(seed)
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            tf.compat.v1.set_random_seed(seed)
            tensors = make()
            session.run(tf.compat.v1.global_variables_initializer())
            return session.run(tensors)

    return evaluate
