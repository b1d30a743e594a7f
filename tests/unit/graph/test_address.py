from __future__ import annotations

import pytest

from bpaz_lab.graph.address import inside, path_of, place_of

pytestmark = pytest.mark.unit


def test_an_address_leads_to_its_place_in_the_document():
    address = inside(inside("each", "3") + "again", "0") + "clean"
    assert address == "each[3]/again[0]/clean"
    assert place_of(address) == "each/again/clean"
    assert path_of(address) == "nodes.each.body.nodes.again.body.nodes.clean"


def test_at_the_top_it_is_the_id():
    assert inside("part") + "a" == "part/a"
    assert place_of("a") == "a"
    assert path_of("a") == "nodes.a"
