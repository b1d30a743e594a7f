from __future__ import annotations

from hashlib import blake2b
from uuid import uuid4

import ormsgpack
import pytest

from bpaz_lab.engine.steps import StepRow, intact, sealed
from bpaz_lab.errors import Invalid, LeaseLost, NotFound
from bpaz_lab.services import execution_ledger
from bpaz_lab.services.execution_end import end
from bpaz_lab.services.execution_ledger import (
    Digests,
    EpochQuery,
    LedgerQuery,
    keep_part,
    lacking_parts,
    read_ledger,
    read_part,
    write_ledger,
)
from bpaz_lab.services.execution_steps import StepsQuery, list_steps
from bpaz_lab.services.lab import Lab
from tests.support.executions import CRASH, Waiting, admitted, call_of, person

PIECE = b"a large piece"
NAME = blake2b(PIECE, digest_size=16).hexdigest()


@pytest.fixture
async def lab(database_settings):
    made = Lab.of(database_settings)
    await made.ready()
    made.runner = Waiting(made)
    yield made
    made.runner = None
    await made.close()


def row(id, address, state="done", parts=(), epoch=1, data=b"\x80", effect="once"):
    return sealed(id.hex, StepRow(address, state, effect, data, parts, len(data), epoch, 1.5, 2.5))


async def write(lab, caller, id, *rows, epoch=1, kernel="kernel-1"):
    body = ormsgpack.packb([list(each) for each in rows])
    return await write_ledger(call_of(lab, caller, kernel), id, EpochQuery(epoch=epoch), body)


async def read(lab, caller, id, **query):
    answer = await read_ledger(call_of(lab, caller), id, LedgerQuery(**query))
    told = ormsgpack.unpackb(answer.content)
    return [StepRow(*each) for each in told["rows"]], told["next"]


async def test_rows_go_in_and_come_out_as_they_were(lab):
    ada = await person(lab)
    id = await admitted(lab, ada)
    await keep_part(call_of(lab, ada, "kernel-1"), id, NAME, PIECE)
    wrote = [row(id, "", "given"), row(id, "a", parts=(NAME,)), row(id, "each[3]/b", "started", data=b"")]
    assert (await write(lab, ada, id, *wrote)).rows == 3
    found, behind = await read(lab, ada, id)
    assert ([each._replace(parts=tuple(each.parts)) for each in found], behind) == (wrote, None)
    assert all(intact(id.hex, each._replace(parts=tuple(each.parts))) for each in found)
    first, behind = await read(lab, ada, id, limit=2)
    rest, end_ = await read(lab, ada, id, limit=2, after=behind)
    assert ([each.address for each in (*first, *rest)], end_) == (["", "a", "each[3]/b"], None)
    assert (await read_part(call_of(lab, ada), id, NAME)).content == PIECE
    assert (
        await lacking_parts(call_of(lab, ada, "kernel-1"), id, Digests(digests=[NAME, "0" * 32]))
    ).lacking == ["0" * 32]
    steps = await list_steps(call_of(lab, ada), id, StepsQuery())
    assert [(each.address, each.state, each.in_doubt) for each in steps.items] == [
        ("a", "done", False), ("each[3]/b", "started", False),
    ]  # fmt: skip
    page = await list_steps(call_of(lab, ada), id, StepsQuery(limit=1))
    page = await list_steps(call_of(lab, ada), id, StepsQuery(limit=1, cursor=page.next))
    assert [each.address for each in page.items] == ["each[3]/b"]
    await end(lab, id, "failed", CRASH)
    steps = await list_steps(call_of(lab, ada), id, StepsQuery())
    assert [each.address for each in steps.items if each.in_doubt] == ["each[3]/b"]


async def test_nobody_but_the_holder_writes(lab):
    ada, eve = await person(lab), await person(lab, "eve")
    id = await admitted(lab, ada)
    for caller, kernel in ((ada, "kernel-2"), (eve, "kernel-1"), (ada, "")):
        for asked in (
            write(lab, caller, id, row(id, "a"), kernel=kernel),
            write(lab, caller, id, kernel=kernel),
            keep_part(call_of(lab, caller, kernel), id, NAME, PIECE),
            lacking_parts(call_of(lab, caller, kernel), id, Digests(digests=[])),
        ):
            with pytest.raises(NotFound):
                await asked
    for asked in (
        read(lab, eve, id),
        read_part(call_of(lab, eve), id, NAME),
        list_steps(call_of(lab, eve), id, StepsQuery()),
        read_part(call_of(lab, ada), id, NAME),
        read(lab, ada, uuid4()),
    ):
        with pytest.raises(NotFound):
            await asked


@pytest.mark.parametrize("known", [True, False])
async def test_what_comes_under_another_epoch_or_after_the_end_is_refused(lab, known):
    ada = await person(lab)
    id = await admitted(lab, ada)
    await write(lab, ada, id, row(id, "a"))
    assert not lab.live.unsaved(id)
    if not known:
        lab.live.release(id)  # as in a server that has begun since
    for rows in ([row(id, "b", epoch=0)], []):
        with pytest.raises(LeaseLost):
            await write(lab, ada, id, *rows, epoch=0)
    assert (await write(lab, ada, id)).rows == 0  # a sign of life
    await end(lab, id, "failed", CRASH)
    for rows in ([row(id, "b")], []):
        with pytest.raises(LeaseLost):
            await write(lab, ada, id, *rows)
    assert [each.address for each in (await read(lab, ada, id))[0]] == ["a"]


async def test_rows_that_are_none_are_refused(lab, monkeypatch):
    ada = await person(lab)
    id = await admitted(lab, ada)
    good = list(row(id, "a"))
    wrong = [
        {},
        [1],
        [good[:-1]],
        [[*good[:1], "paused", *good[2:]]],
        [[*good[:3], b"other", *good[4:]]],
        [[*good[:5], -1, *good[6:]]],
        [[*good[:7], float("nan"), *good[8:]]],
        [list(row(uuid4(), "a"))],
        [list(row(id, "a\0"))],
        [list(row(id, "a", parts=("../x",)))],
        [list(row(id, "a", epoch=7))],
    ]
    for body in (b"\xc1", *map(ormsgpack.packb, wrong)):
        with pytest.raises(Invalid):
            await write_ledger(call_of(lab, ada, "kernel-1"), id, EpochQuery(epoch=1), body)
    monkeypatch.setattr(execution_ledger, "ROWS", 1)
    with pytest.raises(Invalid):
        await write(lab, ada, id, row(id, "a"), row(id, "b"))
    for name, data in ((NAME, b"something else"), ("x", PIECE), (NAME.upper(), PIECE)):
        with pytest.raises(Invalid):
            await keep_part(call_of(lab, ada, "kernel-1"), id, name, data)
    assert await read(lab, ada, id) == ([], None)
