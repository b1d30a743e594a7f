from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from bpaz_lab.__main__ import main

pytestmark = pytest.mark.unit


@pytest.fixture
def db(database_settings, monkeypatch, capsys):
    """Runs ``bpaz db`` on a fresh database: gives the exit code, what it printed, what it told aside."""
    from tests.support.postgres import BIN

    monkeypatch.setenv("PATH", f"{BIN}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("BPAZ_DATA_FOLDER", database_settings.data_folder)
    monkeypatch.setenv("BPAZ_DATABASE_URL", database_settings.database_url.get_secret_value())

    def run(*words):
        code = main(["db", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_versions(db):
    code, out, _ = db("current")
    assert (code, out.rstrip()[-14:]) == (0, "0001 (current)")
    assert re.match(r"0001  \w+", db("history")[1].splitlines()[-1])
    assert db("check")[:2] == (0, "no differences\n")
    code, out, _err = db("downgrade", "base", "--yes")
    assert (code, out) == (0, "there are no tables any more\n")
    assert "no tables yet" in db("current")[1]
    assert db("upgrade")[:2] == (0, "the tables are at 0001\n")


def test_a_downgrade_asks_first(db):
    code, _, err = db("downgrade")
    assert code == 1
    assert "--yes" in err
    assert "0001" in db("current")[1]


def test_a_version_that_is_none(db):
    code, _, err = db("upgrade", "nowhere")
    assert code == 1
    assert "nowhere" in err
    assert "bpaz db history" in err


def test_what_differs_ends_with_one(db, database_settings):
    import asyncio

    from bpaz_lab.store.database import Database

    async def change():
        database = Database.of(database_settings)
        await database.command("CREATE TABLE lonely (id INTEGER PRIMARY KEY)")
        await database.close()

    asyncio.run(change())
    code, out, _ = db("check")
    assert code == 1
    assert "lonely" in out
    assert out.endswith("1 differences\n")


def test_backup_and_restore(db, tmp_path):
    code, out, err = db("backup")
    saved = Path(out.strip())
    assert (code, err) == (0, "backing up\n")
    assert saved.parent == tmp_path / "backups"
    assert db("backup", "--to", str(tmp_path / "else where"))[0] == 0
    assert len(list((tmp_path / "else where").iterdir())) == 1
    assert db("restore", str(saved))[:2] == (0, "restored 0 rows\n")
    code, _, err = db("restore", str(tmp_path / "nowhere"))
    assert code == 1
    assert "nowhere" in err


def test_old_backups_are_removed(db, tmp_path):
    first = Path(db("backup")[1].strip())
    os.utime(first, (0, 0))
    _code, out, err = db("backup", "--keep", "30")
    assert f"removed {first.name}" in err
    assert list((tmp_path / "backups").iterdir()) == [Path(out.strip())]


def test_upkeep(db):
    code, out, err = db("maintain", "--reindex", "--days", "1")
    assert code == 0
    nothing = "0 rows of login activity, 0 executions, 0 ledgers, 0 pieces of values"
    assert out.startswith(f"deleted {nothing}; done: REINDEX")
    assert err.splitlines()[-1] == "VACUUM"


def test_figures(db):
    code, out, _ = db("stats")
    assert code == 0
    assert "Tables by rows\n" in out
    assert re.search(r"^  users +\d", out, re.MULTILINE)


@pytest.mark.parametrize("words", [["maintain", "--days", "0"], ["backup", "--keep", "x"], ["nonsense"], []])
@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_call_that_is_wrong_ends_with_two(db, words):
    with pytest.raises(SystemExit) as ended:
        db(*words)
    assert ended.value.code == 2


def test_a_postgres_that_is_away_is_told_without_its_password(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("BPAZ_DATA_FOLDER", str(tmp_path))
    monkeypatch.setenv("BPAZ_DATABASE_URL", "postgresql://ann:canary@127.0.0.1:1/lab")
    for command in ("current", "upgrade", "check", "backup", "maintain", "stats"):
        assert main(["db", command]) == 1
        said = capsys.readouterr()
        assert "canary" not in said.out + said.err
        assert "error: " in said.err
