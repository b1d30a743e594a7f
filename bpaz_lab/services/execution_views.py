"""What the routes of executions take and answer."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 (fields are made from the hints)
from typing import TYPE_CHECKING, Any, Final, Literal
from uuid import UUID  # noqa: TC003

from pydantic import Field, computed_field

from bpaz_lab.services.listing import Listing
from bpaz_lab.services.route import Model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpaz_lab.store.tables import WorkflowExecution

Status = Literal["pending", "running", "paused", "completed", "failed", "cancelled"]
RESUMABLE: Final = ("failed", "cancelled", "paused")
"""What can go on where it stopped; one that completed is forked."""


class Inputs(Model):
    """What an execution is given."""

    inputs: dict[str, Any] = Field(
        default_factory=dict, max_length=1000, description="By name; `node.port` where a name is not enough."
    )
    session_id: str = Field("", max_length=255, description="The conversation that it belongs to.")
    timeout: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="Seconds that it may take; the server's limit at most."
    )


class ExecuteDocument(Inputs):
    """A document to run that need not be stored."""

    flow_data: dict[str, Any] = Field(description="The document.")


class ExecuteStored(Inputs):
    """Which version of a stored workflow to run."""

    version: int | None = Field(None, ge=1, le=2**31 - 1, description="The latest by default.")


class ExecuteQuery(Model):
    """How long to wait for the result."""

    wait: float = Field(
        60, ge=0, le=300, allow_inf_nan=False, description="Seconds to wait for the end; 0 answers at once."
    )


class GetQuery(Model):
    """How much of an execution is wanted."""

    document: bool = Field(False, description="Whether the document that was run comes along.")


class ListQuery(Listing):
    """Which executions."""

    id: str = Field("", pattern="^[0-9a-f]{0,32}$", description="Those whose id, without dashes, begins so.")
    workflow: UUID | None = Field(None, description="Those of one workflow.")
    status: Status | None = Field(None, description="Those with this status.")
    session: str = Field("", max_length=255, description="Those of one conversation.")
    since: datetime | None = Field(None, description="Those asked for at or after this moment.")


class EventsQuery(Model):
    """Where to begin."""

    after: int | None = Field(None, ge=-1, le=2**31, description="The `seq` of the last event that is known.")
    limit: int = Field(500, ge=1, le=500, description="Events of a list; a stream has no end but the run's.")


class Resume(Model):
    """How an execution goes on."""

    answers: dict[str, Any] = Field(
        default_factory=dict,
        max_length=1000,
        description="What a paused one asks, by the address of the node that asks; the fields alone where "
        "one asks.",
    )
    repair: bool = Field(
        False, description="Whether steps that are kept damaged are left out: computed again, or asked for."
    )


class EventList(Model):
    """Events behind a number, oldest first."""

    items: list[dict[str, Any]] = Field(description="Events; see the page on executions.")
    next: int = Field(description="What to give as `after` for those that follow.")


class ExecutionSummary(Model):
    """An execution, as a list shows it."""

    id: UUID
    workflow_id: UUID | None
    workflow_version: int | None
    name: str
    status: Status
    session_id: str
    error: dict[str, Any] | None
    usage: dict[str, Any] | None
    created_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    parent_id: UUID | None = Field(None, description="The execution that it was forked from.")
    forked_at: str | None = Field(None, description="The address of the step that it was forked at.")
    holder: str | None = Field(None, description="Who runs it, where that is no kernel of the server's own.")
    heartbeat_at: datetime | None = Field(None, description="When who runs it was last heard of.")

    @computed_field(  # type: ignore[prop-decorator]
        description="Whether it can go on: it failed, was cancelled, or waits for an answer."
    )
    @property
    def resumable(self) -> bool:
        """Whether it can go on."""
        return self.status in RESUMABLE


class Execution(ExecutionSummary):
    """An execution with its values."""

    inputs: dict[str, Any]
    output: Any = Field(None, description="What End or ChatOutput took, else what the only sink gave.")
    outputs: dict[str, Any] = Field(
        description="Every computed output by `node.port`. What is no JSON, or too large, is shown as "
        '`{"type", "text", "why"}`.'
    )
    questions: dict[str, Any] | None = Field(description="What a paused execution asks, by address.")
    in_doubt: list[str] = Field(
        description="Addresses of steps that must not happen twice, and may have when it was cut off."
    )
    flow_data: dict[str, Any] | None = Field(None, description="The document, where it was asked for.")
    options: dict[str, Any] | None = Field(
        None, description="How it was started, where the document was asked for: `targets`, `code`, `given`."
    )


def view(row: WorkflowExecution, in_doubt: Sequence[str] = (), *, document: bool = False) -> Execution:
    """An execution as it is answered.

    Args:
        row: The execution.
        in_doubt: What its ledger says is in doubt, while it does not run.
        document: Whether its document comes along.
    """
    given = row.outputs or {}
    return Execution(
        **ExecutionSummary.model_validate(row).model_dump(exclude={"resumable"}),
        inputs=row.inputs or {},
        output=given.get("output"),
        outputs=given.get("outputs") or {},
        questions=row.questions if row.status == "paused" else None,
        in_doubt=list(in_doubt),
        flow_data=row.flow_data if document else None,
        options=_options(row) if document else None,
    )


def _options(row: WorkflowExecution) -> dict[str, Any]:
    return {name: told for name, told in (row.options or {}).items() if name != "answers"}
