"""Hand out the site on this machine, and rebuild it when a source changes."""

import errno
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SOURCES = ("_config.yml", "_toc.yml", "book", "chapters", "vae_lib")
NOT_SOURCES = {"__pycache__", ".ipynb_checkpoints"}
SECONDS_BETWEEN_LOOKS = 1.0


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files without a line on the terminal for every request."""

    def log_message(self, format: str, *args: object) -> None:
        pass


def changes(root: Path) -> dict[Path, float]:
    """When each source was last changed, in seconds since the epoch; one that goes is missed."""
    tops = [root / name for name in SOURCES]
    files = [p for top in tops for p in (top.rglob("*") if top.is_dir() else [top])]
    seen = {}
    for path in files:
        if path.is_file() and not NOT_SOURCES & set(path.parts):
            try:
                seen[path] = path.stat().st_mtime
            except FileNotFoundError:
                continue  # an editor's own, gone between the two looks
    return seen


def listen(html: Path, port: int) -> ThreadingHTTPServer | None:
    """A server for the site, for this machine alone; None, and a sentence, where the port is taken.

    The folder need not be there yet.
    """
    handler = partial(QuietHandler, directory=str(html))
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        print(
            f"Port {port} is taken, perhaps by another `make serve`: "
            f"end that one, or choose another port with `make serve PORT={port + 1}`.",
            file=sys.stderr,
        )
        return None


def serve(server: ThreadingHTTPServer, root: Path, rebuild: Callable[[], int]) -> None:
    """Serve on this machine alone, and call `rebuild` after every change, until Ctrl-C."""
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"Serving http://127.0.0.1:{server.server_port} (Ctrl-C ends it)", flush=True)
    seen = changes(root)
    try:
        while True:
            time.sleep(SECONDS_BETWEEN_LOOKS)
            latest = changes(root)
            if latest != seen:
                seen = latest
                rebuild()
    finally:
        server.shutdown()
