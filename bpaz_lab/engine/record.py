"""What happened in a run: raw events as they come, typed and masked when somebody reads them."""

from __future__ import annotations

from contextlib import suppress
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.engine.events import Failure, Preview, Question, RawEvent, Usage, later, summed
from bpaz_lab.engine.preview import preview
from bpaz_lab.errors import BpazError, JsonError, NodeFailed
from bpaz_lab.graph.address import path_of
from bpaz_lab.guard import strict_json
from bpaz_lab.guard.emit import emit, fit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bpaz_lab.guard.mask import Masker, MaskStream


STOPPED: Final = "the run ended before it was done"
GOES_ON: Final = "; its function goes on in its thread until it returns, and what it gives is dropped"


class Record:
    """The events of one run. Written on the engine's loop, read from any thread.

    The position of an event in the list, counted from ``first``, is its sequence number, so that there are no
    gaps by construction. Values are previewed when an event is read: a run that nobody watches pays nothing.

    Args:
        masker: The secrets of the run.
        first: The number of the first event: those before are another process's.
    """

    def __init__(self, masker: Masker, first: int = 0) -> None:
        self.first = first
        self.began = perf_counter()
        self.masker = masker
        self.usage: dict[str, Usage] = {}
        self._raw: list[RawEvent] = []
        self._streams: dict[tuple[str, str], MaskStream] = {}
        self._wakers: list[Callable[[], None]] = []
        self._waiting: list[Callable[[], None]] = []

    def __len__(self) -> int:
        return len(self._raw)

    def add(self, kind: str, node: str, data: Any) -> None:
        """Adds one event; on the loop only."""
        raw = self._raw
        raw.append((self.first + len(raw), perf_counter() - self.began, kind, node, data))
        if self._waiting or self._wakers:
            self.wake()

    def wake(self) -> None:
        """Wakes who waits for events."""
        while self._waiting:
            self._waiting.pop()()
        for wake in self._wakers:
            wake()

    def told(self, kind: str, node: str, data: dict[str, Any]) -> None:
        """Adds what a node says of itself: a token, its progress, its usage; on the loop only."""
        if kind == "usage":
            used = _priced(**data)
            self.usage[node] = summed([self.usage[node], used]) if node in self.usage else used
            return
        if kind == "token" and (self.masker.forms or self._streams):
            stream = self._streams.setdefault((node, data["port"]), self.masker.stream())
            data = {**data, "text": stream.feed(data["text"])}
            if not data["text"]:
                return
        self.add(kind, node, data)

    def release(self, node: str) -> None:
        """Emits what masking held back at the end of a node's streams."""
        for key in [key for key in self._streams if key[0] == node]:
            if rest := self._streams.pop(key).flush():
                self.add("token", node, {"port": key[1], "text": rest})

    def on_event(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Calls ``wake`` at each event, on the loop; it must be quick. Returns what ends that."""
        self._wakers.append(wake)
        return lambda: self._wakers.remove(wake) if wake in self._wakers else None

    def on_next(self, wake: Callable[[], Any]) -> None:
        """Calls ``wake`` once, at the next event: who reads in between costs the run nothing."""
        self._waiting.append(wake)

    def forget(self, wake: Callable[[], Any]) -> None:
        """Takes back what ``on_next`` asked for."""
        with suppress(ValueError):
            while True:
                self._waiting.remove(wake)

    def since(self, position: int = 0) -> list[Any]:
        """The typed events from a position on."""
        return list(self.read(position))

    def read(self, start: int = 0, end: int | None = None) -> Iterator[Any]:
        """The same one after the other: the first is typed before the others are looked at."""
        return later(self._raw[start:end], self._shown)

    def total(self) -> Usage:
        """The tokens of all nodes, and what they cost."""
        return summed(list(self.usage.values()))

    def failure(self, error: BaseException, path: str = "") -> Failure:
        """An error as it may leave the run; ``path`` says where, if the error does not."""
        if isinstance(error, NodeFailed) and error.__cause__ is not None:  # of a body
            path, error = error.path, error.__cause__
        if isinstance(error, BpazError):
            told = error.to_dict()
            told["path"] = told["path"] or path
        else:
            message = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            told = {"code": "node_failed", "message": message, "hint": "", "path": path}
        return Failure(**emit(told, self.masker))

    def _question(self, asked: Any) -> Question:
        try:
            data = strict_json.loads(strict_json.compact(asked.value))
        except JsonError:
            data = None
        form = [field.model_dump(mode="json") for field in asked.form]
        told = emit({"text": asked.text, "data": data, "form": form}, self.masker)
        return Question(value=self.look(asked.value), **told)

    def look(self, value: Any) -> Preview:
        """A preview as it may leave the run."""
        shown = value if isinstance(value, Preview) else preview(value, self.masker)
        return Preview(self._clean(shown.type), self._clean(shown.text))

    def _clean(self, text: str) -> str:
        return self.masker.text(fit(text)) if self.masker.forms else fit(text)

    def _shown(self, raw: RawEvent) -> dict[str, Any]:
        """The fields of an event beside those that each has."""
        _, _, kind, node, data = raw
        told: dict[str, Any]
        match kind:
            case "node.started":
                told = {"why": emit(data or "", self.masker)}
            case "node.finished":
                told = self._finished(node, *data)
            case "node.failed":
                told = {"duration": data[0], "error": self.failure(data[1], path_of(node))}
            case "node.stopped":
                told = {"reason": STOPPED + (GOES_ON if data[1] else "")}
            case "node.retried":
                attempt, wait, error = data
                told = {"attempt": attempt, "wait": wait, "error": self.failure(error, path_of(node))}
            case "node.asked":
                told = {"question": self._question(data)}
            case "run.finished":
                told = data()
            case "token":  # masked when it came
                told = {"port": data["port"], "text": fit(data["text"])}
            case _:
                told = emit(data or {}, self.masker)
        return told

    def _finished(self, node: str, duration: float, outputs: Any, held: Any) -> dict[str, Any]:
        given = outputs() if callable(outputs) else outputs
        return {
            "duration": duration,
            "outputs": {name: self.look(value) for name, value in given.items()},
            "usage": self.usage.get(node),
            "cached": held is not None,
            "saved": getattr(held, "duration", 0.0),
        }


def _priced(input_tokens: int, output_tokens: int, model: str) -> Usage:
    from bpaz_lab.engine.prices import prices  # read when the first model has answered

    return Usage(input_tokens, output_tokens, prices.cost(model, input_tokens, output_tokens))
