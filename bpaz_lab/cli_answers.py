"""The questions of a run on the command line: answered by options, else by whoever sits there."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from bpaz_lab.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bpaz_lab.graph.spec import FieldSpec
    from bpaz_lab.nodes.context import Question

YES, NO = ("y", "yes", "true"), ("n", "no", "false")


def answers(told: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The answers of ``--answer NODE.FIELD=VALUE``, by address.

    Raises:
        InputError: One is not written like this.

    Example:
        >>> answers(["letter.approve=true", "letter.comment=fine"])
        {'letter': {'approve': True, 'comment': 'fine'}}
    """
    found: dict[str, dict[str, Any]] = {}
    for each in told:
        place, equals, value = each.partition("=")
        address, dot, name = place.rpartition(".")
        if not (equals and dot and address and name):
            raise InputError(f"{each!r} is no answer", hint="Write --answer NODE.FIELD=VALUE.")
        found.setdefault(address, {})[name] = _json(value)
    return found


def answered(questions: Mapping[str, Question], told: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Answers to some of the questions: those that were given, else what somebody types.

    Args:
        questions: What is asked, by address.
        told: What was given; an answer that is used is taken out.

    Raises:
        InputError: Nobody is there to type.
    """
    given = {address: told.pop(address) for address in questions if address in told}
    if given:
        return given
    if not sys.stdin.isatty():
        address, question = next(iter(questions.items()))
        raise InputError(f"{address} asks: {question.text}", hint=f"Answer with {asking(address, question)}")
    return {address: _typed(address, question) for address, question in questions.items()}


def asking(address: str, question: Question) -> str:
    """The options that answer a question, for somebody to fill in."""
    return " ".join(f"--answer {address}.{field.name}=..." for field in question.form if field.required)


def _typed(address: str, question: Question) -> dict[str, Any]:
    print(f"\n{address} asks: {question.text}", file=sys.stderr)
    if question.value is not None:
        print(question.value, file=sys.stderr)
    return {
        field.name: value for field in question.form if (value := _field(field, question.value)) is not None
    }


def _field(field: FieldSpec, value: Any) -> Any:
    """What somebody types for a field; None where it stays empty."""
    while True:
        print(f"  {_label(field, value)}: ", end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line:
            raise InputError("nobody answered", hint="Use --answer NODE.FIELD=VALUE.")
        text = line.strip()
        if not text and not field.required:
            return None
        if field.kind == "boolean" and text.lower() in (*YES, *NO):
            return text.lower() in YES
        if field.kind in ("text", "multiline") and text:
            return text
        if field.kind == "choice" and text in map(str, field.choices):
            return next(choice for choice in field.choices if str(choice) == text)
        if field.kind in ("integer", "number", "json", "list", "object") and text:
            return _json(text)


def _label(field: FieldSpec, value: Any) -> str:
    if field.kind == "boolean":
        return f"{field.title} (y/n)"
    if field.choices:
        return f"{field.title} ({', '.join(map(str, field.choices))})"
    return f"{field.title} (empty for none)" if not field.required or value is None else field.title


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
