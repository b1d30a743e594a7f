"""Copies of a SQLite file, whole and compressed, made while others read and write it.

SQLite's own backup interface copies page by page and begins again where somebody wrote meanwhile
(https://sqlite.org/backup.html); a plain copy of the file could be torn.
"""

from __future__ import annotations

import gzip
import os
import shutil
import sqlite3
import zlib
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile, mkstemp
from typing import TYPE_CHECKING, Final

from bpaz_lab.errors import StoreError, StoreFull

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

_MAGIC: Final = b"SQLite format 3\x00"
_PAGES: Final = 4096
"""Pages that are copied in one go; between two goes others may write, and progress is told."""


def stamp() -> str:
    """This moment, as names of backups carry it."""
    return datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")


def before_upgrade(connection: Connection, revision: str) -> Path:
    """Backs up SQLite before its tables are changed, into ``backups`` beside it."""
    file = Path(connection.engine.url.database or "").absolute()
    return pack(file, folder_for(file) / f"{file.stem}-{stamp()}-before-upgrade-of-{revision}.sqlite3.gz")


def folder_for(file: Path) -> Path:
    """Where the backups of a file go; only its owner may look."""
    folder = file.parent / "backups"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def pack(file: Path, to: Path, tell: Callable[[str], None] = lambda _: None) -> Path:
    """Copies a database into a compressed file, which appears when it is whole.

    Args:
        file: The database.
        to: The compressed file.
        tell: Gets a line from time to time.

    Raises:
        StoreFull: There is no room.
    """
    try:
        with written(to) as part, NamedTemporaryFile(dir=to.parent, suffix=".part") as plain:
            with closing(sqlite3.connect(f"{file.as_uri()}?mode=rw", uri=True)) as source:
                _copy(source, Path(plain.name), tell)
            with gzip.open(part, "wb") as compressed, Path(plain.name).open("rb") as whole:
                shutil.copyfileobj(whole, compressed, 2**20)
    except OSError as error:
        raise StoreFull(f"{to} cannot be written: {error.strerror}", hint="Make room on its disk.") from None
    return to


def unpack(packed: Path, into: Path, tell: Callable[[str], None] = lambda _: None) -> None:
    """Brings a copy back over a database, in place: who has it open sees it before or after.

    Raises:
        StoreError: The file is no such copy, or is damaged; the database is as it was.
    """
    with NamedTemporaryFile(dir=into.parent, suffix=".part") as plain:
        try:
            with gzip.open(packed) as compressed:
                shutil.copyfileobj(compressed, plain, 2**20)
        except (OSError, EOFError, zlib.error) as error:
            reason = getattr(error, "strerror", None) or "it is damaged, or no backup"
            raise StoreError(f"{packed} cannot be read: {reason}", hint="Take another backup.") from None
        plain.flush()
        with Path(plain.name).open("rb") as whole:
            if whole.read(len(_MAGIC)) != _MAGIC:
                raise StoreError(
                    f"{packed} is no backup of SQLite", hint="Take a file that bpaz db backup made."
                )
        with closing(sqlite3.connect(plain.name)) as source:
            found = source.execute("PRAGMA integrity_check").fetchone()[0]
            if found != "ok":
                raise StoreError(f"{packed} is damaged", hint="Take another backup.")
            _copy(source, into, tell)


@contextmanager
def written(to: Path) -> Iterator[Path]:
    """A file beside, for its owner alone, that takes the place of ``to`` when all went well."""
    handle, name = mkstemp(dir=to.parent, suffix=".part")
    os.close(handle)
    part = Path(name)
    try:
        yield part
        with part.open("rb") as whole:
            os.fsync(whole.fileno())
        part.replace(to)
    finally:
        part.unlink(missing_ok=True)


def _copy(source: sqlite3.Connection, to: Path, tell: Callable[[str], None]) -> None:
    def progress(_status: int, remaining: int, total: int) -> None:
        if total > _PAGES:
            tell(f"copied {100 * (total - remaining) // total} %")

    with closing(sqlite3.connect(to)) as target:
        source.backup(target, pages=_PAGES, progress=progress)
