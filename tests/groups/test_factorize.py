"""Factorizations: against the published ones, and against what they say of themselves."""

import json

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment, nnls

import lucid_ext as lx
from lucid_ext.groups import METHODS, project

PUBLISHED_ERRORS = {("pig", 5): 0.6001, ("beer", 6): 0.5732}


@pytest.mark.parametrize("example", ["pig", "beer"])
def test_reproduces_the_published_factorizations(shared, example):
    """All five numbers of groups of each picture: the same groups, order, magnitude and error."""
    folder = shared / "reference" / example
    acts = np.load(folder / "mixed4d_activations.npy")[0]
    published = np.load(folder / "mixed4d_nmf.npy")[0]
    said = json.loads((folder / "groups.json").read_text())
    cells = acts.reshape(-1, acts.shape[-1])
    for i, count in enumerate(said["num_4d"]):
        theirs = published[i, :, :, :count].reshape(-1, count)
        groups = lx.factorize(acts, count)
        ours = groups.spatial.reshape(-1, count)
        cosine = (ours / np.linalg.norm(ours, axis=0)).T @ (theirs / np.linalg.norm(theirs, axis=0))
        rows, cols = linear_sum_assignment(-cosine)
        assert cosine[rows, cols].min() > 0.9999
        assert cols.tolist() == list(range(count))
        magnitude = [group["magnitude"] for group in said["data"][i]["mixed4d"]["each_group"]]
        np.testing.assert_allclose(groups.magnitude, magnitude, rtol=2e-4)
        # Their directions were not published: those that their maps leave least out with.
        best = np.stack([nnls(theirs, column)[0] for column in cells.T], 1)
        left_out = np.linalg.norm(cells - theirs @ best) / np.linalg.norm(cells)
        assert groups.error == pytest.approx(left_out, abs=5e-5)
        if (example, count) in PUBLISHED_ERRORS:
            assert groups.error == pytest.approx(PUBLISHED_ERRORS[example, count], abs=5e-5)


@pytest.fixture
def acts(rng):
    """Four groups of channels in a 6 x 8 picture."""
    return (rng.random((6, 8, 4)) @ rng.random((4, 20))).astype(np.float32)


@pytest.mark.parametrize("method", METHODS)
def test_error_is_what_the_sum_leaves_out(acts, method):
    for count in (2, 4):
        groups = lx.factorize(acts, count, method)
        rest = acts - groups.mean - groups.spatial @ groups.channels
        assert groups.error == pytest.approx(np.linalg.norm(rest) / np.linalg.norm(acts), rel=1e-4)
    assert groups.error < (0.3 if method == "kmeans" else 0.02)


@pytest.mark.parametrize("method", METHODS)
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


@pytest.mark.parametrize("method", METHODS)
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
        (
            np.ones((4, 4, 5)),
            {"n_groups": 2, "method": "svd"},
            "no method 'svd'; expected one of nmf",
        ),
        ([np.ones((4, 4, 5)), np.ones((3, 4, 6))], {}, "with 5 and 6 channels have no groups in common"),
        (
            [np.ones((4, 4, 5)), np.full((2, 2, 5), np.inf)],
            {},
            r"\(2, 2, 5\) in picture 1; expected fin",
        ),
        ([], {}, "pictures with no channels"),
    ],
)
def test_what_cannot_be_factorized(acts, options, what):
    with pytest.raises(ValueError, match=what):
        lx.factorize(acts, **options)


def test_groups_in_other_activations(acts, rng):
    """Against scikit-learn's own `transform`, and back to where they came from."""
    from sklearn.decomposition import NMF

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


def test_independent_components_are_fast_icas(acts):
    """Mixed from sources far from normal, which come back up to sign and order."""
    from sklearn.decomposition import FastICA

    groups = lx.factorize(acts, 3, "ica")
    cells = acts.reshape(-1, 20)
    model = FastICA(3, whiten="unit-variance", random_state=0, max_iter=500)
    sources = model.fit_transform((cells - cells.mean(0)).astype(float))
    rebuilt = sources @ model.mixing_.T + cells.mean(0)
    np.testing.assert_allclose(
        groups.mean + groups.spatial.reshape(-1, 3) @ groups.channels, rebuilt, atol=1e-3
    )
    skew = np.power(groups.spatial.reshape(-1, 3) - groups.spatial.mean((0, 1)), 3).sum(0)
    assert np.all(skew > 0)


def test_sources_that_are_independent_come_back(rng):
    sources = rng.exponential(size=(40, 40, 3))
    mixing = rng.standard_normal((3, 12))
    groups = lx.factorize(sources @ mixing, 3, "ica")
    cosine = np.abs(groups.channels @ (mixing / np.linalg.norm(mixing, axis=1)[:, None]).T)
    rows, cols = linear_sum_assignment(-cosine)
    assert cosine[rows, cols].min() > 0.98


def test_clusters_are_those_of_k_means(acts):
    from sklearn.cluster import KMeans

    groups = lx.factorize(acts, 3, "kmeans")
    cells = acts.reshape(-1, 20)
    theirs = KMeans(3, n_init=4, random_state=0).fit(cells)
    assert groups.error == pytest.approx(np.sqrt(theirs.inertia_) / np.linalg.norm(cells), rel=1e-4)
    assert np.all((groups.spatial > 0).sum(-1) == 1)
    acts[0, 0] = 0
    assert not lx.factorize(acts, 3, "kmeans").spatial[0, 0].any()


def test_signed_activations_share_directions(rng):
    """Where the same direction speaks for and against, one group has a map of both signs."""
    directions = np.eye(3, 12) + 0.1 * rng.random((3, 12))
    signed = rng.standard_normal((6, 8, 3)) @ directions * (rng.random((6, 8, 1)) > 0.3)
    signed = np.where(np.arange(8)[:, None] < 4, np.abs(signed), -np.abs(signed))
    groups = lx.factorize(signed, 3, "nmf_signed")
    assert groups.error < 0.15
    assert (groups.channels >= 0).all()
    assert (groups.spatial[:, :4] >= 0).all()
    assert (groups.spatial[:, 4:] <= 0).all()
    turned = lx.factorize(-signed, 3, "nmf_signed")
    assert turned.error == pytest.approx(groups.error, abs=0.02)
    # Without anything below zero it is NMF.
    positive = np.abs(signed)
    plain = lx.factorize(positive, 3)
    np.testing.assert_allclose(lx.factorize(positive, 3, "nmf_signed").spatial, plain.spatial, atol=0.05)


@pytest.mark.parametrize("method", METHODS)
def test_several_pictures_share_their_groups(acts, method):
    stacked = np.stack([acts, acts[:, ::-1], acts[::-1]])
    groups = lx.factorize(stacked, 3, method)
    assert groups.spatial.shape == (3, 6, 8, 3)
    assert groups.channels.shape == (3, 20)
    assert groups.several
    whole = np.sqrt(np.mean(np.square(groups.errors)))  # the pictures are equally long
    assert whole == pytest.approx(groups.error, rel=1e-4)
    np.testing.assert_allclose(groups.spatial[0], groups.spatial[1][:, ::-1], atol=2e-2)
    one = groups.image(2)
    assert not one.several
    rest = stacked[2] - one.mean - one.spatial @ one.channels
    assert one.error == pytest.approx(np.linalg.norm(rest) / np.linalg.norm(stacked[2]), rel=1e-4)
    if method != "pca":
        assert np.all(np.diff(groups.magnitude) <= 1e-5)
    with pytest.raises(ValueError, match="no picture 3 among the 3"):
        groups.image(3)


def test_pictures_of_different_sizes(acts):
    sizes = [acts, acts[:3], acts[:, :5]]
    groups = lx.factorize(sizes, 3)
    assert [s.shape for s in groups.spatial] == [(6, 8, 3), (3, 8, 3), (6, 5, 3)]
    together = np.concatenate([s.reshape(-1, 3) for s in groups.spatial])
    np.testing.assert_allclose(groups.magnitude, np.linalg.norm(together, axis=0), rtol=1e-5)
    assert groups.image(1).spatial.shape == (3, 8, 3)
    found = project(sizes, groups)
    for ours, again in zip(groups.spatial, found, strict=True):
        np.testing.assert_allclose(again, ours, atol=0.05)


def test_one_group_and_as_many_as_there_can_be(acts):
    assert lx.factorize(acts, 1).spatial.shape == (6, 8, 1)
    flat = np.ones((2, 3, 9), np.float32)
    for method in METHODS:  # six cells, rank one
        groups = lx.factorize(flat, 6, method)
        assert np.isfinite(groups.spatial).all()
        assert groups.error < 1e-3


@pytest.mark.parametrize("method", METHODS)
def test_projected_onto_their_own_groups(acts, method):
    signed = acts - acts.mean() if method in ("nmf_signed", "pca", "ica") else acts
    groups = lx.factorize(signed, 4, method)
    np.testing.assert_allclose(project(signed, groups), groups.spatial, atol=0.1)


def test_groups_of_several_pictures_are_no_atoms_of_one(model, cat):
    acts = model.activations(cat, "mixed5a")
    groups = lx.factorize(np.stack([acts, acts]), 3)
    with pytest.raises(ValueError, match=r"groups of 2 pictures.*groups.image\(i\)"):
        lx.attribute(model, cat, "mixed5a", "espresso", atoms=groups)
    found = lx.attribute(model, cat, "mixed5a", "espresso", atoms=groups.image(0))
    assert found.values.shape == (3,)


def test_both_signs_side_by_side(rng):
    """(A+, A-) ~ W (H+, H-), by scikit-learn itself."""
    from sklearn.decomposition import NMF

    acts = rng.normal(size=(6, 5, 12)).astype(np.float32)
    groups = lx.factorize(acts, 3, "nmf_both")
    cells = acts.reshape(-1, 12)
    sides = np.concatenate([np.maximum(cells, 0), np.maximum(-cells, 0)], 1)
    nmf = NMF(3, init="nndsvd", random_state=0, max_iter=1000)
    whole = nmf.fit_transform(sides) @ (nmf.components_[:, :12] - nmf.components_[:, 12:])
    np.testing.assert_allclose(groups.spatial.reshape(-1, 3) @ groups.channels, whole, atol=1e-3)
    assert groups.error == pytest.approx(np.linalg.norm(cells - whole) / np.linalg.norm(cells), abs=1e-3)
    assert groups.spatial.min() >= 0
    assert groups.channels.min() < 0 < groups.channels.max()
    np.testing.assert_allclose(np.linalg.norm(groups.channels, axis=1), 1, atol=1e-5)
    one = groups.channels[0].reshape(1, 1, -1)
    weights = project(2 * one, groups)
    np.testing.assert_allclose(weights @ groups.channels, 2 * one, atol=1e-2)


def test_of_what_is_not_negative_both_signs_are_nmf(acts):
    plain, both = (lx.factorize(acts, 3, method) for method in ("nmf", "nmf_both"))
    np.testing.assert_allclose(both.channels, plain.channels, atol=1e-3)
