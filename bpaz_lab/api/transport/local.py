"""The laboratory in this very process, where there is no server: a script, an editor, the command line.

The store is opened directly and its owner is who asks, as on the owner's own server (profile ``local``).
The requests are those of HTTP, answered by the same functions.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
import uuid
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar
from uuid import UUID

from pydantic_core import to_jsonable_python

from bpaz_lab.api.transport.sse import Message
from bpaz_lab.api.transport.transport import asked, written
from bpaz_lab.errors import SettingsError
from bpaz_lab.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator, Mapping

    from bpaz_lab.engine.steps import Steps
    from bpaz_lab.services.lab import Lab

T = TypeVar("T")


class Local:
    """A laboratory without a server.

    Args:
        settings: Where it keeps things.

    Raises:
        SettingsError: The installation is shared: only its server may say who somebody is.
    """

    def __init__(self, settings: Settings) -> None:
        if settings.profile != "local":
            raise SettingsError(
                f"this installation is {settings.profile}: it is asked through its server, which knows who "
                "somebody is",
                path="profile",
                hint="Give the server's address: bz.connect(url, token=...).",
            )
        self.settings = settings
        self.kernel_id = f"local-{uuid.uuid4().hex}"
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<Local {self.settings.folder}>"

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """One request; see ``transport.Transport``."""
        return self._run(self._call(method, path, asked(query), written(body), headers or {}))

    def send(
        self, method: str, path: str, data: bytes | None = None, *, query: Mapping[str, Any] | None = None
    ) -> bytes:
        """One request whose body and answer are bytes; see ``transport.Transport``."""
        answer = self._run(self._answer(method, path, asked(query), data, {}))
        content = getattr(answer, "content", b"")
        return content.encode() if isinstance(content, str) else content

    def steps(self, execution_id: str, epoch: int) -> Steps:
        """The ledger of an execution, by a connection of its own; see ``transport.Transport``."""
        from bpaz_lab.engine.steps import StepRow
        from bpaz_lab.store.direct import DirectSteps

        user_id = self._run(self._owner())
        return DirectSteps(self.settings, user_id, UUID(execution_id).hex, epoch, make=StepRow)

    def stream(self, path: str, *, after: str = "") -> Iterator[Message]:
        """The messages of a stream until it ends; see ``transport.Transport``."""
        answer = self._run(self._answer("GET", path, {}, None, {"last-event-id": after} if after else {}))
        told = answer.messages

        async def following() -> Any:
            return await anext(told, None)

        async def ended() -> None:
            await told.aclose()

        try:
            while (each := self._run(following())) is not None:
                if each.data is not None:  # else a sign of life
                    yield Message(each.event or "message", to_jsonable_python(each.data), each.id)
        finally:
            self._run(ended())

    @property
    def folder(self) -> str:
        """Where things are kept."""
        return str(self.settings.folder)

    def close(self) -> None:
        """Ends what runs and closes the store; the next request opens it again."""
        if "_lab" in self.__dict__:
            self._run(self._lab.close())  # what runs here still tells how it ends
            self.__dict__.pop("_lab", None)

    @cached_property
    def _loop(self) -> asyncio.AbstractEventLoop:
        # Not the engine's: a node there may wait for a secret that this one gets.
        loop = asyncio.new_event_loop()
        loop.set_default_executor(ThreadPoolExecutor(4, thread_name_prefix="bpaz-store"))
        threading.Thread(target=loop.run_forever, name="bpaz-store", daemon=True).start()
        atexit.register(self._leave, os.getpid())
        return loop

    @cached_property
    def _lab(self) -> Lab:
        from bpaz_lab.api.hosted.in_process import InProcess
        from bpaz_lab.services.lab import Lab

        lab = Lab.of(self.settings)
        lab.runner = InProcess(lab, self)
        return lab

    def _leave(self, process: int) -> None:
        if os.getpid() == process:  # a fork has no such thread, and would wait for ever
            self.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        with self._lock:
            loop = self._loop
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    async def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        content: bytes | None,
        headers: Mapping[str, str],
    ) -> Any:
        from bpaz_lab.services.route import Answer, Raw

        answer = await self._answer(method, path, query, content, headers)
        if isinstance(answer, Raw):
            return answer.content if isinstance(answer.content, str) else answer.content.decode()
        assert isinstance(answer, Answer)
        return to_jsonable_python(answer.value)

    async def _answer(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        content: bytes | None,
        headers: Mapping[str, str],
    ) -> Any:
        from bpaz_lab.services.call import Call
        from bpaz_lab.services.dispatch import serve
        from bpaz_lab.services.identities import owner
        from bpaz_lab.services.table import find

        route, parameters = find(method, path)
        caller = await owner(self._lab, request_id=uuid.uuid4().hex)
        if route.access == "kernel":  # this process is one too: it runs what it admits, and is lent secrets
            caller = replace(caller, kernel_id=self.kernel_id)
        call = Call(self._lab, caller, {name.lower(): value for name, value in headers.items()})
        told = {name: [value] for name, value in query.items()}
        return await serve(call, route, parameters, told, content)

    async def _owner(self) -> UUID:
        from bpaz_lab.services.identities import owner

        caller = await owner(self._lab)
        assert caller.user_id is not None
        return caller.user_id


_OPEN: Final[dict[tuple[str, ...], Local]] = {}


def local(settings: Settings | None = None) -> Local:
    """The laboratory of this process, opened once.

    Args:
        settings: Where it keeps things; those of the environment by default.

    Raises:
        SettingsError: A setting cannot be, or the installation is shared.
    """
    settings = settings or Settings.read()
    where = (
        str(os.getpid()),
        str(settings.folder.absolute()),
        settings.database_url.get_secret_value(),
        *(str(each) for each in (settings.postgres_host, settings.postgres_port, settings.postgres_db)),
        settings.profile,
    )
    if where not in _OPEN:
        _OPEN[where] = Local(settings)
    return _OPEN[where]


def is_there(settings: Settings) -> bool:
    """Whether anything was ever kept here; opens nothing."""
    if settings.database_url.get_secret_value() or settings.postgres_host:
        return True
    if not settings.folder.is_dir():
        return False
    from bpaz_lab.store.address import FILE

    return (settings.folder / FILE).exists()
