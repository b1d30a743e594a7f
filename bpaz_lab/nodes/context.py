"""What a node may ask of the outside, and the only way it reaches it.

A method that wants it names a parameter annotated ``Context``; it is no port. The parts are given by
the engine; a node under test runs with ``Context()``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from math import isfinite
from typing import IO, TYPE_CHECKING, Any, Final, Protocol

from bpaz_lab.errors import CredentialError, InputError, RunCancelled
from bpaz_lab.graph.address import path_of
from bpaz_lab.graph.spec import FieldSpec
from bpaz_lab.guard.credentials import EnvironmentResolver, Resolver
from bpaz_lab.guard.egress import EgressPolicy
from bpaz_lab.guard.mask import Masker
from bpaz_lab.guard.paths import Jail
from bpaz_lab.guard.suggest import closest

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from bpaz_lab.guard.secret import Secret

Emit = Callable[[str, str, dict[str, Any]], None]


def _silent(_kind: str, _node: str, _data: dict[str, Any]) -> None:
    """Nobody listens."""


class Body(Protocol):
    """The body of a container, as its method runs it."""

    names: tuple[str, ...]
    """What the body takes, by name; what else is given to it is left out."""
    gives: tuple[str, ...]
    """What the body gives, by name."""

    async def __call__(self, inputs: Mapping[str, Any], key: str = "") -> dict[str, Any]:
        """Runs the body once and gives its outputs by name; a branch not taken is missing.

        Args:
            inputs: Values by name; what the body does not know is left out.
            key: The round, where the body runs more than once.

        Raises:
            NodeFailed: A node of the body failed.
            Paused: Somebody must answer before this round can end.
        """


@dataclass(frozen=True, slots=True)
class Question:
    """What a node asks a person.

    Attributes:
        text: The question.
        form: The fields of the answer; without any it is ``{"approve": true}`` or false.
        value: What the question is about.
    """

    text: str
    form: tuple[FieldSpec, ...]
    value: Any = None


class Paused(BaseException):  # no Exception: what a node catches must not swallow it
    """A node waits for a person: it is called again when the answer is there.

    ``question`` is None where a node inside the body waits and not the container itself.
    """

    def __init__(self, question: Question | None = None) -> None:
        super().__init__(question.text if question else "a node of the body waits for an answer")
        self.question = question


class History(Protocol):
    """What was said before in the conversation that a run belongs to."""

    def messages(self, limit: int) -> list[dict[str, str]]:
        """The last messages, oldest first, each ``{"role": "user" or "assistant", "content": text}``."""


HAPPENED, RESULT = "happened", "result"
"""The fields of an answer about a step in doubt: whether it happened, and what it gave."""


def is_verdict(answer: Mapping[str, Any]) -> bool:
    """Whether an answer says what became of a step in doubt, and is none to its node's own question."""
    return answer.get(HAPPENED) in ("repeat", "done") and answer.keys() <= {HAPPENED, RESULT}


APPROVE: Final = FieldSpec(name="approve", title="Approve", kind="boolean", required=True)


@dataclass(slots=True)
class Services:
    """What all nodes of one run share. Thread-safe.

    Attributes:
        emit: Takes an event: kind, node, data.
        cancel: Set when somebody stops the run.
        resolver: Turns the name of a credential into its secret.
        masker: Knows every secret of this run, and takes it out of whatever leaves it.
        egress: What addresses may be reached.
        jail: What files may be read.
        namespace: The objects that Variable and PythonFunction may name.
        session: The conversation that the run belongs to.
        answers: What people answered, by the address of the node that asked, in the order of its questions.
        history: What was said before in the session; None for what this process remembers of it.
        run_id: The name of the run.
    """

    emit: Emit = _silent
    cancel: threading.Event = field(default_factory=threading.Event)
    resolver: Resolver = field(default_factory=EnvironmentResolver)
    masker: Masker = field(default_factory=Masker)
    egress: EgressPolicy = field(default_factory=EgressPolicy.local)
    jail: Jail = field(default_factory=Jail.user)
    namespace: Mapping[str, Any] = field(default_factory=dict)
    session: str = ""
    answers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    history: History | None = None
    run_id: str = ""


@dataclass(slots=True)
class Context:
    """One node's way to the outside, for the length of one run.

    Attributes:
        node: The address of the node (see ``graph/address.py``).
        port: The output that ``emit`` streams where it names none.
        services: What all nodes of the run share.
        body: Runs the body of a container; None for any other node.
        stop: Set when this node, or the body that it stands in, is to stop while the run goes on.
    """

    node: str = "node"
    port: str = "text"
    services: Services = field(default_factory=Services)
    body: Body | None = None
    stop: threading.Event | None = None
    asked: int = 0

    def emit(self, text: str, port: str = "") -> None:
        """Streams a piece of text of an output."""
        self.services.emit("token", self.node, {"port": port or self.port, "text": str(text)})

    def progress(self, done: float, total: float | None = None, message: str = "") -> None:
        """Says how far the node is.

        Raises:
            InputError: A number is not finite.
        """
        whole = None if total is None else float(total)
        if not isfinite(done) or (whole is not None and not isfinite(whole)):
            raise InputError(f"progress is told in finite numbers, not {done} of {total}")
        told = {"done": float(done), "total": whole, "message": str(message)}
        self.services.emit("node.progress", self.node, told)

    def usage(self, input_tokens: int = 0, output_tokens: int = 0, model: str = "") -> None:
        """Reports the tokens that a model call took; the run adds them up, and their price."""
        told = {"input_tokens": input_tokens, "output_tokens": output_tokens, "model": model}
        self.services.emit("usage", self.node, told)

    async def ask(
        self, text: str, value: Any = None, form: tuple[FieldSpec, ...] = (APPROVE,)
    ) -> dict[str, Any]:
        """Asks a person, and gives the answer by field.

        The run pauses when nothing else is left to do. When the answer is there the node's method is
        called again from its beginning, so what must not happen twice comes after the question.

        Args:
            text: The question.
            value: What it is about.
            form: The fields of the answer.

        Raises:
            Paused: There is no answer yet; let it pass.
        """
        known = [each for each in self.services.answers.get(self.node, ()) if not is_verdict(each)]
        if self.asked == len(known):
            raise Paused(Question(text, tuple(form), value))
        self.asked += 1
        return known[self.asked - 1]

    @property
    def cancelled(self) -> bool:
        """Whether somebody stopped the run, or this node; a long loop looks now and then."""
        return self.services.cancel.is_set() or (self.stop is not None and self.stop.is_set())

    @property
    def idempotency_key(self) -> str:
        """A name for what this step does in this run: the same when it is repeated, after a crash too.

        A provider that takes such a key does the same only once, whatever it is asked; a node that hands it
        on says ``idempotent = True``.

        Example:
            ``await client.post(url, json=order, headers={"Idempotency-Key": context.idempotency_key})``
        """
        return blake2b(f"{self.services.run_id}{self.node}".encode(), digest_size=16).hexdigest()

    @property
    def session(self) -> str:
        """The conversation that the run belongs to; empty for none."""
        return self.services.session

    def check(self) -> None:
        """Raises RunCancelled when somebody stopped the run."""
        if self.cancelled:
            raise RunCancelled("the run was stopped", path=path_of(self.node))

    def secret(self, name: str | None, *, kinds: tuple[str, ...] = (), host: str | None = None) -> Secret:
        """Lends the secret of a credential to this run.

        Args:
            name: The credential's name, from a ``Credential`` field.
            kinds: The provider types that fit.
            host: The host that will get it, checked before the secret is decrypted.

        Raises:
            CredentialError: There is none of that name.
        """
        if not name:
            raise CredentialError(
                "no credential is set", path=path_of(self.node), hint="Name one in the node's settings."
            )
        secret = self.services.resolver.resolve(str(name), kinds=kinds, host=host)
        self.services.masker.add(secret.reveal())
        return secret

    def http(self, **options: Any) -> httpx.AsyncClient:
        """A client that reaches only what the run may reach; use it as a context manager."""
        from bpaz_lab.guard.http import async_client

        return async_client(self.services.egress, **options)

    def open(self, path: str, mode: str = "r", **options: Any) -> IO[Any]:
        """Opens a file inside the allowed folders.

        Raises:
            FileRefused: The file lies outside, or is no ordinary file.
        """
        return self.services.jail.open(path, mode, **options)

    def glob(self, pattern: str) -> list[Path]:
        """The allowed files that a pattern matches, sorted."""
        return self.services.jail.glob(pattern)

    def named(self, name: str) -> Any:
        """The live object of the kernel that has this name.

        Raises:
            InputError: There is none.
        """
        try:
            return self.services.namespace[name]
        except KeyError:
            raise InputError(
                f"nothing is called {name!r} here",
                path=f"{path_of(self.node)}.settings.name",
                hint=closest(name, self.services.namespace)
                or "Define it in a cell, pass it with run(objects={...}), or use: bpaz run --with MODULE",
            ) from None
