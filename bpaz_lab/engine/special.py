"""Steps that need more than to be called: a policy, a body, a limit, the cache, or nothing at all."""

from __future__ import annotations

import asyncio
import threading
from contextlib import nullcontext
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.engine.slots import MISSING, several
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
    from bpaz_lab.engine.scheduler import Scheduler
    from bpaz_lab.graph.document import Policy

WAIT: Final = 1.0
"""Seconds before the first repeat. Waits double with full jitter, as in M. Brooker, "Exponential Backoff
And Jitter" (AWS Architecture Blog, 2015)."""
LONGEST: Final = 60.0
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
    ledger = at.shared.ledger
    if ledger is None:
        return await _cached(at, step)
    address, effect = at.prefix + step.node, step.cls.effect
    known = ledger.done(address)
    if known is not None:
        _give(at, step, known, DONE)
        return True
    await ledger.started(address, effect)
    done = await _cached(at, step)
    if done:
        outputs = {name: at.values[s] for name, s in step.slots.items() if at.values[s] is not MISSING}
        await ledger.finished(address, effect, outputs)
    return done


async def _cached(at: Scheduler, step: Step) -> bool:
    """Runs a step unless its result is kept."""
    memo = at.shared.memo
    if memo is None or not memo.keeps(step):
        return await _compute(at, step, None)
    found = await memo.look(at, step)
    if found.entry is not None:
        _give(at, step, found.entry.outputs, found.entry)
        return True
    try:
        return await _compute(at, step, found.why)
    finally:
        memo.release(at, step)


def _give(at: Scheduler, step: Step, outputs: dict[str, Any], held: Entry | str) -> None:
    """Gives what is there already instead of computing it."""
    for name, value in outputs.items():
        at.values[step.slots[name]] = value
    at.shared.record("node.finished", at.prefix + step.node, (0.0, at.given(step), held))


async def _compute(at: Scheduler, step: Step, why: str | None) -> bool:
    """Calls the step, and keeps what it gives; False where it waits for a person."""
    shared, address = at.shared, at.prefix + step.node
    if step.index in at.again:
        shared.record("node.answered", address, {})
    else:
        shared.record("node.started", address, why)
    began = perf_counter()
    try:
        await _tries(at, step, address)
    except Paused as paused:
        return at.park(step, paused)
    except (Exception, asyncio.CancelledError, SystemExit, KeyboardInterrupt) as error:  # noqa: BLE001 (as in the scheduler)
        failure = at.failure(step, error, began)
        if isinstance(failure, NodeFailed) and _handled(at, step, failure):
            return True
        raise failure from failure.__cause__
    took = perf_counter() - began
    shared.record("node.finished", address, (took, at.given(step), None))
    memo = shared.memo
    if memo is not None and memo.keeps(step):
        await memo.keep(at, step, took)
    elif memo is not None:
        memo.note(at, step)
        await memo.trace(at, step)
    return True


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
        outputs = {name: at.values[s] for name, s in step.slots.items() if at.values[s] is not MISSING}
        at.shared.record("node.finished", address, (0.0, lambda: outputs, GIVEN))
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
