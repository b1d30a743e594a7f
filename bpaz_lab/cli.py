"""How the command line looks: progress of a run, the catalogue as a table, one node type explained."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bpaz_lab.engine.run import Run
    from bpaz_lab.graph.spec import NodeSpec
    from bpaz_lab.nodes.catalogue import Catalogue


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
