"""Groups found again, and how many to look for."""

import numpy as np
import pytest

import lucid_ext as lx
from lucid_ext.groups import METHODS
from lucid_ext.groups.stability import COUNTS, STABLE, elbow, errors, matched, stability, suggest


@pytest.fixture
def parts(rng):
    """Three groups that share no channel, each at places of its own, in a 10 x 12 picture."""
    where = np.zeros((10, 12, 3), np.float32)
    for j in range(3):
        where[:, 4 * j : 4 * j + 4, j] = 0.5 + rng.random((10, 4))
    what = np.zeros((3, 24), np.float32)
    for j in range(3):
        what[j, 8 * j : 8 * j + 8] = 0.5 + rng.random(8)
    return where @ what


@pytest.mark.parametrize("method", METHODS)
def test_parts_that_are_there_come_back(parts, method):
    count = 2 if method in ("pca", "ica") else 3  # three parts lie in a plane about their mean
    found = stability(parts, count, method)
    assert found.cosines.shape == (7, count)
    assert np.all((found.cosines >= 0) & (found.cosines <= 1 + 1e-6))
    if method != "ica":
        assert found.mean.min() > 0.95
        assert not found.unstable.any()
        assert found.spread.max() < 0.1


def test_what_is_not_there_does_not_come_back(rng):
    """Groups of noise depend on the start and on the cells."""
    noise = np.maximum(rng.standard_normal((10, 12, 24)), 0).astype(np.float32)
    found = stability(noise, 6)
    assert found.unstable.any()
    assert found.mean.mean() < 0.9


def test_matched_one_to_one_against_every_assignment(rng):
    """The best of all permutations, one by one."""
    import itertools

    own, other = (m / np.linalg.norm(m, axis=1)[:, None] for m in rng.random((2, 4, 7)))
    best = max(
        itertools.permutations(range(4)), key=lambda p: sum(own[i] @ other[j] for i, j in enumerate(p))
    )
    np.testing.assert_allclose(
        matched(own, other), [own[i] @ other[j] for i, j in enumerate(best)], rtol=1e-5
    )
    assert matched(own, other[:2]).min() == 0
    np.testing.assert_allclose(matched(own, -own, "pca"), 1, rtol=1e-5)


def test_several_pictures_are_drawn_whole(parts):
    found = stability([parts, parts[:5], parts[:, :9]], 3, seeds=1, bootstraps=3)
    assert found.cosines.shape == (4, 3)
    # Without its last picture's places a part is still found: two pictures have it.
    assert found.mean.min() > 0.8


def test_the_error_falls_with_more_groups(parts):
    found = errors(parts, [1, 2, 3, 4])
    assert found.dtype == np.float32
    assert np.all(np.diff(found) < 0)
    assert found[2] == pytest.approx(lx.factorize(parts, 3).error)


def test_the_number_of_parts_is_suggested(parts):
    found = suggest(parts, range(1, 9))
    assert found.n_groups == found.elbow == 3
    assert found.ks.tolist() == list(range(1, 9))
    assert found.stability[2] >= STABLE
    assert np.isnan(found.stability[3:]).all()
    for k, refits in found.refits.items():  # with factorizations that are there already it is the same
        own = stability(parts, k, seeds=2, bootstraps=2)
        np.testing.assert_allclose(np.sort(refits.mean), np.sort(own.mean), atol=1e-6)
    again = suggest(parts, range(1, 9), groups={k: lx.factorize(parts, k) for k in (2, 3)})
    np.testing.assert_allclose(again.errors, found.errors, atol=1e-6)
    np.testing.assert_allclose(again.stability, found.stability, atol=1e-6)
    assert f"at least {STABLE}" in found.rule


def test_numbers_too_large_are_left_out(parts):
    assert suggest(parts[:2, :2], COUNTS).ks.tolist() == [2, 3, 4]
    with pytest.raises(ValueError, match="none of the numbers of groups"):
        suggest(parts[:1, :1], [2, 3])


def test_the_elbow_is_where_a_curve_bends():
    assert elbow(np.arange(5), np.array([1, 0.5, 0.1, 0.05, 0.0])) == 2
    assert elbow(np.array([2, 3]), np.array([1, 0.5])) == 0


def test_no_refits_say_nothing(parts):
    with pytest.raises(ValueError, match="no refits"):
        stability(parts, 3, seeds=0, bootstraps=0)
