from __future__ import annotations

import ast
import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "bpaz_lab"

# The few packages that a file may import when it is itself imported; all others wait for their first use.
EVERYWHERE = {"annotated_types", "bpaz_lab", "ormsgpack", "pydantic", "pydantic_core", "typing_extensions"}
EVERYWHERE |= sys.stdlib_module_names
BY_ROOM = {
    "store": {"aiosqlite", "alembic", "psycopg", "sqlalchemy", "sqlmodel"},
    "vault": {"cryptography"},
    "accounts": {"bcrypt", "jwt"},
    "services": {"prometheus_client", "structlog"},
    "server": {"jupyter_client", "jupyter_core", "jupyter_server", "tornado", "traitlets"}
    | {"prometheus_client", "structlog"},
    "guard": {"httpx", "httpcore", "anyio", "structlog"},
    "widget": {"anywidget", "traitlets", "ipywidgets", "IPython"},
}


def run(*command):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def imported_at_once(node):
    """The top-level packages that importing a file imports: not those inside functions or for types only."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield (child.module or "").partition(".")[0]
        elif isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            yield from imported_at_once(ast.Module(child.orelse, []))
        elif not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from imported_at_once(child)


def test_imports_go_one_way():
    done = run(str(Path(sys.executable).with_name("lint-imports")), "--no-cache")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", sorted(str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py")))
def test_no_provider_package_at_module_level(name):
    room = name.partition("/")[0]
    early = set(imported_at_once(ast.parse((PACKAGE / name).read_text())))
    early -= EVERYWHERE | BY_ROOM.get(room, set())
    assert not early, f"bpaz_lab/{name} imports {sorted(early)} at module level; move it inside"


def test_importing_the_package_stays_light():
    done = run(sys.executable, "-c", "import sys, bpaz_lab; print(*sys.modules)")
    assert done.returncode == 0, done.stderr
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert not loaded & {"langchain_core", "langchain", "langgraph", "anywidget", "numpy", "pandas"}


def test_one_version_everywhere():
    stated = json.loads((ROOT / "package.json").read_text())["version"]
    import bpaz_lab

    assert version("bpaz-lab") == stated == bpaz_lab.__version__
    assert json.loads((ROOT / "package-lock.json").read_text())["version"] == stated


def test_the_lockfile_names_no_registry():
    assert '"resolved"' not in (ROOT / "package-lock.json").read_text()
