"""A real JupyterLab in a real Chromium.

A test asks for ``lab`` and gets an open page of a running server::

    def test_canvas(lab):
        lab.write("work.ipynb", [["import bpaz_lab as bz", "wf = bz.Workflow('Mine')", "wf"]])
        lab.open_notebook("work.ipynb")
        lab.run_all()
        lab.page.locator(".bpaz-Canvas").wait_for()
        lab.shot("canvas")          # tests/shots/canvas.png
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import nbformat
import pytest

SHOTS = Path(__file__).parents[1] / "shots"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
START_SECONDS = 100
# Errors that Notebook 7 throws by itself, with and without this package.
NOTEBOOK_ERRORS = (
    "Cannot read properties of undefined (reading 'schema')",
    "Command 'filebrowser:open-path' not registered.",
)
SETTINGS = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
}


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


class Lab:
    """One page of a running JupyterLab, and what a test does with it."""

    def __init__(self, page, server):
        self.page = page
        self.server = server

    def write(self, name, cells):
        """Write a notebook of code cells, each a list of lines, into the server's folder."""
        sources = ["\n".join(lines) for lines in cells]
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(notebook, self.server.folder / name)

    def open_notebook(self, name):
        """Open a notebook of the server's folder and wait for its kernel."""
        self.page.goto(f"{self.server.url}/lab/tree/{name}?reset&token={self.server.token}")
        self.page.locator(".jp-Notebook").wait_for(timeout=60_000)
        self.wait_idle()

    def command(self, command, **arguments):
        """Run a command of JupyterLab by its id, for instance ``notebook:run-all-cells``."""
        self.page.evaluate("([id, args]) => jupyterapp.commands.execute(id, args)", [command, arguments])

    def run_all(self):
        """Run all cells and wait for the last one to end."""
        self.command("notebook:run-all-cells")
        self.wait_idle()

    def execute(self, code):
        """Run code in the kernel of the open notebook, beside its cells, and give what it printed."""
        return self.page.evaluate(
            """async (code) => {
              const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
              const future = kernel.requestExecute({ code });
              let printed = '';
              future.onIOPub = ({ header, content }) => {
                if (header.msg_type === 'stream') printed += content.text;
                if (header.msg_type === 'error') printed += content.evalue;
              };
              await future.done;
              return printed;
            }""",
            code,
        )

    def wait_idle(self):
        """Wait until the kernel has nothing to do; half a second more, or the first run is lost."""
        self.page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for(timeout=60_000)
        self.page.wait_for_timeout(500)
        self.page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for(timeout=60_000)

    def theme(self, name):
        """Switch to the ``light`` or the ``dark`` theme."""
        self.command("apputils:change-theme", theme=f"JupyterLab {name.capitalize()}")
        is_light = "true" if name == "light" else "false"
        self.page.locator(f'body[data-jp-theme-light="{is_light}"]').wait_for(state="attached")

    def save(self):
        """Save the notebook at hand."""
        self.command("docmanager:save")

    def shot(self, name):
        """Keep a picture of the page as ``tests/shots/<name>.png``."""
        SHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png")


class Server:
    """A JupyterLab with folders of its own, gone without a trace after ``stop``."""

    def __init__(self, home):
        self.folder = home / "work"
        self.token = secrets.token_hex(16)
        self.log = home / "server.log"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        for name, values in SETTINGS.items():
            path = home / "settings" / f"{name}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values))
        self.folder.mkdir()
        own = {"HOME": "home", "IPYTHONDIR": "ipython", "JUPYTER_CONFIG_DIR": "config"}
        own |= {"JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime"}
        own |= {"JUPYTERLAB_SETTINGS_DIR": "settings", "JUPYTERLAB_WORKSPACES_DIR": "workspaces"}
        options = {
            "IdentityProvider.token": self.token,
            "LabApp.expose_app_in_browser": True,
            "LabApp.news_url": None,
            "ServerApp.allow_root": True,
            "ServerApp.ip": "127.0.0.1",
            "ServerApp.open_browser": False,
            "ServerApp.port": port,
            "ServerApp.port_retries": 0,
            "ServerApp.root_dir": str(self.folder),
        }
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "jupyterlab", *(f"--{key}={value}" for key, value in options.items())],
                env=os.environ | {name: str(home / folder) for name, folder in own.items()},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait(self):
        """Wait until the server answers.

        Raises:
            RuntimeError: If it ends, or says nothing for so long; with its log.
        """
        deadline = time.monotonic() + START_SECONDS
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                if self.get("api/status").is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise RuntimeError(f"JupyterLab did not start:\n{self.log.read_text()}")

    def get(self, path):
        """What the server answers to ``GET path``."""
        return httpx.get(f"{self.url}/{path}", params={"token": self.token}, trust_env=False)

    def stop(self):
        """End the server and its kernels."""
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="session")
def chromium_path():
    """Where Chromium is; without one the test is skipped, and in CI it fails."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not found:
        message = "NO CHROMIUM: the browser tests cannot run; install the package chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return found


@pytest.fixture(scope="session")
def server(chromium_path, tmp_path_factory):
    """A running JupyterLab server."""
    server = Server(tmp_path_factory.mktemp("lab"))
    try:
        server.wait()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def browser(chromium_path):
    """A running Chromium; for one module, because its event loop would disturb asyncio tests elsewhere."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def page(browser):
    """A fresh page with no cookies; an error that nobody caught in it fails the test."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.set_default_timeout(30_000)
    errors = []
    page.on("pageerror", lambda error: str(error) in NOTEBOOK_ERRORS or errors.append(str(error)))
    yield page
    context.close()
    assert not errors, f"errors in the page: {errors}"


@pytest.fixture
def lab(page, server):
    """A page of a running JupyterLab."""
    return Lab(page, server)
