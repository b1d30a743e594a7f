"""What accounts look like from outside, and what may stand in them."""

from __future__ import annotations

import unicodedata
from datetime import datetime  # noqa: TC003 (models are made from the hints)
from typing import Annotated, Literal
from uuid import UUID  # noqa: TC003

from pydantic import AfterValidator, Field, SecretStr

from bpaz_lab.services.route import Model


def normal_email(text: str) -> str:
    """An address as it is kept: without case and in one form of Unicode, so that it is one account's.

    Raises:
        ValueError: It is no address.
    """
    email = unicodedata.normalize("NFKC", text.strip()).casefold()
    name, _, host = email.rpartition("@")
    if not name or not host or any(each.isspace() or not each.isprintable() for each in email):
        raise ValueError("an email address has a name, an @ and a host")
    return email


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("a name is one line of text that can be read")
    return text.strip()


Email = Annotated[str, Field(min_length=3, max_length=255), AfterValidator(normal_email)]
FullName = Annotated[str, Field(max_length=255), AfterValidator(_printable)]
Password = Annotated[SecretStr, Field(max_length=256)]
Status = Literal["active", "disabled"]


class UserView(Model):
    """An account."""

    id: UUID
    email: str | None
    full_name: str | None
    role: str | None
    status: str
    identity_provider: str
    last_login: datetime | None
    created_at: datetime | None
    updated_at: datetime | None


class OwnOrganization(Model):
    """An organisation, and what one is in it."""

    id: UUID
    name: str
    permissions: list[str]


class ProfileView(UserView):
    """One's own account, and what one may do."""

    permissions: list[str]
    organizations: list[OwnOrganization]
