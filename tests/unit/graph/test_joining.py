"""Lists and wires of two sides, joined; ``test_merge.py`` has the wires of whole workflows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpaz_lab.graph.joining import by_target, joined

pytestmark = pytest.mark.unit
LISTS = st.lists(st.sampled_from("abcde"), unique=True, max_size=5)


@given(LISTS, LISTS, LISTS)
def test_what_either_added_is_there_and_what_either_removed_is_not(base, ours, theirs):
    added = {*ours, *theirs} - {*base}
    stay = {*base} & {*ours} & {*theirs}
    found = joined(base, ours, theirs)
    assert {*found} == added | stay
    assert len(found) == len({*found})


@given(LISTS, LISTS)
def test_a_side_that_did_nothing_changes_nothing(base, side):
    assert joined(base, side, side) == joined(base, base, side) == joined(base, side, base) == side


@pytest.mark.parametrize(("ours", "theirs"), [("bac", "abcd"), ("abcd", "bac")])
def test_the_order_is_that_of_the_side_that_changed_it(ours, theirs):
    assert "".join(joined([*"abc"], [*ours], [*theirs])) == "bacd"


def test_what_enters_each_port_is_in_order():
    edges = [["b.o", "t.i"], ["a.o", "t.i"], ["a.o", "u.i"]]
    found = by_target({"edges": edges})
    assert dict(found) == {"t.i": ["b.o", "a.o"], "u.i": ["a.o"]}
