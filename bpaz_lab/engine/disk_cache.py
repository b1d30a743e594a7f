"""Results of nodes on disk, so that they outlive the session; nothing in it is ever unpickled.

A result is one JSON file, named by its key; tables and arrays lie beside it as Arrow and NumPy files, named
by their content. A value that cannot be stored like this, or that does not come back the same, is not
stored. Files appear whole or not at all; a file that is damaged is a result that is not there.
"""

from __future__ import annotations

import base64
import io
import json
import os
import tempfile
import threading
import warnings
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from bpaz_lab.engine.cache import Entry
from bpaz_lab.engine.hashing import hashed
from bpaz_lab.errors import BpazError
from bpaz_lab.guard.strict_json import Limits, loads

if TYPE_CHECKING:
    from collections.abc import Callable

SIZE: Final = 4 * 1024**3
"""Bytes that the files have together, unless BPAZ_CACHE_BYTES says otherwise."""
MESSAGES: Final = ("AIMessage", "HumanMessage", "SystemMessage", "ToolMessage")
FORMAT: Final = 1
OURS: Final = "bpaz-"
"""How the names of the cache's files begin: others in the folder are left alone."""
SUFFIXES: Final = (".json", ".arrow", ".npy", ".part")
ROOM: Final = 0.9
"""The share of the limit that is left in use when something has to go, so that it need not go each time."""
LIMITS: Final = Limits(size=None, string=None, depth=200)
WIDEST: Final = 2**53
"""Whole numbers up to here are JSON as they are."""


class NotStorable(Exception):
    """A value has no form here."""


class DiskCache:
    """Results in a folder, of which the longest unused goes first.

    Args:
        folder: Where; it is made with access for its owner alone.
        limit: Bytes that the files may have together.
    """

    def __init__(self, folder: str | os.PathLike[str], limit: int = SIZE) -> None:
        self.folder = Path(folder)
        self.limit = limit
        self._lock = threading.Lock()
        self._size: int | None = None
        """About how many bytes the files have; None where nobody looked yet."""
        self._told = False

    def get(self, key: str) -> Entry | None:
        """The result of that key, or None; a damaged one is told and forgotten."""
        path = self._path(key)
        try:
            told = _FILE.validate_python(loads(path.read_bytes(), limits=LIMITS))
            hashes = {name: told["hashes"][name] for name in told["outputs"]}
            outputs = {name: _decoded(value, self._read) for name, value in told["outputs"].items()}
        except FileNotFoundError:
            return None
        except OSError as error:
            self._warn(f"no result is read from {self.folder}: {error}")
            return None
        except (ValueError, KeyError, TypeError, AttributeError, BpazError, NotStorable) as error:
            what = str(error).partition("\n")[0]
            warnings.warn(f"the kept result {path.name} is damaged and was removed: {what}", stacklevel=2)
            with suppress(OSError):
                path.unlink(missing_ok=True)
            return None
        _touch(path)
        return Entry(outputs, hashes, told["duration"], told["size"], told["usage"])

    def put(self, key: str, entry: Entry) -> None:
        """Keeps a result, unless a value has no form on disk or must not outlive the session."""
        if not entry.storable:
            return
        files: dict[str, bytes] = {}
        try:
            outputs = {name: _encoded(value, files) for name, value in entry.outputs.items()}
            told = {"format": FORMAT, "outputs": outputs, "hashes": entry.hashes, "duration": entry.duration}
            text = json.dumps({**told, "size": entry.size, "usage": entry.usage}, allow_nan=False).encode()
            back = loads(text, limits=LIMITS)["outputs"]
            values = {name: _decoded(value, files.__getitem__) for name, value in back.items()}
        except (NotStorable, ValueError, TypeError, BpazError, RecursionError):
            return
        if any(hashed(value).digest != entry.hashes[name] for name, value in values.items()):
            return  # it would not come back the same
        if entry.fit is not None and not all(entry.fit(data) for data in (text, *files.values())):
            return
        try:
            with self._lock:
                self._keep({**files, self._path(key).name: text})
        except OSError as error:  # the disk is full, or not ours to write on: the run goes on without
            self._warn(f"results are not kept in {self.folder}: {error}")

    def clear(self) -> None:
        """Removes all files of the cache, and no other."""
        with self._lock:
            for path in self._files():
                path.unlink(missing_ok=True)
            self._size = 0

    def _keep(self, files: dict[str, bytes]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, data in files.items():
            path = self.folder / name
            if path.suffix != ".json" and path.exists():
                _touch(path)
                continue
            _write(path, data)
            self._size = None if self._size is None else self._size + len(data)
        if self._size is None or self._size > self.limit:
            self._trim()

    def _warn(self, text: str) -> None:
        if not self._told:
            self._told = True
            warnings.warn(text, stacklevel=3)

    def _path(self, key: str) -> Path:
        return self.folder / f"{OURS}{key}.json"

    def _files(self) -> list[Path]:
        return [path for path in self.folder.glob(f"{OURS}*") if path.suffix in SUFFIXES]

    def _read(self, name: str) -> bytes:
        if Path(name).name != name:
            raise NotStorable(f"{name} is no file of the cache")
        data = (self.folder / name).read_bytes()
        if _named(data, Path(name).suffix) != name:
            raise NotStorable(f"{name} does not hold what its name says")
        _touch(self.folder / name)
        return data

    def _trim(self) -> None:
        """Where the files are too many, removes what was not used for longest, and a bit more."""
        told = []
        for path in self._files():
            with suppress(FileNotFoundError):  # another process removed it
                about = path.stat()
                told.append((about.st_mtime_ns, about.st_size, path))
        self._size = sum(each[1] for each in told)
        if self._size <= self.limit:
            return
        for _, bytes_, path in sorted(told):
            if self._size <= self.limit * ROOM:
                return
            path.unlink(missing_ok=True)
            self._size -= bytes_


@cache
def disk() -> DiskCache:
    """The cache on the disk of this machine: BPAZ_CACHE_DIR, else Jupyter's own folder for such data."""
    from jupyter_core.paths import jupyter_data_dir

    told = os.environ.get("BPAZ_CACHE_BYTES", "")
    folder = os.environ.get("BPAZ_CACHE_DIR") or Path(jupyter_data_dir()) / "bpaz_lab" / "cache"
    return DiskCache(folder, int(told) if told.isdecimal() else SIZE)


class _File(TypedDict):
    format: Literal[1]
    outputs: dict[str, Any]
    hashes: dict[str, str]
    duration: float
    size: int
    usage: dict[str, tuple[int, int]]


_FILE: Final = TypeAdapter(_File)


def _touch(path: Path) -> None:
    """Notes that a file was used; where that cannot be noted, it goes sooner."""
    with suppress(OSError):
        os.utime(path)


def _write(path: Path, data: bytes) -> None:
    """Writes a file whole or not at all."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=OURS, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _named(data: bytes, suffix: str) -> str:
    return OURS + blake2b(data, digest_size=16).hexdigest() + suffix


# ---- values as JSON and files --------------------------------------------------------------------------


def _encoded(value: Any, files: dict[str, bytes]) -> Any:
    """JSON for a value; what is large goes to files by name.

    Raises:
        NotStorable: It has no form here.
    """
    if value is None or type(value) in (bool, str) or (type(value) is int and abs(value) <= WIDEST):
        return value
    kind = type(value)
    module = "" if kind.__module__ == "builtins" else kind.__module__.partition(".")[0] + "."
    coder = _CODERS.get(f"{module}{kind.__name__}")
    if coder is None:
        raise NotStorable(f"a value of the kind {kind.__name__} has no form on disk")
    return coder(value, files)


def _several(value: Any, files: dict[str, bytes]) -> Any:
    return {type(value).__name__: [_encoded(each, files) for each in value]}


def _pairs(value: Any, files: dict[str, bytes]) -> Any:
    return {"dict": [[_encoded(name, files), _encoded(each, files)] for name, each in value.items()]}


def _message(value: Any, files: dict[str, bytes]) -> Any:
    return {"message": type(value).__name__, "fields": _encoded(value.model_dump(), files)}


def _document(value: Any, files: dict[str, bytes]) -> Any:
    fields = {"page_content": value.page_content, "metadata": value.metadata, "id": value.id}
    return {"document": _encoded(fields, files)}


def _table(value: Any, files: dict[str, bytes]) -> Any:
    import pyarrow as pa

    frame = (
        value if hasattr(value, "columns") else value.to_frame(name="" if value.name is None else value.name)
    )
    try:
        table = pa.Table.from_pandas(frame)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise NotStorable(str(error)) from None
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as file:
        file.write_table(table)
    name = _kept(sink.getvalue().to_pybytes(), ".arrow", files)
    return {"table": name} if frame is value else {"column": name, "name": _encoded(value.name, files)}


def _array(value: Any, files: dict[str, bytes]) -> Any:
    import numpy as np

    sink = io.BytesIO()
    np.save(sink, value, allow_pickle=False)
    return {"array": _kept(sink.getvalue(), ".npy", files)}


def _kept(data: bytes, suffix: str, files: dict[str, bytes]) -> str:
    name = _named(data, suffix)
    files[name] = data
    return name


_CODERS: Final[dict[str, Callable[[Any, dict[str, bytes]], Any]]] = {
    "int": lambda value, _files: {"int": f"{value:x}"},
    "float": lambda value, _files: {"float": value.hex()},
    "bytes": lambda value, _files: {"bytes": base64.b64encode(value).decode()},
    "list": lambda value, files: [_encoded(each, files) for each in value],
    "tuple": _several,
    "set": _several,
    "frozenset": _several,
    "dict": _pairs,
    "pandas.DataFrame": _table,
    "pandas.Series": _table,
    "numpy.ndarray": _array,
    "langchain_core.Document": _document,
    **{f"langchain_core.{name}": _message for name in MESSAGES},
}


def _decoded(told: Any, read: Callable[[str], bytes]) -> Any:
    """The value of what ``_encoded`` made; only the kinds that it knows are ever built."""
    if isinstance(told, list):
        return [_decoded(each, read) for each in told]
    if not isinstance(told, dict):
        return told
    (kind, content), *rest = told.items()
    if kind not in _DECODERS:
        raise NotStorable(f"{kind!r} is no kind of value")
    return _DECODERS[kind](content, dict(rest), read)


def _read_table(name: str, _rest: Any, read: Callable[[str], bytes]) -> Any:
    import pyarrow as pa

    return pa.ipc.open_file(pa.BufferReader(read(name))).read_all().to_pandas()


def _read_column(name: str, rest: Any, read: Callable[[str], bytes]) -> Any:
    return _read_table(name, rest, read).iloc[:, 0].rename(_decoded(rest["name"], read))


def _read_array(name: str, _rest: Any, read: Callable[[str], bytes]) -> Any:
    import numpy as np

    return np.load(io.BytesIO(read(name)), allow_pickle=False)


def _read_document(content: Any, _rest: Any, read: Callable[[str], bytes]) -> Any:
    from langchain_core.documents import Document

    return Document(**_decoded(content, read))


def _read_message(name: str, rest: Any, read: Callable[[str], bytes]) -> Any:
    from langchain_core import messages

    if name not in MESSAGES:
        raise NotStorable(f"{name!r} is no message")
    return getattr(messages, name)(**_decoded(rest["fields"], read))


_DECODERS: Final[dict[str, Callable[[Any, Any, Callable[[str], bytes]], Any]]] = {
    "int": lambda content, _rest, _read: int(content, 16),
    "float": lambda content, _rest, _read: float.fromhex(content),
    "tuple": lambda content, _rest, read: tuple(_decoded(content, read)),
    "set": lambda content, _rest, read: set(_decoded(content, read)),
    "frozenset": lambda content, _rest, read: frozenset(_decoded(content, read)),
    "dict": lambda content, _rest, read: {_decoded(k, read): _decoded(v, read) for k, v in content},
    "bytes": lambda content, _rest, _read: base64.b64decode(content, validate=True),
    "table": _read_table,
    "column": _read_column,
    "array": _read_array,
    "document": _read_document,
    "message": _read_message,
}
