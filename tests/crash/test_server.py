"""Executions on a Jupyter server: its kernel is killed or stopped, it is killed itself; the run goes on.

As in ``test_kills.py``, but through kernels, HTTP and the events that people read: those have no gap, and
nothing that was once stored changes.
"""

from __future__ import annotations

import shutil
import signal
import time

import pytest

from tests.support.crash import World
from tests.support.crash_flow import DOCUMENT, ONCE, SLOW, TEXT
from tests.support.crash_life import Life
from tests.support.crash_server import ServerProcess

pytestmark = [pytest.mark.integration, pytest.mark.api, pytest.mark.timeout(300)]

LEASE = 2


class Hosted(Life):
    """The life of an execution, as a person sees it who asks a server."""

    def __init__(self, world, server):
        self.world, self.server = world, server
        self.looks, self.deaths, self.faults, self.outcome, self.answered = [], 0, [], None, {}
        answer = server.client.post(
            "workflows/execute", params={"wait": 0}, json={"flow_data": DOCUMENT, "inputs": {"text": TEXT}}
        )
        assert answer.status_code in (200, 202), answer.text
        self.run = answer.json()["id"].replace("-", "")

    def look(self):
        found = super().look()
        found.events = self.server.events(self.id)
        return found

    def until_done(self, steps):
        """Waits until so many steps were done outside."""
        end = time.monotonic() + 120
        while len(self.world.witness.of(self.run)) < steps:
            assert time.monotonic() < end, self.server.client.get(f"executions/{self.id}").text
            time.sleep(0.02)

    def crashed(self):
        """It was cut off: the server says so, and what is in doubt."""
        found = self.server.until(self.id, "failed")
        assert found["error"]["code"] == "run_crashed"
        self.deaths += 1
        self._looked()
        self._flagged(set(found["in_doubt"]))

    def resume(self, **answers):
        answer = self.server.client.post(f"executions/{self.id}/resume", json={"answers": answers})
        assert answer.status_code == 202, answer.text

    def end_of(self, expected):
        """Answers until it has ended; gives all faults."""
        while (found := self.server.until(self.id, "paused", "completed", "failed"))["status"] == "paused":
            self.resume(**self._answers(found["questions"]))
        self.outcome = found
        return self.end(expected)


@pytest.fixture(scope="module")
def place(tmp_path_factory, sqlite_template):
    """The folder of an installation."""
    folder = tmp_path_factory.mktemp("place")
    (folder / "bpaz_lab").mkdir()
    shutil.copy(sqlite_template, folder / "bpaz_lab" / "bpaz_lab.sqlite3")
    return folder


@pytest.fixture(scope="module")
def world(place, witness):
    return World({"data_folder": str(place / "bpaz_lab")}, witness)


@pytest.fixture(scope="module")
def serve(place, witness):
    """The server of the installation; it is started where there is none."""
    running = []

    def start():
        if not running or not running[-1].alive():
            running.append(ServerProcess(place, {"lease": LEASE, "log_level": "error"}, witness))
        return running[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SLOW, "0.1")
        yield start
    for server in running:
        server.close()


@pytest.fixture(scope="module")
def expected(on_sqlite):
    life = Life(on_sqlite)
    assert not life.live()
    return life.outcome["output"]


@pytest.mark.full  # tests/api/test_execution_resume.py kills a kernel each time
def test_its_kernel_is_killed(world, serve, expected):
    server = serve()
    life = Hosted(world, server)
    for steps in (4, 12):
        life.until_done(steps)
        server.kernel().kill()
        life.crashed()
        life.resume()
        answered(life)
    assert life.end_of(expected) == []


def answered(life):
    """Says what happened to the steps that are in doubt, if it asks."""
    found = life.server.until(life.id, "paused", "running")
    if found["status"] == "paused" and ONCE & set(found["questions"]):
        life.resume(**life._answers(found["questions"]))


def test_it_is_killed_itself(world, serve, expected):
    life = Hosted(world, serve())
    life.until_done(5)
    life.server.kill()
    life.server = serve()
    life.crashed()
    life.resume()
    assert life.end_of(expected) == []


@pytest.mark.full
def test_it_is_killed_while_a_run_waits_for_a_person(world, serve, expected):
    life = Hosted(world, serve())
    life.server.until(life.id, "paused")
    life.server.kill()
    life.server = serve()
    found = life.server.until(life.id, "paused")
    assert list(found["questions"]) == ["ask"]
    assert found["in_doubt"] == []
    assert life.end_of(expected) == []


@pytest.mark.full
def test_its_kernel_is_a_zombie(world, serve, expected):
    server = serve()
    life = Hosted(world, server)
    life.until_done(4)
    zombie = server.kernel()
    zombie.send_signal(signal.SIGSTOP)
    life.crashed()
    life.resume()
    life.server.until(life.id, "paused")
    assert zombie not in server.kernels()  # the server does not leave it to wake up
    assert life.end_of(expected) == []
