"""One kernel that runs executions: started, spoken to, watched, ended."""

from __future__ import annotations

import asyncio
import os
import time
from queue import Empty
from typing import TYPE_CHECKING, Any, Final, Literal

from jupyter_server.utils import ApiPath, ensure_async

from bpaz_lab.errors import RunError
from bpaz_lab.settings import forget_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from uuid import UUID

    from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager

READY: Final = 60.0
"""Seconds in which a kernel must be able to answer."""
TOKENS: Final = ("JUPYTER_TOKEN", "JPY_API_TOKEN", "JUPYTERHUB_API_TOKEN")
"""What opens the doors of Jupyter; an execution needs none of them."""

Call = Literal["start", "cancel", "answer"]
_LINE: Final = "__import__('bpaz_lab.api.hosted.hosted', fromlist=['hosted']).{call}('{id}')"
"""All that is ever sent to a kernel as code; the id is a UUID."""


def environment(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a kernel for executions inherits: no key of the installation, no token of the server.

    Example:
        >>> environment({"PATH": "/bin", "BPAZ_TOKEN_KEYS": "x", "BPAZ_SERVER_URL": "http://127.0.0.1:8888/"})
        {'PATH': '/bin', 'BPAZ_SERVER_URL': 'http://127.0.0.1:8888/'}
    """
    kept = dict(os.environ if environ is None else environ)
    forget_secrets(kept)
    return {name: value for name, value in kept.items() if name not in TOKENS}


class KernelProcess:
    """A kernel for one person's executions.

    Args:
        manager: Jupyter's own.
        id: The kernel.
        user_id: Whose it is.
        failed: Called where the kernel cannot take over an execution: which, and why.

    Attributes:
        running: The executions that it computes.
        paused: Those that wait for a person.
    """

    def __init__(
        self,
        manager: AsyncMappingKernelManager,
        id: str,
        user_id: UUID,
        failed: Callable[[UUID, str], None],
    ) -> None:
        self.id = id
        self.user_id = user_id
        self.running: set[UUID] = set()
        self.paused: set[UUID] = set()
        self._manager: Any = manager
        self._failed = failed
        self._kernel: Any = manager.get_kernel(id)
        self._pid = self._process()
        self._client: Any = self._kernel.client()
        self._asked: dict[str, UUID] = {}
        self._since = time.monotonic()
        self._listening: asyncio.Task[None] | None = None

    @classmethod
    async def start(
        cls,
        manager: AsyncMappingKernelManager,
        name: str,
        user_id: UUID,
        failed: Callable[[UUID, str], None],
    ) -> KernelProcess:
        """A kernel that answers.

        Raises:
            RunError: It could not be started; its own message says why.
        """
        try:
            id = await manager.start_kernel(kernel_name=name, path=ApiPath(""), env=environment())
        except Exception as error:  # (a provisioner of another package may raise anything)
            raise _unable(name, f"{type(error).__name__}: {error}") from error
        made = cls(manager, id, user_id, failed)
        try:
            await made._ready(name)
        except BaseException:
            await made.stop()
            raise
        return made

    @property
    def alive(self) -> bool:
        """Whether it is the process that was started: nobody has ended or restarted it."""
        return self.id in self._manager and self._process() == self._pid

    async def died(self) -> bool:
        """Whether its process is gone, or another one has taken its place."""
        return not self.alive or not await self._kernel.is_alive()

    def idle(self) -> float:
        """Seconds since it last computed anything; 0 while it does."""
        return 0.0 if self.running else time.monotonic() - self._since

    def told(self, execution_id: UUID, status: str) -> None:
        """Notes how an execution of it stands."""
        self._since = time.monotonic()
        self.running.discard(execution_id)
        self.paused.discard(execution_id)
        if status == "paused":
            self.paused.add(execution_id)
        elif status in ("pending", "running"):
            self.running.add(execution_id)

    def tell(self, call: Call, execution_id: UUID) -> None:
        """Asks the kernel to do something; it hears it when its shell is free."""
        line = _LINE.format(call=call, id=execution_id)
        sent = self._client.execute(line, silent=True, store_history=False, allow_stdin=False)
        if call == "start":
            self._asked[str(sent)] = execution_id

    async def stop(self) -> None:
        """Ends the kernel."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.wait({self._listening})
        self._client.stop_channels()
        if self.id in self._manager:
            await ensure_async(self._manager.shutdown_kernel(self.id, now=True))

    async def _ready(self, name: str) -> None:
        # Nothing restarts it behind our back: a restarted kernel knows nothing of its executions.
        self._kernel.stop_restarter()
        self._client.start_channels(iopub=False, stdin=False, hb=False, control=False)
        self._client.kernel_info()
        until = time.monotonic() + READY
        while True:
            try:
                await self._client.get_shell_msg(timeout=0.5)
                break
            except Empty:
                if await self.died():
                    raise _unable(name, "its process ended at once") from None
                if time.monotonic() > until:
                    raise _unable(name, f"it gave no answer in {READY:g} s") from None
        self._listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        """Hears whether the kernel could take over what it was given."""
        while True:
            try:
                reply = await self._client.get_shell_msg(timeout=30)
            except Empty:
                continue
            id = self._asked.pop(reply["parent_header"].get("msg_id", ""), None)
            content = reply["content"]
            if id is not None and content.get("status") == "error":
                self._failed(id, f"{content.get('ename', 'Error')}: {content.get('evalue', '')}")

    def _process(self) -> Any:
        return getattr(self._kernel.provisioner, "pid", None) if self._kernel.provisioner else None


def _unable(name: str, why: str) -> RunError:
    return RunError(
        f"the kernel {name!r} could not be started: {why}",
        hint="Does `jupyter kernelspec list` show it? BPAZ_KERNEL_NAME names the kernel of executions.",
    )
