"""Where InceptionV1 comes from: a file, a folder, the cache, the network, in this order.

The cache holds one zip with the graph and its class names: it is there whole or not at all, its
checksums show a flipped bit, and it is read without being unpacked. What is downloaded is compared
with its SHA-256 where one was published (`inception_v1.SOURCES`). Whatever a graph came from, it is
checked node by node before anything else is done with it.
"""

import hashlib
import io
import os
import warnings
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from lucid_ext.models import inception_v1
from lucid_ext.models.download import download
from lucid_ext.models.graph import GraphDef, read
from lucid_ext.models.inception_v1 import CLASSES, NAME, NAMED_CLASSES, Source
from lucid_ext.storage.files import cache_folder, write_atomically

MODELS = "LUCID_EXT_MODELS"
"""The environment variable that names a folder of downloaded networks."""

TIMEOUT_SECONDS = 30.0  # of silence, while connecting or in the middle
DOWNLOAD_SECONDS = 1800.0  # for a whole file, on a slow line

Network: TypeAlias = tuple[GraphDef, list[str]]
"""A checked graph and its class names, none where they are unknown."""


def find(sources: Sequence[Source] | None = None, timeout: float = TIMEOUT_SECONDS) -> Network:
    """InceptionV1 from `$LUCID_EXT_MODELS`, from the cache, or downloaded into the cache.

    A damaged file in the cache counts as missing; one in the reader's own folder is an error.

    Args:
        sources: where to download it, tried in turn; those of `inception_v1.SOURCES` by default.
        timeout: seconds of silence after which a source is given up.

    Raises:
        ValueError: one sentence that says what is wrong, or how to get the weights.
    """
    own = _in_folder()
    if own is not None:
        return from_file(own)
    cached = cache_folder() / "models" / f"{NAME}.zip"
    if cached.is_file():
        try:
            return from_file(cached)
        except ValueError:
            pass  # it is written anew below
    packed, network = _download(inception_v1.SOURCES if sources is None else sources, timeout)
    try:
        cached.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(cached, packed)
    except OSError as error:
        warnings.warn(
            f"InceptionV1 cannot be saved as {cached} ({error.strerror or error}) and will be downloaded "
            "again next time: free some space or set LUCID_EXT_CACHE to a writable folder.",
            stacklevel=3,
        )
    return network


def from_file(path: Path) -> Network:
    """InceptionV1 from a zip, or from a frozen graph with its class names in a text file beside it.

    The text file has the graph's name and ends in .txt, or has the name it was published under.

    Raises:
        ValueError: one sentence that says what is wrong with it.
    """
    try:
        if path.suffix == ".zip":
            return _from_zip(path, str(path))
        network = read(path.read_bytes(), str(path))
        inception_v1.check(network, str(path))
        beside = [path.with_suffix(".txt"), *(path.with_name(n) for n in inception_v1.LABEL_NAMES)]
        found = next((file for file in beside if file.is_file()), None)
        return network, _labels(found.read_bytes(), str(found)) if found else []
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error.strerror or error}).") from error


def _in_folder() -> Path | None:
    """The file of the network in the reader's own folder of networks, if there is any."""
    named = os.environ.get(MODELS)
    if not named:
        return None
    folder = os.path.expanduser(named)
    if not os.path.isdir(folder):
        raise ValueError(f"${MODELS} is {named!r}, which is no folder; expected one with inception5h.zip.")
    files = (os.path.join(folder, name) for name in inception_v1.FILE_NAMES)
    return next((Path(file) for file in files if os.path.isfile(file)), None)


def _from_zip(file: Path | io.BytesIO, name: str) -> Network:
    try:
        with zipfile.ZipFile(file) as archive:
            members = {PurePosixPath(info.filename).name: info for info in archive.infolist()}
            wanted = (inception_v1.GRAPH_IN_ZIP, inception_v1.LABELS_IN_ZIP)
            for info in (members[w] for w in wanted if w in members):
                if info.file_size > inception_v1.MOST_BYTES:
                    raise ValueError(f"{name}: {info.filename} unpacks to {info.file_size:,} bytes.")
            if wanted[0] not in members:
                raise ValueError(f"{name} holds no {wanted[0]}; expected the contents of inception5h.zip.")
            graph, labels = (archive.read(members[w]) if w in members else None for w in wanted)
    # What the archive's decoders raise for damage, for a password, and for a method they lack.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise ValueError(f"{name} is damaged or is not a zip ({error}): fetch the file again.") from error
    assert graph is not None
    network = read(graph, name)
    inception_v1.check(network, name)
    return network, [] if labels is None else _labels(labels, name)


def _labels(text: bytes, name: str) -> list[str]:
    """Class names, one a line."""
    try:
        labels = [line.strip() for line in text.decode("utf-8").strip().splitlines()]
    except UnicodeDecodeError as error:
        raise ValueError(f"the class names of {name} are not text in UTF-8.") from error
    if not NAMED_CLASSES <= len(labels) <= CLASSES or not all(labels):
        raise ValueError(
            f"{name} holds {len(labels)} class names, one a line; expected {NAMED_CLASSES}, of which the "
            "first is 'dummy'."
        )
    return labels


def _download(sources: Sequence[Source], timeout: float) -> tuple[bytes, Network]:
    """The first source that has it: as the zip to keep, and read from it."""
    failures = []
    for source in sources:
        try:
            packed = _fetch(source.url, source.sha256, timeout)
            if not source.url.endswith(".zip"):
                inception_v1.check(read(packed, source.url), source.url)
                packed = _pack(packed, _first_labels(source.labels, timeout))
            return packed, _from_zip(io.BytesIO(packed), source.url)
        except (OSError, ValueError) as error:
            failures.append(f"{source.url.rpartition('/')[2]}: {str(error)[:160]}")
    raise ValueError(
        f"InceptionV1's weights are not on this machine and could not be downloaded "
        f"({'; '.join(failures)}): get {sources[0].url} by other means and give its path to load_model or "
        f"put it into a folder that ${MODELS} names, or use load_model(), which needs no download."
    )


def _first_labels(urls: Sequence[str], timeout: float) -> bytes | None:
    """The first list of class names that can be had; the network is of use without one."""
    for url in urls:
        try:
            text = _fetch(url, None, timeout)
            _labels(text, url)
            return text
        except (OSError, ValueError):
            continue  # the next one
    return None


def _fetch(url: str, sha256: str | None, timeout: float) -> bytes:
    """Download a file and check it against its checksum, where one is known."""
    data = download(url, inception_v1.MOST_BYTES, DOWNLOAD_SECONDS, timeout, progress=True)
    found = hashlib.sha256(data).hexdigest()
    if sha256 is not None and sha256 != found:
        raise ValueError(f"its SHA-256 is {found[:12]}..., expected {sha256[:12]}...")
    return data


def _pack(graph: bytes, labels: bytes | None) -> bytes:
    """A zip of the form of inception5h.zip; weights hardly compress, so they are stored as they are."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(inception_v1.GRAPH_IN_ZIP, graph)
        if labels is not None:
            archive.writestr(inception_v1.LABELS_IN_ZIP, labels)
    return packed.getvalue()
