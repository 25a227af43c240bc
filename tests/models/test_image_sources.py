"""Wherever a picture may be: names, paths, addresses, uploads; and whatever is none of them."""

import base64
import datetime
import gzip
import io
import os
import threading
import urllib.parse
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lucid_ext as lx
from lucid_ext.models import images
from tests.models.server import drip, redirect, whole

NOW = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)


@pytest.fixture(scope="module")
def photo():
    """A small picture, uint8 (40, 60, 3)."""
    return np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)


@pytest.fixture(scope="module")
def data(photo):
    """It as a file."""
    file = io.BytesIO()
    Image.fromarray(photo).save(file, "png")
    return file.getvalue()


def same(image: np.ndarray, photo: np.ndarray) -> bool:
    return np.array_equal(image, photo.astype(np.float32) / 255)


# Addresses.


def test_url(server, photo, data):
    server.paths["photo.png"] = whole(data)
    for url in (
        server.url("photo.png"),
        server.url("photo.png").replace("http", "HTTP"),
        f" {server.url('photo.png')}\n",
    ):
        assert same(lx.load_image(url), photo)


def test_url_of_a_packed_answer(server, photo, data):
    server.paths["photo.png"] = whole(gzip.compress(data), Content_Encoding="gzip")
    assert same(lx.load_image(server.url("photo.png")), photo)


def test_url_without_a_picture(server):
    server.paths["page.png"] = whole(b"<html>no</html>")
    with pytest.raises(ValueError, match=r"missing\.png could not be downloaded .*404"):
        lx.load_image(server.url("missing.png"))
    with pytest.raises(ValueError, match=r"page\.png cannot be read as a picture"):
        lx.load_image(server.url("page.png"))


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/photo.png", "HTTPS://127.0.0.1:9/x.png", "http:photo.png"]
)
def test_no_network(url):
    with pytest.raises(ValueError, match=r"could not be downloaded .*check the address and the network"):
        lx.load_image(url)


def test_url_that_takes_too_long_is_too_large_or_leads_elsewhere(server, monkeypatch):
    monkeypatch.setattr(images, "DOWNLOAD_SECONDS", 1)
    monkeypatch.setattr(images, "MAX_DOWNLOAD", 2_000_000)
    server.paths |= {
        "slow": drip([b"HTTP/1.1 200 OK\r\n\r\n", *[b"x"] * 1000], pause=0.05),
        "large": whole(bytes(3_000_000)),
        "away": redirect("ftp://127.0.0.1/photo.png"),
    }
    for path, what in (("slow", "after 1 seconds"), ("large", "larger than 2 MB"), ("away", "to ftp:")):
        with pytest.raises(
            ValueError, match=rf"/{path} could not be downloaded \(.*{what}.*\); check the address"
        ):
            lx.load_image(server.url(path))


@pytest.mark.parametrize(
    "written",
    [
        lambda data: "data:image/png;base64," + base64.b64encode(data).decode(),
        lambda data: "DATA:image/png;charset=x;BASE64," + base64.urlsafe_b64encode(data).decode().rstrip("="),
        lambda data: "data:;base64," + base64.encodebytes(data).decode(),
        lambda data: "data:image/png;base64," + urllib.parse.quote(base64.b64encode(data).decode()),
        lambda data: "data:image/png," + urllib.parse.quote(data),
    ],
)
def test_data_url(written, photo, data):
    assert same(lx.load_image(written(data)), photo)


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("data:image/png;base64," + "A" * 6000, "the data URL cannot be read as a picture"),
        ("data:image/svg+xml,%3Csvg/%3E", "the data URL cannot be read as a picture"),
        ("data:image/png;base64,A", "the data URL is damaged"),
        ("data:image/png;base64,\udcff", "the data URL is damaged"),
        ("data:image/png;base64", "the data URL is empty"),
        ("data:", "the data URL is empty"),
    ],
)
def test_data_url_without_a_picture(url, what):
    with pytest.raises(ValueError, match=f"^{what}.*; expected"):
        lx.load_image(url)


def test_file_url(tmp_path, photo, data):
    path = tmp_path / "a photo é.png"
    path.write_bytes(data)
    assert same(lx.load_image(path.as_uri()), photo)
    assert same(lx.load_image(path.as_uri().replace("file://", "FILE://localhost")), photo)
    with pytest.raises(ValueError, match="is neither a sample nor a file"):
        lx.load_image("file://elsewhere/photo.png")


# Names and files.


def test_home_and_other_forms_of_paths(tmp_path, photo, data, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "photo.png").write_bytes(data)
    (entry,) = os.scandir(os.fsencode(tmp_path))
    for source in ("~/photo.png", Path("~/photo.png"), entry):
        assert same(lx.load_image(source), photo)


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "~nobody_at_all/x.png",
        "a\0b",
        "x" * 5000,
        "a\nb.png",
        "\udcff.png",
        "s3://bucket/x.png",
        "[",
        "C:\\x.png",
    ],
)
def test_names_of_nothing(name):
    with pytest.raises(
        ValueError, match=r"^'.*' is neither a sample nor a file; expected a path, a URL"
    ) as error:
        lx.load_image(name)
    assert len(str(error.value)) < 350
    assert str(error.value).isprintable()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
def test_what_is_no_file_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero", "/dev/stdin"):
        with pytest.raises(ValueError, match="is a device or a pipe"):
            lx.load_image(path)
    for path in (tmp_path, "/"):
        with pytest.raises(ValueError, match="is a folder"):
            lx.load_image(path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the administrator may read all")
def test_a_file_that_may_not_be_read(tmp_path, data):
    path = tmp_path / "photo.png"
    path.write_bytes(data)
    path.chmod(0)
    with pytest.raises(ValueError, match=r"photo\.png cannot be read \(Permission denied\)"):
        lx.load_image(path)


@pytest.mark.skipif(not os.path.isfile("/proc/self/mem"), reason="needs a file that cannot be read")
def test_a_file_that_fails_while_it_is_read():
    with pytest.raises(ValueError, match=r"/proc/self/mem (is|cannot)"):
        lx.load_image("/proc/self/mem")


# Uploads.


def entry(data: bytes, name: str = "mine.png") -> dict:
    content = memoryview(data)
    return {"name": name, "type": "image/png", "size": len(data), "last_modified": NOW, "content": content}


def test_value_of_an_upload(photo, data):
    seven = {"mine.png": {"metadata": {"name": "mine.png"}, "content": data}}
    for value in ((entry(data),), [entry(data)], entry(data), seven):
        assert same(lx.load_image(value), photo)


def test_value_of_a_real_upload(photo, data):
    import ipywidgets

    upload = ipywidgets.FileUpload()
    with pytest.raises(
        ValueError, match="nothing is uploaded yet, or the list is empty; expected one picture"
    ):
        lx.load_image(upload.value)
    if isinstance(upload.value, tuple):
        upload.value = (entry(data),)
        assert same(lx.load_image(upload.value), photo)
    upload.close()


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ((), "nothing is uploaded yet"),
        ({}, "nothing is uploaded yet"),
        ((entry(b"1"), entry(b"2")), "2 files are uploaded; expected one picture: give one of them"),
        ({"a": {"content": b"1"}, "b": {"content": b"2"}}, "2 files are uploaded"),
        ((entry(b"", "mine.png"),), r"mine\.png is empty"),
        ((entry(b"no", "mi\nne.png"),), r"mi\\nne\.png cannot be read as a picture"),
        ({"a": 1}, "dict is no picture"),
        (({"content": "text"},), "tuple is no picture"),
    ],
)
def test_uploads_without_a_picture(value, what):
    with pytest.raises(ValueError, match=f"^{what}"):
        lx.load_image(value)


# PIL images, which are read late.


def test_pil_image_that_fails_late(tmp_path, data):
    path = tmp_path / "cut.png"
    path.write_bytes(data[: len(data) // 2])
    with (
        Image.open(path) as picture,
        pytest.raises(ValueError, match="the image cannot be read as a picture, or is cut"),
    ):
        lx.load_image(picture)
    with Image.open(io.BytesIO(data)) as closed:
        pass
    with pytest.raises(ValueError, match="the image cannot be read as a picture"):
        lx.load_image(closed)
    with pytest.raises(ValueError, match="the image cannot be read as a picture"):
        lx.load_image(Image.new("La", (20, 20)))


def test_reading_in_many_threads(photo, data):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(same(lx.load_image(data), photo))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 8
