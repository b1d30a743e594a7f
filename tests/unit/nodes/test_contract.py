"""What every node type keeps to: a new one is covered by this before its own test is written."""

from __future__ import annotations

import ast
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import bpaz_lab.nodes
from bpaz_lab.errors import DocumentError, MissingPackage, SettingError
from bpaz_lab.graph.ports import is_tag
from bpaz_lab.graph.spec import CatalogueSpec, NodeSpec
from bpaz_lab.nodes import docs
from bpaz_lab.nodes.base import Node
from bpaz_lab.nodes.catalogue import Catalogue, catalogue

pytestmark = pytest.mark.unit

FOLDER = Path(bpaz_lab.nodes.__file__).parent
TYPES = [cls for cls in catalogue() if cls.package == "bpaz_lab"]
PROVIDERS = ("langchain", "langgraph", "openai", "numpy", "pandas", "xllamacpp", "wordllama", "tokenizers")

every_type = pytest.mark.parametrize("cls", TYPES, ids=lambda cls: cls.__name__)


def sample(cls):
    """The settings of a node as somebody adds it: the defaults, and a value where there is none."""
    return {field.name: "sample" if field.required else field.default for field in cls.spec().fields}


def test_there_are_node_types_and_none_was_left_out():
    files = [path for path in FOLDER.glob("*/*.py") if not path.name.startswith("_")]
    assert len(TYPES) == len(files) >= 17
    assert catalogue().faults == {}


@every_type
def test_it_describes_itself(cls):
    spec = cls.spec()
    assert spec.title[0].isupper()
    assert spec.summary.endswith(".")
    assert spec.help.startswith(spec.summary)
    assert "```python" in spec.help
    compile(spec.help.split("```python")[1].split("```")[0], cls.__name__, "exec")


@every_type
def test_its_spec_is_json(cls):
    text = json.dumps(cls.spec().model_dump(mode="json"), allow_nan=False)
    assert NodeSpec.model_validate_json(text) == cls.spec()
    assert cls.spec().model_dump(mode="json") == cls.of(sample(cls)).get_metadata()


@every_type
def test_its_settings_survive_a_round_trip(cls):
    settings = json.loads(json.dumps(sample(cls)))
    node = cls.of(settings)
    assert node.settings() == settings
    assert cls.of(node.settings()) == node


@every_type
def test_every_field_says_what_it_is(cls):
    for field in cls.spec().fields:
        assert field.title, field.name
        assert field.help.endswith((".", "]")), f"{field.name}: {field.help!r}"
        if field.kind in ("integer", "number"):
            assert field.minimum is not None, f"{field.name} has no lower bound"


@every_type
def test_every_port_says_what_it_is(cls):
    ports = cls.default_ports()
    for port in (*ports.inputs, *ports.outputs):
        assert port.title, port.name
        assert is_tag(port.tag)
    fields = {field.name for field in cls.spec().fields}
    for port in ports.inputs:
        assert port.help or port.name in fields, f"input {port.name} has no help"


@every_type
def test_its_ports_hang_together(cls):
    ports = cls.default_ports()
    names = [port.name for port in ports.inputs]
    assert len(set(names)) == len(names)
    assert len({port.name for port in ports.outputs}) == len(ports.outputs)
    assert [port.main for port in ports.outputs].count(True) == (1 if ports.outputs else 0)
    assert ports.outputs or cls.container, "only an empty body gives nothing"
    for port in ports.outputs:
        assert set(port.needs) <= set(names)


@every_type
def test_a_setting_that_it_does_not_know_is_refused(cls):
    with pytest.raises(DocumentError) as caught:
        cls.of({**sample(cls), "no_such_setting": 1})
    (problem,) = caught.value.problems
    assert isinstance(problem, SettingError)
    assert problem.path == "no_such_setting"
    assert problem.hint


@every_type
def test_ports_of_senseless_settings_never_fail(cls):
    for value in (None, 3, "{", ["{", 3], {"a": "b"}):
        catalogue().ports({"type": cls.__name__, "settings": dict.fromkeys(sample(cls), value)})


@every_type
def test_a_missing_package_is_told_with_the_command_that_helps(cls, monkeypatch):
    monkeypatch.setattr(cls, "requires", ("no_such_package",))
    with pytest.raises(MissingPackage, match="no_such_package") as caught:
        cls.require()
    assert caught.value.hint.startswith("pip install ")
    if cls.extra:
        extras = re.search(r"\[project.optional-dependencies\](.*?)\n\[", pyproject(), re.DOTALL).group(1)
        assert re.search(rf"^{cls.extra} = ", extras, re.MULTILINE), f"there is no extra {cls.extra!r}"
        assert f"bpaz-lab[{cls.extra}]" in caught.value.hint


def pyproject():
    return (FOLDER.parents[1] / "pyproject.toml").read_text()


@every_type
def test_a_file_holds_one_type_and_bears_its_name(cls):
    path = Path(inspect.getsourcefile(cls))
    assert (
        path.stem.rstrip("_")
        == re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", cls.__name__).lower()
    )
    assert path.parent.name == cls.spec().category
    module = sys.modules[cls.__module__]
    assert [value for value in vars(module).values() if is_type_of(value, module)] == [cls]
    assert len(path.read_text().splitlines()) < 400
    mirrored = Path(__file__).parent / path.parent.name / f"test_{path.name}"
    assert mirrored.exists(), f"{mirrored.name} is missing"


def is_type_of(value, module):
    return inspect.isclass(value) and issubclass(value, Node) and value.__module__ == module.__name__


@every_type
def test_its_methods_import_what_they_need_when_they_are_called(cls):
    tree = ast.parse(Path(inspect.getsourcefile(cls)).read_text())
    top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = [getattr(node, "module", None) or node.names[0].name for node in top]
    assert not [name for name in names if name.startswith(PROVIDERS)]


@every_type
def test_it_has_its_place_in_the_reference(cls):
    page = docs.PAGE.read_text(encoding="utf-8")
    assert f"| [{cls.__name__}](#{cls.__name__.lower()}) |" in page
    assert f"### {cls.__name__}\n" in page


def test_the_reference_is_what_the_catalogue_says(tmp_path, monkeypatch):
    kept = docs.PAGE
    monkeypatch.setattr(docs, "PAGE", tmp_path / "docs" / "nodes.md")
    docs.main()
    written = docs.PAGE.read_text(encoding="utf-8")
    assert written == kept.read_text(encoding="utf-8"), "run: python -m bpaz_lab.nodes.docs"


def test_every_category_has_its_place():
    categories = Catalogue().categories()  # none of what other tests registered
    folders = {path.parent.name for path in FOLDER.glob("*/__init__.py")}
    assert {category.name for category in categories} == folders
    assert [category.order for category in categories] == sorted(category.order for category in categories)
    for category in categories:
        assert category.help.endswith(".")
        assert re.fullmatch(r"[MmLlHhVvCcSsQqAaZz0-9 .,-]+", category.icon)


def test_the_catalogue_is_json():
    spec = catalogue().describe()
    assert CatalogueSpec.model_validate_json(spec.model_dump_json()) == spec


def test_listing_the_catalogue_imports_no_provider():
    script = (
        "import sys\n"
        "from bpaz_lab.nodes.catalogue import catalogue\n"
        "catalogue().describe().model_dump_json()\n"
        "print(len(catalogue()), *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    count, *modules = done.stdout.split()
    assert int(count) == len(TYPES)
    assert not [name for name in modules if name.startswith(PROVIDERS)]
