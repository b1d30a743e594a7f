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

import struct
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from hashlib import blake2b
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

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
    """

    digest: str
    size: int = 0
    why: str = ""


class Unhashable(Exception):
    """A part of the value has no content that can be compared."""


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
    return Hashed(walk.hash.hexdigest(), walk.size)


class _Walk:
    def __init__(self) -> None:
        self.hash = blake2b(digest_size=16)
        self.size = 0

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
    walk.put(b"s", b"".join(sorted(inner)))


def _named(tag: bytes) -> Callable[[_Walk, Any, int], None]:
    """For values that their class and a text say wholly."""

    def add(walk: _Walk, value: Any, _depth: int) -> None:
        walk.put(tag, f"{type(value).__qualname__}:{value}".encode())

    return add


_ADDERS: Final[dict[type, Callable[[_Walk, Any, int], None]]] = {
    type(None): lambda walk, _value, _depth: walk.put(b"N"),
    bool: lambda walk, value, _depth: walk.put(b"b", b"1" if value else b"0"),
    int: lambda walk, value, _depth: walk.put(b"i", str(value).encode()),
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
    range: lambda walk, value, depth: walk.several(b"r", (value.start, value.stop, value.step), depth),
    UUID: _named(b"U"),
    Decimal: _named(b"D"),
    Fraction: _named(b"F"),
    datetime: lambda walk, value, _depth: walk.put(b"T", f"{value.isoformat()} {value.tzinfo}".encode()),
    date: _named(b"A"),
    time: _named(b"I"),
    timedelta: _named(b"E"),
}


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
    raise Unhashable(f"a value of the kind {kind.__qualname__} has no content that can be compared")


def _enum(walk: _Walk, value: Any, _depth: int) -> None:
    walk.put(b"e", f"{type(value).__qualname__}.{value.name}".encode())


def _class(walk: _Walk, value: Any) -> None:
    walk.put(b"K", f"{type(value).__module__}.{type(value).__qualname__}".encode())


def _dataclass(walk: _Walk, value: Any, depth: int) -> None:
    _class(walk, value)
    walk.several(b"o", [getattr(value, field.name) for field in fields(value)], depth)


def _model(walk: _Walk, value: Any, depth: int) -> None:
    """A pydantic model: its fields and what it has beside them."""
    if "__pydantic_fields__" not in vars(type(value)):
        raise Unhashable(
            f"a value of the kind {type(value).__qualname__} has no content that can be compared"
        )
    _class(walk, value)
    _pairs(walk, {**value.__dict__, **(value.__pydantic_extra__ or {})}, depth)


def _array(walk: _Walk, value: Any, depth: int) -> None:
    walk.put(b"a", f"{value.dtype.str} {value.dtype.descr} {value.shape}".encode())
    if value.dtype.hasobject:
        walk.several(b"O", value.ravel().tolist(), depth)
    else:
        walk.put(b"B", value.tobytes() if not value.flags.c_contiguous else value.reshape(-1).view("u1"))


def _scalar(walk: _Walk, value: Any, _depth: int) -> None:
    walk.put(b"n", value.dtype.str.encode() + value.tobytes())


def _table(walk: _Walk, value: Any, depth: int) -> None:
    """A pandas table or column, with its index."""
    try:
        import pyarrow as pa
    except ImportError:
        raise Unhashable("tables are compared by pyarrow: pip install 'bpaz-lab[data]'") from None
    frame = (
        value if hasattr(value, "columns") else value.to_frame(name="" if value.name is None else value.name)
    )
    walk.put(b"P", type(value).__name__.encode())
    walk.several(b"h", [str(each) for each in frame.columns], depth)
    walk.several(b"H", [str(each) for each in frame.dtypes], depth)
    walk.add([None if name is None else str(name) for name in frame.index.names], depth)
    columns = [frame.iloc[:, number] for number in range(frame.shape[1])]
    if type(frame.index).__name__ == "RangeIndex":
        walk.add((frame.index.start, frame.index.stop, frame.index.step), depth)
    else:
        columns += [frame.index.get_level_values(level) for level in range(frame.index.nlevels)]
    for column in columns:
        try:
            _arrow(walk, pa.array(column, from_pandas=False), depth)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
            walk.add(list(column), depth)


def _arrow(walk: _Walk, value: Any, depth: int) -> None:
    """An Arrow array, whatever its chunks are and wherever it starts in its buffers."""
    import pyarrow as pa

    if isinstance(value, pa.ChunkedArray):
        value = pa.concat_arrays(value.chunks) if value.num_chunks else pa.array([], value.type)
    if isinstance(value, pa.DictionaryArray):
        walk.put(b"x", b"dictionary")
        _arrow(walk, value.dictionary, depth)
        value = value.indices
    walk.put(b"w", f"{value.type} {len(value)} {value.null_count}".encode())
    if value.null_count or pa.types.is_boolean(value.type):
        # In canonical form: what lies under nulls and behind the last bit does not count.
        walk.put(b"v", value.is_valid().cast("uint8").buffers()[1])
        if pa.types.is_null(value.type):
            return
        value = value.cast("uint8") if pa.types.is_boolean(value.type) else value
        value = value.drop_null()
    if value.nbytes != value.get_total_buffer_size():  # a slice, whose buffers hold more than it shows
        value = value.take(pa.array(range(len(value)), pa.int64()))
    with pa.ipc.new_stream(_Sink(walk), pa.schema([("", value.type)])) as stream:
        stream.write_batch(pa.record_batch([value], names=[""]))


class _Sink:
    """Takes Arrow's own serialisation, which cuts buffers to what the array holds, piece by piece."""

    closed = False

    def __init__(self, walk: _Walk) -> None:
        self._walk = walk
        self._at = 0

    def write(self, data: Any) -> int:
        self._walk.hash.update(data)
        length = memoryview(data).nbytes
        self._walk.size += length
        self._at += length
        return length

    def tell(self) -> int:
        return self._at

    def flush(self) -> None:
        """Nothing is held back."""

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        """The hash stays open."""


def _arrow_table(walk: _Walk, value: Any, depth: int) -> None:
    walk.put(b"q", str(value.schema).encode())
    for column in value.columns:
        _arrow(walk, column, depth)


def _index(walk: _Walk, value: Any, depth: int) -> None:
    _table(walk, value.to_frame(index=False, name=list(value.names) if value.nlevels > 1 else "0"), depth)


def _image(walk: _Walk, value: Any, _depth: int) -> None:
    walk.put(b"g", f"{value.mode} {value.size}".encode() + value.tobytes())


_BY_NAME: Final[dict[str, Callable[[_Walk, Any, int], None]]] = {
    "pydantic.BaseModel": _model,
    "numpy.ndarray": _array,
    "numpy.generic": _scalar,
    "pandas.DataFrame": _table,
    "pandas.Series": _table,
    "pandas.Index": _index,
    "pyarrow.Table": _arrow_table,
    "pyarrow.RecordBatch": _arrow_table,
    "pyarrow.Array": _arrow,
    "pyarrow.ChunkedArray": _arrow,
    "PIL.Image": _image,
}
