"""What must hold of a run that was killed again and again: judged from outside, of facts alone.

Each function gives the faults that it found, as sentences; none means that the promise was kept.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tests.support.crash_flow import ALL, IDEMPOTENT, ONCE

STRICT = ONCE | IDEMPOTENT


@dataclass
class Look:
    """What there was while nobody ran the run.

    Attributes:
        log: What the witness had written down for the run.
        rows: The rows of its ledger, by address, each with state, epoch and digest.
        epoch: The epoch of the run.
        flagged: The steps that were said to be in doubt, before anything was repeated.
        events: The stored events; None where nobody stores them.
    """

    log: list
    rows: dict
    epoch: int
    flagged: set = field(default_factory=set)
    events: list | None = None


def of_death(look):
    """The faults of a look at a run whose process has just died."""
    outside = {entry["step"] for entry in look.log}
    states = {address: row["state"] for address, row in look.rows.items()}
    begun = {address for address, state in states.items() if state == "started"}
    return [
        *(
            f"{step} was done, and the ledger knows nothing of it"
            for step in sorted(STRICT & outside - set(states))
        ),
        *(f"{step} is in doubt, and nobody was told" for step in sorted(begun & ONCE - look.flagged)),
        *(
            f"{step} is said to be in doubt, and is {states.get(step, 'not in the ledger')}"
            for step in sorted(look.flagged - begun)
        ),
        *(
            f"{address or 'the run'} was written under an epoch that never was"
            for address, row in look.rows.items()
            if row["epoch"] > look.epoch
        ),
        *_told(look, states),
    ]


def of_steps(one, other):
    """The faults between two looks, one later than the other: what was done stays done, and as it was."""
    found = []
    after = {entry["step"] for entry in other.log[len(one.log) :]}
    for address, row in one.rows.items():
        if row["state"] not in ("done", "given"):
            continue
        if address in after:
            found.append(f"{address} was finished, and was done again")
        if other.rows.get(address, {}).get("digest") != row["digest"]:
            found.append(f"{address} was finished, and its row was changed")
    if other.epoch < one.epoch:
        found.append("the epoch went back")
    if one.events is not None and other.events[: len(one.events)] != one.events:
        found.append("events that were stored were changed")
    return found


def of_zombie(taken, other):
    """The faults between the moment at which a run was taken over and a later look: nobody else wrote."""
    return [
        f"{address or 'the run'} was written under an old epoch"
        for address, row in other.rows.items()
        if row["epoch"] < other.epoch and row != taken.rows.get(address)
    ]


def of_end(look, status, output, expected, deaths):
    """The faults of a run that has ended.

    Args:
        look: The last look.
        status: How it ended.
        output: What it gave.
        expected: What a run gives that nobody disturbed.
        deaths: How often it was killed.
    """
    if status != "completed":
        return [f"the run is lost: it is {status}"]
    found = [] if output == expected else [f"the output is {output!r} and not {expected!r}"]
    times = Counter(entry["step"] for entry in look.log)
    found += [f"{step} was never done" for step in sorted(ALL - set(times))]
    found += [f"{step} was done {times[step]} times" for step in sorted(ONCE) if times[step] > 1]
    found += [
        f"{step} was done {times[step]} times at {deaths} deaths"
        for step in sorted(ALL - ONCE)
        if times[step] > 1 + deaths
    ]
    keys = {(entry["step"], entry["key"]) for entry in look.log if entry["step"] in STRICT}
    each = Counter(step for step, _ in keys)
    found += [f"{step} was done with {number} keys" for step, number in each.items() if number > 1]
    if len({key for _, key in keys}) < len({step for step, _ in keys}) or "" in {key for _, key in keys}:
        found.append("two steps have the same key, or one has none")
    return found + _whole(look)


def _told(look, states):
    """What was told of a strict step is in the ledger before it is in an event."""
    return [
        f"{event['node']} was told to be finished before it was kept"
        for event in look.events or ()
        if event["type"] == "node.finished"
        and event["node"] in STRICT
        and states.get(event["node"]) not in ("done", "given")
    ]


def _whole(look):
    """The events have no gap, and the last one, and no other, ends the run."""
    if look.events is None:
        return []
    found = []
    numbers = [event["seq"] for event in look.events]
    if numbers != list(range(len(numbers))):
        found.append(f"the events are numbered {numbers}")
    if not look.events or look.events[-1]["type"] != "run.finished":
        found.append("the last event does not end the run")
    if sum(event["type"] == "run.started" for event in look.events) != 1:
        found.append("the run did not begin once")
    finished = {event["node"] for event in look.events if event["type"] == "node.finished"}
    # A container that is done speaks for its rounds, whose events may have died with the process.
    missing = sorted(step for step in ONCE - finished if "/" not in step)
    return found + [f"no event says that {step} is finished" for step in missing]
