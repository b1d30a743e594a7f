"""What ``evaluate`` measures: each metric scores one row, from 0 to 1 where nothing else is said.

A metric is any object with a ``name`` and a ``score(output, expected, seen)``, or just a function of output
and expected. A row that failed, whose output is missing or that a metric cannot score gets 0 and is counted
as failed: it is never left out.

Example:
    >>> ExactMatch().score(" Paris.", "paris", None)
    1.0
    >>> Contains().score("It is Paris, of course", "paris", None)
    1.0
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol, runtime_checkable

from bpaz_lab.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class Seen:
    """What else a metric may look at.

    Attributes:
        row: The row of the data, by column.
        outputs: Every output of the run, by ``node.port``.
    """

    row: Mapping[str, Any]
    outputs: Mapping[str, Any]


@runtime_checkable
class Metric(Protocol):
    """What a metric is."""

    @property
    def name(self) -> str:
        """What the column of its scores is called."""

    def score(self, output: Any, expected: Any, seen: Seen) -> float | Mapping[str, Any]:
        """How good an output is; a mapping gives ``score`` and columns beside it.

        Columns that are named in the attribute ``also``, where there is one, are scores of their own.
        """


@dataclass
class ExactMatch:
    """Whether the output is what is expected.

    Attributes:
        normalise: Texts are compared without case, accents' forms, punctuation and articles, as in the
            evaluation of SQuAD (Rajpurkar and others, 2016).
    """

    normalise: bool = True
    name: str = "exact match"

    def score(self, output: Any, expected: Any, _seen: Seen | None) -> float:
        """1 where they are the same; a list of what is expected means any of it."""
        wanted = expected if isinstance(expected, list | tuple) else [expected]
        return float(any(_same(output, each, normalise=self.normalise) for each in wanted))


@dataclass
class Contains:
    """Whether the output contains what is expected: the share of it, where it is a list."""

    ignore_case: bool = True
    name: str = "contains"

    def score(self, output: Any, expected: Any, _seen: Seen | None) -> float:
        """From 0, nothing of it, to 1, all of it."""
        wanted = expected if isinstance(expected, list | tuple) else [expected]
        text = _folded(str(output)) if self.ignore_case else str(output)
        found = [(_folded(str(each)) if self.ignore_case else str(each)) in text for each in wanted]
        return sum(found) / len(found) if found else 1.0


@dataclass
class EmbeddingSimilarity:
    """How near the meanings are: the cosine between the embeddings of output and expected.

    Attributes:
        embeddings: A LangChain ``Embeddings``; the local ones where None, which need no network.
    """

    embeddings: Any = None
    name: str = "similarity"

    def score(self, output: Any, expected: Any, _seen: Seen | None) -> float:
        """From -1 to 1; 1 is the same meaning."""
        if self.embeddings is None:
            self.embeddings = _made("LocalEmbeddings", "embeddings")
        one, other = self.embeddings.embed_documents([str(output), str(expected)])
        product = sum(a * b for a, b in zip(one, other, strict=True))
        length = sum(a * a for a in one) ** 0.5 * sum(b * b for b in other) ** 0.5
        return float(product / length) if length else 0.0


@dataclass
class RetrievalHitRate:
    """Whether what was searched for is among the documents that were found.

    Attributes:
        documents: The output that holds the documents, as ``node.port``; the scored output where empty.
        k: How many of the first documents count.
        key: The entry of a document's metadata that is compared; its text (which then must contain what is
            expected) where empty.
    """

    documents: str = ""
    k: int = 10
    key: str = "source"
    name: str = "hit rate"
    also: ClassVar = ("recall", "mrr")

    def score(self, output: Any, expected: Any, seen: Seen) -> dict[str, float]:
        """``score`` is 1 for a hit, ``recall`` the share that was found, ``mrr`` 1 / rank of the first."""
        found = seen.outputs.get(self.documents) if self.documents else output
        if not isinstance(found, list):
            raise InputError(
                f"{self.documents or 'the output'} holds no list of documents",
                hint="Name the output: RetrievalHitRate(documents='search.documents').",
            )
        wanted = expected if isinstance(expected, list | tuple) else [expected]
        ranks = [self._rank(found[: self.k], each) for each in wanted]
        hits = [rank for rank in ranks if rank]
        recall = len(hits) / len(ranks) if ranks else 1.0
        return {"score": float(bool(hits)), "recall": recall, "mrr": 1 / min(hits) if hits else 0.0}

    def _rank(self, documents: list[Any], wanted: Any) -> int:
        for rank, document in enumerate(documents, 1):
            told = document.metadata.get(self.key) if self.key else None
            if told == wanted or (not self.key and str(wanted) in document.page_content):
                return rank
        return 0


@dataclass
class LLMJudge:
    """What a language model thinks of the output.

    A model that can is held to the JSON schema of the answer; of another the first score it names counts.

    Attributes:
        model: A LangChain chat model, or the name of a node type whose model is taken with its defaults.
        criteria: What the judge looks at.
        name: The metric's name.
    """

    model: Any
    criteria: str = "Is the answer correct, going by what is expected?"
    name: str = "judge"
    _ready: Any = field(default=None, repr=False)

    def score(self, output: Any, expected: Any, seen: Seen) -> dict[str, Any]:
        """``score`` from 0 to 1, the ``reason`` in the judge's words, and the ``tokens`` that it took.

        Raises:
            InputError: The judge gave no score.
        """
        if self._ready is None:
            model = _made(self.model, "model") if isinstance(self.model, str) else self.model
            self._ready = _held(model)
        row = {str(name): str(value) for name, value in seen.row.items()}
        asked = {"row": row, "expected": str(expected), "answer": str(output)}
        told = self._ready.invoke(
            [("system", _JUDGE.replace("CRITERIA", self.criteria)), ("human", json.dumps(asked))]
        )
        message, answer = (told["raw"], told["parsed"]) if isinstance(told, dict) else (told, None)
        usage = getattr(message, "usage_metadata", None) or {}
        return {**_verdict(str(message.text), answer), "tokens": usage.get("total_tokens", 0)}


_NUMBER = re.compile(r"(\d+(?:\.\d+)?)")
_SCORE = re.compile(r'"?score"?\s*[:=]\s*"?(\d+(?:\.\d+)?)')
_JUDGE: Final = (
    "You judge answers. CRITERIA Reply with JSON: "
    '{"score": a number from 0 (wrong) to 1 (right), "reason": one short sentence}.'
)
_ANSWER: Final = {
    "title": "verdict",
    "description": "What the judge thinks of an answer.",
    "type": "object",
    "properties": {
        "score": {"type": "number", "minimum": 0, "maximum": 1, "description": "From 0, wrong, to 1, right."},
        "reason": {"type": "string", "maxLength": 200, "description": "One short sentence."},
    },
    "required": ["score", "reason"],
    "additionalProperties": False,
}


def _held(model: Any) -> Any:
    """The model, held to the schema where it can be."""
    try:
        return model.with_structured_output(_ANSWER, include_raw=True)
    except (AttributeError, NotImplementedError):
        return model


def _verdict(text: str, answer: Any) -> dict[str, Any]:
    """Score and reason; points above 1 are taken as out of 10.

    Raises:
        InputError: There is no score in it.
    """
    told = answer.get("score") if isinstance(answer, dict) else None
    if told is None:
        found = _SCORE.search(text) or _NUMBER.search(text)
        told = found[1] if found else None
    if told is None:
        raise InputError(f"the judge gave no score: {text[:200]!r}", hint="Try another model or criteria.")
    points = float(told)
    reason = answer.get("reason", text) if isinstance(answer, dict) else text
    return {
        "score": max(0.0, min(points if points <= 1 else points / 10, 1.0)),
        "reason": str(reason).strip()[:500],
    }


@dataclass
class Own:
    """A function as a metric: it takes output and expected."""

    function: Callable[..., Any]

    @property
    def name(self) -> str:
        """The function's name."""
        return getattr(self.function, "__name__", "score").strip("<>")

    def score(self, output: Any, expected: Any, _seen: Seen | None) -> float:
        """What the function gives."""
        return float(self.function(output, expected))


def metric_of(told: Any) -> Metric:
    """A metric, or the function that stands for one.

    Raises:
        InputError: It is neither.
    """
    if isinstance(told, type):
        raise InputError(f"{told.__name__} is a class", hint=f"Write {told.__name__}().")
    if isinstance(told, Metric):
        return told
    if callable(told):
        return Own(told)
    raise InputError(
        f"{told!r} is no metric", hint="Pass one of bz.metrics, or a function of output and expected."
    )


def _made(type: str, output: str) -> Any:
    """The live object that a node type gives with its defaults."""
    import asyncio

    from bpaz_lab.nodes.catalogue import catalogue

    node = catalogue().find(type).of({})
    return asyncio.run(node.execute({}, wanted=(output,)))[output]


def _same(one: Any, other: Any, *, normalise: bool) -> bool:
    if isinstance(one, str) and isinstance(other, str) and normalise:
        return _normal(one) == _normal(other)
    try:
        return bool(one == other)
    except (TypeError, ValueError):
        return False


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _normal(text: str) -> str:
    words = re.sub(r"[^\w\s]", " ", _folded(text)).split()
    return " ".join(word for word in words if word not in ("a", "an", "the"))
