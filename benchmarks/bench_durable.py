"""What it costs that nothing is lost: durable runs on SQLite, beside LangGraph with its SQLite saver.

A durable run is measured from its ledger's opening to the last commit. The floor is the asyncio scheduler
written by hand, which keeps nothing; for steps that must not happen twice it is two bare commits, each of one
row with ``synchronous=FULL`` on the same disk.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from measure import medians, seconds, side_by_side, table
from workflows import by_hand, chain, document, engine, fan_out, in_langgraph, layered

from bpaz_lab.engine.journal import Journal
from bpaz_lab.engine.options import Options
from bpaz_lab.engine.run import Run, start
from bpaz_lab.engine.runtime import runtime
from bpaz_lab.engine.steps import StepRow
from bpaz_lab.settings import Settings
from bpaz_lab.store.address import FILE
from bpaz_lab.store.database import Database
from bpaz_lab.store.direct import DirectSteps
from bpaz_lab.store.tables import User, WorkflowExecution

if TYPE_CHECKING:
    from collections.abc import Callable

    from bpaz_lab.engine.plan import Plan

WIDTH = 50
LARGE = 10 * 2**20
"""Bytes of the value that travels through many steps."""


class Ledgers:
    """A database of its own, in which each run has a ledger.

    Args:
        folder: Where it lies.
    """

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(data_folder=str(folder))
        self.file = folder / FILE
        self.user = uuid4()
        asyncio.run(self._add(User(id=self.user, identity_provider="local", subject="owner")))
        self._kept = sqlite3.connect(self.file)  # as a server has it: the last one to close empties the log
        self._kept.execute("SELECT count(*) FROM users").fetchall()

    def admit(self, *, again: str = "") -> DirectSteps:
        """The ledger of a run that is admitted now, or of one that was."""
        run_id = again or uuid4().hex
        if not again:
            row = WorkflowExecution(id=UUID(run_id), user_id=self.user, status="running", epoch=1)
            asyncio.run(self._add(row))
        return DirectSteps(self.settings, self.user, run_id, 1, make=StepRow)

    def run(self, plan: Plan, steps: DirectSteps, inputs: dict[str, Any] | None = None) -> Run:
        """Runs to the end, when all is kept."""
        journal = Journal(steps)
        journal.open()
        run = (
            start(plan, inputs or {}, Options(ledger=journal, run_id=steps.run_id)).wait().raise_for_status()
        )
        journal.close()
        return run

    async def _add(self, row: Any) -> None:
        database = Database.of(self.settings)
        async with database.session() as session:
            session.add(row)
        await database.close()


class Bare:
    """The least that keeps something: one row, one commit."""

    def __init__(self, folder: Path) -> None:
        self.connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
        for statement in (
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = FULL",
            "CREATE TABLE kept (id INTEGER PRIMARY KEY, data BLOB)",
        ):
            self.connection.execute(statement)

    def commit(self) -> None:
        """One commit."""
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.execute("INSERT INTO kept (data) VALUES (?)", (b"x" * 50,))
        self.connection.execute("COMMIT")


def saver(folder: Path, durability: str, graph: Any) -> Callable[[], object]:
    """A run in LangGraph that keeps its state after each superstep."""
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    async def run() -> None:
        file = folder / f"{uuid4().hex}.db"
        async with AsyncSqliteSaver.from_conn_string(str(file)) as kept:
            await in_langgraph(graph, saver=kept, durability=durability)()

    return lambda: runtime().submit(run()).result()


def pure(folder: Path) -> None:
    """Steps that may be repeated ride a common commit."""
    ledgers, bpaz = Ledgers(folder), engine(effect="pure")
    rows = []
    for shape in (chain, fan_out, layered):
        graph = shape(1000)
        plan = bpaz.build(document(graph))

        def ours(plan: Plan = plan) -> float:
            steps = ledgers.admit()
            return seconds(lambda: ledgers.run(plan, steps))

        took = medians(
            {
                "hand": lambda graph=graph: seconds(lambda: runtime().submit(by_hand(graph)).result()),
                "run": lambda plan=plan: seconds(lambda: start(plan, {}, Options()).wait()),
                "durable": ours,
                **{
                    name: lambda graph=graph, name=name: seconds(saver(folder, name, graph))
                    for name in ("async", "sync")
                },
            },
            once=5.0,
        )
        rows.append((f"{shape.__name__} 1000", *(took[name] / took["hand"] for name in list(took)[1:])))
    head = ("no-op nodes", "run / hand", "durable / hand", "LangGraph async", "LangGraph sync / hand")
    table("Pure steps on SQLite (goal: durable / hand <= 3)", head, rows)


def once(folder: Path) -> None:
    """Steps that must not happen twice wait for the disk, before and after."""
    ledgers, bpaz, bare = Ledgers(folder), engine(effect="once"), Bare(folder)
    plans = {
        name: bpaz.build(document(shape))
        for name, shape in (("chain", chain(WIDTH)), ("wide", fan_out(WIDTH + 2)))
    }

    def ours(plan: Plan) -> float:
        steps = ledgers.admit()
        return seconds(lambda: ledgers.run(plan, steps))

    took = medians(
        {
            "bare": lambda: seconds(lambda: [bare.commit() for _ in range(2 * WIDTH)]),
            "chain": lambda: ours(plans["chain"]),
            "wide": lambda: ours(plans["wide"]),
        }
    )
    commit = took["bare"] / (2 * WIDTH)
    rows = [
        (f"chain of {WIDTH}: a step / two commits", "<= 1.2", took["chain"] / WIDTH / (2 * commit)),
        (f"{WIDTH} at once: a step / a commit", "<= 0.2", took["wide"] / WIDTH / commit),
        ("one commit, ms", "", commit * 1000),
    ]
    table("Steps that must not happen twice, on SQLite", ("what", "goal", "ratio"), rows)


def large(folder: Path) -> None:
    """A large value that travels unchanged is kept once."""
    ledgers, bpaz = Ledgers(folder), engine(effect="pure")
    plan = bpaz.build(document(chain(20)))
    before = _size(folder)
    ledgers.run(plan, ledgers.admit(), {"n0.value": os.urandom(LARGE)})
    ours = _size(folder) - before
    rows = [("10 MB through 20 steps: bytes on disk / bytes of the value", "<= 1.1", ours / LARGE)]
    table("What is kept of a large value", ("what", "goal", "ratio"), rows)


def resumed(folder: Path) -> None:
    """A run of 1,000 steps of which all but the last are done."""
    ledgers, bpaz = Ledgers(folder), engine(effect="pure")
    plan = bpaz.build(document(chain(1000)))
    steps = ledgers.admit()
    ledgers.run(plan, steps)
    took = side_by_side({"resume": lambda: ledgers.run(plan, ledgers.admit(again=steps.run_id))})
    table("Resume of a run of 1,000 steps", ("what", "goal", "seconds"), [("chain", "<= 1", took["resume"])])


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main() -> None:
    """Prints the ratios."""
    for measure in (pure, once, large, resumed):
        with tempfile.TemporaryDirectory() as folder:
            measure(Path(folder))


if __name__ == "__main__":
    main()
