"""What is kept: the data folder, the database, the keys that lock secrets."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.cli_doctor.check import Check, open_to_others
from bpaz_lab.errors import BpazError
from bpaz_lab.settings import PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bpaz_lab.settings import Settings

LITTLE: Final = 200 * 2**20
"""Bytes of free disk below which there is a warning."""


def looks(settings: Settings) -> Iterator[Check]:
    """All looks at what is kept; nothing is made."""
    yield from _folder(settings)
    yield from _store(settings)


def _folder(settings: Settings) -> Iterator[Check]:
    from bpaz_lab.store.mounts import on_network

    folder = settings.folder
    if not folder.exists():
        parent = next(each for each in folder.absolute().parents if each.exists())
        if os.access(parent, os.W_OK):
            yield Check("data folder", "ok", f"{folder} will be made at first use")
        else:
            yield Check("data folder", "fault", f"{folder} cannot be made", f"Set {PREFIX}DATA_FOLDER.")
        return
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield Check(
            "data folder", "fault", f"{folder} cannot be written to", f"chown it, or set {PREFIX}DATA_FOLDER."
        )
        return
    open_ = [
        path for path in (folder, *folder.glob("*.sqlite3*"), folder / "keys.json") if open_to_others(path)
    ]
    if open_:
        said = f"others can read {', '.join(str(path) for path in open_)}"
        yield Check("data folder", "fault", said, f"chmod -R go-rwx {folder}")
    else:
        yield Check("data folder", "ok", f"{folder}, for its owner alone")
    free = shutil.disk_usage(folder).free
    if free < LITTLE:
        yield Check(
            "disk", "warning", f"{free / 2**20:.0f} MB are free", "Make room, or runs cannot be kept."
        )
    if on_network(folder):
        yield Check(
            "file system",
            "warning",
            f"{folder} lies on a network file system",
            f"One process at a time, slower; better: Postgres, or a local folder in {PREFIX}DATA_FOLDER.",
        )
    late = [path for path in folder.iterdir() if path.stat().st_mtime > time.time() + 60]
    if late:
        said = f"{late[0].name} was changed in the future"
        yield Check("clock", "warning", said, "Set the clock: tokens end by it.")
    else:
        yield Check("clock", "ok", time.strftime("%Y-%m-%d %H:%M %Z"))


def _store(settings: Settings) -> Iterator[Check]:
    from bpaz_lab.store.address import file_of, place
    from bpaz_lab.store.database import Database

    try:
        database = Database.of(settings)
        where = place(database.url)
        if database.dialect == "sqlite" and not file_of(database.url).exists():
            yield Check("database", "ok", f"{where} will be made at first use")
            return
        state, version, wrapped = asyncio.run(_looked(database))
    except BpazError as error:
        yield Check("database", "fault", error.message, error.hint)
        return
    if state == "current":
        yield Check("database", "ok", f"{where}, version {version}")
    elif state == "newer":
        said = f"{where} is of a newer version ({version}) than this bpaz_lab"
        yield Check("database", "fault", said, "pip install --upgrade bpaz-lab")
        return
    elif database.dialect == "sqlite":
        yield Check("database", "ok", f"{where} is older and is brought up to date at first use")
    else:
        said = f"{where} {'has no tables' if state == 'empty' else f'is older ({version})'}"
        yield Check("database", "fault", said, "bpaz db upgrade")
        return
    yield from _keys(settings, wrapped)


async def _looked(database: Any) -> tuple[str, str, dict[str, int]]:
    """How the tables are, and which keys of the ring wrap how many data keys."""
    from bpaz_lab.store import schema
    from bpaz_lab.store.repositories.data_keys import DataKeys

    try:
        state: str = await database.migrate(schema.state)
        version: str = await database.migrate(schema.current)
        if state != "current":
            return state, version, {}
        async with database.session(read_only=True) as session:
            return state, version, await DataKeys(session).counts()
    finally:
        await database.close()


def _keys(settings: Settings, wrapped: dict[str, int]) -> Iterator[Check]:
    from bpaz_lab.vault.key_file import NAME
    from bpaz_lab.vault.keys import KeyRing

    file = settings.folder / NAME
    if not wrapped and not file.exists() and not settings.encryption_keys.get_secret_value():
        yield Check("keys", "ok", f"{file} will be made when the first secret is kept")
        return
    try:
        ring = KeyRing.read(settings, locked=True)
    except BpazError as error:
        yield Check("keys", "fault", error.message, error.hint)
        return
    known = {key.id for key in ring.encryption}
    lost = {id: number for id, number in wrapped.items() if id not in known}
    if lost:
        said = (
            f"{sum(lost.values())} data keys are locked with {', '.join(lost)}, which is not among the keys"
        )
        yield Check("keys", "fault", said, f"Bring back {file}, or add that key to {PREFIX}ENCRYPTION_KEYS.")
    elif ring.problems:
        for problem in ring.problems:
            yield Check("keys", "warning", problem)
    else:
        yield Check("keys", "ok", f"{len(known)}, and they open what the database holds")
    old = {id: number for id, number in wrapped.items() if known and id in known and id != ring.first.id}
    if old:
        said = f"{sum(old.values())} data keys are still locked with an older key"
        yield Check("vault", "warning", said, "bpaz vault rotate")
    elif not lost:
        yield Check("vault", "ok", f"{sum(wrapped.values())} data keys")
