"""Small Keras models of every kind, with random weights, and the same sums done by Keras itself."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

SIDE = 24
CLASSES = 5


def randomized(model, seed=0):
    """Every weight random, biases and statistics of batch normalization too, so that all of them matter."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        if "seed" in weight.path:
            continue
        # A depthwise kernel (h, w, c, 1) reads one channel at a time.
        read = weight.shape[:2] if weight.shape[3:] == (1,) else weight.shape[:-1]
        fan_in = max(int(np.prod(read)), 1)
        value = rng.normal(0, np.sqrt(2 / fan_in) if len(weight.shape) > 1 else 0.3, weight.shape)
        if "gamma" in weight.path or "variance" in weight.path:
            value = 1 + 0.3 * np.abs(value)
        weight.assign(value.astype(np.float32))
    return model


def sequential(channels=3, last="softmax"):
    return keras.Sequential(
        [
            keras.Input((SIDE, SIDE, channels)),
            layers.Conv2D(8, 3, padding="same", use_bias=False, name="first"),
            layers.BatchNormalization(name="first_bn"),
            layers.ReLU(name="first_relu"),
            layers.MaxPooling2D(name="pool"),
            layers.Conv2D(12, 3, padding="same", activation="relu", name="second"),
            layers.Dropout(0.5, name="dropout"),
            layers.Conv2D(12, 3, padding="same", activation="silu", name="third"),
            layers.GlobalAveragePooling2D(name="average"),
            layers.Dense(CLASSES, activation=last, name="classes"),
        ],
        name="sequential_network",
    )


def residual_block(x, width, name):
    y = layers.Conv2D(width, 3, padding="same", use_bias=False, name=f"{name}_1_conv")(x)
    y = layers.BatchNormalization(name=f"{name}_1_bn")(y)
    y = layers.Activation("relu", name=f"{name}_1_relu")(y)
    y = layers.Conv2D(width, 3, padding="same", use_bias=False, name=f"{name}_2_conv")(y)
    y = layers.BatchNormalization(name=f"{name}_2_bn")(y)
    if x.shape[-1] != width:
        x = layers.Conv2D(width, 1, name=f"{name}_0_conv")(x)
    return layers.Activation("relu", name=f"{name}_out")(layers.Add(name=f"{name}_add")([x, y]))


def functional():
    image = keras.Input((SIDE, SIDE, 3), name="picture")
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu", name="stem")(image)
    for i, width in enumerate((8, 12), 1):
        x = residual_block(x, width, f"block{i}")
    towers = [layers.Conv2D(6, k, padding="same", activation="relu", name=f"tower{k}")(x) for k in (1, 3)]
    x = layers.Concatenate(name="mixed")(towers)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(10, activation="relu", name="hidden")(x)
    return keras.Model(
        image, layers.Dense(CLASSES, activation="softmax", name="classes")(x), name="functional"
    )


def nested():
    """Two inner models whose layers have the same names, and one layer called twice."""

    def inner(channels, name):
        x = image = keras.Input((None, None, channels))
        x = layers.Conv2D(8, 3, padding="same", name="conv")(x)
        return keras.Model(image, layers.Activation("relu", name="relu")(x), name=name)

    image = keras.Input((SIDE, SIDE, 3))
    again = layers.Conv2D(8, 3, padding="same", activation="relu", name="again")
    x = inner(8, "deep")(inner(3, "shallow")(image))
    x = layers.GlobalAveragePooling2D(name="average")(again(again(x)))
    return keras.Model(image, layers.Dense(CLASSES, activation="softmax", name="classes")(x), name="nested")


@keras.saving.register_keras_serializable("lucid_ext_tests")
class Subclassed(keras.Model):
    """Convolutions as layers, everything else as code."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.one = layers.Conv2D(8, 3, padding="same", name="one")
        self.two = layers.Conv2D(8, 3, padding="same", name="two")
        self.norm = layers.BatchNormalization(name="norm")
        self.drop = layers.Dropout(0.5, name="drop")
        self.top = layers.Dense(CLASSES, name="top")

    def build(self, shape):
        self.one.build(shape)
        inner = (*shape[:3], 8)
        self.two.build(inner)
        self.norm.build(inner)
        self.top.build((shape[0], 8))
        self.built = True

    def call(self, x, training=False):
        return self.parts(x, training)["top"]

    def parts(self, x, training=False):
        """All it computes on the way, by the names it is to be found under."""
        found = {"one": self.one(x)}
        found["one_relu"] = tf.nn.relu(found["one"])
        found["two"] = self.two(found["one_relu"])
        found["norm"] = self.norm(found["two"], training=training)
        found["norm_add"] = found["norm"] + found["one_relu"]
        found["norm_add_relu"] = keras.ops.relu(found["norm_add"])
        x = self.drop(found["norm_add_relu"], training=training)
        found["top"] = self.top(tf.reduce_mean(x, [1, 2]))
        return found


def subclassed(channels=3):
    model = Subclassed(name="subclassed")
    model.build((None, SIDE, SIDE, channels))
    return model


def linear_blocks():
    """Inverted residuals, as MobileNetV2's: blocks end in a sum, or in normalization, below zero too."""
    x = image = keras.Input((SIDE, SIDE, 3))
    for i in (1, 2):
        y = layers.Conv2D(16, 1, use_bias=False, name=f"expand{i}")(x)
        y = layers.ReLU(6.0, name=f"expand{i}_relu")(layers.BatchNormalization(name=f"expand{i}_bn")(y))
        y = layers.DepthwiseConv2D(3, padding="same", name=f"depthwise{i}")(y)
        y = layers.Conv2D(8, 1, name=f"project{i}")(layers.ReLU(6.0, name=f"depthwise{i}_relu")(y))
        y = layers.BatchNormalization(name=f"project{i}_bn")(y)
        x = y if i == 1 else layers.Add(name=f"sum{i}")([x, y])
    x = layers.GlobalAveragePooling2D(name="average")(x)
    return keras.Model(image, layers.Dense(CLASSES, activation="softmax", name="classes")(x), name="linear")
