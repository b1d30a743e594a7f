"""The documentation says what is there, and its code runs."""

from __future__ import annotations

import ast
import doctest
import json
import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.util._once import Once

import bpaz_lab
from bpaz_lab.engine import events
from bpaz_lab.errors import BpazError
from bpaz_lab.guard.credentials import PROVIDERS
from bpaz_lab.nodes.catalogue import catalogue
from bpaz_lab.nodes.llms import _model, _weights
from bpaz_lab.settings import Settings
from bpaz_lab.widget import messages

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
NOTEBOOKS = ROOT / "notebooks"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted(DOCS.glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HERE = DOCS / "nodes.md"  # written from the catalogue, whose own tests compile its examples


@pytest.fixture(autouse=True)
def keeps_the_catalogue(monkeypatch):
    """The node types that a page makes are gone after it."""
    monkeypatch.setattr(catalogue(), "_types", {cls.__name__: cls for cls in catalogue()})


@pytest.fixture(autouse=True)
def keeps_the_tracer_provider(monkeypatch):
    """The tracer provider that a page sets is gone after it."""
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER_SET_ONCE", Once())


every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def text(name):
    return (DOCS / name).read_text(encoding="utf-8")


def blocks(page):
    """The blocks of code of a page: (language, source)."""
    return BLOCK.findall(page.read_text(encoding="utf-8"))


def subclasses(cls):
    return {cls}.union(*(subclasses(each) for each in cls.__subclasses__()))


def anchors(page):
    """The headings of a Markdown page, as links name them."""
    prose = BLOCK.sub("", page.read_text(encoding="utf-8"))
    titles = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


# ---- the code of the pages -------------------------------------------------------------------------


@pytest.mark.parametrize("page", [page for page in PAGES if page != HERE], ids=lambda page: page.name)
def test_the_code_of_a_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BPAZ_DATA_FOLDER", str(tmp_path / "data"))
    shared = {"__name__": "__main__"}
    for number, (language, source) in enumerate(blocks(page)):
        name = f"{page.name}, block {number}"
        if language == "python":
            exec(compile(source, name, "exec", dont_inherit=True), shared)  # noqa: S102
        elif language == "pycon":
            told = []
            test = doctest.DocTestParser().get_doctest(source, shared, name, str(page), 0)
            assert test.examples
            doctest.DocTestRunner(verbose=False).run(test, out=told.append, clear_globs=False)
            shared.update(test.globs)
            assert not told, "".join(told)
        elif language == "json":
            json.loads(source)


def test_the_example_of_the_readme_prints_what_it_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    source = next(source for language, source in blocks(ROOT / "README.md") if language == "python")
    exec(compile(source, "README.md", "exec", dont_inherit=True), {"__name__": "__main__"})  # noqa: S102
    assert f'print(wf.run(who="world").output)  # {capsys.readouterr().out.strip()}\n' in source


def test_the_document_of_the_format_page_is_written_as_it_stands_there():
    source = next(source for language, source in blocks(DOCS / "workflow-document.md") if language == "json")
    workflow = bpaz_lab.Workflow.from_json(source)
    assert workflow.validate() == []
    assert workflow.to_json() == source


@every_page
def test_links_lead_somewhere(page):
    for link in LINK.findall(BLOCK.sub("", page.read_text(encoding="utf-8"))):
        if link.startswith(("https://", "http://")):
            continue
        file, _, anchor = link.partition("#")
        target = page.parent / file if file else page
        assert target.exists(), link
        if anchor and target != HERE:
            assert anchor in anchors(target), link


def test_every_page_is_in_the_navigation():
    site = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))
    assert sorted(site["project"]["nav"]) == sorted(page.name for page in DOCS.glob("*.md"))


# ---- nothing is left out ---------------------------------------------------------------------------


def test_every_public_name_is_in_the_api_page():
    page = text("python-api.md")
    assert [name for name in bpaz_lab.__all__ if f"`{name}`" not in page] == []


def test_every_public_method_of_a_workflow_is_in_the_api_page():
    page = text("python-api.md")
    inner = {"plan", "settle", "on_run"}  # for the canvas
    named = {name for name in dir(bpaz_lab.Workflow) if not name.startswith("_")} - inner
    assert sorted(name for name in named if not re.search(rf"\b{name}\b", page)) == []


def test_every_error_is_in_its_table():
    rows = dict(re.findall(r"^\| `(\w+)` \| `(\w+)` \|", text("errors.md"), re.MULTILINE))
    there = {
        cls.code: cls.__name__ for cls in subclasses(BpazError) if cls.__module__.startswith("bpaz_lab.")
    }
    assert {_model.ModelError.code, _weights.LocalModelError.code} <= there.keys()
    assert rows == there


def test_every_environment_variable_is_in_its_table():
    page = text("settings.md")
    named = set()
    for path in Path(bpaz_lab.__file__).parent.rglob("*.py"):
        named |= set(re.findall(r"\bBPAZ_[A-Z][A-Z_]*[A-Z]", path.read_text(encoding="utf-8")))
    assert named >= {"BPAZ_LOCAL_MODEL", "BPAZ_CREDENTIAL"}
    named = {name for name in named if not name.startswith("BPAZ_CREDENTIAL_")}  # any name may follow
    assert sorted(name for name in named if name not in page) == []


def test_no_setting_is_described_that_the_code_does_not_know():
    told = set(re.findall(r"`(BPAZ_[A-Z_]+)", text("settings.md")))
    told -= {f"BPAZ_{name.upper()}{end}" for name in Settings.model_fields for end in ("", "_FILE")}
    code = "".join(path.read_text(encoding="utf-8") for path in Path(bpaz_lab.__file__).parent.rglob("*.py"))
    assert sorted(name for name in told if name not in code) == []


def test_every_provider_is_in_the_table():
    page = text("settings.md")
    for name, provider in PROVIDERS.items():
        hosts = ", ".join(f"`{host}`" for host in provider.hosts)
        assert f"| `{name}` | `{provider.variable}` | {hosts} |" in page


def test_every_message_and_its_fields_are_in_the_protocol():
    page = text("protocol.md")
    models = [cls for cls in subclasses(messages.Message) if "type" in cls.model_fields]
    assert len(models) > 10
    for cls in models:
        fields = cls.model_fields
        shown = ", ".join(f"`{name}`" for name in fields if name != "type")
        assert f"| `{fields['type'].default}` | {shown} |".replace("|  |", "| |") in page


def test_every_event_and_its_fields_are_in_the_protocol():
    rows = dict(re.findall(r"^\| `([\w.]+)` \| ([^|]*) \|$", text("protocol.md"), re.MULTILINE))
    for kind, cls in events.KINDS.items():
        named = re.findall(r"`(\w+)`", rows[kind])
        assert named == [each.name for each in fields(cls) if each.name not in ("type", "seq", "time")]


def test_the_command_line_is_described():
    page = text("index.md")
    commands = [
        node.args[0].value
        for name in ("__main__.py", "cli_files.py", "cli_runs.py")
        for node in ast.walk(ast.parse((ROOT / "bpaz_lab" / name).read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", "") == "add_parser"
        and getattr(node.func.value, "id", "") == "commands"
    ]
    assert commands
    assert [name for name in commands if f"`bpaz {name}" not in page] == []


# ---- the notebooks ---------------------------------------------------------------------------------


def notebooks():
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in NOTEBOOKS.glob("*.ipynb")}


def test_the_notebooks_are_executed_and_hold_no_widget_state():
    assert len(notebooks()) == 6
    for name, notebook in notebooks().items():
        assert "widgets" not in notebook["metadata"], name
        assert notebook["metadata"]["kernelspec"]["name"] == "python3"
        code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1)), name
        assert not [out for cell in code for out in cell["outputs"] if out["output_type"] == "error"], name


def test_the_quickstart_shows_the_workflow_of_its_file():
    file = NOTEBOOKS / "quickstart.bpaz"
    workflow = bpaz_lab.Workflow.load(file)
    assert workflow.validate() == []
    assert workflow.to_json() == file.read_text(encoding="utf-8")
    outputs = [
        out["data"]["application/vnd.bpaz+json"]
        for cell in notebooks()["01_quickstart.ipynb"]["cells"]
        for out in cell.get("outputs", [])
        if "application/vnd.bpaz+json" in out.get("data", {})
    ]
    assert outputs == [workflow.to_dict()]


def test_the_quickstart_file_finds_its_notes():
    workflow = bpaz_lab.Workflow.load(NOTEBOOKS / "quickstart.bpaz")
    run = workflow.run(target="search", question="What is a resource port?")
    assert len(run["load"]["documents"]) == len(list((NOTEBOOKS / "data").glob("*.md")))
    assert "resource port carries a live object" in run["search"]["documents"][0].page_content
