from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

import bpaz_lab as bz
from bpaz_lab.engine.cache import MemoryCache
from bpaz_lab.engine.display import MOST
from bpaz_lab.guard.credentials import EnvironmentResolver
from bpaz_lab.nodes.context import Context, Services
from bpaz_lab.nodes.function import node_class
from tests.support.flows import Flow

pytestmark = pytest.mark.unit

SECRET = "correct-horse-battery-staple"


class Page(HTMLParser):
    def __init__(self, source):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def picky(value: Any) -> Any:
    """Takes all but 7."""
    if value == 7:
        raise bz.InputError("not 7")
    return value


def page(run):
    return Page(run._repr_html_())


class Chat(bz.Node):
    """Tells what it used."""

    def run(self, text: str, context: bz.Context) -> str:
        context.usage(1000, 500, "gpt-4o")
        return text


def fails(value: Any) -> Any:
    """Fails."""
    raise bz.InputError(f"<b>{value}</b> is wrong", hint="Give <i>another</i>.")


def leaks(context: Context) -> Any:
    """Tells the secret."""
    raise ValueError(context.secret("mine").reveal())


def test_what_it_did_what_it_took_and_what_came_out():
    flow = Flow()
    flow.add(Chat, id="chat")
    shown = page(flow.run(text="an answer", cache=False))
    for told in ("Test completed", "1 computed", "1,000 + 500 tokens", "$0.0075", "chat", "str an answer"):
        assert told in shown.text


def test_what_was_kept_and_what_that_saved():
    flow = Flow()
    flow.add(Chat, id="chat")
    kept = MemoryCache()
    for _ in range(2):
        run = flow.run(text="twice", cache=kept)
    shown = page(run)
    assert "1 kept from before" in shown.text
    assert re.search(r"saved, 1,000 \+ 500 tokens, \$0\.0075", shown.text)


def test_an_error_with_its_hint_and_nothing_of_it_is_markup():
    flow = Flow()
    flow.put(fails, "fails")
    shown = page(flow.start(value="<script>x</script>").wait(20))
    assert "<b><script>x</script></b> is wrong" in shown.text
    assert "Give <i>another</i>." in shown.text
    assert "nodes.fails" in shown.text
    assert not {"script", "i"} & {tag for tag, _ in shown.tags}
    assert all(not name.startswith("on") for _, attrs in shown.tags for name in attrs)


def test_no_secret_shows():
    services = Services(resolver=EnvironmentResolver({"BPAZ_CREDENTIAL_MINE": SECRET}))
    flow = Flow()
    flow.put(leaks, "leaks", inline=False)
    run = flow.go("direct", services=services).wait(20)
    for shown in (run._repr_html_(), run.timeline()._repr_html_(), run.timeline()._repr_svg_()):
        assert SECRET not in shown
        assert "•••" in shown


def test_a_question_is_shown_while_it_waits():
    wf = bz.Workflow("Ask")
    wf.add("HumanApproval", id="ok")
    run = wf.run(value="the letter")
    assert run.status == "paused"
    assert "ok asks:" in page(run).text
    assert "waits for a person" in page(run).text
    run.resume(approve=True)
    assert "ok asks:" not in page(run).text


def test_a_long_run_is_cut_and_says_so():
    flow = Flow()

    def source() -> Any:
        """Gives a value."""
        return 1

    for number in range(MOST + 20):
        flow.put(source, f"n{number}")
    flow.put(fails, "late")
    flow.wire("n0.result late.value")
    shown = page(flow.go("direct").wait(20))
    rows = [tag for tag, _ in shown.tags if tag == "tr"]
    assert len(rows) == MOST + 1
    assert "late" in shown.text
    assert "more: see run.timeline()" in shown.text


def test_a_run_that_goes_on_can_be_shown():
    wf = bz.Workflow("Going")
    wf.add("Delay", id="wait", seconds=5)
    run = wf.start(value=1)
    assert re.search("Going (pending|running)", page(run).text)
    run.abandon()
    assert "Going cancelled" in page(run).text


def test_the_rounds_of_a_body_are_one_row_and_a_failed_one_stands_out():
    wf = Flow()
    wf.types.register(node_class(picky, inline=True))
    with wf.add("ForEach", id="each", on_item_error="collect") as body:
        item = body.add("Start", fields=[{"name": "item", "kind": "json"}], id="item")
        item >> body.add("picky", id="picky") >> body.add("End", fields=["item"], id="end")
    shown = page(wf.run(items=list(range(50)), cache=False))
    assert "each/item ×50" in shown.text  # noqa: RUF001
    assert "each/picky ×49" in shown.text  # noqa: RUF001
    assert "each[7]/picky" in shown.text
    assert "each[8]/picky" not in shown.text
