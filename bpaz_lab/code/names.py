"""The variables of generated code: the ids of nodes, as far as Python lets them be variables.

Example:
    >>> names = Names()
    >>> names.take("load"), names.take("filter"), names.take("load", "each_load")
    ('load', 'filter_node', 'each_load')
"""

from __future__ import annotations

import builtins
import keyword
from typing import Final

from bpaz_lab.graph.naming import unique

RESERVED: Final = frozenset([*keyword.kwlist, *keyword.softkwlist, *dir(builtins)])


class Names:
    """Gives each name once.

    Args:
        taken: Names that are in use already.
    """

    def __init__(self, *taken: str) -> None:
        self._taken = {*RESERVED, *taken}

    def take(self, wanted: str, *others: str) -> str:
        """The first of the names that is free, else one that is like the first."""
        choice = next((name for name in (wanted, *others) if self._free(name)), "")
        name = choice or unique(f"{wanted.strip('_')}_node".lstrip("_"), self._taken)
        self._taken.add(name)
        return name

    def _free(self, name: str) -> bool:
        return name not in self._taken and not name.startswith("__")
