"""Tables in a checkpoint of LangGraph."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from bpaz_lab.engine.langgraph_tables import packed, unpacked, with_tables

pd = pytest.importorskip("pandas")


def test_what_holds_no_table_is_the_very_same() -> None:
    for value in (1, "a", [1, {"b": (2, [3])}], OrderedDict(a=[1]), object()):
        assert packed(value) is value
        assert unpacked(value) is value


def test_tables_come_back_wherever_they_stand() -> None:
    frame = pd.DataFrame({"a": [1, None], "b": ["x", "y"]}, index=[3, 4])
    value: Any = {"one": frame, "more": [(frame, frame["a"]), "text"]}
    kept = packed(value)
    assert isinstance(kept["one"]["bpaz_table"], bytes)
    found = unpacked(kept)
    pd.testing.assert_frame_equal(found["one"], frame)
    pd.testing.assert_frame_equal(found["more"][0][0], frame)
    pd.testing.assert_series_equal(found["more"][0][1], frame["a"])
    assert found["more"][1] == "text"


def test_a_checkpointer_keeps_tables_at_its_own_place() -> None:
    saver = InMemorySaver()
    other = with_tables(saver)
    assert other.storage is saver.storage
    assert with_tables(other) is other
    told = other.serde.dumps_typed({"a": pd.DataFrame({"x": [1]})})
    assert other.serde.loads_typed(told)["a"]["x"].tolist() == [1]
    with pytest.raises(TypeError):
        saver.serde.dumps_typed({"a": pd.DataFrame({"x": [1]})})


@pytest.mark.parametrize("saver", [None, True, False])
def test_no_checkpointer_stays_none(saver: Any) -> None:
    assert with_tables(saver) is saver
