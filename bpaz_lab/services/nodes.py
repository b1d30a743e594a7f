"""The node types that this server knows; looking at them executes nothing.

A kernel may know more, those of its cells: with a kernel, the catalogue is the kernel's.
"""

from __future__ import annotations

import asyncio
from typing import Any

from pydantic import Field

from bpaz_lab.accounts.policy import demand
from bpaz_lab.errors import DocumentError, NotFound, UnknownNodeType
from bpaz_lab.graph import document
from bpaz_lab.graph.spec import CatalogueSpec, CategorySpec, NodeSpec, Ports  # noqa: TC001 (answers)
from bpaz_lab.nodes.catalogue import Catalogue, catalogue
from bpaz_lab.services.call import Call  # noqa: TC001 (routes are made from the hints)
from bpaz_lab.services.route import Model, route


class NodesQuery(Model):
    """Which node types."""

    category: list[str] = Field(
        default_factory=list, max_length=50, description="Categories; none for all of them."
    )
    search: str = Field("", max_length=200, description="Words that stand in the type, title or summary.")


class Categories(Model):
    """The folders of the catalogue, in order."""

    items: list[CategorySpec]


class PortsBody(Model):
    """How a node is set."""

    settings: dict[str, Any] = Field(default_factory=dict, description="Those that are not the default.")
    body: dict[str, Any] | None = Field(None, description="Of a container: the workflow inside.")


@route("GET", "nodes")
async def list_nodes(call: Call, query: NodesQuery) -> CatalogueSpec:
    """The catalogue: node types, categories, the colours of wires, and what connects to what."""
    demand(call.caller, "node.read")
    spec = await asyncio.to_thread(_described)
    wanted = query.search.casefold().split()
    nodes = tuple(
        node
        for node in spec.nodes
        if (not query.category or node.category in query.category) and _has(node, wanted)
    )
    return spec.model_copy(update={"nodes": nodes})


@route("GET", "nodes/categories")
async def list_node_categories(call: Call) -> Categories:
    """The categories that have a node type, in order."""
    demand(call.caller, "node.read")
    return Categories(items=list((await asyncio.to_thread(_described)).categories))


@route("GET", "nodes/{type}")
async def get_node(call: Call, type: str) -> NodeSpec:
    """One node type: its help, settings and ports."""
    demand(call.caller, "node.read")
    return await asyncio.to_thread(_spec, type)


@route("POST", "nodes/{type}/ports")
async def compute_ports(call: Call, type: str, body: PortsBody) -> Ports:
    """The ports that a node has with these settings."""
    demand(call.caller, "node.read")
    settings = call.lab.settings
    if body.body is not None:
        nodes, edges = _size(body.body)
        if nodes > settings.max_nodes or edges > settings.max_edges:
            raise DocumentError(
                f"the body has {nodes:,} nodes and {edges:,} edges",
                path="body",
                hint=f"The server takes {settings.max_nodes:,} nodes and {settings.max_edges:,} edges.",
            )
    return await asyncio.to_thread(_ports, type, body)


def _described() -> CatalogueSpec:
    return catalogue().describe()


def _has(node: NodeSpec, words: list[str]) -> bool:
    text = f"{node.type} {node.title} {node.category} {node.summary}".casefold()
    return all(word in text for word in words)


def _spec(type: str) -> NodeSpec:
    return _known(type).find(type).spec()


def _known(type: str) -> Catalogue:
    types = catalogue()
    try:
        types.find(type)
    except UnknownNodeType as error:
        raise NotFound(error.message, hint=error.hint.replace("bz.node_types()", "GET nodes")) from None
    return types


def _ports(type: str, body: PortsBody) -> Ports:
    types = _known(type)
    entry: dict[str, Any] = {"type": type, "settings": body.settings}
    if body.body is not None:
        entry["body"] = body.body
    # One node of a document is checked as in any other document.
    shaped = document.shaped({"bpaz": 1, "name": "", "nodes": {"node": entry}})
    node = shaped["nodes"]["node"]
    if problems := _problems(types, node, ""):
        raise DocumentError.of(problems)
    found = types.ports(node)
    assert found is not None, "the type is known"
    return found


def _problems(types: Catalogue, entry: document.NodeEntry, within: str) -> list[DocumentError]:
    """What is wrong with the settings of a node and of those inside it."""
    found = types.problems(entry["type"], entry["settings"])
    for problem in found:
        problem.path = f"{within}settings.{problem.path}"
    for id, inner in entry["body"]["nodes"].items() if "body" in entry else ():
        found += _problems(types, inner, f"{within}body.nodes.{id}.")
    return found


def _size(body: Any) -> tuple[int, int]:
    """How many nodes and edges a body has, with those of the bodies in it."""
    nodes, edges = (body.get(key) if isinstance(body, dict) else None for key in ("nodes", "edges"))
    inner = [
        _size(entry["body"])
        for entry in (nodes.values() if isinstance(nodes, dict) else ())
        if isinstance(entry, dict) and "body" in entry
    ]
    return (
        sum((each[0] for each in inner), len(nodes) if isinstance(nodes, dict) else 0),
        sum((each[1] for each in inner), len(edges) if isinstance(edges, list) else 0),
    )
