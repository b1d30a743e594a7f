"""How the command line looks: progress of a run, the catalogue as a table, one node type explained."""

from __future__ import annotations

import importlib
import json
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.cli_answers import answered, asking
from bpaz_lab.errors import BpazError, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpaz_lab.api.running import Running
    from bpaz_lab.api.runs.run import Run
    from bpaz_lab.graph.spec import NodeSpec
    from bpaz_lab.nodes.catalogue import Catalogue


WAITS: Final = 3
"""The exit code of a durable run that waits for a person."""


class Progress:
    """Shows a run: streamed text on standard output, nodes as they finish on standard error.

    Args:
        run: The run.
        heard: The nodes whose streamed text is shown.
        quiet: Shows the text only.
    """

    def __init__(self, run: Run, heard: set[str], *, quiet: bool = False) -> None:
        self._run = run
        self._heard = heard
        self._quiet = quiet
        self._live = sys.stderr.isatty() and not quiet
        self._done = self._total = 0
        self._running: list[str] = []
        self.streamed = ""

    def show(self, event: Any) -> None:
        """Shows one event."""
        match event.type:
            case "run.started":
                self._total = len(event.nodes)
            case "node.started":
                self._running.append(event.node)
            case "node.finished" | "node.failed" | "node.skipped":
                self._finished(event)
            case "node.retried" if not self._quiet:
                told = f"↻ {event.node} again in {event.wait:.1f} s: {event.error.message}"
                print(told, file=sys.stderr)
            case "token" if event.node in self._heard:
                self._clear()
                self.streamed += event.text
                print(event.text, end="", flush=True)
                return
            case "run.finished":
                self._clear()
                self._finish(event)
                return
            case _:
                return
        self._status()

    def _finished(self, event: Any) -> None:
        self._done += "/" not in event.node
        if event.node in self._running:
            self._running.remove(event.node)
        if "/" in event.node:  # inside of a container, which tells its own end
            return
        took = f"{event.duration:.2f} s" if hasattr(event, "duration") else "skipped"
        if getattr(event, "cached", False):
            took = "kept"
        mark = {"node.finished": "✓", "node.failed": "✗", "node.skipped": "-"}[event.type]
        if not self._quiet and not self._live:
            print(f"{mark} {event.node} ({took})", file=sys.stderr)

    def _status(self) -> None:
        if self._live and not self.streamed:
            line = f"[{self._done}/{self._total}] {', '.join(self._running)}"
            print(
                f"\r\x1b[K{line[: shutil.get_terminal_size().columns - 1]}",
                end="",
                file=sys.stderr,
                flush=True,
            )

    def _clear(self) -> None:
        if self._live and not self.streamed:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def _finish(self, event: Any) -> None:
        if self.streamed and not self.streamed.endswith("\n"):
            print(flush=True)
        if not self._quiet:
            tokens = f", {event.usage.output_tokens} tokens" if event.usage else ""
            print(f"{event.status} in {event.duration:.2f} s{tokens}", file=sys.stderr)


def finished(
    run: Run,
    workflow: Running,
    told: dict[str, dict[str, Any]],
    *,
    target: str | None = None,
    quiet: bool = False,
) -> int:
    """Shows a run that was started until its end, and asks what it asks.

    Args:
        run: The run.
        workflow: The workflow.
        told: Answers by address; those that are used are taken out.
        target: What alone is computed.
        quiet: Shows the output only.

    Returns:
        The exit code.
    """
    progress = Progress(run, heard(workflow, target), quiet=quiet)
    position = run._record.first
    try:
        while True:
            for event in run.stream(position):
                progress.show(event)
                position = event.seq + 1
            run.wait()
            if run.status != "paused":
                break
            if run.held is not None and not told.keys() & run.questions and not sys.stdin.isatty():
                return _waits(run)
            run.answer(answered(run.questions, told))
    except KeyboardInterrupt:
        if run.held is not None:  # it is kept how it ended
            run.abandon()
            run.wait()
        raise
    if run.error is not None:
        complain(run.error)
        if run.held is not None:
            print(f"  It can go on: bpaz resume {run.id[:8]}", file=sys.stderr)
        return 1
    printed(run.output, already=progress.streamed)
    return 0


def _waits(run: Run) -> int:
    for address, question in run.questions.items():
        print(f"{address} asks: {question.text}", file=sys.stderr)
        print(f"  Answer with: bpaz resume {run.id[:8]} {asking(address, question)}", file=sys.stderr)
    return WAITS


def heard(workflow: Running, target: str | None) -> set[str]:
    """The nodes whose stream is the output itself: the ends, and what feeds a collecting end."""
    ends = {target.partition(".")[0]} if target else {end.partition(".")[0] for end in workflow.plan().ends}
    feeding = {source.partition(".")[0] for source, into in workflow.edges if into.partition(".")[0] in ends}
    return ends | feeding


def objects_of(modules: Sequence[str]) -> dict[str, Any]:
    """What the modules of ``--with`` hold, by name.

    Raises:
        InputError: One cannot be imported.
    """
    objects: dict[str, Any] = {}
    sys.path.insert(0, "")
    for name in modules:
        try:
            objects |= vars(importlib.import_module(name))
        except ImportError as error:
            raise InputError(
                f"the module {name!r} cannot be imported: {error}", hint="Check --with."
            ) from None
    return objects


def complain(error: BpazError) -> None:
    """Tells an error on standard error."""
    where = f"{error.path}: " if error.path and error.path not in error.message else ""
    print(f"error: {where}{error.message}", file=sys.stderr)
    if error.hint:
        print(f"  {error.hint}", file=sys.stderr)


def printed(output: Any, *, already: str) -> None:
    """Prints the output of a run, unless its text has been streamed already."""
    if output is None or (isinstance(output, str) and output.strip() == already.strip()):
        return
    if isinstance(output, str):
        print(output)
    elif isinstance(output, dict | list | int | float | bool):
        print(json.dumps(output, indent=2, ensure_ascii=False, default=str))
    else:
        print(output)


def table(catalogue: Catalogue) -> str:
    """The node types by category, a line each."""
    specs = [cls.spec() for cls in catalogue]
    width = max(len(spec.type) for spec in specs)
    room = max(40, shutil.get_terminal_size((100, 24)).columns - width - 4)
    lines = []
    for category in catalogue.categories():
        lines.append(category.title)
        for spec in specs:
            if spec.category == category.name:
                missing = f" [{spec.install}]" if spec.install else ""
                summary = textwrap.shorten(spec.summary + missing, room, placeholder=" …")
                lines.append(f"  {spec.type:<{width}}  {summary}")
        lines.append("")
    return "\n".join(lines).rstrip()


def explain(spec: NodeSpec) -> str:
    """One node type: help, inputs, outputs, settings."""
    lines = [f"{spec.type} (version {spec.version}, {spec.effect})", "", spec.help, ""]
    if spec.install:
        lines += [f"Not usable yet: {spec.install}", ""]
    for title, ports in (("Inputs", spec.ports.inputs), ("Outputs", spec.ports.outputs)):
        rows = [
            f"  {port.name} ({port.tag}){' required' if port.required else ''}  {port.help}" for port in ports
        ]
        lines += [title, *(row.rstrip() for row in rows or ["  none"]), ""]
    rows = [
        f"  {f.name} ({f.kind}, default {json.dumps(f.default, default=str)})  {f.help}" for f in spec.fields
    ]
    lines += ["Settings", *(row.rstrip() for row in rows or ["  none"])]
    return "\n".join(lines)
