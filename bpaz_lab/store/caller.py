"""Who asks: every repository is told, and sees what that person may read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID


@dataclass(frozen=True)
class Caller:
    """The person, or the kernel of a person, on whose behalf something is asked.

    Attributes:
        user_id: The person; None where nobody is signed in.
        name: What the audit log calls the person.
        permissions: What the person's server-wide role grants; ``all`` grants everything.
        organizations: What the person's role in each organisation grants, for active members.
        kernel_id: The kernel that asks; empty where a person does.
        session_id: The login that the access token belongs to; None without one.
        request_id: The request, as the logs name it.
        address: Where the request came from.
    """

    user_id: UUID | None = None
    name: str = "nobody"
    permissions: frozenset[str] = frozenset()
    organizations: Mapping[UUID, frozenset[str]] = field(default_factory=dict)
    kernel_id: str = ""
    session_id: UUID | None = None
    request_id: str = ""
    address: str = ""

    def has(self, permission: str, organization_id: UUID | None = None) -> bool:
        """Whether a role of the person grants a permission, server-wide or in this organisation."""
        granted = self.permissions
        if organization_id is not None:
            granted |= self.organizations.get(organization_id, frozenset())
        return permission in granted or "all" in granted
