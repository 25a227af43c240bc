"""Adversarial images: inside their cube, and doing what they are for."""

import numpy as np
import pytest
import tensorflow as tf

import lucid_ext as lx
from tests.models import networks

EPSILON = 4 / 255


@pytest.fixture(scope="module")
def seen(model):
    return model.prepare(lx.load_image("cat_coffee"))


def logits(model, image):
    return model.activations(image, model.logits)


@pytest.mark.parametrize("method", ["fgsm", "pgd"])
@pytest.mark.parametrize("epsilon", [0.0, 1 / 255, 0.5])
def test_stays_within_epsilon_and_among_images(model, seen, method, epsilon):
    found = lx.adversarial(model, seen, "sunglasses", epsilon, method, steps=3)
    assert found.shape == seen.shape
    assert found.dtype == np.float32
    assert np.abs(found - seen).max() <= epsilon + 1e-6
    assert 0 <= found.min() <= found.max() <= 1


@pytest.mark.parametrize("method", ["fgsm", "pgd"])
def test_towards_a_class(model, seen, method):
    index = model.labels.index("sunglasses")
    found = lx.adversarial(model, seen, "sunglasses", EPSILON, method)
    assert logits(model, found)[index] > logits(model, seen)[index]


@pytest.mark.parametrize("method", ["fgsm", "pgd"])
@pytest.mark.parametrize("target", [None, "espresso"])
def test_away_from_a_class(model, seen, method, target):
    index = int(logits(model, seen).argmax())
    assert model.labels[index] == "espresso"
    found = lx.adversarial(model, seen, target, EPSILON, method, targeted=False)
    assert logits(model, found)[index] < logits(model, seen)[index]


def test_pgd_goes_further_than_one_step(model, seen):
    index = model.labels.index("sunglasses")
    one, many = (lx.adversarial(model, seen, index, EPSILON, method) for method in ("fgsm", "pgd"))
    assert logits(model, many)[index] > logits(model, one)[index]


@pytest.mark.parametrize("targeted", [True, False])
def test_fgsm_is_the_one_step_formula(targeted):
    """The sign of the gradient of cross-entropy, by Keras and a GradientTape."""
    keras_model = networks.randomized(networks.functional())
    model = lx.load_model(keras_model, preprocess=(0, 1))
    rng = np.random.default_rng(0)
    x = rng.uniform(0.2, 0.8, (*model.size, 3)).astype(np.float32)
    with tf.GradientTape() as tape:
        images = tf.constant(x[None])
        tape.watch(images)
        loss = -tf.math.log(keras_model(images, training=False)[0, 2])
    step = 0.01 * np.sign(tape.gradient(loss, images)[0].numpy())
    expected = x - step if targeted else x + step
    found = lx.adversarial(model, x, 2, 0.01, "fgsm", targeted=targeted)
    agree = np.isclose(found, expected, atol=1e-6)
    assert agree.mean() > 0.999  # a gradient of zero has no sign to agree on


def test_pgd_starts_where_its_seed_says(model, seen):
    first, again, other = (lx.adversarial(model, seen, 0, EPSILON, steps=2, seed=s) for s in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_what_makes_no_sense_is_refused(model, seen):
    with pytest.raises(ValueError, match="no class 'sunglases'; expected a name"):
        lx.adversarial(model, seen, "sunglases", EPSILON)
    with pytest.raises(ValueError, match="number from 0 to 199"):
        lx.adversarial(model, seen, 200, EPSILON)
    with pytest.raises(ValueError, match="epsilon is 4; expected 0 to 1"):
        lx.adversarial(model, seen, 0, 4)
    with pytest.raises(ValueError, match="no method 'cw'; expected one of fgsm, pgd"):
        lx.adversarial(model, seen, 0, EPSILON, "cw")
    with pytest.raises(ValueError, match="steps is 0"):
        lx.adversarial(model, seen, 0, EPSILON, steps=0)
