"""What Lucid has beside visualization: files, pictures in notebooks, factorizations, gradients."""

import json

import IPython.display
import numpy as np
import PIL.Image
import pytest
import tensorflow as tf
from lucid.misc import gradient_override, tfutil
from lucid.misc.channel_reducer import ChannelReducer
from lucid.misc.gl import meshutil
from lucid.misc.io import load, reading, save, show, showing, writing
from lucid.misc.io.serialize_array import array_to_jsbuffer, serialize_array


class TestFiles:
    @pytest.fixture
    def picture(self, rng):
        return rng.integers(0, 256, (6, 7, 3)).astype(np.float32) / 255.0

    def test_png_comes_back_exactly(self, tmp_path, picture):
        path = str(tmp_path / "new folder" / "picture.png")
        save(picture, path)
        assert np.allclose(load(path), picture, atol=1 / 255)
        with PIL.Image.open(path) as opened:
            assert opened.size == (7, 6)

    def test_jpeg_comes_back_nearly(self, tmp_path):
        path = str(tmp_path / "picture.jpg")
        ramp = np.broadcast_to(np.linspace(0, 1, 16, dtype=np.float32)[:, None, None], (16, 16, 3))
        save(ramp, path, quality=95)
        assert load(path).dtype == np.float32
        assert np.allclose(load(path), ramp, atol=0.03)

    def test_arrays_come_back_exactly(self, tmp_path, picture):
        save(picture, str(tmp_path / "one.npy"))
        save({"a": picture, "b": picture[0]}, str(tmp_path / "two.npz"))
        assert np.array_equal(load(str(tmp_path / "one.npy")), picture)
        with np.load(tmp_path / "two.npz") as both:
            assert np.array_equal(both["b"], picture[0])

    def test_json_and_text(self, tmp_path):
        save({"layer": ["mixed4a", 7]}, str(tmp_path / "file.json"))
        assert load(str(tmp_path / "file.json")) == {"layer": ["mixed4a", 7]}
        assert json.loads((tmp_path / "file.json").read_text()) == {"layer": ["mixed4a", 7]}
        (tmp_path / "labels.txt").write_text("Katze\nKäfer\n", encoding="utf-8")
        assert load(str(tmp_path / "labels.txt")) == "Katze\nKäfer\n"

    def test_graphs(self, tmp_path, model):
        path = tmp_path / "graph.pb"
        path.write_bytes(model.graph_def.SerializeToString())
        assert load(str(path)) == model.graph_def

    def test_open_files(self, tmp_path, picture):
        with (tmp_path / "picture.png").open("wb") as file:
            save(picture, file)
        with (tmp_path / "picture.png").open("rb") as file:
            assert np.allclose(load(file), picture, atol=1 / 255)

    def test_bytes(self, tmp_path):
        path = str(tmp_path / "a" / "b" / "bytes.bin")
        writing.write(b"abc", path)
        assert reading.read(path) == b"abc"
        assert reading.read(path, encoding="utf-8") == "abc"

    def test_web_addresses_are_fetched_once(self, tmp_path, monkeypatch):
        """A remote file is kept in a cache; a cached one needs no network."""
        monkeypatch.setattr(reading, "gettempdir", lambda: str(tmp_path))
        if hasattr(reading, "_LUCID_CACHE_DIR"):
            monkeypatch.setattr(reading, "_LUCID_CACHE_DIR", str(tmp_path))
        kept = reading.local_cache_path("https://example.invalid/labels.txt")
        assert kept.startswith(str(tmp_path))
        with open(kept, "w", encoding="utf-8") as file:
            file.write("tabby")
        assert load("https://example.invalid/labels.txt") == "tabby"

    def test_no_extension(self, tmp_path):
        with pytest.raises(RuntimeError, match="No extension"):
            save(1, str(tmp_path / "file"))


class TestShowing:
    @pytest.fixture
    def shown(self, monkeypatch):
        """The HTML that reaches a notebook."""
        found = []
        monkeypatch.setattr(IPython.display, "display", lambda thing: found.append(thing.data))
        return found

    @pytest.mark.parametrize("shape", [(6, 7), (6, 7, 1), (6, 7, 3), (6, 7, 4)])
    def test_an_array_is_a_picture(self, shown, rng, shape):
        show(rng.random(shape, dtype=np.float32))
        assert len(shown) == 1
        assert 'src="data:image/PNG;base64,' in shown[0]

    def test_a_batch_is_a_row_of_pictures(self, shown, rng):
        show(rng.random((3, 6, 7, 3), dtype=np.float32))
        assert shown[0].count("<img") == 3

    def test_labels(self, shown, rng):
        showing.images(rng.random((2, 6, 7, 3)), labels=["first", "second"])
        assert "first" in shown[0]
        assert "second" in shown[0]

    def test_graphs(self, shown, model):
        showing.graph(model.graph_def)
        assert "mixed4a" in shown[0]

    def test_anything_else_is_printed(self, shown, capsys):
        show("text")
        assert shown == []
        assert capsys.readouterr().out == "'text'\n"

    def test_bytes_of_a_picture(self):
        picture = np.zeros((2, 2, 3), np.float32)
        assert serialize_array(picture, fmt="png")[:4] == b"\x89PNG"
        assert serialize_array(picture, fmt="jpeg")[:2] == b"\xff\xd8"
        assert "Float32Array" in array_to_jsbuffer(np.zeros(3, np.float32))
        with pytest.raises(TypeError, match="1d"):
            array_to_jsbuffer(np.zeros((2, 2)))


class TestChannelReducer:
    @pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
    @pytest.mark.parametrize("algorithm", ["NMF", "PCA", "FastICA", "MiniBatchDictionaryLearning"])
    def test_only_channels_are_reduced(self, rng, algorithm):
        acts = rng.random((2, 4, 5, 9), dtype=np.float32)
        reducer = ChannelReducer(3, algorithm, random_state=0)
        reduced = reducer.fit_transform(acts)
        assert reduced.shape == (2, 4, 5, 3)
        assert reducer.transform(acts[:1, :2]).shape == (1, 2, 5, 3)

    def test_nmf_finds_the_parts_a_sum_was_made_of(self, rng):
        where = rng.random((6, 6, 2)) * (rng.random((6, 6, 2)) < 0.4)
        acts = (where @ np.array([[1.0, 0, 2, 0, 1], [0, 3.0, 0, 1, 0]])).astype(np.float32)
        found = ChannelReducer(2, "NMF", random_state=0, max_iter=2000).fit_transform(acts)
        likeness = np.corrcoef(found.reshape(-1, 2).T, where.reshape(-1, 2).T)[:2, 2:]
        assert np.all(np.sort(likeness.max(1)) > 0.98)

    def test_fit_returns_what_scikit_learn_returns(self, rng):
        reducer = ChannelReducer(2, "PCA")
        assert hasattr(reducer.fit(rng.random((4, 5, 9))), "components_")


class TestGradientOverride:
    def gradient(self, make, x):
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            tensor = tf.constant(x)
            out = make(tensor)
            return session.run([out, *tf.gradients(tf.reduce_sum(out), tensor)])

    def test_of_an_operation(self):
        def make(x):
            with gradient_override.gradient_override_map({"Relu": lambda op, grad: 5.0 * grad}):
                return tf.nn.relu(x) + tf.tanh(0.0 * x)

        out, gradient = self.gradient(make, np.array([-1.0, 2.0], np.float32))
        assert np.array_equal(out, [0.0, 2.0])
        assert np.array_equal(gradient, [5.0, 5.0])

    def test_of_any_function(self):
        @gradient_override.use_gradient(lambda op, grad: -op.inputs[0] * grad)
        def cube(x):
            return x**3

        out, gradient = self.gradient(cube, np.array([1.0, 2.0], np.float32))
        assert np.array_equal(out, [1.0, 8.0])
        assert np.array_equal(gradient, [-1.0, -2.0])

    def test_names_are_random_so_that_a_function_may_be_registered_again(self):
        def same(op, grad):
            return grad

        first, second = (gradient_override.register_to_random_name(same) for _ in range(2))
        assert first != second
        assert first.startswith("same_")


def test_sessions():
    session = tfutil.create_session(timeout_sec=0)
    try:
        assert session.run(tf.constant(2.0) * 3.0) == 6.0
    finally:
        session.close()
    assert tf.executing_eagerly()


def test_meshes():
    """A triangle in a Wavefront file, as the notebooks on textures of 3-D models read it."""
    lines = ["v 0 0 0", "v 1 0 0", "v 0 2 0", "vt 0 0", "vt 1 0", "vt 0 1", "vn 0 0 1", "f 1/1/1 2/2/1 3/3/1"]
    mesh = meshutil.load_obj(lines)
    assert mesh["position"].tolist() == [[0, 0, 0], [1, 0, 0], [0, 2, 0]]
    assert mesh["face"].tolist() == [0, 1, 2]
    assert np.abs(meshutil.normalize_mesh(mesh)["position"]).max() == 1
    assert np.allclose(meshutil.homotrans(meshutil.lookat([0, 0, 3.0]), [0, 0, 0]), [0, 0, -3])
