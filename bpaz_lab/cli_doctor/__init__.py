"""The command ``bpaz doctor``: what is wrong with an installation, and what to do about each thing.

It looks and changes nothing: no folder, no table and no key is made. It shows no secret.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.cli_doctor import installed, kept, reached
from bpaz_lab.cli_doctor.check import Check
from bpaz_lab.errors import BpazError
from bpaz_lab.settings import Settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping

    from bpaz_lab.cli_doctor.check import State

MARKS: Final[Mapping[State, str]] = {"ok": "✓", "warning": "!", "fault": "✗"}
COLORS: Final[Mapping[State, str]] = {"ok": "32", "warning": "33", "fault": "31"}


def add(commands: Any) -> None:
    """Adds ``doctor`` to the commands of the command line."""
    doctor = commands.add_parser("doctor", help="say what is wrong with this installation")
    doctor.add_argument("--json", action="store_true", help="as JSON")
    doctor.set_defaults(command=_doctor)


def _doctor(parsed: argparse.Namespace) -> int:
    found = list(checks())
    if parsed.json:
        text = json.dumps([asdict(each) for each in found], indent=2, ensure_ascii=False)
    else:
        text = drawn(found, colors=sys.stdout.isatty())
    sys.stdout.write(text + "\n")
    return 1 if any(each.state == "fault" for each in found) else 0


def checks(environ: Mapping[str, str] | None = None) -> Iterator[Check]:
    """All that can be looked at, in the order in which one thing needs another."""
    environ = os.environ if environ is None else environ
    yield from installed.looks()
    try:
        settings = Settings.read(environ)
    except BpazError as error:
        yield Check("settings", "fault", error.message, error.hint)
        return
    yield from kept.looks(settings)
    yield from reached.looks(settings, environ)


def drawn(found: list[Check], *, colors: bool = False) -> str:
    """The checks as text: a line each, and below it what to do."""
    width = max(len(each.name) for each in found)
    lines = []
    for each in found:
        mark = f"\x1b[{COLORS[each.state]}m{MARKS[each.state]}\x1b[0m" if colors else MARKS[each.state]
        lines.append(f"{mark} {each.name:<{width}}  {each.said}")
        if each.hint:
            lines.append(f"  {'':<{width}}  → {each.hint}")
    count = {state: sum(each.state == state for each in found) for state in ("fault", "warning")}
    said = ", ".join(f"{number} {state}{'s' * (number != 1)}" for state, number in count.items() if number)
    return "\n".join([*lines, "", said or "all is well"])
