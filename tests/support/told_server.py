"""An HTTP server on loopback that answers what a test tells it to, and keeps what it was asked."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Told(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do(self):
        server = self.server
        length = int(self.headers.get("content-length", 0))
        server.asked.append((self.command, self.path, dict(self.headers), self.rfile.read(length)))
        status, headers, body = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = do  # noqa: N815 (the names of http.server)

    def log_message(self, *_):
        """Says nothing."""


@contextmanager
def told_server():
    """The server: `answers` are (status, headers, body), one for each request, the last one for all others;
    `asked` has (method, path, headers, body)."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Told)
    server.asked, server.answers = [], [(200, {"Content-Type": "application/json"}, b"{}")]
    server.url = f"http://127.0.0.1:{server.server_port}/base/"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
