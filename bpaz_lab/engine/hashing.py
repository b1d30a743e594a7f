"""What a value is, as a short text: equal contents give the same hash, in every process.

BLAKE2b over a canonical walk: each value adds the tag of its kind and its length before its bytes, so
that ``["ab", "c"]`` and ``["a", "bc"]``, ``1`` and ``True`` differ. Tables go through Arrow's buffers
(pandas' own hash leaves out the names of columns, and is slow on texts). Nothing is pickled and no
``repr`` is taken; a value of an unknown kind has no hash.

Example:
    >>> hashed([1, "a"]).digest == hashed([1, "a"]).digest
    True
    >>> hashed(object()).why
    'a value of the kind object has no content that can be compared'
"""

from __future__ import annotations

import re
import struct
from collections import deque
from dataclasses import is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import cached_property
from hashlib import blake2b
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

from bpaz_lab.engine import hashing_tables as tables
from bpaz_lab.engine.hashing_tables import Unhashable

if TYPE_CHECKING:
    from collections.abc import Callable

DEPTH: Final = 100
"""Containers in containers; what is deeper has no hash, and neither has what contains itself."""


class Hashed(NamedTuple):
    """The content of a value.

    Attributes:
        digest: 32 hexadecimal digits; empty where there is none.
        size: About how many bytes the content has.
        why: Why there is no digest.
        classes: The classes of the objects in it, whose code may count too (see ``source``).
    """

    digest: str
    size: int = 0
    why: str = ""
    classes: tuple[type, ...] = ()


def hashed(value: Any) -> Hashed:
    """The hash of a value; without a digest where it, or a part of it, has none.

    Args:
        value: Numbers, texts, bytes, dates, lists, dicts, sets, dataclasses, pydantic models (documents and
            messages among them), arrays, tables and images, in one another as you like.
    """
    walk = _Walk()
    try:
        walk.add(value, 0)
    except Unhashable as error:
        return Hashed("", walk.size, str(error))
    except Exception as error:  # noqa: BLE001 (objects run code of their own here; it must not end a run)
        return Hashed("", walk.size, f"a {type(value).__name__} cannot be read: {error}")
    return Hashed(walk.hash.hexdigest(), walk.size, "", tuple(walk.classes))


class _Walk:
    def __init__(self) -> None:
        self.hash = blake2b(digest_size=16)
        self.size = 0
        self.classes: dict[type, None] = {}

    def put(self, tag: bytes, data: Any = b"") -> None:
        """One part: its tag, its length, its bytes."""
        length = memoryview(data).nbytes
        self.hash.update(tag + struct.pack("<Q", length))
        self.hash.update(data)
        self.size += length + 16

    def add(self, value: Any, depth: int) -> None:
        if depth > DEPTH:
            raise Unhashable("it is nested too deep, or contains itself")
        adder = _ADDERS.get(type(value))
        if adder is None:
            adder = _adder(type(value))
        adder(self, value, depth)

    def several(self, tag: bytes, values: Any, depth: int) -> None:
        self.hash.update(tag + struct.pack("<Q", len(values)))
        for each in values:
            self.add(each, depth + 1)


def _pairs(walk: _Walk, value: Any, depth: int) -> None:
    walk.hash.update(b"d" + struct.pack("<Q", len(value)))
    for key, item in value.items():
        walk.add(key, depth + 1)
        walk.add(item, depth + 1)


def _set(walk: _Walk, value: Any, depth: int) -> None:
    inner = []
    for each in value:
        part = _Walk()
        part.add(each, depth + 1)
        inner.append(part.hash.digest())
        walk.size += part.size
        walk.classes |= part.classes
    walk.put(b"s", b"".join(sorted(inner)))


def _named(tag: bytes) -> Callable[[_Walk, Any, int], None]:
    """For values that their class and a text say wholly."""

    def add(walk: _Walk, value: Any, _depth: int) -> None:
        walk.put(tag, f"{type(value).__qualname__}:{value}".encode())

    return add


_ADDERS: Final[dict[type, Callable[[_Walk, Any, int], None]]] = {
    type(None): lambda walk, _value, _depth: walk.put(b"N"),
    bool: lambda walk, value, _depth: walk.put(b"b", b"1" if value else b"0"),
    int: lambda walk, value, _depth: walk.put(b"i", b"%x" % value),
    float: lambda walk, value, _depth: walk.put(b"f", struct.pack("<d", value)),
    complex: lambda walk, value, _depth: walk.put(b"c", struct.pack("<dd", value.real, value.imag)),
    str: lambda walk, value, _depth: walk.put(b"t", value.encode(errors="surrogatepass")),
    bytes: lambda walk, value, _depth: walk.put(b"y", value),
    bytearray: lambda walk, value, _depth: walk.put(b"Y", value),
    list: lambda walk, value, depth: walk.several(b"l", value, depth),
    tuple: lambda walk, value, depth: walk.several(b"u", value, depth),
    dict: _pairs,
    set: _set,
    frozenset: _set,
    deque: lambda walk, value, depth: walk.several(b"Q", [value.maxlen, *value], depth),
    re.Pattern: lambda walk, value, depth: walk.several(b"R", (value.pattern, value.flags), depth),
    range: lambda walk, value, depth: walk.several(b"r", (value.start, value.stop, value.step), depth),
    UUID: _named(b"U"),
    Decimal: _named(b"D"),
    Fraction: _named(b"F"),
    datetime: lambda walk, value, _depth: walk.put(b"T", f"{value.isoformat()} {value.tzinfo}".encode()),
    date: _named(b"A"),
    time: _named(b"I"),
    timedelta: _named(b"E"),
}


_EXTENSIBLE: Final = (str, bytes, int, float, list, tuple, dict, set, frozenset)


def _adder(kind: type) -> Callable[[_Walk, Any, int], None]:
    """How values of a class are added; classes of packages are known by name, so that none is imported."""
    if issubclass(kind, Enum):
        return _enum
    if issubclass(kind, PurePath):
        return _named(b"p")
    for base in kind.__mro__:
        name = f"{base.__module__.partition('.')[0]}.{base.__name__}"
        if found := _BY_NAME.get(name):
            return found
    if is_dataclass(kind):
        return _dataclass
    for base in kind.__mro__:
        if base in _EXTENSIBLE:
            return _subclass(base)
    raise Unhashable(f"a value of the kind {kind.__qualname__} has no content that can be compared")


def _enum(walk: _Walk, value: Any, depth: int) -> None:
    _class(walk, value)
    walk.put(b"e", value.name.encode() if value.name else b"")
    walk.add(value.value, depth + 1)


def _class(walk: _Walk, value: Any) -> None:
    kind = type(value)
    walk.classes[kind] = None
    walk.put(b"K", f"{kind.__module__}.{kind.__qualname__}".encode())


def _dataclass(walk: _Walk, value: Any, depth: int) -> None:
    _class(walk, value)
    _pairs(walk, _state(value), depth)


def _model(walk: _Walk, value: Any, depth: int) -> None:
    """A pydantic model: its fields, what it has beside them, and what it has for itself."""
    _class(walk, value)
    own = value.__pydantic_private__ or {}
    _pairs(walk, {**value.__dict__, **(value.__pydantic_extra__ or {}), **own}, depth)


def _subclass(base: type) -> Callable[[_Walk, Any, int], None]:
    """For classes of their own that are a list, a dict, a text… with perhaps more to them."""

    def add(walk: _Walk, value: Any, depth: int) -> None:
        _class(walk, value)
        _ADDERS[base](walk, value, depth)
        _pairs(walk, _state(value), depth)

    return add


def _state(value: Any) -> dict[str, Any]:
    """The attributes of an object, but not what it only remembers to be quicker."""
    kind = type(value)
    slots = {
        name
        for base in kind.__mro__
        for name in _slots(base)
        if name not in ("__dict__", "__weakref__") and hasattr(value, name)
    }
    found = {name: getattr(value, name) for name in slots} | getattr(value, "__dict__", {})
    return {
        name: found[name]
        for name in sorted(found)
        if not isinstance(getattr(kind, name, None), cached_property)
    }


def _slots(kind: type) -> Any:
    told = vars(kind).get("__slots__", ())
    return (told,) if isinstance(told, str) else told


def _default_dict(walk: _Walk, value: Any, depth: int) -> None:
    factory = value.default_factory
    if not (factory is None or getattr(factory, "__module__", "") == "builtins"):
        raise Unhashable("a defaultdict with a factory of its own has no content that can be compared")
    walk.put(b"k", getattr(factory, "__name__", "").encode())
    _pairs(walk, value, depth)


_BY_NAME: Final[dict[str, Callable[[_Walk, Any, int], None]]] = {
    "pydantic.BaseModel": _model,
    "numpy.MaskedArray": tables.masked,
    "numpy.ndarray": tables.array,
    "numpy.generic": tables.scalar,
    "pandas.DataFrame": tables.table,
    "pandas.Series": tables.table,
    "pandas.Index": tables.index,
    "pandas.Timestamp": tables.moment,
    "pandas.Timedelta": tables.moment,
    "pandas.NaTType": _named(b"Z"),
    "pandas.NAType": _named(b"Z"),
    "pyarrow.Table": tables.arrow_table,
    "pyarrow.RecordBatch": tables.arrow_table,
    "pyarrow.Array": tables.arrow,
    "pyarrow.ChunkedArray": tables.arrow,
    "PIL.Image": tables.image,
    "collections.defaultdict": _default_dict,
}
