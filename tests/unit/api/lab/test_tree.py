from __future__ import annotations

import pytest

from bpaz_lab.api.lab.tree import Tree

pytestmark = pytest.mark.unit


def told(id, parent=None, at=None, status="completed"):
    return {
        "id": id * 8,
        "parent_id": parent * 8 if parent else None,
        "forked_at": at,
        "status": status,
        "name": "Letter <1>",
        "created_at": "2026-01-05T09:30:00Z",
    }


RUNS = [
    told("e5e5", "d4d4", "each[2]/clean", "paused"),
    told("d4d4", "a1a1", "draft", "failed"),
    told("c3c3"),
    told("b2b2", "a1a1", "draft"),
    told("a1a1"),
]


def ids(tree):
    return [each["id"][:4] for each in tree]


def test_forks_stand_below_their_run_in_their_order():
    tree = Tree(RUNS)
    assert ids(tree) == ["c3c3", "a1a1", "b2b2", "d4d4", "e5e5"]
    lines = str(tree).splitlines()
    assert [line[:7] for line in lines] == ["c3c3c3c", "a1a1a1a", "├─ b2b2", "└─ d4d4", "   └─ e"]
    assert lines[-1].endswith("at each[2]/clean")
    assert len({line.index("Letter") for line in lines}) == 1


def test_the_tree_of_one_run():
    assert ids(Tree(RUNS).of("d4d4" * 8)) == ["a1a1", "b2b2", "d4d4", "e5e5"]
    assert ids(Tree(RUNS).of("c3c3" * 8)) == ["c3c3"]


def test_a_fork_whose_run_is_not_listed_says_of_which_it_is():
    line = str(Tree(RUNS[:1], more=True))
    assert line.startswith("e5e5e5e5")
    assert "at each[2]/clean of d4d4d4d4" in line
    assert line.endswith("…")


def test_html_is_escaped_and_nothing_is_none():
    shown = Tree(RUNS)._repr_html_()
    assert "Letter &lt;1&gt;" in shown
    assert "padding-left: 40px" in shown
    assert str(Tree([])) == "none"
    assert "none" in Tree([])._repr_html_()


def test_a_deep_tree_is_no_matter():
    deep = [told(f"{n:04x}", f"{n - 1:04x}" if n else None, "a") for n in range(2000)]
    assert len(str(Tree(deep)).splitlines()) == 2000
