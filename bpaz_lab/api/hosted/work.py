"""From what the server gives a kernel to a run: the node types, files and objects are the kernel's."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from bpaz_lab.api.hosted.credentials import Lent
from bpaz_lab.api.running import _namespace
from bpaz_lab.api.workflow import Workflow
from bpaz_lab.engine.changed import code_of_types, demand_same
from bpaz_lab.engine.journal import Journal
from bpaz_lab.engine.options import Options
from bpaz_lab.engine.run import Run
from bpaz_lab.guard.credentials import Chain
from bpaz_lab.guard.egress import EgressPolicy
from bpaz_lab.guard.paths import Jail
from bpaz_lab.nodes.context import Services

if TYPE_CHECKING:
    from bpaz_lab.api.transport.transport import Transport


class Said:
    """What was said before in the conversation; see ``nodes.context.History``."""

    def __init__(self, messages: list[dict[str, str]]) -> None:
        self._messages = messages

    def messages(self, limit: int) -> list[dict[str, str]]:
        """The last messages, oldest first."""
        return self._messages[-limit:] if limit > 0 else []


def prepared(work: dict[str, Any], server: Transport) -> tuple[Run, Journal]:
    """A run that has not begun, or not gone on, and its ledger, which is open.

    What another person wrote gets neither the kernel's objects nor its files, and reaches the public
    internet only: its author chose the addresses.

    Args:
        work: What the server gave.
        server: Who lends the credentials, and keeps the ledger.

    Raises:
        DocumentError: The workflow has problems, or a node type of it is not here.
        InputError: An input is unknown, ambiguous or missing.
        IntegrityError: What is kept of the run is damaged.
        LeaseLost: Somebody else goes on with it.
        RunChanged: The code of a node type that it has computed is another one here.
    """
    services = Services(
        resolver=Chain(Lent(work["execution_id"], server)),
        session=work["session_id"],
        history=Said(work["history"]) if work["session_id"] and work["workflow_id"] else None,
        answers=work["answers"],
    )
    if work["trusted"]:
        services.namespace = _namespace()
    else:
        services.egress = EgressPolicy()
        services.jail = Jail([Path(tempfile.gettempdir(), f"bpaz-nothing-{uuid4()}")])  # no such folder
    told = work["options"]
    given = list(told.get("given") or ())
    plan = Workflow.from_dict(work["flow_data"]).plan(*(told.get("targets") or ()), given=given)
    steps = server.steps(work["execution_id"], work["epoch"])
    repair = bool(told.get("repair"))
    journal = Journal(steps, masker=services.masker, lease=work["lease"], repair=repair).open()
    try:
        document, code = work["flow_data"], told.get("code") or {}
        demand_same(document, document, code, code_of_types(plan), journal.addresses)
        options = Options(
            timeout=work["timeout"],
            services=services,
            given={node: journal.values(node) for node in given},
            ledger=journal,
            run_id=UUID(work["execution_id"]).hex,
            first=work["first"],
        )
        return Run(plan, journal.inputs or work["inputs"], options), journal
    except BaseException:
        journal.close()
        raise
