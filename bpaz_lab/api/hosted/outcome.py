"""How a run ended, as JSON that a server takes: values are kept where they are JSON and small enough.

Example:
    >>> from bpaz_lab.guard.mask import Masker
    >>> as_value([1, 2], Masker(), 1000)
    ([1, 2], 5)
    >>> as_value(object(), Masker(), 1000)[0]["why"]
    'it is no JSON'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.engine.events import Failure, RunFinished, as_json
from bpaz_lab.engine.preview import preview
from bpaz_lab.errors import JsonError
from bpaz_lab.guard import strict_json
from bpaz_lab.guard.emit import Bounds, emit

if TYPE_CHECKING:
    from bpaz_lab.engine.run import Run
    from bpaz_lab.errors import BpazError
    from bpaz_lab.guard.mask import Masker

LONGEST: Final = 200 * 2**10
"""Bytes of one value; a server takes strings of 256 KiB."""
LONGEST_TOKEN: Final = 2**16
_WHOLE: Final = Bounds(text=LONGEST, items=LONGEST, depth=strict_json.MAX_DEPTH - 8)


def ended(run: Run, event: dict[str, Any], room: int) -> dict[str, Any]:
    """The outcome of a run that has ended.

    Args:
        run: The run.
        event: Its ``run.finished``.
        room: Bytes that all values may take together.
    """
    output, size = as_value(run.output, run.masker, room)
    outputs: dict[str, Any] = {}
    for number, (port, value) in enumerate(run.outputs.items()):
        if size > room:
            outputs["…"] = f"{len(run.outputs) - number:,} more"
            break
        outputs[port], taken = as_value(value, run.masker, room - size)
        size += taken + len(port)
    return {
        "status": event["status"],
        "output": output,
        "outputs": outputs,
        "error": event["error"],
        "usage": event["usage"],
    }


def waiting(questions: dict[str, Any]) -> dict[str, Any]:
    """The outcome of a run that waits for a person."""
    return {"status": "paused", "questions": questions}


def refused(error: BpazError, seq: int = 0) -> dict[str, Any]:
    """What is told of an execution that never began, or that is not told about any more.

    Args:
        error: Why.
        seq: The number of its last event.
    """
    failure = Failure(**error.to_dict())
    finished = as_json(RunFinished(seq=seq, time=0.0, status="failed", duration=0.0, error=failure))
    return {"events": [finished], "outcome": {"status": "failed", "error": finished["error"]}}


def fitting(event: dict[str, Any]) -> dict[str, Any]:
    """An event that a server takes: a very long token is cut, and the value of a question left out."""
    if event["type"] == "token" and len(event["text"]) > LONGEST_TOKEN:
        return {**event, "text": event["text"][:LONGEST_TOKEN] + "…"}
    if event["type"] == "node.asked" and len(strict_json.compact(event["question"])) > LONGEST:
        return {**event, "question": {**event["question"], "data": None}}
    return event


def as_value(value: Any, masker: Masker, room: int) -> tuple[Any, int]:
    """A value as JSON without secrets, else a look at it; and the bytes that it takes.

    Args:
        value: Anything.
        masker: The secrets of the run.
        room: Bytes that it may take.
    """
    try:
        size = len(strict_json.compact(value).encode())
        why = "" if size <= min(room, LONGEST) else f"it has {size:,} bytes as JSON, more than is kept"
    except (JsonError, RecursionError):
        why = "it is no JSON"
    if not why:
        return emit(value, masker, bounds=_WHOLE), size
    seen = preview(value, masker)
    told = emit({"type": seen.type, "text": seen.text, "why": why}, masker)
    return told, len(strict_json.compact(told))
