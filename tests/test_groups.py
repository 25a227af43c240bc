"""Factorizations: against the published ones, and against what they say of themselves."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

import lucid_ext as lx


@pytest.mark.parametrize("example", ["pig", "beer"])
def test_reproduces_the_published_factorizations(shared, example):
    """All five numbers of groups of each picture: the same groups, in the same order."""
    import json

    folder = shared / "reference" / example
    acts = np.load(folder / "mixed4d_activations.npy")[0]
    published = np.load(folder / "mixed4d_nmf.npy")[0]
    counts = json.loads((folder / "groups.json").read_text())["num_4d"]
    for i, count in enumerate(counts):
        theirs = published[i, :, :, :count].reshape(-1, count)
        ours = lx.factorize(acts, count).spatial.reshape(-1, count)
        cosine = (ours / np.linalg.norm(ours, axis=0)).T @ (theirs / np.linalg.norm(theirs, axis=0))
        rows, cols = linear_sum_assignment(-cosine)
        assert cosine[rows, cols].min() > 0.9999
        assert cols.tolist() == list(range(count))


@pytest.fixture
def acts(rng):
    """Four groups of channels in a 6 x 8 picture."""
    return (rng.random((6, 8, 4)) @ rng.random((4, 20))).astype(np.float32)


@pytest.mark.parametrize("method", ["nmf", "pca"])
def test_error_is_what_the_sum_leaves_out(acts, method):
    for count in (2, 4):
        groups = lx.factorize(acts, count, method)
        rest = acts - groups.mean - groups.spatial @ groups.channels
        assert groups.error == pytest.approx(np.linalg.norm(rest) / np.linalg.norm(acts), rel=1e-4)
    assert groups.error < 0.02


@pytest.mark.parametrize("method", ["nmf", "pca"])
def test_directions_have_length_one(acts, method):
    groups = lx.factorize(acts, 3, method)
    assert groups.spatial.shape == (6, 8, 3)
    np.testing.assert_allclose(np.linalg.norm(groups.channels, axis=1), 1, atol=1e-5)


def test_groups_stand_from_left_to_right(acts):
    weight = lx.factorize(acts, 4).spatial ** 2
    x = (weight.sum(0) * np.arange(8)[:, None]).sum(0) / weight.sum((0, 1))
    assert np.all(np.diff(x) >= 0)


def test_lucids_channel_reducer_finds_the_same(acts):
    from lucid.misc.channel_reducer import ChannelReducer

    reducer = ChannelReducer(3, "NMF", init="nndsvd", random_state=0, max_iter=1000)
    theirs = reducer.fit_transform(acts)
    lengths = np.linalg.norm(reducer._reducer.components_, axis=1)
    groups = lx.factorize(acts, 3)
    np.testing.assert_allclose(groups.spatial, (theirs * lengths)[..., groups.order], rtol=1e-4, atol=1e-5)


def test_principal_components_are_the_singular_vectors(acts):
    cells = acts.reshape(-1, 20)
    _, s, v = np.linalg.svd(cells - cells.mean(0), full_matrices=False)
    groups = lx.factorize(acts, 3, "pca")
    np.testing.assert_allclose(np.abs(np.sum(groups.channels * v[:3], 1)), 1, atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(groups.spatial.reshape(-1, 3), axis=0), s[:3], rtol=1e-4)


@pytest.mark.parametrize("method", ["nmf", "pca"])
def test_activations_that_are_the_same_everywhere(method):
    for level in (0.0, 1.0):
        groups = lx.factorize(np.full((4, 4, 5), level, np.float32), 2, method)
        assert np.isfinite(groups.spatial).all()
        assert groups.error < 1e-3


@pytest.mark.parametrize(
    ("acts", "options", "what"),
    [
        (np.ones((4, 4)), {}, r"shape \(4, 4\); expected finite \(h, w, c\)"),
        (np.full((4, 4, 5), np.nan), {}, "expected finite"),
        (np.ones((2, 2, 5)), {"n_groups": 5}, "n_groups is 5; expected 1 to 4"),
        (np.ones((2, 2, 5)), {"n_groups": 0}, "expected 1 to 4"),
        (-np.ones((4, 4, 5)), {"n_groups": 2}, "below zero have no non-negative factorization"),
        (np.ones((4, 4, 5)), {"n_groups": 2, "method": "ica"}, "no method 'ica'; expected one of nmf, pca"),
    ],
)
def test_what_cannot_be_factorized(acts, options, what):
    with pytest.raises(ValueError, match=what):
        lx.factorize(acts, **options)


def test_groups_in_other_activations(acts, rng):
    """Against scikit-learn's own `transform`, and back to where they came from."""
    from sklearn.decomposition import NMF

    from lucid_ext.groups import project

    groups = lx.factorize(acts, 3)
    other = rng.random((3, 5, 20)).astype(np.float32)
    model = NMF(3, init="nndsvd", max_iter=2000, tol=1e-5)
    model.fit(acts.reshape(-1, 20))
    model.components_ = groups.channels.astype(np.float32)
    np.testing.assert_allclose(
        project(other, groups).reshape(-1, 3), model.transform(other.reshape(-1, 20)), atol=5e-3
    )
    components = lx.factorize(acts, 3, "pca")
    np.testing.assert_allclose(project(acts, components), components.spatial, atol=1e-4)
    with pytest.raises(ValueError, match="no share in groups of 20 channels"):
        project(other[..., :7], groups)
