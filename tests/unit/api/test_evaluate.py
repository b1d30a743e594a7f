from __future__ import annotations

import pandas as pd
import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

from bpaz_lab import InputError, Workflow, metrics
from bpaz_lab.api.evaluation import sign_test

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


def test_a_judge_without_a_score_is_an_error():
    judge = metrics.LLMJudge(GenericFakeChatModel(messages=iter([AIMessage("I would rather not")])))
    with pytest.raises(InputError, match="no score"):
        judge.score("out", "exp", metrics.Seen({}, {}))


def test_the_sign_test():
    assert sign_test(0, 0) == 1
    assert sign_test(8, 2) == pytest.approx(0.109375)
    assert sign_test(2, 8) == sign_test(8, 2)
