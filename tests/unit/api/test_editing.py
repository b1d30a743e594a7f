from __future__ import annotations

import threading
from typing import Any

import pytest

from bpaz_lab import Workflow
from bpaz_lab.api.decorator import MADE
from bpaz_lab.errors import (
    ConnectionRefused,
    CycleError,
    DocumentError,
    DuplicateId,
    EdgeError,
    FormatError,
    JsonError,
    LiteralSecret,
    NodeTypeError,
    SettingError,
    StaleChange,
    UnknownNodeType,
)
from bpaz_lab.nodes.base import Node
from bpaz_lab.nodes.catalogue import Catalogue
from bpaz_lab.nodes.io.text_input import TextInput
from bpaz_lab.nodes.types import Many, Text  # noqa: TC001 (ports are read from hints)
from tests.support.flows import Flow, add, one, up

pytestmark = pytest.mark.unit

KEY = "sk-proj-" + "aB3dE6gH9jK2mN5pQ8sT1vW4xY7zA0cD"  # of the shape of a key, and none


class Gather(Node):
    """All that came."""

    inline = True

    def run(self, values: Many[Any]) -> Any:
        """The list."""
        return list(values)


class Pair(Node):
    """Two texts."""

    inline = True

    def run(self, left: Text, right: Text) -> Text:
        """Both."""
        return left + right


@pytest.fixture
def wf():
    return Workflow("Test", types=Catalogue())


@pytest.fixture
def full():
    """A workflow with something of everything."""
    flow = Flow()
    flow.put(one, "a")
    flow.put(one, "b")
    flow.put(Gather, "all")
    flow.wire("b.result all.values", "a.result all.values")
    flow.add("TextInput", id="text", text="x", at=(10, 20))
    flow.note("remember", at=(1, 2))
    flow.group("sources", ["a", "b"])
    flow.settle()
    return flow


# ---- nodes ---------------------------------------------------------------------------------------


def test_add_by_name_function_and_class(wf):
    def shout(text: str, mark: str = "!") -> str:
        return text.upper() + mark

    by_name = wf.add("TextInput", text="hi")
    by_class = wf.add(TextInput)
    by_function = wf.add(shout, mark="?")
    by_own_class = wf.add(Gather)
    assert [node.type for node in wf] == ["TextInput", "TextInput", "shout", "Gather"]
    assert [node.id for node in wf] == ["text_input", "text_input_2", "shout", "gather"]
    assert by_name.settings == {"text": "hi"}
    assert by_class.settings == {}
    assert by_function.settings == {"mark": "?"}
    assert by_own_class.id in wf
    assert wf.types.find("Gather").package == "cell"
    assert TextInput.package == "bpaz_lab"


def test_a_function_stays_what_it_is_and_is_made_a_node_once(wf):
    def shout(text):
        return text.upper()

    wf.add(shout)
    made = getattr(shout, MADE)
    wf.add(shout)
    assert getattr(shout, MADE) is made
    assert shout("a") == "A"


def test_functions_that_take_no_notes(wf):
    class Keeper:
        def __init__(self):
            self.kept = "kept"

        def look(self):
            return self.kept

    wf.add(Keeper().look, id="look")
    assert wf.run().output == "kept"


@pytest.mark.parametrize("thing", [3, None, object(), str, lambda: 1])
def test_what_is_no_node_type(wf, thing):
    with pytest.raises(NodeTypeError) as caught:
        wf.add(thing)
    assert caught.value.hint
    assert len(wf) == 0


def test_an_unknown_type_names_the_closest(wf):
    with pytest.raises(UnknownNodeType) as caught:
        wf.add("TextInptu")
    assert "TextInput" in caught.value.hint


def test_a_class_of_a_cell_cannot_take_the_name_of_an_installed_type(wf):
    class TextInput(Node):
        """Pretends."""

        def run(self) -> Text:
            """Nothing."""
            return ""

    with pytest.raises(NodeTypeError, match="already provided by bpaz_lab"):
        wf.add(TextInput)


def test_ids(wf):
    wf.add("TextInput", id="a")
    with pytest.raises(DuplicateId) as caught:
        wf.add("TextInput", id="a")
    assert "'a_2'" in caught.value.hint
    with pytest.raises(FormatError, match="cannot be an id"):
        wf.add("TextInput", id="not an id")
    assert [node.id for node in wf] == ["a"]


def test_wrong_settings_are_refused_all_at_once(wf):
    with pytest.raises(DocumentError, match="2 problems") as caught:
        wf.add("RecursiveTextSplitter", id="s", chunk_size=-1, colour="red")
    assert {problem.path for problem in caught.value.problems} == {
        "nodes.s.settings.chunk_size",
        "nodes.s.settings.colour",
    }
    with pytest.raises(SettingError, match="is JSON") as caught:
        wf.add("TextInput", id="t", text=object())
    assert "wire" in caught.value.hint
    assert len(wf) == 0


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**70 + 1, "\ud800"])
def test_what_no_file_can_hold_is_refused(wf, value):
    with pytest.raises(JsonError) as caught:
        wf.add("Condition", id="c", operand=value)
    assert caught.value.path == "nodes.c.settings.operand"
    node = wf.add("Condition", id="c")
    with pytest.raises(JsonError):
        node.set(operand=value)
    with pytest.raises(JsonError):
        wf.move(node, float("nan"), 0)
    wf.to_json()


def test_literal_secrets_are_refused_everywhere(wf):
    with pytest.raises(LiteralSecret):
        wf.add("TextInput", text=KEY)
    with pytest.raises(DocumentError) as caught:
        wf.add("OpenAICompatibleChat", api_key="hunter2")
    assert [(p.code, p.path) for p in caught.value.problems if "api_key" in p.path] == [
        ("literal_secret", "nodes.open_ai_compatible_chat.settings.api_key")
    ]
    node = wf.add("TextInput", id="t")
    with pytest.raises(LiteralSecret):
        node.set(text=KEY)
    with pytest.raises(LiteralSecret):
        node.title = KEY
    with pytest.raises(LiteralSecret):
        wf.note(KEY)
    with pytest.raises(LiteralSecret):
        wf.apply([{"path": ["nodes", "t", "settings", "text"], "new": KEY}], origin="a canvas")
    assert KEY not in wf.to_json()
    assert wf.validate() == []


def test_set_changes_and_takes_back_to_the_default(wf):
    node = wf.add("RecursiveTextSplitter")
    assert node.set(chunk_size=300, chunk_overlap=10) is node
    assert node.settings == {"chunk_size": 300, "chunk_overlap": 10}
    node.set({"chunk_size": None})
    assert node.settings == {"chunk_overlap": 10}
    wf.undo()
    assert node.settings == {"chunk_size": 300, "chunk_overlap": 10}
    with pytest.raises(SettingError):
        node.set(chunk_size=0)
    assert node.settings["chunk_size"] == 300


def test_edits_that_change_nothing_are_no_steps(wf):
    node = wf.add("TextInput")
    revision = wf.history.revision
    wf.remove()
    node.set()
    node.set(text=None)
    node.title = ""
    Workflow().arrange()
    assert wf.history.revision == revision


def test_titles(wf):
    node = wf.add("TextInput")
    node.title = "The question"
    assert node.title == "The question"
    node.title = ""
    assert "title" not in wf.to_dict()["nodes"]["text_input"]
    kept = Workflow.from_dict({"bpaz": 1, "name": "x", "nodes": {"a": {"type": "TextInput", "title": ""}}})
    kept["a"].title = "new"
    assert kept["a"].title == "new"


def test_looking(wf):
    node = wf.add("TextInput", id="a")
    assert "a" in wf
    assert "b" not in wf
    assert len(wf) == 1
    assert [each.id for each in wf] == ["a"]
    assert repr(node) == "<TextInput 'a': text -> text>"
    assert repr(node["text"]) == "<port a.text>"
    assert repr(wf) == "Workflow('Test', 1 node, 0 edges)"
    with pytest.raises(EdgeError, match="no node 'b'") as caught:
        wf["b"]
    assert "a" in caught.value.hint
    with pytest.raises(EdgeError, match="no port 'txt'") as caught:
        node["txt"]
    assert "text" in caught.value.hint


# ---- edges ---------------------------------------------------------------------------------------


def test_the_only_fitting_ports_are_picked(wf):
    load = wf.add("TextDataLoader", id="load", path="*.md")
    split = wf.add("RecursiveTextSplitter", id="split")
    assert (load >> split) is split
    assert wf.edges == [("load.documents", "split.documents")]


def test_a_port_joins_a_node_and_a_port_too(wf):
    a, out, prompt = wf.add("TextInput", id="a"), wf.add("ChatOutput", id="out"), None
    a["text"] >> out
    wf.disconnect(a, out)
    a >> out["text"]
    assert wf.edges == [("a.text", "out.text")]
    prompt = wf.add("PromptTemplate", id="p", template="{x}")
    wf.connect(a["text"], prompt["x"])
    assert ("a.text", "p.x") in wf.edges


def test_two_best_ports_are_no_choice(wf):
    pair, text = wf.add(Pair, id="pair"), wf.add("TextInput", id="t")
    with pytest.raises(ConnectionRefused, match="several ports") as caught:
        text >> pair
    assert 'connect(t["text"], pair["left"])' in caught.value.hint
    assert 'connect(t["text"], pair["right"])' in caught.value.hint
    text >> pair["left"]
    text >> pair  # one is taken, so that the other is the only one
    assert wf.edges == [("t.text", "pair.left"), ("t.text", "pair.right")]


def test_none_fits(wf):
    text, store = wf.add("TextInput", id="t"), wf.add("ChatInput", id="c")
    with pytest.raises(ConnectionRefused, match="nothing that t gives") as caught:
        text >> store
    assert "text (text)" in caught.value.hint


def test_edges_that_cannot_be(wf):
    a, b = wf.add("TextInput", id="a"), wf.add("TextInput", id="b")
    a >> b
    with pytest.raises(CycleError):
        b["text"] >> a["text"]
    with pytest.raises(CycleError):
        a["text"] >> a["text"]
    with pytest.raises(ConnectionRefused, match="one wire"):
        wf.add("TextInput", id="c")["text"] >> b["text"]
    with pytest.raises(EdgeError, match="joins nodes or ports"):
        wf.connect("a", b)
    with pytest.raises(EdgeError, match="another workflow"):
        wf.connect(a, Workflow().add("ChatOutput"))
    with pytest.raises(EdgeError, match="no output"):
        wf.add("ChatInput", id="q")["question"] >> b
    assert wf.edges == [("a.text", "b.text")]


def test_list_ports_keep_the_order_of_their_edges(full):
    assert full.run().output["all"] == [1, 1]
    assert full.edges == [("b.result", "all.values"), ("a.result", "all.values")]


def test_disconnect(full):
    full.disconnect(full["b"], full["all"]["values"])
    assert full.edges == [("a.result", "all.values")]
    full.undo()
    assert full.edges == [("b.result", "all.values"), ("a.result", "all.values")]
    full.disconnect(target=full["all"])
    assert full.edges == []
    full.undo()
    assert full.edges == [("b.result", "all.values"), ("a.result", "all.values")]
    full.disconnect(source=full["a"]["result"])
    assert full.edges == [("b.result", "all.values")]
    for ends in ((), (full["a"],), (full["a"], full["b"])):
        with pytest.raises(EdgeError, match="no such edge"):
            full.disconnect(*ends)


# ---- every edit is one step ----------------------------------------------------------------------

EDITS = {
    "name": lambda wf: setattr(wf, "name", "Other"),
    "add": lambda wf: wf.add("TextInput", text="new"),
    "remove": lambda wf: wf.remove("a"),
    "remove several": lambda wf: wf.remove("a", wf["all"], "a"),
    "remove all of a group": lambda wf: wf.remove("a", "b"),
    "set": lambda wf: wf["text"].set(text="other"),
    "set back": lambda wf: wf["text"].set(text=None),
    "title": lambda wf: setattr(wf["a"], "title", "First"),
    "rename": lambda wf: wf["b"].rename("renamed"),
    "rename the target": lambda wf: wf["all"].rename("renamed"),
    "rename where it lies": lambda wf: wf["text"].rename("renamed"),
    "connect": lambda wf: wf.connect(wf["text"], wf["all"]),
    "disconnect": lambda wf: wf.disconnect(wf["b"]),
    "move": lambda wf: wf.move("text", 5, 6),
    "move what lay nowhere": lambda wf: wf.move(wf["a"], 5, 6),
    "note": lambda wf: wf.note("new"),
    "change a note": lambda wf: wf.note("new", id="note"),
    "group": lambda wf: wf.group("all", [wf["all"], "text"]),
    "change a group": lambda wf: wf.group("all", ["all"], id="group"),
    "arrange": lambda wf: wf.arrange(),
}


@pytest.mark.parametrize("name", EDITS)
def test_every_edit_is_one_step_that_undo_takes_back_and_redo_repeats(full, name):
    before, revision = full.to_json(), full.history.revision
    EDITS[name](full)
    assert full.history.revision == revision + 1
    after = full.to_json()
    assert after != before
    assert full.undo()
    assert full.to_json() == before
    assert full.redo()
    assert full.to_json() == after
    Workflow.from_json(after, types=full.types)  # a sound document at every step


def test_nothing_to_undo(wf):
    assert wf.undo() is False
    assert wf.redo() is False


def test_rename_keeps_edges_in_their_order_layout_and_groups(full):
    handle = full["b"].rename("second")
    assert handle.id == "second"
    assert full.edges == [("second.result", "all.values"), ("a.result", "all.values")]
    full["all"].rename("gathered")
    assert full.edges == [("second.result", "gathered.values"), ("a.result", "gathered.values")]
    document = full.to_dict()
    assert document["groups"]["group"]["nodes"] == ["a", "second"]
    full["text"].rename("words")
    assert full.to_dict()["layout"]["words"] == [10, 20]
    for wrong in ("a", "no id", ""):
        with pytest.raises(DuplicateId):
            full["words"].rename(wrong)
    with pytest.raises(EdgeError):
        full.add("TextInput", id="gone").rename("x") and full["gone"]


def test_remove_takes_edges_layout_and_membership_along(full):
    full.remove("a")
    document = full.to_dict()
    assert document["edges"] == [["b.result", "all.values"]]
    assert "a" not in document["layout"]
    assert document["groups"]["group"]["nodes"] == ["b"]
    full.remove("b")
    assert full.to_dict()["groups"] == {}
    with pytest.raises(EdgeError, match="no node"):
        full.remove("a")


def test_groups_of_missing_nodes_are_refused(full):
    with pytest.raises(EdgeError):
        full.group("x", ["ghost"])


def test_arrange_overlaps_nothing(full):
    full.arrange()
    places = [tuple(at) for at in full.to_dict()["layout"].values()]
    assert len(set(places)) == len(places) == len(full)


def test_a_place_is_found_at_once_when_somebody_looks_on(wf):
    wf.add("TextInput", id="a")
    assert wf.history.document["layout"] == {}
    wf.history.subscribe(lambda change: None)
    wf.settle()
    wf.add("TextInput", id="b")
    layout = wf.history.document["layout"]
    assert layout.keys() == {"a", "b"}
    assert layout["a"] != layout["b"]


def test_finding_places_on_opening_is_no_step(wf):
    opened = Workflow.from_dict({"bpaz": 1, "name": "x", "nodes": {"a": {"type": "TextInput"}}})
    opened.settle()
    assert opened.history.document["layout"].keys() == {"a"}
    assert opened.undo() is False


# ---- the one way in ------------------------------------------------------------------------------


def test_a_stale_change_is_refused(full):
    with pytest.raises(StaleChange):
        full.apply([{"path": ["nodes", "text", "settings", "text"], "old": "older", "new": "y"}])
    assert full["text"].settings == {"text": "x"}


REFUSED = {
    "removing a node that edges need": [{"path": ["nodes", "a"]}],
    "an edge to nowhere": [{"edge": ["a.result", "ghost.x"], "new": 0}],
    "a circle": [{"edge": ["all.result", "all.values"], "new": 0}],
    "a node of no shape": [{"path": ["nodes", "new"], "new": {"colour": "red"}}],
    "an id that is none": [{"path": ["nodes", "not an id"], "new": {"type": "TextInput"}}],
    "a place of no shape": [{"path": ["layout", "a"], "old": None, "new": "left"}],
    "a note of no shape": [{"path": ["notes", "n"], "new": "text"}],
    "a name of no shape": [{"path": ["name"], "old": "Test", "new": 5}],
    "NaN": [{"path": ["nodes", "text", "settings", "text"], "old": "x", "new": float("nan")}],
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_damage_the_document_is_refused_and_changes_nothing(full, name):
    operations = REFUSED[name]
    for operation in operations:
        if operation.get("path") == ["nodes", "a"]:
            operation["old"] = full.history.document["nodes"]["a"]
        if operation.get("path") == ["layout", "a"]:
            operation["old"] = full.history.document["layout"]["a"]
    before, revision = full.to_json(), full.history.revision
    with pytest.raises(DocumentError) as caught:
        full.apply(operations)
    assert str(caught.value)
    assert full.to_json() == before
    assert full.history.revision == revision


def test_what_is_merely_unfinished_may_stand(full):
    full.apply([{"path": ["nodes", "text", "settings", "colour"], "new": "red"}])
    full.apply([{"path": ["nodes", "ghost"], "new": {"type": "Nope", "version": 1, "settings": {}}}])
    assert {problem.path for problem in full.validate()} == {
        "nodes.text.settings.colour",
        "nodes.ghost.type",
    }


def test_edits_of_several_threads_lose_nothing():
    wf = Flow()
    wf.put(add, "add")

    def work(name):
        for number in range(20):
            wf.put(up, f"{name}{number}")

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(wf) == 61
