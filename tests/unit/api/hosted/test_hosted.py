"""Executions that this very process runs, told to a real laboratory over a wire that may fail."""

import asyncio
import json
import random
import threading
import time

import pytest
from pydantic_core import to_jsonable_python

from bpaz_lab.api.hosted import hosted
from bpaz_lab.api.hosted.wire import patiently
from bpaz_lab.api.transport.steps import RemoteSteps
from bpaz_lab.api.workflow import Workflow
from bpaz_lab.engine.journal import Journal
from bpaz_lab.engine.options import Options
from bpaz_lab.engine.run import Run
from bpaz_lab.engine.steps import intact
from bpaz_lab.errors import LeaseLost, RunCrashed, ServerUnavailable, StoreUnavailable
from bpaz_lab.services.dispatch import dispatch
from bpaz_lab.services.execution_claim import Take, take_execution
from bpaz_lab.services.execution_end import end
from bpaz_lab.services.execution_own import Begin, begin_execution
from bpaz_lab.services.execution_resume import resume_execution
from bpaz_lab.services.execution_views import ExecuteDocument, ExecuteQuery, GetQuery, Resume
from bpaz_lab.services.executions import (
    cancel_execution,
    delete_execution,
    execute_document,
    get_execution,
)
from bpaz_lab.services.lab import Lab
from bpaz_lab.store.repositories.events import Events
from bpaz_lab.store.repositories.executions import Executions
from tests.support.executions import GREETING, Waiting, call_of, person

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)

END = ("completed", "failed", "cancelled")
LETTER = {
    "bpaz": 1,
    "name": "Letter",
    "nodes": {
        "draft": {"type": "TextInput", "settings": {"text": "Dear reader"}},
        "ask": {"type": "HumanApproval"},
    },
    "edges": [["draft.text", "ask.value"]],
}


class Wire:
    """A transport into the laboratory of the test's loop; requests and answers may get lost on it."""

    def __init__(self, lab, caller, loss=0.0, seed=1):
        self.lab, self.caller, self.loss = lab, caller, loss
        self.random = random.Random(seed)  # noqa: S311 (of a test)
        self.loop = asyncio.get_running_loop()
        self.lost = 0

    def call(self, method, path, *, query=None, body=None, headers=None):
        self._may_fail(StoreUnavailable("the database is away"))
        content = None if body is None else json.dumps(body, allow_nan=False).encode()
        asked = dispatch(call_of(self.lab, self.caller, "kernel-1"), method, path, {}, content)
        answer = asyncio.run_coroutine_threadsafe(asked, self.loop).result(60)
        self._may_fail(ServerUnavailable("the answer got lost"))
        return to_jsonable_python(answer.value)

    def send(self, method, path, data=None, *, query=None):
        self._may_fail(StoreUnavailable("the database is away"))
        told = {name: [str(value)] for name, value in (query or {}).items() if value is not None}
        asked = dispatch(call_of(self.lab, self.caller, "kernel-1"), method, path, told, data)
        answer = asyncio.run_coroutine_threadsafe(asked, self.loop).result(60)
        self._may_fail(ServerUnavailable("the answer got lost"))
        return getattr(answer, "content", b"")

    def steps(self, execution_id, epoch):
        return RemoteSteps(self, execution_id, epoch)

    def _may_fail(self, error):
        if self.random.random() < self.loss:
            self.lost += 1
            raise error


class Hosting(Waiting):
    """Runs what it is given in this process."""

    wire = None

    async def start(self, execution_id, caller):
        await super().start(execution_id, caller)
        hosted.start(str(execution_id), self.wire or Wire(self.lab, caller))

    async def cancel(self, execution_id):
        hosted.cancel(str(execution_id))

    async def answer(self, execution_id):
        hosted.answer(str(execution_id))


@pytest.fixture
async def lab(database_settings):
    made = Lab.of(database_settings)
    await made.ready()
    made.runner = Hosting(made)
    yield made
    end = time.monotonic() + 30
    while hosted._hosted:  # an acknowledgement got lost, and the last events are told once more
        assert time.monotonic() < end
        await asyncio.sleep(0.02)
    made.runner = None
    await made.close()


async def begin(lab, ada, flow, **inputs):
    body = ExecuteDocument(flow_data=flow, inputs=inputs)
    return (await execute_document(call_of(lab, ada), ExecuteQuery(wait=0), body)).value.id


async def until(lab, ada, id, *statuses):
    end = time.monotonic() + 60
    while (row := await get_execution(call_of(lab, ada), id, GetQuery())).status not in statuses:
        assert time.monotonic() < end, row
        await asyncio.sleep(0.02)
    return row


async def events(lab, ada, id):
    async with lab.database.session(read_only=True) as session:
        return await Events(session, ada).after(id, -1, 10_000)


def many(count, text="x"):
    nodes = {f"n{n}": {"type": "TextInput", "settings": {"text": text}} for n in range(count)}
    return {"bpaz": 1, "name": "Many", "nodes": nodes, "edges": []}


async def test_an_execution_runs_here_and_is_told(lab):
    ada = await person(lab)
    row = await until(lab, ada, await begin(lab, ada, GREETING, name="you"), *END)
    assert (row.status, row.output, row.outputs) == ("completed", "Hello you!", {"hello.text": "Hello you!"})
    told = await events(lab, ada, row.id)
    assert [event["type"] for event in told] == [
        "run.started",
        "node.started",
        "node.finished",
        "run.finished",
    ]
    assert str(row.id) not in hosted._hosted


@pytest.mark.parametrize("seed", range(3))
async def test_nothing_is_lost_or_doubled_where_requests_and_answers_get_lost(lab, seed):
    ada = await person(lab)
    lab.runner.wire = Wire(lab, ada, loss=0.3, seed=seed)
    row = await until(lab, ada, await begin(lab, ada, many(400)), *END)
    assert (row.status, len(row.outputs)) == ("completed", 400)
    told = await events(lab, ada, row.id)
    assert [event["seq"] for event in told] == list(range(802))
    assert [event["type"] for event in told].count("node.finished") == 400
    assert lab.runner.wire.lost > 0


async def test_a_pause_and_its_answer_survive_lost_answers_too(lab):
    ada = await person(lab)
    lab.runner.wire = Wire(lab, ada, loss=0.3, seed=5)
    id = await begin(lab, ada, LETTER)
    row = await until(lab, ada, id, "paused")
    assert row.questions["ask"]["data"] == "Dear reader"
    await resume_execution(call_of(lab, ada), id, Resume(answers={"ask": {"approve": True}}))
    row = await until(lab, ada, id, *END)
    assert (row.status, row.outputs["ask.approved"]) == ("completed", "Dear reader")


@pytest.mark.parametrize("status", ["running", "paused"])
async def test_cancelling(lab, status):
    ada = await person(lab)
    flow = LETTER
    if status == "running":
        wait = {"type": "Delay", "settings": {"seconds": 60}}
        nodes = {"draft": LETTER["nodes"]["draft"], "wait": wait}
        flow = {**LETTER, "nodes": nodes, "edges": [["draft.text", "wait.value"]]}
    id = await begin(lab, ada, flow)
    await until(lab, ada, id, status)
    await cancel_execution(call_of(lab, ada), id)
    row = await until(lab, ada, id, *END)
    assert (row.status, row.error["code"]) == ("cancelled", "run_cancelled")
    assert (await events(lab, ada, id))[-1]["status"] == "cancelled"


async def test_what_cannot_begin_is_told_with_its_hint(lab):
    ada = await person(lab)
    flow = {"bpaz": 1, "name": "Strange", "nodes": {"a": {"type": "lab:Nope"}}, "edges": []}
    row = await until(lab, ada, await begin(lab, ada, flow), *END)
    assert (row.status, row.error["code"], row.error["path"]) == (
        "failed",
        "unknown_node_type",
        "nodes.a.type",
    )
    assert row.error["hint"]
    (last,) = await events(lab, ada, row.id)
    assert (last["type"], last["error"]) == ("run.finished", row.error)


async def test_requests_stay_within_what_the_server_takes(lab):
    lab.settings = lab.settings.model_copy(update={"body_limit": 20_000})
    ada = await person(lab)
    row = await until(lab, ada, await begin(lab, ada, many(120, "y" * 100)), *END)
    assert row.status == "completed"
    assert [event["seq"] for event in await events(lab, ada, row.id)] == list(range(242))
    kept = [value for value in row.outputs.values() if value == "y" * 100]
    assert 0 < len(kept) < 120
    assert row.outputs["…"] == f"{120 - (len(row.outputs) - 1)} more"


async def test_what_cannot_be_told_is_stopped_and_fails(lab):
    ada = await person(lab)

    class Choosy(Wire):
        def call(self, method, path, *, body=None, **more):
            if any(event["type"] == "node.asked" for event in (body or {}).get("events", ())):
                raise ValueError("not that")
            return super().call(method, path, body=body, **more)

    lab.runner.wire = Choosy(lab, ada)
    row = await until(lab, ada, await begin(lab, ada, LETTER), *END)
    assert row.status == "failed"
    assert "could not be told about: ValueError: not that" in row.error["message"]
    told = await events(lab, ada, row.id)
    assert [event["seq"] for event in told] == list(range(len(told)))


async def test_who_is_told_that_it_is_over_stops(lab):
    ada = await person(lab)
    id = await begin(lab, ada, LETTER)
    await until(lab, ada, id, "paused")
    await end(lab, id, "failed", RunCrashed("given up"))
    hosted.answer(str(id))  # it looks, and hears that it is over
    await delete_execution(call_of(lab, ada), id)
    limit = time.monotonic() + 30
    while str(id) in hosted._hosted:
        assert time.monotonic() < limit
        await asyncio.sleep(0.02)


# ---- leases, ledgers, and runs of one's own ---------------------------------------------------------


async def gone(id):
    limit = time.monotonic() + 30
    while str(id) in hosted._hosted:
        assert time.monotonic() < limit
        await asyncio.sleep(0.02)


async def rows(lab, ada, id):
    return await asyncio.to_thread(Wire(lab, ada).steps(str(id), 0).read)


async def test_what_is_done_is_kept_and_not_done_again(lab):
    ada = await person(lab)
    id = await begin(lab, ada, LETTER)
    await until(lab, ada, id, "paused")
    await end(lab, id, "failed", RunCrashed("given up"))
    hosted.answer(str(id))
    await gone(id)  # it has heard that the execution is not its own any more, and said nothing
    kept = {row.address: row for row in await rows(lab, ada, id)}
    assert (kept["draft"].state, kept["draft"].epoch, all(intact(id.hex, row) for row in kept.values())) == (
        "done", 1, True,
    )  # fmt: skip
    await resume_execution(call_of(lab, ada), id, Resume())
    await until(lab, ada, id, "paused")
    await resume_execution(call_of(lab, ada), id, Resume(answers={"approve": True}))
    row = await until(lab, ada, id, *END)
    assert (row.status, row.outputs["ask.approved"]) == ("completed", "Dear reader")
    told = await events(lab, ada, id)
    assert [event["seq"] for event in told] == list(range(len(told)))
    finished = [event for event in told if event["type"] == "node.finished" and event["node"] == "draft"]
    assert [event["cached"] for event in finished] == [False, True]
    assert {row.address: row.epoch for row in await rows(lab, ada, id)}["draft"] == 1


async def test_what_is_missing_here_is_said_and_the_run_stays_as_it_is(lab):
    ada = await person(lab)
    flow = {**LETTER, "nodes": {**LETTER["nodes"], "ask": {"type": "lab:OfACell"}}, "edges": []}
    begun = await begin_execution(call_of(lab, ada, "kernel-of-a-notebook"), Begin(flow_data=flow))
    await end(lab, begun.id, "failed", RunCrashed("its notebook was closed"))
    await resume_execution(call_of(lab, ada), begun.id, Resume())
    row = await until(lab, ada, begun.id, *END)
    assert (row.error["code"], row.error["path"]) == ("unknown_node_type", "nodes.ask.type")
    assert "OfACell" in row.error["message"]
    assert row.resumable


async def test_what_is_damaged_is_said_and_repaired(lab):
    ada = await person(lab)
    id = await begin(lab, ada, LETTER)
    await until(lab, ada, id, "paused")
    await end(lab, id, "failed", RunCrashed("given up"))
    hosted.answer(str(id))
    await gone(id)
    async with lab.database.session() as session:
        connection = await session.connection()
        await connection.exec_driver_sql("UPDATE execution_steps SET state = 'given' WHERE address = 'draft'")
    await resume_execution(call_of(lab, ada), id, Resume())
    row = await until(lab, ada, id, *END)
    assert (row.status, row.error["code"]) == ("failed", "integrity")
    assert "draft" in row.error["message"]
    await resume_execution(call_of(lab, ada), id, Resume(repair=True))
    row = await until(lab, ada, id, "paused")
    assert row.questions["ask"]["data"] == "Dear reader"
    await cancel_execution(call_of(lab, ada), id)
    await until(lab, ada, id, *END)


async def test_a_run_of_this_kernel_is_told_and_taken_away(lab):
    ada = await person(lab)
    wire = Wire(lab, ada, loss=0.2, seed=3)
    body = Begin(flow_data=LETTER, name="Letter")
    begun = await begin_execution(call_of(lab, ada, "kernel-1"), body)
    run = await asyncio.to_thread(own_run, wire, begun)
    run.start()
    row = await until(lab, ada, begun.id, "paused")
    await asyncio.to_thread(run.stored.wait, 30)
    assert (row.questions["ask"]["data"], run.status) == ("Dear reader", "paused")
    run.stored.clear()
    run.answer(approve=True)
    row = await until(lab, ada, begun.id, *END)
    assert await asyncio.to_thread(run.stored.wait, 30)
    assert (row.status, row.outputs["ask.approved"]) == ("completed", "Dear reader")
    async with lab.database.session(read_only=True) as session:
        kept = await Executions(session, ada).get(begun.id)
    assert kept.options["answers"] == {"ask": [{"approve": True}]}

    begun = await begin_execution(call_of(lab, ada, "kernel-1"), body)
    run = await asyncio.to_thread(own_run, wire, begun)
    run.start()
    await until(lab, ada, begun.id, "paused")
    told = len(await events(lab, ada, begun.id))
    await take_execution(call_of(lab, ada, "kernel-2"), begun.id, Take())
    run.answer(approve=True)
    assert await asyncio.to_thread(run.stored.wait, 30)
    await asyncio.to_thread(run.wait, 30)
    assert isinstance(run.error, LeaseLost)
    await gone(begun.id)
    assert len(await events(lab, ada, begun.id)) == told
    await end(lab, begun.id, "failed", RunCrashed("enough"))


def own_run(wire, begun):
    """A run that this process made by itself."""
    steps = wire.steps(str(begun.id), begun.epoch)
    journal = patiently(Journal(steps, lease=begun.lease).open)
    run = Run(Workflow.from_dict(LETTER).plan(), {}, Options(ledger=journal, run_id=begun.id.hex))
    run.stored = threading.Event()
    hosted.follow(run, str(begun.id), begun.epoch, wire, lease=1.0)
    return run
