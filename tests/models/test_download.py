"""Downloads: what a server may do, and when it is given up."""

import gzip
import itertools
import time
import zlib

import pytest

from lucid_ext.models.download import DownloadError, download
from tests.models.server import drip, part, redirect, stall, whole

DATA = bytes(range(256)) * 1000


def fetch(url: str, max_bytes: int = 1_000_000, seconds: float = 20, silence: float = 10) -> bytes:
    return download(url, max_bytes, seconds, silence)


def test_what_is_there(server):
    server.paths["file"] = whole(DATA)
    assert fetch(server.url("file")) == DATA
    assert fetch(server.url("file").replace("http", "HTTP")) == DATA


def test_without_a_length_until_the_server_hangs_up(server):
    server.paths["file"] = drip([b"HTTP/1.1 200 OK\r\n\r\n", DATA[:1000], DATA[1000:]])
    assert fetch(server.url("file")) == DATA


def test_in_chunks(server):
    pieces = [b"%x\r\n%s\r\n" % (len(part), part) for part in (DATA[:77], DATA[77:], b"")]
    server.paths["file"] = drip([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *pieces])
    assert fetch(server.url("file")) == DATA


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_packed_answers_are_unpacked(server, encoding, pack):
    server.paths["file"] = whole(pack(DATA), Content_Encoding=encoding)
    assert fetch(server.url("file")) == DATA


def test_what_unpacks_to_too_much_is_given_up(server):
    packed = gzip.compress(bytes(300_000_000), 9)
    server.paths["file"] = whole(packed, Content_Encoding="gzip")
    assert len(packed) < 1_000_000
    with pytest.raises(DownloadError, match="larger than 1 MB"):
        fetch(server.url("file"))


@pytest.mark.parametrize("length", ["", "Content-Length: 100000000000\r\n"])
def test_what_does_not_end_is_given_up_at_the_limit(server, length):
    sent = itertools.count()
    endless = (next(sent).to_bytes(8, "big") * 10_000 for _ in itertools.count())
    server.paths["file"] = drip(itertools.chain([f"HTTP/1.1 200 OK\r\n{length}\r\n".encode()], endless))
    with pytest.raises(DownloadError, match="larger than 1 MB"):
        fetch(server.url("file"))
    assert next(sent) < 1000  # pieces of 80 kB


@pytest.mark.parametrize("count", [0, 1000])
def test_cut_short(server, count):
    server.paths["file"] = part(DATA, count)
    with pytest.raises(DownloadError):
        fetch(server.url("file"))


DRIPS = {
    "body": itertools.chain([b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"], itertools.repeat(b"x")),
    "body without a length": itertools.chain([b"HTTP/1.1 200 OK\r\n\r\n"], itertools.repeat(b"x")),
    "headers": itertools.chain([b"HTTP/1.1 200 OK\r\nServer: "], itertools.repeat(b"x")),
    "status": itertools.repeat(b"H"),
}


@pytest.mark.parametrize("what", DRIPS)
def test_a_byte_at_a_time_ends_at_the_deadline(server, what):
    server.paths["file"] = drip(DRIPS[what], pause=0.05)
    began = time.monotonic()
    with pytest.raises(DownloadError, match="not complete after 1 seconds"):
        fetch(server.url("file"), seconds=1)
    assert time.monotonic() - began < 15  # dripping, it would be 50 s and more


def test_silence_is_given_up(server):
    server.paths["file"] = stall(DATA, 1000)
    with pytest.raises(DownloadError, match=r"Timeout|TimeOut"):
        fetch(server.url("file"), silence=0.5)


def test_redirects_are_followed(server):
    server.paths |= {"a": redirect("/b"), "b": redirect(server.url("c")), "c": whole(DATA)}
    assert fetch(server.url("a")) == DATA


@pytest.mark.parametrize("to", ["ftp://127.0.0.1:9/x", "file:///etc/passwd", "data:,x", "FTP://127.0.0.1/x"])
def test_redirects_lead_to_http_alone(server, to):
    server.paths |= {"a": redirect("/b"), "b": redirect(to)}
    with pytest.raises(
        DownloadError, match=f"leads to {to.partition(':')[0].lower()}:, not to http or https"
    ):
        fetch(server.url("a"))


def test_redirects_in_a_circle_end(server):
    server.paths |= {"a": redirect("/b"), "b": redirect("/a")}
    with pytest.raises(DownloadError, match="more than 10 redirects"):
        fetch(server.url("a"))
    assert len(server.asked) == 11


def test_what_a_redirect_says_besides_is_not_read(server):
    sent = itertools.count()
    endless = (next(sent).to_bytes(8, "big") * 10_000 for _ in itertools.count())
    start = b"HTTP/1.1 302 Found\r\nLocation: /b\r\n\r\n"
    server.paths |= {"a": drip(itertools.chain([start], endless)), "b": whole(DATA)}
    assert fetch(server.url("a")) == DATA
    assert next(sent) < 1000


def test_errors_of_the_server(server):
    with pytest.raises(DownloadError, match="HTTP 404 Not Found"):
        fetch(server.url("missing"))


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/", "http://", "http://[", "http://a..b/", "http://\udcff/", "ftp://a/"]
)
def test_no_server(url):
    with pytest.raises(DownloadError) as error:
        fetch(url)
    assert "\n" not in str(error.value)
