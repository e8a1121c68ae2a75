"""A download mirror on localhost, sound or faulty, for the tests of `vae_lib.data`."""

import contextlib
import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

REFUSED = "http://127.0.0.1:9/"  # the "discard" port: nobody listens there


@contextlib.contextmanager
def serve(files, respond=None):
    """Serve ``{file name: content}`` as ``<file name>.gz``; yields ``.url`` and ``.requests``.

    A file whose own name ends in .gz is an archive, and served as it is. ``respond(handler, body)``
    takes the place of a sound answer with the gzipped ``body``.
    """
    bodies = {
        f"/{name.removesuffix('.gz')}.gz": content if ".gz" in name else gzip.compress(content)
        for name, content in files.items()
    }
    requests = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            requests.append(self.path)
            if self.path not in bodies:
                self.send_error(404)
            else:
                (respond or send)(self, bodies[self.path])

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/"
        yield SimpleNamespace(url=url, requests=requests)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def send(handler, body, *, length=None, encoding=None):
    """Send a body, with the truth or something else in the header."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body) if length is None else length))
    if encoding:
        handler.send_header("Content-Encoding", encoding)
    handler.end_headers()
    with contextlib.suppress(ConnectionError):  # the other side may have given up
        handler.wfile.write(body)
