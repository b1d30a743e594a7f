"""Executions for tests that need no kernel: a person, a kernel of that person, and events."""

from __future__ import annotations

from uuid import uuid4

from bpaz_lab.errors import RunCrashed
from bpaz_lab.services.call import Call
from bpaz_lab.services.execution_claim import claim_execution
from bpaz_lab.services.execution_kernel import Told, tell_events
from bpaz_lab.services.execution_views import ExecuteDocument, ExecuteQuery
from bpaz_lab.services.executions import execute_document
from bpaz_lab.store.caller import Caller
from bpaz_lab.store.repositories.executions import assign
from bpaz_lab.store.tables import User

GREETING = {
    "bpaz": 1,
    "name": "Greeting",
    "nodes": {"hello": {"type": "PromptTemplate", "settings": {"template": "Hello {name}!"}}},
}


CRASH = RunCrashed("the kernel died", hint="Resume it, or run it again.")


class Waiting:
    """A runner whose kernel is the test: it assigns executions to a kernel and remembers what it was told."""

    def __init__(self, lab, kernel_id="kernel-1"):
        self.lab = lab
        self.kernel_id = kernel_id
        self.heard = []

    async def start(self, execution_id, caller):
        async with self.lab.database.session() as session:
            assert await assign(session, execution_id, self.kernel_id, self.lab.server_id)

    async def cancel(self, execution_id):
        self.heard.append(("cancel", execution_id))

    async def answer(self, execution_id):
        self.heard.append(("answer", execution_id))

    def told(self, execution_id, status):
        self.heard.append((status, execution_id))

    def kernels(self):
        return 1

    async def close(self):
        self.heard.append("closed")


async def person(lab, name="ada", *permissions):
    """Somebody with an account."""
    row = User(identity_provider="test", subject=f"{name}-{uuid4()}", role="user")
    async with lab.database.session() as session:
        session.add(row)
    granted = permissions or ("create_workflow", "execute_workflow", "manage_credentials")
    return Caller(row.id, name, frozenset(granted))


def call_of(lab, caller, kernel="", **headers):
    """A request of a person, or of a kernel of that person."""
    if kernel:
        caller = Caller(caller.user_id, caller.name, caller.permissions, kernel_id=kernel)
    return Call(lab, caller, {name.replace("_", "-"): value for name, value in headers.items()})


async def admitted(lab, caller, document=None, **body):
    """The id of an execution that a kernel has taken over."""
    body = ExecuteDocument(flow_data=document or GREETING, inputs={"name": "you"}, **body)
    answer = await execute_document(call_of(lab, caller), ExecuteQuery(wait=0), body)
    await claim_execution(call_of(lab, caller, lab.runner.kernel_id), answer.value.id)
    return answer.value.id


async def tell(lab, caller, id, events, outcome=None, kernel="", epoch=1, **more):
    """The kernel tells what happened."""
    told = Told(events=events, outcome=outcome, epoch=epoch, **more)
    return await tell_events(call_of(lab, caller, kernel or lab.runner.kernel_id), id, told)


def tokens(*numbers):
    """Events that stream a text."""
    return [
        {"type": "token", "seq": seq, "time": seq / 10, "node": "hello", "port": "text", "text": str(seq)}
        for seq in numbers
    ]


def finished(seq, status="completed", error=None):
    """The last event of a run."""
    return {
        "type": "run.finished", "seq": seq, "time": seq / 10, "status": status, "duration": 1.0,
        "output": None, "usage": None, "saved": None, "error": error,
    }  # fmt: skip


def paused(seq):
    """The events of a run that asks for approval."""
    form = [{"name": "approve", "title": "Approve", "kind": "boolean", "required": True}]
    question = {"text": "Send it?", "value": {"type": "str", "text": "it"}, "form": form, "data": "it"}
    asked = {"type": "node.asked", "seq": seq, "time": 0.0, "node": "hello", "question": question}
    return [asked, {"type": "run.paused", "seq": seq + 1, "time": 0.0, "nodes": ["hello"]}], question
