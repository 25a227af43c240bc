"""Where InceptionV1 comes from: files, folders, the cache, a server; and what of them is refused."""

import gzip
import hashlib
import io
import itertools
import subprocess
import sys
import threading
import warnings
import zipfile

import pytest

import lucid_ext as lx
from lucid_ext.models import inception_v1, sources
from lucid_ext.models.graph import GraphDef
from lucid_ext.models.inception_v1 import GRAPH_IN_ZIP, LABELS_IN_ZIP, Source
from lucid_ext.models.load import ASSETS
from tests.models.server import drip, part, redirect, stall, whole


@pytest.fixture(scope="module")
def graph(inception_file) -> bytes:
    return inception_file.read_bytes()


@pytest.fixture(scope="module")
def names(inception_file) -> bytes:
    return inception_file.with_suffix(".txt").read_bytes()


def zipped(members: dict[str, bytes], method=zipfile.ZIP_STORED) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return data.getvalue()


@pytest.fixture(scope="module")
def archive(graph, names) -> bytes:
    return zipped({"LICENSE": b"Apache", GRAPH_IN_ZIP: graph, LABELS_IN_ZIP: names})


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, no folder of networks, and no way to the real sources."""
    monkeypatch.setenv("LUCID_EXT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv(sources.MODELS, raising=False)
    monkeypatch.setattr(inception_v1, "SOURCES", (Source("http://127.0.0.1:9/inception5h.zip"),))
    return tmp_path / "cache"


def files_in(folder) -> list[str]:
    return sorted(str(f.relative_to(folder)) for f in folder.rglob("*") if f.is_file())


# Files.


def test_zip_given_by_path_is_read_without_being_unpacked(tmp_path, archive, inception):
    path = tmp_path / "inception5h.zip"
    path.write_bytes(archive)
    model = lx.load_model(path)
    assert model.digest == inception.digest
    assert model.labels == inception.labels
    assert files_in(tmp_path) == ["inception5h.zip"]


def test_compressed_zip_with_a_folder_and_climbing_names(tmp_path, graph, names, inception):
    members = {f"inception5h/{GRAPH_IN_ZIP}": graph, f"../../{LABELS_IN_ZIP}": names, "../evil": b"evil"}
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    (folder / "net.zip").write_bytes(zipped(members, zipfile.ZIP_DEFLATED))
    model = lx.load_model(folder / "net.zip")
    assert (model.name, model.digest) == ("net", inception.digest)
    assert model.labels[:2] == ["dummy", "thing 1"]
    assert files_in(tmp_path) == ["a/b/net.zip"]


@pytest.mark.parametrize("beside", ["net.txt", LABELS_IN_ZIP, "ImageNet_alternate.txt"])
def test_class_names_beside_a_graph(tmp_path, inception_file, names, beside):
    (tmp_path / "net.pb").symlink_to(inception_file)
    (tmp_path / beside).write_bytes(names)
    assert lx.load_model(tmp_path / "net.pb").labels[1000] == "thing 1000"


def test_without_class_names_classes_are_numbered_and_that_is_said(tmp_path, inception_file):
    (tmp_path / "net.pb").symlink_to(inception_file)
    with pytest.warns(UserWarning, match="net came without class names, so its classes are numbered") as seen:
        model = lx.load_model(tmp_path / "net.pb")
    assert len(seen) == 1
    assert model.labels == [f"class {i}" for i in range(1008)]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"one\ntwo", "holds 2 class names, one a line; expected 1001"),
        (b"x\n" * 1009, "holds 1009 class names"),
        (b"x\n" * 500 + b"\n" + b"x\n" * 500, "holds 1001 class names, one a line; expected 1001"),
        (b"\xff\xfe" * 2000, "not text in UTF-8"),
    ],
)
def test_class_names_that_do_not_fit(tmp_path, inception_file, text, complaint):
    (tmp_path / "net.pb").symlink_to(inception_file)
    (tmp_path / "net.txt").write_bytes(text)
    with pytest.raises(ValueError, match=complaint):
        lx.load_model(tmp_path / "net.pb")


@pytest.mark.parametrize("suffix", [".pb", ".zip"])
@pytest.mark.parametrize("keep", [0, 1000, 0.3, 0.9999])
def test_truncated_files_are_refused(tmp_path, graph, archive, suffix, keep):
    data = graph if suffix == ".pb" else archive
    path = tmp_path / f"net{suffix}"
    path.write_bytes(data[: keep if isinstance(keep, int) else int(keep * len(data))])
    with pytest.raises(
        ValueError, match=r"net\.(pb|zip) .*(truncated|no graph|lacks|does not hold|is not a zip)"
    ):
        lx.load_model(path)


@pytest.mark.parametrize("at", [0.01, 0.2, 0.5, 0.8, 0.9999])
def test_one_flipped_bit_in_a_zip_is_refused(tmp_path, archive, at):
    data = bytearray(archive)
    data[int(at * len(data))] ^= 4
    path = tmp_path / "net.zip"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"net\.zip"):
        lx.load_model(path)


def test_flipped_bits_in_a_graphs_structure_are_refused_or_change_nothing(tmp_path, graph, inception):
    """A bit may also fall on a name nothing refers to; what is loaded has the published layers."""
    start = graph.index(b"conv2d0_pre_relu/conv")
    refused = 0
    for position in range(start - 4, start + 96, 5):
        data = bytearray(graph)
        data[position] ^= 1
        (tmp_path / "net.pb").write_bytes(data)
        (tmp_path / "net.txt").write_text("x\n" * 1001)
        try:
            model = lx.load_model(tmp_path / "net.pb")
        except ValueError:
            refused += 1
        else:
            assert model.layers == inception.layers
    assert refused > 10


def changed(graph: bytes, change) -> bytes:
    graph_def = GraphDef.FromString(graph)
    change(graph_def, {node.name: node for node in graph_def.node})
    return graph_def.SerializeToString()


def reshape(weight, *sizes):
    def change(graph_def, nodes):
        tensor = nodes[weight].attr["value"].tensor
        for dim, size in zip(tensor.tensor_shape.dim, sizes, strict=True):
            dim.size = size

    return change


def with_attr(node, attr, **value):
    def change(graph_def, nodes):
        for field, number in value.items():
            setattr(nodes[node].attr[attr], field, number)

    return change


def strides(node, *sizes):
    def change(graph_def, nodes):
        nodes[node].attr["strides"].list.i[:] = sizes

    return change


def rewire(node, position, source):
    def change(graph_def, nodes):
        nodes[node].input[position] = source

    return change


def without(node):
    def change(graph_def, nodes):
        graph_def.node.remove(nodes[node])
        for other in graph_def.node:
            other.input[:] = [i.replace(node, "input") if i == node else i for i in other.input]

    return change


def evil(op, **attrs):
    def change(graph_def, nodes):
        node = graph_def.node.add(name="evil", op=op)
        for name, value in attrs.items():
            node.attr[name].s = value

    return change


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (reshape("conv2d1_w", 1, 1, 32, 128), r"'conv2d1_w' is a Const of shape \(1, 1, 32, 128\)"),
        (reshape("conv2d1_w", 2**40, 2**40, 1, 1), "does not hold what its shape says"),
        (reshape("softmax2_w", -1024, -1008), "does not hold what its shape says"),
        (without("softmax1_b"), "lacks 1 of .* nodes, such as 'softmax1_b'"),
        (without("localresponsenorm1"), "lacks 1 of .* nodes, such as 'localresponsenorm1'"),
        (with_attr("localresponsenorm0", "bias", f=1.0), "bias of 'localresponsenorm0' is 1, expected 2"),
        (with_attr("localresponsenorm1", "depth_radius", i=2), "depth_radius .* is 2, expected 5"),
        (strides("maxpool4", 1, 1, 1, 1), "its parts do not fit .*cannot be computed from its input"),
        (strides("maxpool0", 1, 1, 1, 1), "its parts do not fit .*cannot be computed from its input"),
        (rewire("mixed4b_1x1_pre_relu/conv", 0, "mixed3b"), "its parts do not fit"),
        (rewire("softmax2_pre_activation/matmul", 0, "nn0"), "mixed4e is not on the way from the image"),
        (rewire("conv2d1_pre_relu/conv", 0, "conv2d1"), "its parts do not fit"),
        (rewire("softmax2", 0, "softmax0_pre_activation"), "mixed4e is not on the way from the image"),
        (evil("ReadFile"), r"operations no frozen image classifier needs \(ReadFile\)"),
        (evil("PyFunc", token=b"pyfunc_0"), r"classifier needs \(PyFunc\)"),
        (evil("EagerPyFunc", token=b"pyfunc_0"), r"classifier needs \(EagerPyFunc\)"),
        (evil("WriteFile"), r"classifier needs \(WriteFile\)"),
    ],
)
def test_another_or_a_malicious_network_is_refused(tmp_path, graph, change, complaint):
    path = tmp_path / "net.pb"
    path.write_bytes(changed(graph, change))
    with pytest.raises(ValueError, match=complaint):
        lx.load_model(path)


def test_the_embedded_network_without_its_card_is_refused(tmp_path):
    (tmp_path / "net.pb").write_bytes((ASSETS / "mini.pb").read_bytes())
    with pytest.raises(ValueError, match=r"is not InceptionV1: it lacks .* needs its card \(\.json\)"):
        lx.load_model(tmp_path / "net.pb")


def test_zip_without_a_graph_and_zip_that_unpacks_to_too_much(tmp_path):
    path = tmp_path / "net.zip"
    path.write_bytes(zipped({"notes.txt": b"nothing"}))
    with pytest.raises(ValueError, match=f"holds no {GRAPH_IN_ZIP}"):
        lx.load_model(path)
    path.write_bytes(zipped({GRAPH_IN_ZIP: bytes(inception_v1.MOST_BYTES + 1)}, zipfile.ZIP_DEFLATED))
    with pytest.raises(ValueError, match="unpacks to 80,000,001 bytes"):
        lx.load_model(path)


# Folders.


@pytest.mark.parametrize("name", ["inception5h.zip", "InceptionV1.pb"])
def test_own_folder_comes_before_cache_and_network(tmp_path, monkeypatch, graph, names, archive, name):
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / name).write_bytes(archive if name.endswith("zip") else graph)
    (folder / LABELS_IN_ZIP).write_bytes(names)
    monkeypatch.setenv(sources.MODELS, str(folder))
    model = lx.load_model("inception_v1")
    assert model.name == "inception_v1"
    assert model.labels[1] == "thing 1"


def test_damaged_file_in_own_folder_is_said_and_not_passed_over(tmp_path, monkeypatch, archive):
    (tmp_path / "inception5h.zip").write_bytes(archive[:-100])
    monkeypatch.setenv(sources.MODELS, str(tmp_path))
    with pytest.raises(ValueError, match=r"inception5h\.zip is damaged or is not a zip"):
        lx.load_model("inception_v1")


@pytest.mark.parametrize("name", ["nowhere", "~nobody_at_all/nowhere", "nowhere" * 1000])
def test_folder_that_is_none(tmp_path, monkeypatch, name):
    monkeypatch.setenv(sources.MODELS, name if name.startswith("~") else str(tmp_path / name))
    with pytest.raises(ValueError, match=r"\$LUCID_EXT_MODELS is .*nowhere.* which is no folder"):
        lx.load_model("inception_v1")


@pytest.mark.parametrize("name", ["~nobody_at_all/net.pb", "net" * 2000, "a\0b"])
def test_names_of_no_file(name):
    with pytest.raises(ValueError, match=r"there is no file|is no path"):
        lx.load_model(name)


def test_own_folder_at_home(tmp_path, monkeypatch, archive):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(sources.MODELS, "~")
    (tmp_path / "inception5h.zip").write_bytes(archive)
    assert lx.load_model("inception_v1").labels[1] == "thing 1"


# The network.


@pytest.fixture
def both(server, monkeypatch, archive):
    """The two sources, as they are published, at the local server."""
    both = (
        Source(server.url("inception5h.zip"), sha256=hashlib.sha256(archive).hexdigest()),
        Source(server.url("InceptionV1.pb"), labels=(server.url("labels.txt"), server.url("ImageNet.txt"))),
    )
    monkeypatch.setattr(inception_v1, "SOURCES", both)
    return both


@pytest.fixture
def second(server, both, graph, names):
    """Lucid's files are there; its class names at the second address."""
    server.paths |= {"InceptionV1.pb": whole(graph), "ImageNet.txt": whole(names)}


CACHED = ["models/inception_v1.zip"]


def test_downloaded_once_then_cached(server, both, archive, cache, inception):
    server.paths["inception5h.zip"] = whole(archive)
    model = lx.load_model("inception_v1")
    assert (model.name, model.digest, model.labels) == ("inception_v1", inception.digest, inception.labels)
    assert files_in(cache) == CACHED
    assert (cache / CACHED[0]).read_bytes() == archive
    assert lx.load_model("inception_v1").digest == model.digest
    assert server.asked == ["/inception5h.zip"]


def test_404_falls_through_to_the_second_source(server, second, cache, inception):
    model = lx.load_model("inception_v1")
    assert (model.digest, model.labels) == (inception.digest, inception.labels)
    assert server.asked == ["/inception5h.zip", "/InceptionV1.pb", "/labels.txt", "/ImageNet.txt"]
    assert files_in(cache) == CACHED
    assert lx.load_model("inception_v1").labels == inception.labels
    assert len(server.asked) == 4


@pytest.mark.parametrize("damage", ["cut", "wrong bytes", "another zip", "flipped bit", "empty"])
def test_first_source_gone_bad_falls_through(server, second, archive, damage, inception):
    flipped = bytearray(archive)
    flipped[len(archive) // 2] ^= 1
    server.paths["inception5h.zip"] = {
        "cut": part(archive, len(archive) // 2),
        "wrong bytes": whole(b"<html>Please log in to this hotel's network</html>" * 100),
        "another zip": whole(zipped({"a": b"b"})),
        "flipped bit": whole(bytes(flipped)),
        "empty": whole(b""),
    }[damage]
    assert lx.load_model("inception_v1").digest == inception.digest


def test_stall_is_given_up(server, second, archive, names):
    server.paths["inception5h.zip"] = stall(archive, 100_000)
    _, labels = sources.find(timeout=0.5)
    assert labels == names.decode().splitlines()


def test_a_byte_at_a_time_is_given_up(server, second, names, monkeypatch):
    monkeypatch.setattr(sources, "DOWNLOAD_SECONDS", 2)
    start = [b"HTTP/1.1 200 OK\r\nServer: "]
    server.paths["inception5h.zip"] = drip(itertools.chain(start, itertools.repeat(b"x")), pause=0.05)
    _, labels = sources.find()
    assert labels == names.decode().splitlines()


def test_packed_on_its_way(server, both, archive, cache):
    server.paths["inception5h.zip"] = whole(gzip.compress(archive, 1), Content_Encoding="gzip")
    assert lx.load_model("inception_v1").labels[1] == "thing 1"
    assert (cache / CACHED[0]).read_bytes() == archive


def test_what_is_said_of_a_wrong_checksum_and_of_other_addresses(server, both, cache):
    server.paths |= {
        "inception5h.zip": whole(b"another"),
        "InceptionV1.pb": redirect("ftp://127.0.0.1/net.pb"),
    }
    found, expected = hashlib.sha256(b"another").hexdigest()[:12], both[0].sha256[:12]
    what = (
        rf"its SHA-256 is {found}\.\.\., expected {expected}.*InceptionV1\.pb: it leads to ftp:, not to http"
    )
    with pytest.raises(ValueError, match=what):
        lx.load_model("inception_v1")
    assert files_in(cache) == []


def test_interrupted_download_starts_cleanly_again(server, both, archive, cache):
    server.paths["inception5h.zip"] = part(archive, len(archive) // 2)
    with pytest.raises(ValueError, match="could not be downloaded"):
        lx.load_model("inception_v1")
    assert files_in(cache) == []
    server.paths["inception5h.zip"] = whole(archive)
    assert lx.load_model("inception_v1").labels[1] == "thing 1"
    assert files_in(cache) == CACHED


def test_other_weights_at_the_second_source_are_refused(server, second, graph, cache):
    server.paths["InceptionV1.pb"] = whole(changed(graph, reshape("nn0_b", 512)))
    with pytest.raises(ValueError, match=r"could not be downloaded .*'nn0_b' does not hold"):
        lx.load_model("inception_v1")
    assert files_in(cache) == []


def test_without_class_names_the_second_source_is_of_use(server, both, graph):
    server.paths |= {"InceptionV1.pb": whole(graph), "labels.txt": whole(b"<html>not found</html>")}
    for _ in range(2):
        with pytest.warns(UserWarning, match="inception_v1 came without class names"):
            model = lx.load_model("inception_v1")
        assert model.labels[7] == "class 7"


def test_without_weights_one_sentence_says_how_to_get_them(server, both):
    with pytest.raises(ValueError, match=r"load_model\(\), which needs no download") as refused:
        lx.load_model("inception_v1")
    text = str(refused.value)
    assert "\n" not in text
    assert f"get {both[0].url} by other means" in text
    assert "404" in text
    assert text.count("InceptionV1.pb") >= 1


def test_damaged_cache_is_downloaded_again(server, both, archive, cache):
    server.paths["inception5h.zip"] = whole(archive)
    (cache / "models").mkdir(parents=True)
    damaged = bytearray(archive)
    damaged[len(damaged) // 3] ^= 1
    (cache / CACHED[0]).write_bytes(damaged)
    assert lx.load_model("inception_v1").labels[1] == "thing 1"
    assert (cache / CACHED[0]).read_bytes() == archive


def test_where_nothing_can_be_saved_the_network_still_loads(server, both, archive, cache):
    server.paths["inception5h.zip"] = whole(archive)
    cache.write_text("a file where the folder should be")
    with pytest.warns(UserWarning, match="cannot be saved as .*set LUCID_EXT_CACHE to a writable folder"):
        assert lx.load_model("inception_v1").labels[1] == "thing 1"


ANOTHER_PROCESS = """
import sys
import lucid_ext as lx
from lucid_ext.models import inception_v1
inception_v1.SOURCES = (inception_v1.Source(sys.argv[1]),)
print("asking", flush=True)
print(lx.load_model("inception_v1").digest)
"""


def another_process(url: str) -> subprocess.Popen:
    command = [sys.executable, "-c", ANOTHER_PROCESS, url]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_processes_at_once(server, both, archive, cache, inception):
    """Neither finishes its download before both have begun."""
    begun = threading.Barrier(2, timeout=100)

    def together(handler):
        begun.wait()
        whole(archive)(handler)

    server.paths["inception5h.zip"] = together
    processes = [another_process(both[0].url) for _ in range(2)]
    for process in processes:
        out, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        assert out.split() == ["asking", inception.digest]
    assert files_in(cache) == CACHED
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert lx.load_model("inception_v1").digest == inception.digest


def test_killed_download_leaves_nothing_in_the_way(server, both, archive, cache):
    asked = threading.Event()

    def half(handler):
        part(archive, len(archive) // 2)(handler)
        asked.set()
        handler.server.ended.wait(60)

    server.paths["inception5h.zip"] = half
    process = another_process(both[0].url)
    assert asked.wait(100)
    process.kill()
    process.communicate()
    assert files_in(cache) == []
    server.paths["inception5h.zip"] = whole(archive)
    assert lx.load_model("inception_v1").labels[1] == "thing 1"
