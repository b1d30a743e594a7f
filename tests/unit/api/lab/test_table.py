from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bpaz_lab.api.lab.table import Record, Table, pages, some, table, text

pytestmark = pytest.mark.unit


class Pages:
    """A list of the API with so many items, in process."""

    def __init__(self, count):
        self.items = [{"name": f"n{number}"} for number in range(count)]
        self.asked = []

    def call(self, method, path, *, query):
        self.asked.append(query)
        start = int(query["cursor"] or 0)
        end = start + query.get("limit", 50)
        return {"items": self.items[start:end], "next": str(end) if end < len(self.items) else ""}


def test_a_record_has_its_fields_as_attributes():
    record = Record({"id": 1, "created_at": "2026-11-24T12:00:00Z", "flow_data": {}, "hint": ""})
    assert (record.id, record["id"]) == (1, 1)
    assert record.created_at == datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert "created_at" in dir(record)
    with pytest.raises(AttributeError, match="there are: id, created_at"):
        record.nothing  # noqa: B018 (the look-up is the test)
    assert repr(record).startswith("<id='1', created_at=")
    assert Record({"created_at": "at noon"}).created_at == "at noon"


def test_what_a_record_shows_is_escaped():
    assert "<b>" not in Record({"name": "<b>x</b>"})._repr_html_()
    assert "&lt;b&gt;x" in Record({"name": "<b>x</b>"})._repr_html_()


def test_a_table_shows_its_columns_and_that_there_is_more():
    found = Table([Record({"name": "a", "is_public": True}), Record({"name": "bbb"})], ("name", "is_public"))
    assert repr(found) == "name  is_public\na     yes\nbbb"
    assert "<th>is public</th>" in found._repr_html_()
    assert "there are more" in repr(Table(found, ("name",), more=True))
    long = Table([Record({"name": str(number)}) for number in range(70)], ("name",))
    assert repr(long).endswith("and 10 more")
    assert long._repr_html_().count("<tr>") == 61


def test_an_empty_table_says_so():
    assert repr(Table([], ("name",))) == "none"
    assert "none" in Table([], ("name",))._repr_html_()


def test_a_table_takes_its_colours_from_the_page_and_escapes_everything():
    html = table(("<i>",), [("<script>",)], "<u>")
    assert not {"<i>", "<script>", "<u>"} & set(html.replace("<", " <").split())
    assert "var(--jp-ui-font-color1" in html
    assert "#" not in html


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (False, "no"),
        (["a", 1], "a, 1"),
        ({"a": 1}, "a=1"),
        ("two\n lines", "two lines"),
        ("x" * 200, "x" * 119 + "…"),
        (3.5, "3.5"),
    ],
)
def test_how_a_value_is_shown(value, shown):
    assert text(value) == shown


def test_all_pages_are_read_one_at_a_time():
    source = Pages(120)
    reading = pages(source, "workflows/", Record, sort="name")
    assert source.asked == []
    assert next(reading).name == "n0"
    assert len(source.asked) == 1
    assert len(list(reading)) == 119
    assert [each["cursor"] for each in source.asked] == ["", "50", "100"]
    assert {each["sort"] for each in source.asked} == {"name"}


@pytest.mark.parametrize(("limit", "got", "more"), [(3, 3, True), (250, 250, False), (None, 250, False)])
def test_so_many_as_one_asks_for(limit, got, more):
    found = some(Pages(250), "x", Record, ("name",), limit)
    assert (len(found), found.more) == (got, more)
