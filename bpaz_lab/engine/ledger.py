"""What is done of a run, so that a run which begins again does it not twice: the protocol.

A ledger is asked before a step begins and told after it has ended. Where a step must not happen twice
(its effect is one of ``STRICT``), ``started`` and ``finished`` return when the note is safe, and the
scheduler waits for them; what the others gave is noted in passing. Steps are named by address, those in
rounds of a container too. A fault of the ledger itself is no fault of a node: it ends the run.

Example:
    >>> ledger = Notes()
    >>> import asyncio
    >>> asyncio.run(ledger.finished("send", "once", {"receipt": 7}))
    >>> ledger.kept("send").outputs
    {'receipt': 7}
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from bpaz_lab.engine.steps import State
    from bpaz_lab.errors import BpazError
    from bpaz_lab.graph.spec import Effect
    from bpaz_lab.guard.mask import Masker

STRICT: Final = frozenset({"once", "undeclared"})
"""The effects that must not happen twice."""
DONE: Final = frozenset({"done", "given"})

Usage = dict[str, tuple[int, int]]
"""Input and output tokens by model."""


class Kept(NamedTuple):
    """What a ledger knows of a step.

    Attributes:
        state: How far it came.
        outputs: What it gave; ``values.Absent`` for what is not kept, and where ``large``
            ``values.Later`` for what must be read first.
        large: Whether ``Ledger.outputs`` must be asked for the values.
        answers: How many answers to the question what happened were heard before it began.
        damaged: Whether nobody can tell what was known of it.
    """

    state: State
    outputs: dict[str, Any]
    large: bool = False
    answers: int = 0
    damaged: bool = False


class Ledger(Protocol):
    """The notes of one run. Its methods are called on the engine's loop."""

    on_fault: Callable[[BpazError], None]
    """Is called on the loop when the ledger can do no more; the run stops then."""

    def masked(self, masker: Masker, /) -> None:
        """Knows the secrets of the run from here on: what holds one is not kept."""

    def knows(self, prefix: str) -> bool:
        """Whether anything is known of steps whose addresses are this and an id."""

    def kept(self, address: str) -> Kept | None:
        """What is known of a step from before; None where that is nothing."""

    async def outputs(self, address: str) -> dict[str, Any]:
        """The outputs of a step that is done, the large ones too."""

    async def begin(self, inputs: Mapping[str, Any], given: Mapping[str, Mapping[str, Any]]) -> None:
        """Keeps what the run is given, unless it is known.

        Raises:
            InputError: Something of it has no form.
        """

    async def started(self, address: str, effect: Effect, /, answers: int = 0) -> None:
        """A strict step begins; so many people have said what became of it before."""

    def note(self, address: str, effect: Effect, outputs: dict[str, Any], began: float, /) -> bool:
        """Notes that a step which is not strict has ended; False where ``finished`` must do it."""

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
        """A step has ended with these outputs; a branch not taken is missing, ``live`` ones are not kept."""

    async def failed(self, address: str, effect: Effect, began: float, /) -> None:
        """A strict step raised, or waits for a person: it may begin again."""

    def over(self, container: str, /) -> None:
        """A container is done: nobody asks for what happened in it any more, unless one around it does."""

    def used(self, address: str, model: str, input_tokens: int, output_tokens: int, /) -> None:
        """A model told what it used; that is kept with its step."""

    @property
    def spent(self) -> Mapping[str, Usage]:
        """What was used before the run began again, by address."""

    async def rest(self) -> None:
        """Waits until everything is safe, and lets go of the lease's beat until something more comes."""


def _nobody(_error: BpazError) -> None:
    """No run listens."""


class Notes:
    """A ledger in memory: a run that failed goes on where it stopped, in the same process."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.on_fault: Callable[[BpazError], None] = _nobody
        self._kept: dict[str, Kept] = {}

    def masked(self, masker: Masker, /) -> None:
        """Nothing: it leaves nothing behind."""

    def knows(self, prefix: str) -> bool:
        """Whether anything is known there."""
        return any(address.rpartition("/")[0] == prefix.rstrip("/") for address in self._kept)

    def kept(self, address: str) -> Kept | None:
        """What is known of a step."""
        return self._kept.get(address)

    async def outputs(self, address: str) -> dict[str, Any]:
        """The outputs of a step that is done."""
        return self._kept[address].outputs

    async def begin(self, inputs: Mapping[str, Any], given: Mapping[str, Mapping[str, Any]]) -> None:
        """Nothing: who made the run has them."""

    async def started(self, address: str, _effect: Effect, /, answers: int = 0) -> None:
        """A strict step begins."""
        self.begun.append(address)
        self._kept[address] = Kept("started", {}, answers=answers)

    def note(self, address: str, _effect: Effect, outputs: dict[str, Any], _began: float, /) -> bool:
        """A step has ended with these outputs."""
        self._kept[address] = Kept("done", outputs)
        return True

    async def finished(
        self,
        address: str,
        _effect: Effect,
        outputs: Mapping[str, Any],
        /,
        began: float = 0.0,  # noqa: ARG002 (nobody reads it)
        live: Collection[str] = (),  # noqa: ARG002 (in memory they are kept)
        state: State = "done",
    ) -> None:
        """A step has ended with these outputs."""
        self._kept[address] = Kept(state, dict(outputs))

    async def failed(self, address: str, _effect: Effect, _began: float, /) -> None:
        """A strict step raised."""
        self._kept[address] = Kept("failed", {})

    def over(self, container: str, /) -> None:
        """Nothing: a run that begins again may ask."""

    def used(self, address: str, model: str, input_tokens: int, output_tokens: int, /) -> None:
        """Nothing is kept of it."""

    @property
    def spent(self) -> Mapping[str, Usage]:
        """Nothing."""
        return {}

    async def rest(self) -> None:
        """Everything is as safe as it gets."""
