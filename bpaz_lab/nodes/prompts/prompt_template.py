"""A text with places that other nodes fill."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import AfterValidator, Field

from bpaz_lab.graph.spec import Ports, PortSpec
from bpaz_lab.nodes.base import Node, outputs
from bpaz_lab.nodes.convert import data_to_text
from bpaz_lab.nodes.form import title_of
from bpaz_lab.nodes.script import in_script
from bpaz_lab.nodes.types import Multiline, setting_fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_BRACES: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_DEFAULT: Final = """\
Answer the question with the help of the context.

Context:
{context}

Question: {question}"""


def _checked(template: str) -> str:
    for match in _BRACES.finditer(template):
        name = match.group(1)
        if match.group() in ("{{", "}}") or (name is not None and name.isidentifier()):
            continue
        before = template[: match.start()]
        where = f"line {before.count(chr(10)) + 1}, column {match.start() - before.rfind(chr(10))}"
        raise setting_fault(
            f"{where}: {match.group()!r} has no partner"
            if name is None
            else f"{where}: {match.group()!r} is not the name of a variable",
            "A variable is {name}; write {{ and }} for braces that stay.",
        )
    return template


def _variables(template: str) -> Iterator[str]:
    for match in _BRACES.finditer(template):
        if (name := match.group(1)) and name.isidentifier():
            yield name


class PromptTemplate(Node):
    """A text with variables in braces, each of which is an input.

    Write `{question}` where the question belongs, and the node has an input *question*. Only plain
    names stand in braces: no formats, no attributes, no code, so that what comes over a wire can never
    do more than fill its place. Write `{{` and `}}` for braces that stay. Documents come as their
    texts, data as JSON.

    ```python
    prompt = wf.add("PromptTemplate", template="Say it in one line: {text}")
    ```
    """

    inline = True

    template: Annotated[Multiline, AfterValidator(_checked)] = Field(
        default=_DEFAULT, description="The text; a name in braces, such as {question}, is an input."
    )

    @classmethod
    def ports(cls, settings: Mapping[str, Any]) -> Ports:
        """An input for each variable, in the order of the text."""
        names = tuple(dict.fromkeys(_variables(str(settings.get("template", "")))))
        filled = PortSpec(
            name="text", tag="text", title="Text", help="The text, filled.", main=True, needs=names
        )
        return Ports(
            inputs=tuple(
                PortSpec(
                    name=name,
                    tag="text",
                    title=title_of(name),
                    help=f"What stands for {{{name}}}.",
                    required=True,
                )
                for name in names
            ),
            outputs=(filled,),
        )

    @outputs()
    def fill(self, /, **values: Any) -> dict[str, Any]:
        """The text with its variables filled, each once: what fills a place is not looked through."""

        def piece(match: re.Match[str]) -> str:
            name = match.group(1)
            return match.group()[0] if name is None else data_to_text(values[name])

        return {"text": _BRACES.sub(piece, self.template)}


@in_script(PromptTemplate)
def prompt_template(template: str = _DEFAULT, **values: Any) -> dict[str, Any]:
    """The text with its variables filled, each once: what fills a place is not looked through."""

    def piece(match: re.Match[str]) -> str:
        name = match.group(1)
        return match.group()[0] if name is None else data_to_text(values[name])

    return {"text": _BRACES.sub(piece, template)}
