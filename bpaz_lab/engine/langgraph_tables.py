"""Tables of pandas in a checkpoint of LangGraph, which has no form for them but pickle: they become Arrow.

Example:
    >>> import pandas as pd
    >>> kept = packed({"rows": [pd.DataFrame({"a": [1, 2]})]})
    >>> sorted(kept["rows"][0]), unpacked(kept)["rows"][0]["a"].sum()
    (['bpaz_table', 'files'], np.int64(3))
"""

from __future__ import annotations

from copy import copy
from typing import Any, Final

from bpaz_lab.engine.values import pack, unpack

TABLE: Final = "bpaz_table"
FILES: Final = "files"


def packed(value: Any) -> Any:
    """The value with every table in it as Arrow; itself where there is none.

    Raises:
        NotStorable: A table has a column that Arrow does not know.
    """
    if isinstance(value, dict):
        return _rebuilt(value, {name: packed(each) for name, each in value.items()})
    if isinstance(value, list):
        return _rebuilt(value, [packed(each) for each in value])
    if type(value) is tuple:
        return _rebuilt(value, tuple(packed(each) for each in value))
    if type(value).__module__.partition(".")[0] != "pandas":
        return value
    kept = pack({TABLE: value})
    return {TABLE: kept.data, FILES: kept.parts}


def unpacked(value: Any) -> Any:
    """What ``packed`` was given."""
    if isinstance(value, dict):
        if value.keys() == {TABLE, FILES}:
            return unpack(value[TABLE], value[FILES].__getitem__)[TABLE]
        return _rebuilt(value, {name: unpacked(each) for name, each in value.items()})
    if isinstance(value, list):
        return _rebuilt(value, [unpacked(each) for each in value])
    if type(value) is tuple:
        return _rebuilt(value, tuple(unpacked(each) for each in value))
    return value


def with_tables(saver: Any) -> Any:
    """A checkpointer that keeps what the given one keeps, at the same place, and tables besides."""
    from langgraph.checkpoint.base import BaseCheckpointSaver

    if not isinstance(saver, BaseCheckpointSaver) or isinstance(saver.serde, _Tables):
        return saver
    other = copy(saver)
    other.serde = _Tables(saver.serde)
    return other


class _Tables:
    """A serializer of LangGraph around another one."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def dumps_typed(self, value: Any) -> tuple[str, bytes]:
        told: tuple[str, bytes] = self.inner.dumps_typed(packed(value))
        return told

    def loads_typed(self, told: tuple[str, bytes]) -> Any:
        return unpacked(self.inner.loads_typed(told))


def _rebuilt(value: Any, fresh: Any) -> Any:
    """The container as it was where nothing in it changed, so that its own type stays."""
    one, other = (each.values() if isinstance(each, dict) else each for each in (value, fresh))
    return value if all(a is b for a, b in zip(one, other, strict=True)) else fresh
