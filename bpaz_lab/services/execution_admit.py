"""Taking an execution in: stored before anything runs, and once however often it is asked for."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.errors import Conflict, Invalid, RequestError
from bpaz_lab.services import metrics
from bpaz_lab.store.repositories import audit
from bpaz_lab.store.repositories.executions import Executions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from uuid import UUID

    from bpaz_lab.services.call import Call
    from bpaz_lab.services.runner import Runner
    from bpaz_lab.store.database import Session
    from bpaz_lab.store.tables import WorkflowExecution

LONGEST_KEY: Final = 255


async def known(call: Call, asked: Mapping[str, Any]) -> UUID | None:
    """The execution that this very request has begun already; None where it has not.

    Args:
        call: The request; its header ``Idempotency-Key`` names it.
        asked: What it asks for.

    Raises:
        Invalid: The key cannot be, or named another request before.
    """
    key = _key(call)
    if not key:
        return None
    async with call.session() as session:
        found = await Executions(session, call.caller).by_key(key)
    if found is None:
        return None
    id, digest = found
    if digest not in (None, _digest(asked)):
        raise Invalid(
            "another request was made with this Idempotency-Key",
            path="headers.idempotency-key",
            hint="Give each request a key of its own; only a repetition of the same has the same.",
        )
    return id


async def admit(
    call: Call,
    row: WorkflowExecution,
    asked: Mapping[str, Any],
    also: Callable[[Session], Awaitable[None]] | None = None,
) -> UUID:
    """Stores an execution, then has it run: what was accepted is never lost.

    Args:
        call: The request.
        row: The execution.
        asked: What the request asks for.
        also: What else is done in the same transaction.

    Raises:
        Throttled: The person has as many under way as may be.
        RequestError: There is no server that could run it.
    """
    runner, id = runner_of(call), row.id
    row.idempotency_key = _key(call) or None
    row.request_digest = _digest(asked) if row.idempotency_key else None
    try:
        async with call.session() as session:
            await Executions(session, call.caller).add(row, most=call.lab.settings.runs_per_user)
            if also is not None:
                await also(session)
            details = {"workflow": str(row.workflow_id)} if row.workflow_id else None
            await audit.record(session, call.caller, "workflow.execute", "execution", id, details=details)
    except Conflict:  # the same request came twice at once
        if (first := await known(call, asked)) is not None:
            return first
        raise
    metrics.run_started()
    call.lab.pulse.note(id)
    await runner.start(id, call.caller)
    return id


def runner_of(call: Call) -> Runner:
    """What runs executions.

    Raises:
        RequestError: Nothing does.
    """
    if call.lab.runner is None:
        raise RequestError(
            "there is no Jupyter server here to run it", hint="Run it in this process: wf.run(...)."
        )
    return call.lab.runner


def _key(call: Call) -> str:
    key = call.headers.get("idempotency-key", "")
    if len(key) > LONGEST_KEY or "\0" in key:
        raise Invalid(f"an Idempotency-Key has {LONGEST_KEY} characters at most", path="headers")
    return key


def _digest(asked: Mapping[str, Any]) -> str:
    told = json.dumps(asked, sort_keys=True, default=str).encode()
    return blake2b(told, digest_size=16).hexdigest()
