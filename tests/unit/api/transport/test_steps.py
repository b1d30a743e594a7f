"""The ledger over HTTP: what is asked for, and in how many requests."""

from __future__ import annotations

from uuid import uuid4

import ormsgpack
import pytest

from bpaz_lab.api.transport import steps as remote_steps
from bpaz_lab.api.transport.steps import RemoteSteps
from bpaz_lab.engine.steps import StepRow, intact, sealed
from bpaz_lab.errors import LeaseLost, NotFound

pytestmark = pytest.mark.unit


class Server:
    """Keeps rows and pieces, and what was asked for; answers pages of two rows."""

    def __init__(self):
        self.rows, self.parts, self.asked = {}, {}, []

    def call(self, method, path, *, query=None, body=None, headers=None):
        self.asked.append((method, path.rpartition("/")[2]))
        return {"lacking": [each for each in body["digests"] if each not in self.parts]}

    def send(self, method, path, data=None, *, query=None):
        self.asked.append((method, path.partition("/")[2].partition("/")[2]))
        if method == "PUT":
            self.parts[path.rpartition("/")[2]] = data
        elif method == "POST":
            assert query == {"epoch": 3}
            self.rows |= {row[0]: row for row in ormsgpack.unpackb(data)}
        elif "/parts/" in path:
            return self.parts[path.rpartition("/")[2]]
        else:
            after = query["after"]
            rows = [self.rows[each] for each in sorted(self.rows) if after is None or each > after]
            behind = rows[1][0] if len(rows) > 2 else None
            return ormsgpack.packb({"rows": rows[:2], "next": behind})
        return b""


def test_rows_and_pieces_go_there_and_come_back(monkeypatch):
    monkeypatch.setattr(remote_steps, "ROOM", 500)
    monkeypatch.setattr(remote_steps, "NAMES", 2)
    server, id = Server(), str(uuid4())
    steps = RemoteSteps(server, id, 3)
    assert steps.run_id == id.replace("-", "")
    names = [f"{number:032x}" for number in range(3)]
    assert steps.lacking(names) == set(names)
    rows = [
        sealed(steps.run_id, StepRow(address, "done", "once", b"x" * 100, (names[0],), 100, 3, 1.0, 2.0))
        for address in ("", "a", "b", "c", "d")
    ]
    steps.write(rows, {names[0]: b"a piece"})
    assert [what for method, what in server.asked if method == "PUT"] == [f"parts/{names[0]}"]
    assert [method for method, what in server.asked if what == "ledger"] == ["POST"] * 5
    assert [each for _, each in server.asked].index("ledger") > [each for _, each in server.asked].index(
        f"parts/{names[0]}"
    )
    assert steps.read() == rows
    assert all(intact(steps.run_id, row) for row in steps.read())
    assert steps.part(names[0]) == b"a piece"
    assert steps.lacking(names) == set(names[1:])
    steps.beat()
    assert server.asked[-1] == ("POST", "ledger")
    assert len(server.rows) == 5


class Elsewhere:
    """A server that gave the execution to another kernel."""

    def call(self, *_asked, **_with):
        raise NotFound("there is no such execution")

    send = call


def test_what_another_kernel_was_given_is_lost():
    steps = RemoteSteps(Elsewhere(), str(uuid4()), 1)
    row = sealed(steps.run_id, StepRow("a", "done", "once", b"", (), 0, 1, 1.0, 2.0))
    for work in (
        steps.beat,
        lambda: steps.write([row], {}),
        lambda: steps.write([], {"0" * 32: b"a piece"}),
        lambda: steps.lacking(["0" * 32]),
    ):
        with pytest.raises(LeaseLost, match="somebody else goes on"):
            work()
    with pytest.raises(NotFound):  # who only reads has no lease to lose
        steps.part("0" * 32)
