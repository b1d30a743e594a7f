"""The ledger of a run on disk: what is done, in flight or failed, and what it gave.

A journal is opened once, before the run is made; then the run tells it what happens, and one thread writes
(see ``journal_writer.py``). Plain small values become bytes at once; large ones do in a thread, while their
step waits, so that nobody changes them meanwhile.
"""

from __future__ import annotations

import asyncio
from time import time
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.engine.journal_packing import Packing
from bpaz_lab.engine.journal_writer import LARGE, Line, Writer
from bpaz_lab.engine.ledger import DONE, STRICT, Kept
from bpaz_lab.engine.steps import StepRow, intact
from bpaz_lab.engine.values import (
    ABOUT,
    LIVE,
    Absent,
    about,
    named,
    pack,
    skeleton,
    small,
    unpack,
)
from bpaz_lab.errors import IntegrityError, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from bpaz_lab.engine.ledger import Usage
    from bpaz_lab.engine.steps import State, Steps
    from bpaz_lab.errors import BpazError
    from bpaz_lab.graph.spec import Effect
    from bpaz_lab.guard.mask import Masker

PENDING: Final = 5_000
"""Rows that wait to be written before a step waits with them."""
SHOWN: Final = 5
"""Addresses that an error names."""


class Journal:
    """What a run has done, kept under a lease.

    Args:
        steps: Where it is kept.
        masker: The secrets of the run; what holds one is not kept. The run gives its own where this is None.
        window: Seconds in which steps that may be repeated share a commit.
        lease: Seconds after which a holder that was not heard of is replaced.
        repair: Damaged rows do not count, instead of being an error.
    """

    def __init__(
        self,
        steps: Steps,
        *,
        masker: Masker | None = None,
        window: float = 0.02,
        lease: float = 20.0,
        repair: bool = False,
    ) -> None:
        self.steps = steps
        self.on_fault: Callable[[BpazError], None] = lambda _error: None
        self.damaged: list[str] = []
        """The addresses whose rows are not what they were."""
        self._packing = Packing(masker)
        self._repair = repair
        self._rows: dict[str, StepRow] | None = None
        self._prefixes: set[str] = set()
        self._usage: dict[str, Usage] = {}
        self._answers: dict[str, int] = {}
        self._open: set[asyncio.Task[None]] = set()
        self._parts: dict[str, bytes] = {}
        self._writer = Writer(steps, window, lease, self._broke)
        self._spent: dict[str, Usage] = {}

    # ---- before the run ----------------------------------------------------------------------------------

    def open(self) -> Journal:
        """Reads what is known; blocks.

        Raises:
            IntegrityError: Rows are damaged or of another run; it names them.
            LeaseLost: Somebody else holds the run.
        """
        rows: dict[str, StepRow] = {}
        for row in self.steps.read():
            if intact(self.steps.run_id, row) and (not self._repair or self._whole(row)):
                rows[row.address] = row
            else:
                self.damaged.append(row.address)
        if self.damaged and not self._repair:
            shown = ", ".join(map(repr, self.damaged[:SHOWN])) + (" …" if len(self.damaged) > SHOWN else "")
            raise IntegrityError(
                f"what the run has kept is damaged: {shown}",
                hint="Go on with repair=True: what may be repeated is computed again, the rest is asked for.",
            )
        self._rows = rows
        self._prefixes = {_prefix(address) for address in (*rows, *self.damaged) if address}
        for address, row in rows.items():
            if usage := about(row.data).get("usage"):
                self._usage[address] = {model: (used[0], used[1]) for model, used in usage.items()}
                if row.state not in DONE:
                    self._spent[address] = dict(self._usage[address])
        return self

    @property
    def addresses(self) -> list[str]:
        """The steps of which something is known, as it was opened."""
        return [address for address in self._known if address]

    @property
    def in_doubt(self) -> list[str]:
        """The steps that were in flight, or whose row is damaged, and that must not happen twice."""
        return [
            address for address, row in self._known.items() if row.state == "started" and row.effect in STRICT
        ] + [address for address in self.damaged if address]

    @property
    def inputs(self) -> dict[str, Any]:
        """The inputs of the run; blocks."""
        return self.values("")

    def values(self, address: str) -> dict[str, Any]:
        """What a step gave that was done when this was opened, by output; blocks.

        Raises:
            IntegrityError: A part of it is damaged.
        """
        row = self._known.get(address)
        return {} if row is None or not row.data else unpack(row.data, self._part)

    def given(self, values: Mapping[str, Mapping[str, Any]]) -> None:
        """Keeps what steps are to give, in place of what they gave; blocks.

        Args:
            values: Outputs by address; ``""`` for the inputs of the run.

        Raises:
            InputError: A value has no form.
        """
        lines = [self._packing.given(address, outputs) for address, outputs in values.items()]
        rows = [self._writer._row(line) for line in lines]
        parts = {name: part for line in lines for name, part in (line.parts or {}).items()}
        with self._writer.calls:
            lacking = self.steps.lacking(parts) if parts else set()
            self.steps.write(rows, {name: parts[name] for name in lacking})
        self._known.update({row.address: row for row in rows})
        self._prefixes |= {_prefix(row.address) for row in rows if row.address}
        self.damaged = [address for address in self.damaged if address not in values]

    def close(self) -> None:
        """Ends the thread and lets go of the store; what was not written is not. Call ``rest`` before."""
        self._writer.close()
        with self._writer.calls:
            self.steps.close()

    # ---- what the scheduler asks -------------------------------------------------------------------------

    def knows(self, prefix: str) -> bool:
        """Whether anything is known of steps there."""
        return self._rows is None or prefix in self._prefixes

    def kept(self, address: str) -> Kept | None:
        """What is known of a step."""
        row = self._known.get(address)
        if row is None:
            return Kept("started", {}, damaged=True) if address in self.damaged else None
        answers = about(row.data).get("answers", 0)
        if row.state not in DONE:
            return Kept(row.state, {}, answers=answers)
        if row.parts:
            told = skeleton(row.data)
            told.pop(ABOUT, None)
            return Kept(row.state, told, large=True, answers=answers)
        try:
            outputs = unpack(row.data, self._part)
        except IntegrityError as error:  # it is what was kept, and this version cannot build it
            outputs = dict.fromkeys(skeleton(row.data), Absent(error.message))
            outputs.pop(ABOUT, None)
        return Kept(row.state, outputs, answers=answers)

    async def outputs(self, address: str) -> dict[str, Any]:
        """The outputs of a step that is done, the large ones too."""
        try:
            return await asyncio.to_thread(self.values, address)
        except IntegrityError as error:
            fault = IntegrityError(f"what {address} gave is damaged: {error.message}", hint=error.hint)
            self._broke(fault)
            await self._never()
            raise

    def masked(self, masker: Masker) -> None:
        """Knows the secrets of the run from here on, unless it was told them."""
        if self._packing.masker is None:
            self._packing.masker = masker

    @property
    def spent(self) -> dict[str, Usage]:
        """What was used before."""
        return self._usage

    # ---- what the scheduler tells ------------------------------------------------------------------------

    async def begin(self, inputs: Mapping[str, Any], given: Mapping[str, Mapping[str, Any]]) -> None:
        """Keeps what the run is given, unless it is known."""
        if "" in self._known:
            return
        values = {"": inputs, **given}
        lines = await asyncio.to_thread(lambda: [self._packing.given(*each) for each in values.items()])
        for line in lines:
            self._writer.add(line)
            self._known[line.address] = self._writer._row(line)
        if inputs or given:
            await self._writer.safe()

    async def started(self, address: str, effect: Effect, /, answers: int = 0) -> None:
        """A strict step begins."""
        if answers:
            self._answers[address] = answers
        line = Line(address, "started", effect, *self._besides(address), time(), 0.0)
        self._writer.add(line)
        try:
            await self._writer.safe()
        except asyncio.CancelledError:  # it has not begun
            self._writer.add(line._replace(state="failed", ended=time()))
            raise
        self._remember(line)

    def note(self, address: str, effect: Effect, outputs: dict[str, Any], began: float, /) -> bool:
        """Notes that a step has ended, unless that takes longer."""
        if address in self._spent or len(self._writer.lines) >= PENDING:
            return False
        data = small(outputs)
        if data is None or not self._packing.fits(data):
            return False
        self._writer.add(Line(address, "done", effect, data, len(data), began, time()))
        return True

    async def finished(
        self,
        address: str,
        effect: Effect,
        outputs: Mapping[str, Any],
        /,
        began: float = 0.0,
        live: Collection[str] = (),
        state: State = "done",
    ) -> None:
        """A step has ended with these outputs."""
        told = {name: LIVE if name in live else value for name, value in outputs.items()}
        if besides := self._about(address):
            told[ABOUT] = besides
        ended = time()
        data = None if live else small(told)
        if data is not None and self._packing.fits(data):
            self._done(Line(address, state, effect, data, len(data), began, ended))
        else:  # a stop must not lose what has happened
            packing = self._packed(address, effect, told, began, ended, state)
            task = asyncio.get_running_loop().create_task(packing)
            self._open.add(task)
            task.add_done_callback(self._open.discard)
            await asyncio.shield(task)
        if effect in STRICT or len(self._writer.lines) >= PENDING or self._writer.large > LARGE:
            await self._writer.safe()

    async def failed(self, address: str, effect: Effect, began: float, /) -> None:
        """A strict step raised, or waits for a person: it may begin again."""
        line = Line(address, "failed", effect, *self._besides(address), began, time())
        self._writer.add(line)
        self._remember(line)
        await self._writer.safe()

    def over(self, container: str) -> None:
        """A container is done: nobody asks for what happened in it any more, unless one around it does."""
        if "/" in container:
            return
        inner = (f"{container}/", f"{container}[")
        prefixes = {prefix for prefix in self._prefixes if prefix.startswith(inner)}
        if prefixes:
            self._prefixes -= prefixes
            for address in [address for address in self._known if _prefix(address) in prefixes]:
                del self._known[address]

    def used(self, address: str, model: str, input_tokens: int, output_tokens: int, /) -> None:
        """A model told what it used."""
        models = self._spent.setdefault(address, {})
        before = models.get(model, (0, 0))
        models[model] = (before[0] + input_tokens, before[1] + output_tokens)

    async def rest(self) -> None:
        """Waits until everything is safe."""
        while self._open:
            await asyncio.wait(self._open)
        await self._writer.rest()

    # ---- inside ------------------------------------------------------------------------------------------

    @property
    def _known(self) -> dict[str, StepRow]:
        if self._rows is None:
            self.open()
        assert self._rows is not None
        return self._rows

    def _broke(self, error: BpazError) -> None:
        self._writer.broken = error
        self.on_fault(error)

    async def _never(self) -> None:
        """Waits for the stop of the run, which comes."""
        await asyncio.get_running_loop().create_future()

    def _remember(self, line: Line) -> None:
        """Keeps at hand what must not happen twice, where its container tries again."""
        if "/" in line.address:
            self._known[line.address] = self._writer._row(line)
            self._prefixes.add(_prefix(line.address))

    def _done(self, line: Line) -> None:
        self._spent.pop(line.address, None)
        self._writer.add(line)
        if line.effect in STRICT:
            self._remember(line)

    async def _packed(
        self, address: str, effect: Effect, told: dict[str, Any], began: float, ended: float, state: State
    ) -> None:
        packed = await asyncio.to_thread(self._packing.pack, told)
        data, parts, size = packed
        self._done(Line(address, state, effect, data, size, began, ended, parts, tuple(parts)))

    def _about(self, address: str) -> dict[str, Any]:
        """What is kept of a step besides its outputs."""
        told: dict[str, Any] = {}
        if usage := self._spent.get(address):
            told["usage"] = {model: list(used) for model, used in usage.items()}
        if answers := self._answers.get(address):
            told["answers"] = answers
        return told

    def _besides(self, address: str) -> tuple[bytes, int]:
        told = self._about(address)
        data = pack({ABOUT: told}).data if told else b""
        return data, len(data)

    def _part(self, name: str) -> bytes:
        found = self._parts.get(name)
        if found is None:
            with self._writer.calls:
                found = self.steps.part(name)
            while self._parts and sum(map(len, self._parts.values())) + len(found) > LARGE:
                del self._parts[next(iter(self._parts))]
            self._parts[name] = found
        return found

    def _whole(self, row: StepRow) -> bool:
        """Whether all parts of a row are there and what their names say."""
        try:
            return all(named(self.steps.part(name)) == name for name in row.parts)
        except (IntegrityError, NotFound):
            return False


def _prefix(address: str) -> str:
    """What stands before the id."""
    before, slash, _ = address.rpartition("/")
    return before + slash
