from __future__ import annotations

import pytest

from bpaz_lab.graph.ports import CONVERSIONS, TAGS, conversion, is_resource, is_tag, item_tag, table
from bpaz_lab.nodes.convert import CONVERTERS

pytestmark = pytest.mark.unit

ALL = [*TAGS, *(f"list[{tag}]" for tag in TAGS)]


def test_every_conversion_of_the_table_exists():
    named = {how for row in table().values() for how in row.values() if how}
    assert named <= CONVERTERS.keys()
    assert CONVERTERS.keys() <= named  # and none is there for nothing


def test_the_table_says_what_conversion_says():
    served = table()
    assert served.keys() == set(ALL)
    for source in ALL:
        for target in ALL:
            assert served[source].get(target) == conversion(source, target)


@pytest.mark.parametrize("tag", ALL)
def test_a_tag_fits_itself_and_anything(tag):
    assert conversion(tag, tag) == ""
    assert conversion(tag, "any") == ""
    assert conversion("any", tag) == ""
    assert is_tag(tag)


@pytest.mark.parametrize("resource", [tag for tag in TAGS if is_resource(tag)])
def test_a_resource_is_nothing_else(resource):
    fitting = {tag for tag in TAGS if conversion(resource, tag) is not None}
    assert fitting == {resource, "any"}
    assert {tag for tag in TAGS if conversion(tag, resource) is not None} == {resource, "any"}
    assert is_resource(f"list[{resource}]")


def test_conversions_join_known_tags_that_are_not_the_same():
    for source, target in CONVERSIONS:
        assert is_tag(source)
        assert is_tag(target)
        assert source != target


@pytest.mark.parametrize(
    ("source", "target", "how"),
    [
        ("documents", "text", "documents_to_text"),
        ("text", "list[text]", "to_list"),
        ("any", "list[text]", ""),
        ("list[text]", "text", None),
        ("list[text]", "data", ""),
        ("list[any]", "list[text]", ""),
        ("list[documents]", "list[text]", None),
        ("list[text]", "list[data]", ""),
        ("text", "model", None),
        ("data", "table", None),
    ],
)
def test_cases(source, target, how):
    assert conversion(source, target) == how


def test_lists():
    assert item_tag("list[text]") == "text"
    assert item_tag("list[list[text]]") == "list[text]"
    assert item_tag("text") is None
    assert not is_tag("list[unknown]")
    assert not is_tag("unknown")
