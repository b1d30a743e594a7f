"""The life of a run over many processes, each of which may be killed; and what its judge says of it."""

from __future__ import annotations

import json
import time
from uuid import UUID

from tests.support.crash_check import Look, of_death, of_end, of_steps
from tests.support.crash_flow import ONCE

APPROVAL = "ask"


class Life:
    """One run, from its admission to its end.

    Args:
        world: Where it takes place.
    """

    def __init__(self, world):
        self.world, self.run = world, world.admit()
        self.looks, self.deaths, self.faults = [], 0, []
        self.outcome, self.answered = None, {}

    @property
    def id(self):
        return UUID(self.run)

    def look(self):
        """What there is, while nobody runs it."""
        (row,) = self.world.ask("SELECT epoch FROM workflow_executions WHERE id = :id", id=self.id)
        steps = self.world.ask(
            "SELECT address, state, epoch, digest FROM execution_steps WHERE execution_id = :id",
            id=self.id,
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
        child = self._child(fate=fate, slow=slow)
        try:
            return self._hear(child, seconds, when_asked, meanwhile)
        finally:
            child.close()

    def _child(self, **how):
        return self.world.child("engine", self.run, self.world.take(self.run), **how)

    def _begun(self, run):
        """The run has begun."""

    def _rested(self, questions):
        """The run rests, with these questions or for good."""

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
                self._begun(what)
                until = None if seconds is None else time.monotonic() + seconds
                if meanwhile is not None:
                    meanwhile(child)
            elif word == "paused":
                self._rested(what)
                if when_asked:
                    child.signal()
                else:
                    child.say(self._answers(what))
            elif word == "ended":
                self._rested(())
                self.outcome = what
            else:
                assert word == "dead", (word, what)
                return self._died(what)

    def _flagged(self, steps):
        """A process that goes on says what is in doubt, before it repeats anything."""
        if self.looks:
            look = self.looks[-1]
            look.flagged = (steps | self._answered(look)) & ONCE
            self.faults += of_death(look)

    def _answered(self, look):
        """The steps in doubt of which somebody said so before, and nothing has come of the answer yet."""
        return {step for step, row in self.answered.items() if row == look.rows.get(step)}

    def _answers(self, questions):
        """What people answer: the truth, as the witness knows it."""
        outside = {entry["step"]: entry["gives"] for entry in self.looks[-1].log} if self.looks else {}
        rows = self.looks[-1].rows if self.looks else {}
        self.answered.update({address: rows[address] for address in questions if address in rows})
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
        self.world.settle()
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


class Cell(Life):
    """The life of a durable run that a cell makes: admitted by the API, which keeps its events too."""

    def __init__(self, world):
        self.world, self.run = world, ""
        self.looks, self.deaths, self.faults, self.outcome, self.answered = [], 0, [], None, {}
        self._others = set(self._all())
        self._judged = 0

    def _all(self):
        return {each["id"] for each in self.world.ask("SELECT id FROM workflow_executions")}

    def _child(self, **how):
        return self.world.child("api", self.run, 0, **how)

    def _begun(self, run):
        assert self.run in ("", run)
        self.run = run

    def _rested(self, questions):
        if self._judged < len(self.looks):  # what it asks first is what was in doubt when it was cut off
            self._judged = len(self.looks)
            self._flagged(set(questions))

    def look(self):
        found = super().look()
        rows = self.world.ask(
            "SELECT seq, data FROM execution_events WHERE execution_id = :id ORDER BY seq", id=self.id
        )
        found.events = [{**_read(row["data"]), "seq": row["seq"]} for row in rows]
        return found

    def _looked(self):
        if not self.run:  # it died before it could say that it has begun
            self.world.settle()
            new = self._all() - self._others
            if not new:
                return
            (id,) = new
            self.run = UUID(str(id)).hex
        super()._looked()


def _read(data):
    return json.loads(data) if isinstance(data, str) else data
