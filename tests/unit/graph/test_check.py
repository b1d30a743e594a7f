from __future__ import annotations

import pytest

from bpaz_lab.errors import (
    ConnectionRefused,
    CycleError,
    EdgeError,
    LiteralSecret,
    MissingInput,
    SettingError,
    UnknownNodeType,
)
from bpaz_lab.graph.check import check, edge_problem, ports_of, target_problem
from bpaz_lab.graph.document import shaped
from bpaz_lab.nodes.catalogue import catalogue

pytestmark = pytest.mark.unit

KEY = "sk-proj-" + "aB3dE6gH9jK2mN5pQ8sT1vW4xY7zA0cD"  # of the shape of a key, and none


def document(edges=(), **nodes):
    entries = {
        id: {"type": told, "settings": {}} if isinstance(told, str) else told for id, told in nodes.items()
    }
    return shaped({"bpaz": 1, "name": "x", "nodes": entries, "edges": [list(edge) for edge in edges]})


def node(type, **settings):
    return {"type": type, "settings": settings}


CASES = {
    "unknown type": (document(a="PromptTemplat"), UnknownNodeType, "nodes.a.type", "Install"),
    "unknown type of a package": (
        document(a="acme:Thing"),
        UnknownNodeType,
        "nodes.a.type",
        "pip install acme",
    ),
    "wrong setting": (
        document(a=node("RecursiveTextSplitter", chunk_size=0)),
        SettingError,
        "nodes.a.settings.chunk_size",
        "",
    ),
    "unknown setting": (
        document(a=node("TextInput", colour="red")),
        SettingError,
        "nodes.a.settings.colour",
        "Its settings are: text",
    ),
    "literal secret": (
        document(a=node("TextInput", text=KEY)),
        LiteralSecret,
        "nodes.a.settings.text",
        "revoke",
    ),
    "secret in a credential field": (
        document(a=node("OpenAICompatibleChat", api_key="hunter2")),
        LiteralSecret,
        "nodes.a.settings.api_key",
        "$cred",
    ),
    "source node is not there": (
        document([("aa.text", "b.text")], a="TextInput", b="ChatOutput"),
        EdgeError,
        "edges.0",
        "a",
    ),
    "target node is not there": (document([("a.text", "b.x")], a="TextInput"), EdgeError, "edges.0", "a"),
    "output is not there": (
        document([("a.txt", "b.text")], a="TextInput", b="ChatOutput"),
        EdgeError,
        "edges.0",
        "text",
    ),
    "input is not there": (
        document([("a.text", "b.zzz")], a="TextInput", b="ChatOutput"),
        EdgeError,
        "edges.0",
        "Its inputs are: text",
    ),
    "input of the run": (
        document([("a.text", "b.question")], a="TextInput", b="ChatInput"),
        EdgeError,
        "edges.0",
        "run(question=...)",
    ),
    "ports that do not fit": (
        document([("a.text", "b.embeddings")], a="TextInput", b="InMemoryVectorStore"),
        ConnectionRefused,
        "edges.0",
        "between",
    ),
    "an edge twice": (
        document([("a.text", "b.text")] * 2, a="TextInput", b="ChatOutput"),
        ConnectionRefused,
        "edges.1",
        "",
    ),
    "an input taken": (
        document([("a.text", "c.text"), ("b.text", "c.text")], a="TextInput", b="TextInput", c="ChatOutput"),
        ConnectionRefused,
        "edges.1",
        "Disconnect a.text",
    ),
    "circle": (
        document([("a.text", "b.text"), ("b.text", "a.text")], a="TextInput", b="TextInput"),
        CycleError,
        "nodes.",
        "Remove one",
    ),
    "a node on itself": (
        document([("a.text", "a.text")], a="TextInput"),
        CycleError,
        "nodes.a",
        "Remove one",
    ),
    "a resource that nothing feeds": (
        document(a=node("LLMChain")),
        MissingInput,
        "nodes.a.inputs.model",
        "Connect",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_each_problem_has_its_class_path_and_hint(name):
    body, cls, path, hint = CASES[name]
    found = [problem for problem in check(body, catalogue()) if type(problem) is cls]
    assert len(found) == 1, check(body, catalogue())
    assert found[0].path.startswith(path)
    assert hint in found[0].hint
    assert found[0].message


def test_all_at_once_in_the_order_nodes_edges_circles():
    body = document(
        [("a.text", "b.text"), ("b.text", "a.text"), ("ghost.x", "c.y")],
        a="TextInput",
        b="TextInput",
        c="Nope",
        d=node("TextInput", text=KEY),
    )
    assert [problem.code for problem in check(body, catalogue())] == [
        "unknown_node_type",
        "literal_secret",
        "edge",
        "cycle",
    ]


def test_a_sound_workflow_has_none():
    body = document([("a.text", "b.text")], a="TextInput", b="ChatOutput")
    assert check(body, catalogue()) == []


def test_secrets_are_found_however_deep():
    body = document(a=node("Start", fields=[{"name": "x", "default": {"deep": [KEY]}}]))
    (problem,) = [p for p in check(body, catalogue()) if isinstance(p, LiteralSecret)]
    assert problem.path == "nodes.a.settings.fields.0.default.deep.0"
    assert KEY not in str(problem)


def test_a_placeholder_has_the_ports_that_its_edges_name():
    body = document([("a.text", "p.x"), ("p.out", "b.text")], a="TextInput", p="Nope", b="ChatOutput")
    ports = ports_of(body, "p", catalogue())
    assert [port.name for port in ports.inputs] == ["x"]
    assert [(port.name, port.main) for port in ports.outputs] == [("out", True)]
    assert [problem.code for problem in check(body, catalogue())] == ["unknown_node_type"]


def test_a_new_edge():
    body = document([("a.text", "b.text")], a="TextInput", b="TextInput", c="ChatOutput")
    assert edge_problem(body, "b.text", "c.text", catalogue()) is None
    assert isinstance(edge_problem(body, "b.text", "a.text", catalogue()), CycleError)
    assert isinstance(edge_problem(body, "a.text", "b.text", catalogue()), ConnectionRefused)
    assert isinstance(edge_problem(body, "z.text", "c.text", catalogue()), EdgeError)
    assert isinstance(edge_problem(body, "a.text", "c.zzz", catalogue()), EdgeError)
    assert edge_problem(body, "a.text", "b.text", catalogue(), others=[]) is None


def test_what_a_run_may_be_asked_for():
    body = document(a="TextInput")
    assert target_problem(body, "a", catalogue()) is None
    assert target_problem(body, "a.text", catalogue()) is None
    assert "text" in target_problem(body, "a.txt", catalogue()).hint
    assert "a" in target_problem(body, "b", catalogue()).hint
