"""What the routes of credentials take and answer. Secrets go in; nothing that comes out holds one."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 (fields are made from the hints)
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID  # noqa: TC003

from pydantic import Field, SecretStr

from bpaz_lab.services.listing import Listing
from bpaz_lab.services.route import Model
from bpaz_lab.vault.credential_type import LONGEST

if TYPE_CHECKING:
    from bpaz_lab.store.tables import UserCredential
    from bpaz_lab.vault.credential_type import CredentialType

_Name = Annotated[str, Field(max_length=100)]
_Host = Annotated[str, Field(max_length=255)]
_Fields = Annotated[
    dict[_Name, Annotated[SecretStr, Field(max_length=LONGEST)]],
    Field(max_length=20, description="The fields of its type, secret ones too."),
]
_Hosts = Annotated[
    list[_Host],
    Field(
        max_length=50,
        description="Hosts that the secret may go to; `*.example.org` for subdomains. "
        "By default those of its type, or the host of its address.",
    ),
]


class CredentialMade(Model):
    """A new credential."""

    name: str = Field(min_length=1, max_length=100, description="What workflows call it.")
    type: _Name = Field(description="One of `credentials/types`.")
    fields: _Fields
    allowed_hosts: _Hosts | None = None


class CredentialChange(Model):
    """What to change. What is left out stays; a secret that is to go to further hosts is given again."""

    name: str | None = Field(None, min_length=1, max_length=100)
    fields: _Fields | None = None
    allowed_hosts: _Hosts | None = None


class CredentialTried(Model):
    """A credential that is not kept, to be validated."""

    type: _Name
    fields: _Fields


class CredentialView(Model):
    """A credential, without what is secret of it."""

    id: UUID
    name: str
    type: str
    fields: dict[str, str] = Field(description="The fields that are no secret.")
    allowed_hosts: list[str]
    created_at: datetime
    updated_at: datetime
    last_used_at: datetime | None


class CredentialQuery(Listing):
    """Which credentials, in which order."""

    name: str = Field("", max_length=100, description="This name alone.")
    type: str = Field("", max_length=50, description="This type alone.")
    sort: str = Field("name", max_length=50, description="`name`, `created_at`, `updated_at`; `-` turns it.")


class CredentialField(Model):
    """A field of a form."""

    name: str
    title: str
    secret: bool
    required: bool
    help: str
    kind: Literal["text", "url"]


class CredentialForm(Model):
    """A type of credential, as a form."""

    name: str
    title: str
    fields: list[CredentialField]
    main: str = Field(description="The field that a node gets.")
    variable: str = Field(description="The environment variable that serves instead; empty for none.")
    hosts: list[str] = Field(description="Where the secret may go by default.")


class CredentialValidity(Model):
    """Whether the provider takes it; `valid` is false too where that could not be found out."""

    valid: bool
    message: str


class LeaseAsked(Model):
    """What a node of a run is about to use a credential for."""

    name: str = Field(min_length=1, max_length=255)
    kinds: list[_Name] = Field(default_factory=list, max_length=20, description="Types that the node takes.")
    host: _Host | None = Field(None, description="Where the secret is about to be sent; null for no host.")
    execution_id: UUID | None = Field(None, description="The execution that it is lent to.")


class Lease(Model):
    """A secret, lent to one run."""

    value: str = Field(repr=False)
    fields: dict[str, str] = Field(description="The fields that are no secret.")
    hosts: list[str] = Field(description="Where the secret may go.")


def view(row: UserCredential) -> CredentialView:
    """A credential as it is shown."""
    return CredentialView(
        id=row.id,
        name=row.name,
        type=row.service_type,
        fields=row.public or {},
        allowed_hosts=row.allowed_hosts or [],
        created_at=row.created_at,
        updated_at=row.updated_at,
        last_used_at=row.last_used_at,
    )


def form(kind: CredentialType) -> CredentialForm:
    """A type as a form."""
    return CredentialForm(
        name=kind.name,
        title=kind.title,
        fields=[CredentialField.model_validate(field) for field in kind.fields],
        main=kind.main,
        variable=kind.variable,
        hosts=kind.hosts({}),
    )
