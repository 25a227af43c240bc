import json
import shutil

import numpy as np
import pytest

import lucid_ext as lx
from lucid_ext.models.load import ASSETS


@pytest.fixture
def files(tmp_path):
    for suffix in (".pb", ".json"):
        shutil.copy(ASSETS / f"mini{suffix}", tmp_path / f"net{suffix}")
    return tmp_path / "net.pb"


def test_a_graph_given_by_path_is_the_same_network(model, cat, files):
    other = lx.load_model(files)
    assert other.digest == model.digest
    assert other.name == "net"
    assert np.array_equal(other.activations(cat, "mixed5a"), model.activations(cat, "mixed5a"))


def test_truncated_weights(files):
    files.write_bytes(files.read_bytes()[:-5000])
    with pytest.raises(ValueError, match=r"net\.pb"):
        lx.load_model(files)


def test_swapped_weights(files):
    """Another graph under this card's name."""
    data = bytearray(files.read_bytes())
    data[len(data) // 2] ^= 1
    files.write_bytes(data)
    with pytest.raises(ValueError, match=r"is not the network its card net\.json describes"):
        lx.load_model(files)


@pytest.mark.parametrize("damage", [lambda text: text[:50], lambda text: "{}", lambda text: "[]"])
def test_damaged_card(files, damage):
    card = files.with_suffix(".json")
    card.write_text(damage(card.read_text()))
    with pytest.raises(ValueError, match=r"net\.json is not the card of a network"):
        lx.load_model(files)


def test_missing_file(tmp_path):
    with pytest.raises(ValueError, match=r"there is no file .*nowhere\.pb"):
        lx.load_model(tmp_path / "nowhere.pb")


def test_card_says_how_good_the_network_is():
    accuracy = json.loads((ASSETS / "mini.json").read_text())["accuracy"]
    assert accuracy["images"] >= 5000
    assert 0.3 < accuracy["top1"] < accuracy["top5"] < 1
