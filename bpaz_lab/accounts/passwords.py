"""Passwords: which ones are taken, and how they are hashed.

Hashed is bcrypt over base64(HMAC-SHA-384(pepper, NFC(password))): the HMAC lets a password be longer than
the 72 bytes that bcrypt reads, and makes a stolen database useless without the pepper, which is not in it
(OWASP Password Storage Cheat Sheet, "Pre-Hashing Passwords with bcrypt" and "Peppering"). Which are taken
follows NIST SP 800-63B 5.1.1.2: length counts, composition does not, and what everybody tries is refused.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import os
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar

import bcrypt

from bpaz_lab.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Result = TypeVar("Result")

SHORTEST: Final = 10
LONGEST: Final = 256
"""Characters of a password."""
VARIETY: Final = 5
"""Different characters that a password has at least."""

_RUNS: Final = tuple(
    run + run for run in ("abcdefghijklmnopqrstuvwxyz", "0123456789", "qwertyuiopasdfghjklzxcvbnm")
)
"""What fingers and lips run through, twice over for those who go round."""

_COMMON: Final = (
    "1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx3edc administrator basketball bpazlabbpaz changeme changemenow "
    "changemeplease correcthorse correcthorsebatterystaple defaultpassword football iloveyou "
    "iloveyouforever jupyterhub jupyterlab jupyternotebook letmeinletmein letmeinnow liverpool manchester "
    "mypassword passpasspass passphrase password passwordpassword playstation princess qazwsxedcrfv "
    "qwerty qwertyqwerty secretpassword starwars sunshine superman supersecret testtest testpassword "
    "thisisapassword trustno1 unbelievable verysecret welcome welcomewelcome zaqxswcde"
)
COMMON: Final = frozenset(_COMMON.split())
"""What everybody tries, without what is usually put before and behind."""


def accept(password: str, about: Iterable[str] = (), *, path: str = "body.password") -> None:
    """Sees to it that a new password is not one that is guessed at once.

    Args:
        password: The password.
        about: What is known of the person: email address, name.
        path: The field, for the error.

    Raises:
        InputError: It is too short, too long, or among the first that anybody would try.

    Example:
        >>> accept("a long walk in the rain")
        >>> accept("password123")
        Traceback (most recent call last):
        bpaz_lab.errors.InputError: body.password: this password is among the first that anybody would try
          hint: A few words that do not belong together make a good one.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise InputError(
            f"a password has {SHORTEST} to {LONGEST} characters",
            path=path,
            hint="A few words that do not belong together make a good one.",
        )
    bare = "".join(each for each in unicodedata.normalize("NFKC", password).casefold() if each.isalnum())
    core = bare.strip("0123456789")
    known = {"".join(each for each in word.casefold() if each.isalnum())
             for told in about for word in (told, told.partition("@")[0])}  # fmt: skip
    if (
        len(set(password)) < VARIETY
        or {bare, core} & (COMMON | known - {""})
        or any(bare and (bare in run or bare in run[::-1]) for run in _RUNS)
    ):
        raise InputError(
            "this password is among the first that anybody would try",
            path=path,
            hint="A few words that do not belong together make a good one.",
        )


class Passwords:
    """Hashes and checks passwords, in threads of its own.

    Args:
        pepper: The key of the HMAC; with another one, no password is right any more.
        cost: The cost of bcrypt: a step more doubles the work. OWASP says at least 10; 12 takes about a
            quarter of a second.
    """

    def __init__(self, pepper: bytes, cost: int = 12) -> None:
        self._pepper = pepper
        self._cost = cost
        # As many at once as there are processors: sign-ins wait for each other, other requests do not.
        self._threads = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="bpaz-passwords")
        # Salt and cost of a hash, and no hash of anything: comparing with it takes as long, and never fits.
        self._nobody = bcrypt.gensalt(cost).decode() + "." * 31

    async def hash(self, password: str) -> str:
        """The hash of a password, to be kept."""
        return (
            await self._run(lambda: bcrypt.hashpw(self._digest(password), bcrypt.gensalt(self._cost)))
        ).decode()

    async def check(self, password: str, hashed: str | None) -> bool:
        """Whether this is the password of that hash; takes as long where there is no hash.

        Args:
            password: What was typed.
            hashed: What is kept; None where there is nobody, or nobody with a password.
        """
        kept = (hashed or self._nobody).encode()
        return await self._run(lambda: bcrypt.checkpw(self._digest(password), kept)) and hashed is not None

    def outdated(self, hashed: str) -> bool:
        """Whether a hash was made at another cost, and should be made again."""
        return hashed.split("$")[2:3] != [f"{self._cost:02}"]

    def _digest(self, password: str) -> bytes:
        text = unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
        return base64.b64encode(hmac.digest(self._pepper, text, "sha384"))

    async def _run(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
