"""A real Jupyter server with the extension, in a thread of the tests' own process."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from contextlib import contextmanager
from pathlib import Path

import httpx

BASE = "bpaz/api/v1/"
TOKEN = "the-token-of-jupyter"
ISOLATED = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")


class Server:
    """A running server.

    Args:
        folder: Where everything of it lies.
        settings: Settings of bpaz_lab, as in Jupyter's configuration.
        jupyter: Traits of Jupyter's own server.
    """

    def __init__(self, folder, settings=None, jupyter=None):
        self.folder = Path(folder)
        self.settings = {"data_folder": str(self.folder / "bpaz_lab"), "profile": "local", **(settings or {})}
        self.jupyter = jupyter or {}
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="server", daemon=True)
        self._started = threading.Event()
        self._fault = None
        self._stop = None
        self._clients = []
        self.app = None

    def start(self):
        self._thread.start()
        assert self._started.wait(60), "the server did not start"
        if self._fault is not None:
            raise self._fault
        return self

    def stop(self):
        for client in self._clients:
            client.close()
        if self._thread.is_alive():
            self.loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(60)
            assert not self._thread.is_alive(), "the server did not stop"

    @property
    def url(self):
        """Where Jupyter is, with a slash at the end."""
        return f"http://127.0.0.1:{self.app.port}{self.app.base_url}"

    @property
    def backend(self):
        return next(iter(self.app.extension_manager.extension_apps["bpaz_lab"])).backend

    @property
    def lab(self):
        """The server's `Lab`; use it on the server's loop, by `run`."""
        return self.run(self.backend.lab())

    def run(self, coroutine):
        """Runs a coroutine on the server's loop, where its database belongs."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(60)

    def client(self, *, jupyter=True, access="", **options):
        """A client of the API, without cookies.

        Args:
            jupyter: Whether it sends Jupyter's token.
            access: An access token or capability to send.
            options: Anything of `httpx.Client`.
        """
        headers = {"Authorization": f"token {TOKEN}"} if jupyter else {}
        if access:
            headers["X-Bpaz-Authorization"] = f"Bearer {access}"
        return self._kept(
            httpx.Client(base_url=self.url + BASE, timeout=60, **{"headers": headers, **options})
        )

    def browser(self, *, xsrf=True, access=""):
        """A client like a page that is logged in at Jupyter: with cookies, and the XSRF header if wanted."""
        client = self._kept(httpx.Client(base_url=self.url + BASE, timeout=60))
        assert client.get(f"{self.url}login", params={"token": TOKEN}).status_code in (200, 302)
        client.get(f"{self.url}tree", follow_redirects=True)  # any page of Jupyter sets the XSRF cookie
        assert "_xsrf" in client.cookies
        if xsrf:
            client.headers["X-XSRFToken"] = client.cookies["_xsrf"]
        if access:
            client.headers["X-Bpaz-Authorization"] = f"Bearer {access}"
        return client

    def _kept(self, client):
        self._clients.append(client)
        return client

    def _run(self):
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_until_complete(self._live())
        except Exception as fault:  # noqa: BLE001 (raised by `start`)
            self._fault = fault
        finally:
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
            self.loop.close()
            self._started.set()

    async def _live(self):
        self._stop = asyncio.Event()
        self._make()
        try:
            await self.app._post_start()
            self._started.set()
            await self._stop.wait()
        finally:
            await self.app._cleanup()

    def _make(self):
        from jupyter_server.serverapp import ServerApp
        from traitlets.config import Config

        class Quiet(ServerApp):
            def init_signal(self):
                """Signals belong to the tests' main thread."""

        own = {
            "ip": "127.0.0.1", "port": 0, "open_browser": False, "allow_root": True,
            "root_dir": str(self.folder),
            "jpserver_extensions": {"bpaz_lab": True}, "reraise_server_extension_failures": True,
            "log_level": logging.WARNING, **self.jupyter,
        }  # fmt: skip
        config = Config({
            "ServerApp": own, "BpazLab": self.settings, "IdentityProvider": {"token": TOKEN},
        })  # fmt: skip
        self.app = Quiet(config=config)
        self.app.initialize(argv=[], find_extensions=False)


@contextmanager
def isolated(folder):
    """Jupyter's folders inside this one, and the environment as it was afterwards."""
    before = dict(os.environ)
    for name in ISOLATED:
        os.environ[name] = str(Path(folder) / name.lower())
    for name in [name for name in os.environ if name.startswith("BPAZ_")]:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def serving(folder, settings=None, jupyter=None):
    """A server while the block runs."""
    with isolated(folder):
        server = Server(folder, settings, jupyter)
        try:
            yield server.start()
        finally:
            server.stop()
