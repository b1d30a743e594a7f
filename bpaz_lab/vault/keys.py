"""The ring of keys: those that wrap data keys, those that sign tokens, and the pepper of passwords.

Each is its own, so that none of them opens what another protects. They are configured, or else made once
in the key file. A key file that is lost is never made anew behind one's back: what it locked would be lost
for good, and nobody would know why.

Example:
    >>> ring = KeyRing((bytes(range(32)),), (bytes(range(1, 33)),), bytes(range(2, 34)))
    >>> ring.first
    Key(630dcd2966c43366)
    >>> ring
    KeyRing(630dcd2966c43366)
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NoReturn

from bpaz_lab.errors import KeyMissing, SettingsError, VaultError
from bpaz_lab.vault.key import Key, new_key, read_keys
from bpaz_lab.vault.key_file import Kept, KeyFile

if TYPE_CHECKING:
    from bpaz_lab.settings import Settings

_log = logging.getLogger(__name__)
_CONFIGURE = "set BPAZ_ENCRYPTION_KEYS, BPAZ_TOKEN_KEYS and BPAZ_PASSWORD_PEPPER, and keep them elsewhere"


class KeyRing:
    """The keys of an installation; see `read`. Shows ids and nothing else, and cannot be pickled.

    Args:
        encryption: Keys that wrap data keys; the first wraps.
        tokens: Keys that sign tokens; the first signs.
        pepper: What passwords are hashed with; None where it is lost.
        file: The key file, where the encryption keys come from it.
        problems: What an administrator should know.
    """

    def __init__(
        self,
        encryption: tuple[bytes, ...],
        tokens: tuple[bytes, ...],
        pepper: bytes | None,
        *,
        file: KeyFile | None = None,
        problems: tuple[str, ...] = (),
    ) -> None:
        parts = [*encryption, *tokens, *([pepper] if pepper else [])]
        if len(set(parts)) < len(parts):
            raise SettingsError(
                "one key serves two ends",
                hint="Give BPAZ_ENCRYPTION_KEYS, BPAZ_TOKEN_KEYS and BPAZ_PASSWORD_PEPPER keys of their own.",
            )
        self.file = file
        self.problems = problems
        self._keys = tuple(Key(secret) for secret in encryption)
        self._tokens = tokens
        self._pepper = pepper
        self._stamp = file.stamp() if file else None

    @classmethod
    def read(cls, settings: Settings, *, locked: bool) -> KeyRing:
        """The keys that are configured, else those of the key file, which is made where nothing needs it yet.

        Args:
            settings: The settings.
            locked: Whether the database holds something that keys have locked (data keys, passwords). A
                key file that is not there is then lost, and not made anew: the ring says what is missing
                when it is needed, and everything else works.

        Raises:
            SettingsError: A configured key is malformed, short, or serves two ends.
        """
        encryption = _configured(settings, "encryption_keys")
        tokens = _configured(settings, "token_keys")
        pepper = _configured(settings, "password_pepper")
        if encryption and tokens and pepper:
            return cls(encryption, tokens, pepper[0])
        file = KeyFile(settings.folder)
        kept, problems = _kept(file, locked=locked)
        if kept is not None and not encryption and settings.profile == "shared":
            problems = (*problems, f"{file.path} holds the keys of a shared server; {_CONFIGURE}")
        for problem in problems:
            _log.warning("%s", problem)
        if kept is None:
            # Signing in again is all that new token keys cost. A new pepper would make every password wrong.
            spare = new_key() if settings.profile == "local" else None
            kept = Kept((), (new_key(),), spare or b"")
        return cls(
            encryption or kept.encryption,
            tokens or kept.tokens,
            (pepper[0] if pepper else kept.pepper) or None,
            file=None if encryption else file,
            problems=problems,
        )

    @property
    def encryption(self) -> tuple[Key, ...]:
        """The keys that wrap data keys, the first of which wraps new ones; none where they are lost."""
        self._refresh()
        return self._keys

    @property
    def first(self) -> Key:
        """The key that wraps.

        Raises:
            KeyMissing: There is none.
        """
        if self.file is not None and self.file.stamp() is None:
            raise self.missing("the keys of this installation")
        if not self.encryption:
            raise self.missing("the keys of this installation")
        return self._keys[0]

    def find(self, key_id: str) -> Key:
        """The key with this id.

        Raises:
            KeyMissing: The ring has no such key.
        """
        for keys in (self._keys, self.encryption):  # another process may have rotated since
            for key in keys:
                if key.id == key_id:
                    return key
        raise self.missing(f"the key {key_id}")

    def missing(self, what: str) -> KeyMissing:
        """The error that says what to do about a missing key."""
        where = f"Put {self.file.path} back from a backup, or set" if self.file else "Add it to"
        return KeyMissing(
            f"{what} cannot be found, so what was locked with it stays locked",
            hint=f"{where} BPAZ_ENCRYPTION_KEYS. If it is gone for good: `bpaz vault reset`, and enter the "
            "secrets again.",
        )

    @property
    def tokens(self) -> list[bytes]:
        """The keys that sign tokens; the first signs."""
        return list(self._tokens)

    @property
    def pepper(self) -> bytes:
        """The key that passwords are hashed with.

        Raises:
            KeyMissing: It is lost: no password can be checked without it.
        """
        if self._pepper is None:
            raise KeyMissing(
                "the key that passwords were hashed with cannot be found",
                hint="Put keys.json back into the data folder from a backup, or set BPAZ_PASSWORD_PEPPER. If "
                "it is gone for good: `bpaz vault reset`, and everybody needs a new password.",
            )
        return self._pepper

    def _refresh(self) -> None:
        """Reads the key file again where a rotation, or a restored backup, has changed it."""
        stamp = self.file.stamp() if self.file else None
        if self.file is None or stamp is None or stamp == self._stamp:
            return
        kept = self.file.read()
        if kept is not None:
            self._keys = tuple(Key(secret) for secret in kept.encryption)
            self._stamp = stamp

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(key.id for key in self._keys)})"

    def __getstate__(self) -> NoReturn:
        raise TypeError("a KeyRing cannot be pickled or copied")


def _configured(settings: Settings, name: str) -> tuple[bytes, ...]:
    text = getattr(settings, name).get_secret_value()
    return read_keys(text, name) if text.strip() else ()


def _kept(file: KeyFile, *, locked: bool) -> tuple[Kept | None, tuple[str, ...]]:
    """What the key file holds, or None where it is lost; and what there is to say about it."""
    try:
        kept = file.read()
        if kept is None and locked:
            return None, (f"{file.path} is lost: what its keys locked stays locked until it is back",)
        kept = kept or file.make()
    except VaultError as error:
        return None, (f"{error.message}: what its keys locked stays locked until it is back",)
    if file.open_to_others():
        return kept, (f"{file.path} can be read by others than its owner: chmod 600 {file.path}",)
    return kept, ()
