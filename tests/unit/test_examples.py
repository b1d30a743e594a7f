"""The examples in docstrings run, and give what they say."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import bpaz_lab

pytestmark = pytest.mark.unit

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(bpaz_lab.__path__, "bpaz_lab.")
    if not module.name.startswith("bpaz_lab.store.migrations.") and not module.name.endswith("__main__")
)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_run(name):
    module = importlib.import_module(name)
    failed, _ = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert not failed
