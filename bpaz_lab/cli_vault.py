"""The commands ``bpaz vault``: which keys lock the credentials, and how they are changed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse
    from collections.abc import Awaitable, Callable

    from bpaz_lab.settings import Settings
    from bpaz_lab.store.database import Database
    from bpaz_lab.vault.key_file import Kept
    from bpaz_lab.vault.keys import KeyRing


def add(commands: Any) -> None:
    """Adds ``vault`` and its commands to those of the command line."""
    vault = commands.add_parser("vault", help="the keys that credentials are locked with")
    parts = vault.add_subparsers(required=True, metavar="COMMAND")
    _part(parts, "status", _status, "say which keys are in use, and what is wrong with them")
    rotate = _part(parts, "rotate", _rotate, "wrap all data keys with a new key")
    rotate.add_argument(
        "--prune", action="store_true", help="add none; remove the old keys that are no longer in use"
    )
    key = parts.add_parser("key", help="print a new random key, for BPAZ_ENCRYPTION_KEYS and its like")
    key.set_defaults(command=_key)
    reset = _part(parts, "reset", _reset, "give up what is locked with keys that are lost for good")
    reset.add_argument("--yes", action="store_true", help="do it; without this it says what would be lost")


class _Open:
    """What the commands work on: the database and the keys."""

    def __init__(self, settings: Settings, database: Database, ring: KeyRing, counts: dict[str, int]) -> None:
        self.settings = settings
        self.database = database
        self.ring = ring
        self.counts = counts

    @property
    def lost(self) -> dict[str, int]:
        """Keys that wrap data keys and are not in the ring."""
        known = {key.id for key in self.ring.encryption}
        return {id: count for id, count in self.counts.items() if id not in known}

    @property
    def old(self) -> list[str]:
        """Keys of the ring that wrap nothing any more."""
        return [key.id for key in self.ring.encryption[1:] if key.id not in self.counts]


def _part(
    parts: Any, name: str, work: Callable[[_Open, argparse.Namespace], Awaitable[int]], help: str
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = parts.add_parser(name, help=help)
    parser.set_defaults(command=lambda parsed: asyncio.run(_opened(work, parsed)))
    return parser


async def _opened(
    work: Callable[[_Open, argparse.Namespace], Awaitable[int]], parsed: argparse.Namespace
) -> int:
    from bpaz_lab.settings import Settings
    from bpaz_lab.store.database import Database
    from bpaz_lab.vault.keys import KeyRing

    settings = Settings.read()
    database = Database.of(settings)
    try:
        counts = await _counts(database)
        return await work(
            _Open(settings, database, KeyRing.read(settings, locked=bool(counts)), counts), parsed
        )
    finally:
        await database.close()


async def _counts(database: Database) -> dict[str, int]:
    from bpaz_lab.store.repositories.data_keys import DataKeys

    async with database.session(read_only=True) as session:
        return await DataKeys(session).counts()


def _key(_parsed: argparse.Namespace) -> int:
    from bpaz_lab.vault.key import new_key, written

    print(written(new_key()))
    return 0


async def _status(at: _Open, _parsed: argparse.Namespace) -> int:
    ring = at.ring
    print(f"keys from {ring.file.path if ring.file else 'BPAZ_ENCRYPTION_KEYS'}")
    for place, key in enumerate(ring.encryption):
        count = at.counts.get(key.id, 0)
        what = "locks what is new" if place == 0 else "old, still needed" if count else "old, not needed"
        print(f"  {key.id}  {_data_keys(count):>14}  {what}")
    for id, count in at.lost.items():
        print(f"  {id}  {_data_keys(count):>14}  LOST")
    for problem in ring.problems:
        print(f"problem: {problem}")
    if at.lost:
        error = ring.missing("a key that is in use")
        print(f"problem: {error.message}\n  {error.hint}")
    return 1 if at.lost else 0


async def _rotate(at: _Open, parsed: argparse.Namespace) -> int:
    ring, file = at.ring, at.ring.file
    for id in at.lost:
        ring.find(id)  # says what is missing before anything is changed
    if file and not parsed.prune:
        _ = ring.first
        file.change(_with_new)
    done = await _rewrap(at)
    at.counts = await _counts(at.database)
    print(f"{_data_keys(done)} wrapped anew; {ring.first.id} locks what is new")
    if parsed.prune and file and at.old:
        old = set(at.old)
        file.change(lambda kept: _without(kept, old))
        print(f"removed: {', '.join(sorted(old))}")
    elif at.old and file:
        print(f"no longer needed: {', '.join(at.old)}\n  Remove with: bpaz vault rotate --prune")
    elif at.old:
        print(f"no longer needed: {', '.join(at.old)}\n  Take them out of BPAZ_ENCRYPTION_KEYS.")
    elif file is None and not done:
        print(
            "To rotate, put a new key (`bpaz vault key`) before the others in BPAZ_ENCRYPTION_KEYS, with a "
            "comma between,\n  start the server anew, and run this again."
        )
    return 0


async def _rewrap(at: _Open) -> int:
    from bpaz_lab.store.caller import Caller
    from bpaz_lab.store.repositories import audit
    from bpaz_lab.vault.vault import Vault

    async with at.database.session() as session:
        done = await Vault(at.ring).rewrap(session)
        if done:
            details = {"data_keys": done, "key": at.ring.first.id}
            await audit.record(
                session, Caller(name="bpaz vault"), "vault.rotate", "data_keys", details=details
            )
    return done


async def _reset(at: _Open, parsed: argparse.Namespace) -> int:
    from bpaz_lab.store.caller import Caller
    from bpaz_lab.store.repositories import audit
    from bpaz_lab.store.repositories.data_keys import DataKeys
    from bpaz_lab.vault.keys import KeyRing

    lost, file = at.lost, at.ring.file
    empty = file is not None and not at.ring.encryption
    if not lost and not empty:
        print("no key is lost; there is nothing to give up")
        return 0
    print(f"{_data_keys(sum(lost.values()))} locked with keys that are lost: {', '.join(lost) or 'none'}")
    if not parsed.yes:
        print(
            "What they lock would be given up: every secret must be entered again. If that is right: "
            "bpaz vault reset --yes"
        )
        return 1
    async with at.database.session() as session:
        for id in lost:
            await DataKeys(session).delete_wrapped_by(id)
        await audit.record(
            session, Caller(name="bpaz vault"), "vault.reset", "data_keys", details={"keys": dict(lost)}
        )
    if empty and file:
        if file.stamp() is not None:
            aside = file.path.with_name(f"{file.path.name}.damaged")
            file.path.replace(aside)
            print(f"what was in its place is now {aside}")
        ring = KeyRing.read(at.settings, locked=False)
        print(f"new keys in {file.path}; {ring.first.id} locks what is new")
    print("given up; enter the secrets of the credentials again")
    return 0


def _with_new(kept: Kept) -> Kept:
    from dataclasses import replace

    from bpaz_lab.vault.key import new_key

    return replace(kept, encryption=(new_key(), *kept.encryption))


def _without(kept: Kept, old: set[str]) -> Kept:
    from dataclasses import replace

    from bpaz_lab.vault.key import Key

    return replace(kept, encryption=tuple(key for key in kept.encryption if Key(key).id not in old))


def _data_keys(count: int) -> str:
    return f"{count} data key{'' if count == 1 else 's'}"
