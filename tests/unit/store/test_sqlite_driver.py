from __future__ import annotations

import sqlite3

import pytest

from bpaz_lab.store import sqlite_driver

pytestmark = pytest.mark.integration


@pytest.fixture
async def connection(tmp_path):
    made = await sqlite_driver.connect(str(tmp_path / "x.db"), isolation_level=None)
    await made.cursor().execute("CREATE TABLE t (n INTEGER UNIQUE)")
    yield made
    await made.close()


async def rows(connection):
    return await (await connection.cursor().execute("SELECT n FROM t ORDER BY n")).fetchall()


async def test_a_transaction_begins_with_its_first_statement(connection):
    connection.begin("BEGIN IMMEDIATE")
    assert not connection.in_transaction
    await connection.cursor().execute("INSERT INTO t VALUES (?)", (1,))
    assert connection.in_transaction
    await connection.commit()
    assert not connection.in_transaction
    assert await rows(connection) == [(1,)]


async def test_a_transaction_taken_back_leaves_nothing_and_the_next_statement_stands_alone(connection):
    connection.begin("BEGIN")
    await connection.cursor().executemany("INSERT INTO t VALUES (?)", [(1,), (2,)])
    await connection.rollback()
    assert await rows(connection) == []
    await connection.cursor().execute("INSERT INTO t VALUES (3)")
    assert not connection.in_transaction
    assert await rows(connection) == [(3,)]


async def test_a_transaction_without_statements_is_none(connection):
    connection.begin("BEGIN IMMEDIATE")
    await connection.commit()
    await connection.cursor().execute("INSERT INTO t VALUES (1)")
    assert not connection.in_transaction


async def test_where_begin_fails_no_statement_runs_outside_a_transaction(connection, tmp_path):
    other = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    await connection.cursor().execute("PRAGMA busy_timeout = 0")
    connection.begin("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        await connection.cursor().execute("INSERT INTO t VALUES (1)")
    other.close()
    await connection.cursor().execute("INSERT INTO t VALUES (2)")
    assert connection.in_transaction
    await connection.rollback()
    assert await rows(connection) == []


async def test_a_cursor_tells_what_sqlalchemy_asks(connection):
    cursor = await connection.cursor().execute("INSERT INTO t VALUES (7), (8)")
    assert (cursor.description, cursor.rowcount, cursor.lastrowid) == (None, 2, 2)
    cursor = await connection.cursor().execute("INSERT INTO t VALUES (9) RETURNING n")
    assert [column[0] for column in cursor.description] == ["n"]
    assert await cursor.fetchall() == [(9,)]
    assert await cursor.fetchall() == []


async def test_an_error_of_sqlite_comes_through(connection):
    await connection.cursor().execute("INSERT INTO t VALUES (1)")
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        await connection.cursor().execute("INSERT INTO t VALUES (1)")
