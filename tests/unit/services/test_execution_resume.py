from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import pytest

from bpaz_lab.engine.values import pack, unpack
from bpaz_lab.errors import Conflict, DocumentError, InputError, Invalid, LeaseLost, NotFound
from bpaz_lab.server.abandoned import adopt
from bpaz_lab.services import execution_diff
from bpaz_lab.services.execution_claim import Take, claim_execution, take_execution
from bpaz_lab.services.execution_diff import DiffQuery, diff_executions
from bpaz_lab.services.execution_end import end
from bpaz_lab.services.execution_fork import Fork, fork_execution
from bpaz_lab.services.execution_own import Begin, Parent, begin_execution
from bpaz_lab.services.execution_resume import resume_execution
from bpaz_lab.services.execution_stream import follow
from bpaz_lab.services.execution_views import ExecuteDocument, ExecuteQuery, GetQuery, Resume
from bpaz_lab.services.executions import cancel_execution, execute_document, get_execution
from bpaz_lab.services.lab import Lab
from bpaz_lab.store.repositories.executions import open_one
from bpaz_lab.store.tables import ExecutionCheckpoint
from bpaz_lab.store.tables.columns import utcnow
from tests.support.executions import (
    CRASH,
    GREETING,
    Waiting,
    admitted,
    call_of,
    finished,
    paused,
    person,
    tell,
    tokens,
)
from tests.unit.services.test_execution_ledger import read, row, write

RESUMED = {"type": "run.resumed", "seq": 0, "time": 0.0}
CHAIN = {
    "bpaz": 1,
    "name": "Chain",
    "nodes": {
        name: {"type": "PromptTemplate", "settings": {"template": "{text}!"}} for name in ("hello", "then")
    },
    "edges": [["hello.text", "then.text"]],
}


@pytest.fixture
async def lab(database_settings):
    made = Lab.of(database_settings)
    await made.ready()
    made.runner = Waiting(made)
    yield made
    made.runner = None
    await made.close()


async def silent(lab, id, seconds=60):
    """Nobody has heard of an execution for so long."""
    lab.pulse.forget(id)
    async with lab.database.session() as session:
        (await open_one(session, id)).heartbeat_at = utcnow() - timedelta(seconds=seconds)


async def test_a_failed_one_goes_on_under_another_epoch(lab):
    ada = await person(lab)
    id = await admitted(lab, ada)
    await tell(lab, ada, id, tokens(0, 1))
    await end(lab, id, "failed", CRASH)
    told = await resume_execution(call_of(lab, ada), id, Resume())
    assert (told.status, told.error, told.completed_at, told.resumable) == ("pending", None, None, False)
    work = await claim_execution(call_of(lab, ada, "kernel-1"), id)
    assert (work.epoch, work.first, work.answers, work.options) == (4, 3, {}, {})
    with pytest.raises(LeaseLost):
        await tell(lab, ada, id, tokens(2))
    with pytest.raises(LeaseLost):
        await write(lab, ada, id, row(id, "a"))
    listening = follow(lab, ada, id)
    assert [(await anext(listening))["type"] for _ in range(3)] == ["token", "token", "run.finished"]
    await tell(lab, ada, id, [{**RESUMED, "seq": 3}, finished(4)], {"status": "completed"}, epoch=4)
    assert [each["type"] async for each in listening] == ["run.resumed", "run.finished"]
    for asked in (resume_execution(call_of(lab, ada), id, Resume()), take(lab, ada, id)):
        with pytest.raises(Conflict, match="is completed"):
            await asked
    async with lab.database.session(read_only=True) as session:
        kept = await session.get(ExecutionCheckpoint, id)
    assert kept.checkpoint_data == {"epoch": 4, "status": "completed", "steps": 0, "in_doubt": 0}


async def take(lab, caller, id, kernel="kernel-2", **body):
    return await take_execution(call_of(lab, caller, kernel), id, Take(**body))


async def test_of_two_that_go_on_at_once_one_does(lab):
    ada = await person(lab)
    for ways in (["resume"] * 2, ["take"] * 2, ["resume", "take"]):
        id = await admitted(lab, ada)
        await end(lab, id, "failed", CRASH)
        asked = [
            resume_execution(call_of(lab, ada), id, Resume()) if way == "resume" else take(lab, ada, id)
            for way in ways
        ]
        done = await asyncio.gather(*asked, return_exceptions=True)
        assert sorted(type(each).__name__ == "Conflict" for each in done) == [False, True], done
        await end(lab, id, "failed", CRASH)


async def test_a_kernel_takes_over_what_nobody_is_heard_of(lab):
    ada, eve = await person(lab), await person(lab, "eve")
    id = await admitted(lab, ada)
    await tell(lab, ada, id, tokens(0))
    await lab.keeper.close()
    with pytest.raises(Conflict, match="is running") as refused:
        await take(lab, ada, id)
    assert refused.value.current["id"] == str(id)
    with pytest.raises(NotFound):
        await take(lab, eve, id)
    await silent(lab, id)
    work = await take(lab, ada, id, holder="a notebook")
    assert (work.epoch, work.first, work.inputs) == (2, 1, {"name": "you"})
    with pytest.raises(NotFound):  # another kernel's by now
        await tell(lab, ada, id, tokens(1))
    with pytest.raises(Conflict, match="a notebook has it"):
        await take(lab, ada, id)
    assert (await take(lab, ada, id, gone="a notebook")).epoch == 3
    with pytest.raises(Conflict):
        await take(lab, ada, id, gone="a notebook")  # the winner has not told who it is
    assert (await take(lab, ada, id, takeover=True, kernel="kernel-3")).epoch == 4
    heard = await tell(
        lab, ada, id, [{**RESUMED, "seq": 1}], {"status": "running"}, kernel="kernel-3", epoch=4
    )
    assert heard.received == 2


async def test_answers_are_kept_for_a_kernel_that_comes_later(lab):
    ada = await person(lab)
    id = await admitted(lab, ada)
    events, question = paused(0)
    await tell(lab, ada, id, events, {"status": "paused", "questions": {"hello": question}})
    for wrong in ({}, {"approve": 1}):
        with pytest.raises(InputError):
            await resume_execution(call_of(lab, ada), id, Resume(answers=wrong))
    lab.pulse.forget(id)  # its kernel has gone
    told = await resume_execution(call_of(lab, ada), id, Resume(answers={"approve": True}))
    assert told.status == "pending"
    work = await claim_execution(call_of(lab, ada, "kernel-1"), id)
    assert (work.answers, work.first) == ({"hello": [{"approve": True}]}, 2)
    await tell(lab, ada, id, [{**RESUMED, "seq": 2}], {"status": "running"}, epoch=work.epoch)
    mine = {"ask": [{"approve": False}, {"approve": True}]}
    await tell(lab, ada, id, tokens(3), epoch=work.epoch, answers=mine)  # given in the kernel itself
    await end(lab, id, "failed", CRASH)
    with pytest.raises(Conflict, match="waits for no answer"):
        await resume_execution(call_of(lab, ada), id, Resume(answers={"approve": True}))
    await resume_execution(call_of(lab, ada), id, Resume(repair=True))
    work = await claim_execution(call_of(lab, ada, "kernel-1"), id)
    assert work.answers == {"hello": [{"approve": True}], **mine}
    assert work.options == {"repair": True}


async def test_a_paused_one_without_a_kernel_is_cancelled_at_once(lab):
    ada = await person(lab)
    id = await admitted(lab, ada)
    events, question = paused(0)
    await tell(lab, ada, id, events, {"status": "paused", "questions": {"hello": question}})
    assert (await cancel_execution(call_of(lab, ada), id)).status == "paused"  # its kernel is told
    assert ("cancel", id) in lab.runner.heard
    lab.pulse.forget(id)
    told = await cancel_execution(call_of(lab, ada), id)
    assert (told.status, told.error["code"], told.questions) == ("cancelled", "run_cancelled", None)


async def test_what_is_abandoned_is_ended_or_run_here(lab, database_settings):
    ada = await person(lab)
    ids = [await admitted(lab, ada) for _ in range(3)]
    await tell(lab, ada, ids[0], tokens(0))
    await lab.keeper.close()
    events, question = paused(0)
    await tell(lab, ada, ids[1], events, {"status": "paused", "questions": {"hello": question}})
    for id in ids:
        await silent(lab, id)
    other = Lab.of(database_settings)
    await other.ready()
    assert await adopt(other, ids) == []
    both = await asyncio.gather(adopt(other, ()), adopt(lab, ()))
    assert sorted(len(each) for each in both) == [0, 1]
    (taken,) = [each for found in both for each in found]
    assert (taken.id, taken.user_id) == (ids[2], ada.user_id)
    rows = [await get_execution(call_of(lab, ada), id, GetQuery()) for id in ids]
    assert [each.status for each in rows] == ["failed", "paused", "pending"]
    assert rows[0].error["code"] == "run_crashed"
    with suppress(LeaseLost):
        await tell(lab, ada, ids[0], tokens(1))  # a server may not know it yet,
        await lab.keeper.close()
        await tell(lab, ada, ids[0], tokens(2))  # but nothing is stored
    kept = [event async for event in follow(lab, ada, ids[0])]
    assert [event["type"] for event in kept] == ["token", "run.finished"]
    with pytest.raises(LeaseLost):
        await tell(lab, ada, ids[0], tokens(1))
    await other.close()


async def test_the_same_key_with_another_request_is_refused(lab):
    ada = await person(lab)
    call = call_of(lab, ada, idempotency_key="k")
    body = ExecuteDocument(flow_data=GREETING, inputs={"name": "you"})
    id = (await execute_document(call, ExecuteQuery(wait=0), body)).value.id
    assert (await execute_document(call, ExecuteQuery(wait=0), body)).value.id == id
    for more in ({"inputs": {"name": "me"}}, {"timeout": 3}, {"session_id": "s"}):
        other = body.model_copy(update=more)
        with pytest.raises(Invalid, match="another request"):
            await execute_document(call, ExecuteQuery(wait=0), other)


# ---- of a kernel's own, and forks --------------------------------------------------------------------


async def begun(lab, caller, **body):
    told = {"flow_data": CHAIN, "inputs": {"text": "hi"}, "name": "Chain", **body}
    return await begin_execution(call_of(lab, caller, "kernel-1"), Begin(**told))


async def ran(lab, ada):
    """A completed execution of a kernel's own, with its ledger."""
    id = (await begun(lab, ada, options={"targets": ["then"]})).id
    rows = [
        row(id, "", "given", data=pack({"text": "hi"}).data),
        row(id, "hello", data=pack({"text": "hi!"}).data),
        row(id, "then", data=pack({"text": "hi!!"}).data),
    ]
    await write(lab, ada, id, *rows)
    await tell(lab, ada, id, [*tokens(0), finished(1)], {"status": "completed", "output": "hi!!"})
    return id


async def test_a_kernel_begins_by_itself(lab):
    ada, eve = await person(lab), await person(lab, "eve")
    one = await begun(lab, ada, idempotency_key="k", holder="a notebook")
    assert (one.epoch, one.lease) == (1, 20)
    assert (await begun(lab, ada, idempotency_key="k")).id == one.id
    told = await get_execution(call_of(lab, ada), one.id, GetQuery(document=True))
    assert (told.status, told.holder, told.inputs) == ("running", "a notebook", {"text": "hi"})
    await tell(lab, ada, one.id, [*tokens(0), finished(1)], {"status": "completed"})
    with pytest.raises(NotFound):
        await begun(lab, eve, parent=Parent(id=one.id))
    child = await begun(lab, ada, parent=Parent(id=one.id, forked_at="then"))
    told = await get_execution(call_of(lab, ada), child.id, GetQuery())
    assert (told.parent_id, told.forked_at) == (one.id, "then")
    secret = {**CHAIN["nodes"]["hello"], "settings": {"template": "sk-" + "a1B2" * 12}}
    with pytest.raises(DocumentError, match="secret"):
        await begun(lab, ada, flow_data={**CHAIN, "nodes": {**CHAIN["nodes"], "hello": secret}})


async def test_a_fork_takes_over_what_does_not_hang_on_the_step(lab):
    ada, eve = await person(lab), await person(lab, "eve")
    id = await ran(lab, ada)
    answer = await fork_execution(call_of(lab, ada), id, Fork(node="then"))
    new = answer.value
    assert (answer.status, new.status, new.parent_id, new.forked_at) == (201, "pending", id, "then")
    rows, _ = await read(lab, ada, new.id)
    assert [each.address for each in rows] == ["", "hello"]
    work = await claim_execution(call_of(lab, ada, "kernel-1"), new.id)
    assert (work.first, work.options["targets"], work.inputs) == (0, ["then"], {"text": "hi"})

    edited = await fork_execution(call_of(lab, ada), id, Fork(node="hello", outputs={"text": "other"}))
    rows, _ = await read(lab, ada, edited.value.id)
    assert [(each.address, each.state) for each in rows] == [("", "given"), ("hello", "given")]
    assert unpack(rows[1].data, dict) == {"text": "other"}

    changed = {
        **CHAIN,
        "nodes": {**CHAIN["nodes"], "hello": {**CHAIN["nodes"]["then"], "settings": {"template": "{text}?"}}},
    }
    with_other = await fork_execution(call_of(lab, ada), id, Fork(node="then", flow_data=changed))
    rows, _ = await read(lab, ada, with_other.value.id)
    assert [each.address for each in rows] == [""]

    with pytest.raises(Invalid, match="has done no step"):
        await fork_execution(call_of(lab, ada), id, Fork(node="nothing"))
    with pytest.raises(NotFound):
        await fork_execution(call_of(lab, eve), id, Fork(node="then"))


async def test_executions_are_compared(lab, monkeypatch):
    monkeypatch.setattr(execution_diff, "PAGE", 1)
    monkeypatch.setattr(execution_diff, "ROOM", 1)
    ada, eve = await person(lab), await person(lab, "eve")
    one, other = await ran(lab, ada), (await begun(lab, ada)).id
    rows = [
        row(other, "hello", data=pack({"text": "hi!"}).data),
        row(other, "then", data=pack({"text": "no"}).data),
    ]
    await write(lab, ada, other, *rows, row(other, "damaged", data=b"\xc1"))
    told = await diff_executions(call_of(lab, ada), one, DiffQuery(**{"with": other}))
    assert {each.place: each.same for each in told.nodes} == {"hello": True, "then": False}
    for ids in ((one, uuid4()), (uuid4(), one)):
        with pytest.raises(NotFound):
            await diff_executions(call_of(lab, ada), ids[0], DiffQuery(**{"with": ids[1]}))
    with pytest.raises(NotFound):
        await diff_executions(call_of(lab, eve), one, DiffQuery(**{"with": other}))
