"""The article's own photographs, looked at with the default network, beside what was published of them."""

import numpy as np
import pytest
from scipy.stats import spearmanr

import lucid_ext as lx
from lucid_ext.attribution.problem import Problem

SEEN = {  # one of these is among the first three; the sixth photograph only loads
    "pig": {"hog"},
    "beer": {"beer glass"},
    "dog_cat": {"Labrador retriever", "golden retriever"},
    "flowers": {"vase"},
    "bowtie_guy": {"bow tie"},
    "chain": set(),
}
BOXES = {"Labrador retriever": (5, 193, 0, 126), "tiger cat": (78, 192, 136, 222)}  # rows, columns, in pixels
SIDE = 224


@pytest.fixture(scope="module")
def network():
    return lx.load_model("efficientnet_lite0")


@pytest.fixture
def photographs(shared):
    return shared / "reference" / "input_images"


@pytest.mark.parametrize("name", SEEN)
def test_the_network_knows_what_they_show(network, photographs, name):
    first = {label for label, _ in network.predict(photographs / f"{name}.jpeg", 3)}
    assert len(first) == 3
    assert not SEEN[name] or SEEN[name] & first


@pytest.mark.parametrize(("name", "least"), [("pig", 0.55), ("beer", 0.45)])
def test_maps_of_the_last_layers_agree_with_those_published(network, photographs, shared, name, least):
    """By the path integral, 7 x 7 cells to the class; by the gradient, and in earlier layers, they do not."""
    published = np.load(shared / "reference" / name / "class_attribution_mixed5a.npy")[..., 0]
    image = photographs / f"{name}.jpeg"
    (label, _), *_ = network.predict(image, 1)
    ours = lx.attribute(network, image, "block7a_expand", label, "path").values
    assert spearmanr(ours.ravel(), published.ravel()).statistic > least


def covered(box, cells):
    """How much of each cell lies in a box: (cells, cells), from 0 to 1."""
    edges = np.arange(cells + 1) * SIDE / cells
    top, bottom, left, right = box
    inside = [
        np.clip(np.minimum(edges[1:], end) - np.maximum(edges[:-1], start), 0, None) * cells / SIDE
        for start, end in ((top, bottom), (left, right))
    ]
    return np.outer(*inside)


@pytest.mark.parametrize("label", BOXES)
def test_evidence_for_dog_and_cat_lies_on_them(network, photographs, label):
    image = lx.load_image(photographs / "dog_cat.jpeg")
    found = lx.attribute(network, image, "block7a_expand", label)
    positive = np.maximum(found.values, 0)
    own = {name: covered(box, len(positive)) for name, box in BOXES.items()}
    shares = {name: float((positive * inside).sum() / positive.sum()) for name, inside in own.items()}
    problem = Problem(network, image, "block7a_expand", label)
    keep = np.stack([1 - own[name] for name in BOXES])
    effects = dict(zip(BOXES, problem.score - problem.measure(keep), strict=True))
    print(label, shares, effects)
    other = next(name for name in BOXES if name != label)
    assert shares[label] > 0.7
    assert shares[label] > 3 * shares[other]
    assert effects[label] > 0
    assert effects[label] > effects[other]
