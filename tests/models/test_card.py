"""A network written as graph and card is the same network for whoever reads it."""

import numpy as np
import pytest

import lucid_ext as lx
from lucid_ext.models import card
from tests.models import networks


@pytest.fixture(scope="module")
def keras_model():
    made = networks.randomized(networks.functional())
    return lx.load_model(made, labels=["a, with a comma", "b", "c", "d", "e"], preprocess=(-1, 1))


def assert_same(found, expected, image):
    assert found.digest == expected.digest
    assert found.labels == expected.labels
    assert found.size == expected.size
    assert list(found.layers.items()) == list(expected.layers.items())
    assert (found.logits, found.softmax) == (expected.logits, expected.softmax)
    for a, b in zip(found.value_range, expected.value_range, strict=True):
        assert np.array_equal(a, b)
    for layer in expected.layers:
        assert np.array_equal(found.activations(image, layer), expected.activations(image, layer))


def test_a_keras_model(keras_model, tmp_path, rng):
    card.save(keras_model, tmp_path / "net.pb")
    found = lx.load_model(tmp_path / "net.pb")
    assert_same(found, keras_model, rng.random((24, 24, 3), dtype=np.float32))


def test_the_embedded_network(model, tmp_path, cat):
    card.save(model, tmp_path / "net.pb")
    assert_same(lx.load_model(tmp_path / "net.pb"), model, cat)


def test_a_range_of_its_own_for_each_colour(model, tmp_path, cat):
    low = np.array([-123.68, -116.779, -103.939], np.float32)
    coloured = lx.VisionModel(
        model.graph_def, labels=[], size=(112, 112), value_range=(low, low + np.float32(255)), name="coloured"
    )
    card.save(coloured, tmp_path / "net.pb")
    assert_same(lx.load_model(tmp_path / "net.pb"), coloured, cat)


def test_kept_once_by_digest_and_written_anew_if_damaged(keras_model, tmp_path, monkeypatch):
    monkeypatch.setenv("LUCID_EXT_CACHE", str(tmp_path))
    path = card.kept(keras_model)
    assert path.name == f"{keras_model.digest}.pb"
    written = path.stat().st_mtime_ns
    assert card.kept(keras_model).stat().st_mtime_ns == written
    path.write_bytes(path.read_bytes()[:-10])
    assert card.load(card.kept(keras_model)).digest == keras_model.digest
    path.with_suffix(".json").unlink()
    assert card.load(card.kept(keras_model)).digest == keras_model.digest


def test_nowhere_to_keep_it(keras_model, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder can be made here")
    monkeypatch.setenv("LUCID_EXT_CACHE", str(tmp_path / "file"))
    with pytest.raises(ValueError, match=r"functional cannot be written to .* set LUCID_EXT_CACHE"):
        card.kept(keras_model)
