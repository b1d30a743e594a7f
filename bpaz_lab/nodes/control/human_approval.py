"""A person decides how it goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from bpaz_lab.graph.spec import FieldSpec
from bpaz_lab.nodes.base import Node, outputs
from bpaz_lab.nodes.context import APPROVE, Context
from bpaz_lab.nodes.form import title_of
from bpaz_lab.nodes.script import in_script
from bpaz_lab.nodes.types import Form, Identifier, Port

VALUE, COMMENT = "value", "comment"


class AnswerField(BaseModel):
    """One more field that the person fills in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Identifier
    kind: Literal["text", "multiline", "integer", "number", "boolean", "choice"] = "text"
    choices: tuple[str, ...] = ()
    required: bool = False
    help: str = ""


class HumanApproval(Node):
    """Asks a person, and the run pauses until the answer is there.

    Everything that does not hang on the answer is done first; then the run waits with the status `paused`.
    The canvas shows the question with its form; in a cell `run.questions` has it, and `run.resume()` answers.
    What is approved goes on at `approved`, edited if you allow that; else the value goes on at `rejected`.
    `answer` has all that the person filled in.

    ```python
    ask = wf.add("HumanApproval", question="Send this letter?", edit=True)
    draft >> ask
    wf.connect(ask["approved"], send["text"])
    run = wf.run()
    run.resume(approve=True, value="Dear reader ...")
    ```
    """

    boundary = True

    question: Annotated[str, Form(kind="multiline")] = Field(
        "May this go on?", min_length=1, description="What the person is asked."
    )
    edit: bool = Field(False, description="Whether the person may change the value; a text stays a text.")
    fields: list[AnswerField] = Field(
        default=[], description="More fields of the answer: a list of {name, kind, choices, required, help}."
    )

    @outputs(main="approved", approved="any", rejected="any", answer="data")
    async def ask(
        self, context: Context, value: Annotated[Any, Port("any", help="What the question is about.")]
    ) -> dict[str, Any]:
        """The value, by the way that the person chose.

        Raises:
            Paused: There is no answer yet.
        """
        answer = await context.ask(self.question, value, self._form(value))
        way = "approved" if answer["approve"] else "rejected"
        return {way: answer.get(VALUE, value), "answer": answer}

    def _form(self, value: Any) -> tuple[FieldSpec, ...]:
        form = [APPROVE]
        if self.edit:
            kind: Any = "multiline" if isinstance(value, str) else "json"
            form.append(FieldSpec(name=VALUE, title="Value", kind=kind, help="The value, changed."))
        form.append(FieldSpec(name=COMMENT, title="Comment", kind="multiline", help="Why, if you like."))
        form += [
            FieldSpec(
                name=field.name,
                title=title_of(field.name),
                kind=field.kind,
                choices=field.choices,
                required=field.required,
                help=field.help,
            )
            for field in self.fields
        ]
        return tuple(form)


@in_script(HumanApproval, branches=True)
def human_approval(
    value: Any,
    question: str = "May this go on?",
    edit: bool = False,
    fields: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """The value, by the way that the person at the keyboard chooses."""
    import json

    print(f"{question}\n\n{value}\n")  # noqa: T201 (a script talks to the person who runs it)
    answer: dict[str, Any] = {"approve": input("approve [y/n]: ").strip().lower() in ("y", "yes")}
    if edit and (changed := input("value (empty: as it is): ")):
        answer["value"] = changed if isinstance(value, str) else json.loads(changed)
    if comment := input("comment: "):
        answer["comment"] = comment
    for field in fields:
        if filled := input(f"{field['name']}: "):
            kind = field.get("kind", "text")
            answer[field["name"]] = json.loads(filled) if kind in ("integer", "number", "boolean") else filled
    way = "approved" if answer["approve"] else "rejected"
    return {way: answer.get("value", value), "answer": answer}
