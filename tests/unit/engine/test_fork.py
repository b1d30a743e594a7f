from __future__ import annotations

import pytest

from bpaz_lab.engine.fork import affected

pytestmark = pytest.mark.unit


def nodes(**types):
    return {name: told if isinstance(told, dict) else {"type": told} for name, told in types.items()}


def body(*edges, **types):
    return {"nodes": nodes(**types), "edges": [edge.split() for edge in edges]}


def around(kind):
    inner = body("start.x one.x", "one.y two.x", "two.y end.x", start="Start", one="T", two="T", end="End")
    return body(
        "first.y box.x",
        "box.y last.x",
        "first.y aside.x",
        first="T",
        aside="T",
        last="T",
        box={"type": kind, "body": inner},
    )


def rounds(count, *names):
    return {f"box[{number}]/{name}" for number in range(1, count + 1) for name in names}


ALL = {"", "first", "aside", "box", "last", *rounds(3, "start", "one", "two", "end")}


def test_the_inputs_of_the_run_concern_everything():
    assert affected(around("Loop"), ALL, "") == ALL


def test_what_follows_and_what_is_inside_of_it():
    assert affected(around("Loop"), ALL, "first") == ALL - {""}
    assert affected(around("Loop"), ALL, "aside") == {"aside"}
    assert affected(around("Loop"), ALL, "last") == {"last"}
    assert affected(around("Loop"), ALL, "box") == ALL - {"", "first", "aside"}


def test_in_a_loop_later_rounds_hang_on_it():
    later = {f"box[3]/{name}" for name in ("start", "one", "two", "end")}
    here = {"box[2]/one", "box[2]/two", "box[2]/end"}
    assert affected(around("Loop"), ALL, "box[2]/one") == later | here | {"box", "last"}


def test_rounds_of_a_for_each_know_nothing_of_one_another():
    assert affected(around("ForEach"), ALL, "box[2]/two") == {"box[2]/two", "box[2]/end", "box", "last"}


def test_rounds_are_counted_and_not_spelt():
    addresses = {"box[2]/one", "box[9]/one", "box[10]/one"}
    assert affected(around("Loop"), addresses, "box[9]/one") == {"box[9]/one", "box[10]/one"}


def test_containers_in_containers():
    inner = body("a.y b.x", a="T", b="T")
    middle = body("sub.y c.x", sub={"type": "SubWorkflow", "body": inner}, c="T", d="T")
    whole = body("each.y z.x", each={"type": "ForEach", "body": middle}, z="T", w="T")
    addresses = {"each[0]/sub/a", "each[0]/sub/b", "each[0]/sub", "each[0]/c", "each[0]/d"}
    addresses |= {address.replace("[0]", "[1]") for address in addresses} | {"each", "z", "w"}
    found = affected(whole, addresses, "each[0]/sub/b")
    assert found == {"each[0]/sub/b", "each[0]/sub", "each[0]/c", "each", "z"}
    assert affected(whole, addresses, "each[1]/sub") == {
        "each[1]/sub",
        "each[1]/sub/a",
        "each[1]/sub/b",
        "each[1]/c",
        "each",
        "z",
    }


def test_a_body_that_is_elsewhere_hangs_on_it_as_a_whole():
    whole = body("sub.y z.x", sub={"type": "SubWorkflow", "settings": {"workflow": "a.bpaz"}}, z="T", w="T")
    addresses = {"sub/a", "sub/b", "sub/c[1]/d", "sub", "z", "w"}
    assert affected(whole, addresses, "sub/b") == addresses - {"w"}


def test_names_that_begin_alike():
    whole = body("a.y b.x", a="T", ab="T", b="T")
    assert affected(whole, {"a", "ab", "b"}, "a") == {"a", "b"}
