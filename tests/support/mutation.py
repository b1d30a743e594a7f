"""Checks taken out on purpose: a test that guards one must fail when it is gone.

A copy of the package and of the tests stands in a folder of its own; there a check is replaced, the test that
must notice is run in a process of its own, and the check is put back.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "static", "shots", "browser")


@dataclass(frozen=True)
class Mutation:
    """One check that is taken out.

    Attributes:
        what: What is no longer checked.
        file: The file, below ``bpaz_lab``.
        test: The test that must fail.
        changes: What is replaced, each piece standing once in the file: (old, new).
    """

    what: str
    file: str
    test: str
    changes: tuple[tuple[str, str], ...]


class Tree:
    """A copy of the package and its tests.

    Args:
        folder: An empty one.
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        for name in ("bpaz_lab", "tests"):
            shutil.copytree(ROOT / name, self.folder / name, ignore=_LEFT_OUT)
        shutil.copy(ROOT / "pyproject.toml", self.folder)

    @contextmanager
    def without(self, mutation):
        """The check is gone while the block runs."""
        file = self.folder / "bpaz_lab" / mutation.file
        before = text = file.read_text()
        for old, new in mutation.changes:
            assert text.count(old) == 1, f"{mutation.file} has {text.count(old)} of: {old}"
            text = text.replace(old, new)
        compile(text, str(file), "exec")
        file.write_text(text)
        try:
            yield
        finally:
            file.write_text(before)

    def run(self, *tests):
        """Runs tests with the copy; gives pytest's exit code and what it printed."""
        folder = str(self.folder)
        # The options of these tests are not meant for those.
        environ = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV"))
        }
        environ |= {"PYTHONPATH": folder}
        told = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider",
             "--no-cov", "--rootdir", folder, *tests],
            cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip
        return told.returncode, told.stdout + told.stderr
