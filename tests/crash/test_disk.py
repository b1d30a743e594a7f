"""The disk is full while a run goes on: it ends with an error that says so, and goes on when there is room.

A small tmpfs holds the database where one may mount it.
"""

from __future__ import annotations

import shutil
import subprocess
import time

import pytest

from tests.support.crash import World
from tests.support.crash_life import Life

pytestmark = pytest.mark.integration


@pytest.fixture
def disk(tmp_path):
    """A disk of four megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("nobody but root may mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(disk):
    """Leaves no room at all."""
    with (disk / "ballast").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass


def test_a_full_disk(disk, sqlite_template, witness, on_sqlite):
    usual = Life(on_sqlite)
    assert not usual.live()
    shutil.copy(sqlite_template, disk / "bpaz_lab.sqlite3")
    life = Life(World({"data_folder": str(disk)}, witness))

    def full(child):
        time.sleep(0.3)
        fill(disk)

    assert not life.live(slow=0.1, meanwhile=full)
    (disk / "ballast").unlink()
    assert life.fault() == "store_full"
    assert 0 < len(life.looks[-1].log) < len(witness.of(usual.run))
    assert life.end(usual.outcome["output"]) == []
