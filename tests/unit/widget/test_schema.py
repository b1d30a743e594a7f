from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]


@pytest.mark.skipif(
    not (shutil.which("node") and (ROOT / "node_modules").is_dir()),
    reason="Node is missing; `make lint` checks it",
)
def test_the_types_of_typescript_are_those_of_python(monkeypatch):
    monkeypatch.setenv("PYTHON", sys.executable)
    command = ["node", "labextension/schema.mjs", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
