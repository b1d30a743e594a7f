from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

import bpaz_lab as bz
from bpaz_lab.errors import NodeTypeError

pytestmark = pytest.mark.unit


@pytest.fixture
def name():
    """The name of a node type that no other test uses: ``@bz.node`` adds to the process's own catalogue."""
    return f"type_{uuid4().hex}"


def test_a_function_stays_a_function_and_is_a_type(name):
    @bz.node(name=name, label="Shout it")
    def shout(text: str, mark: str = "!") -> str:
        """Writes a text in capitals."""
        return text.upper() + mark

    assert shout("hi") == "HI!"
    spec = bz.node_type(name)
    assert (spec.title, spec.summary, spec.package) == ("Shout it", "Writes a text in capitals.", "cell")
    assert [port.name for port in spec.ports.inputs] == ["text", "mark"]
    assert name in bz.node_types("cell")
    wf = bz.Workflow()
    wf.add(name)
    assert wf.run(text="hi").output == "HI!"


def test_without_options_and_by_function():
    @bz.node
    def plain_one_of_this_test():
        return 1

    @bz.node()
    def plain_two_of_this_test():
        return 2

    wf = bz.Workflow()
    wf.add(plain_one_of_this_test)
    wf.add(plain_two_of_this_test)
    assert wf.run().output == {"plain_one_of_this_test": 1, "plain_two_of_this_test": 2}


def test_running_a_cell_again_keeps_settings_and_edges(name):
    def version_one(text: str, mark: str = "!") -> str:
        return text + mark

    def version_two(text: str, mark: str = "!", more: str = "") -> str:
        return text.upper() + mark + more

    bz.node(name=name)(version_one)
    wf = bz.Workflow()
    node = wf.add(name, id="n", mark="?")
    wf.add("TextInput", id="t", text="hi") >> node["text"]
    node >> wf.add("ChatOutput")
    assert wf.run().output == "hi?"
    edges = wf.edges
    bz.node(name=name)(version_two)
    assert wf.edges == edges
    assert wf.validate() == []
    assert wf.run().output == "HI?"
    assert [port.name for port in node.ports.inputs] == ["text", "mark", "more"]


def test_a_port_that_is_lost_becomes_a_problem_and_comes_back(name):
    def with_text(text: str) -> str:
        return text

    def with_words(words: str) -> str:
        return words

    bz.node(name=name)(with_text)
    wf = bz.Workflow()
    wf.add("TextInput", id="t", text="hi") >> wf.add(name, id="n")
    bz.node(name=name)(with_words)
    (problem,) = wf.validate()
    assert (problem.code, problem.path) == ("edge", "edges.0")
    assert "no input 'text'" in problem.message
    assert "words" in problem.hint
    with pytest.raises(bz.DocumentError):
        wf.run()
    bz.node(name=name)(with_text)
    assert wf.run().output == "hi"


def test_names_of_installed_types_are_refused():
    before = bz.node_type("TextInput")
    with pytest.raises(NodeTypeError, match="already provided by bpaz_lab") as caught:

        @bz.node(name="TextInput")
        def mine():
            return 1

    assert "name=" in caught.value.hint
    assert bz.node_type("TextInput") == before


def test_what_cannot_be_a_node():
    with pytest.raises(NodeTypeError):
        bz.node(lambda: 1)
    with pytest.raises(NodeTypeError):

        @bz.node
        def many(*values):
            return values


def test_a_class_of_a_cell():
    @bz.register_node
    class Doubled(bz.Node):
        """Twice."""

        def run(self, value: Any) -> Any:
            """Twice."""
            return 2 * value

    spec = bz.node_type("Doubled")
    assert (spec.package, spec.category) == ("cell", "cell")
    wf = bz.Workflow()
    wf.add("Doubled")
    assert wf.run(value=4).output == 8


def test_a_class_that_breaks_the_contract_is_refused():
    class Broken(bz.Node):
        """Two answers, neither of them the main one."""

        def run(self, *values: Any) -> Any:
            """Everything."""

    with pytest.raises(NodeTypeError):
        bz.register_node(Broken)
    assert "Broken" not in bz.node_types()
