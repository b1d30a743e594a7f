"""The address of a step: where in the workflow, and in which round of the containers around it.

At the top it is the node's id. Inside a container's body it is ``each/clean``, and where the container
runs its body more than once ``each[3]/clean``. Events carry addresses; problems carry paths into the
document.

Example:
    >>> path_of("each[3]/clean")
    'nodes.each.body.nodes.clean'
    >>> place_of("each[3]/clean")
    'each/clean'
"""

from __future__ import annotations

import re
from typing import Final

_KEY: Final = re.compile(r"\[[^\]/]*\]")


def inside(container: str, key: str = "") -> str:
    """What stands before the ids of a body: the container's address and the round."""
    return f"{container}[{key}]/" if key else f"{container}/"


def place_of(address: str) -> str:
    """The address without rounds: the same for every round of a node."""
    return _KEY.sub("", address) if "[" in address else address


def path_of(address: str) -> str:
    """Where the node stands in the document, as problems and errors write it."""
    return "nodes." + place_of(address).replace("/", ".body.nodes.")
