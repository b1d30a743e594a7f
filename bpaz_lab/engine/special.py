"""Steps that need more than to be called: a policy, a body, a limit, the cache, or nothing at all."""

from __future__ import annotations

import asyncio
import threading
from contextlib import nullcontext
from dataclasses import replace
from time import perf_counter, time
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.engine.doubt import in_doubt, needed, rebuilds, verdict, verdicts
from bpaz_lab.engine.slots import MISSING, outputs, several
from bpaz_lab.engine.values import Absent
from bpaz_lab.errors import (
    BpazError,
    CredentialError,
    DocumentError,
    EgressRefused,
    FileRefused,
    InputError,
    MissingPackage,
    NodeFailed,
    NodeTypeError,
    RunTimeout,
)
from bpaz_lab.graph.address import path_of
from bpaz_lab.nodes.context import Paused

if TYPE_CHECKING:
    from bpaz_lab.engine.cache import Entry
    from bpaz_lab.engine.plan import Step
    from bpaz_lab.engine.rebuild import Past
    from bpaz_lab.engine.scheduler import Scheduler
    from bpaz_lab.graph.document import Policy

WAIT: Final = 1.0
"""Seconds before the first repeat. Waits double with full jitter, as in M. Brooker, "Exponential Backoff
And Jitter" (AWS Architecture Blog, 2015)."""
LONGEST: Final = 60.0
AGAIN: Final = "what it gave cannot be kept, and is needed again"
"""Why a step is called that is done."""
DONE: Final = "done"
"""In the event of a step that the ledger knows, in place of what a cache held."""
GIVEN: Final = "given"
"""In the event of a node whose outputs the run brought along, in place of what a cache held."""

PERMANENT: Final = (
    CredentialError,
    DocumentError,
    EgressRefused,
    FileRefused,
    InputError,
    MissingPackage,
    NodeTypeError,
    TypeError,
    SyntaxError,
    NotImplementedError,
)
"""Errors that a repeat does not help, unless ``retry_on`` names them."""


async def special(at: Scheduler, step: Step) -> bool:
    """Runs a step; False where it waits for a person.

    Raises:
        NodeFailed: It failed, and its policy has no answer to that.
    """
    if step.made is None:
        return _not_computed(at, step)
    past = at.past.get(step.index)
    if past is not None and step.strict and in_doubt(step, past):
        return await _doubted(at, step, past)
    return await _cached(at, step)


async def recalled(at: Scheduler, step: Step, past: Past) -> bool:
    """Gives what a step gave before the run began again; False where a person must be asked for it.

    What was not kept and is still needed, a live object for instance, is made again.
    """
    if step.made is None:
        return _not_computed(at, step)
    address, kept = at.prefix + step.node, past.kept.outputs
    if past.kept.large:
        ledger = at.shared.ledger
        assert ledger is not None
        kept = await ledger.outputs(address)
    calls = past.calls
    if calls and not rebuilds(step, calls):
        if needed(at, step):
            return await _doubted(at, step, past)
        calls = []
    for name, value in kept.items():
        if not isinstance(value, Absent) and name in step.slots:
            at.values[step.slots[name]] = value
    if calls:
        return await _cached(at, replace(step, bound=calls), AGAIN)
    at.shared.record("node.finished", address, (0.0, at.given(step), DONE))
    return True


async def _doubted(at: Scheduler, step: Step, past: Past) -> bool:
    """A step of which nobody knows whether it has happened, or what it gave: a person says so."""
    address, ledger = at.prefix + step.node, at.shared.ledger
    assert ledger is not None
    try:
        told = verdict(at, step, past)
    except Paused as paused:
        return at.park(step, paused)
    if told is None:
        return await _cached(at, step)
    if step.index in at.again:
        at.shared.record("node.answered", address, {})
    await ledger.finished(address, step.cls.effect, told, time(), state="given")
    _give(at, step, told, DONE)
    return True


async def _cached(at: Scheduler, step: Step, why: str | None = None) -> bool:
    """Runs a step unless its result is kept."""
    memo = at.shared.memo
    if memo is None or not memo.keeps(step):
        return await _compute(at, step, why)
    found = await memo.look(at, step)
    if found.entry is not None:
        await _noted(at, step, found.entry.outputs, time())
        _give(at, step, found.entry.outputs, found.entry)
        return True
    try:
        return await _compute(at, step, why or found.why)
    finally:
        memo.release(at, step)


def _give(at: Scheduler, step: Step, given: dict[str, Any], held: Entry | str) -> None:
    """Gives what is there already instead of computing it."""
    for name, value in given.items():
        if not isinstance(value, Absent):
            at.values[step.slots[name]] = value
    at.shared.record("node.finished", at.prefix + step.node, (0.0, at.given(step), held))


async def _compute(at: Scheduler, step: Step, why: str | None) -> bool:
    """Calls the step, and keeps what it gives; False where it waits for a person."""
    shared, address = at.shared, at.prefix + step.node
    if step.index in at.again:
        shared.record("node.answered", address, {})
    else:
        shared.record("node.started", address, why)
    strict = step.strict and shared.ledger is not None and why is not AGAIN
    if shared.ledger is not None and strict:
        answers = len(verdicts(at, address))
        await at.told(step, shared.ledger.started(address, step.cls.effect, answers), perf_counter())
    since, began = time(), perf_counter()
    try:
        await _tries(at, step, address)
    except Paused as paused:
        if shared.ledger is not None and strict:  # it has not happened: nobody is to be asked whether it has
            await shared.ledger.failed(address, step.cls.effect, since)
        return at.park(step, paused)
    except (Exception, asyncio.CancelledError, SystemExit, KeyboardInterrupt) as error:  # noqa: BLE001 (as in the scheduler)
        await _failed(at, step, at.failure(step, error, began), since)
        return True
    took = perf_counter() - began
    if why is not AGAIN:
        await at.told(step, _noted(at, step, outputs(step, at.values), since), began)
    shared.record("node.finished", address, (took, at.given(step), None))
    memo = shared.memo
    if memo is not None and memo.keeps(step):
        await memo.keep(at, step, took)
    elif memo is not None:
        memo.note(at, step)
        await memo.trace(at, step)
    return True


async def _failed(at: Scheduler, step: Step, failure: BaseException, since: float) -> None:
    """What becomes of a step that raised.

    Raises:
        NodeFailed: Its policy has no answer to that.
    """
    if isinstance(failure, NodeFailed):
        if _handled(at, step, failure):
            await _noted(at, step, _all(at, step), since)
            return
        ledger, late = at.shared.ledger, isinstance(failure.__cause__, RunTimeout)
        if ledger is not None and step.strict and not late:  # else it may be going on
            await ledger.failed(at.prefix + step.node, step.cls.effect, since)
    raise failure from failure.__cause__


async def _noted(at: Scheduler, step: Step, given: dict[str, Any], since: float) -> None:
    """Tells the ledger that a step has ended; where it must not happen twice, waits until that is safe."""
    ledger, address, effect = at.shared.ledger, at.prefix + step.node, step.cls.effect
    if ledger is None:
        return
    if step.strict or step.live or not ledger.note(address, effect, given, since):
        await ledger.finished(address, effect, given, since, step.live)
    if step.cls.container:
        ledger.over(address)


def _all(at: Scheduler, step: Step) -> dict[str, Any]:
    return {name: at.values[s] for name, s in step.slots.items() if at.values[s] is not MISSING}


def _not_computed(at: Scheduler, step: Step) -> bool:
    """A node that is passed by, or one whose outputs the run brought along."""
    address = at.prefix + step.node
    if step.passes is not None:
        feed, slot = step.passes
        if came := several(feed, at.values):
            at.values[slot] = came if feed.many else came[0]
    if step.entry.get("policy", {}).get("disabled"):
        at.shared.record("node.skipped", address, {"reason": "it is disabled"})
    else:
        given = _all(at, step)
        at.shared.record("node.finished", address, (0.0, lambda: given, GIVEN))
    return True


async def _tries(at: Scheduler, step: Step, address: str) -> None:
    """Calls the step as often as its policy allows."""
    policy = step.entry.get("policy") or {}
    if not policy.get("retries"):
        await _try(at, step, address, policy)
        return
    from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

    def told(state: Any) -> None:
        wait, error = state.next_action.sleep, state.outcome.exception()
        if body := at.shared.bodies.get(address):  # a repeat is there for what failed
            body.failed.clear()
        at.shared.record("node.retried", address, (state.attempt_number, wait, error))

    async for attempt in AsyncRetrying(
        stop=stop_after_attempt(policy["retries"] + 1),
        wait=wait_random_exponential(multiplier=policy.get("wait", WAIT), max=LONGEST),
        retry=retry_if_exception(lambda error: _worth(error, policy) and not at.stopping()),
        before_sleep=told,
        reraise=True,
    ):
        with attempt:
            await _try(at, step, address, policy)


def _worth(error: BaseException, policy: Policy) -> bool:
    """Whether a repeat may help."""
    while isinstance(error, NodeFailed) and error.__cause__ is not None:  # of a body
        error = error.__cause__
    if not isinstance(error, Exception):
        return False
    named = policy.get("retry_on")
    if named is None:
        return not isinstance(error, PERMANENT)
    names = {cls.__name__ for cls in type(error).__mro__}
    if isinstance(error, BpazError):
        names.add(error.code)
    return not names.isdisjoint(named)


async def _try(at: Scheduler, step: Step, address: str, policy: Policy) -> None:
    """Calls the step once, within its time and its limits."""
    body = _rounds(at, step, address) if step.cls.container else None
    seconds = policy.get("timeout")
    stop = None if seconds is None else threading.Event()
    async with nullcontext() if body else at.shared.limits.place(step.cls):
        try:
            async with asyncio.timeout(seconds) as clock:
                await at.call(step, address, body, stop)
        except TimeoutError:
            if not clock.expired():
                raise
            raise RunTimeout(
                f"{address} took longer than {seconds:g} s",
                path=path_of(address),
                hint="Give it a longer timeout in its policy, or retries.",
            ) from None
        finally:
            if stop is not None:
                stop.set()


def _rounds(at: Scheduler, step: Step, address: str) -> Any:
    from bpaz_lab.engine.rounds import Rounds

    if step.body is None:
        raise InputError(
            f"{address} has no body to run",
            path=path_of(address),
            hint="Put nodes into it, or name a workflow.",
        )
    known = at.shared.bodies.get(address)
    if known is None or step.index not in at.again:
        known = at.shared.bodies[address] = Rounds(step.body, address, at.shared)
    return known


def _handled(at: Scheduler, step: Step, failure: NodeFailed) -> bool:
    """Gives what the policy says instead of the result; False where it says nothing."""
    policy = step.entry.get("policy") or {}
    for slot in step.slots.values():
        at.values[slot] = MISSING
    if step.error is not None:
        at.values[step.error] = failure.told()
        return True
    if policy.get("on_error") == "default":
        if step.main:
            at.values[step.slots[step.main]] = policy.get("default")
        return True
    return False
