"""Looking at the catalogue from a cell, and naming a credential."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpaz_lab.nodes.catalogue import catalogue

if TYPE_CHECKING:
    from bpaz_lab.graph.spec import NodeSpec


def node_types(category: str = "") -> list[str]:
    """The names of all node types, or those of one category.

    Example:
        >>> "PromptTemplate" in node_types("prompts")
        True
    """
    return [cls.__name__ for cls in catalogue() if category in ("", cls.spec().category)]


def node_type(name: str) -> NodeSpec:
    """What a node type offers: help, settings, ports.

    Raises:
        UnknownNodeType: No installed package provides it; the hint names the closest ones.

    Example:
        >>> node_type("PromptTemplate").ports.main.tag
        'text'
    """
    return catalogue().find(name).spec()


def credential(name: str) -> dict[str, str]:
    """Names a credential in a setting: ``wf.add("OpenAICompatibleChat", api_key=credential("openai"))``.

    Example:
        >>> credential("openai")
        {'$cred': 'openai'}
    """
    return {"$cred": name}
