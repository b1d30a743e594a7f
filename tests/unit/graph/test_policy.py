from __future__ import annotations

from typing import get_type_hints

import pytest

from bpaz_lab.graph.document import Policy
from bpaz_lab.graph.policy import POLICY
from bpaz_lab.nodes.catalogue import Catalogue

pytestmark = pytest.mark.unit


def test_the_form_has_every_field_of_a_policy():
    assert {field.name for field in POLICY} == get_type_hints(Policy).keys()


def test_every_field_says_what_it_does():
    assert all(field.title and field.help for field in POLICY)


def test_it_is_served_with_the_catalogue():
    assert Catalogue().describe().policy == POLICY
