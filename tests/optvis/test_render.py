"""render_vis: Lucid's signature and objectives; higher with steps, equal with a seed."""

import numpy as np
import pytest
import tensorflow as tf
from lucid.optvis import objectives, param, transform

import lucid_ext as lx
from lucid_ext.optvis.ascent import evaluate

LAYER = "mixed4a"


def render(model, objective, **options):
    options = {"thresholds": (0, 20), "verbose": False, "progress": False, "seed": 0, **options}
    return lx.render_vis(model, objective, **options)


def small(batch=1, size=48):
    return lambda: param.image(size, batch=batch)


DIRECTION = np.random.default_rng(1).normal(size=256).astype(np.float32)
OBJECTIVES = {
    "string": f"{LAYER}:7",
    "channel": objectives.channel(LAYER, 7),
    "neuron": objectives.neuron(LAYER, 7),
    "direction": objectives.direction(LAYER, DIRECTION),
    "direction_neuron": objectives.direction_neuron(LAYER, DIRECTION),
    "deepdream": objectives.deepdream(LAYER),
    "sum": objectives.channel(LAYER, 7) + 0.5 * objectives.channel("mixed3b", 3),
    "product": objectives.channel(LAYER, 7) * objectives.channel("mixed3b", 3),
    "with a penalty": objectives.channel(LAYER, 7) - 1e-5 * objectives.total_variation(),
    "class": objectives.class_logit("softmax2_pre_activation", "espresso"),
}


@pytest.mark.parametrize("name", OBJECTIVES)
def test_raises_its_objective(model, name):
    objective = objectives.as_objective(OBJECTIVES[name])
    # Plain grey excites a layer as a whole already: to leave it takes longer.
    size, steps = (96, 160) if name == "deepdream" else (48, 40)
    first, last = render(model, objective, param_f=small(size=size), thresholds=(0, steps))
    assert first.shape == last.shape == (1, size, size, 3)
    assert 0 <= last.min() < last.max() <= 1
    before, after = (np.sum(evaluate(model, objective, x)) for x in (first, last))
    assert after > before + 0.2 * abs(before)


def test_diversity_makes_images_differ(model):
    def likeness(weight):
        objective = objectives.channel(LAYER, 7) - weight * objectives.diversity(LAYER)
        (images,) = render(model, objective, param_f=small(3), thresholds=(30,))
        return float(evaluate(model, objectives.diversity(LAYER), images))

    assert likeness(1.0) < 0.8 * likeness(0.0)


def test_same_seed_same_images(model):
    a, b, c = (render(model, f"{LAYER}:7", thresholds=(6,), seed=s)[0] for s in (3, 3, 4))
    assert np.array_equal(a, b)
    assert not np.allclose(a, c, atol=0.01)


def test_same_seed_same_images_with_lucids_parameterization(model):
    state = np.random.get_state()[1].copy()
    a, b = (render(model, f"{LAYER}:7", param_f=small(2), thresholds=(6,))[0] for _ in range(2))
    assert np.array_equal(a, b)
    assert np.array_equal(np.random.get_state()[1], state)


def test_use_fixed_seed_is_seed_zero(model):
    a = render(model, f"{LAYER}:7", thresholds=(4,), seed=None, use_fixed_seed=True)[0]
    assert np.array_equal(a, render(model, f"{LAYER}:7", thresholds=(4,), seed=0)[0])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_lucids_transforms_and_version_1_optimizers_are_taken(model):
    objective = objectives.channel(LAYER, 7)
    first, last = render(
        model,
        objective,
        param_f=small(),
        transforms=transform.standard_transforms,
        optimizer=tf.compat.v1.train.AdamOptimizer(0.05),
    )
    assert evaluate(model, objective, last) > 1.5 * evaluate(model, objective, first)


def test_keras_optimizers_are_taken(model):
    objective = objectives.channel(LAYER, 7)
    first, last = render(model, objective, optimizer=tf.keras.optimizers.SGD(50.0))
    assert evaluate(model, objective, last) > evaluate(model, objective, first)


def test_without_transforms(model):
    first, last = render(model, f"{LAYER}:7", transforms=[])
    assert first.shape == last.shape


def test_redirected_gradients_wake_a_dead_neuron(model):
    """Where the ReLU blocks all of an image's gradient, the image still moves."""
    grey = np.full((1, 128, 128, 3), 0.5, np.float32)
    centre = model.function("input", ["mixed5a"])(tf.constant(grey))[0].numpy()[0, 4, 4]
    dead = int(np.flatnonzero(centre <= 0)[0])
    objective = objectives.neuron("mixed5a", dead)
    moved = {}
    for redirect in (True, False):
        (image,) = render(model, objective, thresholds=(40,), transforms=[], relu_gradient_override=redirect)
        moved[redirect] = float(np.sum(evaluate(model, objective, image)))
    assert moved[True] > 0
    assert moved[True] > moved[False]


def test_interrupted_run_returns_what_it_has(model, monkeypatch):
    from lucid_ext.optvis.ascent import Ascent

    step, taken = Ascent.step, []

    def interrupted(self, draws, inputs):
        if len(taken) == 3:
            raise KeyboardInterrupt
        taken.append(1)
        return step(self, draws, inputs)

    monkeypatch.setattr(Ascent, "step", interrupted)
    images = render(model, f"{LAYER}:7", thresholds=(1, 500))
    assert len(images) == 2
    assert np.isfinite(images[-1]).all()


def test_unknown_layer_in_an_objective(model):
    with pytest.raises(ValueError, match=r"no layer 'mixed9z'; did you mean .*\? Its layers: "):
        render(model, "mixed9z:0")


def test_not_an_objective(model):
    with pytest.raises(ValueError, match="expected an objective or 'layer:channel'"):
        render(model, 42)


def test_unit_outside_the_layer(model):
    with pytest.raises(ValueError, match="channels 0 to 255; there is no 999"):
        render(model, f"{LAYER}:999")
    with pytest.raises(ValueError, match="expected 'layer:channel'"):
        render(model, LAYER)


class TestAlgebra:
    """Objectives are Lucid's own, so sums and products must come out as Lucid has them."""

    def value(self, model, objective, x):
        return float(np.sum(evaluate(model, objectives.as_objective(objective), x)))

    def test_against_numbers(self, model, rng):
        x = rng.random((2, 64, 64, 3), dtype=np.float32)
        acts = model.function("input", [LAYER])(tf.constant(x))[0].numpy()
        a, b = acts[..., 1].mean(), acts[..., 2].mean()
        one, two = objectives.channel(LAYER, 1), objectives.channel(LAYER, 2)
        for objective, expected in (
            (one, a),
            (one + two, a + b),
            (one - two, a - b),
            (3 * one, 3 * a),
            (-one, -a),
            (one * two, a * b),
            (one + 1, a + 1),
            (objectives.neuron(LAYER, 5), acts[:, 4, 4, 5].sum()),
            (objectives.neuron(LAYER, 5, x=1, y=2), acts[:, 1, 2, 5].sum()),
            (objectives.direction(LAYER, DIRECTION), (acts @ DIRECTION).mean()),
            (objectives.deepdream(LAYER), (acts**2).mean()),
        ):
            assert self.value(model, objective, x) == pytest.approx(expected, rel=1e-4, abs=1e-5)

    def test_same_value_in_lucids_own_graph(self, model, rng):
        x = rng.random((2, 64, 64, 3), dtype=np.float32)
        objective = objectives.channel(LAYER, 1) * 2 - 0.3 * objectives.diversity(LAYER)
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            tensor = tf.constant(255.0 * x - 117.0)
            tf.graph_util.import_graph_def(model.graph_def, {"input": tensor}, name="import")
            graph = tf.compat.v1.get_default_graph()
            expected = session.run(objective(lambda name: graph.get_tensor_by_name(f"import/{name}:0")))
        assert self.value(model, objective, x) == pytest.approx(float(expected), rel=1e-4)
