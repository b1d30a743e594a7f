"""The commands ``bpaz diff`` and ``bpaz merge``: files compared and merged, also as drivers of git."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.errors import DocumentError, FileRefused
from bpaz_lab.graph.difference import difference
from bpaz_lab.graph.document import dumps, new, parse
from bpaz_lab.graph.merge import merge
from bpaz_lab.guard.strict_json import UNLIMITED

if TYPE_CHECKING:
    import argparse

    from bpaz_lab.graph.difference import Difference
    from bpaz_lab.graph.document import Document

_OF_GIT: Final = 7
"""What git gives an external diff: path, old file, hash, mode, new file, hash, mode; two more at a rename."""
_COLORS: Final = {"+": "\x1b[32m", "-": "\x1b[31m", "~": "\x1b[33m"}


def add(commands: Any) -> None:
    """Adds ``diff`` and ``merge`` to the commands of the command line."""
    diff = commands.add_parser("diff", help="tell what differs between two workflow files")
    diff.add_argument("files", nargs="+", metavar="FILE", help="the older file and the newer one")
    diff.add_argument("--json", action="store_true", help="as JSON")
    diff.set_defaults(command=_diff, parser=diff)

    merging = commands.add_parser("merge", help="merge two workflow files that began as one")
    merging.add_argument("base", metavar="BASE", help="the file that both began with")
    merging.add_argument("ours", metavar="OURS", help="our file; the result goes here")
    merging.add_argument("theirs", metavar="THEIRS", help="the other file")
    merging.add_argument("-o", "--output", metavar="FILE", help="where the result goes instead; - prints it")
    merging.add_argument("--name", default="", help="what messages call the file")
    merging.set_defaults(command=_merge)


def _diff(parsed: argparse.Namespace) -> int:
    files = parsed.files
    by_git = len(files) in (_OF_GIT, _OF_GIT + 2)
    if by_git:
        print(f"bpaz diff {files[0]}")
        files = [files[1], files[4]]
    elif len(files) != 2:
        parsed.parser.error("give two files, the older and the newer one")
    found = difference(*map(_read, files))
    if parsed.json:
        print(json.dumps(found.to_dict(), indent=2, ensure_ascii=False))
    elif found:
        _show(found)
    return int(bool(found) and not by_git)  # git takes another code for a failure


def _merge(parsed: argparse.Namespace) -> int:
    merged = merge(_read(parsed.base), _read(parsed.ours), _read(parsed.theirs), many=_many)
    text = dumps(merged.document)
    if parsed.output == "-":
        print(text, end="")
    else:
        _write(Path(parsed.output or parsed.ours), text)
    where = f"{parsed.name or parsed.ours}: " if merged.conflicts else ""
    for conflict in merged.conflicts:
        print(f"{where}{conflict}", file=sys.stderr)
    if merged.conflicts:
        count = len(merged.conflicts)
        told = f"{count} conflict{'s' * (count != 1)}; the file has ours there and can be opened"
        print(f"{where}{told}", file=sys.stderr)
    return int(bool(merged.conflicts))


def _many(entry: Any, name: str) -> bool:
    """Whether an input takes several wires, as far as its type is installed."""
    from bpaz_lab.nodes.catalogue import catalogue

    ports = catalogue().ports(entry)
    port = ports.input(name) if ports else None
    return port is not None and port.many


def _read(name: str) -> Document:
    """The document in a file; an empty one where git has none."""
    try:
        text = Path(name).read_bytes()
    except OSError as error:
        raise FileRefused(
            f"the file cannot be read: {error.strerror}", path=name, hint="Check the path."
        ) from None
    if not text.strip():
        return new("")
    try:
        return parse(text, limits=UNLIMITED)
    except DocumentError as error:
        raise type(error)(
            f"{name} is no workflow: {error.message}", path=error.path, hint=error.hint
        ) from None


def _write(path: Path, text: str) -> None:
    """Writes a file, all or nothing."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        if path.exists():
            temporary.chmod(path.stat().st_mode)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise FileRefused(f"the file cannot be written: {error.strerror}", path=str(path)) from None


def _show(found: Difference) -> None:
    colored = "NO_COLOR" not in os.environ and (sys.stdout.isatty() or "GIT_PAGER_IN_USE" in os.environ)
    for line in str(found).splitlines():
        color = _COLORS.get(line.strip()[:1], "") if colored else ""
        print(f"{color}{line}\x1b[0m" if color else line)
