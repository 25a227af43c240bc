"""A server on this machine, with answers of every bad kind."""

import contextlib
import http.server
import threading
from collections.abc import Callable, Iterable
from typing import Any

Answer = Callable[[Any], None]
"""What is done with a handler to answer it."""


class Server(http.server.ThreadingHTTPServer):
    """Serves `paths`, {path: answer}, and remembers what was asked for."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.paths, self.asked = {}, []
        self.ended = threading.Event()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{path}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        answer = self.server.paths.get(self.path.lstrip("/"))
        if answer is None:
            self.send_error(404)
            return
        with contextlib.suppress(ConnectionError):
            answer(self)

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def serving():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.ended.set()
        server.shutdown()
        thread.join()


def whole(data: bytes, **headers: str) -> Answer:
    return part(data, len(data), **headers)


def part(data: bytes, count: int, **headers: str) -> Answer:
    """Promises all, sends `count` bytes, hangs up."""

    def answer(handler):
        handler.send_response(200)
        for name, value in {"Content_Length": str(len(data)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(data[:count])

    return answer


def stall(data: bytes, count: int) -> Answer:
    """Promises all, sends `count` bytes, and then nothing."""

    def answer(handler):
        part(data, count)(handler)
        handler.wfile.flush()
        handler.server.ended.wait(60)

    return answer


def drip(pieces: Iterable[bytes], pause: float = 0.0) -> Answer:
    """Sends bytes as they are, headers included, with a pause after each piece, as long as there are any."""

    def answer(handler):
        for piece in pieces:
            handler.wfile.write(piece)
            if handler.server.ended.wait(pause):
                return

    return answer


def redirect(to: str) -> Answer:
    def answer(handler):
        handler.send_response(302)
        handler.send_header("Location", to)
        handler.end_headers()

    return answer
