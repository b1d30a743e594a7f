from __future__ import annotations

import pytest

from bpaz_lab import Workflow, connect
from bpaz_lab.api.lab.ids import full_id
from bpaz_lab.api.transport import local as transport_local
from bpaz_lab.errors import InputError, NotFound

pytestmark = pytest.mark.unit


@pytest.fixture
def transport(tmp_path, monkeypatch):
    monkeypatch.setenv("BPAZ_DATA_FOLDER", str(tmp_path))
    transport = connect().transport
    yield transport
    transport.close()
    transport_local._OPEN.clear()


@pytest.fixture
def ids(transport):
    wf = Workflow("Hi")
    wf.add("TextInput", text="hi")
    return [wf.run(durable=True).id for _ in range(17)]  # two of them begin alike


def test_the_first_characters_are_enough(transport, ids):
    whole = full_id(transport, ids[0])
    assert whole.replace("-", "") == ids[0]
    for short in (ids[0][:12], ids[0][:12].upper(), whole, whole[:13]):
        assert full_id(transport, short) == whole


def test_several_that_begin_alike_are_listed(transport, ids, monkeypatch):
    monkeypatch.setattr("bpaz_lab.api.lab.ids._SHORTEST", 1)
    first = next(each[0] for each in ids if sum(other[0] == each[0] for other in ids) > 1)
    with pytest.raises(InputError, match="begin with") as caught:
        full_id(transport, first)
    for each in [each for each in ids if each[0] == first][:5]:
        assert each[:8] in caught.value.hint


def test_what_is_no_id_and_what_is_not_there(transport):
    for wrong in ("my run", "", "abc", "0" * 33, "--------"):
        with pytest.raises(InputError, match="no id"):
            full_id(transport, wrong)
    with pytest.raises(NotFound, match="begins with abcd"):
        full_id(transport, "abcd")
