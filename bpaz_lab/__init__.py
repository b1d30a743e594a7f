"""bpaz_lab: LLM workflows in a notebook, as a canvas, as Python and as a small readable file.

The public names load what they need when they are first used, so that the import stays light.

Example:
    >>> import bpaz_lab as bz
    >>> wf = bz.Workflow("Greeting")
    >>> hello = wf.add("PromptTemplate", template="Hello {name}!")
    >>> wf.run(name="world").output
    'Hello world!'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from bpaz_lab import errors
from bpaz_lab.errors import BpazError, DocumentError, InputError, RunError

if TYPE_CHECKING:
    from bpaz_lab.api.decorator import node, register_node
    from bpaz_lab.api.lab.lab import connect, runs
    from bpaz_lab.api.runs.resuming import fork, resume
    from bpaz_lab.api.table import metrics
    from bpaz_lab.api.types import credential, node_type, node_types
    from bpaz_lab.api.workflow import Workflow
    from bpaz_lab.engine.budget import Budget
    from bpaz_lab.engine.limits import Limit
    from bpaz_lab.engine.prices import prices
    from bpaz_lab.nodes.base import Node, output, outputs
    from bpaz_lab.nodes.context import Context

__version__ = "0.1.0"

_HOMES = {
    "Budget": "bpaz_lab.engine.budget",
    "Context": "bpaz_lab.nodes.context",
    "Limit": "bpaz_lab.engine.limits",
    "Node": "bpaz_lab.nodes.base",
    "Workflow": "bpaz_lab.api.workflow",
    "connect": "bpaz_lab.api.lab.lab",
    "credential": "bpaz_lab.api.types",
    "fork": "bpaz_lab.api.runs.resuming",
    "node": "bpaz_lab.api.decorator",
    "node_type": "bpaz_lab.api.types",
    "node_types": "bpaz_lab.api.types",
    "output": "bpaz_lab.nodes.base",
    "outputs": "bpaz_lab.nodes.base",
    "prices": "bpaz_lab.engine.prices",
    "register_node": "bpaz_lab.api.decorator",
    "resume": "bpaz_lab.api.runs.resuming",
    "runs": "bpaz_lab.api.lab.lab",
}

__all__ = [
    "BpazError",
    "Budget",
    "Context",
    "DocumentError",
    "InputError",
    "Limit",
    "Node",
    "RunError",
    "Workflow",
    "__version__",
    "connect",
    "credential",
    "errors",
    "fork",
    "metrics",
    "node",
    "node_type",
    "node_types",
    "output",
    "outputs",
    "prices",
    "register_node",
    "resume",
    "runs",
]


def __getattr__(name: str) -> Any:
    if name == "metrics":
        return import_module("bpaz_lab.api.table.metrics")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "bpaz-lab"}]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    from bpaz_lab.server.app import BpazLabApp

    return [{"module": "bpaz_lab", "app": BpazLabApp}]
