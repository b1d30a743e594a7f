"""``bz.resume`` and ``bz.fork``: going on in this kernel with what another one has begun."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bpaz_lab.api.hosted import hosted
from bpaz_lab.api.lab.ids import full_id
from bpaz_lab.api.lab.table import MOST, pages
from bpaz_lab.api.runs import durable
from bpaz_lab.api.runs.forking import demand_outputs
from bpaz_lab.api.runs.kept import Kept, place_in
from bpaz_lab.api.runs.run import How, Origin
from bpaz_lab.api.workflow import Workflow
from bpaz_lab.engine.engine import Engine
from bpaz_lab.engine.journal import Journal
from bpaz_lab.errors import BpazError, NotFound
from bpaz_lab.graph.address import place_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bpaz_lab.api.running import Running
    from bpaz_lab.api.runs.run import Run
    from bpaz_lab.api.transport.transport import Transport
    from bpaz_lab.engine.plan import Plan

Changed = Literal["refuse", "continue"]


def resume(
    run_id: str = "",
    answers: Mapping[str, Any] | None = None,
    /,
    *,
    workflow: Running | None = None,
    changed: Changed = "refuse",
    repair: bool = False,
    takeover: bool = False,
    url: str | None = None,
    **named: Any,
) -> Run:
    """Goes on with a durable run that another process has begun, here, and waits for its end.

    What is done of it is not done again. It failed, was cancelled, was cut off by a crash, or waits for a
    person.

    Args:
        run_id: The run, or the first characters of its id; the latest that can go on where it is empty.
        answers: What it asks: the answer, where one node asks, else answers by address.
        workflow: The workflow to go on with, where its nodes are of this notebook or it was changed; the one
            that was run by default.
        changed: ``continue`` goes on with a changed ``workflow``, where only steps changed that have not
            begun.
        repair: Goes on although what is kept of some steps is damaged: what may be repeated is computed
            again, the rest is asked for.
        takeover: Takes the run from a process that still has it.
        url: The address of a Jupyter server; as ``bz.connect()`` by default.
        named: The fields of the answer, where one node asks.

    Returns:
        The run, which has ended or asks somebody.

    Raises:
        NotFound: There is no such run of yours, or none that can go on.
        Conflict: Somebody has it, or it is completed.
        RunChanged: The workflow is not the one that was run; it says what differs.
        DocumentError: A node type is not here.
        IntegrityError: What is kept of it is damaged.
        InputError: An answer does not fit; the run waits on.
        RunError: It failed; the run is attached.

    Example:
        ``bz.resume("3f0c6f6e", approve=True)``
    """
    run = resumed(
        run_id,
        {**(answers or {}), **named},
        workflow=workflow,
        changed=changed,
        repair=repair,
        takeover=takeover,
        url=url,
    )
    run.origin.workflow._launch(run).wait().raise_for_status()
    return run


def resumed(
    run_id: str = "",
    answers: Mapping[str, Any] | None = None,
    *,
    workflow: Running | None = None,
    changed: Changed = "refuse",
    repair: bool = False,
    takeover: bool = False,
    url: str | None = None,
    objects: Mapping[str, Any] | None = None,
) -> Run:
    """The run that goes on, which is held but has not begun again; see ``resume``."""
    transport = durable.laboratory(url)
    told = found(transport, run_id)
    id = str(told["id"])
    origin, plan = _origin(told, workflow, How(durable=True, objects=objects))
    Journal(transport.steps(id, 0), repair=repair).open()  # only to look: a refusal changes nothing
    if workflow is not None:
        from bpaz_lab.engine.changed import demand_same

        code = (told.get("options") or {}).get("code") or {}
        old, new = told["flow_data"], origin.document
        demand_same(old, new, code, durable.code_of(plan), _begun(transport, id), changed=changed)
    body = {
        "answers": dict(answers or {}),
        "takeover": takeover,
        "holder": durable.holder(),
        "repair": repair,
    }
    if durable.is_gone(told.get("holder")):
        body["gone"] = told["holder"]
    work = transport.call("POST", f"executions/{id}/take", body=body)
    hosted.answer(id)  # a run of this process that had it hears at once that it is not its any more
    held = durable.Held(transport, id, work["epoch"], work["lease"], work["first"])
    how = replace(origin.how, session=work["session_id"], timeout=work["timeout"])
    options = origin.workflow._options(how)
    options.services.answers.update(work["answers"])
    options.first = held.first
    try:
        durable.held_by(options, held, repair=repair)
        return durable.run_of(replace(origin, how=how), plan, options, held)
    except BpazError as error:
        durable.let_go(held, error)
        raise


def fork(
    run_id: str,
    address: str,
    outputs: Mapping[str, Any] | None = None,
    /,
    *,
    workflow: Running | None = None,
    url: str | None = None,
    **named: Any,
) -> Run:
    """Begins a new run in the middle of a durable one, here, and waits for its end; see ``Run.fork``.

    Args:
        run_id: The run, or the first characters of its id; also one of another kernel.
        address: The step: ``"draft"``, or ``"each[2]/clean"`` in a round of a container.
        outputs: What the step shall have given, by output; without any it is computed again.
        workflow: The workflow to go on with, where it was changed since; what changed is computed again too.
        url: The address of a Jupyter server; as ``bz.connect()`` by default.
        named: Outputs by name.

    Raises:
        NotFound: There is no such run of yours.
        InputError: There is no such step or output.
        IntegrityError: What is kept of it is damaged.
        RunError: The new run failed; it is attached.

    Example:
        ``bz.fork("3f0c6f6e", "draft", text="Dear Ada, …")``
    """
    transport = durable.laboratory(url)
    told = found(transport, run_id)
    run = forked(transport, told, address, {**(outputs or {}), **named}, workflow=workflow)
    run.origin.workflow._launch(run).wait().raise_for_status()
    return run


def forked(
    transport: Transport,
    told: Mapping[str, Any],
    address: str,
    outputs: Mapping[str, Any],
    *,
    workflow: Running | None = None,
    like: Origin | None = None,
) -> Run:
    """The run that begins in the middle of another one, which is held but has not begun.

    Args:
        transport: The laboratory.
        told: The run that it begins in, as the laboratory tells it with its document.
        address: The step.
        outputs: What it shall have given.
        workflow: The workflow to go on with.
        like: What the run was made of, where it is one of this kernel.
    """
    from bpaz_lab.engine.changed import changes
    from bpaz_lab.engine.fork import affected

    id, document, options = str(told["id"]), told["flow_data"], told.get("options") or {}
    origin, plan = _origin(told, workflow, like.how if like else How(durable=True), like)
    old = Kept(transport.steps(id, 0), lambda: plan)
    address = old.full(address)
    without = set(affected(document, old.addresses, address))
    if workflow is not None:
        changed = changes(document, origin.document, options.get("code") or {}, durable.code_of(plan))
        for each in [each for each in old.addresses if place_of(each) in changed]:
            without |= affected(document, old.addresses, each)
    edited = {}
    if outputs:
        demand_outputs(address, outputs, [*place_in(plan, address)[1].slots])
        edited[address] = {**old.values(address), **outputs}
    made = origin.workflow._options(origin.how)
    parent = {"id": id, "forked_at": address, "without": sorted(without - set(options.get("given") or ()))}
    origin = replace(origin, parent=id.replace("-", ""), forked_at=address)
    return durable.run_of(origin, plan, made, durable.begun(origin, plan, made, parent, edited))


def found(transport: Transport, run_id: str = "") -> dict[str, Any]:
    """A run as the laboratory tells it, with its document; the latest that can go on where no id is given.

    Raises:
        NotFound: There is none.
    """
    if run_id:
        id = full_id(transport, run_id)
    else:
        told = pages(transport, "executions", dict, limit=MOST)
        id = next((str(each["id"]) for each in told if can_go_on(each)), "")
        if not id:
            raise NotFound("no run of yours can go on", hint="lab.executions lists them, and bpaz runs.")
    return dict(transport.call("GET", f"executions/{id}", query={"document": True}))


def can_go_on(told: Mapping[str, Any]) -> bool:
    """Whether a run stopped before its end, or its process did."""
    return bool(told["resumable"]) or (
        told["status"] in ("pending", "running") and durable.is_gone(told.get("holder"))
    )


def _begun(transport: Transport, id: str) -> list[str]:
    """The steps that are done or under way; one that failed may be another one when it is tried again."""
    return [row.address for row in transport.steps(id, 0).read() if row.address and row.state != "failed"]


def _origin(
    told: Mapping[str, Any], workflow: Running | None, how: How, like: Origin | None = None
) -> tuple[Origin, Plan]:
    """What a run is made of that goes on, and its plan.

    Raises:
        DocumentError: A node type is not here, or the workflow has other problems.
    """
    options = told.get("options") or {}
    document = told["flow_data"]
    if workflow is not None:
        document = workflow._seen()
    elif like is not None:
        workflow = like.workflow
    else:
        workflow = Workflow.from_dict(document)
        folder = Path(options.get("folder") or "")
        if options.get("folder") and folder.is_dir():
            workflow._live_in(folder)
    targets = tuple(options.get("targets") or ())
    given = [node for node in options.get("given") or () if node in document["nodes"]]
    plan = Engine(workflow.types).build(document, targets, given)
    return Origin(workflow, document, targets, told["inputs"], {node: {} for node in given}, how), plan
