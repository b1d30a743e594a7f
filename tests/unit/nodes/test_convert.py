from __future__ import annotations

from datetime import date

import pandas as pd
import pytest
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, HumanMessage

from bpaz_lab.graph.ports import CONVERSIONS
from bpaz_lab.nodes import convert

pytestmark = pytest.mark.unit


def test_every_conversion_of_the_table_exists():
    assert set(CONVERSIONS.values()) | {"to_list"} == set(convert.CONVERTERS)


def test_documents_and_texts():
    documents = convert.text_to_documents("one")
    assert [type(document) for document in documents] == [Document]
    assert convert.documents_to_text([*documents, Document(page_content="two")]) == "one\n\ntwo"


def test_messages_and_texts():
    message = convert.text_to_message("Hi")
    assert isinstance(message, HumanMessage)
    assert convert.message_to_text(message) == "Hi"
    assert convert.message_to_text("Hi") == "Hi"
    assert convert.message_to_text(AIMessage([{"type": "text", "text": "parts"}])) == "parts"
    (only,) = convert.text_to_messages("Hi")
    assert only == message
    assert convert.message_to_messages(message) == [message]
    assert convert.messages_to_text([message, AIMessage("Yes")]) == "human: Hi\nai: Yes"


def test_data_as_text():
    assert convert.data_to_text("as it is") == "as it is"
    assert convert.data_to_text({"grün": [1, None, True]}) == '{"grün": [1, null, true]}'
    assert convert.data_to_text(date(2026, 1, 2)) == '"2026-01-02"'


def test_tables():
    table = pd.DataFrame({"x": [1, 2], "y": ["a", "b"]})
    assert convert.table_to_text(table) == "x,y\n1,a\n2,b\n"
    assert convert.table_to_data(table) == [{"x": 1, "y": "a"}, {"x": 2, "y": "b"}]


def test_one_as_a_list():
    assert convert.to_list([1]) == [[1]]
