from __future__ import annotations

import asyncio
import threading

import pytest

from bpaz_lab.engine.runtime import runtime

pytestmark = pytest.mark.unit


def test_one_thread_and_loop_a_process():
    assert runtime() is runtime()
    assert not runtime().here

    async def where():
        return runtime().here, threading.current_thread().daemon, asyncio.get_running_loop()

    here, daemon, loop = runtime().submit(where()).result(20)
    assert here
    assert daemon
    assert loop is runtime().loop


def test_call_from_any_thread():
    done = threading.Event()
    runtime().call(done.set)
    assert done.wait(20)
