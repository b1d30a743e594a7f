from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpaz_lab import Workflow
from bpaz_lab.api.lab.stored import Stored, operations
from bpaz_lab.graph.changes import apply, invert
from bpaz_lab.graph.document import new, normal

pytestmark = pytest.mark.unit

IDS = ("a", "b", "c", "d")


@st.composite
def some_documents(draw):
    document = new(draw(st.sampled_from(["one", "two"])))
    ids = draw(st.lists(st.sampled_from(IDS), unique=True))
    for id in ids:
        settings = draw(st.dictionaries(st.sampled_from(["size", "lap"]), st.integers(0, 2)))
        document["nodes"][id] = {"type": draw(st.sampled_from("XY")), "version": 1, "settings": settings}
        document["layout"][id] = [draw(st.integers(0, 2)), 0]
    ports = [f"{id}.p" for id in ids]
    if ports:
        ends = st.tuples(st.sampled_from(ports), st.sampled_from(ports)).map(list)
        document["edges"] = draw(st.lists(ends, unique_by=tuple, max_size=6))
    document["notes"] = draw(
        st.dictionaries(st.just("n"), st.fixed_dictionaries({"text": st.sampled_from("xy")}))
    )
    return normal(document)


@given(some_documents(), some_documents())
def test_the_operations_turn_one_document_into_the_other_and_back(old, other):
    done = operations(old, other)
    changed = normal(old)
    apply(changed, done)
    assert changed == other
    apply(changed, invert(done))
    assert changed == old
    assert operations(other, other) == []


def test_what_is_remembered_shows_no_document():
    wf = Workflow("Notes")
    assert wf.stored is None
    stored = Stored("http://here/", "id", 3, wf.to_dict())
    assert repr(stored) == "<version 3 of id in http://here/>"
