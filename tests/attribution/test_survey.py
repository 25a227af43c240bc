"""The survey of layer pairs, against removing cells one by one."""

import numpy as np
import pytest
from scipy.stats import spearmanr

import lucid_ext as lx


@pytest.fixture(scope="module")
def found(chain, picture):
    images = [picture, picture[::-1]]
    return lx.attribution.survey(
        chain, images, ["first_relu", "second", "third"], ("gradient",), removed=1000
    )


def test_agreement_is_that_of_a_loop(chain, picture, found):
    acts = {name: chain.activations(picture, name) for name in ("first_relu", "second")}
    y, x = np.unravel_index(np.linalg.norm(acts["second"], axis=-1).argmax(), (12, 12))
    values = lx.attribute(chain, picture, "first_relu", ("second", (y, x))).values
    run = chain.function("first_relu", ["second"])
    score = np.linalg.norm(acts["second"][y, x])
    effects = np.zeros((24, 24))
    for i, j in np.ndindex(24, 24):
        without = acts["first_relu"].copy()
        without[i, j] = 0
        effects[i, j] = score - np.linalg.norm(run(without[None])[0].numpy()[0, y, x])
    rows, columns = chain.dependencies("first_relu", "second")
    seen = np.ix_(rows[y], columns[x])  # elsewhere nothing can happen
    outside = effects.copy()
    outside[seen] = 0
    assert np.abs(outside).max() < 1e-4
    expected = spearmanr(values[seen].ravel(), effects[seen].ravel()).statistic
    assert found.spearman[0, 0, 0, 1] == pytest.approx(expected, abs=0.02)


def test_a_method_has_its_quick_options_or_those_given(chain, picture):
    layers, acts = ["second", "third"], chain.activations(picture, "third")
    y, x = np.unravel_index(np.linalg.norm(acts, axis=-1).argmax(), acts.shape[:2])
    ask = chain, picture, "second", ("third", (int(y), int(x))), "path"
    for given, own in ((None, lx.attribution.METHODS["path"].quick), ({"path": {"steps": 2}}, {"steps": 2})):
        made = lx.attribution.survey(chain, [picture], layers, ["path"], options=given)
        assert made.gap[0, 0, 0, 1] == pytest.approx(float(lx.attribute(*ask, **own).gap), abs=1e-6)
    with pytest.raises(ValueError, match="'path' has no option 'step'"):
        lx.attribution.survey(chain, [picture], layers, ["path"], options={"path": {"step": 2}})


def test_only_later_layers_are_targets(found):
    assert found.spearman.shape == (2, 1, 3, 4)
    known = np.isfinite(found.spearman[:, 0])
    assert np.array_equal(known, np.broadcast_to(np.triu(np.ones((3, 4), bool), 1), known.shape))
    assert found.median()[0, 2] == pytest.approx(np.median(found.spearman[:, 0, 0, 2]))


def test_numbers_are_gathered_by_distance(found):
    apart = found.by_distance()
    assert {distance: numbers.shape for distance, numbers in apart.items()} == {1: (1, 4), 2: (1, 2)}
    assert sorted(apart[2][0]) == sorted(found.spearman[:, 0, 0, 2])
    assert list(found.by_distance(to_class=True)) == [1, 2, 3]


def test_nothing_to_survey_is_refused(chain, picture):
    with pytest.raises(ValueError, match="there is no picture to survey"):
        lx.attribution.survey(chain, [], ["second", "third"])
    with pytest.raises(ValueError, match="no layer 'fourth'"):
        lx.attribution.survey(chain, [picture], ["second", "fourth"])
