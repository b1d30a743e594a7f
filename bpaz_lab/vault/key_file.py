"""The key file: ``keys.json`` in the data folder, where nobody configured keys.

It is made once, readable by its owner alone, complete or not at all, and by one process even when several
begin at the same moment. Nothing here ever writes over it but a rotation, which only adds and removes
encryption keys.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn

from bpaz_lab.errors import JsonError, SettingsError, VaultError
from bpaz_lab.guard.strict_json import loads
from bpaz_lab.vault.key import new_key, read_keys, written

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import BufferedWriter
    from pathlib import Path

NAME: Final = "keys.json"


@dataclass(frozen=True, repr=False)
class Kept:
    """What a key file holds."""

    encryption: tuple[bytes, ...]
    tokens: tuple[bytes, ...]
    pepper: bytes

    def __getstate__(self) -> NoReturn:
        raise TypeError("keys cannot be pickled")


class KeyFile:
    """The key file of a data folder.

    Args:
        folder: The data folder.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME

    def stamp(self) -> tuple[int, int, int] | None:
        """Changes whenever the file does; None where there is none that can be seen."""
        try:
            about = self.path.stat()
        except OSError:
            return None
        return about.st_mtime_ns, about.st_ino, about.st_size

    def open_to_others(self) -> bool:
        """Whether the file can be read by others than its owner."""
        return os.name == "posix" and bool(self.path.stat().st_mode & 0o077)

    def read(self) -> Kept | None:
        """What the file holds; None where there is none.

        Raises:
            VaultError: It is damaged, or cannot be read. Nothing of it is shown.
        """
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeError) as error:
            raise self._damaged(f"cannot be read ({type(error).__name__})") from None
        try:
            told = loads(text)
            return Kept(
                read_keys(",".join(told["encryption"]), "encryption_keys"),
                read_keys(",".join(told["tokens"]), "token_keys"),
                read_keys(told["pepper"], "password_pepper")[0],
            )
        except (JsonError, SettingsError, TypeError, KeyError, AttributeError):
            raise self._damaged("is damaged") from None

    def make(self) -> Kept:
        """Makes the file, unless another process has just done so, and reads it.

        Raises:
            VaultError: It cannot be written.
        """
        kept = Kept((new_key(),), (new_key(),), new_key())
        draft = self.path.with_name(f".{NAME}.{os.getpid()}.{os.urandom(4).hex()}")
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(draft, kept)
            try:
                os.link(draft, self.path)  # fails where the file is there, as a rename does not
            except FileExistsError:
                pass
            except OSError:  # a file system without hard links
                with contextlib.suppress(FileExistsError):
                    _write(self.path, kept)
        except OSError as error:
            raise self._damaged(f"cannot be written ({error.strerror})") from None
        finally:
            draft.unlink(missing_ok=True)
        return self.read() or kept

    def change(self, change: Callable[[Kept], Kept]) -> Kept:
        """Replaces the file by what a function makes of it; one rotation at a time.

        Raises:
            VaultError: There is no file, it is damaged, or another rotation is under way.
        """
        draft = self.path.with_name(f".{NAME}.new")
        try:
            handle = _new(draft)
        except FileExistsError:
            raise VaultError(
                "another rotation of keys is under way, or was cut off",
                hint=f"Wait for it. If there is none, delete {draft} and try again.",
            ) from None
        with os.fdopen(handle, "wb") as file:
            try:
                kept = change(self.read() or self._gone())
                _fill(file, kept)
                draft.replace(self.path)
            except BaseException:
                draft.unlink(missing_ok=True)
                raise
        return kept

    def _gone(self) -> NoReturn:
        raise self._damaged("is not there")

    def _damaged(self, what: str) -> VaultError:
        return VaultError(f"{self.path} {what}", hint="Put it back from a backup; nothing else replaces it.")


def _new(path: Path) -> int:
    return os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)


def _write(path: Path, kept: Kept) -> None:
    with os.fdopen(_new(path), "wb") as file:
        _fill(file, kept)


def _fill(file: BufferedWriter, kept: Kept) -> None:
    told = {
        "encryption": [written(key) for key in kept.encryption],
        "tokens": [written(key) for key in kept.tokens],
        "pepper": written(kept.pepper),
    }
    file.write(json.dumps(told, indent=2).encode())
    file.flush()
    os.fsync(file.fileno())
