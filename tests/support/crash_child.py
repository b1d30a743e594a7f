"""What a child does that is going to be killed: a run begins, or goes on, up to a moment chosen before.

The fork server imports this file, so that a child begins with everything imported. The product has no hooks
for tests: the child wraps the ledger's rows on their way to the store, and the database's COMMIT.
"""

from __future__ import annotations

import gc
import os
import signal
import time
from hashlib import blake2b
from uuid import UUID

import psycopg  # noqa: F401 (imported once, for all children)
from sqlalchemy import Engine as AnyEngine
from sqlalchemy import event

from bpaz_lab.engine.engine import Engine
from bpaz_lab.engine.journal import Journal
from bpaz_lab.engine.options import Options
from bpaz_lab.engine.run import Run
from bpaz_lab.engine.steps import StepRow, sealed
from bpaz_lab.errors import BpazError
from bpaz_lab.nodes.context import Services
from bpaz_lab.settings import Settings
from bpaz_lab.store.direct import DirectSteps
from tests.support import crash_flow

SERVER = os.getpid()
"""The process that imported this file: the fork server, unless something is wrong."""
# What a child would do anew each time is done once, and children share the pages.
crash_flow.register()
Engine().build(crash_flow.DOCUMENT)
gc.freeze()


class Fate:
    """Ends this process at a moment, or stops it.

    Args:
        moment: One of ``crash_flow.MOMENTS``.
        address: Of which step; empty for any.
        number: At which time that the moment comes.
        stop: Whether it is stopped only, as a laptop that is closed.
        late: Seconds for which everything but this step goes on before.
    """

    def __init__(self, moment, address="", number=1, *, stop=False, late=0.0):
        self.moment, self.address, self.left, self.late = moment, address, number, late
        self.signal = signal.SIGSTOP if stop else signal.SIGKILL
        self.rows = {}

    def reach(self, moment, *addresses):
        """The moment is here for these steps."""
        if moment == self.moment and addresses and (not self.address or self.address in addresses):
            self.left -= 1
            if self.left == 0:
                time.sleep(self.late)
                os.kill(os.getpid(), self.signal)
                time.sleep(1)  # a stop reaches this thread a moment later

    def watch(self):
        """Looks at whatever is written from now on."""
        crash_flow.hooks.append(self.reach)
        write = DirectSteps.write

        def watched(steps, rows, parts):
            states = {}
            for row in rows:
                states.setdefault(row.state, []).append(row.address)
            self._reach("before", states)
            self.rows = states
            write(steps, rows, parts)
            self.rows = {}
            self._reach("after", states)

        DirectSteps.write = watched
        event.listen(AnyEngine, "commit", self._commit)

    def _commit(self, _connection):
        self.reach("in a commit", "")
        self._reach("in the commit of", self.rows)

    def _reach(self, when, states):
        for state, addresses in states.items():
            self.reach(f"{when} {state}", *addresses)


def rows(job, tell):
    """Writes transactions of two rows and a part each without end, and tells each one that is kept."""
    steps = _steps(job)
    for number in range(10_000):
        part = blake2b(str(number).encode()).digest() * (number % 7 * 40 + 1)
        digest = blake2b(part, digest_size=16).hexdigest()
        two = [
            sealed(
                job["run"], StepRow(f"{number:04}{which}", "done", "pure", b"x", (digest,), 1, 1, 0.0, 1.0)
            )
            for which in "ab"
        ]
        steps.write(two, {digest: part})
        tell.send(("kept", number))


def engine(job, tell):
    """A run on its ledger alone, without API and server."""
    services = Services()
    lease = Settings(**job["settings"]).lease
    journal = Journal(_steps(job), masker=services.masker, lease=lease).open()
    tell.send(("flagged", journal.in_doubt))
    options = Options(services=services, ledger=journal, run_id=job["run"])
    run = Run(Engine().build(crash_flow.DOCUMENT), {"text": crash_flow.TEXT}, options)
    _lived(run.start(), tell)
    journal.close()


def api(job, tell):
    """A durable run as a cell makes it, or goes on with it."""
    import bpaz_lab as bz

    if not job["run"]:
        run = bz.Workflow.from_dict(crash_flow.DOCUMENT).start({"text": crash_flow.TEXT}, durable=True)
    else:
        run = bz.resume(job["run"])
    _lived(run, tell)


def _lived(run, tell):
    """Waits for the run, and has its questions answered."""
    run.on_event(lambda: _told(run))
    tell.send(("running", run.id))
    while run.wait().status == "paused":
        tell.send(("paused", list(run.questions)))
        run.answer(tell.recv())
    error = None if run.error is None else run.error.to_dict()
    tell.send(("ended", {"status": run.status, "output": run.output, "error": error}))


def _told(run):
    """An event was told."""
    _, _, kind, node, _ = run._record._raw[-1]
    for hook in crash_flow.hooks:
        hook(f"after {kind}", node)


def _steps(job):
    return DirectSteps(Settings(**job["settings"]), UUID(job["user"]), job["run"], job["epoch"], make=StepRow)


def main(job, tell):
    """The life of one child; it tells how far it has come, if it is let live so long."""
    assert os.getpid() != SERVER, "imported in the child: the fork server did not preload"
    os.environ.update(job["environ"])
    if job.get("fate"):
        Fate(**job["fate"]).watch()
    try:
        WAYS[job["way"]](job, tell)
    except BpazError as error:
        tell.send(("refused", error.code))


WAYS = {"rows": rows, "engine": engine, "api": api}
