from __future__ import annotations

import importlib
import inspect

import pytest

import bpaz_lab as bz

pytestmark = pytest.mark.unit


def test_all_is_sorted_and_what_dir_shows():
    assert bz.__all__ == sorted(bz.__all__)
    assert dir(bz) == sorted(bz.__all__)


@pytest.mark.parametrize("name", [name for name in bz.__all__ if not name.startswith("__")])
def test_every_public_name_exists_and_is_documented(name):
    value = getattr(bz, name)
    assert inspect.getdoc(value)
    if name in bz._HOMES:
        assert value is getattr(importlib.import_module(bz._HOMES[name]), name)


def test_every_lazy_name_is_public():
    assert bz._HOMES.keys() <= set(bz.__all__)


def test_a_wrong_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Workflwo'"):
        bz.Workflwo  # noqa: B018 (the look-up is the test)
