"""What people answer to the questions of a run, checked against the form of each question.

Example:
    >>> from bpaz_lab.nodes.context import APPROVE, Question
    >>> checked({"ask": Question("Send it?", (APPROVE,))}, {"approve": True})
    {'ask': {'approve': True}}
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpaz_lab.errors import InputError
from bpaz_lab.graph.address import path_of
from bpaz_lab.guard.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bpaz_lab.graph.spec import FieldSpec
    from bpaz_lab.nodes.context import Question

_KINDS: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "multiline": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "list": (list, tuple),
    "object": (dict,),
}


def checked(questions: Mapping[str, Question], answers: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The answers by address, defaults filled in.

    Args:
        questions: What is asked, by address.
        answers: By address; or the fields of the answer where one question is asked.

    Raises:
        InputError: An address or a field is unknown, or a value does not fit.
    """
    if len(questions) == 1 and not any(isinstance(answers.get(address), dict) for address in questions):
        answers = {next(iter(questions)): answers}
    found = {}
    for address, answer in answers.items():
        if address not in questions:
            hint = closest(address, questions) or f"Answer by address: {', '.join(questions)}."
            raise InputError(f"nobody asked for {address!r}", hint=hint)
        found[address] = _answer(address, questions[address].form, answer)
    if not found:
        raise InputError("there is no answer", hint=f"Answer by address: {', '.join(questions)}.")
    return found


def _answer(address: str, form: tuple[FieldSpec, ...], told: Any) -> dict[str, Any]:
    path = path_of(address)
    fields = {field.name: field for field in form}
    if not isinstance(told, dict):
        raise InputError(
            f"an answer is a dict, not {told!r}"[:200],
            path=path,
            hint=f"Its fields are: {', '.join(fields)}.",
        )
    if unknown := [name for name in told if name not in fields]:
        hint = closest(unknown[0], fields) or f"Its fields are: {', '.join(fields)}."
        raise InputError(f"the question has no field {unknown[0]!r}", path=path, hint=hint)
    answer = {}
    for name, field in fields.items():
        if name in told:
            answer[name] = _value(field, told[name], f"{path}.{name}")
        elif field.required:
            raise InputError(f"the answer lacks {name!r}", path=path, hint=field.help or "Give it.")
        elif field.default is not None:
            answer[name] = field.default
    return answer


def _value(field: FieldSpec, value: Any, path: str) -> Any:
    kinds = _KINDS.get(field.kind)
    wrong = kinds is not None and not isinstance(value, kinds)
    if isinstance(value, bool) and field.kind in ("integer", "number"):
        wrong = True
    if wrong or (field.choices and value not in field.choices):
        wanted = f"one of {', '.join(map(str, field.choices))}" if field.choices else f"a {field.kind}"
        raise InputError(f"{field.name} is {wanted}, not {value!r}"[:300], path=path, hint=field.help)
    low, high = field.minimum, field.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        raise InputError(f"{field.name} must lie between {low} and {high}, not {value!r}", path=path)
    return value
