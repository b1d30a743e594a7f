"""The extension of the Jupyter server: settings in, handler registered, laboratory opened and closed."""

from __future__ import annotations

import os

from jupyter_server.extension.application import ExtensionApp
from jupyter_server.serverapp import ServerApp

from bpaz_lab.errors import BpazError
from bpaz_lab.server.backend import Backend
from bpaz_lab.server.handlers import BASE, Handler
from bpaz_lab.server.traits import BpazLab
from bpaz_lab.settings import PREFIX, Settings, forget_secrets

URL = f"{PREFIX}SERVER_URL"


class BpazLabApp(ExtensionApp):
    """bpaz_lab in a Jupyter server. Its settings are the traits of `BpazLab`."""

    name = "bpaz_lab"
    description = "LLM workflows: REST API, store, credentials and accounts."
    classes = [ServerApp, BpazLab]  # noqa: RUF012 (Jupyter declares it as one of each instance)

    backend: Backend | None = None

    def initialize_handlers(self) -> None:
        """Jupyter calls this while it loads; nothing is opened yet."""
        assert self.serverapp is not None
        self.backend = Backend(self.serverapp, self._read())
        self.handlers.append((rf"{BASE}(?:/.*)?", Handler, {"backend": self.backend}))

    async def _start_jupyter_server_extension(self, serverapp: ServerApp) -> None:
        """The loop runs and the port is known: kernels are told where to find the server."""
        assert self.backend is not None
        os.environ[URL] = self.backend.settings.server_url or serverapp.connection_url
        os.environ[f"{PREFIX}PROFILE"] = self.backend.settings.profile
        await self.backend.start()

    async def stop_extension(self) -> None:
        """The server stops."""
        if self.backend is not None:
            await self.backend.stop()

    def _read(self) -> Settings | BpazError:
        # The variable is what a server tells its kernels. One that was started from a terminal of
        # another server would take that one's for its own.
        environ = {name: value for name, value in os.environ.items() if name != URL}
        try:
            return Settings.read(environ, BpazLab(parent=self).given())
        except BpazError as error:
            self.log.error("bpaz_lab: %s", error)  # noqa: TRY400 (the message says it all)
            return error
        finally:
            forget_secrets(os.environ)  # before any kernel inherits them
