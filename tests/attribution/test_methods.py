"""Methods, against sums done another way."""

import itertools
import math

import numpy as np
import pytest
import tensorflow as tf

import lucid_ext as lx
from tests.attribution.test_linear import close


def scores(model, picture, source, acts, target):
    return model.function(source, [model.logits], image=picture)(acts)[0].numpy()[:, target]


def test_path_is_an_integral(chain, picture):
    """A thousand midpoints, with a tape."""
    found = lx.attribute(chain, picture, "first_relu", 1, "path", steps=200)
    acts = chain.activations(picture, "first_relu")
    function = chain.function("first_relu", [chain.logits])
    total = np.zeros_like(acts)
    for share in np.array_split((np.arange(1000) + 0.5) / 1000, 20):
        with tf.GradientTape() as tape:
            x = tf.constant((share.reshape(-1, 1, 1, 1) * acts).astype(np.float32))
            tape.watch(x)
            value = tf.reduce_sum(function(x)[0][:, 1])
        total += tape.gradient(value, x).numpy().sum(0) / 1000
    expected = (total * acts).sum(-1)
    assert np.abs(found.values - expected).max() < 2e-3 * np.abs(expected).max()
    change = np.subtract(*scores(chain, picture, "first_relu", np.stack([acts, 0 * acts]), 1))
    assert found.change == pytest.approx(change, rel=1e-4)
    assert found.gap < 0.005
    assert found.values.sum() == pytest.approx(change, rel=0.006)


def test_path_is_halved_where_the_score_bends(chain, picture):
    """Against a thousand midpoints, for the cell where two points are furthest off."""
    gaps = lx.attribute(chain, picture, "first_relu", ("third", "cells"), "path", steps=2, tolerance=None).gap
    worst = np.unravel_index(gaps.argmax(), gaps.shape)
    ask = chain, picture, "first_relu", ("third", worst), "path"
    plain = lx.attribute(*ask, steps=2, tolerance=None)
    halved = lx.attribute(*ask, steps=2, tolerance=0.002)
    assert plain.gap == pytest.approx(gaps.max(), rel=1e-2)
    assert plain.gap > 0.01
    assert halved.gap < 0.004
    problem = halved.problem
    midpoints = (np.arange(1000) + 0.5).reshape(-1, 1, 1, 1) / 1000
    expected = problem.linear(midpoints * problem.activations)
    assert np.abs(halved.values - expected).sum() < 0.02 * np.abs(expected).sum()
    assert np.abs(halved.values - expected).sum() < np.abs(plain.values - expected).sum() / 2
    several = lx.attribute(chain, picture, "first_relu", [0, 2], "path", steps=2, tolerance=0.002)
    assert several.gap.max() < 0.004
    assert "completeness gap 0." in repr(several)
    assert ", at worst 0." in repr(several)


def test_path_from_the_mean_and_without_groups(chain, picture):
    acts = np.maximum(chain.activations(picture, "second"), 0)
    groups = lx.factorize(acts, 3)
    rest = acts - groups.spatial @ groups.channels
    ends = {"zero": 0 * acts, "mean": np.broadcast_to(acts.mean((0, 1)), acts.shape), "groups": rest}
    for name, start in ends.items():
        options = {"atoms": groups} if name == "groups" else {"baseline": name}
        found = lx.attribute(chain, picture, "second", 2, "path", steps=64, **options)
        change = np.subtract(*scores(chain, picture, "second", np.stack([acts, start]), 2))
        assert found.values.sum() == pytest.approx(change, rel=0.01, abs=1e-3)


@pytest.mark.parametrize("atoms", ["cells", "channels"])
def test_ablation_removes_one_at_a_time(chain, picture, atoms):
    found = lx.attribute(chain, picture, "second", 2, "ablation", atoms).values
    acts = chain.activations(picture, "second")
    expected = np.zeros(found.shape)
    for i in np.ndindex(found.shape):
        without = acts.copy()
        without[i if atoms == "cells" else (..., i[0])] = 0
        expected[i] = np.subtract(*scores(chain, picture, "second", np.stack([acts, without]), 2))
    size = np.abs(scores(chain, picture, "second", acts[None], 2)).item()
    np.testing.assert_allclose(found, expected, atol=1e-5 * size)


def test_ablation_to_the_mean_and_of_groups(chain, picture):
    acts = chain.activations(picture, "second")
    found = lx.attribute(chain, picture, "second", 2, "ablation", "channels", baseline="mean").values
    without = acts.copy()
    without[..., 4] = acts[..., 4].mean()
    assert found[4] == pytest.approx(
        np.subtract(*scores(chain, picture, "second", np.stack([acts, without]), 2)), abs=1e-4
    )
    groups = lx.factorize(acts, 3)
    found = lx.attribute(chain, picture, "second", 2, "ablation", groups).values
    without = acts - groups.spatial[..., 1, None] * groups.channels[1]
    assert found[1] == pytest.approx(
        np.subtract(*scores(chain, picture, "second", np.stack([acts, without]), 2)), abs=1e-4
    )


def exact_shapley(model, picture, target):
    """By definition, over all 64 subsets of six cells (Shapley, 1953)."""
    acts = model.activations(picture, "hidden")
    subsets = [np.array(s, bool).reshape(2, 3) for s in itertools.product((0, 1), repeat=6)]
    value = dict(
        zip(
            [s.tobytes() for s in subsets],
            scores(model, picture, "hidden", np.stack([acts * s[..., None] for s in subsets]), target),
            strict=True,
        )
    )
    found = np.zeros((2, 3))
    for i in np.ndindex(2, 3):
        for s in subsets:
            if not s[i]:
                size = int(s.sum())
                weight = math.factorial(size) * math.factorial(5 - size) / math.factorial(6)
                larger = s.copy()
                larger[i] = True
                found[i] += weight * (value[larger.tobytes()] - value[s.tobytes()])
    return found


def test_shapley_values_and_their_error_bars(six, six_picture):
    exact = exact_shapley(six, six_picture, 1)
    found = lx.attribute(six, six_picture, "hidden", "green", "shapley", permutations=400)
    assert found.errors.max() < 0.1 * np.abs(exact).max()
    assert np.all(np.abs(found.values - exact) < 4 * found.errors + 1e-5)
    assert found.values.sum() == pytest.approx(found.change, rel=1e-4, abs=1e-5)
    # Error bars are honest: of many short runs, about two in three come within one.
    runs = [
        lx.attribute(six, six_picture, "hidden", "green", "shapley", seed=s, permutations=32)
        for s in range(20)
    ]
    within = np.mean([np.abs(r.values - exact) < r.errors + 1e-6 for r in runs])
    assert 0.5 < within < 0.9


def test_without_biases_the_gradient_leaves_no_gap():
    """A network of ReLUs and max-pooling, piecewise linear and through zero, loses nothing."""
    import keras
    from keras import layers

    from tests.models.networks import randomized

    network = keras.Sequential(
        [
            keras.Input((12, 12, 3)),
            layers.Conv2D(6, 3, padding="same", activation="relu", name="one"),
            layers.MaxPooling2D(name="pool"),
            layers.Conv2D(8, 3, padding="same", activation="relu", use_bias=False, name="two"),
            layers.Flatten(name="flat"),
            layers.Dense(4, activation="softmax", use_bias=False, name="classes"),
        ]
    )
    model = lx.load_model(randomized(network))
    picture = np.random.default_rng(0).random((12, 12, 3)).astype(np.float32)
    for target in (2, ("two", "cells"), ("two", "channels")):
        for method in ("gradient", "path"):
            assert lx.attribute(model, picture, "one", target, method).gap.max() < 1e-3


def slow_smooth_pool_gradient(x, grad):
    """Of sum(grad * avg(x^2) / (1e-2 + avg|x|)) over windows of 2 x 2, one number at a time."""
    out = np.zeros(x.shape)
    for i, j, c in np.ndindex(grad.shape):
        window = x[2 * i : 2 * i + 2, 2 * j : 2 * j + 2, c].astype(np.float64)
        top, bottom = (window**2).mean(), 1e-2 + np.abs(window).mean()
        for di, dj in np.ndindex(2, 2):
            v = window[di, dj]
            slope = (2 * v / 4) / bottom - top * (np.sign(v) / 4) / bottom**2
            out[2 * i + di, 2 * j + dj, c] += grad[i, j, c] * slope
    return out


def test_smooth_max_pooling(chain, picture):
    """The part above the pooling by a tape, the pooling itself by hand."""
    found = lx.attribute(chain, picture, "first_relu", 2, "smooth_maxpool", "neurons").values
    acts = chain.activations(picture, "first_relu")
    pooled = acts.reshape(12, 2, 12, 2, 8).max((1, 3))
    (name,) = [node.name for node in chain.graph_def.node if node.op == "MaxPool"]
    function = chain.function(name, [chain.logits])
    with tf.GradientTape() as tape:
        x = tf.constant(pooled[None])
        tape.watch(x)
        value = function(x)[0][0, 2]
    above = tape.gradient(value, x).numpy()[0]
    close(found, acts * slow_smooth_pool_gradient(acts, above))
    # Of many targets at once too.
    many = lx.attribute(chain, picture, "first_relu", [0, 2], "smooth_maxpool", "neurons").values
    close(many[..., 1], found)
    hard = lx.attribute(chain, picture, "first_relu", 2, "gradient", "neurons").values
    assert np.count_nonzero(found) > 1.5 * np.count_nonzero(hard)


def test_random_is_noise_of_a_fair_size(chain, picture):
    ask = chain, picture, "first_relu", 2, "random"
    first, again, other = (lx.attribute(*ask, seed=s).values for s in (0, 0, 1))
    assert np.array_equal(first, again)
    assert abs(np.corrcoef(first.ravel(), other.ravel())[0, 1]) < 0.2
    change = lx.attribute(*ask).change
    assert first.std() == pytest.approx(abs(change) / first.size, rel=0.2)


@pytest.fixture
def examples(methods):
    """The methods in the docstring of `method`, as a reader would paste them."""
    import textwrap

    text = lx.attribution.method.__doc__
    code = textwrap.dedent(text[text.index("        import lucid_ext") : text.index("    Args:")])
    exec(code, {"np": np})
    return methods


@pytest.mark.usefixtures("examples")
def test_the_documented_examples(chain, picture):
    plain = lx.attribute(chain, picture, "first_relu", 2).values
    close(lx.attribute(chain, picture, "first_relu", 2, "smoothgrad", noise=0.0).values, plain)
    noisy = lx.attribute(chain, picture, "first_relu", 2, "smoothgrad", samples=64, noise=0.05).values
    assert np.corrcoef(noisy.ravel(), plain.ravel())[0, 1] > 0.8
    path = lx.attribute(chain, picture, "first_relu", 2, "path").values
    stochastic = lx.attribute(chain, picture, "first_relu", 2, "stochastic_path", steps=64).values
    assert np.corrcoef(stochastic.ravel(), path.ravel())[0, 1] > 0.8
    found = lx.attribution.compare(chain, picture, "first_relu", ("second", (3, 3)))
    assert {"smoothgrad", "stochastic_path"} < found.keys()
    assert {a.values.shape for a in found.values()} == {(24, 24)}


@pytest.mark.usefixtures("methods")
def test_what_a_method_of_ones_own_must_give(chain, picture):
    ask = chain, picture, "second", 2
    lx.attribution.method("short")(lambda problem: np.zeros(3))
    with pytest.raises(ValueError, match=r"'short' gave values of shape \(3,\); expected \(12, 12\)"):
        lx.attribute(*ask, "short")
    lx.attribution.method("odd")(lambda problem: problem.linear() * np.nan)
    with pytest.raises(ValueError, match="'odd' gave values that are not finite for class 2"):
        lx.attribute(*ask, "odd")
    with pytest.raises(ValueError, match=r"no method 'shapely'; expected one of gradient, path"):
        lx.attribute(*ask, "shapely")
    with pytest.raises(ValueError, match="'path' has no option 'step'; it takes steps, tolerance"):
        lx.attribute(*ask, "path", step=3)
    with pytest.raises(ValueError, match="permutations is 2; at least 4"):
        lx.attribute(*ask, "shapley", permutations=2)
