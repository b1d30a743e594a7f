"""The world outside: a process of its own that writes down whatever was done to it, and forgets nothing.

It is the witness of the crash tests. What a node does outside is one line sent to it; the line is on the
disk before the answer goes out, so whoever was killed afterwards has done it all the same. Run as a script
it takes the path of its log and prints its port.
"""

from __future__ import annotations

import json
import os
import socket
import socketserver
import subprocess
import sys
import threading
from pathlib import Path

PORT = "CRASH_EFFECTS"
"""The variable in which a process finds the port."""


class Effects:
    """The witness, started; ``port`` is where it hears.

    Args:
        file: Its log, which must not exist yet.
    """

    def __init__(self, file):
        self.file = Path(file)
        self._process = subprocess.Popen(
            [sys.executable, "-I", __file__, str(file)], stdout=subprocess.PIPE, text=True
        )
        self.port = int(self._process.stdout.readline())

    def of(self, run):
        """What was done for a run, in order."""
        return [entry for entry in self.all() if entry["run"] == run]

    def all(self):
        """Everything that was ever done."""
        return [json.loads(line) for line in self.file.read_text().splitlines()]

    def settle(self):
        """Waits until everything that the dead had sent is written down."""
        _asked(self.port, "settle")

    def close(self):
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()


def do(**what):
    """Does something outside, and waits until it is known to be done."""
    _asked(int(os.environ[PORT]), what)


def _asked(port, what):
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(json.dumps(what).encode() + b"\n")
        assert connection.recv(16) == b"done\n"


class _Handler(socketserver.StreamRequestHandler):
    def handle(self):
        line = self.rfile.readline()
        if line == b'"settle"\n':
            self.server.until_alone()
        elif line.endswith(b"\n"):  # else the sender died in the middle, and nothing was done
            self.server.note(json.loads(line))
        self.wfile.write(b"done\n")


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, file):
        super().__init__(("127.0.0.1", 0), _Handler)
        self._lock = threading.Lock()
        self._left = threading.Condition()
        self._connected = 0
        self._file = os.open(file, os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_WRONLY, 0o600)

    def note(self, what):
        with self._lock:
            os.write(self._file, json.dumps(what).encode() + b"\n")
            os.fsync(self._file)

    def until_alone(self):
        """Waits until nobody is connected but who asks; whoever connected before is counted by now."""
        with self._left:
            self._left.wait_for(lambda: self._connected == 1)

    def process_request(self, request, client_address):
        with self._left:
            self._connected += 1
        super().process_request(request, client_address)

    def process_request_thread(self, request, client_address):
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._left:
                self._connected -= 1
                self._left.notify_all()

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):  # the dead do not listen
            super().handle_error(request, client_address)


if __name__ == "__main__":
    with _Server(sys.argv[1]) as server:
        print(server.server_address[1], flush=True)  # noqa: T201
        server.serve_forever()
