from __future__ import annotations

import pytest

from bpaz_lab.nodes.memory import _sessions
from bpaz_lab.nodes.memory._sessions import Sessions

pytestmark = pytest.mark.unit


def test_messages_are_in_order_and_the_last_ones_count():
    memory = Sessions()
    memory.add("a", "1", "2")
    memory.add("b", "x", "y")
    memory.add("a", "3", "4")
    assert [each["content"] for each in memory.messages("a", 3)] == ["2", "3", "4"]
    assert [each["role"] for each in memory.messages("a", 2)] == ["user", "assistant"]
    assert memory.messages("c", 3) == []


def test_what_was_silent_for_longest_is_forgotten(monkeypatch):
    monkeypatch.setattr(_sessions, "SESSIONS", 2)
    memory = Sessions()
    for session in ("a", "b", "a", "c"):
        memory.add(session, "hi", "ho")
    assert memory.messages("b", 9) == []
    assert len(memory.messages("a", 9)) == 4


def test_a_conversation_does_not_grow_for_ever(monkeypatch):
    monkeypatch.setattr(_sessions, "MESSAGES", 3)
    memory = Sessions()
    for number in range(5):
        memory.add("a", str(number), "ok")
    assert [each["content"] for each in memory.messages("a", 9)] == ["ok", "4", "ok"]
