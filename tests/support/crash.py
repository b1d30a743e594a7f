"""Processes that are killed: a fork server that makes them quickly, and the world that they live in."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import time
from uuid import UUID, uuid4

import psutil
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from bpaz_lab.settings import Settings
from bpaz_lab.store.address import address
from bpaz_lab.store.database import Database
from tests.support import effects
from tests.support.crash_flow import SLOW

PATIENCE = 60.0
"""Seconds that nothing takes longer than; a child that hangs fails its test."""
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["pytest", "tests.support.crash_child"])


def _child(job, tell):
    from tests.support.crash_child import main

    main(job, tell)


class Child:
    """A process that runs a run; see ``crash_child.main`` for the job."""

    def __init__(self, job):
        self._hear, tell = _context.Pipe()
        self._process = _context.Process(target=_child, args=(job, tell), daemon=True)
        self._process.start()
        tell.close()
        self.pid = self._process.pid

    def hear(self, patience=PATIENCE):
        """The next word of the child and what belongs to it; ``("dead", signal)`` after the last one."""
        assert self._hear.poll(patience), f"the child said nothing for {patience:g} s"
        try:
            return self._hear.recv()
        except (EOFError, ConnectionResetError):
            self._process.join(PATIENCE)
            return "dead", -self._process.exitcode

    def spoke(self, patience):
        """Whether it says something within so many seconds, or is dead."""
        return self._hear.poll(patience)

    def say(self, what):
        """Gives the child the answers that it waits for."""
        self._hear.send(what)

    def signal(self, number=signal.SIGKILL):
        os.kill(self.pid, number)

    def until_stopped(self):
        """Waits until it is stopped."""
        end = time.monotonic() + PATIENCE
        while psutil.Process(self.pid).status() != psutil.STATUS_STOPPED:
            assert time.monotonic() < end, "the child does not stop"
            time.sleep(0.01)

    def close(self):
        if self._process.is_alive():
            self._process.kill()
        self._process.join(PATIENCE)
        self._hear.close()


async def _started(settings):
    """Brings a database up as the first process of an installation does."""
    database = Database.of(settings)
    await database.start()
    await database.close()


class World:
    """Where lives take place: a database, a witness, and what is needed to look at them.

    Args:
        settings: The settings of the installation, as ``Settings`` takes them.
        witness: An ``Effects``.
    """

    def __init__(self, settings, witness):
        self.settings, self.witness = settings, witness
        asyncio.run(_started(Settings(**settings)))
        self.environ = {f"BPAZ_{name.upper()}": str(value) for name, value in settings.items()}
        self.url = str(address(Settings(**settings)).render_as_string(hide_password=False))
        self.engine = create_engine(self.url.replace("+aiosqlite", ""), poolclass=NullPool)
        self.name = self.engine.url.database
        self.user = uuid4()
        self.ask(
            "INSERT INTO users (id, identity_provider, subject) VALUES (:id, 'test', :name)",
            id=self.user, name=str(self.user),
        )  # fmt: skip

    def at(self, folder):
        """The same people and runs in a copy of the database, which lies in another folder."""
        other = World({**self.settings, "data_folder": str(folder)}, self.witness)
        other.user = self.user
        return other

    def ask(self, statement, **values):
        """The rows of a statement, as dicts; UUIDs may be given as such."""
        values = {name: self.id(each) if isinstance(each, UUID) else each for name, each in values.items()}
        for _ in range(100):  # a database that is killed comes back
            try:
                return self._asked(statement, values)
            except OperationalError:
                time.sleep(0.1)
        return self._asked(statement, values)

    def _asked(self, statement, values):
        with self.engine.begin() as connection:
            found = connection.execute(text(statement), values)
            return [dict(row) for row in found.mappings()] if found.returns_rows else []

    def id(self, id):
        """An id as the database has it."""
        return id.hex if self.engine.dialect.name == "sqlite" else id

    def admit(self):
        """An execution that nobody holds yet; gives its id."""
        run = uuid4()
        self.ask(
            "INSERT INTO workflow_executions (id, user_id, status, epoch) VALUES (:id, :user, 'running', 0)",
            id=run, user=self.user,
        )  # fmt: skip
        return run.hex

    def settle(self):
        """Waits until what the dead had sent is done: an effect or a COMMIT outlives who asked for it."""
        self.witness.settle()
        busy = "SELECT pid FROM pg_stat_activity WHERE datname = :name AND pid <> pg_backend_pid()"
        busy += " AND backend_type = 'client backend' AND state <> 'idle'"
        end = time.monotonic() + PATIENCE
        while self.engine.dialect.name == "postgresql" and self.ask(busy, name=self.name):
            assert time.monotonic() < end, "the dead are still busy"
            time.sleep(0.01)

    def take(self, run):
        """Takes a run over; gives the epoch."""
        self.ask("UPDATE workflow_executions SET epoch = epoch + 1 WHERE id = :id", id=UUID(run))
        return self.ask("SELECT epoch FROM workflow_executions WHERE id = :id", id=UUID(run))[0]["epoch"]

    def child(self, way, run, epoch, slow=0.0, **more):
        """A child that does something with a run, each step of which takes so many seconds."""
        environ = {effects.PORT: str(self.witness.port), SLOW: str(slow), **self.environ}
        job = {"way": way, "run": run, "epoch": epoch, "user": self.user.hex, "environ": environ}
        return Child({**job, "settings": self.settings, **more})
