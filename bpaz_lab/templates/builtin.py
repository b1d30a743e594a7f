"""The templates that come along: what each is for, and inputs to try it with.

Example:
    >>> [each.id for each in builtins()]
    ['ask_files', 'classify_and_route', 'approved_draft', 'summarise_table', 'compare_prompts']
    >>> find("ask_files").name
    'Ask your files'
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from bpaz_lab.graph.document import parse
from bpaz_lab.guard.strict_json import loads

if TYPE_CHECKING:
    from bpaz_lab.graph.document import Document


@dataclass(frozen=True)
class Builtin:
    """One template.

    Attributes:
        id: Its name in paths, and that of its file.
        name: What it is called.
        description: What it does, and where one would begin to change it.
        category: What it belongs to.
        flow_data: The document.
        inputs: Inputs to try it with.
    """

    id: str
    name: str
    description: str
    category: str
    flow_data: Document
    inputs: dict[str, Any] = field(default_factory=dict)


@cache
def builtins() -> tuple[Builtin, ...]:
    """The templates, in the order in which they are shown."""
    folder = resources.files("bpaz_lab.templates")
    found = []
    for told in loads((folder / "builtin.json").read_bytes()):
        document = parse((folder / f"{told['id']}.bpaz").read_bytes())
        found.append(Builtin(name=document["name"], flow_data=document, **told))
    return tuple(found)


def find(id: str) -> Builtin | None:
    """The template of that id, or None."""
    return next((each for each in builtins() if each.id == id), None)
