"""What a canvas does inside containers and with a run: answers, pins, parts of a run, folding."""

from __future__ import annotations

import pytest

from bpaz_lab.nodes.context import APPROVE, Context
from tests.support.flows import one, up

pytestmark = pytest.mark.unit


async def asked(value: str, context: Context) -> str:
    """Asks whether a value may go on."""
    answer = await context.ask("May it go on?", value, (APPROVE,))
    return value if answer["approve"] else "no"


@pytest.fixture
def each(wf, page):
    """A ForEach whose body makes every item one more."""
    wf.put(one, "source")
    with wf.add("ForEach", id="each") as body:
        start = body.add("Start", id="start", fields=[{"name": "item", "kind": "any"}])
        wf.types.register(make(up, "up_in_body"))
        start >> body.add("up_in_body", id="up") >> body.add("End", id="end", fields=["more"])
    page.settled()
    return wf["each"]


def make(function, name):
    from bpaz_lab.nodes.function import node_class

    return node_class(function, name=name, inline=True)


def start_of(page):
    """The outcome of the run that the page has seen."""
    return [event for message in page.of("events") for event in message["events"]]


def ended(page, status="completed"):
    return any(e["type"] == "run.finished" and e["status"] == status for e in start_of(page))


def numbers(wf, *values):
    """Feeds these to the ForEach."""

    def listed() -> list:
        """Some numbers."""
        return list(values)

    wf.types.register(make(listed, "listed"))
    wf.connect(wf.add("listed", id="listed"), wf["each"]["items"])


# ---- inside containers ---------------------------------------------------------------------------


def test_an_edit_inside_is_done_inside_and_changes_the_ports_outside(wf, page, other, each):
    fields = {"within": ["each"], "path": ["nodes", "end", "settings", "fields"], "old": ["more"]}
    page.change({**fields, "new": ["more", "least"]}, id="in")
    assert each.body["end"].settings == {"fields": ["more", "least"]}
    for view, id in ((page, "in"), (other, "")):
        change = [m for m in view.of("changed") if m["operations"]][-1]
        assert change["id"] == id
        assert change["operations"][0]["within"] == ["each"]
        assert [port["name"] for port in change["ports"]["each"]["outputs"]] == ["more", "least"]
        assert [port["name"] for port in change["ports"]["each/end"]["inputs"]] == ["more", "least"]


def test_an_edit_inside_of_what_is_gone_is_refused(wf, page, each):
    (answer,) = page.change({"within": ["ghost"], "path": ["nodes", "a"], "new": {}}, id="7")
    assert (answer["type"], answer["id"]) == ("refused", "7")
    assert answer["error"]["code"] == "stale_change"


def test_the_problems_inside_have_their_path(wf, page, each):
    each.body.disconnect(each.body["start"])
    page.settled()
    problems = [s for m in page.of("changed") for splice in m["problems"] or [] for s in splice["insert"]]
    assert "nodes.each.body.nodes.up.inputs.value" in [problem["path"] for problem in problems]


def test_what_opens_has_the_ports_inside(wf, page, each):
    opened = page.ask("open")[-1]
    assert opened["ports"].keys() >= {"each", "each/start", "each/end"}
    assert opened["document"]["nodes"]["each"]["body"]["layout"].keys() == {"start", "up", "end"}
    assert [field["name"] for field in opened["catalogue"]["policy"]][:2] == ["disabled", "retries"]


def test_the_value_of_a_node_inside_is_that_of_the_last_round(wf, page, each):
    numbers(wf, 1, 5)
    page.ask("start")
    page.until(lambda: ended(page))
    (answer,) = [m for m in page.ask("show", node="each/up", port="result") if m["type"] != "changed"]
    assert answer["type"] == "shown"
    assert page.shown[-1][1] == 6
    (answer,) = [m for m in page.ask("show", node="each/ghost", port="x") if m["type"] != "changed"]
    assert answer["error"]["path"] == "nodes.each.body.nodes.ghost"


def test_nodes_are_folded_and_unfolded_as_one_step(wf, page, each):
    before = wf.to_dict()
    page.ask("extract", within=["each"], nodes=["up"])
    assert "up" not in each.body
    assert wf["each"].body["part"].type == "SubWorkflow"
    page.ask("dissolve", within=["each"], node="part")
    assert "up" in each.body
    page.ask("undo")
    page.ask("undo")
    assert wf.to_dict()["nodes"] == before["nodes"]


def test_what_cannot_be_folded_is_told(wf, page, each):
    assert page.ask("dissolve", node="each")[-1]["type"] == "failed"
    assert page.ask("extract", within=["nobody"], nodes=["x"])[-1]["type"] == "failed"


# ---- runs ----------------------------------------------------------------------------------------


def test_a_question_is_answered_from_the_page(wf, page):
    wf.put(asked, "ask", inline=False)
    page.ask("start", inputs={"value": "Hi"})
    page.until(lambda: any(e["type"] == "run.paused" for e in start_of(page)))
    (question,) = [e["question"] for e in start_of(page) if e["type"] == "node.asked"]
    assert (question["text"], question["data"]) == ("May it go on?", "Hi")
    assert [field["name"] for field in question["form"]] == ["approve"]
    told = [
        m for m in page.ask("answer", address="ask", answer={"approve": "perhaps"}) if m["type"] == "failed"
    ]
    assert told[0]["error"]["path"].startswith("nodes.ask")
    page.ask("answer", address="ask", answer={"approve": True})
    page.until(lambda: ended(page))
    assert wf.latest.output == "Hi"


def test_an_answer_without_a_run_is_told(page):
    assert page.ask("answer", address="a", answer={})[-1]["error"]["code"] == "input"


def test_parts_of_a_run_and_a_run_afresh(wf, page):
    for function, id in ((one, "a"), (up, "b"), (up, "c")):
        wf.put(function, id, inline=False)  # what is inline is never kept
    wf.wire("a.result b.value", "b.result c.value")

    def computed(**parts):
        page.ask("start", **parts)
        events = wf.latest.wait().events
        return [event.node for event in events if event.type == "node.started"]

    assert computed(cache=False) == ["a", "b", "c"]
    assert computed() == []  # what was computed afresh is kept
    assert computed(target="b", cache=False) == ["a", "b"]
    assert computed(only="b", cache=False) == ["b"]
    computed()
    assert computed(since="b", cache=False) == ["b", "c"]


def test_pins_are_told_to_every_canvas_wherever_they_are_made(wf, page, other):
    wf.put(one, "a")
    wf.run()
    page.ask("pin", node="a", on=True)
    page.settled()
    assert wf.pins == {"a": {"result": 1}}
    for view in (page, other):
        assert [m["pinned"] for m in view.of("changed") if m["pinned"] is not None] == [["a"]]
    wf["a"].unpin()
    page.settled()
    assert page.of("changed")[-1]["pinned"] == []
    page.ask("open")
    assert page.of("opened")[-1]["pinned"] == []


def test_what_is_stale_is_told_after_a_run_with_the_reason(wf, page):
    wf.add("PromptTemplate", id="hello", template="Hello {name}!")
    page.settled()
    assert all(m["stale"] is None for m in page.of("changed"))
    page.ask("start", inputs={"name": "you"})
    page.until(lambda: ended(page))
    wf["hello"].set(template="Bye {name}!")
    page.until(lambda: any(m["stale"] for m in page.of("changed")))
    (stale,) = [m["stale"] for m in page.of("changed") if m["stale"]]
    assert "template" in stale["hello"]
    page.ask("start", inputs={"name": "you"})
    page.until(lambda: page.of("changed")[-1]["stale"] == {})


def test_nodes_that_act_on_the_outside_are_not_called_stale(wf, page):
    cls = make(one, "sends")
    cls.effect = "once"
    wf.types.register(cls)
    wf.add("sends", id="send")
    wf.run()
    page.settled()
    assert wf.stale().keys() == {"send"}
    assert page.ask("open")[-1]["stale"] == {}
