"""Ledgers on a SQLite file, with all that the product's own demand: fenced, in one transaction, on disk."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

from bpaz_lab.engine.journal import Journal
from bpaz_lab.engine.steps import StepRow
from bpaz_lab.errors import LeaseLost, NotFound, StoreUnavailable

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS lease (run TEXT PRIMARY KEY, epoch INTEGER, beats INTEGER DEFAULT 0);
CREATE TABLE IF NOT EXISTS steps (run TEXT, address TEXT, state TEXT, effect TEXT, data BLOB, parts TEXT,
  size INTEGER, epoch INTEGER, began REAL, ended REAL, digest TEXT, PRIMARY KEY (run, address));
CREATE TABLE IF NOT EXISTS parts (digest TEXT PRIMARY KEY, data BLOB);
CREATE TABLE IF NOT EXISTS commits (run TEXT, rows INTEGER);
"""


class SqliteSteps:
    """The ledger of one run in a file; each taker gets the next epoch."""

    def __init__(self, path: Path, run_id: str = "a" * 32, *, take: bool = True) -> None:
        self.run_id = run_id
        self.path = path
        self.down = False
        """Whether the store cannot be reached."""
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + SCHEMA)
        with self._transaction():
            self._db.execute("INSERT OR IGNORE INTO lease (run, epoch) VALUES (?, 0)", (run_id,))
            if take:
                self._db.execute("UPDATE lease SET epoch = epoch + 1 WHERE run = ?", (run_id,))
        self.epoch: int = self._one("SELECT epoch FROM lease WHERE run = ?", run_id)

    def read(self) -> list[StepRow]:
        self._reach()
        found = self._db.execute("SELECT * FROM steps WHERE run = ? ORDER BY address", (self.run_id,))
        return [
            StepRow(*row[1:4], bytes(row[4]), tuple(json.loads(row[5])), *row[6:]) for row in found.fetchall()
        ]

    def part(self, digest: str) -> bytes:
        self._reach()
        found = self._db.execute("SELECT data FROM parts WHERE digest = ?", (digest,)).fetchone()
        if found is None:
            raise NotFound(f"there is no part {digest}")
        return bytes(found[0])

    def lacking(self, digests: Any) -> set[str]:
        self._reach()
        return {d for d in digests if not self._one("SELECT count(*) FROM parts WHERE digest = ?", d)}

    def write(self, rows: Any, parts: Any) -> None:
        self._reach()
        with self._transaction():
            self._fence()
            self._db.executemany("INSERT OR IGNORE INTO parts VALUES (?, ?)", list(parts.items()))
            self._db.executemany(
                "INSERT OR REPLACE INTO steps VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [(self.run_id, *row[:4], json.dumps(row.parts), *row[5:]) for row in rows],
            )
            self._db.execute("INSERT INTO commits VALUES (?, ?)", (self.run_id, len(rows)))

    def beat(self) -> None:
        self._reach()
        with self._transaction():
            self._fence()
            self._db.execute("UPDATE lease SET beats = beats + 1 WHERE run = ?", (self.run_id,))

    def close(self) -> None:
        self._db.close()

    # ---- for tests ---------------------------------------------------------------------------------

    @property
    def commits(self) -> list[int]:
        """The number of rows of each commit."""
        return [row[0] for row in self._db.execute("SELECT rows FROM commits")]

    @property
    def beats(self) -> int:
        return self._one("SELECT beats FROM lease WHERE run = ?", self.run_id)

    def states(self) -> dict[str, str]:
        return {row.address: row.state for row in self.read()}

    def change(self, sql: str, *values: Any) -> None:
        """What a person, or a broken disk, does to the file."""
        self._db.execute(sql, values)

    def _one(self, sql: str, *values: Any) -> Any:
        return self._db.execute(sql, values).fetchone()[0]

    def _reach(self) -> None:
        if self.down:
            raise StoreUnavailable("the store is down")

    def _fence(self) -> None:
        if self._one("SELECT epoch FROM lease WHERE run = ?", self.run_id) != self.epoch:
            raise LeaseLost("somebody else goes on with the run")

    def _transaction(self) -> Any:
        return _Transaction(self._db)


class _Transaction:
    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db

    def __enter__(self) -> None:
        self.db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, *_: object) -> None:
        self.db.execute("ROLLBACK" if kind else "COMMIT")


def taken(path: Path, **options: Any) -> Journal:
    """The journal of the run, taken over."""
    return Journal(SqliteSteps(path), **options).open()
