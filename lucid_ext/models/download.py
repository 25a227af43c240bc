"""Downloads over HTTP: within a time and a size, and from no other kind of address."""

import queue
import threading
import urllib.parse

import requests
from tqdm.auto import tqdm

MAX_REDIRECTS = 10
CHUNK = 1 << 16


class DownloadError(OSError):
    """A few words on why there is no file, for a sentence that says which file and what to do."""


def download(url: str, max_bytes: int, seconds: float, silence: float, progress: bool = False) -> bytes:
    """Return what an address has.

    Args:
        url: http or https, as every address must be that it redirects to.
        max_bytes: how much it may be, unpacked.
        seconds: how long it may take altogether, whatever the server does.
        silence: seconds without a byte after which the server is given up.
        progress: show a progress bar.

    Raises:
        DownloadError: a few words on what went wrong.
    """
    outcome: queue.SimpleQueue[bytes | Exception] = queue.SimpleQueue()
    given_up = threading.Event()

    def work() -> None:
        try:
            outcome.put(_follow(url, max_bytes, silence, progress, given_up))
        except Exception as error:
            outcome.put(error)

    # No timeout of a socket ends headers that come a byte at a time, so a thread reads and may be abandoned.
    threading.Thread(target=work, name="download", daemon=True).start()
    try:
        found = outcome.get(timeout=seconds)
    except queue.Empty:
        raise DownloadError(f"not complete after {seconds:g} seconds") from None
    finally:
        given_up.set()
    if isinstance(found, bytes):
        return found
    if isinstance(found, DownloadError):
        raise found
    # What a lost connection says of itself is for programmers.
    raise DownloadError(type(found).__name__) from found


class _Session(requests.Session):
    """Follows no redirect by itself: it would first read all of an answer that nobody needs."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


def _follow(url: str, max_bytes: int, silence: float, progress: bool, given_up: threading.Event) -> bytes:
    with _Session() as session:
        for _ in range(1 + MAX_REDIRECTS):
            scheme = urllib.parse.urlsplit(url).scheme
            if scheme not in ("http", "https"):
                raise DownloadError(f"it leads to {scheme}:, not to http or https")
            with session.get(url, stream=True, timeout=silence) as response:
                target = requests.Session.get_redirect_target(session, response)
                if target is None:
                    return _body(response, max_bytes, progress, given_up)
                url = urllib.parse.urljoin(url, target)
    raise DownloadError(f"more than {MAX_REDIRECTS} redirects")


def _body(response: requests.Response, max_bytes: int, progress: bool, given_up: threading.Event) -> bytes:
    if not response.ok:
        raise DownloadError(f"HTTP {response.status_code} {response.reason}")
    length = response.headers.get("Content-Length", "")
    data = bytearray()
    with tqdm(
        total=int(length) if length.isdecimal() else None, unit="B", unit_scale=True, disable=not progress
    ) as bar:
        # Not more than has arrived, so that the limits are looked at while the server takes its time.
        while chunk := response.raw.read1(CHUNK, decode_content=True):
            data += chunk
            bar.update(len(chunk))
            if len(data) > max_bytes:
                raise DownloadError(f"larger than {max_bytes // 1_000_000} MB")
            if given_up.is_set():
                raise DownloadError("given up")
    return bytes(data)
