"""The types of credential that there are: each class in ``types/``, found by scanning.

Example:
    >>> type_of("openai").title
    'OpenAI'
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from bpaz_lab.errors import InputError
from bpaz_lab.guard.credentials import FORMER_NAMES
from bpaz_lab.vault import types
from bpaz_lab.vault.credential_type import CredentialType


@cache
def credential_types() -> dict[str, CredentialType]:
    """Every type by name, ordered by title, what is of no provider last."""
    for found in pkgutil.iter_modules(types.__path__):
        importlib.import_module(f"{types.__name__}.{found.name}")
    made = [cls() for cls in CredentialType.__subclasses__() if cls.__module__.startswith(types.__name__)]
    made.sort(key=lambda each: (not each.variable, each.title.lower()))
    return {each.name: each for each in made}


def type_of(name: str) -> CredentialType:
    """The type of this name.

    Raises:
        InputError: There is none.
    """
    known = credential_types()
    found = known.get(FORMER_NAMES.get(name, name))
    if found is None:
        raise InputError(
            "there is no such type of credential", path="body.type", hint=f"The types: {', '.join(known)}."
        )
    return found
