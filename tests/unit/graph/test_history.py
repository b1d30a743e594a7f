from __future__ import annotations

import threading
from copy import deepcopy

import pytest

from bpaz_lab.errors import DocumentError, PatchError, StaleChange
from bpaz_lab.graph.document import new
from bpaz_lab.graph.history import DEPTH, History

pytestmark = pytest.mark.unit


def rename(old, new):
    return [{"path": ["name"], "old": old, "new": new}]


@pytest.fixture
def history():
    return History(new("a"))


def test_undo_and_redo(history):
    history.apply(rename("a", "b"))
    history.apply(rename("b", "c"))
    assert history.undo().operations == rename("c", "b")
    assert history.document["name"] == "b"
    assert history.can_redo
    assert history.redo() is not None
    assert history.document["name"] == "c"
    assert history.redo() is None
    assert not history.can_redo
    history.undo()
    history.undo()
    assert history.undo() is None
    assert not history.can_undo
    assert history.document == new("a")
    assert history.revision == 6


def test_a_new_step_ends_redo(history):
    history.apply(rename("a", "b"))
    history.undo()
    history.apply(rename("a", "x"))
    assert history.redo() is None
    assert history.document["name"] == "x"


def test_what_was_joined_is_taken_back_with_the_step_before(history):
    history.apply(rename("a", "b"))
    history.apply([{"path": ["layout", "n"], "new": [0, 0]}], join=True)
    assert history.revision == 2
    history.undo()
    assert history.document == new("a")
    history.redo()
    assert history.document["layout"] == {"n": [0, 0]}
    assert history.document["name"] == "b"


def test_what_is_joined_to_nothing_is_no_step(history):
    history.apply([{"path": ["layout", "n"], "new": [0, 0]}], join=True)
    assert history.undo() is None
    assert history.document["layout"] == {"n": [0, 0]}


def test_a_check_that_fails_takes_everything_back(history):
    before, told = deepcopy(history.document), []
    history.subscribe(told.append)

    def no():
        assert history.document["name"] == "b"  # the check sees the document as it would be
        raise DocumentError("no")

    with pytest.raises(DocumentError):
        history.apply([*rename("a", "b"), {"path": ["layout", "n"], "new": [0, 0]}], check=no)
    assert history.document == before
    assert (history.revision, history.can_undo, told) == (0, False, [])


def test_a_stale_batch_changes_nothing(history):
    with pytest.raises(StaleChange):
        history.apply([*rename("a", "b"), *rename("x", "y")])
    with pytest.raises(PatchError):
        history.apply([{"path": ["bpaz"], "new": 2}])
    assert history.document == new("a")
    assert history.revision == 0


def test_undo_that_does_not_apply_any_more_keeps_the_step(history):
    history.apply(rename("a", "b"))
    history.document["name"] = "changed past the history"
    with pytest.raises(StaleChange):
        history.undo()
    assert history.can_undo
    assert not history.can_redo


def test_listeners_hear_who_did_what_in_order_until_they_end(history):
    heard = []
    end = history.subscribe(heard.append)
    assert history.watched
    history.apply(rename("a", "b"), origin="page 1")
    history.undo(origin="page 2")
    end()
    assert not history.watched
    history.redo()
    assert [(change.revision, change.origin) for change in heard] == [(1, "page 1"), (2, "page 2")]
    assert heard[0].operations == rename("a", "b")


def test_the_oldest_steps_are_forgotten(history):
    for number in range(DEPTH + 5):
        history.apply([{"path": ["layout", f"n{number}"], "new": [0, 0]}])
    steps = 0
    while history.undo():
        steps += 1
    assert steps == DEPTH
    assert len(history.document["layout"]) == 5


def test_many_threads_one_history(history):
    heard = []
    history.subscribe(lambda change: heard.append(change.revision))

    def work(name):
        for number in range(50):
            history.apply([{"path": ["layout", f"{name}{number}"], "new": [0, 0]}])

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert history.revision == 200
    assert heard == list(range(1, 201))
    assert len(history.document["layout"]) == 200
