from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy import exc, text

from bpaz_lab.errors import (
    Conflict,
    RequestError,
    SchemaOutdated,
    StoreError,
    StoreFull,
    StoreUnavailable,
)
from bpaz_lab.store import faults
from bpaz_lab.store.faults import translated

pytestmark = pytest.mark.unit

CODES = {
    "unique_violation": Conflict,
    "foreign_key_violation": Conflict,
    "restrict_violation": Conflict,
    "not_null_violation": StoreError,
    "check_violation": StoreError,
    "integrity_constraint_violation": StoreError,
    "disk_full": StoreFull,
    "read_only_sql_transaction": StoreFull,
    "undefined_table": SchemaOutdated,
    "undefined_column": SchemaOutdated,
    "string_data_right_truncation": RequestError,
    "numeric_value_out_of_range": RequestError,
    "untranslatable_character": RequestError,
    "data_corrupted": StoreError,
    "too_many_connections": StoreUnavailable,
    "out_of_memory": StoreUnavailable,
    "admin_shutdown": StoreUnavailable,
    "cannot_connect_now": StoreUnavailable,
    "query_canceled": StoreUnavailable,
    "deadlock_detected": StoreUnavailable,
    "serialization_failure": StoreUnavailable,
    "lock_not_available": StoreUnavailable,
    "connection_failure": StoreUnavailable,
    "io_error": StoreUnavailable,
    "invalid_password": StoreUnavailable,
    "syntax_error": StoreError,
    "insufficient_privilege": StoreError,
}


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
async def test_what_postgres_says_has_its_error(database, subtests):
    for condition, expected in CODES.items():
        with subtests.test(condition):
            raising = f"DO $$ BEGIN RAISE EXCEPTION 'canary' USING ERRCODE = '{condition}'; END $$"
            with pytest.raises(expected) as caught:
                async with database.session() as session:
                    await (await session.connection()).execute(text(raising))
            assert type(caught.value) is expected
            assert "canary" not in str(caught.value)


STATEMENTS = {
    "INSERT INTO t VALUES (1, 'canary')": Conflict,
    "INSERT INTO t VALUES (2, 'other'), (3, 'other')": Conflict,
    "INSERT INTO t VALUES (2, NULL)": StoreError,
    "SELECT * FROM canary": SchemaOutdated,
    "SELECT canary FROM t": SchemaOutdated,
    "SELECT FROM": StoreError,
    "PRAGMA query_only = ON; DELETE FROM t": StoreFull,
}


def test_what_sqlite_says_has_its_error(tmp_path, subtests):
    for statement, expected in STATEMENTS.items():
        with subtests.test(statement):
            connection = sqlite3.connect(tmp_path / "faults.db")
            connection.executescript(
                "DROP TABLE IF EXISTS t; CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
                "INSERT INTO t VALUES (1, 'canary')"
            )
            *before, last = statement.split("; ")
            for each in before:
                connection.execute(each)
            with pytest.raises(expected) as caught, faults.told():
                connection.execute(last)
            assert type(caught.value) is expected
            assert "canary" not in str(caught.value)
            connection.rollback()
            connection.close()


def test_a_locked_file_may_be_free_in_a_moment(tmp_path):
    first, second = (sqlite3.connect(tmp_path / "locked.db", timeout=0) for _ in range(2))
    first.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreUnavailable, match="SQLITE_BUSY"), faults.told():
        second.execute("BEGIN IMMEDIATE")
    first.close()
    second.close()


def test_other_errors_pass_as_they_are():
    with pytest.raises(ZeroDivisionError), faults.told():
        _ = 1 / 0


@pytest.mark.parametrize(
    "error", [exc.InvalidRequestError("This connection is closed"), exc.InvalidatePoolError()]
)
def test_a_pool_whose_connections_were_all_ended_is_away(error):
    assert isinstance(translated(error), StoreUnavailable)
    assert not isinstance(translated(exc.InvalidRequestError("of ours")), StoreUnavailable)
