"""Credentials: secrets that are kept, given to runs by name, and never shown again.

A value is unlocked for two ends: to ask its provider whether it takes it, and to be lent to a run. Where it
is about to go is checked before.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

from bpaz_lab.accounts.policy import demand
from bpaz_lab.errors import BpazError, Forbidden, InputError, VaultError
from bpaz_lab.guard.credentials import is_this_machine, may_go_to
from bpaz_lab.guard.egress import EgressPolicy
from bpaz_lab.services.call import Call  # noqa: TC001 (routes are made from the hints)
from bpaz_lab.services.credential_views import (
    CredentialChange,
    CredentialForm,
    CredentialMade,
    CredentialQuery,
    CredentialTried,
    CredentialValidity,
    CredentialView,
    Lease,
    LeaseAsked,
    form,
    view,
)
from bpaz_lab.services.listing import Page
from bpaz_lab.services.route import route
from bpaz_lab.store.repositories import audit
from bpaz_lab.store.repositories.credentials import Credentials
from bpaz_lab.store.repositories.executions import OPEN, Executions
from bpaz_lab.store.tables import UserCredential
from bpaz_lab.store.tables.columns import utcnow
from bpaz_lab.vault.catalogue import credential_types, type_of
from bpaz_lab.vault.credential_type import refuse_key
from bpaz_lab.vault.vault import Place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr

    from bpaz_lab.guard.secret import Secret
    from bpaz_lab.settings import Settings
    from bpaz_lab.store.database import Session

_PATTERN: Final = re.compile(r"(\*\.[a-z0-9-]+\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9])?")
_PATIENCE: Final = 20.0
"""Seconds that a provider has to answer."""


# ---- what there is --------------------------------------------------------------------------------


@route("GET", "credentials/types")
async def list_credential_types(call: Call) -> Page[CredentialForm]:
    """Lists the types of credential, each with its form."""
    demand(call.caller, "credential.read")
    return Page(items=[form(kind) for kind in credential_types().values()])


@route("GET", "credentials")
async def list_credentials(call: Call, query: CredentialQuery) -> Page[CredentialView]:
    """Lists your credentials, without what is secret of them."""
    demand(call.caller, "credential.read")
    async with call.session() as session:
        rows = await Credentials(session, call.caller).page(**query.model_dump())
    return Page(items=[view(row) for row in rows.items], next=rows.next)


@route("GET", "credentials/{id}")
async def read_credential(call: Call, id: UUID) -> CredentialView:
    """Shows a credential, without what is secret of it."""
    async with call.session() as session:
        row = await Credentials(session, call.caller).get(id)
        demand(call.caller, "credential.read", row)
    return view(row)


# ---- changing it ----------------------------------------------------------------------------------


@route("POST", "credentials", status=201)
async def create_credential(call: Call, body: CredentialMade) -> CredentialView:
    """Keeps a new credential; its secret is locked and never shown again."""
    demand(call.caller, "credential.create")
    assert call.caller.user_id is not None
    kind = type_of(body.type)
    public, secret = kind.split(_revealed(body.fields))
    hosts = kind.hosts(public) if body.allowed_hosts is None else _hosts(body.allowed_hosts)
    row = UserCredential(
        id=uuid4(),
        user_id=call.caller.user_id,
        name=_name(body.name),
        service_type=kind.name,
        public=public,
        allowed_hosts=hosts,
    )
    async with call.session() as session:
        row.encrypted_secret = await call.lab.vault.lock(session, _place(row), secret)
        await Credentials(session, call.caller).save(row)
        await _record(call, session, "credential.create", row, type=kind.name, hosts=hosts)
    return view(row)


@route("PUT", "credentials/{id}")
async def update_credential(call: Call, id: UUID, body: CredentialChange) -> CredentialView:
    """Changes a credential; what is left out stays as it is."""
    async with call.session() as session:
        credentials = Credentials(session, call.caller)
        row = await credentials.get(id)
        demand(call.caller, "credential.update", row)
        kind, before, known = type_of(row.service_type), row.allowed_hosts or [], row.public or {}
        public, secret = kind.split(_revealed(body.fields or {}), partly=True)
        public = {**known, **public}
        if body.allowed_hosts is not None:
            row.allowed_hosts = _hosts(body.allowed_hosts)
        elif before == kind.hosts(known):
            row.allowed_hosts = kind.hosts(public)
        if not secret and not all(may_go_to(host, before) for host in row.allowed_hosts or []):
            # Whoever may change an entry would otherwise have its secret sent anywhere without knowing it.
            raise InputError(
                "a secret that is to go to further hosts must be given again",
                path=f"body.fields.{kind.main}",
                hint="Give the secret too, or leave the hosts as they are.",
            )
        if secret:
            row.encrypted_secret = await call.lab.vault.lock(session, _place(row), secret)
        row.name = row.name if body.name is None else _name(body.name)
        row.public = {name: value for name, value in public.items() if value}
        row.updated_at = utcnow()
        await credentials.save(row)
        await _record(
            call, session, "credential.update", row, secret_changed=bool(secret), hosts=row.allowed_hosts
        )
    return view(row)


@route("DELETE", "credentials/{id}", status=204)
async def delete_credential(call: Call, id: UUID) -> None:
    """Deletes a credential for good."""
    async with call.session() as session:
        credentials = Credentials(session, call.caller)
        row = await credentials.get(id)
        demand(call.caller, "credential.delete", row)
        await credentials.remove(row)
        await _record(call, session, "credential.delete", row, type=row.service_type)


# ---- asking its provider --------------------------------------------------------------------------


@route("POST", "credentials/{id}/validate")
async def validate_credential(call: Call, id: UUID) -> CredentialValidity:
    """Asks the provider of a credential whether it takes it."""
    async with call.session() as session:
        row = await Credentials(session, call.caller).get(id)
        demand(call.caller, "credential.use", row)
        kind, public = type_of(row.service_type), row.public or {}
        host = kind.asks(public)
        allowed = not host or _may_go(call, row, host)
        secret = await call.lab.vault.unlock(session, _place(row), row.encrypted_secret) if allowed else {}
        outcome = "done" if allowed else "refused"
        await _record(call, session, "credential.validate", row, outcome, host=host)
    if not allowed:
        return CredentialValidity(valid=False, message=f"It could not be checked: it may not go to {host}.")
    return CredentialValidity.model_validate(
        await kind.validate({**public, **secret}, _egress(call.lab.settings))
    )


@route("POST", "credentials/validate")
async def try_credential(call: Call, body: CredentialTried) -> CredentialValidity:
    """Asks the provider whether it takes a credential that is not kept."""
    demand(call.caller, "credential.create")
    kind = type_of(body.type)
    public, secret = kind.split(_revealed(body.fields))
    async with call.session() as session:
        details = {"type": kind.name, "host": kind.asks(public)}
        await audit.record(session, call.caller, "credential.validate", "credential", details=details)
    return CredentialValidity.model_validate(
        await kind.validate({**public, **secret}, _egress(call.lab.settings))
    )


# ---- lending it to a run --------------------------------------------------------------------------


@route("POST", "credentials/lease", access="kernel")
async def lease_credential(call: Call, body: LeaseAsked) -> Lease:
    """Lends the secret of a credential to a run of its owner, for the host that it is about to go to."""
    refused: BpazError | None = None
    secret: Mapping[str, Secret] = {}
    async with call.session() as session:
        credentials = Credentials(session, call.caller)
        row = await credentials.named(body.name)
        try:
            await _check_lease(call, session, row, body)
            secret = await call.lab.vault.unlock(session, _place(row), row.encrypted_secret)
            await credentials.used(row)
        except BpazError as error:  # it is audited, so it must not undo the transaction
            refused = error
        outcome = "failed" if isinstance(refused, VaultError) else "refused" if refused else "done"
        details = body.model_dump(mode="json", exclude={"name"}) | {"kernel_id": call.caller.kernel_id}
        await _record(call, session, "credential.lease", row, outcome, **details)
    if refused is not None:
        raise refused
    kind = type_of(row.service_type)
    return Lease(value=secret[kind.main].reveal(), fields=row.public or {}, hosts=row.allowed_hosts or [])


async def _check_lease(call: Call, session: Session, row: UserCredential, body: LeaseAsked) -> None:
    demand(call.caller, "credential.use", row)
    if body.execution_id is not None:
        execution = await Executions(session, call.caller).assigned(body.execution_id, change=False)
        if execution.status not in OPEN:
            raise Forbidden(
                "the execution has ended", hint="A credential is lent to an execution that is running."
            )
    kind = type_of(row.service_type)
    if not kind.fits(body.kinds):
        raise Forbidden(
            f"the credential is of the type {kind.name}; the node takes {' or '.join(body.kinds)}",
            hint="Name a credential of a type that the node takes.",
        )
    if body.host is not None and not _may_go(call, row, body.host):
        allowed = ", ".join(row.allowed_hosts or []) or "no host"
        raise Forbidden(
            f"the credential may not be sent to {body.host}",
            hint=f"It goes to {allowed}. If you trust that host, add it to its allowed hosts.",
        )


# ---- small things ---------------------------------------------------------------------------------


def _may_go(call: Call, row: UserCredential, host: str) -> bool:
    """Whether the secret may go to a host; to this machine too, where it is one person's own."""
    own = call.lab.settings.profile == "local" and is_this_machine(host)
    return own or may_go_to(host, row.allowed_hosts or [])


def _egress(settings: Settings) -> EgressPolicy:
    """What asking a provider may reach: on one's own machine also what is on it and around it."""
    return EgressPolicy(
        allow=tuple(settings.egress_allow),
        private=settings.profile == "local",
        max_bytes=4 * 2**20,
        max_seconds=_PATIENCE,
        trust_env=True,
    )


def _place(row: UserCredential) -> Place:
    return Place("user_credentials", row.id, row.service_type, user_id=row.user_id)


def _revealed(fields: Mapping[str, SecretStr]) -> dict[str, str]:
    return {name: value.get_secret_value() for name, value in fields.items()}


def _name(text: str) -> str:
    name = text.strip()
    if not name or not name.isprintable():
        raise InputError("a name is one line of text", path="body.name", hint="Write a short name.")
    refuse_key(name, "body.name")
    return name


def _hosts(given: list[str]) -> list[str]:
    return list(dict.fromkeys(_host(text, place) for place, text in enumerate(given)))


def _host(text: str, place: int) -> str:
    path = f"body.allowed_hosts.{place}"
    refuse_key(text, path)
    host = text.strip().lower().rstrip(".")
    try:
        return str(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        pass
    if not _PATTERN.fullmatch(host) or ".." in host:
        raise InputError(
            "it is no host", path=path, hint="Write `api.example.org`, or `*.example.org` for its subdomains."
        )
    return host


async def _record(
    call: Call, session: Session, action: str, row: UserCredential, outcome: str = "done", **details: Any
) -> None:
    await audit.record(
        session,
        call.caller,
        action,
        "credential",
        row.id,
        outcome=outcome,
        details={"name": row.name, **details},
    )
