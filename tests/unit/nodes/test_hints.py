from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Sequence
from typing import Annotated, Any, Optional, Union

import matplotlib.figure
import pandas as pd
import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import BaseTool
from langchain_core.vectorstores import InMemoryVectorStore

from bpaz_lab.nodes.hints import port_of
from bpaz_lab.nodes.types import Documents, Many, Messages, Model, Port, Text

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("hint", "tag"),
    [
        (str, "text"),
        (int, "data"),
        (bool, "data"),
        (dict[str, int], "data"),
        (list, "data"),
        (Any, "any"),
        (object, "any"),
        (None, "any"),
        (list[str], "list[text]"),
        (list[int], "data"),
        (list[Any], "data"),
        (list[list[str]], "list[list[text]]"),
        (list[pd.DataFrame], "list[table]"),
        (Sequence[str], "any"),
        (str | None, "text"),
        (Optional[int], "data"),  # noqa: UP045 (people write it)
        (Union[str, int], "any"),  # noqa: UP007 (people write it)
        (Iterator[str], "text"),
        (AsyncIterator[str], "text"),
        (Generator[int, None, None], "data"),
        (AsyncGenerator[str, None], "text"),
        (pd.DataFrame, "table"),
        (matplotlib.figure.Figure, "image"),
        (Document, "documents"),
        (list[Document], "documents"),
        (BaseMessage, "message"),
        (AIMessage, "message"),
        (list[BaseMessage], "messages"),
        (FakeListChatModel, "model"),
        (Embeddings, "embeddings"),
        (InMemoryVectorStore, "vectorstore"),
        (BaseRetriever, "retriever"),
        (BaseTool, "tool"),
        (Text, "text"),
        (Documents, "documents"),
        (Messages, "messages"),
        (Model, "model"),
        (list[Model], "list[model]"),
        (Annotated[int, "a remark"], "data"),
        (Annotated[str, Port(help="What comes.")], "text"),
    ],
)
def test_an_ordinary_hint_says_what_travels(hint, tag):
    assert port_of(hint).tag == tag


def test_an_annotation_keeps_what_it_says_of_the_port():
    port = port_of(Annotated[str, Port(help="What comes.", source="run")])
    assert (port.tag, port.help, port.source) == ("text", "What comes.", "run")


def test_many_wires():
    assert port_of(Many[Documents]) == Port("documents", many=True)
    assert port_of(Many[str]) == Port("text", many=True)
