"""How arrays, tables and images are hashed: by their buffers, without a copy where there need be none.

Each function adds one kind of value to a walk of ``hashing``. Packages are imported only where a value of
theirs has come, so that this costs nobody anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from bpaz_lab.engine.hashing import _Walk as Walk

PLAIN: Final = {str, bytes, bool, int, float}
"""What a column of Python objects may hold, one of them alone, for Arrow to keep it as it is."""


class Unhashable(Exception):
    """A part of the value has no content that can be compared."""


# ---- NumPy and Pillow -----------------------------------------------------------------------------------


def array(walk: Walk, value: Any, depth: int) -> None:
    """An array, whatever its strides are."""
    kind = type(value)
    walk.put(b"a", f"{kind.__name__} {value.dtype.str} {value.dtype.descr} {value.shape}".encode())
    if kind.__module__.partition(".")[0] != "numpy":
        walk.classes[kind] = None
        walk.add(dict(vars(value)), depth + 1)
    value = value.view(_numpy().ndarray)
    if value.dtype.hasobject or value.dtype.kind == "T":
        walk.several(b"O", value.ravel().tolist(), depth)
    else:
        walk.put(b"B", value.tobytes() if not value.flags.c_contiguous else value.reshape(-1).view("u1"))


def masked(walk: Walk, value: Any, depth: int) -> None:
    """An array with a mask."""
    ma = _numpy().ma
    walk.several(b"M", (ma.getdata(value), ma.getmaskarray(value), value.fill_value), depth)


def scalar(walk: Walk, value: Any, _depth: int) -> None:
    """A number of NumPy."""
    walk.put(b"n", value.dtype.str.encode() + value.tobytes())


def image(walk: Walk, value: Any, depth: int) -> None:
    """An image with its palette."""
    walk.put(b"g", f"{value.mode} {value.size}".encode())
    walk.put(b"G", value.tobytes())
    walk.add(value.getpalette() if value.mode in ("P", "PA") else None, depth + 1)


def _numpy() -> Any:
    import numpy as np

    return np


# ---- pandas ---------------------------------------------------------------------------------------------


def moment(walk: Walk, value: Any, _depth: int) -> None:
    """A moment or a span of pandas."""
    zone = getattr(value, "tzinfo", None)
    walk.put(b"z", f"{type(value).__name__} {value.isoformat()} {value.unit} {zone}".encode())


def table(walk: Walk, value: Any, depth: int) -> None:
    """A table or a column, with its index, its names and what is noted in ``attrs``."""
    pa = _arrow()
    kind = type(value)
    walk.put(b"P", kind.__name__.encode())
    if kind.__module__.partition(".")[0] != "pandas":
        walk.classes[kind] = None
        walk.add({name: getattr(value, name, None) for name in kind._metadata}, depth + 1)
    whole = hasattr(value, "columns")
    frame = value if whole else value.to_frame(name=0)
    walk.add([list(frame.columns), list(frame.columns.names)] if whole else value.name, depth + 1)
    walk.several(b"H", [str(each) for each in frame.dtypes], depth)
    walk.add([list(frame.index.names), value.attrs], depth + 1)
    columns = [frame.iloc[:, number] for number in range(frame.shape[1])]
    if type(frame.index).__name__ == "RangeIndex":
        walk.add((frame.index.start, frame.index.stop, frame.index.step), depth + 1)
    else:
        columns += [frame.index.get_level_values(level) for level in range(frame.index.nlevels)]
    for column in columns:
        _column(walk, column, depth, pa)


def _column(walk: Walk, column: Any, depth: int, pa: Any) -> None:
    if column.dtype == object:
        # Arrow makes one of 1 and 1.0, of lists and tuples, of a field that is None and none at all.
        kinds = set(map(type, column)) - {type(None)}
        if len(kinds) > 1 or not kinds <= PLAIN:
            walk.several(b"j", list(column), depth)
            return
    try:
        arrow(walk, pa.array(column, from_pandas=False), depth)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        walk.several(b"j", list(column), depth)


def index(walk: Walk, value: Any, depth: int) -> None:
    """An index alone."""
    walk.put(b"X", type(value).__name__.encode())
    table(walk, value.to_frame(index=False, name=list(range(value.nlevels))), depth)
    walk.add(list(value.names), depth + 1)


# ---- Arrow ----------------------------------------------------------------------------------------------


def arrow(walk: Walk, value: Any, depth: int) -> None:
    """An Arrow array, whatever its chunks are and wherever it starts in its buffers."""
    pa = _arrow()
    if isinstance(value, pa.ChunkedArray):
        value = pa.concat_arrays(value.chunks) if value.num_chunks else pa.array([], value.type)
    if isinstance(value, pa.DictionaryArray):
        walk.put(b"x", str(value.type).encode())
        arrow(walk, value.dictionary, depth)
        value = value.indices
    walk.put(b"w", f"{value.type} {len(value)} {value.null_count}".encode())
    if pa.types.is_string_view(value.type) or pa.types.is_binary_view(value.type):
        value = value.cast(pa.large_string() if pa.types.is_string_view(value.type) else pa.large_binary())
    if value.null_count or pa.types.is_boolean(value.type):
        # In canonical form: what lies under nulls and behind the last bit does not count.
        walk.put(b"v", value.is_valid().cast("uint8").buffers()[1])
        if pa.types.is_null(value.type):
            return
        value = value.cast("uint8") if pa.types.is_boolean(value.type) else value
        value = value.drop_null()
    if value.nbytes != value.get_total_buffer_size():
        # A slice, whose buffers hold more than it shows: put together anew they hold just that.
        value = pa.concat_arrays([value, value.slice(0, 0)])
    with pa.ipc.new_stream(_Sink(walk), pa.schema([("", value.type)])) as stream:
        stream.write_batch(pa.record_batch([value], names=[""]))


def arrow_table(walk: Walk, value: Any, depth: int) -> None:
    """An Arrow table: its schema and its columns."""
    walk.put(b"q", value.schema.to_string(truncate_metadata=False).encode())
    for column in value.columns:
        arrow(walk, column, depth)


def _arrow() -> Any:
    try:
        import pyarrow as pa
    except ImportError:
        raise Unhashable("tables are compared by pyarrow: pip install 'bpaz-lab[data]'") from None
    return pa


class _Sink:
    """Takes Arrow's own serialisation, which cuts buffers to what the array holds, piece by piece."""

    closed = False

    def __init__(self, walk: Walk) -> None:
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
