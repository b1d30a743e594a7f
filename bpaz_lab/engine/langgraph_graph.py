"""A workflow as a compiled LangGraph graph that other people's code can use.

Its state has the inputs of the workflow by name, ``output`` and the fields of End. Its nodes are the regions
between approvals (a workflow with a Merge of the first is one region); inside a region the scheduler runs as
in any other run. A question to a person is an
``interrupt({address: question})``, answered with ``Command(resume={address: answer})``, or with the fields of
the answer where one question is asked.

What stands between the regions travels in the state's key ``bpaz``, which is neither input nor output.
"""

from __future__ import annotations

import dis
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.engine.answers import checked
from bpaz_lab.engine.langgraph_region import RegionRun, is_raced
from bpaz_lab.engine.langgraph_tables import with_tables
from bpaz_lab.engine.langgraph_types import given_type, kept_type, named_inputs
from bpaz_lab.engine.options import Options
from bpaz_lab.engine.slots import several
from bpaz_lab.errors import InputError
from bpaz_lab.graph.naming import snake, unique
from bpaz_lab.graph.spec import FieldSpec
from bpaz_lab.nodes.context import Question

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bpaz_lab.engine.plan import Plan, Step
    from bpaz_lab.nodes.context import Services

PRIVATE: Final = "bpaz"
OUTPUT: Final = "output"
RECURSION: Final = 10_007
"""LangGraph's own default; inside a runnable 25 would be inherited, and every question is two steps."""


def langgraph(plan: Plan, services: Callable[[str], Services], checkpointer: Any = None) -> Any:
    """Compiles a plan.

    Args:
        plan: The plan of a whole workflow; the graph stays as this is.
        services: Makes what the nodes of one run may ask of the outside, for a conversation's name.
        checkpointer: Where LangGraph keeps the state while a person thinks; None for none, or for that of
            the graph that this one becomes a part of.

    Returns:
        A ``CompiledStateGraph``.
    """
    return _Compiler(plan, services).compile(checkpointer)


class _Compiler:
    def __init__(self, plan: Plan, services: Callable[[str], Services]) -> None:
        self.plan = plan
        self.services = services
        self.inputs = list(dict.fromkeys(name for name, _ in named_inputs(plan)))
        self.fields = _fields(plan)
        steps = [[s for s in plan.steps if s.region == number] for number in range(plan.regions)]
        if is_raced(plan):
            steps = [plan.steps]
        taken = {*self.inputs, *self.fields, OUTPUT}
        self.private = _free(PRIVATE, taken)
        self.regions: list[str] = []
        for number, group in enumerate(steps):
            self.regions.append(_free(_label(group) or f"region {number + 1}", taken))
        self.asks = [any(map(_asks, group)) for group in steps]
        self.person = _free("person", taken)

    def compile(self, checkpointer: Any) -> Any:
        from langchain_core.runnables import RunnableLambda
        from langgraph.graph import END, START, StateGraph

        state, taken, given = self._schemas()
        graph = StateGraph(state, input_schema=taken, output_schema=given)
        for number, name in enumerate(self.regions):
            after = END if number + 1 == len(self.regions) else self.regions[number + 1]
            node: Any = RunnableLambda(*self._region(number, after), name=name)
            ways: tuple[str, ...] = (after, self.person) if self.asks[number] else (after,)
            graph.add_node(name, node, destinations=ways)
        if any(self.asks):
            ways = tuple(name for name, asks in zip(self.regions, self.asks, strict=True) if asks)
            graph.add_node(self.person, self._answer, destinations=ways)
        graph.add_edge(START, self.regions[0])
        made = graph.compile(checkpointer=with_tables(checkpointer), name=snake(self.plan.name))
        made.stream_channels = [
            name for name in made.channels if name in state.__annotations__ and name != self.private
        ]
        return made.with_config(recursion_limit=RECURSION)

    def _schemas(self) -> tuple[Any, Any, Any]:
        from typing import NotRequired

        from typing_extensions import TypedDict

        steps = {step.node: step for step in self.plan.steps}
        taken: dict[str, Any] = {}
        for name, each in named_inputs(self.plan):
            hint = given_type(each, steps[each.node])
            taken.setdefault(name, hint if each.port.required and not each.has_default else NotRequired[hint])
        given = {name: kept_type(feed.tag) for name, feed in self.fields.items()} | {OUTPUT: Any}
        whole = {**given, **taken, self.private: dict}
        make: Any = TypedDict  # its functional form, with fields that only the workflow knows
        return (
            make("State", whole, total=False),
            make("Inputs", taken),
            make("Outputs", given, total=False),
        )

    def _region(self, number: int, after: str) -> tuple[Any, Any]:
        from langchain_core.runnables import RunnableConfig

        def region(state: Any, config: Any) -> Any:
            run = self._run(number, state, config).watched(config)
            while run.status == "paused" and not self.asks[number]:
                run = self._again(run, config).watched(config)
            return self._left(run, after)

        async def aregion(state: Any, config: Any) -> Any:
            run = await self._run(number, state, config).awatched(config)
            while run.status == "paused" and not self.asks[number]:
                run = await self._again(run, config).awatched(config)
            return self._left(run, after)

        for each in (region, aregion):
            each.__annotations__["config"] = RunnableConfig
        return region, aregion

    def _run(self, number: int, state: Mapping[str, Any], config: Any) -> RegionRun:
        """A run of a region, from where the last one stood if that one left something for it."""
        told: Any = state.get(self.private) or {}
        if told.get("for") != self.regions[number]:
            told = {}
        given = {name: state[name] for name in self.inputs if name in state}
        return self._begun(number, given, config, told.get("frame"), told.get("answers", {}))

    def _begun(self, number: int, given: dict[str, Any], config: Any, frame: Any, answers: Any) -> RegionRun:
        services = self.services(str(config.get("configurable", {}).get("thread_id") or ""))
        services.answers = {address: list(each) for address, each in answers.items()}
        return RegionRun(self.plan, given, Options(services=services), number, frame)

    def _again(self, run: RegionRun, config: Any) -> RegionRun:
        """Goes on after a question that nobody expected; LangGraph calls the whole region again before."""
        answers = _added(run._services.answers, _heard(run.asked))
        return self._begun(run.region, run.inputs, config, run.frame, answers)

    def _answer(self, state: Any) -> Any:
        """The LangGraph node in which a person answers."""
        from langgraph.types import Command

        told = state[self.private]
        answers = _added(told["answers"], _heard(told["questions"]))
        kept = {"for": told["back"], "frame": told["frame"], "answers": answers}
        return Command(goto=told["back"], update={self.private: kept})

    def _left(self, run: RegionRun, after: str) -> Any:
        """Where LangGraph goes from here, and what it keeps."""
        from langgraph.graph import END
        from langgraph.types import Command

        told: dict[str, Any] = {"answers": run._services.answers}
        if run.status == "paused":
            told |= {"for": self.person, "back": self.regions[run.region], "questions": run.asked}
            return Command(goto=self.person, update={self.private: {**told, "frame": run.frame}})
        if after != END:
            return Command(goto=after, update={self.private: {**told, "for": after, "frame": run.frame}})
        given = {
            name: came[0] if (came := several(feed, run._values)) else None
            for name, feed in self.fields.items()
        }
        return Command(goto=END, update={**given, OUTPUT: run.output, self.private: {}})


def _heard(asked: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What people answer; what does not fit its form is asked again, with the reason."""
    from langgraph.types import interrupt

    questions = {
        address: Question(each["text"], tuple(FieldSpec.model_validate(field) for field in each["form"]))
        for address, each in asked.items()
    }
    payload = asked
    while True:
        told = interrupt(payload)
        try:
            return checked(questions, _by_address(told, asked))
        except InputError as error:
            payload = {address: {**each, "problem": error.to_dict()} for address, each in asked.items()}


def _by_address(told: Any, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The answers by address; True and False stand for approval and the opposite."""
    if isinstance(told, bool):
        return {address: {"approve": told} for address in asked}
    if not isinstance(told, dict):
        raise InputError(
            f"an answer is a dict, not {told!r}"[:200], hint=f"Answer by address: {', '.join(asked)}."
        )
    return {
        name: {"approve": each} if isinstance(each, bool) and name in asked else each
        for name, each in told.items()
    }


def _added(known: Mapping[str, list[Any]], fresh: Mapping[str, Any]) -> dict[str, list[Any]]:
    answers = {address: list(each) for address, each in known.items()}
    for address, answer in fresh.items():
        answers.setdefault(address, []).append(answer)
    return answers


def _fields(plan: Plan) -> dict[str, Any]:
    """What nodes such as End give by name; a ChatOutput's only result is ``output`` itself."""
    names = {
        feed.name
        for s in plan.steps
        if s.cls.collects and s.cls.dynamic()
        for b in s.bound
        for feed in b.feeds
    }
    return {name: feed for name, feed in plan.outputs.items() if name in names}


def _label(steps: list[Step]) -> str:
    names = [step.node for step in steps]
    if len(names) > 4:
        names = [*names[:3], f"{len(names) - 3} more"]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _free(name: str, taken: set[str]) -> str:
    """The name, or another where the state has a key of this name, which LangGraph does not allow."""
    free = unique(name, taken)
    taken.add(free)
    return free


def _asks(step: Step) -> bool:
    """Whether a step may ask a person, as far as its code or its body's shows."""
    return (
        step.cls.boundary
        or any(_code_asks(bound.call.function) for bound in step.bound if bound.call.context)
        or (step.body is not None and any(map(_asks, step.body.steps)))
    )


def _code_asks(function: Any) -> bool:
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return code is None or any(
        each.opname in ("LOAD_METHOD", "LOAD_ATTR") and each.argval == "ask"
        for each in dis.get_instructions(code)
    )
