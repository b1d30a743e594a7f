"""Whether everything works that requests need."""

from __future__ import annotations

import asyncio
from typing import Literal, TypeVar

from pydantic import Field

from bpaz_lab import __version__
from bpaz_lab.errors import BpazError
from bpaz_lab.nodes.catalogue import catalogue
from bpaz_lab.services.call import Call  # noqa: TC001 (routes are made from the hints)
from bpaz_lab.services.route import Answer, Model, route

Told = TypeVar("Told", bound="Health")
State = Literal["healthy", "unavailable"]


class Health(Model):
    """Whether the server can serve."""

    status: State
    version: str


class Component(Model):
    """One thing that requests need."""

    status: State
    code: str = Field("", description="The code of the error, where it is not healthy.")
    hint: str = Field("", description="What to do about it.")
    count: int | None = Field(None, description="Node types, or kernels.")


class Components(Model):
    """What requests need."""

    database: Component
    node_registry: Component
    session_manager: Component
    kernels: Component


class HealthDetails(Health):
    """Whether each part works."""

    components: Components


@route("GET", "health", access="public")
async def get_health(call: Call) -> Answer[Health]:
    """Whether the server can serve; 503 while the database is away."""
    database = await _database(call)
    return _told(Health(status=database.status, version=__version__))


@route("GET", "health/details", access="anonymous")
async def get_health_details(call: Call) -> Answer[HealthDetails]:
    """Whether each part works: database, node types, sessions and keys, kernels; 503 if one does not."""
    parts = Components(
        database=await _database(call),
        node_registry=await asyncio.to_thread(_registry),
        session_manager=await _sessions(call),
        kernels=_kernels(call),
    )
    states = {component.status for _, component in parts}
    status: State = "healthy" if states == {"healthy"} else "unavailable"
    return _told(HealthDetails(status=status, version=__version__, components=parts))


def _told(health: Told) -> Answer[Told]:
    return Answer(health, status=200 if health.status == "healthy" else 503)


async def _database(call: Call) -> Component:
    try:
        await call.lab.database.ping()
    except BpazError as error:
        return _unavailable(error)
    return Component(status="healthy")


def _registry() -> Component:
    types = catalogue()
    count = len(types)
    if types.faults:
        broken = ", ".join(sorted(types.faults))
        return Component(
            status="healthy", code="node_type", hint=f"These cannot be loaded: {broken}.", count=count
        )
    return Component(status="healthy" if count else "unavailable", count=count)


async def _sessions(call: Call) -> Component:
    """Signing in, tokens and credentials need the keys of the installation."""
    try:
        await call.lab.ready()
    except BpazError as error:
        return _unavailable(error)
    return Component(status="healthy")


def _kernels(call: Call) -> Component:
    runner = call.lab.runner
    if runner is None:
        return Component(status="unavailable", hint="Executions need the Jupyter server.")
    return Component(status="healthy", count=runner.kernels())


def _unavailable(error: BpazError) -> Component:
    return Component(status="unavailable", code=error.code, hint=error.hint)
