"""Runs of this kernel whose every step is kept in the laboratory: begun, gone on with, and forked."""

from __future__ import annotations

import os
import socket
import uuid
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bpaz_lab.api.hosted.outcome import LONGEST, as_value, refused
from bpaz_lab.engine.inputs import fill
from bpaz_lab.engine.journal import Journal
from bpaz_lab.engine.slots import MISSING
from bpaz_lab.engine.values import NotStorable, pack, without
from bpaz_lab.errors import BpazError, InputError, ServerUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bpaz_lab.api.runs.run import Origin, Run
    from bpaz_lab.api.transport.transport import Transport
    from bpaz_lab.engine.options import Options
    from bpaz_lab.engine.plan import Plan
    from bpaz_lab.guard.mask import Masker


@dataclass(frozen=True, slots=True)
class Held:
    """The lease of a run.

    Attributes:
        transport: The laboratory.
        id: The execution there.
        epoch: Which lease it is; what another one writes is refused.
        lease: Seconds after which a holder that was not heard of is replaced.
        first: The number of the next event.
    """

    transport: Transport
    id: str
    epoch: int
    lease: float
    first: int = 0


def laboratory(url: str | None = None) -> Transport:
    """What keeps durable runs: as ``bz.connect()`` finds it."""
    from bpaz_lab.api.lab.lab import _transport

    return _transport(url, None)


def holder() -> str:
    """Who holds the runs of this process, for people to read."""
    return f"{socket.gethostname()}, process {os.getpid()}"


def is_gone(told: str | None) -> bool:
    """Whether a holder was a process of this machine that is no more, so that nobody need wait for it.

    Example:
        >>> is_gone(holder()), is_gone("another machine, process 1")
        (False, False)
    """
    host, _, number = (told or "").rpartition(", process ")
    if host != socket.gethostname() or not number.isdigit():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except OSError:  # it is another person's, and alive
        return False
    return False


def begun(
    origin: Origin,
    plan: Plan,
    options: Options,
    parent: Mapping[str, Any] | None = None,
    edited: Mapping[str, Mapping[str, Any]] | None = None,
) -> Held:
    """Admits a run, so that it is known before anything of it happens.

    Args:
        origin: What it is made of.
        plan: Its plan.
        options: Gets the ledger and the id of the run.
        parent: The execution that it is forked from: ``id``, ``forked_at``, ``without``.
        edited: What steps shall have given there.

    Raises:
        InputError: An input is unknown, missing, or has no form in which it can be kept.
        ServerUnavailable: The server cannot be reached.
        StoreError: The database does not take it.
    """
    masker = options.services.masker
    if parent is None:
        fill(plan, origin.inputs, [MISSING] * plan.size)
        _demand_form({"": origin.inputs, **options.given}, masker)
    _demand_form(edited or {}, masker)
    folder = origin.workflow.folder
    body = {
        "name": origin.document["name"],
        "flow_data": origin.document,
        "inputs": {name: as_value(value, masker, LONGEST)[0] for name, value in origin.inputs.items()},
        "session_id": origin.how.session,
        "options": {
            "targets": list(origin.targets),
            "given": sorted({*options.given, *origin.pins}),
            "code": code_of(plan),
            "folder": str(folder.absolute()) if folder else "",
        },
        "holder": holder(),
        "idempotency_key": uuid.uuid4().hex,
        **({"parent": parent} if parent else {}),
    }
    transport = laboratory()
    told = _admitted(transport, body)
    held = Held(transport, str(told["id"]), told["epoch"], told["lease"])
    try:
        ledger = held_by(options, held)
        if edited:
            ledger.given(edited)
    except BpazError as error:
        let_go(held, error)
        raise
    return held


def held_by(options: Options, held: Held, *, repair: bool = False) -> Journal:
    """Gives the options of a run the ledger of the one that is held.

    Raises:
        IntegrityError: Something in it is damaged.
    """
    steps = held.transport.steps(held.id, held.epoch)
    ledger = Journal(steps, masker=options.services.masker, lease=held.lease, repair=repair).open()
    options.run_id, options.ledger = held.id.replace("-", ""), ledger
    return ledger


def run_of(origin: Origin, plan: Plan, options: Options, held: Held) -> Run:
    """The run that is held: what it was given before is in its ledger."""
    from bpaz_lab.api.runs.run import Run

    ledger = options.ledger
    assert isinstance(ledger, Journal)
    options.given = {**{node: ledger.values(node) for node in origin.pins}, **options.given}
    inputs = ledger.inputs or origin.inputs
    return Run(plan, inputs, options, replace(origin, inputs=inputs), held)


def let_go(held: Held, error: BpazError) -> None:
    """Says of a run that is held and cannot begin why that is; it can be resumed again."""
    body = {**refused(error, held.first), "epoch": held.epoch}
    with suppress(BpazError):  # what it is let go for says more; the lease ends by itself
        held.transport.call("POST", f"executions/{held.id}/events", body=body)


def code_of(plan: Plan) -> dict[str, str]:
    """What the code of the node types is that are not of this package, by type."""
    from bpaz_lab.engine.changed import code_of_types

    return dict(code_of_types(plan))


def follow(run: Run, held: Held) -> None:
    """Tells the laboratory what happens in a run."""
    from bpaz_lab.api.hosted import hosted

    hosted.follow(run, held.id, held.epoch, held.transport, lease=held.lease)


def _demand_form(values: Mapping[str, Mapping[str, Any]], masker: Masker) -> None:
    fit = without(masker.forms) if masker.forms else None
    for address, outputs in values.items():
        try:
            pack(outputs, fit)
        except NotStorable as error:
            place = f"{address}.{error}" if address else f"the input {error}"
            raise InputError(
                f"{place}, so the run could not go on after a crash",
                hint="Let a node make it inside the workflow, or run it without durable=True.",
            ) from None


def _admitted(transport: Transport, body: Mapping[str, Any]) -> Any:
    """Asks once more where no answer came: the key keeps it from being admitted twice."""
    try:
        return transport.call("POST", "executions", body=body)
    except ServerUnavailable:
        return transport.call("POST", "executions", body=body)
