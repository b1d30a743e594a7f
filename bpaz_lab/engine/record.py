"""What happened in a run: raw events as they come, typed and masked when somebody reads them."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

from bpaz_lab.engine.events import Failure, Preview, Question, RawEvent, Usage, event
from bpaz_lab.engine.preview import preview
from bpaz_lab.errors import BpazError, JsonError, NodeFailed
from bpaz_lab.graph.address import path_of
from bpaz_lab.guard import strict_json
from bpaz_lab.guard.emit import emit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bpaz_lab.guard.mask import Masker, MaskStream


class Record:
    """The events of one run. Written on the engine's loop, read from any thread.

    The position of an event in the list is its sequence number, so that there are no gaps by
    construction. Values are previewed when an event is read: a run that nobody watches pays nothing.

    Args:
        masker: The secrets of the run.
    """

    def __init__(self, masker: Masker) -> None:
        self.began = perf_counter()
        self.masker = masker
        self.usage: dict[str, Usage] = {}
        self._raw: list[RawEvent] = []
        self._streams: dict[tuple[str, str], MaskStream] = {}
        self._wakers: list[Callable[[], None]] = []

    def __len__(self) -> int:
        return len(self._raw)

    def add(self, kind: str, node: str, data: Any) -> None:
        """Adds one event; on the loop only."""
        raw = self._raw
        raw.append((len(raw), perf_counter() - self.began, kind, node, data))
        for wake in self._wakers:
            wake()

    def told(self, kind: str, node: str, data: dict[str, Any]) -> None:
        """Adds what a node says of itself: a token, its progress, its usage; on the loop only."""
        if kind == "usage":
            known = self.usage.get(node, Usage())
            self.usage[node] = Usage(
                input_tokens=known.input_tokens + data["input_tokens"],
                output_tokens=known.output_tokens + data["output_tokens"],
            )
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

    def since(self, position: int = 0) -> list[Any]:
        """The typed events from a position on."""
        return list(self.read(position))

    def read(self, position: int = 0) -> Iterator[Any]:
        """The same one after the other: the first is typed before the others are looked at."""
        return (event(self._shown(raw)) for raw in self._raw[position:])

    def total(self) -> Usage:
        """The tokens of all nodes."""
        return Usage(
            input_tokens=sum(each.input_tokens for each in self.usage.values()),
            output_tokens=sum(each.output_tokens for each in self.usage.values()),
        )

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
        return Failure.model_validate(emit(told, self.masker))

    def _question(self, asked: Any) -> Question:
        try:
            data = strict_json.loads(strict_json.compact(asked.value))
        except JsonError:
            data = None
        form = [field.model_dump(mode="json") for field in asked.form]
        told = emit({"text": asked.text, "data": data, "form": form}, self.masker)
        return Question(value=self._look(asked.value), **told)

    def _look(self, value: Any) -> Preview:
        if isinstance(value, Preview):
            return Preview(type=value.type, text=emit(value.text, self.masker))
        look = preview(value)
        kind, text = emit([look.type, look.text], self.masker)
        return Preview(type=kind, text=text)

    def _shown(self, raw: RawEvent) -> RawEvent:
        seq, time, kind, node, data = raw
        if kind == "node.started":
            data = emit({"why": data or ""}, self.masker)
        elif kind == "node.answered":
            data = {}
        elif kind == "node.finished":
            duration, outputs, held = data
            given = outputs() if callable(outputs) else outputs
            shown = {name: self._look(value) for name, value in given.items()}
            data = {
                "duration": duration,
                "outputs": shown,
                "usage": self.usage.get(node),
                "cached": held is not None,
                "saved": getattr(held, "duration", 0.0),
            }
        elif kind == "node.failed":
            duration, error = data
            data = {"duration": duration, "error": self.failure(error, path_of(node))}
        elif kind == "node.stopped":
            reason = "the run ended before it was done"
            if data[1]:
                reason += (
                    "; its function goes on in its thread until it returns, and what it gives is dropped"
                )
            kind, data = "node.skipped", {"reason": reason}
        elif kind == "node.retried":
            attempt, wait, error = data
            data = {"attempt": attempt, "wait": wait, "error": self.failure(error, path_of(node))}
        elif kind == "node.asked":
            data = {"question": self._question(data)}
        elif kind == "run.finished":
            data = data()
        elif kind == "token":
            data = {**data, "text": data["text"].encode(errors="replace").decode()}
        else:
            data = emit(data, self.masker)
        return seq, time, kind, node, data
