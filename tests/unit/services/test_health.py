from __future__ import annotations

import pytest

from bpaz_lab import __version__
from bpaz_lab.nodes.catalogue import catalogue
from bpaz_lab.services.call import Call
from bpaz_lab.services.dispatch import dispatch
from bpaz_lab.services.lab import Lab
from bpaz_lab.settings import Settings

pytestmark = pytest.mark.unit


async def asked(path, **settings):
    lab = Lab.of(Settings(**settings))
    try:
        return await dispatch(Call(lab), "GET", path)
    finally:
        await lab.close()


async def test_a_healthy_one_says_no_more_than_that(tmp_path):
    answer = await asked("health", data_folder=str(tmp_path))
    assert answer.status == 200
    assert answer.value.model_dump() == {"status": "healthy", "version": __version__}


async def test_without_its_database_it_is_unavailable(tmp_path):
    away = "postgresql://127.0.0.1:1/nothing"
    answer = await asked("health", data_folder=str(tmp_path), database_url=away)
    assert (answer.status, answer.value.status) == (503, "unavailable")
    details = await asked("health/details", data_folder=str(tmp_path), database_url=away)
    assert details.status == 503
    assert details.value.components.database.code == "store_unavailable"
    assert details.value.components.session_manager.status == "unavailable"
    assert "127.0.0.1" not in details.value.model_dump_json()


async def test_the_parts_are_told_one_by_one(tmp_path):
    parts = (await asked("health/details", data_folder=str(tmp_path))).value.components
    assert parts.database.status == "healthy"
    assert parts.session_manager.status == "healthy"
    assert parts.node_registry.count == len(catalogue())
    assert parts.kernels.status == "unavailable"  # there is no server here


async def test_a_package_whose_nodes_do_not_load_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(catalogue().faults, "strange", "ImportError: no")
    registry = (await asked("health/details", data_folder=str(tmp_path))).value.components.node_registry
    assert registry.status == "healthy"
    assert "strange" in registry.hint
