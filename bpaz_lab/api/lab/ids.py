"""Executions named by the first characters of their id, as git names commits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from bpaz_lab.api.lab.table import MOST, pages
from bpaz_lab.errors import InputError, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpaz_lab.api.transport.transport import Transport

_WHOLE: Final = 32
_SHORTEST: Final = 4
_SHOWN: Final = 5
_HEX: Final = re.compile(r"[0-9a-f]+\Z")


def full_id(transport: Transport, id: str) -> str:
    """The whole id of an execution, as the API writes it.

    Args:
        transport: Where the executions are.
        id: The id, with or without hyphens, or its first characters.

    Raises:
        NotFound: None of yours begins like that.
        InputError: It is no id, or several begin like that; the hint lists them.
    """
    told = str(id).strip().lower().replace("-", "")
    if not _HEX.match(told) or not _SHORTEST <= len(told) <= _WHOLE:
        raise InputError(
            f"{str(id)[:60]!r} is no id of a run",
            hint=f"Give {_SHORTEST} characters of it or more; bpaz runs lists them, lab.executions too.",
        )
    if len(told) == _WHOLE:
        return str(UUID(told))
    found = list(pages(transport, "executions", dict, id=told, limit=MOST))
    if not found:
        raise NotFound(f"no run of yours begins with {id}", hint="bpaz runs lists them, lab.executions too.")
    if len(found) > 1:
        raise InputError(
            f"{len(found)} runs begin with {id}", hint=f"Give more characters: {_listed(found)}."
        )
    return str(found[0]["id"])


def _listed(found: Sequence[dict[str, Any]]) -> str:
    shown = [f"{str(each['id'])[:13]} ({each['name']}, {each['status']})" for each in found[:_SHOWN]]
    return ", ".join(shown) + (" …" if len(found) > _SHOWN else "")
