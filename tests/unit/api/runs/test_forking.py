from __future__ import annotations

import pytest

from bpaz_lab import InputError, RunError, Workflow
from tests.support.flows import Flow, add, one, up

pytestmark = pytest.mark.unit


@pytest.fixture
def wf():
    """``a -> b -> d`` and ``a -> c -> d``; ``calls`` has what was computed."""
    wf = Flow()
    wf.calls = []

    def count(name, function):
        def counted(value):
            wf.calls.append(name)
            return function(value)

        counted.__name__ = name
        return counted

    wf.put(one, "a")
    for name in "bc":
        wf.put(count(name, up), name)
    wf.put(add, "d")
    wf.wire("a.result b.value", "a.result c.value", "b.result d.left", "c.result d.right")
    return wf


def test_an_edited_output_is_taken_and_what_hangs_on_it_computed(wf):
    run = wf.run()
    wf.calls.clear()
    fork = run.fork("b", result=10)
    assert (fork.output, wf.calls) == (12, [])
    assert run.output == 4
    assert fork.origin.parent == run.id
    assert fork.origin.forked_at == "b"
    assert wf.latest is fork
    assert f"forked from {run.id[:8]} at b" in repr(fork)


def test_without_an_output_the_step_is_computed_again(wf):
    run = wf.run(cache=False)
    wf.calls.clear()
    assert run.fork("b").output == 4
    assert wf.calls == ["b"]


def test_a_fork_of_a_fork_takes_what_neither_computes(wf):
    run = wf.run(cache=False)
    first = run.fork("b", result=10)
    wf.calls.clear()
    second = first.fork("c", result=20)
    assert second.output == 30
    assert wf.calls == []
    assert first.fork("a", result=0).output == 2  # what was edited hangs on it, and is computed anew
    assert second.origin.parent == first.id


def test_a_fork_uses_the_workflow_as_it_was(wf):
    run = wf.run()
    wf.remove("c")
    assert run.fork("b", result=10).output == 12


def test_a_fork_uses_a_changed_workflow_where_one_is_given(wf):
    run = wf.run()
    wf.remove("c")
    wf.connect(wf["b"]["result"], wf["d"]["right"])
    assert run.fork("b", result=10, workflow=wf).output == 20


def test_a_branch_that_was_not_taken_stays_so():
    def first(value):
        return f"first {value}"

    def second(value):
        return f"second {value}"

    wf = Workflow()
    choice = wf.add("Condition", id="choice", expression="value == 'yes'")
    last = wf.add("Merge", id="last", mode="first")
    wf.add("TextInput", id="text", text="no") >> choice["value"]
    choice["true"] >> wf.add(first, id="yes") >> last
    choice["false"] >> wf.add(second, id="no") >> last
    run = wf.run()
    assert run.output == "second no"
    assert run.at("yes").status == "skipped"
    fork = run.fork("no", result="edited")
    assert fork.output == "edited"
    assert fork.at("yes").outputs == {}


def test_a_run_that_failed_goes_on_from_an_edited_step(wf):
    def bad(value):
        if value > 2:
            raise ValueError("too much")
        return value

    wf.put(bad, "e")
    wf.wire("d.result e.value")
    with pytest.raises(RunError) as caught:
        wf.run()
    run = caught.value.run
    assert run.fork("d", result=1).output == 1


def test_inputs_that_a_fork_needs_no_more_are_left_out():
    wf = Flow()
    wf.put(up, "a")
    wf.put(add, "b")
    wf.wire("a.result b.left")
    run = wf.run(value=1, right=5)
    assert run.output == 7
    assert run.fork("a", result=0).output == 5


def test_pins_stand_still(wf):
    wf["d"].pin(99)
    run = wf.run()
    wf["d"].unpin()
    assert run.fork("b", result=10).output == 99


def test_options_go_on(wf):
    def named(context_value):
        return context_value

    wf.put(named, "n")
    run = wf.run(context_value=3, session="s", timeout=9, target="n")
    fork = run.fork("n")
    assert fork.origin.how == run.origin.how
    assert fork.output == 3


@pytest.mark.parametrize(
    ("address", "outputs", "told"),
    [
        ("bb", {}, "no step 'bb'"),
        ("b", {"text": 1}, "no output 'text'"),
        ("each[1]/b", {}, "durable=True"),
    ],
)
def test_what_cannot_be_forked_says_so(wf, address, outputs, told):
    run = wf.run()
    with pytest.raises(InputError) as caught:
        run.fork(address, outputs)
    assert told in str(caught.value)
