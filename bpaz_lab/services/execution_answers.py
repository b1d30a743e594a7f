"""What people answer to a paused execution: checked, handed on, and kept for a kernel that comes later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.engine.answers import checked
from bpaz_lab.errors import Conflict, InputError
from bpaz_lab.graph.spec import FieldSpec
from bpaz_lab.nodes.context import Question
from bpaz_lab.services.execution_views import view

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bpaz_lab.store.tables import WorkflowExecution

_KEPT: Final = "answers"
"""Where they are in the execution's options."""


def answer(row: WorkflowExecution, answers: Mapping[str, Any]) -> None:
    """Notes what a person answers; the row is to be held by the transaction.

    Args:
        row: A paused execution.
        answers: By the address of the node that asks; the fields alone where one asks.

    Raises:
        Conflict: It waits for no answer.
        InputError: An answer does not fit its question; the execution waits on.
    """
    if row.status != "paused" or not row.questions:
        raise Conflict(
            f"the execution waits for no answer: it is {row.status}",
            hint="Its `questions` say what it asks while it is paused.",
            current=view(row).model_dump(mode="json"),
        )
    told = checked({name: _question(each) for name, each in row.questions.items()}, answers)
    row.questions = {
        name: {**each, "answer": told[name]} if name in told else each for name, each in row.questions.items()
    }
    kept = answers_so_far(row)
    keep(row, {name: [*kept.get(name, ()), each] for name, each in told.items()})


def keep(row: WorkflowExecution, answers: Mapping[str, list[dict[str, Any]]]) -> None:
    """Keeps all that was answered at these addresses, for a kernel that goes on with the execution."""
    if answers:
        row.options = {**(row.options or {}), _KEPT: {**answers_so_far(row), **answers}}


def answers_so_far(row: WorkflowExecution) -> dict[str, list[dict[str, Any]]]:
    """What was answered until now, by address, in the order of the questions."""
    return {name: list(told) for name, told in ((row.options or {}).get(_KEPT) or {}).items()}


def heard(row: WorkflowExecution) -> dict[str, Any]:
    """The answers that the kernel of an execution has not acted on yet, by address."""
    if row.status != "running":
        return {}
    return {name: each["answer"] for name, each in (row.questions or {}).items() if "answer" in each}


def _question(told: dict[str, Any]) -> Question:
    try:
        form = tuple(FieldSpec.model_validate(field) for field in told["form"])
    except (KeyError, ValueError):
        raise InputError("the question cannot be read", hint="Cancel the execution.") from None
    return Question(str(told.get("text", "")), form)
