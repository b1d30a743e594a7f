from __future__ import annotations

import pytest

from bpaz_lab import Workflow
from bpaz_lab.engine.batch import Batch
from bpaz_lab.errors import RunError

pytestmark = pytest.mark.unit


def makers(count):
    wf = Workflow()
    wf.add("PromptTemplate", template="{x}")
    return [lambda number=number: wf.prepared(x=str(number)) for number in range(count)]


async def output(_number, run):
    return run.output


def test_all_are_given_once_whatever_their_order():
    assert sorted(Batch(makers(20), 3, output)) == [(number, str(number)) for number in range(20)]
    assert list(Batch([], 3, output)) == []


def test_who_is_interrupted_gets_the_last_one_again():
    batch = Batch(makers(3), 1, output)
    first = next(iter(batch))
    assert next(iter(batch)) == first
    assert sorted(batch) == [(0, "0"), (1, "1"), (2, "2")]
    assert list(batch) == []


def test_an_error_comes_last_and_ends_the_others():
    async def picky(number, run):
        if number == 2:
            raise ValueError("no twos")
        return run.output

    given = []

    def read():
        for each in Batch(makers(50), 1, picky):
            given.append(each)  # noqa: PERF402 (extend would lose what came before the error)

    with pytest.raises(ValueError, match="no twos"):
        read()
    assert given == [(0, "0"), (1, "1")]


def test_a_stopped_batch_starts_no_more():
    batch = Batch(makers(1000), 1, output)
    for _ in batch:
        batch.cancel()
        break
    assert 0 < len(list(batch)) < 1000


def test_it_cannot_wait_on_the_engines_own_thread():
    wf = Workflow()

    async def inner(x: int) -> int:
        Batch([], 1, output)
        return x

    wf.add(inner)
    with pytest.raises(RunError, match="cannot wait for many runs"):
        wf.run(x=1)
