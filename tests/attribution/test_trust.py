"""Trust, against sums done by hand and by SciPy."""

import numpy as np
import pytest
from scipy.stats import spearmanr

import lucid_ext as lx
from lucid_ext.attribution.gap import completeness_gap
from lucid_ext.attribution.trust import shuffled_weights


def test_gap_by_hand():
    values = np.array([[2.0, 1.0, 0.0], [1.0, -1.0, 0.0]])  # two atoms, three targets
    assert completeness_gap(values, np.array([2.0, 0.0, 0.0])) == pytest.approx([0.5, 0.0, 0.0])
    # A target that hardly changes is measured against what was moved about.
    assert completeness_gap(values + 1, np.array([0.0, 1e-9, 2.0]))[1] == pytest.approx(2 / 0.02)


def test_agreement_is_scipys(rng):
    a, b = rng.standard_normal((2, 5, 6, 3)).round(1)  # with ties
    found = lx.attribution.agree(a, b, targets=1, top=10)
    for i in range(3):
        x, y = a[..., i].ravel(), b[..., i].ravel()
        assert found.spearman[i] == pytest.approx(spearmanr(x, y).statistic, abs=1e-6)
        assert found.signs[i] == pytest.approx(np.mean(np.sign(x) == np.sign(y)))
    alike = lx.attribution.agree(a, 2 * a, targets=1)
    assert (alike.spearman == pytest.approx(1), alike.signs.min(), alike.top.min()) == (True, 1, 1)
    assert lx.attribution.agree(a, -a).spearman == pytest.approx(-1)
    assert np.isnan(lx.attribution.agree(a, 0 * a).spearman)
    with pytest.raises(ValueError, match="cannot be compared"):
        lx.attribution.agree(a, b[:2])


def test_what_is_cheap_comes_by_default_and_the_rest_when_asked(chain, picture):
    found = lx.attribute(chain, picture, "second", [0, 2])
    cheap = found.trust()
    ablation = lx.attribute(chain, picture, "second", [0, 2], "ablation")
    np.testing.assert_allclose(cheap.measured, ablation.values, atol=1e-6)
    assert cheap.spearman.shape == cheap.signs.shape == (2,)
    assert cheap.spearman[1] == pytest.approx(
        spearmanr(found.values[..., 1].ravel(), ablation.values[..., 1].ravel()).statistic, abs=1e-5
    )
    assert (cheap.insertion, cheap.randomized, cheap.methods) == (None, None, {})
    assert found.trust(measured=False).spearman is None
    assert np.array_equal(cheap.gap, found.gap)
    assert lx.attribute(chain, picture, "second", 2, "ablation").trust().spearman == pytest.approx(1)


def test_curves(chain, picture):
    """Both begin and end where they must, and go the way the order says."""
    found = lx.attribute(chain, picture, "second", [0, 2], "ablation")
    trust = found.trust(measured=False, curves=True)
    assert trust.insertion.shape == trust.deletion.shape == (21, 2)
    assert trust.fractions[[0, -1]].tolist() == [0, 1]
    without = found.score - found.change
    for curve, first, last in (
        (trust.insertion, without, found.score),
        (trust.deletion, found.score, without),
    ):
        np.testing.assert_allclose(curve[0], first, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(curve[-1], last, rtol=1e-4, atol=1e-5)
    kept = round(trust.fractions[5] * 144)
    acts = chain.activations(picture, "second")
    strongest = np.argsort(-found.values[..., 1].ravel(), kind="stable")[:kept]
    mask = np.zeros(144, np.float32)
    mask[strongest] = 1
    both = np.stack([acts * mask.reshape(12, 12, 1), acts * (1 - mask).reshape(12, 12, 1)])
    expected = chain.function("second", [chain.logits])(both)[0].numpy()[:, 2]
    np.testing.assert_allclose([trust.insertion[5, 1], trust.deletion[5, 1]], expected, rtol=1e-4, atol=1e-5)
    # Removing what speaks for a class most leaves less than removing cells at random.
    noise = lx.attribute(chain, picture, "second", [0, 2], "random").trust(measured=False, curves=True)
    assert trust.deletion[1:-1].sum() < noise.deletion[1:-1].sum()


def test_randomized_weights(chain, picture):
    found = lx.attribute(chain, picture, "first_relu", 2)
    trust = found.trust(measured=False, randomized=True)
    assert trust.randomized.spearman < 0.7
    # By hand: a network whose weights above the layer are those.
    problem = found.problem
    weights = shuffled_weights(problem)
    own = chain.weights("first_relu", chain.logits)
    assert weights.keys() == own.keys()
    assert all(np.array_equal(np.sort(w, None), np.sort(own[n].numpy(), None)) for n, w in weights.items())
    import tensorflow as tf

    acts = problem.activations

    @tf.function
    def gradient(x):
        (logits,) = chain.splice({"first_relu": x, **weights}, [chain.logits])
        return tf.gradients(logits[0, 2], x)[0]

    expected = (gradient(tf.constant(acts[None]))[0] * acts).numpy().sum(-1)
    other = lx.attribution.agree(found.values, expected)
    assert trust.randomized.spearman == pytest.approx(float(other.spearman), abs=1e-4)
    # The network itself is as it was.
    assert np.array_equal(lx.attribute(chain, picture, "first_relu", 2).values, found.values)


def test_other_methods(chain, picture):
    found = lx.attribute(chain, picture, "first_relu", ("second", (3, 3)), "path")
    trust = found.trust(measured=False, methods=["gradient", "random"])
    gradient = lx.attribute(chain, picture, "first_relu", ("second", (3, 3)))
    expected = spearmanr(found.values.ravel(), gradient.values.ravel()).statistic
    assert trust.methods["gradient"].spearman == pytest.approx(expected, abs=1e-5)
    assert abs(trust.methods["random"].spearman) < trust.methods["gradient"].spearman
    assert found.trust(measured=False, methods=True).methods.keys() == lx.attribution.METHODS.keys() - {
        "path"
    }
