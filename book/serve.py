"""Hand out the site on this machine, and rebuild it when a source changes."""

import threading
import time
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SOURCES = ("_config.yml", "_toc.yml", "book", "chapters", "vae_lib")
PORT = 8000
SECONDS_BETWEEN_LOOKS = 1.0


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files without a line on the terminal for every request."""

    def log_message(self, format: str, *args: object) -> None:
        pass


def newest_change(root: Path) -> float:
    """When a source was last changed, in seconds since the epoch."""
    tops = [root / name for name in SOURCES]
    files = [p for top in tops for p in (top.rglob("*") if top.is_dir() else [top])]
    watched = [p for p in files if p.is_file() and "__pycache__" not in p.parts]
    return max(p.stat().st_mtime for p in watched)


def serve(root: Path, html: Path, rebuild: Callable[[], int]) -> None:
    """Serve `html` on this machine alone, and call `rebuild` after every change, until Ctrl-C."""
    handler = partial(QuietHandler, directory=str(html))
    server = ThreadingHTTPServer(("127.0.0.1", PORT), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"Serving http://127.0.0.1:{PORT} (Ctrl-C ends it)", flush=True)
    seen = newest_change(root)
    try:
        while True:
            time.sleep(SECONDS_BETWEEN_LOOKS)
            latest = newest_change(root)
            if latest != seen:
                seen = latest
                rebuild()
    except KeyboardInterrupt:
        server.shutdown()
