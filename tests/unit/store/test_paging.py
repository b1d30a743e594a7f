from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlmodel import select

from bpaz_lab.errors import RequestError
from bpaz_lab.store.paging import page
from bpaz_lab.store.tables import User, Workflow

pytestmark = pytest.mark.unit

START = datetime(2026, 1, 1, tzinfo=UTC)
SORTABLE = ("name", "version", "updated_at", "created_at")


@pytest.fixture
async def workflows(database):
    """Twenty workflows, many with the same name, version and time."""
    async with database.session() as session:
        owner = User(full_name="Ann")
        session.add(owner)
        await session.flush()
        rows = [
            Workflow(
                user_id=owner.id,
                name=f"flow é {number % 4}",
                version=number % 3,
                created_at=START + timedelta(microseconds=number // 5),
                flow_data={},
            )
            for number in range(20)
        ]
        session.add_all(rows)
    return rows


async def one_page(database, sort, cursor="", limit=3, where=None):
    statement = select(Workflow) if where is None else select(Workflow).where(where)
    async with database.session(read_only=True) as session:
        return await page(
            session, statement, Workflow, sort=sort, limit=limit, cursor=cursor, sortable=SORTABLE
        )


async def walked(database, sort, limit=3):
    rows, cursor = [], ""
    while True:
        found = await one_page(database, sort, cursor, limit)
        rows += found.items
        cursor = found.next
        if not cursor:
            return rows
        assert len(found.items) == limit


async def test_pages_together_are_the_sorted_list(database, workflows, subtests):
    for sort in [*SORTABLE, *(f"-{name}" for name in SORTABLE)]:
        with subtests.test(sort):
            rows = await walked(database, sort)
            assert len(rows) == len(workflows)
            name = sort.removeprefix("-")
            keys = [(getattr(row, name), row.id) for row in rows]
            assert keys == sorted(keys, reverse=sort.startswith("-"))


async def test_a_page_that_ends_with_the_list_has_no_next(database, workflows):
    assert (await one_page(database, "name", limit=20)).next == ""
    assert (await one_page(database, "name", limit=19)).next != ""


async def test_a_row_that_goes_or_comes_moves_no_other_row(database, workflows):
    first = await one_page(database, "created_at")
    async with database.session() as session:
        await session.delete(first.items[-1])
        session.add(Workflow(user_id=workflows[0].user_id, name="early", created_at=START, flow_data={}))
    rest = await one_page(database, "created_at", first.next, limit=50)
    seen = {row.id for row in first.items}
    assert not seen & {row.id for row in rest.items}
    assert seen | {row.id for row in rest.items} >= {row.id for row in workflows}


async def test_a_list_says_what_it_can_be_sorted_by(database):
    with pytest.raises(RequestError, match="flow_data") as caught:
        await one_page(database, "flow_data")
    assert "updated_at" in caught.value.hint


def written(*told):
    return base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("=")


HERE = str(uuid4())
HOSTILE = {
    "no base64": ("name", "%%%"),
    "one letter": ("name", "a"),
    "not ASCII": ("name", "é" * 8),
    "no JSON": ("name", base64.urlsafe_b64encode(b"{").decode()),
    "no text": ("name", base64.urlsafe_b64encode(b"\xff\xfe").decode()),
    "deep": ("name", base64.urlsafe_b64encode(b"[" * 100_000).decode()),
    "an object": ("name", written({"sort": "name"})[:-2]),
    "too short": ("name", written("name", "x")),
    "too long": ("name", written("name", "x", HERE, HERE)),
    "another list": ("name", written("-name", "x", HERE)),
    "no id": ("name", written("name", "x", "' OR 1=1 --")),
    "id is a number": ("name", written("name", "x", 7)),
    "id is null": ("name", written("name", "x", None)),
    "name is a list": ("name", written("name", ["x"], HERE)),
    "name is null": ("name", written("name", None, HERE)),
    "NUL": ("name", written("name", "a\0b", HERE)),
    "lone surrogate": ("name", written("name", "\ud800", HERE)),
    "number is a truth": ("version", written("version", True, HERE)),
    "number is a text": ("version", written("version", "1; DROP TABLE users", HERE)),
    "number is huge": ("version", written("version", 10**40, HERE)),
    "number is infinite": ("version", written("version", float("inf"), HERE)),
    "no moment": ("updated_at", written("updated_at", "yesterday", HERE)),
    "moment is a number": ("updated_at", written("updated_at", 0, HERE)),
    "moment before time": ("updated_at", written("updated_at", "0001-01-01T00:00:00+14:00", HERE)),
}


async def test_a_cursor_that_is_none_is_refused(database, subtests):
    for name, (sort, cursor) in HOSTILE.items():
        with subtests.test(name):
            with pytest.raises(RequestError) as caught:
                await one_page(database, sort, cursor)
            assert caught.value.path == "query.cursor"


async def test_a_made_up_cursor_reads_nothing_but_the_list(database, workflows, subtests):
    mine = Workflow.name == "flow é 1"
    for sort, value in (
        ("name", "' OR 1=1; DROP TABLE workflows --"),
        ("name", "\\"),
        ("version", -(2**31)),
        ("version", 2**31 - 1),
        ("updated_at", "9999-12-31T23:59:59.999999+00:00"),
        ("created_at", "0001-01-01T00:00:00+00:00"),
    ):
        with subtests.test(sort, value=value):
            cursor = written(sort, value, str(UUID(int=0)))
            found = await one_page(database, sort, cursor, limit=50, where=mine)
            assert {row.name for row in found.items} <= {"flow é 1"}
    assert len(await walked(database, "name")) == 20
