from __future__ import annotations

import asyncio
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bpaz_lab import Context, Node, Workflow
from bpaz_lab.engine.cache import MemoryCache
from bpaz_lab.engine.incremental import settings_changed
from bpaz_lab.nodes.base import NEVER, output
from bpaz_lab.nodes.types import Model  # noqa: TC001 (a node's hints are read)
from tests.support.flows import Flow

pytestmark = pytest.mark.unit


class Kept:
    """Runs a workflow over a cache of its own, and tells what was computed and why."""

    def __init__(self, wf: Workflow):
        self.wf, self.cache = wf, MemoryCache()

    def __call__(self, **inputs: Any) -> dict[str, str]:
        self.run = self.wf.run(cache=self.cache, **inputs)
        return {event.node: event.why for event in self.run.events if event.type == "node.started"}

    @property
    def cached(self):
        return [event.node for event in self.run.events if event.type == "node.finished" and event.cached]


def load(path: str) -> pd.DataFrame:
    """A table."""
    return pd.DataFrame({"a": [1.0, None, 3.0], "path": path})


def clean(df: pd.DataFrame, how: str = "any") -> pd.DataFrame:
    """Without holes."""
    return df.dropna(how=how)


def count(df: pd.DataFrame) -> int:
    """How many."""
    return len(df)


def table():
    flow = Flow()
    for function in (load, clean, count):
        flow.put(function, function.__name__, inline=False)
    flow.wire("load.result clean.df", "clean.result count.df")
    return flow, Kept(flow)


def test_a_rerun_computes_nothing_and_says_what_it_saved():
    flow, kept = table()
    first = "it was not computed before"
    assert flow.stale() == {"load": first, "clean": first, "count": first}
    assert kept(path="x") == {"load": first, "clean": first, "count": first}
    assert kept(path="x") == {}
    assert kept.cached == ["load", "clean", "count"]
    assert kept.run.output == 2
    assert kept.run.saved.nodes == 3
    assert kept.run.saved.seconds > 0
    assert flow.stale() == {}


def test_only_what_changed_is_computed_and_says_why():
    flow, kept = table()
    kept(path="x")
    flow["clean"].set(how="all")
    why = "its setting how changed from its default to all"
    assert flow.stale() == {"clean": why, "count": "clean is stale"}
    # `count` gets a table with the row that `clean` left in.
    assert kept(path="x") == {"clean": why, "count": "its input df changed (from clean)"}
    assert kept(path="y") == {
        "load": "its input path changed",
        "clean": "its input df changed (from load)",
        "count": "its input df changed (from clean)",
    }
    flow["clean"].set(how=None)
    assert kept(path="x") == {}


def test_the_same_result_stops_the_change():
    flow, kept = table()
    kept(path="x")
    flow.put(load, "other", inline=False)
    flow.disconnect(flow["load"])
    flow.remove("load")
    flow.wire("other.result clean.df")
    assert list(kept(path="x")) == []
    assert kept.cached == ["other", "clean", "count"]


def test_a_function_that_is_edited_is_computed_again():
    flow = Flow()

    def step(x: int) -> int:
        return x + 1

    flow.put(step, "a", inline=False)
    kept = Kept(flow)
    kept(x=1)

    def step(x: int) -> int:
        return x + 2

    flow.types.register(_class(step))
    assert flow.stale() == {"a": "line 2 of step changed: return x + 2"}
    assert kept(x=1) == {"a": "line 2 of step changed: return x + 2"}
    assert kept.run.output == 3


def _class(function):
    from bpaz_lab.nodes.function import node_class

    return node_class(function)


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # of pandas, which means to drop it
def test_a_value_changed_in_place_is_computed_again_with_a_warning():
    def drop(df: pd.DataFrame) -> int:
        df.dropna(inplace=True)  # noqa: PD002 (that is the point)
        return len(df)

    flow = Flow()
    flow.put(load, "load", inline=False)
    flow.put(drop, "drop", inline=False)
    flow.wire("load.result drop.df")
    kept = Kept(flow)
    kept(path="x")
    with pytest.warns(UserWarning, match=r"the value of load\.result was changed in place"):
        assert kept(path="x") == {"load": "its result result was changed in place"}
    assert kept.run.output == 2
    assert len(kept.run["load"]["result"]) == 3
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it is told once
        kept(path="x")


def test_the_users_own_change_of_a_shown_value_is_seen():
    _, kept = table()
    kept(path="x")
    kept.run["load"]["result"].loc[0, "a"] = 99
    with pytest.warns(UserWarning, match="changed in place"):
        assert "load" in kept(path="x")


def test_what_cannot_be_compared_is_never_a_hit_unless_it_has_a_key():
    class Own:
        pass

    def make() -> Any:
        return Own()

    def use(value: Any) -> int:
        return 1

    flow = Flow()
    flow.put(make, "make", inline=False)
    flow.put(use, "use", inline=False)
    flow.wire("make.result use.value")
    kept = Kept(flow)
    kept()
    assert "cannot be compared" in kept()["use"]
    assert kept()["make"] == "its result is not kept any more"
    flow.types.find("use").key = staticmethod(lambda value: type(value).__name__)
    kept()
    assert "use" not in kept()


def test_live_objects_count_by_how_they_were_made():
    class Robot(Node):
        """A model."""

        voice: str = "low"

        @output("model", "model")
        def make(self) -> Any:
            return object()

    class Say(Node):
        """Says it."""

        def run(self, model: Model, text: str) -> str:
            return text

    flow = Flow()
    flow.add(Robot, id="robot")
    flow.add(Say, id="say")
    flow.wire("robot.model say.model")
    kept = Kept(flow)
    kept(text="a")
    assert kept(text="a") == {}
    flow["robot"].set(voice="high")
    assert list(kept(text="a")) == ["robot", "say"]


def test_inline_makers_of_live_objects_count_too():
    class Tiny(Node):
        """A model."""

        inline = True
        voice: str = "low"

        @output("model", "model")
        def make(self) -> Any:
            return object()

    class Tell(Node):
        """Says it."""

        def run(self, model: Model) -> str:
            return "a"

    flow = Flow()
    flow.add(Tiny, id="robot")
    flow.add(Tell, id="say")
    flow.wire("robot.model say.model")
    kept = Kept(flow)
    kept()
    assert list(kept()) == ["robot"]
    flow["robot"].set(voice="high")
    assert flow.stale()["say"] == "robot is stale"
    assert "say" in kept()


def test_what_happens_once_always_happens():
    calls = []

    class Send(Node):
        """Sends."""

        effect = "once"

        def run(self, text: str) -> str:
            calls.append(text)
            return text

    flow = Flow()
    flow.add(Send, id="send")
    kept = Kept(flow)
    kept(text="a")
    kept(text="a")
    assert calls == ["a", "a"]
    assert flow.stale() == {"send": "it acts on the outside, so it always runs"}


def test_files_that_changed_are_read_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("one")
    wf = Workflow()
    wf.add("TextDataLoader", id="load", path="*.txt")
    kept = Kept(wf)
    kept()
    assert kept() == {}
    (tmp_path / "a.txt").write_text("other")
    assert wf.stale() == {"load": "what it reads changed"}
    assert kept() == {"load": "what it reads changed"}
    (tmp_path / "a.txt").unlink()
    assert "no file matches" in wf.stale()["load"]


def test_a_function_of_the_notebook_that_is_only_named_counts_by_its_code():
    wf = Workflow()
    wf.add("PythonFunction", id="call", name="step", inputs=["x"])
    kept = Kept(wf)

    def step(x: int) -> int:
        return x + 1

    kept(x=1, objects={"step": step})
    assert kept(x=1, objects={"step": step}) == {}

    def step(x: int) -> int:
        return x + 2

    assert kept(x=1, objects={"step": step}) == {"call": "line 2 of step changed: return x + 2"}
    assert kept.run.output == 3


def test_a_node_may_say_that_it_is_never_kept():
    class Clock(Node):
        """The time."""

        def fingerprint(self, context: Context) -> Any:
            return NEVER

        def run(self) -> int:
            return 1

    flow = Flow()
    flow.add(Clock, id="clock")
    kept = Kept(flow)
    kept()
    assert kept() == {"clock": "its result is never kept"}


def test_what_fails_to_say_what_it_depends_on_is_computed():
    class Odd(Node):
        """Odd."""

        key = staticmethod(lambda x: 1 / x)

        def run(self, x: int) -> int:
            return x

    class Lost(Node):
        """Lost."""

        def fingerprint(self, context: Context) -> Any:
            raise OSError("no disk")

        def run(self) -> int:
            return 1

    class Vague(Node):
        """Vague."""

        def fingerprint(self, context: Context) -> Any:
            return object()

        def run(self) -> int:
            return 1

    flow = Flow()
    for cls in (Odd, Lost, Vague):
        flow.add(cls, id=cls.__name__.lower())
    kept = Kept(flow)
    for _ in range(2):
        assert kept(x=0) == {
            "odd": "its key failed: ZeroDivisionError: division by zero",
            "lost": "what it reads cannot be told: no disk",
            "vague": "a value of the kind object has no content that can be compared",
        }


def test_a_default_of_a_nodes_setting_counts():
    def shout(mark):
        class Shout(Node):
            """Shouts."""

            package = "cell"
            end: str = mark

            def run(self, text: str) -> str:
                return text + self.end

        return Shout

    flow = Flow()
    flow.add(shout("!"), id="shout")
    kept = Kept(flow)
    kept(text="a")
    flow.types.register(shout("?"))
    assert "Shout.end changed" in kept(text="a")["shout"]
    assert kept.run.output == "a?"


def test_the_methods_of_a_value_count_where_it_is_used():
    def boxes(factor):
        @dataclass
        class Box:
            side: int

            def area(self):
                return self.side * factor

        return Box

    def make(x: int) -> Any:
        return BOX[0](x)

    def area(box: Any) -> int:
        return box.area()

    global BOX  # noqa: PLW0603 (a cell that is run again)
    BOX = [boxes(1)]
    flow = Flow()
    flow.put(make, "make", inline=False)
    flow.put(area, "area", inline=False)
    flow.types.find("make").key = staticmethod(lambda x: [x, id(BOX[0])])
    flow.wire("make.result area.box")
    kept = Kept(flow)
    kept(x=2)
    BOX = [boxes(3)]
    assert kept(x=2)["area"] == "its input box changed (from make)"
    assert kept.run.output == 6


def test_an_array_that_is_passed_on_is_the_same_object():
    array = np.arange(1000)

    def make() -> Any:
        return array

    flow = Flow()
    flow.put(make, "make", inline=False)
    kept = Kept(flow)
    kept()
    kept()
    assert kept.run.output is array


def test_rounds_of_a_body_are_kept_each():
    flow = Flow()
    flow.add("Start", id="start", fields=[{"name": "xs", "kind": "any"}])
    with flow.add("ForEach", id="each") as body:
        start = body.add("Start", fields=[{"name": "item", "kind": "any"}])
        step = body.add(_class(_twice), id="step")
        body.connect(start["item"], step["item"])
        body.connect(step["result"], body.add("End")["result"])
    flow.wire("start.xs each.items")
    kept = Kept(flow)
    kept(xs=[1, 2])
    why = kept(xs=[1, 2, 3])
    assert kept.run.output == [2, 4, 6]
    assert [node for node in why if node.endswith("step")] == ["each[2]/step"]
    body["step"].rename("other")
    assert flow.stale()["each"] == "its body changed"


def _twice(item: Any) -> Any:
    return item * 2


def started(runs):
    return [event for run in runs for event in run.events if event.type == "node.started"]


def test_two_runs_at_once_compute_the_same_once():
    class Slow(Node):
        """Takes its time."""

        async def run(self, x: int) -> int:
            await asyncio.sleep(0.05)
            return x

    flow = Flow()
    flow.add(Slow, id="slow")
    cache = MemoryCache()
    runs = [flow.start(x=1, cache=cache) for _ in range(5)]
    assert [run.wait(20).output for run in runs] == [1] * 5
    assert len(started(runs)) == 1


def test_a_failure_lets_the_others_try(tmp_path):
    told = tmp_path / "failed"

    class Failing(Node):
        """Fails the first time."""

        async def run(self, x: int) -> int:
            await asyncio.sleep(0.02)
            if not told.exists():
                told.touch()
                raise ValueError("first")
            return x

    flow = Flow()
    flow.add(Failing, id="slow")
    cache = MemoryCache()
    runs = [flow.start(x=1, cache=cache) for _ in range(3)]
    assert sorted(run.wait(20).status for run in runs) == ["completed", "completed", "failed"]
    assert len(started(runs)) == 2


def test_tokens_that_were_saved():
    class Chat(Node):
        """Costs."""

        def run(self, x: int, context: Context) -> int:
            context.usage(10, 20, "small")
            return x

    flow = Flow()
    flow.add(Chat, id="chat")
    kept = Kept(flow)
    kept(x=1)
    assert kept.run.saved.input_tokens == 0
    kept(x=1)
    assert (kept.run.saved.input_tokens, kept.run.saved.output_tokens) == (10, 20)


def test_settings_in_words():
    assert settings_changed({"a": 1}, {"a": 2}) == "its setting a changed from 1 to 2"
    assert settings_changed({"a": 1}, {}) == "its setting a changed from 1 to its default"
    assert settings_changed({"a": "x" * 99}, {"a": 1}).startswith("its setting a changed from xxx")
    assert settings_changed({}, {}) == ""
