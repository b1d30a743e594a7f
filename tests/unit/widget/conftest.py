from __future__ import annotations

import json
import threading
import time

import pytest

from bpaz_lab.engine.runtime import runtime
from bpaz_lab.widget import bridge as bridges
from bpaz_lab.widget.bridge import Bridge
from tests.support.flows import Flow

WAIT = 20
"""Seconds after which a test that hangs fails."""


class Page:
    """The other side of a bridge: keeps what was sent to it, as JSON."""

    def __init__(self, workflow):
        self.workflow = workflow
        self.sent, self.shown = [], []
        self._lock = threading.Lock()
        self.bridge = Bridge(workflow, self._receive, lambda run, value: self.shown.append((run, value)))

    def _receive(self, message):
        with self._lock:
            self.sent.append(json.dumps(message, allow_nan=False, separators=(",", ":")))

    @property
    def messages(self):
        """Everything so far."""
        with self._lock:
            return [json.loads(each) for each in self.sent]

    def ask(self, type, **parts):
        """Sends a message and gives what came back before it returned."""
        before = len(self.sent)
        self.bridge.receive({"type": type, **parts})
        return self.messages[before:]

    def change(self, *operations, id="1", base=0):
        """Sends an edit."""
        return self.ask("change", id=id, base=base, operations=list(operations))

    def of(self, type):
        """The messages of one type."""
        return [message for message in self.messages if message["type"] == type]

    def until(self, condition):
        """Waits until the page has seen something."""
        deadline = time.monotonic() + WAIT
        while not condition():
            assert time.monotonic() < deadline, self.messages[-5:]
            time.sleep(0.005)

    def settled(self):
        """Waits for the checks that follow a change."""
        bridges._checker.submit(lambda: None).result(WAIT)
        runtime().submit(_nothing()).result(WAIT)


async def _nothing():
    pass


@pytest.fixture
def wf():
    return Flow()


@pytest.fixture
def page(wf):
    """An open canvas."""
    found = Page(wf)
    found.ask("open")
    yield found
    found.bridge.close()


@pytest.fixture
def other(wf):
    """Another canvas of the same workflow."""
    found = Page(wf)
    found.ask("open")
    yield found
    found.bridge.close()
