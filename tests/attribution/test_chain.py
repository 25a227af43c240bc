"""Groups to groups to classes: against `attribute`, against slow loops, and against what was published."""

import json

import numpy as np
import pytest
from scipy.optimize import nnls

import lucid_ext as lx
from lucid_ext.attribution.alignment import align, split
from lucid_ext.attribution.chain import Chain
from tests.attribution.test_article import folder  # noqa: F401  a fixture
from tests.models.networks import functional, randomized

LAYERS, COUNTS = ["stem", "block1_out", "mixed"], (3, 4, 2)


@pytest.fixture(scope="module")
def made(residual, picture):
    return Chain(residual, picture, LAYERS, [1, 3])


@pytest.mark.parametrize("aligned", [False, True])
def test_values_are_those_of_attribute(residual, picture, made, aligned):
    groups = made.groups(COUNTS, aligned)
    targets = [(LAYERS[1], groups[1]), (LAYERS[2], groups[2]), [1, 3]]
    for i, (found, target) in enumerate(zip(made.influence(COUNTS, aligned), targets, strict=True)):
        for method, values in (("gradient", found.values), ("ablation", found.measured)):
            expected = lx.attribute(residual, picture, LAYERS[i], target, method, atoms=groups[i])
            most = np.abs(expected.values).max()
            np.testing.assert_allclose(values[:-1], expected.values, atol=1e-4 * most)
            np.testing.assert_allclose(found.scores, expected.score, rtol=1e-4)


def test_straight_to_the_classes(residual, picture, made):
    groups = made.groups(COUNTS)
    for layer, own, found in zip(LAYERS, groups, made.on_classes(COUNTS), strict=True):
        for method, values in (("gradient", found.values), ("ablation", found.measured)):
            expected = lx.attribute(residual, picture, layer, [1, 3], method, atoms=own).values
            np.testing.assert_allclose(values[:-1], expected, atol=1e-4 * np.abs(expected).max())


def test_groups_and_rest_make_up_the_whole(residual, picture, made):
    """Links into a score sum to the attribution of the whole layer; all of it removed is its change."""
    for layer, found in zip(LAYERS, made.on_classes(COUNTS), strict=True):
        whole = lx.attribute(residual, picture, layer, [1, 3], atoms="layer")
        np.testing.assert_allclose(found.values.sum(0), whole.values, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(found.change, whole.change, rtol=1e-4, atol=1e-5)


def test_removing_is_a_forward_pass(residual, made):
    """Of group 1 and of the rest, by hand."""
    own, later = made.groups(COUNTS)[:2]
    run = residual.function(LAYERS[0], [LAYERS[1]])
    part = np.multiply.outer(own.spatial[..., 1], own.channels[1])
    rest = made.acts[0] - own.spatial @ own.channels
    found = made.influence(COUNTS)[0].measured
    for j in range(COUNTS[1]):
        way = np.multiply.outer(later.spatial[..., j], later.channels[j])
        score = lambda acts, way=way: float((run(acts[None])[0].numpy()[0] * way).sum() / np.linalg.norm(way))  # noqa: E731
        for row, removed in ((1, part), (COUNTS[0], rest)):
            expected = score(made.acts[0]) - score(made.acts[0] - removed)
            assert found[row, j] == pytest.approx(expected, rel=1e-3, abs=1e-3)


def slowly_split(acts, evidence):
    """One activation after the other."""
    found = np.zeros(evidence.shape)
    for index in np.ndindex(acts.shape):
        positive = [max(0.0, float(e)) for e in evidence[index]]
        for j, e in enumerate(positive):
            share = e / sum(positive) if sum(positive) > 0 else 1 / len(positive)
            found[(*index, j)] = acts[index] * share
    return found


def test_splitting_is_what_the_formula_says(rng):
    acts = rng.random((3, 4, 5)).astype(np.float32)
    evidence = rng.normal(size=(3, 4, 5, 3)).astype(np.float32)
    evidence[0, 0] = -1  # speaks for none
    found = split(acts, evidence)
    np.testing.assert_allclose(found, slowly_split(acts, evidence), atol=1e-6)
    np.testing.assert_allclose(found.sum(-1), acts, rtol=1e-5)


def test_aligning_is_factorizing_the_wide_matrix_and_adding_up(rng):
    from sklearn.decomposition import NMF

    acts = rng.random((4, 5, 6)).astype(np.float32)
    evidence = rng.normal(size=(4, 5, 6, 3)).astype(np.float32)
    wide = slowly_split(acts, evidence).reshape(20, 18).astype(np.float32)
    model = NMF(2, init="nndsvd", random_state=0, max_iter=1000)
    W = model.fit_transform(wide)
    H = sum(model.components_.reshape(2, 6, 3)[..., j] for j in range(3))
    found = align(acts, evidence, 2)
    np.testing.assert_allclose(np.linalg.norm(found.channels, axis=1), 1, rtol=1e-5)
    fit = found.spatial.reshape(20, 2) @ found.channels
    np.testing.assert_allclose(fit, W @ H, atol=1e-3)
    assert found.error == pytest.approx(np.linalg.norm(acts.reshape(20, 6) - fit) / np.linalg.norm(acts))


def test_a_channel_that_leads_to_two_groups_comes_apart(rng):
    """On the left it leads to later group 0, on the right to 1."""
    acts = np.repeat(rng.random((4, 6, 1)), 3, axis=-1).astype(np.float32)
    evidence = np.zeros((4, 6, 3, 2), np.float32)
    evidence[:, :3, :, 0] = evidence[:, 3:, :, 1] = 1
    left, right = np.moveaxis(align(acts, evidence, 2).spatial, -1, 0)
    assert left[:, :3].min() > 100 * left[:, 3:].max()
    assert right[:, 3:].min() > 100 * right[:, :3].max()
    assert lx.factorize(acts, 1).error < 1e-3  # all the same to a plain factorization


def purity(links):
    """The share of an earlier group's positive influence that goes to one later group, on average."""
    positive = np.maximum(links, 0)
    return float((positive.max(1) / positive.sum(1)).mean())


def test_aligned_groups_lead_to_fewer(model, cat):
    made = Chain(model, cat, ["mixed4a", "mixed4d"], [0])
    plain, aligned = (made.influence((4, 4), a)[0].values[:-1] for a in (False, True))
    assert purity(aligned) > purity(plain)


def test_published_alignment_has_the_same_marks(folder):  # noqa: F811
    """What can be seen of it without the activations of mixed4a, which were not published.

    The later layer keeps its plain factorization and its links to the classes, and earlier groups
    lead to fewer of the later ones.
    """
    published = json.loads((folder / "groups.json").read_text())
    spatial = np.load(folder / "mixed4d_nmf.npy")
    half = len(published["data"]) // 2
    np.testing.assert_allclose(spatial[1], spatial[0], rtol=1e-3, atol=1e-3 * spatial.max())
    gain = []
    for plain, aligned in zip(published["data"][:half], published["data"][half:], strict=True):
        for c, entry in plain["output"].items():
            theirs = aligned["output"][c]["attribution"]["mixed4d"]
            np.testing.assert_allclose(theirs, entry["attribution"]["mixed4d"], atol=0.06)  # refitted
        tables = [
            np.array([group["attribution"]["mixed4a"] for group in entry["mixed4d"]["each_group"]]).T
            for entry in (plain, aligned)
        ]
        gain.append(purity(tables[1]) - purity(tables[0]))
    assert np.mean(gain) > 0
    assert np.mean(np.array(gain) > 0) > 0.6


def test_refused(residual, chain, picture, made):
    with pytest.raises(ValueError, match=r"n_groups of block1_out is 1; one group is the whole .* 2 to 8"):
        made.groups((3, 1, 2))
    with pytest.raises(ValueError, match=r"n_groups of mixed is 13; .* no more than 12 dimensions"):
        made.groups((3, 4, 13))
    with pytest.raises(
        ValueError, match=r"layers mixed, stem do not follow one another in .*, as stem, mixed"
    ):
        Chain(residual, picture, ["mixed", "stem"], [0])
    with pytest.raises(ValueError, match=r"layers mixed, mixed do not follow one another .* give each once"):
        Chain(residual, picture, ["mixed", "mixed"], [0])
    with pytest.raises(ValueError, match="tower1 is no listed layer with positions; expected one of stem"):
        Chain(residual, picture, ["stem", "tower1"], [0])
    with pytest.raises(ValueError, match=r"third of .* has values below zero, so it falls into no groups"):
        Chain(chain, picture, ["third"], [0])
    with pytest.raises(ValueError, match=r"stem of .* has no response to this image"):
        Chain(lx.load_model(silent()), picture, ["stem"], [0])


def silent():
    """A network whose first convolution never fires."""
    network = randomized(functional())
    network.get_layer("stem").kernel.assign(np.zeros((3, 3, 3, 8), np.float32))
    network.get_layer("stem").bias.assign(np.full(8, -1, np.float32))
    return network


def test_weights_of_a_split_layer_are_found_by_hand(residual, picture, made):
    """The later groups' evidence is the gradient of their score times the activation."""
    groups = made.groups(COUNTS, aligned=True)
    evidence = lx.attribute(residual, picture, "block1_out", ("mixed", groups[2]), atoms="neurons").values
    expected = align(made.acts[1], evidence, COUNTS[1])
    np.testing.assert_allclose(groups[1].channels, expected.channels, atol=1e-3)
    fitted = np.array([nnls(expected.channels.T, cell)[1] for cell in made.acts[1].reshape(-1, 8)])
    assert np.linalg.norm(fitted) <= groups[1].error * np.linalg.norm(made.acts[1]) + 1e-4
