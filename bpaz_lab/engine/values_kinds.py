"""The kinds of values that have a form beside what msgpack itself knows, and how each is built again.

Example:
    >>> kind_of((1, 2))
    (<Kind.TUPLE: 1>, [1, 2])
    >>> readers[Kind.TUPLE]([1, 2])
    (1, 2)
"""

from __future__ import annotations

import io
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Callable

PATHS: Final = ("PurePosixPath", "PureWindowsPath", "PosixPath", "WindowsPath")
MESSAGES: Final = ("AIMessage", "HumanMessage", "SystemMessage", "ToolMessage")


class Kind(IntEnum):
    """The number of each kind in msgpack; what is kept has them, so none is ever given to another kind."""

    TUPLE = 1
    SET = 2
    FROZENSET = 3
    INT = 4
    """A whole number of more than 64 bits."""
    TEXT = 5
    """A text that is large, or that UTF-8 has no form for."""
    PAIRS = 6
    """A dict whose keys are not all texts."""
    DOCUMENT = 7
    MESSAGE = 8
    TABLE = 9
    COLUMN = 10
    ARRAY = 11
    NUMBER = 12
    """A single number of NumPy."""
    MOMENT = 13
    """A date, a time, a duration."""
    EXACT = 14
    """A decimal number, a UUID, a path."""
    PARTS = 15
    """Bytes that lie elsewhere."""
    PACKED = 16
    """A value that lies elsewhere."""
    ABSENT = 17
    """A value that is not kept."""
    RANGE = 18


def kind_of(value: Any) -> tuple[Kind, Any] | None:
    """The kind of a value and what it is made of: bytes, or what msgpack knows; None where it has no form.

    Raises:
        ValueError: A table or an array has something in it that has no form.
    """
    cls = type(value)
    module = "" if cls.__module__ == "builtins" else cls.__module__.partition(".")[0] + "."
    found = _CODERS.get(f"{module}{cls.__name__}")
    if (
        found is None
        and module == "numpy."
        and hasattr(value, "dtype")
        and getattr(value, "shape", None) == ()
    ):
        found = _number
    return None if found is None else found(value)


def table_bytes(frame: Any) -> bytes:
    """A table of pandas as an Arrow file.

    Raises:
        ValueError: A column has no form in Arrow, or would not come back the same.
    """
    import pyarrow as pa

    from bpaz_lab.engine.hashing import hashed

    try:
        table = pa.Table.from_pandas(frame)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise ValueError(str(error)) from None
    if hashed(table.to_pandas()).digest != hashed(frame).digest:
        raise ValueError("it would not come back the same from Arrow")
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as file:
        file.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


def table_of(data: bytes) -> Any:
    """The table of an Arrow file."""
    import pyarrow as pa

    return pa.ipc.open_file(pa.BufferReader(data)).read_all().to_pandas()


def _column(value: Any) -> tuple[Kind, Any]:
    name = value.name
    return Kind.COLUMN, [name, table_bytes(value.to_frame(name="" if name is None else name))]


def _array(value: Any) -> tuple[Kind, Any]:
    import numpy as np

    sink = io.BytesIO()
    np.save(sink, value, allow_pickle=False)
    return Kind.ARRAY, sink.getvalue()


def _number(value: Any) -> tuple[Kind, Any]:
    import numpy as np

    sink = io.BytesIO()
    np.save(sink, np.asarray(value), allow_pickle=False)
    return Kind.NUMBER, sink.getvalue()


def _message(value: Any) -> tuple[Kind, Any]:
    return Kind.MESSAGE, [type(value).__name__, value.model_dump()]


def _moment(value: Any) -> tuple[Kind, Any]:
    if isinstance(value, timedelta):
        return Kind.MOMENT, ["timedelta", [value.days, value.seconds, value.microseconds]]
    zone = getattr(value, "tzinfo", None)
    if zone is None or type(zone) is timezone:
        return Kind.MOMENT, [type(value).__name__, value.isoformat(), getattr(value, "fold", 0)]
    if key := getattr(zone, "key", ""):  # a ZoneInfo; others have no form
        return Kind.MOMENT, ["zoned", value.replace(tzinfo=None).isoformat(), value.fold, key]
    raise ValueError(f"its time zone is a {type(zone).__name__}")


def _exact(value: Any) -> tuple[Kind, Any]:
    return Kind.EXACT, [type(value).__name__, str(value)]


_CODERS: Final[dict[str, Callable[[Any], tuple[Kind, Any]]]] = {
    "tuple": lambda value: (Kind.TUPLE, list(value)),
    "set": lambda value: (Kind.SET, value),
    "frozenset": lambda value: (Kind.FROZENSET, value),
    "range": lambda value: (Kind.RANGE, [value.start, value.stop, value.step]),
    "langchain_core.Document": lambda value: (
        Kind.DOCUMENT,
        {"page_content": value.page_content, "metadata": value.metadata, "id": value.id},
    ),
    **{f"langchain_core.{name}": _message for name in MESSAGES},
    "pandas.DataFrame": lambda value: (Kind.TABLE, table_bytes(value)),
    "pandas.Series": _column,
    "numpy.ndarray": _array,
    **{f"datetime.{name}": _moment for name in ("date", "datetime", "time", "timedelta")},
    "decimal.Decimal": _exact,
    "uuid.UUID": _exact,
    **{f"pathlib.{name}": _exact for name in PATHS},
}


def _read_column(content: Any) -> Any:
    name, data = content
    return table_of(data).iloc[:, 0].rename(name)


def _read_array(data: bytes) -> Any:
    import numpy as np

    return np.load(io.BytesIO(data), allow_pickle=False)


def _read_document(fields: Any) -> Any:
    from langchain_core.documents import Document

    return Document(**fields)


def _read_message(content: Any) -> Any:
    from langchain_core import messages

    name, fields = content
    if name not in MESSAGES:
        raise ValueError(f"{name!r} is no message")
    return getattr(messages, name)(**fields)


def _read_moment(content: Any) -> Any:
    name, told, *rest = content
    if name == "timedelta":
        return timedelta(*told)
    if name == "date":
        return date.fromisoformat(told)
    if name == "zoned":
        from zoneinfo import ZoneInfo

        return datetime.fromisoformat(told).replace(tzinfo=ZoneInfo(rest[1]), fold=rest[0])
    moment: type[datetime | time] = datetime if name == "datetime" else time
    return moment.fromisoformat(told).replace(fold=rest[0])


def _read_exact(content: Any) -> Any:
    import pathlib

    name, told = content
    if name in ("Decimal", "UUID"):
        return {"Decimal": Decimal, "UUID": UUID}[name](told)
    if name not in PATHS:
        raise ValueError(f"{name!r} is no kind of value")
    return getattr(pathlib, name)(told)


readers: Final[dict[Kind, Callable[[Any], Any]]] = {
    Kind.TUPLE: tuple,
    Kind.SET: set,
    Kind.FROZENSET: frozenset,
    Kind.DOCUMENT: _read_document,
    Kind.MESSAGE: _read_message,
    Kind.TABLE: table_of,
    Kind.COLUMN: _read_column,
    Kind.ARRAY: _read_array,
    Kind.NUMBER: lambda data: _read_array(data)[()],
    Kind.MOMENT: _read_moment,
    Kind.EXACT: _read_exact,
    Kind.RANGE: lambda told: range(*told),
}
