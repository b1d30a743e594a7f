from __future__ import annotations

import time

import pytest

import bpaz_lab as bz
from bpaz_lab.api.hosted import hosted
from bpaz_lab.api.transport import local as transport_local

WAIT = 30


@pytest.fixture
def own_lab(tmp_path, monkeypatch):
    """A laboratory of its own, on the local store."""
    monkeypatch.setenv("BPAZ_DATA_FOLDER", str(tmp_path / "data"))
    lab = bz.connect()
    yield lab
    for each in list(hosted._hosted.values()):  # what waits for a person would go on telling
        each.cancel()
    until = time.monotonic() + WAIT
    while hosted._hosted and time.monotonic() < until:
        time.sleep(0.01)
    assert not hosted._hosted
    lab.transport.close()
    transport_local._OPEN.clear()
