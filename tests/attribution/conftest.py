import numpy as np
import pytest

import lucid_ext as lx
from tests.models.networks import SIDE, functional, randomized, sequential


@pytest.fixture(scope="package")
def picture():
    return np.random.default_rng(1).random((SIDE, SIDE, 3)).astype(np.float32)


@pytest.fixture(scope="package")
def chain():
    """Convolutions one after the other, with max-pooling: first_relu 24 x 24, second and third 12 x 12."""
    return lx.load_model(randomized(sequential()))


@pytest.fixture(scope="package")
def residual():
    return lx.load_model(randomized(functional()))


@pytest.fixture(scope="package")
def six():
    """A layer of six cells of four channels, and two dense layers above it."""
    import keras
    from keras import layers

    model = keras.Sequential(
        [
            keras.Input((4, 6, 3)),
            layers.Conv2D(4, 3, strides=2, padding="same", activation="relu", name="hidden"),
            layers.Flatten(name="flat"),
            layers.Dense(8, activation="relu", name="mixing"),
            layers.Dense(3, activation="softmax", name="classes"),
        ]
    )
    return lx.load_model(randomized(model), labels=["red", "green", "blue"])


@pytest.fixture(scope="package")
def six_picture():
    return np.random.default_rng(2).random((4, 6, 3)).astype(np.float32)
