"""Results of nodes on disk, so that they outlive the session; nothing in it is ever unpickled.

A result is one file, named by its key; what is large lies beside it in files named by their content (see
``values.py``). A value that cannot be stored like this, or that does not come back the same, is not stored.
Files appear whole or not at all; a file that is damaged is a result that is not there.
"""

from __future__ import annotations

import os
import tempfile
import threading
import warnings
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final, Literal

import ormsgpack
from pydantic import TypeAdapter
from typing_extensions import TypedDict

from bpaz_lab.engine.cache import Entry
from bpaz_lab.engine.hashing import hashed
from bpaz_lab.engine.values import NotStorable, pack, unpack
from bpaz_lab.errors import BpazError

SIZE: Final = 4 * 1024**3
"""Bytes that the files have together, unless BPAZ_CACHE_BYTES says otherwise."""
FORMAT: Final = 2
OURS: Final = "bpaz-"
"""How the names of the cache's files begin: others in the folder are left alone."""
ENTRY: Final = ".entry"
LARGE: Final = ".value"
SUFFIXES: Final = (ENTRY, LARGE, ".part", ".json", ".arrow", ".npy")
"""Of all files that are the cache's; the last three are of its first format and go when there is no room."""
ROOM: Final = 0.9
"""The share of the limit that is left in use when something has to go, so that it need not go each time."""


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
            told = _FILE.validate_python(ormsgpack.unpackb(path.read_bytes()))
            outputs = unpack(told["outputs"], self._read)
            hashes = {name: told["hashes"][name] for name in outputs}
        except FileNotFoundError:
            return None
        except OSError as error:
            self._warn(f"no result is read from {self.folder}: {error}")
            return None
        except (ValueError, KeyError, TypeError, AttributeError, BpazError) as error:
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
        try:
            packed = pack(entry.outputs, entry.fit)
            values = unpack(packed.data, packed.parts.__getitem__)
        except (NotStorable, BpazError):
            return
        if any(hashed(value).digest != entry.hashes[name] for name, value in values.items()):
            return  # it would not come back the same
        told = {
            "format": FORMAT,
            "outputs": packed.data,
            "hashes": entry.hashes,
            "duration": entry.duration,
            "size": entry.size,
            "usage": entry.usage,
        }
        files = {f"{OURS}{name}{LARGE}": data for name, data in packed.parts.items()}
        try:
            with self._lock:
                self._keep({**files, self._path(key).name: ormsgpack.packb(told)})
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
            if path.suffix == LARGE and path.exists():
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
        return self.folder / f"{OURS}{key}{ENTRY}"

    def _files(self) -> list[Path]:
        return [path for path in self.folder.glob(f"{OURS}*") if path.suffix in SUFFIXES]

    def _read(self, name: str) -> bytes:
        if not name.isalnum():  # of a damaged file: it shall lead nowhere else
            raise ValueError(f"{name} is no part of a value")
        path = self.folder / f"{OURS}{name}{LARGE}"
        _touch(path)
        return path.read_bytes()

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
    format: Literal[2]
    outputs: bytes
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
