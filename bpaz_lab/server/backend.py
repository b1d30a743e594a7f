"""What the handlers of one server share: the laboratory, and how it comes and goes.

Loading it is left to a thread, because SQLAlchemy alone takes longer to import than Jupyter to answer its
first request. What goes wrong keeps nobody from working in Jupyter: it is told to whoever asks for a route.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from bpaz_lab.errors import BpazError
from bpaz_lab.server.log import fault, open_log
from bpaz_lab.settings import Settings

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

    from bpaz_lab.services.lab import Lab


class Backend:
    """The laboratory behind one server.

    Args:
        serverapp: The server.
        settings: The settings; an error where they cannot be.

    Attributes:
        settings: The settings; the defaults where they cannot be.
        log: The log of requests.
        stopping: Set when the server stops, so that streams end.
    """

    def __init__(self, serverapp: ServerApp, settings: Settings | BpazError) -> None:
        self._serverapp = serverapp
        self._fault = settings if isinstance(settings, BpazError) else None
        self.settings = Settings() if isinstance(settings, BpazError) else settings
        self.log: Any = open_log(self.settings)
        self.stopping = asyncio.Event()
        self._lab: Lab | None = None
        self._loading: asyncio.Task[Lab] | None = None
        self._opening: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begins to load and to open; returns at once."""
        self._opening = asyncio.create_task(self._open())

    async def lab(self) -> Lab:
        """The laboratory, loaded; its database may still be away.

        Raises:
            SettingsError: The settings cannot be.
        """
        if self._lab is not None:
            return self._lab
        if self._fault is not None:
            raise self._fault
        if self._loading is None:
            self._loading = asyncio.create_task(self._load())
        try:
            return await asyncio.shield(self._loading)
        finally:
            if self._loading is not None and self._loading.done():
                self._loading = None

    async def stop(self) -> None:
        """Ends streams and executions, and closes the database."""
        self.stopping.set()
        for task in (self._opening, self._loading):
            if task is not None and not task.done():
                task.cancel()
                await asyncio.wait({task})
        if self._lab is not None:
            await self._lab.close()

    async def _load(self) -> Lab:
        lab = await asyncio.to_thread(_made, self.settings)
        from bpaz_lab.server.kernels import KernelRunner

        lab.runner = lab.kernels = KernelRunner(lab, self._serverapp)
        self._lab = lab
        return lab

    async def _open(self) -> None:
        try:
            await (await self.lab()).ready()
        except BpazError as error:
            self.log.warning("not ready", code=error.code, message=error.message, hint=error.hint)
        except Exception as error:  # noqa: BLE001 (told in the log; each request tries again)
            self.log.error(  # noqa: TRY400 (a traceback may quote a secret)
                "not ready", **fault(error, self.settings)
            )


def _made(settings: Settings) -> Lab:
    from bpaz_lab.services import table  # noqa: F401 (loads every route)
    from bpaz_lab.services.lab import Lab

    return Lab.of(settings)
