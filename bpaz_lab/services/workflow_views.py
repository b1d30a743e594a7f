"""What the routes of workflows take and answer."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 (fields are made from the hints)
from typing import Any, Final
from uuid import UUID  # noqa: TC003

from pydantic import Field

from bpaz_lab.services.listing import Listing
from bpaz_lab.services.route import Model
from bpaz_lab.store.repositories.workflows import Scope  # noqa: TC001

ACTIONS: Final = ("read", "execute", "update", "delete", "share", "publish")
"""What a person may be allowed to do with a workflow; each is an action of the policy."""


class WorkflowQuery(Listing):
    """Which workflows."""

    sort: str = Field(
        "-updated_at", max_length=50, description="`name`, `created_at` or `updated_at`; `-` turns the order."
    )
    scope: Scope = Field(
        "all", description="Your own, those that an organisation shares, public ones, or all."
    )
    name: str = Field("", max_length=255, description="What they are called, exactly.")
    contains: str = Field("", max_length=255, description="What their name contains.")
    organization: UUID | None = Field(None, description="The organisation that shares them.")


class CheckQuery(Model):
    """What else to answer."""

    check: bool = Field(False, description="Whether to list what would keep the workflow from running.")


class DiffQuery(Model):
    """Which versions."""

    from_: int | None = Field(
        None, alias="from", ge=1, lt=2**31, description="The one before `to` by default."
    )
    to: int | None = Field(None, ge=1, lt=2**31, description="The latest by default.")


class VersionQuery(Listing):
    """Which versions."""

    sort: str = Field("-version", max_length=50, description="`version`; `-` before it for the latest first.")


class WorkflowMade(Model):
    """A new workflow."""

    name: str = Field("", max_length=255, description="As in the document where it is empty.")
    description: str = Field("", max_length=10_000)
    is_public: bool = Field(False, description="Whether everybody who is signed in may read and run it.")
    organization_id: UUID | None = Field(
        None, description="The organisation whose members may read and run it."
    )
    flow_data: dict[str, Any] = Field(description="The document.")
    message: str = Field("", max_length=500, description="What the first version says of itself.")


class WorkflowChange(Model):
    """A save: what is left out stays as it is."""

    name: str = Field("", max_length=255, description="As in the document where it is empty.")
    description: str | None = Field(None, max_length=10_000)
    is_public: bool | None = None
    organization_id: UUID | None = Field(None, description="null shares it with no organisation.")
    flow_data: dict[str, Any] | None = Field(None, description="The document.")
    message: str = Field("", max_length=500, description="What changed, for the list of versions.")
    version: int | None = Field(
        None, ge=1, lt=2**31, description="The version that was changed; or send `If-Match`."
    )


class Restore(Model):
    """How to bring a version back."""

    message: str = Field("", max_length=500)
    version: int | None = Field(
        None, ge=1, lt=2**31, description="The latest version as you know it: no other is overwritten."
    )


class Problem(Model):
    """What would keep a workflow from running."""

    code: str
    message: str
    hint: str
    path: str


class WorkflowSummary(Model):
    """A workflow without its document."""

    id: UUID
    name: str
    description: str | None
    is_public: bool
    version: int
    organization_id: UUID | None
    created_at: datetime | None
    updated_at: datetime | None
    owner: str = Field(description="The name of whose it is.")
    mine: bool = Field(description="Whether it is yours.")
    may: list[str] = Field(
        description="What you may do with it: read, execute, update, delete, share, publish."
    )


class WorkflowView(WorkflowSummary):
    """A workflow."""

    flow_data: dict[str, Any]
    problems: list[Problem] | None = Field(None, description="Where `check` asks for it.")


class VersionSummary(Model):
    """A version without its document."""

    version: int
    name: str
    description: str | None
    message: str
    saved_by: str
    created_at: datetime | None


class VersionView(VersionSummary):
    """A version."""

    flow_data: dict[str, Any]


class DifferenceView(Model):
    """What differs between two versions."""

    from_version: int
    to_version: int
    changes: list[dict[str, Any]] = Field(description="Each with kind, path, sentence, and old and new.")
    moved: list[str] = Field(description="The nodes that lie elsewhere on the canvas.")
    text: str = Field(description="The same as text, a line for each change.")
