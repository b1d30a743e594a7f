from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pandas as pd
import pytest

from bpaz_lab import Budget, Context, InputError, Workflow
from bpaz_lab.engine.cache import MemoryCache
from bpaz_lab.errors import BudgetExceeded, DocumentError, MissingPackage

pytestmark = pytest.mark.unit


def greeting(template="Hello {name}!"):
    wf = Workflow()
    wf.add("PromptTemplate", id="hello", template=template)
    return wf


def picky(x: int) -> int:
    """Does not like 2."""
    if x == 2:
        raise ValueError("no twos")
    return x * 10


def counting():
    calls = []

    def count(x: int) -> int:
        calls.append(x)
        return x

    wf = Workflow()
    wf.add(count)
    return wf, calls


# ---- map --------------------------------------------------------------------------------------------


def test_a_row_is_a_run_and_what_else_is_there_passes_through():
    data = pd.DataFrame({"name": ["Ada", "Alan"], "year": [1815, 1912]}, index=["a", "b"])
    found = greeting().map(data, progress=False)
    assert list(found.index) == ["a", "b"]
    assert list(found.columns) == [
        *("name", "year", "output", "status", "error", "latency", "tokens", "cost", "run_id")
    ]
    assert found["output"].tolist() == ["Hello Ada!", "Hello Alan!"]
    assert found["status"].tolist() == ["completed", "completed"]
    assert found["year"].tolist() == [1815, 1912]
    assert found["run_id"].is_unique
    assert list(data.columns) == ["name", "year"]


@pytest.mark.parametrize("data", [["Ada"], [{"name": "Ada"}], pd.DataFrame({"name": ["Ada"]})])
def test_rows_come_as_tables_dicts_or_values(data):
    assert greeting().map(data, progress=False)["output"].tolist() == ["Hello Ada!"]


def test_no_rows_give_no_results():
    assert len(greeting().map([], progress=False)) == 0


def test_the_results_of_end_are_columns_and_give_way_to_the_data():
    wf = Workflow()
    start = wf.add("Start", fields=[{"name": "a"}, {"name": "b"}])
    end = wf.add("End", fields=["a", "joined"])
    wf.connect(start["a"], end["a"])
    wf.connect(start["b"], end["joined"])
    found = wf.map([{"a": "1", "b": "2"}], progress=False)
    assert found.loc[0, ["output_a", "joined"]].tolist() == ["1", "2"]


def test_a_row_that_fails_does_not_stop_the_others():
    wf = Workflow()
    wf.add(picky)
    found = wf.map([1, 2, 3], progress=False)
    assert found["status"].tolist() == ["completed", "failed", "completed"]
    assert found["output"].tolist()[::2] == [10, 30]
    assert "no twos" in found.loc[1, "error"]


def test_columns_and_inputs_may_have_other_names():
    found = greeting().map(pd.DataFrame({"who": ["Ada"]}), columns={"who": "name"}, progress=False)
    assert found["output"].tolist() == ["Hello Ada!"]
    found = greeting("{name} {sign}").map([{"name": "Ada"}], sign="!", progress=False)
    assert found["output"].tolist() == ["Ada !"]


@pytest.mark.parametrize(
    ("data", "columns", "why"),
    [
        ([{"other": 1}], None, "needs name"),
        ([1, {"name": "a"}], None, None),
        ("Ada", None, "not a str"),
        ([{"name": 1}], {"nam": "name"}, "no column 'nam'"),
        ([{"who": 1}], {"who": "nme"}, "no input 'nme'"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_runs(data, columns, why):
    wf = greeting()
    if why is None:
        assert len(wf.map(data, progress=False)) == 2
        return
    with pytest.raises(InputError, match=why):
        wf.map(data, columns=columns, progress=False)
    assert wf.latest is None


def test_a_list_of_values_needs_one_input():
    with pytest.raises(InputError, match="has 2"):
        greeting("{a} {b}").map(["x"], progress=False)


def test_so_many_rows_go_on_at_once():
    now, most = 0, 0

    async def busy(x: int) -> int:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.005)
        now -= 1
        return x

    wf = Workflow()
    wf.add(busy)
    found = wf.map(list(range(12)), concurrency=3, progress=False)
    assert found["output"].tolist() == list(range(12))
    assert most == 3


def test_a_row_that_waits_for_a_person_says_so():
    wf = Workflow()
    wf.add("HumanApproval", id="ask")
    found = wf.map([1], progress=False)
    assert found["status"].tolist() == ["paused"]
    assert "ask" in found.loc[0, "error"]


def test_rows_that_need_the_same_compute_it_once(tmp_path):
    told = str(tmp_path / "calls")  # a list would be part of what the function depends on

    def index() -> str:
        with open(told, "a") as file:  # noqa: PTH123 (no more than it needs)
            file.write("index\n")
        time.sleep(0.05)
        return "index"

    def look(index: str, question: str) -> str:
        return f"{question} in {index}"

    wf = Workflow()
    wf.connect(wf.add(index)["result"], wf.add(look)["index"])
    found = wf.map([{"question": str(n)} for n in range(6)], progress=False, cache=MemoryCache())
    assert found["output"].tolist() == [f"{n} in index" for n in range(6)]
    assert Path(told).read_text() == "index\n"


def test_without_its_packages_it_says_which(monkeypatch):
    monkeypatch.setattr("bpaz_lab.api.table.rows.importlib.util.find_spec", lambda _: None)
    with pytest.raises(MissingPackage, match="pandas") as caught:
        greeting().map([{"name": "a"}])
    assert caught.value.hint == "pip install 'bpaz-lab[data]'"


def test_a_budget_is_for_all_rows_together_and_what_is_done_is_kept():
    async def ask(x: int, context: Context) -> int:
        context.usage(6, 4, "some-model")
        await asyncio.sleep(0)
        return x

    wf = Workflow()
    wf.add(ask)
    with pytest.raises(BudgetExceeded, match="more than its budget of 35") as caught:
        wf.map(list(range(10)), budget=Budget(tokens=35), concurrency=1, cache=False, progress=False)
    assert "wf.partial" in caught.value.__notes__[0]
    assert wf.partial["status"].tolist() == ["completed"] * 3 + ["failed"]
    found = wf.map(list(range(10)), budget=Budget(tokens=70), resume=wf.partial, cache=False, progress=False)
    assert found["tokens"].tolist() == [10] * 10
    wf.connect(wf["ask"]["result"], wf.add("Delay", id="wait")["value"])
    with pytest.raises(BudgetExceeded):
        wf.sweep(
            {"wait.seconds": [0, 0.001]},
            x=1,
            budget=Budget(tokens=15),
            concurrency=1,
            cache=False,
            progress=False,
        )


# ---- to go on -----------------------------------------------------------------------------------------


def test_only_what_is_not_done_is_run_again():
    wf, calls = counting()
    first = wf.map([1, 2, 3], progress=False, cache=False)
    calls.clear()
    again = wf.map([1, 2, 3, 4], resume=first.iloc[[0, 2]], progress=False, cache=False)
    assert sorted(calls) == [2, 4]
    assert again["output"].tolist() == [1, 2, 3, 4]
    calls.clear()
    changed = wf.map([1, 20, 3], resume=first, progress=False, cache=False)
    assert calls == [20]
    assert changed["output"].tolist() == [1, 20, 3]


def test_what_a_changed_workflow_or_function_gave_is_not_taken_over(tmp_path):
    def first(x: int) -> int:
        return x + 1

    def made(function):
        wf = Workflow()
        wf.add(function, id="it")
        return wf

    def other(x: int) -> int:
        return x + 2

    other.__name__ = other.__qualname__ = "first"
    path = tmp_path / "rows.jsonl"
    before = made(first).map([1], resume=path, progress=False)
    moved = made(first)
    moved.move("it", 500, 500)
    assert moved.map([1], resume=before, progress=False)["run_id"][0] == before["run_id"][0]
    for resume in (before, path):
        with pytest.warns(UserWarning, match="all rows are run again"):
            assert made(other).map([1], resume=resume, progress=False)["output"].tolist() == [3]


def test_the_same_input_that_all_rows_share_counts():
    wf = greeting("{name} {sign}")
    before = wf.map([{"name": "a"}], sign="!", progress=False)
    with pytest.warns(UserWarning, match="changed since"):
        assert wf.map([{"name": "a"}], sign="?", resume=before, progress=False)["output"][0] == "a ?"


def test_a_result_that_is_no_json_is_told(tmp_path):
    def thing(x: int) -> object:
        return object()

    wf = Workflow()
    wf.add(thing)
    with pytest.warns(UserWarning, match="is no JSON"):
        wf.map([1], resume=tmp_path / "rows.jsonl", progress=False)
    assert (tmp_path / "rows.jsonl").read_text() == ""


def test_a_table_without_a_status_is_nothing_to_go_on_from():
    with pytest.raises(InputError, match="no column 'status'"):
        greeting().map(["a"], resume=pd.DataFrame({"name": ["a"]}), progress=False)
    with pytest.raises(InputError, match="a table or the path"):
        greeting().map(["a"], resume=3, progress=False)


def test_a_file_keeps_what_is_done(tmp_path):
    path = tmp_path / "rows.jsonl"
    wf, calls = counting()
    wf.map([1, 2], resume=path, progress=False, cache=False)
    assert len(path.read_text().splitlines()) == 2
    with path.open("a") as file:
        file.write('{"key": "cut sho')
    calls.clear()
    found = wf.map([2, 3, 1], resume=str(path), progress=False, cache=False)
    assert calls == [3]
    assert found["output"].tolist() == [2, 3, 1]
    wf["count"].title = "Another workflow"
    calls.clear()
    with pytest.warns(UserWarning, match="changed since"):
        wf.map([1], resume=path, progress=False, cache=False)
    assert calls == [1]


SCRIPT = """
    import asyncio, sys
    from bpaz_lab import Workflow

    async def slow(x: int) -> int:
        if x > 3:
            print("waiting", flush=True)
            await asyncio.sleep(float(sys.argv[2]))
        return x

    wf = Workflow()
    wf.add(slow)
    try:
        found = wf.map(list(range(8)), concurrency=1, resume=sys.argv[1], progress=False, cache=False)
    except KeyboardInterrupt as stop:
        print(len(wf.partial), sorted(wf.partial["output"].tolist()), stop.__notes__[0], flush=True)
    else:
        print(found["output"].tolist(), flush=True)
"""


def test_ctrl_c_keeps_what_is_done_and_another_process_goes_on(tmp_path):
    script, path = tmp_path / "go.py", tmp_path / "rows.jsonl"
    script.write_text(textwrap.dedent(SCRIPT))
    command = [sys.executable, str(script), str(path)]
    going = subprocess.Popen([*command, "30"], stdout=subprocess.PIPE, text=True)
    assert going.stdout.readline() == "waiting\n"
    time.sleep(0.2)
    going.send_signal(signal.SIGINT)
    out, _ = going.communicate(timeout=60)
    assert out.startswith("4 [0, 1, 2, 3] The rows that are done are in wf.partial")
    kept = [json.loads(line)["result"]["output"] for line in path.read_text().splitlines()]
    assert kept == [0, 1, 2, 3]
    done = subprocess.run([*command, "0"], capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout.splitlines()[-1] == "[0, 1, 2, 3, 4, 5, 6, 7]"


# ---- rows and columns that are not plain ---------------------------------------------------------------


def test_a_gap_in_a_list_takes_the_default_and_whole_numbers_stay_whole():
    def repeat(text: str, times: int = 2) -> str:
        return text * times

    wf = Workflow()
    wf.add(repeat)
    found = wf.map([{"text": "a"}, {"text": "b", "times": 3}], progress=False)
    assert found["output"].tolist() == ["aa", "bbb"]


def test_every_row_that_lacks_an_input_is_named_and_nothing_runs():
    wf, calls = counting()
    with pytest.raises(InputError, match="rows 1, 3: the run needs x") as caught:
        wf.map([{"x": 1}, {"y": 1}, {"x": 2}, {"y": 2}], progress=False)
    assert "Nothing was run" in caught.value.hint
    assert calls == []


def test_a_result_can_be_mapped_again_and_gone_on_with():
    first = greeting().map(["Ada", "Alan"], progress=False)
    wf = greeting("{output} Bye!")
    again = wf.map(first, progress=False)
    assert again["output"].tolist() == first["output"].tolist()
    assert again["output_output"].tolist() == ["Hello Ada! Bye!", "Hello Alan! Bye!"]
    assert again.columns.is_unique
    kept = wf.map(first, resume=again, progress=False)
    assert kept["output_run_id"].tolist() == again["output_run_id"].tolist()


def test_labels_may_repeat_but_columns_may_not():
    data = pd.DataFrame({"name": ["a", "b", "a"]}, index=[7, 7, 7])
    found = greeting().map(data, progress=False)
    assert found["output"].tolist() == ["Hello a!", "Hello b!", "Hello a!"]
    assert list(found.index) == [7, 7, 7]
    again = greeting().map(data, resume=found, progress=False)
    assert again["run_id"].tolist() == found["run_id"].tolist()
    with pytest.raises(InputError, match="two columns 'name'"):
        greeting().map(pd.concat([data, data], axis=1), progress=False)


def test_any_object_is_an_output():
    def make(x: int) -> object:
        return [pd.DataFrame({"a": [x]}), {"x": x}, [x], None][x]

    wf = Workflow()
    wf.add(make)
    found = wf.map([0, 1, 2, 3], progress=False)["output"]
    assert found[0]["a"].tolist() == [0]
    assert found[1:].tolist() == [{"x": 1}, [2], None]


def test_no_rows_give_a_table_without_rows():
    found = greeting().map(pd.DataFrame({"name": []}), progress=False)
    assert len(found) == 0
    assert "name" in found


def test_what_is_edited_meanwhile_changes_no_row():
    wf = greeting()

    def edit(name: str) -> str:
        wf["hello"].set(template="Changed {name}")
        return name

    wf.connect(wf.add(edit)["result"], wf["hello"]["name"])
    found = wf.map(["a", "b", "c"], concurrency=1, progress=False)
    assert found["output"].tolist() == ["Hello a!", "Hello b!", "Hello c!"]


@pytest.mark.parametrize("told", [0, -1, True, 2.5, {"rows": 0}, {"Delay": 0}])
def test_a_concurrency_that_is_none_is_refused(told):
    with pytest.raises(InputError, match="no number above 0"):
        greeting().map(["a"], concurrency=told, progress=False)


def test_limits_of_a_type_hold_for_all_rows_together():
    now, most = 0, 0

    async def busy(x: int) -> int:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.005)
        now -= 1
        return x

    wf = Workflow()
    wf.add(busy)
    wf.map(list(range(12)), concurrency={"rows": 6, "busy": 2}, progress=False)
    assert most == 2


async def test_a_map_in_a_loop_of_ones_own():
    wf = greeting()
    ticks = 0

    async def tick():
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(tick())
    found = await wf.amap([f"{n}" for n in range(50)], progress=False)
    beside.cancel()
    assert found["output"].tolist() == [f"Hello {n}!" for n in range(50)]
    assert ticks > 1


async def test_cancelling_the_caller_stops_the_rows():
    reached = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def work(x: int) -> int:
        if x == 2:
            loop.call_soon_threadsafe(reached.set)
            await asyncio.sleep(60)
        return x

    wf = Workflow()
    wf.add(work)
    going = asyncio.create_task(wf.amap(list(range(5)), concurrency=1, progress=False))
    await reached.wait()
    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going
    assert wf.partial["output"].tolist() == [0, 1]


def test_the_bar_tells_failures(capsys):
    wf = Workflow()
    wf.add(picky)
    wf.map([1, 2, 3])
    assert "failed=1" in capsys.readouterr().err


def test_the_bar_is_text_where_no_kernel_shows_another():
    asked = (
        "import ipykernel.zmqshell\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "InteractiveShell.instance()\n"
        "import bpaz_lab as bz\n"
        "wf = bz.Workflow()\n"
        "def share(x: int) -> float:\n"
        "    return 1 / x\n"
        "wf.add(share)\n"
        "wf.map([0, 1, 2])"
    )
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert "failed=1" in told.stderr


# ---- sweep --------------------------------------------------------------------------------------------


def test_every_combination_is_run_on_a_copy():
    wf = greeting("{greet} {name}")
    before = wf.to_dict()
    found = wf.sweep({"hello.template": ["Hi {name}", "Bye {name}"]}, name="Ada", progress=False)
    assert found["hello.template"].tolist() == ["Hi {name}", "Bye {name}"]
    assert found["output"].tolist() == ["Hi Ada", "Bye Ada"]
    assert wf.to_dict() == before


def test_combinations_with_rows():
    wf = Workflow()
    first = wf.add("PromptTemplate", id="one", template="{name}")
    first >> wf.add("PromptTemplate", id="two", template="{text}")
    found = wf.sweep(
        {"one.template": ["a{name}", "b{name}"], "two.template": ["{text}1", "{text}2"]},
        [{"name": "x"}, {"name": "y"}],
        progress=False,
    )
    assert found["output"].tolist() == ["ax1", "ay1", "ax2", "ay2", "bx1", "by1", "bx2", "by2"]


def test_what_comes_before_a_change_is_computed_once(tmp_path):
    told = str(tmp_path / "calls")

    def load(x: int) -> int:
        with open(told, "a") as file:  # noqa: PTH123 (as above)
            file.write(f"{x}\n")
        return x

    wf = Workflow()
    wf.connect(wf.add(load)["result"], wf.add("Delay", id="wait")["value"])
    wf.sweep({"wait.seconds": [0, 0.001, 0.002]}, x=5, progress=False, cache=MemoryCache())
    assert Path(told).read_text() == "5\n"


def test_settings_inside_of_containers():
    wf = Workflow()
    with wf.add("SubWorkflow", id="part") as body:
        start = body.add("Start", fields=[{"name": "name"}])
        start >> body.add("PromptTemplate", id="hello", template="{name}") >> body.add("End")
    found = wf.sweep({"part/hello.template": ["{name}!", "{name}?"]}, name="Ada", progress=False)
    assert found["output"].tolist() == ["Ada!", "Ada?"]


def test_what_is_wrong_with_settings_is_told_whole_and_nothing_runs():
    wf = greeting()
    with pytest.raises(DocumentError) as caught:
        wf.sweep({"hello.temp": [1], "nothing.x": [1], "hello": [1], "hello.template": [3]}, name="a")
    told = str(caught.value)
    assert "no setting 'temp'" in told
    assert "no node 'nothing'" in told
    assert "names no setting" in told
    with pytest.raises(InputError, match="no values"):
        wf.sweep({"hello.template": []}, name="a")
    assert wf.latest is None


def test_settings_of_one_node_are_set_together():
    wf = Workflow()
    wf.add("RecursiveTextSplitter", id="split", chunk_size=100, chunk_overlap=50)
    found = wf.sweep({"split.chunk_size": [20], "split.chunk_overlap": [0, 10]}, documents=[], progress=False)
    assert found["status"].tolist() == ["completed", "completed"]


def test_all_combinations_are_checked_before_the_first_runs():
    wf, calls = counting()
    wf.connect(wf["count"]["result"], wf.add("PromptTemplate", id="say", template="{x}")["x"])
    with pytest.raises(InputError, match="needs y"):
        wf.sweep({"say.template": ["{x}", "{x} {y}"]}, x=1, progress=False)
    assert calls == []


def test_a_setting_called_like_a_column_is_refused():
    with pytest.raises(InputError, match=r"a column 'hello\.template', as a setting"):
        greeting().sweep({"hello.template": ["{name}"]}, [{"name": "a", "hello.template": 1}], progress=False)


def test_combinations_go_on_at_the_same_time():
    both = threading.Barrier(2, timeout=20)

    def meet(x: int, side: str = "") -> str:
        both.wait()
        return side

    wf = Workflow()
    wf.add(meet)
    found = wf.sweep({"meet.side": ["left", "right"]}, x=1, cache=False, progress=False)
    assert found["output"].tolist() == ["left", "right"]


def test_a_sweep_goes_on_where_it_stopped(tmp_path):
    wf, calls = counting()
    wf.connect(wf["count"]["result"], wf.add("Delay", id="wait")["value"])
    path, data = tmp_path / "sweep.jsonl", pd.DataFrame({"x": [1, 2]}, index=["a", "b"])
    settings = {"wait.seconds": [0, 0.001]}
    first = wf.sweep(settings, data, resume=path, cache=False, progress=False)
    assert list(first.index) == ["a", "b", "a", "b"]
    calls.clear()
    for resume in (path, first, first.iloc[[0, 1, 2]]):
        again = wf.sweep(settings, data, resume=resume, cache=False, progress=False)
        assert again["output"].tolist() == [1, 2, 1, 2]
    assert calls == [2]
