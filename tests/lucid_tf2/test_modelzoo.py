"""Lucid's model zoo: its metadata, and graphs loaded from files and from its own cache."""

import json

import numpy as np
import pytest
import tensorflow as tf
from lucid.misc.io import reading
from lucid.modelzoo import nets_factory, util, vision_base, vision_models

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Lucid's, of its own names


def activations(lucid_model, images, layer):
    """What Lucid's own import of a model computes."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        lucid_model.import_graph(tf.constant(images), scope="import")
        return session.run(f"import/{layer}:0")


def test_metadata():
    assert {"InceptionV1", "AlexNet", "ResnetV2_50_slim"} <= set(nets_factory.models_map)
    depths = {layer.name: layer.depth for layer in vision_models.InceptionV1.layers}
    assert depths["mixed4d"] == 528
    assert depths["softmax2"] == 1008
    assert tuple(vision_models.InceptionV1.image_value_range) == (-117, 138)
    with pytest.raises(ValueError, match="No network named InceptionV9"):
        nets_factory.get_model("InceptionV9")


def test_a_model_of_the_zoo_from_its_cache(model, tmp_path, monkeypatch, rng):
    """`load_graphdef` as the tutorials call it; the embedded network takes the download's place."""
    monkeypatch.setattr(reading, "gettempdir", lambda: str(tmp_path))
    if hasattr(reading, "_LUCID_CACHE_DIR"):
        monkeypatch.setattr(reading, "_LUCID_CACHE_DIR", str(tmp_path))
    zoo = vision_models.InceptionV1
    with open(reading.local_cache_path(zoo.model_path), "wb") as file:
        file.write(model.graph_def.SerializeToString())
    with open(reading.local_cache_path(zoo.labels_path), "w", encoding="utf-8") as file:
        file.write("\n".join(model.labels))
    lucid_model = nets_factory.get_model("InceptionV1")
    lucid_model.load_graphdef()
    assert lucid_model.labels == model.labels
    assert lucid_model.name == "InceptionV1"
    images = rng.random((2, 112, 112, 3), dtype=np.float32)
    for layer in ("mixed4a", "mixed4a_pre_relu", "softmax2"):
        (expected,) = model.function("input", [layer])(images)
        assert np.allclose(activations(lucid_model, images, layer), expected, rtol=1e-4, atol=1e-4)
    assert lucid_model.get_layer("mixed4a").depth == 508


def test_a_model_from_a_folder(model, tmp_path, rng):
    (tmp_path / "graph.pb").write_bytes(model.graph_def.SerializeToString())
    (tmp_path / "labels.txt").write_text("\n".join(model.labels))
    manifest = {
        "type": "frozen",
        "model_path": "./graph.pb",
        "labels_path": str(tmp_path / "labels.txt"),
        "image_shape": [112, 112, 3],
        "image_value_range": model.value_range,
        "input_name": "input:0",
        "layers": [{"name": "mixed5b", "depth": 512, "tags": ["conv"]}],
    }
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    lucid_model = vision_base.SerializedModel.from_directory(str(tmp_path))
    lucid_model.load_graphdef()
    assert list(lucid_model.labels) == model.labels
    images = rng.random((1, 112, 112, 3), dtype=np.float32)
    (expected,) = model.function("input", ["mixed5b"])(images)
    assert np.allclose(activations(lucid_model, images, "mixed5b"), expected, rtol=1e-4, atol=1e-4)


def test_the_size_of_the_image_can_be_forgotten():
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        forgetful = util.forget_xy(tf.ones([2, 5, 6, 3]))
        assert forgetful.shape.as_list() == [2, None, None, 3]
        assert session.run(forgetful).shape == (2, 5, 6, 3)
