from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda

from bpaz_lab import InputError, Workflow, metrics
from bpaz_lab.api.table.evaluation import sign_test

pytestmark = pytest.mark.unit
ROWS = pd.DataFrame({"x": ["a", "b", "bad", "d"], "expected": ["a", "B.", "c", "x"]})


def echo(x: str) -> str:
    """What came, unless it is bad."""
    if x == "bad":
        raise ValueError("bad")
    return x


def shout(x: str) -> str:
    """In capitals, always."""
    return "x" if x == "d" else x.upper()


def made(function):
    wf = Workflow()
    wf.add(function)
    return wf


def test_rows_are_scored_and_a_failure_counts_as_zero():
    found = made(echo).evaluate(ROWS, [metrics.ExactMatch(), metrics.Contains()], progress=False)
    assert found.rows["exact match"].tolist() == [1, 1, 0, 0]
    assert found.rows["status"].tolist() == ["completed", "completed", "failed", "completed"]
    summary = found.summary.loc["exact match"]
    assert (summary["mean"], summary["count"], summary["failed"]) == (0.5, 4, 1)
    assert summary["low"] < 0.5 < summary["high"]
    assert "exact match 0.5" in repr(found)
    assert "Scores" in found._repr_html_()


def test_two_workflows_are_compared_row_by_row(tmp_path):
    found = made(echo).evaluate(ROWS, [metrics.ExactMatch()], against=made(shout), progress=False)
    row = found.comparison.loc["exact match"]
    assert (row["wins"], row["ties"], row["losses"], row["p"]) == (0, 3, 1, 1.0)
    assert (row["mean"], row["other"]) == (0.5, 0.75)
    worse = found.differences("exact match")
    assert worse["x"].tolist() == ["d"]
    assert worse["difference"].tolist() == [-1.0]
    found.to_csv(tmp_path / "a.csv")
    assert len(pd.read_csv(tmp_path / "a.csv")) == 4
    assert "Compared" in found._repr_html_()
    with pytest.raises(InputError, match="no metric 'other'"):
        found.differences("other")


def test_a_function_is_a_metric():
    def longer(output, expected):
        return len(output) >= len(expected)

    found = made(echo).evaluate(ROWS, [longer], progress=False)
    assert found.rows["longer"].tolist() == [1, 0, 0, 1]
    with pytest.raises(InputError, match="nothing to compare"):
        found.differences("longer")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"metrics": []}, "there is no metric"),
        ({"metrics": [metrics.ExactMatch]}, "is a class"),
        ({"metrics": [3]}, "is no metric"),
        ({"expected": "exp"}, "no column 'exp'"),
        ({"output": "nothing"}, "one output"),
    ],
)
def test_what_does_not_fit_is_told(options, why):
    told = {"metrics": [metrics.ExactMatch()], **options}
    with pytest.raises(InputError, match=why):
        made(echo).evaluate(ROWS, progress=False, **told)


def test_a_metric_may_not_have_the_name_of_a_column():
    with pytest.raises(InputError, match="the name of a metric"):
        made(echo).evaluate(ROWS, [metrics.ExactMatch(name="x")], progress=False)


def test_an_output_by_name_and_any_port():
    wf = Workflow()
    start = wf.add("Start", fields=[{"name": "x"}])
    end = wf.add("End", fields=["one", "two"])
    wf.connect(start["x"], end["one"])
    wf.connect(wf.add(shout)["result"], end["two"])
    wf.connect(start["x"], wf["shout"]["x"])
    for output, scores in (("one", [1, 1, 0, 0]), ("shout.result", [1, 1, 0, 1])):
        found = wf.evaluate(ROWS, [metrics.ExactMatch()], output=output, progress=False)
        assert found.rows["exact match"].tolist() == scores


def test_a_metric_that_fails_costs_its_row_and_nothing_else(tmp_path):
    broken = tmp_path / "broken"  # a list would be part of what the metric is
    broken.touch()

    @dataclass
    class Strict:
        name: str = "strict"

        def score(self, output, expected, _seen):
            if output == "b" and broken.exists():
                raise ValueError("I do not score b")
            return float("nan") if output == "d" and broken.exists() else 1

    wf = made(echo)
    found = wf.evaluate(ROWS, [Strict()], progress=False)
    assert found.rows["strict"].tolist() == [1, 0, 0, 0]
    assert found.rows["strict error"].tolist()[1:] == [
        *("ValueError: I do not score b", "the run did not complete"),
        "ValueError: the score is nan, which is no number",
    ]
    assert found.summary.loc["strict", ["count", "failed"]].tolist() == [4, 3]
    broken.unlink()
    again = wf.evaluate(ROWS, [Strict()], resume=found.rows, progress=False)
    assert again.rows["strict"].tolist() == [1, 1, 0, 1]
    assert again.rows["run_id"][0] == found.rows["run_id"][0]


def test_scores_of_other_metrics_are_not_taken_over(tmp_path):
    wf, path = made(echo), tmp_path / "rows.jsonl"
    wf.map(ROWS, resume=path, progress=False)

    def evaluate(rows, scored):
        return wf.evaluate(rows, scored, resume=path, progress=False)

    with pytest.warns(UserWarning, match="changed since"):
        first = evaluate(ROWS, [metrics.ExactMatch()])
    assert first.rows["exact match"].tolist() == [1, 1, 0, 0]
    with pytest.warns(UserWarning, match="changed since"):
        other = evaluate(ROWS, [metrics.ExactMatch(normalise=False)])
    assert other.rows["exact match"].tolist() == [1, 0, 0, 0]
    new = ROWS.assign(expected=["x", "B", "c", "d"])
    third = evaluate(new, [metrics.ExactMatch()])
    assert third.rows["exact match"].tolist() == [0, 1, 0, 1]
    assert third.rows["run_id"][0] != first.rows["run_id"][0]


def test_an_evaluation_of_two_goes_on_from_two_files(tmp_path):
    path = tmp_path / "rows.jsonl"
    told = {"against": made(shout), "resume": path, "progress": False}
    first = made(echo).evaluate(ROWS, [metrics.ExactMatch()], **told)
    again = made(echo).evaluate(ROWS, [metrics.ExactMatch()], **told)
    assert again.other["run_id"].tolist() == first.other["run_id"].tolist()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["rows.jsonl", "rows.other.jsonl"]


def test_everything_is_checked_before_the_first_row_runs():
    calls = []

    def count(x: str) -> str:
        calls.append(x)
        return x

    def two(x: str, y: str) -> str:
        return x + y

    wf = made(count)
    for told in (
        {"against": made(two)},
        {"output": "count.nothing"},
        {"metrics": [metrics.Contains(), metrics.Contains()]},
        {"metrics": [metrics.Contains(name="status")]},
        {"metrics": [metrics.Contains(name="output")]},
    ):
        with pytest.raises(InputError):
            wf.evaluate(ROWS, **{"metrics": [metrics.Contains()], "progress": False, **told})
    assert calls == []


def test_a_branch_that_was_not_taken_scores_zero_and_counts():
    wf = Workflow()
    check = wf.add("Condition", id="check", operator="equals", operand="a")
    wf.connect(check["true"], wf.add("End", fields=["found"])["found"])
    found = wf.evaluate(
        [{"value": "a", "expected": "a"}, {"value": "b", "expected": "b"}],
        [metrics.ExactMatch()],
        progress=False,
    )
    assert found.rows["exact match"].tolist() == [1, 0]
    assert found.rows["exact match error"].tolist()[1] == "there is no output"
    assert found.summary.loc["exact match", "failed"] == 1


def test_recall_and_rank_are_scores_of_their_own():
    def search(x: str) -> list:
        return [Document(page_content=each, metadata={"source": each}) for each in (x, "b")]

    found = made(search).evaluate(
        [{"x": "a", "expected": ["b", "c"]}, {"x": "a", "expected": ["a"]}],
        [metrics.RetrievalHitRate()],
        progress=False,
    )
    assert found.summary["mean"].to_dict() == {"hit rate": 1, "hit rate recall": 0.75, "hit rate mrr": 0.75}


def test_differences_show_what_both_gave():
    worse = (
        made(echo)
        .evaluate(
            ROWS.set_index(pd.Index([1, 1, 2, 2])),
            [metrics.ExactMatch()],
            against=made(shout),
            progress=False,
        )
        .differences("exact match")
    )
    assert worse[["output", "other output", "other exact match", "difference"]].to_numpy().tolist() == [
        ["d", "x", 1, -1]
    ]


# ---- the metrics --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "score"),
    [
        ("The Paris!", "paris", 1),
        ("Paris", "London", 0),
        ("Paris", ["London", "Paris"], 1),
        (3, 3, 1),
        (3, "3", 0),
        (None, None, 1),
        (pd.DataFrame({"a": [1]}), "x", 0),
    ],
)
def test_exact_match(one, other, score):
    assert metrics.ExactMatch().score(one, other, None) == score
    assert metrics.ExactMatch(normalise=False).score("Paris", "paris", None) == 0


def test_contains_counts_the_share_of_a_list():
    assert metrics.Contains().score("a and b", ["A", "c"], None) == 0.5
    assert metrics.Contains(ignore_case=False).score("a", "A", None) == 0
    assert metrics.Contains().score("a", [], None) == 1


def test_similarity_is_a_cosine():
    metric = metrics.EmbeddingSimilarity(DeterministicFakeEmbedding(size=8))
    assert metric.score("same", "same", None) == pytest.approx(1)
    assert -1 <= metric.score("one", "other", None) < 1


def test_similarity_needs_no_network():
    metric = metrics.EmbeddingSimilarity()
    near, far = (
        metric.score("a small cat", "a little kitten", None),
        metric.score("a small cat", "tax law", None),
    )
    assert near > far


def test_hit_rate_recall_and_rank():
    documents = [Document(page_content=f"text {n}", metadata={"source": f"{n}.md"}) for n in range(5)]
    seen = metrics.Seen({}, {"search.documents": documents})
    metric = metrics.RetrievalHitRate(documents="search.documents", k=3)
    assert metric.score(None, "1.md", seen) == {"score": 1, "recall": 1, "mrr": 0.5}
    assert metric.score(None, ["1.md", "4.md"], seen) == {"score": 1, "recall": 0.5, "mrr": 0.5}
    assert metric.score(None, "4.md", seen) == {"score": 0, "recall": 0, "mrr": 0}
    by_text = metrics.RetrievalHitRate(key="")
    assert by_text.score(documents, "text 4", seen)["mrr"] == 0.2
    with pytest.raises(InputError, match="holds no list"):
        by_text.score("text", "x", seen)


@pytest.mark.parametrize(
    ("answer", "score"),
    [
        ('{"score": 0.7, "reason": "well"}', 0.7),
        ("Score: 8 of 10", 0.8),
        ("I give it 1.", 1),
        ("score=100", 1),
    ],
)
def test_a_judge_answers_in_json_or_nearly(answer, score):
    message = AIMessage(answer, usage_metadata={"input_tokens": 3, "output_tokens": 4, "total_tokens": 7})
    judge = metrics.LLMJudge(GenericFakeChatModel(messages=iter([message])))
    told = judge.score("out", "exp", metrics.Seen({"x": 1}, {}))
    assert told["score"] == pytest.approx(score)
    assert told["tokens"] in (0, 7)


def test_a_judge_that_can_is_held_to_a_schema():
    class Held(GenericFakeChatModel):
        def with_structured_output(self, schema, *, include_raw=False, **_):
            assert schema["required"] == ["score", "reason"]
            return RunnableLambda(
                lambda _: {"raw": AIMessage("7"), "parsed": {"score": 0.25, "reason": "so"}}
            )

    judge = metrics.LLMJudge(Held(messages=iter([])))
    told = judge.score("out", "exp", metrics.Seen({"x": 1}, {}))
    assert told == {"score": 0.25, "reason": "so", "tokens": 0}


def test_a_judge_without_a_score_is_an_error():
    judge = metrics.LLMJudge(GenericFakeChatModel(messages=iter([AIMessage("I would rather not")])))
    with pytest.raises(InputError, match="no score"):
        judge.score("out", "exp", metrics.Seen({}, {}))


def test_the_sign_test():
    assert sign_test(0, 0) == 1
    assert sign_test(8, 2) == pytest.approx(0.109375)
    assert sign_test(2, 8) == sign_test(8, 2)
