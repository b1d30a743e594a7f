from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from bpaz_lab.engine.events import from_json
from bpaz_lab.engine.timeline import LABELS, WIDTH, Timeline, span_of, ticks
from tests.support.flows import Flow, one

pytestmark = pytest.mark.unit

SVG = "{http://www.w3.org/2000/svg}"


def timeline(events, now=10.0):
    typed = [
        from_json({"seq": seq, "time": time, "type": kind, "node": node, **fields})
        for seq, (time, kind, node, fields) in enumerate(events)
    ]
    return Timeline(typed, now)


def drawn(shown):
    """The picture as XML: its texts, and its bars as (x, width, title)."""
    root = ET.fromstring(shown._repr_svg_())  # noqa: S314 (our own)
    texts = ["".join(each.itertext()) for each in root.iter(f"{SVG}text")]
    bars = [
        (float(each.get("x")), float(each.get("width")), each.findtext(f"{SVG}title"))
        for each in root.iter(f"{SVG}rect")
        if each.find(f"{SVG}title") is not None
    ]
    return root, texts, bars


def ran(node, start, end, **fields):
    done = {"duration": end - start, "outputs": {}, **fields}
    return [(start, "node.started", node, {}), (end, "node.finished", node, done)]


def test_bars_lie_where_their_time_is():
    _, texts, bars = drawn(timeline([*ran("a", 0.0, 5.0), *ran("b", 5.0, 10.0)]))
    (x, width, title), (other, _, _) = bars
    assert x == LABELS
    assert other == pytest.approx(x + width)
    assert other + width < WIDTH
    assert title == "a: computed, 5 s"
    assert {"aa", "bb"} <= set(texts)  # label and tooltip
    assert "5 s" in texts


def test_rounds_share_a_row_and_do_not_explode():
    events = []
    for number in range(2000):
        events += ran(f"each[{number}]/clean", number * 0.005, number * 0.005 + 0.004)
    shown = timeline(events)
    assert repr(shown) == "<Timeline of 1 node>"
    root, texts, bars = drawn(shown)
    assert len(bars) < 700
    assert any("clean ×2,000" in text for text in texts)  # noqa: RUF001
    assert float(root.get("viewBox").split()[3]) < 100
    assert any("times: computed" in title for _, _, title in bars)


def test_rounds_at_the_same_time_are_drawn_as_one():
    events = [event for number in range(1000) for event in ran(f"each[{number}]/clean", 0.0, 9.0)]
    _, _, bars = drawn(timeline(sorted(events, key=lambda event: event[0])))
    assert len(bars) == 1


def test_a_container_comes_before_its_body():
    events = [
        (0.0, "node.started", "each", {}),
        *ran("each[0]/x", 0.0, 1.0),
        *ran("other", 0.5, 0.6),
        *ran("each[0]/y", 1.0, 2.0),
    ]
    _, texts, _ = drawn(timeline(events))
    labels = [text for text in texts if text in ("eacheach", "each/xx", "each/yy", "otherother")]
    assert labels == ["eacheach", "each/xx", "each/yy", "otherother"]


def test_labels_and_errors_are_text_and_nothing_else():
    hostile = '"/><script>alert(1)</script>\0'
    error = {"code": "x", "message": hostile, "hint": hostile, "path": ""}
    events = [
        (0.0, "node.started", hostile, {"why": hostile}),
        (1.0, "node.failed", hostile, {"duration": 1, "error": error}),
    ]
    root, texts, bars = drawn(timeline(events))
    assert not list(root.iter(f"{SVG}script"))
    assert any("<script>" in text for text in texts)
    assert "<script>" in bars[0][2]
    assert "<script" not in timeline(events)._repr_html_()


def test_every_state_has_its_colour_and_its_word():
    error = {"code": "x", "message": "no", "hint": "", "path": ""}
    question = {"text": "?", "value": {"type": "str", "text": "x"}, "form": []}
    _, texts, _ = drawn(
        timeline(
            [
                *ran("a", 0, 1),
                *ran("b", 0, 0, cached=True, saved=2.0),
                (1, "node.started", "c", {}),
                (2, "node.retried", "c", {"attempt": 1, "wait": 1, "error": error}),
                (3, "node.failed", "c", {"duration": 1, "error": error}),
                (3, "node.skipped", "d", {"reason": "no"}),
                (3, "node.started", "e", {}),
                (4, "node.asked", "e", {"question": question}),
            ]
        )
    )
    legend = ["computed", "kept from before", "failed", "a try that failed", "waits for a person", "skipped"]
    assert set(legend) <= set(texts)


def test_of_a_real_run_saved_to_a_file(tmp_path):
    flow = Flow()
    flow.put(one, "one")
    run = flow.go("direct").wait(20)
    file = run.timeline().save(tmp_path / "run.svg")
    assert ET.parse(file).getroot().tag == f"{SVG}svg"  # noqa: S314
    assert "http" not in file.read_text().replace("http://www.w3.org/2000/svg", "")


def test_a_run_in_which_nothing_has_begun():
    _, texts, bars = drawn(Timeline([], 0.0))
    assert "No node has begun." in texts
    assert not bars


@pytest.mark.parametrize("whole", [1e-6, 0.0042, 0.9, 7, 59, 61, 3700, 90_000, 1e7])
def test_ticks_are_few_and_round(whole):
    found = ticks(whole)
    assert 2 <= len(found) <= 9
    assert found[0] == 0
    assert found[-1] <= whole * 1.0001


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (5e-7, "0.5 µs"), (0.002, "2 ms"), (59.94, "59.9 s"), (120, "2 min"), (7200, "2 h")],
)
def test_durations(seconds, text):
    assert span_of(seconds) == text
