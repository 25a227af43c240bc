"""Weights are read out of a pickle of which nothing is run, whatever it says."""

import struct
import subprocess
import sys

import numpy as np
import pytest

from tests.conftest import ROOT
from tests.training.written import (
    MAGIC,
    example,
    long_number,
    many,
    name,
    number,
    pickled,
    storage,
    tensor,
    text,
    written,
)

NUMBERS = np.arange(6, dtype="<f4")
ONE = {"w": ("1", 0, (2, 3), (3, 1))}


@pytest.fixture(scope="session")
def read_tensors(script):
    return script("pytorch_file").read_tensors


def refused(read_tensors, data, reason=None):
    """It is refused in one sentence, which says why."""
    with pytest.raises(ValueError, match=reason) as caught:
        read_tensors(data, "w.pth")
    said = str(caught.value)
    assert said.startswith(f"w.pth ({len(data):,} bytes) is no file of tensors or is damaged (")
    assert said.endswith("); nothing of it was run: fetch it again.")
    assert len(said) < 300
    assert said.isprintable()
    assert said.isascii()


def test_values_and_strides(read_tensors):
    found = read_tensors(example(), "w.pth")
    assert list(found) == ["weight", "turned", "count"]
    np.testing.assert_array_equal(found["weight"], [[0, 0.25, 0.5], [0.75, 1, 1.25]])
    np.testing.assert_array_equal(found["turned"], (6 + np.arange(12).reshape(3, 4).T) / 4)
    assert found["turned"].strides == (4, 16)
    assert (found["count"].shape, int(found["count"])) == ((), -7)
    assert (found["weight"].dtype, found["count"].dtype) == (np.float32, np.int64)
    assert not any(array.flags.writeable for array in found.values())


def test_versions_of_modules_are_passed_over(read_tensors):
    """As PyTorch writes them: an attribute of the dict, whose parts are shared."""
    versions = b"}" + text("_metadata") + b"}" + text("") + b"}" + text("version") + b"q\x07K\x01sssb"
    found = read_tensors(written({"1": NUMBERS}, ONE, opcodes=versions), "w.pth")
    np.testing.assert_array_equal(found["w"], NUMBERS.reshape(2, 3))


def test_cut_short_anywhere(read_tensors):
    data = example()
    for end in range(len(data)):
        refused(read_tensors, data[:end])
    refused(read_tensors, b"", "pickle exhausted before seeing STOP")
    refused(read_tensors, data[:-1], "storage 12 is cut short")


@pytest.mark.parametrize("changed", [{"magic": 7}, {"version": 1002}])
def test_another_beginning(read_tensors, changed):
    refused(read_tensors, written({"1": NUMBERS}, ONE, **changed), "it does not begin as one")


@pytest.mark.parametrize("program", ["os system", "posix system", "builtins eval", "builtins exec"])
@pytest.mark.parametrize("where", ["first", "tensors"])
def test_a_program_in_it_is_not_run(read_tensors, tmp_path, program, where):
    marker = tmp_path / "marker"
    what = f"open({str(marker)!r}, 'w')" if "builtins" in program else f"touch {marker}"
    call = name(program) + many(text(what)) + b"R"
    data = pickled(call) if where == "first" else written({"1": NUMBERS}, ONE, opcodes=call + b"0")
    refused(read_tensors, data, rf"it names {program}, which no file of tensors needs")
    assert not marker.exists()


def test_the_program_of_that_test_would_run(tmp_path):
    """By Python's own reader, so that the test above can fail."""
    marker = tmp_path / "marker"
    data = pickled(name("posix system") + many(text(f"touch {marker}")) + b"R")
    code = "import pickle, sys; pickle.loads(bytes.fromhex(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", code, data.hex()], check=True)
    assert marker.exists()


@pytest.mark.parametrize(
    ("opcodes", "reason"),
    [
        (name("torch FloatTensor") + b"0", "it names torch FloatTensor"),
        (name("collections OrderedDict evil") + b"0", "it names collections OrderedDict evil"),
        (b"\x8c\x02os\x8c\x06system\x93", "it holds SHORT_BINUNICODE"),
        (b"(S'true'\nios\nsystem\n", "it holds STRING"),
        (b"\x82\x01", "it holds EXT1"),
        (b"Pos\n", "it holds PERSID"),
        (b"F" + b"1" * 10_000 + b"x\n", "could not convert"),
        (name("torch FloatStorage") + b")R", "it makes something else than tensors"),
        (name("torch._utils _rebuild_tensor_v2") + b")R", "it makes something else than tensors"),
        (text("x") + b"N\x86Q", "it refers to something else than numbers"),
        (storage("1", "collections OrderedDict", 6), "it refers to something else than numbers"),
        (storage("1", "torch FloatStorage", -6), "it refers to something else than numbers"),
        (text("other") + storage("1", "torch FloatStorage", 6) + b"s", "it lists no tensors"),
        (name("torch FloatStorage") + b"}b", "it fills what is no dict"),
        (many(many()) + b"Ns", "a key is no text"),
        (b"(00000", "it takes what is not there|it holds POP"),
        (b"\x87\x87\x87", "it takes what is not there"),
    ],
)
def test_other_opcodes_and_names(read_tensors, opcodes, reason):
    refused(read_tensors, written({"1": NUMBERS}, ONE, opcodes=opcodes), reason)


def test_storages_of_other_kinds(read_tensors):
    other = tensor("1", "torch HalfStorage", 6, 0, (6,), (1,))
    refused(
        read_tensors, written({"1": NUMBERS}, {}, opcodes=text("w") + other + b"s"), "names torch HalfStor"
    )
    # One storage, said to be of two kinds.
    other = tensor("1", "torch LongStorage", 3, 0, (3,), (1,))
    refused(
        read_tensors,
        written({"1": NUMBERS}, ONE, opcodes=text("v") + other + b"s"),
        "its storages are not those of its tensors",
    )
    refused(
        read_tensors, written({"1": NUMBERS, "2": NUMBERS}, ONE), "its storages are not those of its tensors"
    )


@pytest.mark.parametrize(
    ("offset", "shape", "strides", "reason"),
    [
        (1, (2, 3), (3, 1), "beyond its storage"),
        (0, (3, 3), (3, 1), "beyond its storage"),
        (6, (), (), "beyond its storage"),
        (0, (2, 3), (4, 1), "beyond its storage"),
        (0, (2**31 - 1,) * 8, (0,) * 8, "beyond its storage"),  # one number, as often as memory has bytes
        (-1, (6,), (1,), "a size below one, or reaches back"),
        (5, (6,), (-1,), "a size below one, or reaches back"),
        (0, (2, -3), (3, 1), "a size below one, or reaches back"),
        (0, (0, 3), (3, 1), "a size below one, or reaches back"),
        (0, (2, 3), (1,), "it makes something else than tensors"),
        (0, (1,) * 9, (1,) * 9, "it makes something else than tensors"),
    ],
)
def test_a_tensor_beyond_its_storage(read_tensors, offset, shape, strides, reason):
    refused(read_tensors, written({"1": NUMBERS}, {"w": ("1", offset, shape, strides)}), reason)


def test_a_storage_larger_than_the_file(read_tensors):
    refused(read_tensors, written({"1": NUMBERS}, ONE, claimed=2**31 - 1), "storage 1 is cut short")


BOMBS = {
    "a place to keep a value in, of a list of 16 GB": b"Nr" + struct.pack("<I", 2**30),
    "a text of 4 GB": b"X" + struct.pack("<I", 2**32 - 1),
    "bytes of an exabyte": b"\x96" + struct.pack("<Q", 2**60),
    "a number of 2 GB": b"\x8b" + struct.pack("<I", 2**31 - 1),
    "tuples in tuples, too deep to hash": b"})" + b"\x85" * 300_000 + number(1) + b"s",
    "pairs of one pair of one pair, without end": b"})" + b"q\x00h\x00\x86" * 100 + number(1) + b"s",
    "the same to show": b")" + b"q\x00h\x00\x86" * 100 + b"Q",
    "the same as a magic number": b")" + b"q\x00h\x00\x86" * 100,
}
CHILD = """
import resource, sys, time
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
sys.path.insert(0, "training")
from pytorch_file import read_tensors
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    read_tensors(open(sys.argv[1], "rb").read(), "bomb")
except ValueError:
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1000)
"""


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.parametrize("where", ["first", "tensors"])
def test_bombs(tmp_path, bomb, where):
    """In a process of its own, as what Python's reader does with most of them ends it."""
    data = pickled(BOMBS[bomb])
    if where == "tensors":
        data = written({"1": NUMBERS}, ONE, opcodes=BOMBS[bomb])
    path = tmp_path / "bomb"
    path.write_bytes(data)
    done = subprocess.run([sys.executable, "-c", CHILD, path], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-500:]
    assert int(done.stdout) < 300, "megabytes"


def test_damaged_bytes(read_tensors, rng):
    """Some bytes changed, taken out or put in: it is read, or refused in one sentence."""
    sound, read = example(), 0
    for _ in range(5000):
        damaged = bytearray(sound)
        for at in rng.integers(0, len(sound), rng.integers(1, 4)):
            damaged[at : at + rng.integers(0, 3)] = rng.bytes(rng.integers(0, 3))
        try:
            found = read_tensors(bytes(damaged), "w.pth")
        except ValueError:
            refused(read_tensors, bytes(damaged))
        else:
            read += 1
            assert sum(array.size for array in found.values()) <= len(damaged)
            assert all(np.array(array).shape == array.shape for array in found.values())
    assert 0 < read < 4000


def test_random_bytes(read_tensors, rng):
    start = len(pickled(long_number(MAGIC)))
    for _ in range(1000):
        data = rng.bytes(rng.integers(0, 200))
        refused(read_tensors, data)
        refused(read_tensors, example()[:start] + data)
