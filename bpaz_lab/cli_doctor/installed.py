"""What is installed: packages, the two extensions, kernels, the local model."""

from __future__ import annotations

import importlib.util
import json
import shutil
import socket
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final

import bpaz_lab
from bpaz_lab.cli_doctor.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOOK: Final = """
import json
from jupyter_core.paths import jupyter_config_path
from jupyter_server.extension.config import ExtensionConfigManager
from jupyter_server.extension.manager import ExtensionPackage
known = ExtensionConfigManager(read_config_path=jupyter_config_path()).get_jpserver_extensions()
print(json.dumps([known.get("bpaz_lab", False), ExtensionPackage(name="bpaz_lab", enabled=True).validate()]))
"""
"""Asked of Jupyter's own code in a process of its own: only the server room loads it here."""
_SHOWN: Final = ("jupyter-server", "jupyterlab", "ipykernel", "pydantic", "langgraph", "langchain-core")


def looks() -> Iterator[Check]:
    """All looks at what is installed."""
    yield from _packages()
    yield _server_extension()
    yield from _canvas()
    yield _kernels()
    yield _ports()
    yield _model()


def _packages() -> Iterator[Check]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Check("Python", "ok", f"{version}, {sys.executable}")
    from packaging.requirements import Requirement

    wrong = []
    for told in metadata.requires("bpaz-lab") or ():
        needs = Requirement(told)
        if needs.marker is not None and not needs.marker.evaluate({"extra": ""}):
            continue
        there = _version(needs.name)
        if there is None or not needs.specifier.contains(there, prereleases=True):
            wrong.append(f"{needs.name} {there or 'is missing'} (needs {needs.specifier or 'any'})")
    if wrong:
        yield Check("packages", "fault", "; ".join(wrong), "pip install --upgrade bpaz-lab")
        return
    shown = [f"{name} {there}" for name in _SHOWN if (there := _version(name))]
    yield Check("packages", "ok", ", ".join([f"bpaz_lab {bpaz_lab.__version__}", *shown]))


def _server_extension() -> Check:
    done = subprocess.run([sys.executable, "-c", _LOOK], capture_output=True, text=True, check=False)  # noqa: S603
    name = "server extension"
    try:
        enabled, loads = json.loads(done.stdout.strip().rpartition("\n")[2])
    except ValueError:
        return Check(
            name, "fault", "the Jupyter server itself cannot be loaded", "pip install -U jupyter-server"
        )
    if not enabled:
        hint = "jupyter server extension enable --sys-prefix bpaz_lab"
        return Check(name, "fault", "the Jupyter server does not load bpaz_lab", hint)
    if not loads:
        hint = "pip install --force-reinstall bpaz-lab"
        return Check(name, "fault", "bpaz_lab is enabled, and cannot be loaded", hint)
    return Check(name, "ok", "enabled")


def _canvas() -> Iterator[Check]:
    widget = Path(bpaz_lab.__file__).parent / "static" / "widget.js"
    if not widget.is_file():
        yield Check("canvas", "fault", f"{widget} is missing", "pip install --force-reinstall bpaz-lab")
    if _version("jupyterlab") is None:
        yield Check("labextension", "ok", "JupyterLab is not installed here")
        return
    from jupyter_core.paths import jupyter_path

    for folder in jupyter_path("labextensions", "bpaz-lab"):
        package = Path(folder) / "package.json"
        if package.is_file():
            version = json.loads(package.read_text(encoding="utf-8"))["version"]
            if version == bpaz_lab.__version__:
                yield Check("labextension", "ok", f"{version}, {folder}")
            else:
                said = f"{folder} is of version {version}, and bpaz_lab of {bpaz_lab.__version__}"
                yield Check("labextension", "fault", said, "Remove that folder, and install bpaz-lab again.")
            return
    yield Check(
        "labextension",
        "fault",
        "JupyterLab does not find the extension",
        "pip install --force-reinstall bpaz-lab",
    )


def _kernels() -> Check:
    from jupyter_client.kernelspec import KernelSpecManager

    specs = KernelSpecManager().get_all_specs()
    python = {
        name: each["spec"]["argv"][0]
        for name, each in specs.items()
        if each["spec"].get("language") == "python" and each["spec"].get("argv")
    }
    if not python:
        return Check("kernels", "fault", "there is no Python kernel", "pip install ipykernel")
    without = sorted(name for name, command in python.items() if not _has_bpaz(command))
    if without:
        said = f"{', '.join(without)} cannot run workflows: bpaz_lab is not there"
        hint = "Install bpaz-lab into the environment of that kernel."
        return Check("kernels", "warning" if len(without) < len(python) else "fault", said, hint)
    return Check("kernels", "ok", ", ".join(sorted(python)))


def _has_bpaz(command: str) -> bool:
    program = shutil.which(command)
    if program is None:
        return False
    if command in ("python", "python3") or Path(program).absolute() == Path(sys.executable).absolute():
        return True  # Jupyter starts these with its own interpreter
    look = "import importlib.util, sys; sys.exit(importlib.util.find_spec('bpaz_lab') is None)"
    return subprocess.run([program, "-c", look], check=False, capture_output=True).returncode == 0  # noqa: S603


def _ports() -> Check:
    try:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
    except OSError as error:
        said = f"no port of this machine can be opened: {error.strerror}"
        return Check("ports", "fault", said, "Kernels need some: check limits and the firewall.")
    return Check("ports", "ok", "this machine's own can be opened")


def _model() -> Check:
    from bpaz_lab.nodes.llms._weights import LocalModelError, find_model

    lacking = [name for name in ("xllamacpp", "wordllama") if importlib.util.find_spec(name) is None]
    if lacking:
        said = f"not installed: {', '.join(lacking)}"
        return Check(
            "local model", "warning", said, "pip install 'bpaz-lab[local]', then: bpaz model download"
        )
    try:
        return Check("local model", "ok", str(find_model()))
    except LocalModelError as error:
        return Check("local model", "warning", error.message, error.hint)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
