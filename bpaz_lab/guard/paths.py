"""The path jail: files are opened inside the allowed folders or not at all.

A path is judged by where it really leads, after ``..`` and symbolic links. ``open`` walks from
the allowed folder to the file without following links, so that a link swapped in between the
check and the opening leads nowhere (on systems that can open relative to a folder).

Example:
    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.txt").write_text("hello")
    >>> jail = Jail([folder])
    >>> jail.glob("*.txt")
    [PosixPath('a.txt')]
    >>> with jail.open("a.txt") as file:
    ...     file.read()
    'hello'
    >>> jail.resolve("../etc/passwd")
    Traceback (most recent call last):
    bpaz_lab.errors.FileRefused: ../etc/passwd: the path leads out of the allowed folders
      hint: ...
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from bpaz_lab.errors import FileRefused

if TYPE_CHECKING:
    from collections.abc import Iterable

SYSTEM_FOLDERS: Final = tuple(map(Path, ("/proc", "/dev", "/sys", "/run/secrets")))
KEY_FOLDERS: Final = frozenset({".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".netrc", ".pgpass"})
"""Names in a home folder that hold keys and nothing a workflow reads."""


class Jail:
    """The folders that files may be opened in.

    Args:
        roots: The allowed folders; relative paths and patterns start from the first.

    Raises:
        ValueError: There is no folder.
    """

    def __init__(self, roots: Iterable[str | Path]) -> None:
        self.roots = tuple(Path(root).expanduser().resolve() for root in roots)
        if not self.roots:
            raise ValueError("a jail needs at least one folder")

    @classmethod
    def user(cls) -> Jail:
        """The jail of somebody at their own machine: the current folder and the home folder.

        What the user wrote is allowed there, except folders that hold keys (``KEY_FOLDERS``).
        """
        return cls([Path.cwd(), Path.home()])

    def resolve(self, path: str | Path) -> Path:
        """Where a path really leads; the file need not exist.

        A leading ``~`` is the home folder.

        Raises:
            FileRefused: It leads out of the allowed folders, or to a device, a pipe or a socket.
        """
        real = self._real(path)
        try:
            mode = real.lstat().st_mode
        except FileNotFoundError:
            return real
        except OSError as fault:
            raise FileRefused(
                f"the file cannot be looked at: {fault.strerror}", hint="Check the path.", path=str(path)
            ) from None
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise _no_file(path)
        return real

    def glob(self, pattern: str) -> list[Path]:
        """The files that a pattern names, sorted, relative to the first folder where they lie in it.

        ``*`` and ``**`` do not enter hidden folders or symbolic links to folders, and files that
        the jail refuses are left out.

        Raises:
            FileRefused: The pattern itself leads out of the allowed folders.
        """
        parts = Path(_text(pattern)).parts
        fixed = next((i for i, part in enumerate(parts) if set(part) & set("*?[")), len(parts))
        if ".." in parts[fixed:]:
            raise FileRefused("'..' stands behind a wildcard", hint="Name the folder itself.", path=pattern)
        base = self.resolve(Path(*parts[:fixed]))
        rest = parts[fixed:]
        try:
            found = list(base.glob(str(Path(*rest)))) if rest else [base]
        except ValueError as fault:
            raise FileRefused(
                f"this is not a pattern: {fault}", hint="Write ** between slashes.", path=pattern
            ) from None
        hidden = any(part.startswith(".") for part in rest)
        files = []
        for path in found:
            if not hidden and any(part.startswith(".") for part in path.relative_to(base).parts):
                continue
            try:
                real = self.resolve(path)
            except FileRefused:
                continue
            if real.is_file():
                files.append(path.relative_to(self.roots[0]) if path.is_relative_to(self.roots[0]) else path)
        return sorted(files)

    def open(self, path: str | Path, mode: str = "r", *, encoding: str | None = None) -> IO[Any]:
        """Open a regular file, as the built-in ``open`` does; text is UTF-8 unless said otherwise.

        Raises:
            FileRefused: The path is refused, or does not name a regular file.
            OSError: The system refuses, for instance because the file does not exist.
        """
        real = self.resolve(path)

        def opener(_: str, flags: int) -> int:
            return self._open(real, flags, path)

        if "b" not in mode and encoding is None:
            encoding = "utf-8"
        return open(real, mode, encoding=encoding, opener=opener)

    def _open(self, real: Path, flags: int, path: str | Path) -> int:
        # O_NONBLOCK: a pipe put in the file's place must not hang; truncate only what was checked.
        safe = (flags & ~os.O_TRUNC) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        try:
            descriptor = self._walk(real, safe)
        except OSError as fault:
            if fault.errno in (errno.ELOOP, errno.ENOTDIR):
                raise FileRefused(
                    "the path was changed while it was opened", hint="Try again.", path=str(path)
                ) from None
            raise
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise _no_file(path)
        if flags & os.O_TRUNC:
            os.ftruncate(descriptor, 0)
        return descriptor

    def _walk(self, real: Path, flags: int) -> int:
        """Open a resolved path from its root on, never following a link."""
        if os.open not in os.supports_dir_fd:
            return os.open(real, flags, 0o666)
        root = next(root for root in self.roots if real.is_relative_to(root))
        folder_flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
        folder = os.open(root, folder_flags)
        try:
            *folders, name = real.relative_to(root).parts or (".",)
            for part in folders:
                inner = os.open(part, folder_flags | os.O_NOFOLLOW, dir_fd=folder)
                os.close(folder)
                folder = inner
            return os.open(name, flags, 0o666, dir_fd=folder)
        finally:
            os.close(folder)

    def _real(self, path: str | Path) -> Path:
        try:
            written = Path(_text(path)).expanduser()
            real = (self.roots[0] / written).resolve()
        except (OSError, RuntimeError) as fault:
            raise FileRefused(
                f"the path leads nowhere: {fault}", hint="Check it for a loop of links.", path=str(path)
            ) from None
        spelled = Path(os.path.normpath(self.roots[0] / written))
        for place in (real, spelled):
            if any(place.is_relative_to(folder) for folder in SYSTEM_FOLDERS):
                raise FileRefused(
                    "the path leads to the system's own files", hint="Choose a file of data.", path=str(path)
                )
        root = next((root for root in self.roots if real.is_relative_to(root)), None)
        if root is None:
            raise FileRefused(
                "the path leads out of the allowed folders",
                hint=f"Move the file into one of them: {', '.join(map(str, self.roots))}.",
                path=str(path),
            )
        if KEY_FOLDERS.intersection(real.relative_to(root).parts):
            raise FileRefused(
                "the path leads to a folder of keys", hint="Choose a file of data.", path=str(path)
            )
        return real


def _text(path: str | Path) -> str:
    text = os.fspath(path)
    if "\0" in text:
        raise FileRefused("the path holds a NUL character", hint="Remove it.", path=text.replace("\0", "\\0"))
    return text


def _no_file(path: str | Path) -> FileRefused:
    return FileRefused("the path does not name a regular file", hint="Choose a file of data.", path=str(path))
