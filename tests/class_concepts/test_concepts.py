"""Concepts of a class: attribution and ablation against NumPy, who shares what, and what cannot be used."""

import numpy as np
import pytest
from PIL import Image

import lucid_ext as lx
from lucid_ext.class_concepts.concepts import AS_OFTEN, OCCURS, OWN, PARTLY, SHARED, find_concepts
from lucid_ext.class_concepts.names import guesses
from lucid_ext.groups.stability import STABLE
from tests.models.networks import randomized

LAYER = "mixed4d"


def crops(name):
    """The ten stated crops of one sample."""
    photographs = lx.Photographs()
    return [photographs[i] for i, origin in enumerate(photographs.origins) if origin == name]


@pytest.fixture(scope="module")
def found(model):
    return find_concepts(model, crops("cat"), LAYER, n_groups=4, other=crops("coffee"), progress=False)


@pytest.fixture(scope="module")
def small():
    """A layer of 24 cells of four channels under two dense layers, and the numbers of those."""
    import keras
    from keras import layers

    network = randomized(
        keras.Sequential(
            [
                keras.Input((8, 12, 3)),
                layers.Conv2D(4, 3, strides=2, padding="same", activation="relu", name="hidden"),
                layers.Flatten(name="flat"),
                layers.Dense(8, activation="relu", name="mixing"),
                layers.Dense(3, activation="softmax", name="classes"),
            ]
        )
    )
    above = [np.float64(w) for name in ("mixing", "classes") for w in network.get_layer(name).get_weights()]
    return lx.load_model(network, labels=["red", "green", "blue"]), above


@pytest.fixture(scope="module")
def in_small(small):
    rng = np.random.default_rng(3)
    sizes = [(16, 24), (32, 48), (30, 20), (18, 40), (16, 24)]  # each cropped to the network's shape
    images = [rng.random((*size, 3)).astype(np.float32) for size in sizes]
    network, _ = small
    layer = next(name for name, shape in network.layers.items() if shape == (4, 6, 4))
    return find_concepts(network, images, layer, "blue", n_groups=3, progress=False), images, layer


def test_attribution_and_ablation_are_the_formulas_in_numpy(small, in_small):
    network, (first, first_bias, second, second_bias) = small
    found, images, layer = in_small

    def logits(acts):
        return np.maximum(acts.ravel() @ first + first_bias, 0) @ second + second_bias

    assert found.attribution.shape == (5, 3)
    assert found.ablation.shape == (5, 3, 3)
    for n, image in enumerate(images):
        acts = network.activations(image, layer).astype(np.float64)
        alive = acts.ravel() @ first + first_bias > 0
        gradient = (first * alive @ second[:, 2]).reshape(acts.shape)
        for j in range(3):
            part = np.zeros(acts.shape)
            for y in range(4):
                for x in range(6):
                    part[y, x] = found.groups.spatial[n, y, x, j] * found.groups.channels[j]
            assert np.isclose(found.attribution[n, j], (gradient * part).sum(), rtol=1e-4, atol=1e-5)
            expected = logits(acts) - logits(acts - part)
            np.testing.assert_allclose(found.ablation[n, j], expected, rtol=1e-4, atol=1e-5)


def test_they_are_what_attribute_says_of_each_picture(model, found):
    images = crops("cat")
    for n in (0, 7):
        groups = found.groups.image(n)
        for method, own in (("gradient", found.attribution), ("ablation", found.ablation[..., found.target])):
            said = lx.attribute(model, images[n], LAYER, found.target, method, atoms=groups).values
            np.testing.assert_allclose(own[n], said, rtol=1e-3, atol=1e-4)


def test_the_class_is_the_one_predicted_most_often(model, found):
    first = [model.predict(image, 1)[0][0] for image in crops("cat")]
    assert model.labels[found.target] == max(first, key=first.count)
    assert found.pictures.predicted == first.count(model.labels[found.target])
    assert not found.pictures.asked


def test_concepts_are_in_order_of_what_they_are_worth(found):
    worth = found.ablation[..., found.target].mean(0)
    assert np.all(np.diff(worth) <= 0)
    acts = found.pictures.acts
    rest = acts - found.groups.spatial @ found.groups.channels
    assert np.isclose(np.linalg.norm(rest) / np.linalg.norm(acts), found.groups.error, rtol=1e-4)
    assert found.stability.mean.shape == (4,)


def test_occurrence_is_counted_by_hand(found):
    for spatial, occurs in (
        (found.groups.spatial, found.occurs),
        (found.shared.spatial, found.shared.occurs),
    ):
        for j in range(4):
            strongest = [picture[..., j].max() for picture in found.groups.spatial]
            bar = OCCURS * np.percentile(strongest, 95)
            assert [bool(picture[..., j].max() >= bar) for picture in spatial] == occurs[:, j].tolist()


def test_what_is_shared_is_matched_and_used(found):
    shared = found.shared
    assert sorted(shared.match) == [0, 1, 2, 3]
    for j, other in enumerate(shared.match):
        a, b = found.groups.channels[j], shared.groups.channels[other]
        assert np.isclose(shared.cosine[j], a @ b / np.linalg.norm(a) / np.linalg.norm(b), atol=1e-5)
        again = shared.cosine[j] >= STABLE
        used = shared.occurs[:, j].mean() >= AS_OFTEN * found.occurs[:, j].mean()
        assert shared.words[j] == {2: SHARED, 1: PARTLY, 0: OWN}[int(again) + int(used)]


def test_a_class_shares_everything_with_itself(small, in_small):
    network, _ = small
    found, images, layer = in_small
    both = find_concepts(network, images, layer, "blue", n_groups=3, other=images, progress=False).shared
    assert both.words == (SHARED,) * 3
    np.testing.assert_allclose(both.cosine, 1, atol=1e-5)
    np.testing.assert_allclose(both.strength, 1, rtol=0.05)
    assert np.mean(both.occurs == found.occurs) > 0.8


def test_a_name_is_a_guess_from_the_class_argued_for_most():
    effects = np.array([[3.0, 1.0, 2.0], [-1.0, -2.0, -3.0], [5.0, 0.5, 0.0]])
    labels = ["tabby, tabby cat", "dog", "cup"]
    assert guesses(effects, np.array([0.5, 0.3, 0.2]), labels) == ["tabby?", "", "tabby?"]
    assert guesses(effects, np.array([0.5, 0.3, 0.2]), labels, but=[0]) == ["cup?", "", "dog?"]
    assert guesses(effects, np.array([0.9, 0.05, 0.05]), labels, but=[0]) == ["", "", ""]


def test_damaged_files_are_left_out_named_and_counted(small, tmp_path, rng):
    network, _ = small
    for name in ("a.png", "b.png", "c.png"):
        Image.fromarray(rng.integers(0, 256, (20, 30, 3), np.uint8)).save(tmp_path / name)
    (tmp_path / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    with pytest.warns(UserWarning, match=r"^1 of 4 photographs of .* left out: cut\.jpg\.$"):
        shown = lx.concepts(network, tmp_path, n_groups=2, store=lx.IconStore(tmp_path), progress=False)
    assert shown.found.pictures.used.tolist() == [0, 1, 2]
    assert "1 of 4 photographs" in shown.board["own"].note
    assert "of 3 photographs" in shown.board["own"].note


def test_bad_input_is_one_sentence(small, tmp_path):
    network, _ = small
    two = [np.zeros((20, 30, 3), np.float32), np.ones((20, 30, 3), np.float32)]
    for images, wrong, sentence in (
        (tmp_path, {}, "there is no picture in"),
        ([], {}, "list of photographs is empty"),
        (
            two[:1],
            {"n_groups": 2},
            "one picture only that can be used, .*, and what recurs takes at least two",
        ),
        (two, {"target": "tabbi"}, "no class 'tabbi'"),
        (two, {"other": two, "other_target": 7}, "classes 0 to 2; there is no 7"),
        (two, {"n_groups": 5}, "n_groups is 5; expected 1 to 4 for 48 cells of 4 channels"),
        (two, {"n_groups": 0}, "n_groups is 0; expected 1 to 4"),
        (two, {"layer": "mixed9z"}, "no layer 'mixed9z'"),
        (two, {"other": tmp_path}, "there is no picture in"),
    ):
        with pytest.raises(ValueError, match=sentence):
            lx.concepts(network, images, progress=False, **wrong)
