"""Pictures of the canvas in JupyterLab's light and dark theme, without a kernel.

Usage: python labextension/dev/shots.py OUTPUT_FOLDER [CHROMIUM] (after node labextension/dev/build.js)
"""

from __future__ import annotations

import http.server
import re
import shutil
import sys
import threading
from functools import partial
from pathlib import Path

import jupyterlab
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parent.parent / "lib" / "dev"
THEMES = Path(sys.prefix, "share/jupyter/lab/themes")
SCENES = {
    "empty": "scene=empty",
    "ask": "scene=ask",
    "running": "scene=ask&run=running",
    "done": "scene=ask&run=done",
    "failed": "scene=ask&run=failed",
    "problems": "scene=problems",
    "static": "scene=static",
    "narrow": "scene=ask&run=done&width=700",
    "containers": "scene=containers&run=paused",
    "big": "scene=big1000",
}


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves the page without a line for each request."""

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


def variables(theme: str) -> str:
    """The variables of a theme of the installed JupyterLab."""
    css = (THEMES / f"@jupyterlab/theme-{theme}-extension" / "index.css").read_text()
    return "\n".join(re.findall(r":root\{[^}]*\}", css))


def take(page: Page, folder: Path, name: str) -> None:
    """One picture of the canvas."""
    page.wait_for_timeout(500)
    page.screenshot(path=folder / f"{name}.png")


def main() -> None:
    """Takes all pictures."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    chromium = sys.argv[2] if len(sys.argv) > 2 else shutil.which("chromium")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(ROOT)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("JupyterLab", jupyterlab.__version__)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for theme in ("light", "dark"):
            (ROOT / "theme.css").write_text(variables(theme))
            page = browser.new_page(viewport={"width": 1280, "height": 540})
            page.on("pageerror", lambda error: print("page error:", error))
            page.on("console", lambda line: print(line.type, line.text) if line.type == "error" else None)
            for name, query in SCENES.items():
                page.goto(f"http://127.0.0.1:{server.server_port}/index.html?{query}")
                take(page, folder, f"{theme}-{name}")
        browser.close()
    server.shutdown()


if __name__ == "__main__":
    main()
