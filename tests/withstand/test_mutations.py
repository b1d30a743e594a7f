"""Each check that protects something is taken out once, and a test notices."""

from __future__ import annotations

import pytest

from tests.support.mutation import Mutation, Tree

pytestmark = [pytest.mark.integration, pytest.mark.full]

U = "tests/unit"
MUTATIONS = [
    # who may
    Mutation(
        "a kernel may not do what only a person may",
        "accounts/policy.py",
        f"{U}/accounts/test_policy.py::test_what_may_be_done_on_the_server",
        (("if caller.kernel_id and not rule.kernels:", "if False:"),),
    ),
    Mutation(
        "what cannot be read is not there",
        "accounts/policy.py",
        f"{U}/accounts/test_policy.py::test_what_may_be_done_to_a_row",
        (("if row is not None and not _seen(caller, rule, row, place):", "if False:"),),
    ),
    Mutation(
        "a role in an organisation counts there alone",
        "accounts/policy.py",
        f"{U}/accounts/test_policy.py::test_what_may_be_done_to_a_row",
        (('return bool(caller.has(rule.shared or "all", place))', "return True"),),
    ),
    Mutation(
        "rows of others are not read",
        "store/visible.py",
        f"{U}/store/test_visible.py::test_what_is_neither_shared_nor_public_is_for_its_owner",
        (("ways.append(table.user_id == reader)", "ways.append(table.user_id.is_not(None))"),),
    ),
    Mutation(
        "a conversation is one's own",
        "store/repositories/chat.py",
        "tests/withstand/test_idor.py::test_a_conversation_with_what_is_shared_is_ones_own",
        ((", ChatMessage.user_id == self._caller.user_id]", "]"),),
    ),
    # coming in
    Mutation(
        "Jupyter opens the door",
        "server/identity.py",
        "tests/api/test_walker.py::test_nobody_comes_in_whom_jupyter_does_not_know",
        (("if known is None and not _is_capability(_token(header)):", "if False:"),),
    ),
    Mutation(
        "a page sends the XSRF token",
        "server/handlers.py",
        "tests/api/test_walker.py::test_a_page_without_the_xsrf_token_changes_nothing",
        (('if not (ours and "Cookie" not in headers):', "if not ours:"),),
    ),
    Mutation(
        "a token ends",
        "accounts/tokens.py",
        f"{U}/accounts/test_tokens.py::test_what_is_not_a_good_token_is_refused",
        (("leeway=SKEW,", "leeway=10**9,"),),
    ),
    Mutation(
        "a token is for this API",
        "accounts/tokens.py",
        f"{U}/accounts/test_tokens.py::test_what_is_not_a_good_token_is_refused",
        (
            ("            audience=AUDIENCE,\n", ""),
            (
                'options={"require": sorted(CLAIMS)}',
                'options={"require": sorted(CLAIMS), "verify_aud": False}',
            ),
            (' or claims["aud"] != AUDIENCE', ""),
        ),
    ),
    Mutation(
        "a token's login is looked up",
        "services/identities.py",
        f"{U}/services/test_auth.py::test_signing_out_ends_the_login_and_no_other",
        (("login=claims.session_id, ", ""),),
    ),
    Mutation(
        "a refresh token that comes again ends the login",
        "services/auth.py",
        f"{U}/services/test_auth.py::test_a_token_that_comes_again_later_ends_the_login",
        (("await _reused(call, session, login, now)", "pass"),),
    ),
    Mutation(
        "guessing gets slower",
        "accounts/throttle.py",
        f"{U}/accounts/test_throttle.py::test_the_first_five_wrong_ones_are_free",
        (("if seconds > 0:", "if False:"),),
    ),
    Mutation(
        "a kernel answers its own challenge",
        "accounts/capability.py",
        f"{U}/accounts/test_capability.py::test_one_that_does_not_gets_none",
        ((" and asked == kernel_id", ""),),
    ),
    Mutation(
        "a capability ends",
        "accounts/capability.py",
        f"{U}/accounts/test_capability.py::test_a_capability_ends",
        ((" or self._clock() >= grant.expires", ""),),
    ),
    # secrets
    Mutation(
        "a secret goes to its hosts alone",
        "services/credentials.py",
        f"{U}/services/test_credentials.py::test_what_does_not_fit_is_refused_before_anything_is_unlocked",
        (("if body.host is not None and not _may_go(call, row, body.host):", "if False:"),),
    ),
    Mutation(
        "hosts are looked at before anything is unlocked",
        "services/credentials.py",
        f"{U}/services/test_credentials.py::test_what_does_not_fit_is_refused_before_anything_is_unlocked",
        (
            ("            await _check_lease(call, session, row, body)\n", ""),
            (
                "            await credentials.used(row)\n",
                "            await _check_lease(call, session, row, body); await credentials.used(row)\n",
            ),
        ),
    ),
    Mutation(
        "what is locked opens in its own place",
        "vault/sealing.py",
        f"{U}/vault/test_vault.py::test_it_unlocks_in_no_other_place",
        (
            ('f"{head}|{place}".encode()', "head.encode()"),
            ('f"{VERSION}.{name}|{place}".encode()', 'f"{VERSION}.{name}".encode()'),
        ),
    ),
    Mutation(
        "what leaves a run is masked",
        "guard/emit.py",
        "tests/withstand/test_leaks.py::test_no_artefact_holds_the_secret",
        (("return masker.value(_shown(", "return (_shown("),),
    ),
    Mutation(
        "a literal secret is not kept",
        "services/workflow_check.py",
        f"{U}/services/test_workflows.py::test_a_secret_is_refused",
        (("secrets_in(document)", "[]"),),
    ),
    # workflows
    Mutation(
        "a save says which version it changes",
        "store/repositories/workflows.py",
        f"{U}/services/test_workflows.py::test_who_comes_late_gets_what_is_there_now",
        (('== bindparam("known")', '>= bindparam("known")'),),
    ),
    Mutation(
        "a save stands in the audit log",
        "services/workflows.py",
        f"{U}/services/test_workflows.py::test_of_many_saves_of_one_version_one_wins_and_nothing_is_lost",
        (
            (
                'await audit.record(session, call.caller, "workflow.update", "workflow", id, details=details',
                "dict(details=details",
            ),
        ),
    ),
    # executions
    Mutation(
        "events have no gap",
        "store/repositories/events.py",
        f"{U}/services/test_execution_kernel.py::test_a_gap_is_refused_and_the_right_number_is_told",
        (('if event["seq"] != number:', "if False:"),),
    ),
    Mutation(
        "a kernel reaches what it was given",
        "store/repositories/executions.py",
        f"{U}/store/repositories/test_executions.py::test_a_kernel_reaches_what_it_was_given",
        (
            ("            WorkflowExecution.kernel_id == self._caller.kernel_id,\n", ""),
            ("if not self._caller.kernel_id:", "if False:"),
        ),
    ),
    Mutation(
        "an execution is its owner's",
        "store/repositories/executions.py",
        f"{U}/store/repositories/test_executions.py::test_nobody_reaches_anothers",
        (
            (
                "where = WorkflowExecution.id == id, WorkflowExecution.user_id == self._caller.user_id",
                "where = (WorkflowExecution.id == id,)",
            ),
        ),
    ),
    Mutation(
        "a person runs so many at a time",
        "store/repositories/executions.py",
        f"{U}/services/test_executions.py::test_as_many_at_a_time_as_are_allowed_also_when_all_come_at_once",
        ((".one() >= most:", ".one() >= most * 1000:"),),
    ),
    Mutation(
        "a slow reader holds so many events",
        "services/live.py",
        f"{U}/services/test_live.py::test_a_slow_listener_gets_what_fits_then_resync_and_nobody_waits_for_it",
        (("room = self._size - len(self._queue)", "room = 10**9"),),
    ),
    # requests and the store
    Mutation(
        "a GET writes nothing",
        "services/dispatch.py",
        f"{U}/services/test_dispatch.py::test_only_a_get_may_not_write",
        (('read_only=route.method == "GET"', "read_only=False"),),
    ),
    Mutation(
        "a key stands once in an object",
        "guard/strict_json.py",
        f"{U}/guard/test_strict_json.py::test_faults_are_refused",
        (("if len(found) == len(pairs):", "if True:"),),
    ),
    Mutation(
        "a fault of ours tells nothing",
        "server/errors.py",
        f"{U}/server/test_errors.py::test_a_fault_of_our_own_tells_nothing_but_the_request",
        (('"message": "the server failed"', '"message": str(error)'),),
    ),
    Mutation(
        "a full disk is told as such",
        "store/faults.py",
        "tests/withstand/test_disk_full.py::test_a_page_limit",
        ((' "SQLITE_FULL",', ""),),
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
    assert "FAILED" in told, told[-3000:]  # and it was no error of setting up
