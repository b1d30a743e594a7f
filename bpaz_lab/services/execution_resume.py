"""Going on with an execution where it stopped: answered, repaired, or simply once more."""

from __future__ import annotations

from uuid import UUID  # noqa: TC003 (routes are made from the hints)

from bpaz_lab.accounts.policy import demand
from bpaz_lab.services.call import Call  # noqa: TC001
from bpaz_lab.services.execution_admit import runner_of
from bpaz_lab.services.execution_answers import answer
from bpaz_lab.services.execution_claim import anew, is_held, is_kept, unavailable
from bpaz_lab.services.execution_views import RESUMABLE, Execution, Resume, view
from bpaz_lab.services.route import route
from bpaz_lab.store.repositories import audit
from bpaz_lab.store.repositories.executions import ACTIVE, Executions


@route("POST", "executions/{id}/resume", status=202)
async def resume_execution(call: Call, id: UUID, body: Resume) -> Execution:
    """Go on with an execution that waits for an answer, failed, was cancelled or cut off.

    What is done of it is not done again. A paused one goes on in the kernel that has it, if that is there
    still; any other in one that is started.
    """
    lab, runner = call.lab, runner_of(call)
    async with call.session() as session:
        executions = Executions(session, call.caller)
        row = await executions.get(id, change=True)
        demand(call.caller, "execution.resume", row)
        waits = row.status == "paused"
        if waits or body.answers:
            answer(row, body.answers)
        if row.status not in (*RESUMABLE, *ACTIVE) or is_held(lab, row):
            raise unavailable(lab, row)
        stays = waits and not body.repair and is_kept(lab, row)
        if stays:
            row.status = "running"
        else:
            await executions.demand_room(lab.settings.runs_per_user)
            await anew(session, lab, row, repair=body.repair)
        await audit.record(session, call.caller, "execution.resume", "execution", id)
    if stays:
        await runner.answer(id)
    else:
        runner.told(id, "taken")
        lab.pulse.note(id)
        await runner.start(id, call.caller)
    return view(row)
