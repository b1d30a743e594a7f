"""The commands ``bpaz resume`` and ``bpaz runs``: durable runs gone on with, listed, looked at, compared."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.cli import finished, objects_of
from bpaz_lab.errors import InputError

if TYPE_CHECKING:
    import argparse

    from bpaz_lab.api.lab.execution import Execution

ENDED: Final = ("completed", "failed", "cancelled")
_UNITS: Final = ("B", "KiB", "MiB", "GiB")


def add(commands: Any) -> None:
    """Adds ``resume`` and ``runs`` to the commands of the command line."""
    resume = commands.add_parser("resume", help="go on with a durable run that failed, was cut off, or asks")
    resume.add_argument("run", nargs="?", default="", metavar="RUN",
                        help="the first characters of its id; the latest that can go on else")  # fmt: skip
    resume.add_argument("-a", "--answer", action="append", default=[], metavar="NODE.FIELD=VALUE",
                        help="the answer to a question, such as letter.approve=true")  # fmt: skip
    resume.add_argument("--workflow", metavar="FILE", help="the workflow to go on with, where it was changed")
    resume.add_argument("--changed", choices=("refuse", "continue"), default="refuse",
                        help="go on although steps changed that have not begun")  # fmt: skip
    resume.add_argument("--repair", action="store_true", help="go on although what is kept is damaged")
    resume.add_argument("--takeover", action="store_true", help="take the run from a process that has it")
    resume.add_argument("--with", dest="modules", action="append", default=[], metavar="MODULE",
                        help="a module whose objects Variable and PythonFunction may name")  # fmt: skip
    resume.add_argument("-q", "--quiet", action="store_true", help="no progress")
    resume.set_defaults(command=_resume)

    runs = commands.add_parser("runs", help="list durable runs as a tree; show, compare or delete some")
    runs.add_argument("-n", "--limit", type=int, default=20, metavar="N", help="how many (20); 0 for all")
    runs.add_argument("--json", action="store_true", help="as JSON")
    runs.set_defaults(command=_list)
    parts = runs.add_subparsers(metavar="[COMMAND]")

    show = parts.add_parser("show", help="tell how a run stands and what it has done")
    show.add_argument("run", metavar="RUN", help="the first characters of its id")
    show.add_argument(
        "step", nargs="?", default="", metavar="STEP", help="just this step: draft, each[2]/clean"
    )
    show.add_argument("--json", action="store_true", help="as JSON")
    show.set_defaults(command=_show)

    diff = parts.add_parser("diff", help="tell what differs between two runs, node by node")
    diff.add_argument("one", metavar="RUN")
    diff.add_argument("other", metavar="RUN")
    diff.set_defaults(command=_diff)

    prune = parts.add_parser("prune", help="delete runs that ended long ago, with all they have")
    prune.add_argument("--days", type=_days, default=90, metavar="N", help="those that ended before (90)")
    prune.add_argument("--yes", action="store_true", help="do not ask")
    prune.set_defaults(command=_prune)


def _resume(parsed: argparse.Namespace) -> int:
    from bpaz_lab.api.runs.resuming import resumed
    from bpaz_lab.api.workflow import Workflow
    from bpaz_lab.cli_answers import answers

    told, objects = answers(parsed.answer), objects_of(parsed.modules)
    run = resumed(
        parsed.run,
        workflow=Workflow.load(parsed.workflow) if parsed.workflow else None,
        changed=parsed.changed,
        repair=parsed.repair,
        takeover=parsed.takeover,
        objects=objects,
    )
    run.start()
    return finished(run, run.origin.workflow, told, quiet=parsed.quiet)


def _list(parsed: argparse.Namespace) -> int:
    tree = _executions().tree(limit=parsed.limit or None)
    if parsed.json:
        print(json.dumps([dict(each) for each in tree], indent=2, ensure_ascii=False, default=str))
    elif len(tree):
        print(tree)
    else:
        print("no runs are kept here", file=sys.stderr)
    return 0


def _show(parsed: argparse.Namespace) -> int:
    execution = _executions().get(parsed.run)
    if parsed.step:
        print(execution.at(parsed.step))
        return 0
    if parsed.json:
        told = {**execution.record, "steps": execution.steps()}
        print(json.dumps(told, indent=2, ensure_ascii=False, default=str))
        return 0
    print(*_head(execution), sep="\n")
    rows = [
        (each.address, each.state, each.effect, _size(each.size), f"{each.seconds or 0:.2f}")
        for each in execution.steps()
    ]
    if rows:
        heads = ("step", "state", "effect", "size", "seconds")
        widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
        print()
        for row in (heads, *rows):
            left = [f"{cell:<{n}}" for cell, n in zip(row[:3], widths[:3], strict=True)]
            right = [f"{cell:>{n}}" for cell, n in zip(row[3:], widths[3:], strict=True)]
            print("  ".join([*left, *right]).rstrip())
    return 0


def _diff(parsed: argparse.Namespace) -> int:
    found = _executions().diff(parsed.one, parsed.other)
    print(found)
    return int(bool(found))


def _prune(parsed: argparse.Namespace) -> int:
    executions = _executions()
    before = datetime.now(UTC) - timedelta(days=parsed.days)
    old = [
        each
        for each in executions
        if each.status in ENDED and each.completed_at and each.completed_at < before
    ]
    many = f"{len(old)} run{'s' * (len(old) != 1)} that ended more than {parsed.days} days ago"
    if old and not parsed.yes:
        if not sys.stdin.isatty():
            raise InputError(f"there are {many}", hint="Delete them with --yes.")
        print(f"Delete {many}? (y/n) ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            return 1
    for each in old:
        executions.delete(each.id)
    print(f"deleted {many}")
    return 0


def _head(execution: Execution) -> list[str]:
    """How a run stands, a line each."""
    from bpaz_lab.api.lab.table import text
    from bpaz_lab.api.lab.tree import SHORT

    record, short = execution.record, execution.id[:SHORT]
    lines = [f"{execution.name}: {execution.status}", f"  id        {execution.id}"]
    lines.append(f"  begun     {text(record.started_at or record.created_at)}")
    if record.completed_at:
        lines.append(f"  ended     {text(record.completed_at)}")
    if record.get("parent_id"):
        lines.append(f"  forked    from {str(record.parent_id)[:SHORT]} at {record.forked_at}")
    for address, question in execution.questions.items():
        fields = " ".join(
            f"--answer {address}.{each['name']}=..." for each in question["form"] if each["required"]
        )
        lines += [f"  asks      {address}: {question['text']}", f"            bpaz resume {short} {fields}"]
    if execution.error is not None:
        lines.append(f"  error     {execution.error.message}")
        lines += [f"            {execution.error.hint}"] if execution.error.hint else []
    lines += [f"  in doubt  {address}" for address in record.get("in_doubt") or ()]
    if execution.output is not None:
        lines.append(f"  output    {text(execution.output)}")
    if record.get("resumable") and not execution.questions:
        lines.append(f"  goes on   bpaz resume {short}")
    return lines


def _size(size: int) -> str:
    number, unit = float(size), 0
    while number >= 1024 and unit < len(_UNITS) - 1:
        number, unit = number / 1024, unit + 1
    return f"{number:.0f} {_UNITS[unit]}" if not unit else f"{number:.1f} {_UNITS[unit]}"


def _executions() -> Any:
    from bpaz_lab.api.lab.lab import connect

    return connect().executions


def _days(told: str) -> int:
    number = int(told)
    if number < 0:
        raise ValueError
    return number
