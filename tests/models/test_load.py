import json
import os
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


REFUSED = r"net\.pb is damaged or is not the network its card net\.json describes"


def test_truncated_weights(files):
    files.write_bytes(files.read_bytes()[:-5000])
    with pytest.raises(ValueError, match=REFUSED):
        lx.load_model(files)


def test_one_flipped_bit(files):
    data = bytearray(files.read_bytes())
    data[len(data) // 2] ^= 1
    files.write_bytes(data)
    with pytest.raises(ValueError, match=REFUSED):
        lx.load_model(files)


def test_swapped_weights(files, model):
    """Another network, sound in itself, under this card's name."""
    other = model.graph_def.FromString(model.graph_def.SerializeToString())
    weight = next(n for n in other.node if n.name == "softmax2_b/stored").attr["value"].tensor
    weight.tensor_content = bytes(len(weight.tensor_content))
    files.write_bytes(other.SerializeToString(deterministic=True))
    with pytest.raises(ValueError, match=REFUSED):
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


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("~no-such-user/net.pb", "'~no-such-user/net.pb' is no path"),
        ("x" * 5000, r"'x{79} is no path \(File name too long\)"),
        ("net\0.pb", r"'net\\x00.pb' is no path"),
        ("", r"\. is no SavedModel: give the folder that has saved_model.pb in it"),
        ("/dev/null", "there is no file /dev/null"),
        (b"net.pb", "cannot load a bytes"),
        (None, "cannot load a NoneType; expected a name, a path, a keras.Model"),
        (3.5, "cannot load a float"),
        (["mini"], "cannot load a list"),
    ],
)
def test_what_is_no_source(source, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        lx.load_model(source)


@pytest.mark.parametrize("name", ["net.pb", "net.json", "net.keras", "folder/saved_model.pb"])
def test_a_pipe_nobody_writes_to(files, name):
    path = files.parent / name
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    source = {"net.json": files, "folder/saved_model.pb": path.parent}.get(name, path)
    with pytest.raises(ValueError, match=r"there is no file|is not InceptionV1|is no SavedModel"):
        lx.load_model(source)


def test_an_empty_file(tmp_path):
    (tmp_path / "net.pb").write_bytes(b"")
    with pytest.raises(ValueError, match=r"net\.pb holds no graph \(0 bytes\)"):
        lx.load_model(tmp_path / "net.pb")


def test_a_file_larger_than_a_graph_can_be(files):
    os.truncate(files, 2**31)  # the rest is a hole
    with pytest.raises(ValueError, match=r"net\.pb has 2,147,483,648 bytes; expected at most 2,147,483,647"):
        lx.load_model(files)


@pytest.fixture(scope="module")
def card():
    return json.loads((ASSETS / "mini.json").read_text())


def test_activations_are_those_of_the_network_that_was_trained(model, card):
    """The card's values were computed by Keras, from the same weights, where it was trained."""
    levels = np.random.default_rng(0).integers(0, 256, (112, 112, 3)).astype(np.float32)
    found = model.activations(levels / 255.0, list(card["check"]))
    for layer, expected in card["check"].items():
        acts = found[layer]
        assert list(acts.shape) == expected["shape"]
        np.testing.assert_allclose(acts.mean(), expected["mean"], rtol=1e-4, atol=1e-5, err_msg=layer)
        np.testing.assert_allclose(np.linalg.norm(acts), expected["l2"], rtol=1e-5, err_msg=layer)
        np.testing.assert_allclose(acts.ravel()[:4], expected["first"], atol=1e-4, err_msg=layer)


def test_accuracy_is_what_the_card_says(model, card, shared):
    """Measured again, on every tenth validation image."""
    import tarfile

    ranks = []
    names = [wordnet for wordnet, _ in card["classes"]]
    with tarfile.open(shared / "tiny-imagenet" / "val.tar") as tar:
        members = sorted((m for m in tar.getmembers() if m.isfile()), key=lambda m: m.name)[::10]
        for member in members:
            image = lx.load_image(tar.extractfile(member).read())
            logits = model.activations(image, model.logits)
            ranks.append(int((logits > logits[names.index(member.name.split("/")[-2])]).sum()))
    top1, top5 = (np.mean(np.array(ranks) < k) for k in (1, 5))
    # 500 images: two standard errors are 4.5 points.
    assert abs(top1 - card["accuracy"]["top1"]) < 0.045
    assert abs(top5 - card["accuracy"]["top5"]) < 0.045
