from __future__ import annotations

import asyncio
import threading

import pytest

from bpaz_lab import Workflow
from bpaz_lab.guard.credentials import EnvironmentResolver
from bpaz_lab.nodes.context import Context, Services
from bpaz_lab.nodes.function import node_class
from tests.support.flows import Flow, one, up

pytestmark = pytest.mark.unit

WAIT = 20
TEXT = {"type": "TextInput", "version": 1, "settings": {"text": "hi"}}


def add(id, entry=TEXT):
    return {"path": ["nodes", id], "new": entry}


# ---- opening -------------------------------------------------------------------------------------


def test_before_it_is_open_a_view_hears_nothing(wf, page):
    page.bridge._opened = False
    count = len(page.sent)
    wf.add("TextInput")
    wf.put(one)
    wf.run()
    page.settled()
    assert len(page.sent) == count


def test_a_workflow_opens_where_a_package_is_missing_and_its_node_says_so(wf, page):
    lacking = node_class(one, name="lacking")
    lacking.requires, lacking.extra = ("no_such_package_here",), "openai"
    wf.add(lacking, id="a")
    page.settled()
    opened = page.ask("open")[-1]
    assert opened["type"] == "opened"
    (problem,) = opened["problems"]
    assert (problem["code"], problem["path"]) == ("missing_package", "nodes.a")
    assert problem["hint"] == "pip install 'bpaz-lab[openai]'"
    page.change({"path": ["name"], "old": "Test", "new": "Other"})
    page.settled()
    assert page.ask("start")[-1]["error"]["code"] == "missing_package"


def test_open_gives_everything(wf, page):
    wf.add("PromptTemplate", id="p", template="{a} {b}")
    wf.apply([add("x", {"type": "Nope", "version": 1, "settings": {}})])
    wf.add("ChatInput", id="ask")
    page.settled()
    opened = page.ask("open")[-1]
    assert opened["type"] == "opened"
    assert opened["revision"] == wf.history.revision
    assert opened["document"] == wf.to_dict()
    assert opened["document"]["layout"].keys() == {"p", "x", "ask"}
    assert {spec["type"] for spec in opened["catalogue"]["nodes"]} >= {"PromptTemplate", "TextInput"}
    assert [port["name"] for port in opened["ports"]["p"]["inputs"]] == ["a", "b"]
    assert opened["ports"]["x"] == {"inputs": [], "outputs": []}
    assert [(p["code"], p["path"]) for p in opened["problems"]] == [("unknown_node_type", "nodes.x.type")]
    assert opened["run"] is None
    assert opened["can_undo"] is True
    assert opened["can_redo"] is False


def test_open_after_a_run_shows_that_run(wf, page):
    wf.put(one, "a")
    run = wf.run()
    page.until(lambda: any(e["type"] == "run.finished" for m in page.of("events") for e in m["events"]))
    opened = page.ask("open")[-1]
    assert opened["run"]["id"] == run.id
    assert opened["run"]["status"] == "completed"
    assert [event["seq"] for event in opened["run"]["events"]] == list(range(len(run.events)))


def test_the_inputs_of_a_run_are_asked_for(wf, page):
    wf.add("ChatInput", id="ask")
    page.settled()
    opened = page.ask("open")[-1]
    (asked,) = opened["inputs"]
    assert (asked["name"], asked["node"], asked["tag"], asked["required"]) == (
        "question",
        "ask",
        "text",
        True,
    )


# ---- edits ---------------------------------------------------------------------------------------


def test_a_change_is_done_and_echoed_with_its_id_to_its_sender_alone(wf, page, other):
    page.change(add("a"), id="mine")
    assert wf["a"].settings == {"text": "hi"}
    (own,) = [m for m in page.of("changed") if m["operations"]]
    (others,) = [m for m in other.of("changed") if m["operations"]]
    assert own["id"] == "mine"
    assert others["id"] == ""
    assert own["operations"] == others["operations"] == [add("a")]
    assert own["revision"] == others["revision"] == wf.history.revision
    assert own["can_undo"] is True


def test_an_edit_in_a_cell_is_seen_at_once(wf, page, other):
    wf.add("TextInput", id="a")
    for view in (page, other):
        (changed,) = [m for m in view.of("changed") if m["operations"]]
        assert changed["id"] == ""
        assert {tuple(operation["path"]) for operation in changed["operations"]} == {
            ("nodes", "a"),
            ("layout", "a"),
        }


def test_a_refused_change_changes_nothing_and_says_why(wf, page, other):
    wf.add("TextInput", id="a", text="x")
    before, seen = wf.to_json(), len(other.sent)
    stale = {"path": ["nodes", "a", "settings", "text"], "old": "older", "new": "y"}
    (answer,) = page.change(add("b"), stale, id="7")
    assert answer["type"] == "refused"
    assert answer["id"] == "7"
    assert answer["revision"] == wf.history.revision
    assert answer["error"]["code"] == "stale_change"
    assert answer["error"]["path"] == "nodes.a.settings.text"
    assert answer["error"]["hint"]
    assert wf.to_json() == before
    other.settled()
    assert len([m for m in other.messages[seen:] if m.get("operations")]) == 0


@pytest.mark.parametrize(
    "operation",
    [
        {},
        {"path": "nodes"},
        {"path": 5, "new": 1},
        {"path": ["nodes"], "new": {}},
        {"path": ["nodes", "a", "body", "x"], "new": 1},
        {"path": ["bpaz"], "old": 1, "new": 2},
        {"path": ["nodes", 5], "new": TEXT},
        {"path": [], "new": 1},
        {"edge": "a.b", "new": 0},
        {"edge": ["a", "b"], "new": 0},
        {"edge": ["a.text", "b.text"], "new": 0},
        {"edge": ["a.text", "a.text"], "new": "first"},
        {"path": ["nodes", "a", "settings", "text"], "new": float("nan")},
        {"path": ["nodes", "a", "settings", "text"], "new": "\ud800"},
        {"path": ["nodes", "x"], "new": {"type": "T", "settings": []}},
        {"path": ["layout", "x"], "new": [None, None]},
    ],
)
def test_malformed_operations_are_refused_and_raise_nothing(wf, page, operation):
    wf.apply([add("a", {**TEXT, "settings": {}})])
    before = wf.to_json()
    (answer,) = page.change(operation)
    assert answer["type"] == "refused", answer
    assert wf.to_json() == before


@pytest.mark.parametrize(
    "message",
    [
        None,
        [],
        "open",
        {},
        {"type": "explode"},
        {"type": "change"},
        {"type": "change", "id": 1, "base": "x", "operations": None},
        {"type": "show", "node": "a"},
        {"type": "open", "extra": 1},
        {"type": "start", "inputs": []},
    ],
)
def test_malformed_messages_are_answered_and_raise_nothing(page, message):
    before = len(page.sent)
    page.bridge.receive(message)
    (answer,) = page.messages[before:]
    assert answer["type"] == "failed"
    assert answer["error"]["code"] == "message"


def test_a_literal_secret_is_refused_and_not_repeated(wf, page, other):
    key = "sk-proj-" + "aB3dE6gH9jK2mN5pQ8sT1vW4xY7zA0cD"
    (answer,) = page.change(add("a", {**TEXT, "settings": {"text": key}}))
    assert answer["error"]["code"] == "literal_secret"
    assert key not in str(page.messages)
    assert key not in str(other.messages)
    assert len(wf) == 0


def test_undo_and_redo_from_the_page(wf, page, other):
    page.change(add("a"))
    page.ask("undo")
    assert "a" not in wf
    assert other.of("changed")[-1]["operations"] == [{"path": ["nodes", "a"], "old": TEXT}]
    assert page.of("changed")[-1]["can_undo"] is False
    assert page.of("changed")[-1]["can_redo"] is True
    page.ask("redo")
    assert "a" in wf
    assert page.ask("redo") == []


def test_problems_and_inputs_follow_a_change_only_when_they_change(wf, page):
    page.change(add("a", {"type": "LLMChain", "version": 1, "settings": {}}))
    page.settled()
    told = [m for m in page.of("changed") if m["problems"] is not None]
    assert [p["path"] for p in told[-1]["problems"][0]["insert"]] == ["nodes.a.inputs.model"]
    count = len(page.sent)
    wf.move("a", 5, 5)
    page.settled()
    assert len(page.sent) == count + 1


def test_ports_that_depend_on_settings_travel_with_the_change(wf, page):
    node = wf.add("PromptTemplate", id="p", template="{a}")
    node.set(template="{a} {b}")
    changed = page.of("changed")
    last = [m for m in changed if m["operations"]][-1]
    assert [port["name"] for port in last["ports"]["p"]["inputs"]] == ["a", "b"]
    wf.move(node, 1, 2)
    last = [m for m in page.of("changed") if m["operations"]][-1]
    assert last["ports"] == {}


def test_a_placeholder_gains_the_ports_that_its_edges_name():
    from tests.unit.widget.conftest import Page

    wf = Workflow.from_dict(
        {"bpaz": 1, "name": "x", "nodes": {"a": {"type": "TextInput"}, "n": {"type": "Nope"}},
         "edges": [["a.text", "n.x"]]}
    )  # fmt: skip
    page = Page(wf)
    opened = page.ask("open")[-1]
    assert [port["name"] for port in opened["ports"]["n"]["inputs"]] == ["x"]
    wf.disconnect(wf["a"])
    assert page.of("changed")[0]["ports"]["n"] == {"inputs": [], "outputs": []}
    wf.undo()
    last = [m for m in page.of("changed") if m["operations"]][-1]
    assert [port["name"] for port in last["ports"]["n"]["inputs"]] == ["x"]


def test_a_type_that_a_cell_makes_or_changes_is_told(wf, page):
    def mine(text):
        return text

    def again(text, more: str = ""):
        return text

    again.__name__ = "mine"
    wf.types.register(node_class(mine))
    (told,) = page.of("registered")
    assert told["nodes"][0]["type"] == "mine"
    wf.add("mine", id="m")
    wf.types.register(node_class(again))
    assert [p["name"] for p in page.of("registered")[-1]["nodes"][0]["ports"]["inputs"]] == ["text", "more"]


def test_an_edge_that_a_new_version_cuts_becomes_a_problem_on_the_page(wf, page):
    def first(text):
        return text

    def second(words):
        return words

    second.__name__ = "first"
    wf.add("TextInput", id="t") >> wf.put(first, "f")
    page.settled()
    wf.types.register(node_class(second))
    page.settled()
    problems = [m for m in page.of("changed") if m["problems"] is not None][-1]["problems"][0]["insert"]
    assert [(p["code"], p["path"]) for p in problems] == [("edge", "edges.0")]


def test_a_closed_view_hears_nothing_and_others_go_on(wf, page, other):
    page.bridge.close()
    count = len(page.sent)
    wf.add("TextInput", id="a")
    wf.put(one, "one")
    wf.run()
    other.until(lambda: other.of("events"))
    assert len(page.sent) == count
    assert other.of("changed")
    page.bridge.close()  # once more does no harm


# ---- runs ----------------------------------------------------------------------------------------


def heard(page):
    return [event for message in page.of("events") for event in message["events"]]


def over(page):
    return any(event["type"] == "run.finished" for event in heard(page))


def test_a_run_from_the_page_streams_every_event_once(wf, page, other):
    async def talks(name, context: Context):
        for number in range(500):
            context.emit(f"{number} ", "result")
            if number % 50 == 0:
                await asyncio.sleep(0)
        return name

    wf.put(talks, "talks")
    page.ask("start", inputs={"name": "x"})
    for view in (page, other):
        view.until(lambda view=view: over(view))
        events = heard(view)
        assert [event["seq"] for event in events] == list(range(len(wf.latest.events)))
        assert {message["run"] for message in view.of("events")} == {wf.latest.id}
        assert len(view.of("events")) < 250  # in batches, not one by one
    assert wf.latest.output == "x"


def test_a_run_of_a_cell_is_seen_on_the_page(wf, page):
    wf.put(one, "a")
    wf.run()
    page.until(lambda: over(page))
    assert [event["type"] for event in heard(page)] == [
        "run.started",
        "node.started",
        "node.finished",
        "run.finished",
    ]


def test_one_run_after_another(wf, page):
    wf.put(one, "a")
    for _ in range(3):
        run = wf.run()
        page.until(
            lambda run=run: any(
                m["run"] == run.id and m["events"][-1]["type"] == "run.finished" for m in page.of("events")
            )
        )
        events = [event for m in page.of("events") if m["run"] == run.id for event in m["events"]]
        assert [event["seq"] for event in events] == list(range(len(run.events)))


def test_run_to_here_and_stop(wf, page):
    entered = threading.Event()

    async def waits(value):
        entered.set()
        await asyncio.Event().wait()

    wf.put(one, "a")
    wf.put(waits, "b")
    wf.wire("a.result b.value")
    page.ask("start", target="a")
    assert wf.latest.wait(WAIT).output == 1
    page.ask("start")
    assert entered.wait(WAIT)
    page.ask("stop")
    assert wf.latest.wait(WAIT).status == "cancelled"
    page.until(lambda: any(e.get("status") == "cancelled" for e in heard(page)))


def test_stop_without_a_run_does_nothing(page):
    assert page.ask("stop") == []


def test_a_run_that_cannot_start_is_told(wf, page):
    wf.put(up, "a")
    page.settled()
    (answer,) = page.ask("start")
    assert answer["type"] == "failed"
    assert answer["error"]["code"] == "input"
    (answer,) = page.ask("start", target="ghost")
    assert answer["error"]["code"] == "edge"
    assert answer["error"]["hint"]
    wf.add("LLMChain", id="chain")
    page.settled()
    (answer,) = page.ask("start", inputs={"value": 1, "prompt": "x"})
    assert answer["error"]["path"] == "nodes.chain.inputs.model"


def test_the_events_of_a_failure_are_masked(wf, page):
    def leaks(context: Context):
        key = context.secret("mine").reveal()
        context.emit(key[:6], "result")
        context.emit(key[6:], "result")
        raise ValueError(f"bad key {key}")

    secret = "correct-horse-battery-staple"
    wf.put(leaks, "leaks", inline=False)
    run = wf.go("direct", services=Services(resolver=EnvironmentResolver({"BPAZ_CREDENTIAL_MINE": secret})))
    page.bridge._started(run)
    page.until(lambda: over(page))
    assert secret not in str(page.messages)
    assert "bad key •••" in str(page.messages)


# ---- looking -------------------------------------------------------------------------------------


def test_show_hands_the_value_itself_over(wf, page):
    thing = object()

    def source():
        return thing

    wf.put(source, "a")
    run = wf.run()
    (answer,) = [m for m in page.ask("show", node="a", port="result") if m["type"] != "events"]
    assert answer == {"type": "shown", "node": "a", "port": "result"}
    ((told, value),) = page.shown
    assert told is run
    assert value is thing


def test_a_value_that_is_not_there_is_told(wf, page):
    wf.put(one, "a")
    (answer,) = page.ask("show", node="a", port="result")
    assert answer["type"] == "failed"
    assert answer["error"]["path"] == "nodes.a"
    assert "Run the workflow" in answer["error"]["hint"]
    wf.run()
    page.until(lambda: over(page))
    (answer,) = page.ask("show", node="a", port="nothing")
    assert answer["type"] == "failed"
    assert page.shown == []


def test_what_a_strangers_display_raises_is_told(wf, page):
    class Broken:
        pass

    def fail(_run, _value):
        raise ZeroDivisionError("no picture")

    def source():
        return Broken()

    wf.put(source, "a")
    wf.run()
    page.until(lambda: over(page))
    page.bridge._show = fail
    (answer,) = page.ask("show", node="a", port="result")
    assert answer["type"] == "failed"
    assert "no picture" in answer["error"]["message"]


def test_draw_gives_document_and_picture(wf, page):
    wf.add("TextInput", id="a", text="hi")
    (drawn,) = page.ask("draw")
    assert drawn["type"] == "drawn"
    assert drawn["document"] == wf.to_dict()
    assert drawn["picture"].startswith("<svg")


# ---- one edit is small ---------------------------------------------------------------------------

KILOBYTE = 1024


def thousand():
    """A workflow of 1,000 sound nodes in chains of ten."""
    nodes, edges, layout = {}, [], {}
    for number in range(1000):
        id = f"node_{number}"
        nodes[id] = {"type": "PromptTemplate", "settings": {"template": "Say {text} again"}}
        layout[id] = [number % 30 * 300, number // 30 * 150]
        if number % 10:
            edges.append([f"node_{number - 1}.text", f"{id}.text"])
    document = {"bpaz": 1, "name": "Large", "nodes": nodes, "edges": edges, "layout": layout}
    return Workflow.from_dict(document)


ON_THE_PAGE = {
    "set": lambda wf: [
        {
            "path": ["nodes", "node_5", "settings", "template"],
            "old": "Say {text} again",
            "new": "{text} {more}",
        }
    ],
    "move": lambda wf: [{"path": ["layout", "node_5"], "old": [1500, 0], "new": [1, 2]}],
    "connect": lambda wf: [{"edge": ["node_9.text", "node_10.text"], "new": 0}],
    "disconnect": lambda wf: [{"edge": ["node_4.text", "node_5.text"], "old": 0}],
    "add": lambda wf: [add("new"), {"path": ["layout", "new"], "new": [1, 2]}],
    "remove": lambda wf: [
        {"edge": ["node_4.text", "node_5.text"], "old": 0},
        {"edge": ["node_5.text", "node_6.text"], "old": 0},
        {"path": ["nodes", "node_5"], "old": wf.history.document["nodes"]["node_5"]},
        {"path": ["layout", "node_5"], "old": [1500, 0]},
    ],
    "title": lambda wf: [{"path": ["nodes", "node_5", "title"], "new": "The fifth"}],
    "break": lambda wf: [{"path": ["nodes", "node_5", "settings", "colour"], "new": "red"}],
}
IN_A_CELL = {
    "set": lambda wf: wf["node_5"].set(template="{text} {more}"),
    "move": lambda wf: wf.move("node_5", 1, 2),
    "connect": lambda wf: wf.connect(wf["node_9"], wf["node_10"]),
    "disconnect": lambda wf: wf.disconnect(wf["node_4"], wf["node_5"]),
    "add": lambda wf: wf.add("TextInput", text="hi"),
    "remove": lambda wf: wf.remove("node_5"),
    "title": lambda wf: setattr(wf["node_5"], "title", "The fifth"),
    "rename": lambda wf: wf["node_5"].rename("renamed"),
    "note": lambda wf: wf.note("remember"),
    "group": lambda wf: wf.group("some", ["node_1", "node_2"]),
    "name": lambda wf: setattr(wf, "name", "Larger"),
    "undo": lambda wf: wf.undo(),
}


@pytest.fixture(scope="module")
def large():
    from tests.unit.widget.conftest import Page

    wf = thousand()
    page = Page(wf)
    page.ask("open")
    yield wf, page
    page.bridge.close()


@pytest.mark.parametrize("name", [*(f"page {n}" for n in ON_THE_PAGE), *(f"cell {n}" for n in IN_A_CELL)])
def test_one_edit_on_a_thousand_nodes_sends_at_most_a_kilobyte(large, name):
    wf, page = large
    where, _, edit = name.partition(" ")
    if edit == "undo":
        wf.remove("node_7")
    page.settled()
    before = len(page.sent)
    if where == "page":
        (answer,) = [m for m in page.change(*ON_THE_PAGE[edit](wf), id="42") if m["type"] != "events"][:1]
        assert answer["type"] == "changed", answer
    else:
        IN_A_CELL[edit](wf)
    page.settled()
    sent = page.sent[before:]
    if edit != "undo":
        wf.undo()
        page.settled()
    assert sent
    assert sum(len(each.encode()) for each in sent) <= KILOBYTE, [each[:300] for each in sent]


def test_the_thousand_nodes_are_as_before_every_edit(large):
    wf, _ = large
    assert wf == thousand()


def test_a_flow_is_a_host():
    assert isinstance(Flow(), Workflow)
