from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from copy import deepcopy
from pathlib import Path
from typing import Any, ClassVar

import pytest

from bpaz_lab import DocumentError, Workflow
from bpaz_lab.errors import FileRefused, FormatError, JsonError, LiteralSecret
from bpaz_lab.graph.document import dumps
from bpaz_lab.nodes.base import Node
from bpaz_lab.nodes.catalogue import Catalogue

pytestmark = pytest.mark.unit

KEY = "sk-proj-" + "aB3dE6gH9jK2mN5pQ8sT1vW4xY7zA0cD"  # of the shape of a key, and none
FORMAT_1 = Path(__file__).parents[2] / "fixtures" / "documents" / "format_1.bpaz"


@pytest.fixture
def wf():
    made = Workflow("Greeting")
    who = made.add("ChatInput", id="who", name="who")
    (
        who
        >> made.add("PromptTemplate", id="hello", template="Hello {someone}!")
        >> made.add("ChatOutput", id="out")
    )
    return made


# ---- as data -------------------------------------------------------------------------------------


def test_to_dict_and_back_is_the_same(wf):
    document = wf.to_dict()
    again = Workflow.from_dict(document)
    assert again == wf
    assert again.to_dict() == document
    assert again.to_json() == wf.to_json() == dumps(document)
    assert again.run(who="you").output == "Hello you!"


def test_json_and_back_is_the_same(wf):
    assert Workflow.from_json(wf.to_json()).to_json() == wf.to_json()


def test_a_dict_is_a_copy_both_ways(wf):
    document = wf.to_dict()
    document["nodes"]["hello"]["settings"]["template"] = "changed"
    assert wf["hello"].settings["template"] == "Hello {someone}!"
    given = {
        "bpaz": 1,
        "name": "x",
        "nodes": {"s": {"type": "Nope", "settings": {"deep": {"er": 1}}}},
        "layout": {"s": [0, 0]},
    }
    before = deepcopy(given)
    made = Workflow.from_dict(given)
    made.apply([{"path": ["nodes", "s", "settings", "deep", "er"], "old": 1, "new": 2}])
    made.move("s", 5, 5)
    assert given == before


def test_equality_ignores_where_boxes_lie_and_nothing_else(wf):
    other = Workflow.from_dict(wf.to_dict())
    other.move("out", 999, 999)
    other.note("hello")
    assert other == wf
    other["hello"].set(template="Bye {someone}!")
    assert other != wf
    assert wf != 5
    with pytest.raises(TypeError):
        hash(wf)


def test_every_node_has_a_place_in_the_file(wf):
    assert wf.to_dict()["layout"].keys() == {"who", "hello", "out"}
    assert wf.history.can_undo
    assert len(wf) == 3


def test_old_types_and_versions_are_brought_up_to_date():
    class Newer(Node):
        """Took over an older type."""

        version: ClassVar[int] = 3
        replaces: ClassVar[tuple[str, ...]] = ("Older",)
        size: int = 1

        @classmethod
        def upgrade(cls, settings: dict[str, Any], version: int) -> dict[str, Any]:
            """The length became the size."""
            return {"size": settings["length"]} if version < 3 else settings

        def run(self) -> Any:
            """The size."""
            return self.size

    types = Catalogue()
    types.register(Newer)
    old = {"bpaz": 1, "name": "x", "nodes": {"a": {"type": "Older", "version": 1, "settings": {"length": 7}}}}
    made = Workflow.from_dict(old, types=types)
    assert made.to_dict()["nodes"]["a"] == {"type": "Newer", "version": 3, "settings": {"size": 7}}
    assert made.run().output == 7


@pytest.mark.parametrize("where", ["settings", "nested", "unknown type"])
def test_literal_secrets_are_refused_all_at_once(where):
    settings = {"text": KEY} if where == "settings" else {"text": "x", "more": [{"deep": KEY}]}
    kind = "Nope" if where == "unknown type" else "TextInput"
    nodes = {name: {"type": kind, "settings": settings} for name in "ab"}
    with pytest.raises(DocumentError) as caught:
        Workflow.from_dict({"bpaz": 1, "name": "x", "nodes": nodes})
    assert all(isinstance(problem, LiteralSecret) for problem in caught.value.problems)
    assert {problem.path.split(".")[1] for problem in caught.value.problems} == {"a", "b"}
    assert KEY not in str(caught.value)


def test_what_does_not_fit_stays_for_validate_and_saving():
    told = {
        "bpaz": 1,
        "name": "x",
        "nodes": {
            "a": {"type": "TextInput", "version": 1, "settings": {"colour": "red"}},
            "b": {"type": "Nope", "version": 9, "settings": {"x": 1}, "policy": {"retries": 2}, "title": "T"},
        },
        "edges": [["a.text", "ghost.x"], ["b.y", "a.text"]],
    }
    made = Workflow.from_dict(told)
    assert {problem.path for problem in made.validate()} == {
        "nodes.a.settings.colour",
        "nodes.b.type",
        "edges.1",
    }
    kept = made.to_dict()
    assert kept["nodes"] == told["nodes"]
    assert sorted(kept["edges"]) == sorted(told["edges"])


# ---- files ---------------------------------------------------------------------------------------


def test_save_and_load(wf, tmp_path):
    path = wf.save(tmp_path / "greeting")
    assert path == tmp_path / "greeting.bpaz"
    assert path.read_text(encoding="utf-8") == wf.to_json()
    assert Workflow.load(path) == wf
    assert wf.folder == tmp_path
    assert oct(path.stat().st_mode & 0o777) == "0o644"
    path.chmod(0o600)
    wf.save(path)
    assert oct(path.stat().st_mode & 0o777) == "0o600"
    assert [each.name for each in tmp_path.iterdir()] == ["greeting.bpaz"]


def test_a_save_that_fails_leaves_the_old_file(wf, tmp_path):
    path = wf.save(tmp_path / "greeting.bpaz")
    old = path.read_bytes()
    wf.history.document["name"] = object()  # what cannot be written, past every check
    with pytest.raises(DocumentError):
        wf.save(path)
    assert path.read_bytes() == old
    assert [each.name for each in tmp_path.iterdir()] == ["greeting.bpaz"]


def test_a_full_disk_leaves_the_old_file(tmp_path):
    """The write itself fails: no file of this process may grow beyond 4 KB."""
    script = f"""
        import resource, signal
        from bpaz_lab import Workflow

        wf = Workflow("old")
        path = wf.save({str(tmp_path / "w.bpaz")!r})
        old = path.read_bytes()
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        wf.add("TextInput", text="x" * 10_000)
        try:
            wf.save(path)
        except OSError as error:
            assert path.read_bytes() == old
            print("refused", [each.name for each in path.parent.iterdir()])
    """
    done = subprocess.run(
        [sys.executable, "-B", "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False
    )
    assert done.stdout == "refused ['w.bpaz']\n", done.stderr


def test_a_folder_that_is_not_there(wf, tmp_path):
    with pytest.raises(OSError, match="No such file"):
        wf.save(tmp_path / "no" / "where.bpaz")


def test_what_cannot_be_loaded(tmp_path):
    (tmp_path / "other.bpaz").write_text("{}")
    with pytest.raises(FileRefused) as caught:
        Workflow.load(tmp_path / "missing.bpaz")
    assert "other.bpaz" in caught.value.hint
    assert caught.value.path.endswith("missing.bpaz")
    with pytest.raises(FileRefused) as caught:
        Workflow.load(tmp_path / "no" / "missing.bpaz")
    assert ".bpaz file" in caught.value.hint
    with pytest.raises(FileRefused):
        Workflow.load(tmp_path)
    with pytest.raises(DocumentError):
        Workflow.load(tmp_path / "other.bpaz")
    for text, error in (("{", JsonError), ('{"bpaz": 2, "name": "x"}', FormatError), ("[NaN]", JsonError)):
        (tmp_path / "bad.bpaz").write_text(text)
        with pytest.raises(error):
            Workflow.load(tmp_path / "bad.bpaz")


def test_a_large_workflow_of_ones_own_is_no_problem(tmp_path):
    nodes = {f"n{number}": {"type": "TextInput", "settings": {"text": "x" * 400}} for number in range(3000)}
    nodes["big"] = {"type": "TextInput", "settings": {"text": "y" * 5_000_000}}
    wf = Workflow.from_dict({"bpaz": 1, "name": "x", "nodes": nodes})
    assert Workflow.load(wf.save(tmp_path / "big")) == wf


# ---- opening executes nothing --------------------------------------------------------------------

AUDIT = """
    import sys
    seen = []

    def hook(event, arguments):
        if armed and event.startswith(WATCHED):
            seen.append((event, str(arguments)[:120]))

    WATCHED = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "pty.",
               "ctypes.", "pickle.", "compile", "exec", "webbrowser.", "urllib.", "os.remove", "os.rename")
    armed = False
    sys.addaudithook(hook)

    import bpaz_lab as bz
    from bpaz_lab.nodes.catalogue import catalogue
    catalogue().describe()                       # reads the annotations of the node classes
    warm = bz.Workflow.from_json({sound!r})      # imports what there is to import
    warm.validate(), warm.to_json()

    def never(*arguments):
        raise SystemExit("user code was executed")

    evil = "a_name_that_a_workflow_chose"
    vars(sys.modules["__main__"])[evil] = never
    armed = True
    for text in {texts!r}:
        wf = bz.Workflow.from_json(text)
        wf.validate()
        wf.to_json()
        repr(wf)
        list(wf)
    armed = False
    assert not seen, seen
    print("nothing")
"""


def test_opening_checking_and_listing_execute_nothing():
    hostile = {
        "bpaz": 1,
        "name": "__import__('os').system('true')",
        "nodes": {
            "f": {"type": "PythonFunction", "settings": {"name": "a_name_that_a_workflow_chose"}},
            "v": {"type": "Variable", "settings": {"name": "a_name_that_a_workflow_chose"}},
            "p": {"type": "PromptTemplate", "settings": {"template": "{x.__class__} {{7*7}} {x!r:>10}"}},
            "c": {"type": "Condition", "settings": {"operand": "__import__('os')"}},
            "l": {"type": "TextDataLoader", "settings": {"path": "/etc/passwd"}},
            "m": {
                "type": "OpenAICompatibleChat",
                "settings": {"base_url": "http://127.0.0.1:9/v1", "model": "m"},
            },
            "u": {"type": "os:system", "settings": {"code": "print(1)"}},
        },
        "edges": [["p.text", "f.value"], ["u.out", "c.value"]],
    }
    sound = {**hostile, "edges": []}
    script = textwrap.dedent(AUDIT).format(
        sound=json.dumps(sound), texts=[json.dumps(hostile), FORMAT_1.read_text(encoding="utf-8")]
    )
    done = subprocess.run([sys.executable, "-B", "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout == "nothing\n", done.stderr


def test_the_check_of_execution_can_fail():
    """What the test above demands of opening, a run does not keep."""
    script = textwrap.dedent(AUDIT).format(sound='{"bpaz": 1, "name": ""}', texts=[]) + textwrap.dedent("""
        wf = bz.Workflow()
        wf.add("PythonFunction", name="evil_of_this_test", inputs=[])
        armed = True
        wf.run(objects={"evil_of_this_test": lambda: exec("1")})
        armed = False
        assert any(event == "exec" for event, _ in seen)
        print("something")
    """)
    done = subprocess.run([sys.executable, "-B", "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout == "nothing\nsomething\n", done.stderr
