from __future__ import annotations

import pytest

from bpaz_lab.engine.events import from_json
from bpaz_lab.engine.spans import spans

pytestmark = pytest.mark.unit

ERROR = {"code": "x", "message": "no", "hint": "do", "path": "nodes.a"}
QUESTION = {"text": "Send?", "value": {"type": "str", "text": "x"}, "form": []}


def told(*events):
    """The spans of events, each as (time, type, node, fields)."""
    return spans(
        [
            from_json({"seq": seq, "time": time, "type": kind, "node": node, **fields})
            for seq, (time, kind, node, fields) in enumerate(events)
        ]
    )


def test_a_node_from_its_start_to_its_end():
    (span,) = told(
        (1.0, "node.started", "a", {"why": "new"}),
        (1.5, "token", "a", {"port": "text", "text": "Hi"}),
        (3.0, "node.finished", "a", {"duration": 2.0, "outputs": {}}),
    )
    assert (span.node, span.start, span.end, span.state, span.why) == ("a", 1.0, 3.0, "finished", "new")
    assert span.seconds(9.0) == 2.0


def test_one_that_goes_on_lasts_until_now():
    (span,) = told((1.0, "node.started", "a", {}))
    assert (span.state, span.end, span.seconds(4.0)) == ("running", None, 3.0)


def test_waiting_for_a_person_is_no_work():
    asked = [(1.0, "node.started", "a", {}), (2.0, "node.asked", "a", {"question": QUESTION})]
    (span,) = told(*asked)
    assert (span.state, span.seconds(10.0)) == ("waiting", 1.0)
    (span,) = told(
        *asked, (7.0, "node.answered", "a", {}), (8.0, "node.finished", "a", {"duration": 1.0, "outputs": {}})
    )
    assert span.waits == [(2.0, 7.0)]
    assert (span.state, span.seconds(10.0)) == ("finished", 2.0)


def test_tries_failures_skips_and_what_was_kept():
    one, two, three, four = told(
        (1.0, "node.started", "each[0]/a", {}),
        (2.0, "node.retried", "each[0]/a", {"attempt": 1, "wait": 0.5, "error": ERROR}),
        (3.0, "node.failed", "each[0]/a", {"duration": 1.0, "error": ERROR}),
        (3.0, "node.skipped", "b", {"reason": "no branch"}),
        (4.0, "node.finished", "c", {"duration": 0.0, "outputs": {}, "cached": True, "saved": 5.0}),
        (5.0, "node.started", "each[1]/a", {}),
    )
    assert (one.state, one.error.message, one.failures[0][0]) == ("failed", "no", 2.0)
    assert (two.state, two.why) == ("skipped", "no branch")
    assert (three.state, three.saved, three.start, three.end) == ("cached", 5.0, 4.0, 4.0)
    assert four.node == "each[1]/a"
