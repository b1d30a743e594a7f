from __future__ import annotations

from uuid import uuid4

import pytest

from bpaz_lab.services import pulse as module
from bpaz_lab.services.pulse import Pulse

pytestmark = pytest.mark.unit


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    return now


def test_who_is_silent_for_the_length_of_a_lease_is_not_alive(clock):
    pulse, one, other = Pulse(), uuid4(), uuid4()
    pulse.note(one)
    clock[0] += 19
    assert pulse.alive(one, 20)
    clock[0] += 1
    assert (pulse.alive(one, 20), pulse.silent(one), pulse.silent(other)) == (False, 20.0, None)
    pulse.note(one)
    assert pulse.alive(one, 20)
    pulse.forget(one)
    assert not pulse.alive(one, 20)


def test_that_the_server_stood_still_is_nobodys_fault(clock):
    pulse, one = Pulse(), uuid4()
    pulse.note(one)
    clock[0] += 3600
    pulse.slept(3599)
    assert pulse.silent(one) == 1.0


def test_each_sign_of_life_is_told_once():
    pulse, one, other = Pulse(), uuid4(), uuid4()
    pulse.note(one)
    pulse.note(one)
    assert pulse.heard() == {one}
    pulse.note(other)
    pulse.forget(one)
    assert pulse.heard() == {other}
    assert pulse.heard() == set()
