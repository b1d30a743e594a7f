"""A Jupyter server in a process of its own, with its kernels: all of it may be killed.

Its kernels know the node types of ``crash_flow.py`` by a file that IPython runs when they start.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil

from tests.support import effects
from tests.support.server import BASE, TOKEN, serving

ROOT = Path(__file__).parents[2]
STARTUP = """
import sys
sys.path.insert(0, {root!r})
from tests.support import crash_flow
crash_flow.register()
"""


class ServerProcess:
    """A server that runs until it is killed.

    Args:
        folder: Where everything of it lies; a server that follows on another gets the same.
        settings: Settings of bpaz_lab.
        witness: An ``Effects``.
    """

    def __init__(self, folder, settings, witness):
        startup = Path(folder) / "ipythondir" / "profile_default" / "startup"
        startup.mkdir(parents=True, exist_ok=True)
        (startup / "00_crash.py").write_text(STARTUP.format(root=str(ROOT)))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.crash_server", str(folder), json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, effects.PORT: str(witness.port)},
        )
        self.url = self._process.stdout.readline().strip()
        assert self.url, "the server did not start"
        headers = {"Authorization": f"token {TOKEN}"}
        self.client = httpx.Client(base_url=self.url + BASE, timeout=60, headers=headers)
        self._kernels = []

    def alive(self):
        return self._process.poll() is None

    def kernels(self):
        """The processes of its kernels."""
        found = psutil.Process(self._process.pid).children(recursive=True)
        self._kernels = [each for each in found if any("ipykernel" in word for word in each.cmdline())]
        return self._kernels

    def kernel(self):
        """The process of its only kernel."""
        (kernel,) = self.kernels()
        return kernel

    def kill(self):
        """Ends it as a crash would, and not its kernels: they notice by themselves."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def close(self):
        """Ends it and its kernels."""
        self.client.close()
        if self.alive():
            self.kernels()
            self._process.stdin.close()
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
        for kernel in self._kernels:
            if kernel.is_running():
                kernel.kill()
        self._process.stdout.close()

    def events(self, id):
        """All stored events of an execution."""
        found, after = [], -1
        while True:
            answer = self.client.get(
                f"executions/{id}/events", params={"after": after}, headers={"Accept": "application/json"}
            )
            assert answer.status_code == 200, answer.text
            if not answer.json()["items"]:
                return found
            found += answer.json()["items"]
            after = answer.json()["next"]

    def until(self, id, *statuses, patience=120):
        """Waits until an execution has one of these statuses; gives it."""
        end = time.monotonic() + patience
        while True:
            answer = self.client.get(f"executions/{id}")
            found = answer.json() if answer.status_code == 200 else {"status": answer.text}
            if found["status"] in statuses:
                return found
            assert time.monotonic() < end, f"the execution is {found} and not {statuses}"
            time.sleep(0.1)


if __name__ == "__main__":
    from tests.support import crash_flow

    crash_flow.register()
    with serving(Path(sys.argv[1]), json.loads(sys.argv[2])) as server:
        print(server.url, flush=True)  # noqa: T201
        sys.stdin.read()
