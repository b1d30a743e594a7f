"""Readers of a stream that do not read, come and go, or vanish: neither the run nor others notice.

The kernel is the test's own: it claims an execution and tells thousands of events, as fast as it may.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import socket
import time
from urllib.parse import urlsplit

import pytest

from tests.support.server import BASE, TOKEN
from tests.withstand.town import execution, town_in

pytestmark = [pytest.mark.integration, pytest.mark.api]

QUEUE = 64
BATCH = 50
PIECE = "x" * 2_000


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    with town_in(tmp_path_factory.mktemp("streams"), "root", "ada", event_queue=QUEUE, heartbeat=0.2) as made:
        yield made


class Told:
    """An execution whose kernel is the test."""

    def __init__(self, town):
        self.town, self.seq = town, 0
        self.id = execution(town, "ada", status="pending", kernel_id="kernel-of-ada")
        self.kernel = town.kernel("ada")
        answer = self.kernel.post(f"executions/{self.id}/claim")
        assert answer.status_code == 200, answer.text

    def tell(self, *events, **more):
        told = {"epoch": 0, "events": list(events), **more}
        answer = self.kernel.post(f"executions/{self.id}/events", json=told)
        assert answer.status_code == 200, answer.text
        self.seq += len(events)
        assert answer.json()["received"] == self.seq

    def tokens(self, number, text=PIECE):
        for first in range(self.seq, self.seq + number, BATCH):
            last = min(first + BATCH, self.seq + number) if number < BATCH else first + BATCH
            self.tell(
                *[
                    {"type": "token", "seq": n, "time": n / 10, "node": "hello", "port": "text", "text": text}
                    for n in range(first, last)
                ]
            )

    def finish(self):
        end = {
            "type": "run.finished", "seq": self.seq, "time": self.seq / 10, "status": "completed",
            "duration": 1.0, "output": None, "usage": None, "saved": None, "error": None,
        }  # fmt: skip
        self.tell(end, outcome={"status": "completed", "output": "done"})


class Raw:
    """A reader with a tiny buffer, which reads when it is told to."""

    def __init__(self, town, id, last=None):
        address = urlsplit(town.server.url)
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        self.socket.settimeout(30)
        self.socket.connect((address.hostname, address.port))
        after = "" if last is None else f"Last-Event-ID: {last}\r\n"
        self.socket.sendall(
            (
                f"GET {address.path}{BASE}executions/{id}/events HTTP/1.1\r\nHost: {address.netloc}\r\n"
                f"Authorization: token {TOKEN}\r\nX-Bpaz-Authorization: Bearer {town.people['ada'].token}\r\n"
                f"Accept: text/event-stream\r\n{after}\r\n"
            ).encode()
        )
        self.file = self.socket.makefile("rb")

    def events(self, most=10**9):
        """The events that come until the stream ends: (id, event, data)."""
        found, event = [], {}
        for line in self._lines():
            name, _, value = line.partition(": ")
            if line:
                event[name] = value
                continue
            if "data" in event:
                found.append((event.get("id"), event["event"], json.loads(event["data"])))
                if len(found) >= most:
                    return found
            event = {}
        return found

    def _lines(self):
        while self.file.readline().strip():
            pass  # the head
        rest = b""
        while size := int(self.file.readline().strip() or b"0", 16):
            rest += self.file.read(size)
            self.file.readline()
            *lines, rest = rest.split(b"\n")
            yield from (line.decode() for line in lines)

    def close(self):
        self.file.close()
        self.socket.close()


def live(town):
    return town.server.lab.live


def quiet(town):
    """Nobody listens any more; no task that served a reader is left, and no connection is lent out."""
    until(lambda: not (live(town).readers or serving(town) or lent(town)))


def serving(town):
    """The tasks that serve requests at present."""
    tasks = asyncio.all_tasks(town.server.loop)
    names = ("RequestHandler._execute", "send", "_chunks", "_wrap_awaitable")
    return [task for task in tasks if getattr(task.get_coro(), "__qualname__", "") in names]


def lent(town):
    """How many connections to the database are in use."""
    database = town.server.lab.database
    return database._reader.pool.checkedout() + database._writer.pool.checkedout()


def until(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)


def numbers(events):
    return [int(id) for id, name, _ in events if name != "resync"]


def test_readers_that_do_not_read(town):
    """Ten of them: what is told is taken all the same, others are served, and memory is bounded."""
    told = Told(town)
    told.tokens(BATCH)
    lazy = [Raw(town, told.id) for _ in range(10)]
    until(lambda: live(town).readers == 10)
    told.tokens(2_000)
    held = [sum(len(reader._queue) for reader in readers) for readers in list(live(town)._readers.values())]
    assert sum(held) <= 10 * (QUEUE + 1)
    waiting = _buffered(town)
    assert waiting < 10 * 2**20, waiting  # of 10 x 4 MB that were told
    eager = town["ada"].get(f"executions/{told.id}/events", headers={"Accept": "application/json"})
    assert len(eager.json()["items"]) == 500  # others are served meanwhile
    told.finish()
    assert town["ada"].get(f"executions/{told.id}").json()["status"] == "completed"

    for reader in lazy[:3]:  # they read on: what they get has no gap, and says where it ends
        events = reader.events()
        last = events[-1]
        assert last[1] == "resync"
        assert numbers(events) == list(range(len(events) - 1))
        again = Raw(town, told.id, last=len(events) - 2)
        rest = again.events()
        again.close()
        assert numbers(events) + numbers(rest) == list(range(told.seq))
        assert rest[-1][1] == "run.finished"
    for reader in lazy:
        reader.close()
    quiet(town)


def _buffered(town):
    """Bytes that the server holds for connections."""

    async def count():
        from tornado.iostream import IOStream

        streams = [each for each in gc.get_objects() if isinstance(each, IOStream)]
        return sum(each._write_buffer._size for each in streams if each._write_buffer is not None)

    return town.server.run(count())


def test_a_reader_that_comes_and_goes_at_random(town):
    """While events come, it is cut off after a random number of events, again and again, and misses none."""
    import threading

    told, chance = Told(town), random.Random(4)  # noqa: S311 (no secret)
    told.tokens(BATCH, "piece")

    def tell():
        for _ in range(12):
            told.tokens(BATCH, "piece")
            time.sleep(0.02)
        told.finish()

    thread = threading.Thread(target=tell)
    thread.start()
    seen, last = [], None
    for _ in range(500):
        reader = Raw(town, told.id, last=last)
        events = reader.events(most=chance.randint(1, 90))
        reader.close()
        seen += numbers(events)
        last = seen[-1] if seen else None
        if events and events[-1][1] == "run.finished":
            break
    thread.join(60)
    assert seen == list(range(told.seq))
    quiet(town)


def test_readers_that_vanish(town):
    """A connection that is reset in the middle of a stream, or in silence, leaves nothing behind."""
    told = Told(town)
    told.tokens(BATCH)
    readers = [Raw(town, told.id) for _ in range(8)]
    for reader in readers[:4]:
        assert len(reader.events(most=5)) == 5
    until(lambda: live(town).readers == 8)
    for reader in readers:  # no farewell: RST
        reader.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        reader.close()
    quiet(town)
    told.finish()


def test_a_stream_that_is_asked_for_behind_its_end(town):
    told = Told(town)
    told.tokens(BATCH, "piece")
    told.finish()
    for last, left in ((told.seq - 2, [told.seq - 1]), (told.seq - 1, []), (10**8, [])):
        reader = Raw(town, told.id, last=last)
        assert numbers(reader.events()) == left
        reader.close()
    for bad in ("-1", "x", "1e3", "9" * 12, "٣"):
        answer = town["ada"].get(
            f"executions/{told.id}/events", headers={"Last-Event-ID": bad.encode("utf-8")}
        )
        assert answer.status_code == 422, (bad, answer.text)
    quiet(town)
