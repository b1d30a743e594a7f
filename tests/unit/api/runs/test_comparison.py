from __future__ import annotations

import pytest

from bpaz_lab.api.runs.comparison import Comparison
from bpaz_lab.engine.compare import NodeComparison, Side
from bpaz_lab.engine.events import Preview

pytestmark = pytest.mark.unit


def side(text, status="finished", **more):
    return Side(status=status, outputs={"text": Preview("str", text)}, **more)


NODES = [
    NodeComparison("who", "same", side("Ada"), side("Ada"), same=True),
    NodeComparison(
        "draft",
        "changed",
        side("old", seconds=0.9, tokens=120, cost=0.0012),
        side("<b>new</b>", seconds=1.5, tokens=150, cost=0.0016),
        same=False,
        settings='~ draft: template "a" -> "b"',
    ),
    NodeComparison("each/clean", "changed", side("x"), side("x", "failed")),
    NodeComparison("table", "changed", side("same look"), side("same look"), same=False),
    NodeComparison("gone", "removed", side("x"), None),
    NodeComparison("fresh", "added", None, side("y")),
]


@pytest.fixture
def found():
    return Comparison(NODES, "3f0c6f6e", "9a77bc01")


def test_as_text(found):
    assert (
        str(found)
        == """\
~ draft
    template "a" -> "b"
    text  'old'
       -> '<b>new</b>'
~ each/clean: finished -> failed
~ table
    its values differ
- gone
    text  'x'
+ fresh
    text  'y'"""
    )
    assert str(Comparison(NODES[:1], "a", "b")) == "no difference"


def test_as_a_sequence(found):
    assert (len(found), bool(found), bool(Comparison(NODES[:1], "a", "b"))) == (6, True, False)
    assert found["draft"].other.tokens == 150
    assert found[0].place == "who"
    assert [each.place for each in found[:2]] == ["who", "draft"]
    with pytest.raises(KeyError, match="draft"):
        found["drft"]


def test_as_html(found):
    shown = found._repr_html_()
    assert "5 of 6 nodes differ" in shown
    assert "&lt;b&gt;new&lt;/b&gt;" in shown
    assert "<b>new" not in shown
    assert "120 → 150" in shown
    assert "900 ms → 1.5 s" in shown
    assert "Tokens" not in Comparison(NODES[:1], "a", "b")._repr_html_()


def test_as_a_frame(found):
    frame = found.to_frame()
    assert list(frame["kind"]) == ["same", "changed", "changed", "changed", "removed", "added"]
    assert frame["tokens_other"][1] == 150
    assert frame["status_one"].isna().tolist() == [False] * 5 + [True]
