"""Each promise of durability rests on a check; without it, a crash test fails."""

from __future__ import annotations

import pytest

from tests.support.mutation import Mutation, Tree

pytestmark = [pytest.mark.integration, pytest.mark.full, pytest.mark.timeout(900)]

MOMENT = "tests/crash/test_kills.py::test_it_dies_at_a_moment_with_a_name"
TOLD = "tests/crash/test_kills.py::test_what_was_told_is_kept"
ZOMBIE = "tests/crash/test_zombie.py::test_what_a_zombie_writes_is_refused"
CELL = "tests/crash/test_cells.py::test_it_dies_again_and_again"
COMMITS = "tests/crash/test_cells.py::test_it_dies_in_a_commit_whichever_it_is"
MUTATIONS = [
    Mutation(
        "what is done is not done again",
        "engine/scheduler.py",
        f"{MOMENT}[sqlite-after done]",
        (("if past and past.done:", "if False:"),),
    ),
    Mutation(
        "a step begins when that is kept",
        "engine/special.py",
        f"{MOMENT}[sqlite-after the effect]",
        (
            (
                "shared.ledger.started(address, step.cls.effect, answers), perf_counter()",
                "asyncio.sleep(0), perf_counter()",
            ),
        ),
    ),
    Mutation(
        "a step that must not happen twice is kept before it goes on",
        "engine/journal.py",
        f"{TOLD}[node.finished-ship]",
        (("if effect in STRICT or len(self._writer.lines)", "if len(self._writer.lines)"),),
    ),
    Mutation(
        "what is in doubt is asked for",
        "engine/doubt.py",
        f"{MOMENT}[sqlite-before done]",
        (('past.kept.state == "started" and not', 'past.kept.state == "nothing" and not'),),
    ),
    Mutation(
        "what is in doubt is told",
        "engine/journal.py",
        f"{MOMENT}[sqlite-before done]",
        (('if row.state == "started" and row.effect in STRICT', "if False"),),
    ),
    Mutation(
        "a key stays the same",
        "nodes/context.py",
        f"{MOMENT}[sqlite-after the effect]",
        (('f"{self.services.run_id}{self.node}"', 'f"{id(self)}{self.services}{self.node}"'),),
    ),
    Mutation(
        "everything is kept before the run is told to be finished",
        "engine/run.py",
        f"{TOLD}[run.finished-]",
        (("await self._rested()", "pass"),),
    ),
    Mutation(
        "only who holds a run writes",
        "store/ledger.py",
        f"{ZOMBIE}[sqlite-meanwhile-before done]",
        (("row[0] != epoch or row[1] in ENDED", "row[1] in ENDED"),),
    ),
    Mutation(
        "rows are kept, all of them or none",
        "store/direct.py",
        "tests/crash/test_wal.py::test_a_log_that_is_damaged_somewhere[cut]",
        (('"BEGIN IMMEDIATE" if write else "BEGIN"', '"SELECT 1"'),),
    ),
    Mutation(
        "a run is admitted before anything of it happens",
        "services/execution_own.py",
        COMMITS,
        (("await executions.add(row)", "pass"),),
    ),
    Mutation(
        "events go on where they stopped",
        "engine/run.py",
        f"{CELL}[sqlite]",
        (("Record(self._services.masker, options.first)", "Record(self._services.masker, 0)"),),
    ),
    Mutation(
        "an answer serves once",
        "engine/special.py",
        "tests/crash/test_cells.py::test_an_answer_serves_once[sqlite]",
        (("answers = len(verdicts(at, address))", "answers = 0"),),
    ),
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return Tree(tmp_path_factory.mktemp("tree"))


def test_with_all_checks_the_tests_pass(tree):
    code, told = tree.run(*dict.fromkeys(mutation.test for mutation in MUTATIONS))
    assert code == 0, told[-3000:]
    assert " passed" in told


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.what)
def test_a_check_that_is_gone_is_noticed(tree, mutation):
    with tree.without(mutation):
        code, told = tree.run(mutation.test)
    assert code == 1, told[-3000:]  # a test failed; other codes say that none was run
    assert "FAILED" in told, told[-3000:]
