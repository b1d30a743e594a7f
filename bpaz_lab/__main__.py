"""The command line ``bpaz``, also ``python -m bpaz_lab``; ``bpaz --help`` lists its commands.

Results go to standard output, progress and errors to standard error. The exit code is 0 when all went
well, 1 when a run failed or a file has problems, 2 when the call itself is wrong, 3 when a durable run waits
for a person, 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import bpaz_lab
from bpaz_lab import cli_db, cli_doctor, cli_files, cli_runs, cli_vault
from bpaz_lab.errors import BpazError, DocumentError, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: The words after ``bpaz``; those of the process where None.

    Returns:
        The exit code.
    """
    parsed = _parser().parse_args(arguments)
    try:
        code: int = parsed.command(parsed)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except BpazError as error:
        from bpaz_lab.cli import complain

        complain(error)
        return 1
    return code


def script() -> NoReturn:
    """The command ``bpaz``: one that went wrong does not wait for a blocking node that it left behind."""
    code = main()
    if code:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bpaz", description="LLM workflows on the command line.")
    parser.add_argument("--version", action="version", version=f"bpaz_lab {bpaz_lab.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="run a workflow and stream its output")
    run.add_argument("file", help="a .bpaz file")
    run.add_argument(
        "-i",
        "--input",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an input; a value that is JSON is read as JSON, '@FILE' reads a file",
    )
    run.add_argument("-t", "--target", help="compute just this: NODE or NODE.PORT")
    run.add_argument(
        "--with",
        dest="modules",
        action="append",
        default=[],
        metavar="MODULE",
        help="a module whose objects Variable and PythonFunction may name, and whose nodes count",
    )
    run.add_argument(
        "-a",
        "--answer",
        action="append",
        default=[],
        metavar="NODE.FIELD=VALUE",
        help="the answer to a question of a node, such as letter.approve=true; asked for where none is given",
    )
    run.add_argument(
        "--cache", choices=("disk", "none"), default="none", help="keep results on disk for the next time"
    )
    run.add_argument("--max-tokens", type=int, metavar="N", help="tokens that the run may use")
    run.add_argument("--max-cost", type=float, metavar="DOLLARS", help="dollars that the run may cost")
    run.add_argument("--timeout", type=float, help="seconds that the run may take")
    run.add_argument(
        "--durable",
        action="store_true",
        help="keep every step, so that 'bpaz resume' can go on after a crash",
    )
    run.add_argument("-q", "--quiet", action="store_true", help="no progress")
    run.set_defaults(command=_run)

    check = commands.add_parser("check", help="list all problems of workflow files")
    check.add_argument("files", nargs="+", metavar="FILE")
    check.set_defaults(command=_check)

    nodes = commands.add_parser("nodes", help="list the node types, or explain one")
    nodes.add_argument("type", nargs="?", help="a node type")
    nodes.add_argument("--json", action="store_true", help="as JSON")
    nodes.set_defaults(command=_nodes)

    code = commands.add_parser("code", help="print the Python that makes a workflow")
    code.add_argument("file", help="a .bpaz file")
    code.add_argument("--no-layout", action="store_true", help="leave out where the nodes lie")
    code.set_defaults(command=_code)

    script = commands.add_parser("script", help="print a script that does the same without bpaz_lab")
    script.add_argument("file", help="a .bpaz file")
    script.set_defaults(command=_script)

    cli_runs.add(commands)
    cli_files.add(commands)
    cli_db.add(commands)
    cli_doctor.add(commands)
    cli_vault.add(commands)

    model = commands.add_parser("model", help="fetch the local language model, or say where it is")
    model.add_argument("action", choices=("download", "path"))
    model.set_defaults(command=_model)
    return parser


def _run(parsed: argparse.Namespace) -> int:
    from bpaz_lab.api.workflow import Workflow
    from bpaz_lab.cli import finished, objects_of
    from bpaz_lab.cli_answers import answers
    from bpaz_lab.engine.budget import Budget

    objects = objects_of(parsed.modules)
    workflow = Workflow.load(parsed.file)
    given = dict(_given(each) for each in parsed.input)
    limits = Budget(tokens=parsed.max_tokens, cost=parsed.max_cost)
    told = answers(parsed.answer)
    run = workflow.start(
        given,
        target=parsed.target,
        timeout=parsed.timeout,
        objects=objects,
        cache="disk" if parsed.cache == "disk" else False,
        budget=None if limits == Budget() else limits,
        durable=parsed.durable,
    )
    return finished(run, workflow, told, target=parsed.target, quiet=parsed.quiet)


def _given(told: str) -> tuple[str, Any]:
    name, equals, value = told.partition("=")
    if not equals or not name:
        raise InputError(f"{told!r} is no input", hint="Write --input NAME=VALUE.")
    if value.startswith("@"):
        try:
            return name, Path(value[1:]).read_text(encoding="utf-8")
        except OSError as error:
            raise InputError(f"{value[1:]} cannot be read: {error.strerror}", hint="Check --input.") from None
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def _check(parsed: argparse.Namespace) -> int:
    from bpaz_lab.api.workflow import Workflow

    count = 0
    for path in parsed.files:
        try:
            problems = Workflow.load(path).validate()
        except DocumentError as error:
            problems = error.problems
        count += len(problems)
        for problem in problems:
            print(f"{path}: {problem.path or '-'}: {problem.message} [{problem.code}]")
            if problem.hint:
                print(f"    {problem.hint}")
        if not problems:
            print(f"{path}: no problems")
    return 1 if count else 0


def _nodes(parsed: argparse.Namespace) -> int:
    from bpaz_lab.cli import explain, table
    from bpaz_lab.nodes.catalogue import catalogue

    if parsed.type:
        spec = catalogue().find(parsed.type).spec()
        print(spec.model_dump_json(indent=2) if parsed.json else explain(spec))
    elif parsed.json:
        print(catalogue().describe().model_dump_json(indent=2))
    else:
        print(table(catalogue()))
    return 0


def _code(parsed: argparse.Namespace) -> int:
    from bpaz_lab.api.workflow import Workflow

    print(Workflow.load(parsed.file).to_python(layout=not parsed.no_layout), end="")
    return 0


def _script(parsed: argparse.Namespace) -> int:
    from bpaz_lab.api.workflow import Workflow

    print(Workflow.load(parsed.file).to_script(), end="")
    return 0


def _model(parsed: argparse.Namespace) -> int:
    from bpaz_lab.nodes.llms import _weights

    print(
        _weights.download(lambda text: print(text, file=sys.stderr))
        if parsed.action == "download"
        else _weights.find_model()
    )
    return 0


if __name__ == "__main__":
    script()
