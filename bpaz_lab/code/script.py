"""A workflow as a script that runs without bpaz_lab: plain functions of LangChain, called in order.

Each node becomes a call of the function that its type offers (``nodes/script.py``). The functions are copied
as they stand, and the settings are literals in the calls, so nothing of a document becomes code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.code.about import Parameter, one_line
from bpaz_lab.code.condition import compiled
from bpaz_lab.code.pretty import Call, Expression, Items, Text, literal, quoted, statement
from bpaz_lab.code.shake import Shaken
from bpaz_lab.code.steps import BodyWriter
from bpaz_lab.errors import DocumentError, ScriptError
from bpaz_lab.graph.check import check, ports_of
from bpaz_lab.graph.document import normal
from bpaz_lab.guard.credentials import provider_of
from bpaz_lab.nodes.script import Piece, piece_of

if TYPE_CHECKING:
    from bpaz_lab.graph.document import Body, Document
    from bpaz_lab.nodes.catalogue import Catalogue

_STANDING: Final = "bpaz_lab.nodes.standing"
_INDENT: Final = "    "


def to_script(document: Document, types: Catalogue) -> str:
    """The script.

    Args:
        document: The workflow, without problems.
        types: The node types.

    Raises:
        ScriptError: A node cannot be in a script: one made in a notebook, or one that its package gives no
            function for; ``problems`` names all.
        DocumentError: The workflow has problems.
    """
    document = normal(document)
    if problems := check(document, types):
        raise DocumentError.of(problems)
    if faults := _unscripted(document, types, ""):
        raise faults[0] if len(faults) == 1 else DocumentError.of(faults)
    return _Writer(document, types).text()


def _unscripted(body: Body, types: Catalogue, within: str) -> list[DocumentError]:
    faults: list[DocumentError] = []
    for id, entry in body["nodes"].items():
        cls, path = types.find(entry["type"]), f"{within}nodes.{id}"
        plain = cls.collects or any(port.source == "run" for port in ports_of(body, id, types).inputs)
        main = ports_of(body, id, types).main
        piece = piece_of(cls, main.name if main else "", entry["settings"])
        if not plain and (piece is None or cls.package == "cell"):
            why = "it is made in a notebook" if cls.package == "cell" else "its type offers no plain function"
            faults.append(
                ScriptError(
                    f"{id} ({entry['type']}) cannot be in a script: {why}",
                    path=path,
                    hint="Take it out, or run the workflow with: bpaz run --with MODULE",
                )
            )
        inner = types.body(entry)
        if inner is not None:
            faults += _unscripted(inner, types, f"{path}.body.")
    return faults


class _Writer:
    """Writes one script."""

    def __init__(self, document: Document, types: Catalogue) -> None:
        self.document = document
        self.types = types
        self.shaken = Shaken("argparse", "json")
        for name in ("main", "workflow"):
            self.shaken.reserve(name)
        self.functions: list[str] = []
        self.packages: dict[str, None] = {}

    def text(self) -> str:
        body = BodyWriter(self, self.document, "workflow")
        made = body.function()
        main = _main(body.parameters)
        imports, pieces = self.shaken.text()
        title = one_line(self.document["name"]).replace("\\", "/").replace('"""', "'''") or "A workflow"
        head = [f'"""{title}', ""]
        if self.packages:
            head += [f"Needs: pip install {' '.join(sorted(self.packages))}", ""]
        head += ["Run it with --help to see its inputs.", '"""', ""]
        return "\n\n\n".join(
            [
                "\n".join([*head, "from __future__ import annotations", "", *imports]),
                *pieces,
                *self.functions,
                made,
                main,
                'if __name__ == "__main__":\n    main()\n',
            ]
        )

    def take(self, name: str, module: str = _STANDING) -> str:
        """A function of the script, by where it comes from."""
        return self.shaken.take(module, name)

    def piece(self, piece: Piece) -> str:
        """The function of a node."""
        self.packages.update(dict.fromkeys(piece.packages))
        return self.shaken.take(piece.function.__module__, piece.function.__name__)

    def value(self, value: Any, expressions: tuple[str, ...], name: str = "") -> Expression:
        """A setting: credentials come from the environment, expressions become functions."""
        if name in expressions and isinstance(value, str) and value:
            return compiled(value, self.shaken)
        if isinstance(value, dict):
            if value.keys() == {"$cred"}:
                known = provider_of(str(value["$cred"]))
                own = f"BPAZ_CREDENTIAL_{str(value['$cred']).upper().replace('-', '_')}"
                return Call(self.take("credential"), [("", Text(known.variable if known else own))])
            return Items(
                "{}",
                [(f"{quoted(key)}: ", self.value(item, expressions, key)) for key, item in value.items()],
            )
        if isinstance(value, list):
            return Items("[]", [("", self.value(item, expressions)) for item in value])
        return literal(value)


def _main(parameters: dict[str, Parameter]) -> str:
    lines = ["def main():", '    """Reads the command line and prints the result."""']
    lines.append("    parser = argparse.ArgumentParser(description=__doc__)")
    for each in parameters.values():
        options: list[tuple[str, Expression]] = [("", Text(f"--{each.name.replace('_', '-')}"))]
        if each.variable != each.name:
            options.append(("dest", Text(each.variable)))
        if each.data:
            options += [("type", "json.loads"), ("help", Text("JSON"))]
        options.append(("default", each.default) if each.default is not None else ("required", "True"))
        lines.append(statement("", Call("parser.add_argument", options), indent=_INDENT))
    return "\n".join(
        [
            *lines,
            "    result = workflow(**vars(parser.parse_args()))",
            "    if not isinstance(result, str):",
            "        result = json.dumps(result, indent=2, ensure_ascii=False, default=str)",
            "    print(result)",
        ]
    )
