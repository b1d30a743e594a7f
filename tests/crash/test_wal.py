"""SQLite's log, as a crash, a full disk or a wrong backup leaves it: cut anywhere, spoilt, or gone.

What must hold of such a database: it opens; what it has is the state after one of its transactions, never
half of one; what is before the cut is all there; and it takes new rows. That what comes after the cut is lost
cannot be helped: it was on a disk that has lost it.
"""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from bpaz_lab.engine.steps import StepRow, intact
from tests.support.crash_life import Life

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

TRANSACTIONS = 60


@pytest.fixture(scope="module")
def killed(on_sqlite):
    """A run that was killed while it wrote its ledger; and how many transactions it was told to be kept."""
    run = on_sqlite.admit()
    child, told = on_sqlite.child("rows", run, on_sqlite.take(run)), 0
    try:
        while (word := child.hear())[0] != "dead":
            told = word[1] + 1
            if told == TRANSACTIONS:
                child.signal()
    finally:
        child.close()
    return run, told


@pytest.fixture
def copied(killed, on_sqlite, tmp_path):
    """Makes copies of the database and its log, as the dead process left them."""
    source = Path(on_sqlite.settings["data_folder"]) / "bpaz_lab.sqlite3"
    log = source.with_name(source.name + "-wal")

    def copy():
        return Path(shutil.copy(source, tmp_path)), Path(shutil.copy(log, tmp_path))

    return copy


def contents(file, run):
    """How many transactions are there, from the first on; fails where one is half there or not as it was."""
    with sqlite3.connect(file) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        rows = database.execute(
            "SELECT address, state, effect, data, parts, size, epoch, began, ended, digest"
            " FROM execution_steps WHERE execution_id = ? ORDER BY address", (run,)
        ).fetchall()  # fmt: skip
        parts = {digest for (digest,) in database.execute("SELECT digest FROM value_parts")}
        database.execute("UPDATE workflow_executions SET epoch = epoch + 1")  # it can be written
    database.close()
    for address, state, effect, data, named, *rest in rows:
        names = tuple(json.loads(named))
        assert intact(run, StepRow(address, state, effect, data, names, *rest))
        assert parts.issuperset(names)
    found = [row[0] for row in rows]
    assert found == [f"{number:04}{which}" for number in range(len(found) // 2) for which in "ab"]
    return len(found) // 2


def test_everything_that_was_acknowledged_is_there(killed, copied):
    run, told = killed
    file, _ = copied()
    assert told <= contents(file, run) <= told + 1


@pytest.mark.parametrize("how", ["cut", "spoilt"])
def test_a_log_that_is_damaged_somewhere(killed, copied, how, full):
    run, told = killed
    pick, kept = random.Random(7), {}  # noqa: S311 (the same cuts each time)
    for _ in range(400 if full else 25):
        file, log = copied()
        at = pick.randrange(log.stat().st_size)
        with log.open("r+b") as opened:
            if how == "cut":
                opened.truncate(at)
            else:
                opened.seek(at)
                old = opened.read(1)
                opened.seek(at)
                opened.write(bytes([old[0] ^ (1 << pick.randrange(8))]))
        kept[at] = contents(file, run)
    found = [kept[at] for at in sorted(kept)]
    assert max(found) <= told + 1
    assert len(set(found)) > 5
    if how == "cut":
        assert found == sorted(found)  # the longer the log, the more there is


def test_a_log_that_is_gone(killed, copied):
    run, _ = killed
    file, log = copied()
    log.unlink()
    assert contents(file, run) == 0  # nothing was moved out of the log yet


def test_a_run_goes_on_with_what_is_left(on_sqlite, tmp_path, full):
    """What the disk has lost is done again, the rest is not, and the output is the right one."""
    usual, life = Life(on_sqlite), Life(on_sqlite)
    assert not usual.live()
    child = life._child(fate={"moment": "after done", "address": "fan0"})
    while child.hear()[0] != "dead":
        pass
    child.close()
    before = on_sqlite.witness.of(life.run)
    source = Path(on_sqlite.settings["data_folder"]) / "bpaz_lab.sqlite3"
    log = source.with_name(source.name + "-wal")
    pick, size = random.Random(3), log.stat().st_size  # noqa: S311 (the same cuts each time)
    cuts = [size, 0, *(pick.randrange(size) for _ in range(40 if full else 3))]
    folders = [tmp_path / str(number) for number in range(len(cuts))]
    for folder, cut in zip(folders, cuts, strict=True):  # all of them before anybody opens the database
        folder.mkdir()
        shutil.copy(source, folder)
        with Path(shutil.copy(log, folder)).open("r+b") as opened:
            opened.truncate(cut)
    for folder in folders:
        other = Life(on_sqlite.at(folder))
        other.run = life.run
        other._looked()
        done = {step for step, row in other.looks[0].rows.items() if row["state"] == "done"}
        while other.outcome is None:
            other.live()
        assert (other.outcome["status"], other.outcome["output"]) == ("completed", usual.outcome["output"])
        log_of_it = on_sqlite.witness.of(life.run)[len(before) :]
        assert done.isdisjoint(entry["step"] for entry in log_of_it)
        before += log_of_it
        shutil.rmtree(folder)
