"""Each of Lucid's objectives can be climbed, and is worth what its definition says."""

import copy
import inspect

import numpy as np
import pytest
import tensorflow as tf
from lucid.optvis import objectives, param, render, transform

import lucid_ext as lx
from lucid_ext.models.graph import between
from lucid_ext.optvis import evaluate

LAYER = "mixed3a"
SIZE = 32
CHANNELS = 128
DIRECTION = np.random.default_rng(0).normal(size=CHANNELS).astype(np.float32)
PATCH = np.random.default_rng(1).normal(size=(3, 3, CHANNELS)).astype(np.float32)
PHOTO = np.random.default_rng(2).random((SIZE, SIZE, 3), dtype=np.float32)
LOGITS = "softmax2_pre_activation"

MAXIMIZED = {
    "neuron": lambda: objectives.neuron(LAYER, 7),
    "neuron at a place": lambda: objectives.neuron(LAYER, 7, x=1, y=3),
    "neuron of one image": lambda: objectives.neuron(LAYER, 7, batch=1),
    "channel": lambda: objectives.channel(LAYER, 7),
    "channel of one image": lambda: objectives.channel(LAYER, 7, batch=0),
    "direction": lambda: objectives.direction(LAYER, DIRECTION),
    "direction_neuron": lambda: objectives.direction_neuron(LAYER, DIRECTION, cossim_pow=1),
    "direction_cossim": lambda: objectives.direction_cossim(LAYER, DIRECTION, batch=1),
    "deepdream": lambda: objectives.deepdream(LAYER),
    "channel_interpolate": lambda: objectives.channel_interpolate(LAYER, 7, LAYER, 8),
    "class_logit by name": lambda: objectives.class_logit(LOGITS, "espresso"),
    "class_logit by number": lambda: objectives.class_logit(LOGITS, 3),
    "penalize_boundary_complexity": lambda: objectives.penalize_boundary_complexity([2, SIZE, SIZE, 3], 5),
    "alignment": lambda: objectives.alignment("input"),
    "tensor_direction": lambda: objectives.tensor_direction(LAYER, PATCH),
    "sum of a list": lambda: objectives.Objective.sum([objectives.channel(LAYER, n) for n in (7, 8)]),
}
MINIMIZED = {
    "diversity": lambda: objectives.diversity(LAYER),
    "total_variation": lambda: objectives.total_variation(),
    "L1": lambda: objectives.L1(constant=0.5),
    "L2": lambda: objectives.L2(LAYER),
    "input_diff": lambda: objectives.input_diff(PHOTO),
    "blur_input_each_step": lambda: objectives.blur_input_each_step(),
    "blur_alpha_each_step": lambda: objectives.blur_alpha_each_step(),
}
NOT_OBJECTIVES = {"wrap_objective", "as_objective", "handle_batch"}


def known(name: str) -> str:
    """Skip what this version of Lucid does not have yet."""
    if not hasattr(objectives, name.split()[0]) and name != "sum of a list":
        pytest.skip(f"Lucid has {name} from 0.3.9 on")
    return name


def test_none_is_forgotten():
    public = {
        name
        for name, thing in vars(objectives).items()
        if inspect.isfunction(thing) and thing.__module__ == objectives.__name__ and name[0] != "_"
    }
    tried = {name.split()[0] for name in [*MAXIMIZED, *MINIMIZED]}
    assert public - NOT_OBJECTIVES <= tried


@pytest.fixture(scope="module")
def below(lucid_model):
    """What of the network lies below the layer, which is all that most objectives ask for."""
    cut = copy.copy(lucid_model)
    cut.graph_def = between(lucid_model.graph_def, (), [LAYER])
    return cut


def climb(model, objective, alpha=False, steps=10) -> tuple[float, float]:
    """The objective's value before and after some steps of Lucid's own optimisation."""
    np.random.seed(0)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        vis = render.make_vis_T(
            model,
            objective,
            lambda: param.image(SIZE, batch=2, sd=0.3, alpha=alpha),
            transforms=[lambda images: images[..., :3]],
        )
        session.run(tf.compat.v1.global_variables_initializer())
        values = [np.sum(session.run([vis("loss"), vis("vis_op")])[0]) for _ in range(steps + 1)]
    return values[0], values[-1]


@pytest.mark.parametrize("name", MAXIMIZED)
def test_raised(below, lucid_model, name):
    first, last = climb(lucid_model if "logit" in name else below, MAXIMIZED[known(name)]())
    assert last > first + 0.05 * abs(first)


@pytest.mark.parametrize("name", MINIMIZED)
def test_lowered(below, name):
    first, last = climb(below, -1 * MINIMIZED[name](), alpha="alpha" in name)
    assert last > first + 0.05 * abs(first)


def test_worth_the_same_to_the_projects_own_engine(model, lucid_model, rng):
    """All of them at once, on the same images, in Lucid's graph and in the project's."""
    both = {**MAXIMIZED, **MINIMIZED}
    names = [
        n for n in both if "alpha" not in n and (hasattr(objectives, n.split()[0]) or n == "sum of a list")
    ]
    made = [both[name]() for name in names]
    everything = objectives.Objective(lambda T: tf.stack([tf.reduce_sum(o(T)) for o in made]))
    images = rng.random((2, SIZE, SIZE, 3), dtype=np.float32)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tensor = tf.constant(images)
        expected = session.run(everything(render.import_model(lucid_model, tensor, tensor)))
    found = evaluate(model, everything, images)
    assert dict(zip(names, found, strict=True)) == pytest.approx(
        dict(zip(names, expected, strict=True)), rel=1e-3, abs=1e-5
    )


def test_an_image_with_alpha_in_the_projects_own_engine(model):
    """The objective reads four channels of the image, the network sees three, larger by padding."""
    objective = objectives.channel(LAYER, 7) - 0.01 * objectives.blur_alpha_each_step()
    images = lx.render_vis(
        model,
        objective,
        lambda: param.image(SIZE, alpha=True),
        transforms=[transform.collapse_alpha_random(), *transform.standard_transforms],
        thresholds=(0, 24),
        verbose=False,
        progress=False,
        seed=0,
    )
    before, after = (evaluate(model, objectives.channel(LAYER, 7), x[..., :3]) for x in images)
    assert images[0].shape == (1, SIZE, SIZE, 4)
    assert after > before


def value(objective, layer) -> float:
    """What an objective is worth where its layer has these activations."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        return float(np.sum(session.run(objective(lambda name: tf.constant(layer)))))


def cosine(a, b, axis=-1):
    norms = np.sqrt((a * a).sum(axis)) * np.sqrt((b * b).sum(axis))
    return (a * b).sum(axis) / norms


class TestAgainstNumPy:
    """Definitions written out once more."""

    @pytest.fixture
    def a(self, rng):
        return rng.random((4, 5, 6, 8), dtype=np.float32)

    @pytest.fixture
    def v(self, rng):
        return rng.random(8, dtype=np.float32)

    def test_units(self, a):
        assert value(objectives.channel("l", 3), a) == pytest.approx(a[..., 3].mean(), rel=1e-5)
        assert value(objectives.channel("l", 3, batch=2), a) == pytest.approx(a[2, ..., 3].mean(), rel=1e-5)
        assert value(objectives.neuron("l", 3, batch=1), a) == pytest.approx(a[1, 2, 3, 3], rel=1e-5)
        assert value(objectives.neuron("l", 3, x=4, y=5, batch=1), a) == pytest.approx(a[1, 4, 5, 3])

    def test_directions(self, a, v):
        assert value(objectives.direction("l", v), a) == pytest.approx((a @ v).mean(), rel=1e-5)
        assert value(objectives.direction("l", v, batch=1), a) == pytest.approx((a[1] @ v).mean(), rel=1e-5)
        centre = a[:, 2, 3]
        plain, weighted = centre @ v, (centre @ v) * np.maximum(0.1, cosine(centre, v)) ** 2
        found = value(objectives.direction_neuron("l", v), a)
        assert found == pytest.approx(plain.mean(), rel=1e-4)
        found = value(objectives.direction_neuron("l", v, cossim_pow=2), a)
        assert found == pytest.approx(weighted.mean(), rel=1e-3)

    def test_penalties(self, a):
        assert value(objectives.deepdream("l"), a) == pytest.approx((a**2).mean(), rel=1e-5)
        assert value(objectives.L1("l", constant=0.5), a) == pytest.approx(np.abs(a - 0.5).sum(), rel=1e-5)
        found = value(objectives.L2("l", constant=0.5), a)
        assert found == pytest.approx(np.sqrt(((a - 0.5) ** 2).sum()), rel=1e-5)
        variation = np.abs(np.diff(a, axis=1)).sum() + np.abs(np.diff(a, axis=2)).sum()
        assert value(objectives.total_variation("l"), a) == pytest.approx(variation, rel=1e-4)
        assert value(objectives.input_diff(a[0]), a) == pytest.approx(
            np.sqrt(((a - a[0]) ** 2).mean()), rel=1e-5
        )

    def test_interpolation(self, a):
        weights = np.arange(4) / 3
        expected = sum(
            (1 - w) * i[..., 1].mean() + w * i[..., 2].mean() for w, i in zip(weights, a, strict=True)
        )
        assert value(objectives.channel_interpolate("l", 1, "l", 2), a) == pytest.approx(expected, rel=1e-4)

    def test_alignment(self, a):
        pairs = [(i, j) for i in range(4) for j in range(i + 1, 4)]
        expected = -sum(((a[i] - a[j]) ** 2).mean() / 2.0 ** (j - i) for i, j in pairs)
        assert value(objectives.alignment("l"), a) == pytest.approx(expected, rel=1e-4)

    def test_diversity(self, a):
        flat = a.reshape(4, -1, 8)
        grams = np.einsum("npc,npd->ncd", flat, flat).reshape(4, -1)
        pairs = [cosine(grams[i], grams[j]) for i in range(4) for j in range(4) if i != j]
        assert value(objectives.diversity("l"), a) == pytest.approx(sum(pairs) / 4, rel=1e-4)

    def test_logits(self, rng):
        logits = rng.random((3, 7), dtype=np.float32)
        assert value(objectives.class_logit("l", 5), logits) == pytest.approx(logits[:, 5].sum(), rel=1e-5)

    def test_algebra(self, a):
        one, two = objectives.channel("l", 1), objectives.channel("l", 2)
        x, y = a[..., 1].mean(), a[..., 2].mean()
        for objective, expected in (
            (one + two, x + y),
            (one - two, x - y),
            (one + 2, x + 2),
            (1.5 + one, x + 1.5),
            (3 * one, 3 * x),
            (one * two, x * y),
            (-one, -x),
            (sum([one, two]), x + y),
            (objectives.Objective.sum([one, two, one]), 2 * x + y),
            (objectives.as_objective("l:2"), y),
        ):
            assert value(objective, a) == pytest.approx(expected, rel=1e-5)

    def test_they_tell_what_they_are(self):
        objective = objectives.channel("mixed4a", 7) + 0.5 * objectives.neuron("mixed4b", 3)
        assert objective.name == "channel, neuron"
        assert "mixed4a, 7" in objective.description
        assert objectives.channel.__doc__ == "Visualize a single channel"
