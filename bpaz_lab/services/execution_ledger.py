"""The ledger of an execution, as its kernel keeps it and its owner reads it: rows of steps, pieces of values.

A row travels as the list of its fields (see ``engine/steps.py``), rows and pages as msgpack. What comes under
another epoch than the latest is refused.
"""

from __future__ import annotations

import math
import re
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID  # noqa: TC003 (routes are made from the hints)

import ormsgpack
from pydantic import Field

from bpaz_lab.accounts.policy import demand
from bpaz_lab.engine.steps import StepRow, intact
from bpaz_lab.errors import Invalid
from bpaz_lab.services.call import Call  # noqa: TC001
from bpaz_lab.services.route import BYTES, Model, Raw, route
from bpaz_lab.store import ledger
from bpaz_lab.store.repositories.executions import Executions
from bpaz_lab.store.repositories.ledgers import work

PAGE: Final = 4 * 2**20
"""Bytes of data after which a page of rows ends."""
ROWS: Final = 5000
"""Rows of one request, and of one page."""
STATES: Final = frozenset({"given", "started", "done", "failed"})
_DIGEST: Final = re.compile(r"[0-9a-f]{32}")
_KINDS: Final = (str, str, str, bytes, list, int, int, float, float, str)
"""What the fields of a row are, in their order."""
_LONGEST: Final = 2000
"""Characters of an address."""


class EpochQuery(Model):
    """Under which lease."""

    epoch: int = Field(ge=0, le=2**31 - 1, description="The one that the kernel was given.")


class LedgerQuery(Model):
    """Which rows."""

    after: str | None = Field(None, max_length=_LONGEST, description="The last address of the page before.")
    limit: int = Field(ROWS, ge=2, le=ROWS, description="Rows of a page, which ends at 4 MiB too.")


class Digests(Model):
    """Pieces of values by name."""

    digests: list[str] = Field(max_length=ROWS, description="Names of pieces, the hashes of their content.")


class Lacking(Model):
    """What is not kept yet."""

    lacking: list[str]


class Kept(Model):
    """What was kept."""

    rows: int


@route("POST", "executions/{id}/ledger", access="kernel")
async def write_ledger(call: Call, id: UUID, query: EpochQuery, body: bytes) -> Kept:
    """Keep rows of the ledger, all or none; without a row it is a sign of life."""
    rows = await call.work(_rows, id.hex, query.epoch, body) if body else []
    known = call.lab.live.held(id, (call.caller.user_id, call.caller.kernel_id, query.epoch))
    if known:  # the kernel is alive, also while the database is not
        call.lab.pulse.note(id)
    async with call.session() as session:
        if not known:
            await Executions(session, call.caller).assigned(id, change=False)
        if rows:
            await work(session, lambda it: ledger.write(it, id, query.epoch, rows, {}))
        else:
            await work(session, lambda it: ledger.beat(it, id, query.epoch))
    call.lab.pulse.note(id)
    return Kept(rows=len(rows))


@route("GET", "executions/{id}/ledger")
async def read_ledger(call: Call, id: UUID, query: LedgerQuery) -> Raw:
    """A page of rows of the ledger, by address, as msgpack: `rows`, and what to give as `after` next.

    The row of the run itself, whose address is empty, comes first.
    """
    async with call.session() as session:
        demand(call.caller, "execution.read", await Executions(session, call.caller).get(id))
        rows = await work(session, lambda it: ledger.read(it, id, query.after, query.limit, most=PAGE))
    cut = len(rows) == query.limit or sum(len(row["data"]) for row in rows) >= PAGE
    page = {"rows": [list(row.values()) for row in rows], "next": rows[-1]["address"] if cut else None}
    return Raw(ormsgpack.packb(page), BYTES)


@route("PUT", "executions/{id}/parts/{digest}", access="kernel")
async def keep_part(call: Call, id: UUID, digest: str, body: bytes) -> None:
    """Keep a large piece of a value, which is named by its content."""
    if not _DIGEST.fullmatch(digest) or blake2b(body, digest_size=16).hexdigest() != digest:
        raise Invalid("the piece is not what its name says", path="digest", hint="Send it again.")
    async with call.session() as session:
        row = await Executions(session, call.caller).assigned(id, change=False)
        await work(session, lambda it: ledger.put_part(it, row.user_id, digest, body))
    call.lab.pulse.note(id)


@route("GET", "executions/{id}/parts/{digest}")
async def read_part(call: Call, id: UUID, digest: str) -> Raw:
    """A large piece of a value of an execution."""
    async with call.session() as session:
        row = await Executions(session, call.caller).get(id)
        demand(call.caller, "execution.read", row)
        return Raw(await work(session, lambda it: ledger.part(it, row.user_id, digest)), BYTES)


@route("POST", "executions/{id}/lacking", access="kernel")
async def lacking_parts(call: Call, id: UUID, body: Digests) -> Lacking:
    """Which of these pieces are not kept yet."""
    async with call.session() as session:
        row = await Executions(session, call.caller).assigned(id, change=False)
        found = await work(session, lambda it: ledger.lacking(it, row.user_id, set(body.digests)))
    return Lacking(lacking=sorted(found))


def _rows(run_id: str, epoch: int, body: bytes) -> list[StepRow]:
    """The rows that came, each checked.

    Raises:
        Invalid: They are none.
    """
    try:
        told = ormsgpack.unpackb(body)
    except ValueError as error:
        raise Invalid(f"the rows cannot be read: {error}", path="body") from None
    if not isinstance(told, list) or len(told) > ROWS:
        raise Invalid(f"rows are a list of {ROWS:,} at most", path="body")
    return [_row(run_id, epoch, number, each) for number, each in enumerate(told)]


def _row(run_id: str, epoch: int, number: int, told: Any) -> StepRow:
    place = f"body.{number}"
    if not isinstance(told, list) or [type(each) for each in told] != list(_KINDS):
        hint = f"Its fields are {', '.join(StepRow._fields)}."
        raise Invalid("a row is the list of its fields", path=place, hint=hint)
    row = StepRow(*told)
    row = row._replace(parts=tuple(row.parts))
    sound = (
        len(row.address) <= _LONGEST
        and "\0" not in row.address
        and row.state in STATES
        and len(row.effect) <= 16
        and all(isinstance(each, str) and _DIGEST.fullmatch(each) for each in row.parts)
        and 0 <= row.size < 2**62
        and math.isfinite(row.began)
        and math.isfinite(row.ended)
    )
    if not sound:
        raise Invalid("a field of the row cannot be", path=place)
    if row.epoch != epoch:
        raise Invalid("the row is of another epoch than the request", path=place)
    if not intact(run_id, row):
        raise Invalid("the row is not what its seal says", path=place, hint="Send it again.")
    return row
