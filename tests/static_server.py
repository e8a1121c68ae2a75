"""A static web server on this machine, as a book's host is one: it compresses text."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

COMPRESSED = {".html", ".js", ".css", ".json", ".svg", ".ipynb", ".txt", ".inv", ".md"}
LEVEL = 6  # gzip's and most servers' own


@cache
def compressed(path: Path, changed: int) -> bytes:
    """A file as it goes over the wire."""
    content = path.read_bytes()
    return gzip.compress(content, LEVEL) if path.suffix in COMPRESSED else content


class Handler(SimpleHTTPRequestHandler):
    """Sends files, compressed where that is worth it, with further headers if any."""

    protocol_version = "HTTP/1.1"

    def __init__(self, *arguments, headers: dict[str, str], **options):
        self.further = headers
        super().__init__(*arguments, **options)

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if path.is_dir():
            path = path / "index.html"
        if not path.is_file():
            self.send_error(404)
            return
        body = compressed(path, path.stat().st_mtime_ns)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Length", str(len(body)))
        if path.suffix in COMPRESSED:
            self.send_header("Content-Encoding", "gzip")
        for name, value in self.further.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that closes a page in the middle of a file is no error."""


@contextmanager
def serving(folder: Path, headers: dict[str, str] | None = None) -> Iterator[str]:
    """The address, such as http://127.0.0.1:41234, at which a folder is served."""
    handler = partial(Handler, directory=str(folder), headers=headers or {})
    with QuietServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def weight(folder: Path, address: str) -> int:
    """The bytes of an address's body as served."""
    path = folder / unquote(urlsplit(address).path).lstrip("/")
    return len(compressed(path, path.stat().st_mtime_ns))
