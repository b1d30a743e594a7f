"""The life of a run over many processes, each of which may be killed; and what its judge says of it."""

from __future__ import annotations

import time
from uuid import UUID

from tests.support.crash_check import Look, of_death, of_end, of_steps
from tests.support.crash_flow import ONCE

APPROVAL = "ask"


class Life:
    """One run, from its admission to its end.

    Args:
        world: Where it takes place.
        way: How children run it; see ``crash_child.WAYS``.
    """

    def __init__(self, world, way="engine"):
        self.world, self.way = world, way
        self.run = world.admit()
        self.looks, self.deaths, self.faults = [], 0, []
        self.outcome = None

    def look(self):
        """What there is, while nobody runs it."""
        (row,) = self.world.ask("SELECT epoch FROM workflow_executions WHERE id = :id", id=UUID(self.run))
        steps = self.world.ask(
            "SELECT address, state, epoch, digest FROM execution_steps WHERE execution_id = :id",
            id=UUID(self.run),
        )
        return Look(
            self.world.witness.of(self.run), {each.pop("address"): each for each in steps}, row["epoch"]
        )

    def live(self, fate=None, *, seconds=None, when_asked=False, slow=0.0, meanwhile=None):
        """One process runs the run until it dies or the run ends; gives whether it died.

        Args:
            fate: The moment at which it kills itself, as ``crash_child.Fate`` takes it.
            seconds: After this time it is killed.
            when_asked: Whether it is killed when the run waits for a person.
            slow: Seconds that each step takes.
            meanwhile: Is called with the child when the run has begun.
        """
        child = self.world.child(self.way, self.run, self.world.take(self.run), fate=fate, slow=slow)
        try:
            return self._hear(child, seconds, when_asked, meanwhile)
        finally:
            child.close()

    def _hear(self, child, seconds, when_asked, meanwhile):
        until = None
        while True:
            if until is not None and not child.spoke(max(0.0, until - time.monotonic())):
                child.signal()
                until = None
            word, what = child.hear()
            if word == "flagged":
                self._flagged(set(what))
            elif word == "running":
                until = None if seconds is None else time.monotonic() + seconds
                if meanwhile is not None:
                    meanwhile(child)
            elif word == "paused" and when_asked:
                child.signal()
            elif word == "paused":
                child.say(self._answers(what))
            elif word == "ended":
                self.outcome = what
            else:
                assert word == "dead", (word, what)
                return self._died(what)

    def _flagged(self, steps):
        """A process that goes on says what is in doubt, before it repeats anything."""
        if self.looks:
            self.looks[-1].flagged = steps & ONCE
            self.faults += of_death(self.looks[-1])

    def _answers(self, questions):
        """What people answer: the truth, as the witness knows it."""
        outside = {entry["step"]: entry["gives"] for entry in self.looks[-1].log} if self.looks else {}
        answers = {}
        for address in questions:
            if address == APPROVAL:
                answers[address] = {"approve": True}
            elif address in outside:
                answers[address] = {"happened": "done", "result": {"text": outside[address]}}
            else:
                answers[address] = {"happened": "repeat"}
        return answers

    def _died(self, signal):
        if signal == 0:
            return False
        assert signal == 9, f"the child ended by signal {signal}"
        self.deaths += 1
        self._looked()
        return True

    def _looked(self):
        look = self.look()
        if self.looks:
            self.faults += of_steps(self.looks[-1], look)
        self.looks.append(look)

    def fault(self):
        """The code of the error that cut the run off; it is to go on."""
        assert self.outcome["status"] == "failed", self.outcome
        self.deaths += 1
        self._looked()
        code, self.outcome = self.outcome["error"]["code"], None
        return code

    def end(self, expected):
        """Runs it to its end; gives all faults of its life."""
        while self.outcome is None:
            self.live()
        self._looked()
        status, output = self.outcome["status"], self.outcome["output"]
        return self.faults + of_end(self.looks[-1], status, output, expected, self.deaths)
