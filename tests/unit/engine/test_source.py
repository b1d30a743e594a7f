from __future__ import annotations

import functools
import importlib.util
import textwrap

import numpy as np
import pytest

from bpaz_lab.engine.source import changed, code_of
from bpaz_lab.nodes.function import node_class
from bpaz_lab.nodes.splitters.recursive_text_splitter import RecursiveTextSplitter

pytestmark = pytest.mark.unit
BEFORE = '''
LIMIT = 3
def helper(x):
    return x + LIMIT
class Part:
    def size(self):
        return 1
def f(x, y=2, *, z="a"):
    """What it does."""
    return helper(x) * y, Part
'''


@pytest.fixture
def module(tmp_path):
    """Makes a module of source, as a cell or a file of the user's own would be."""
    count = iter(range(100))

    def make(source):
        path = tmp_path / f"own_{next(count)}.py"
        path.write_text(textwrap.dedent(source))
        spec = importlib.util.spec_from_file_location("own", path)
        made = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(made)
        return made.f

    return make


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("return helper(x) * y", "return helper(x) + y", "line 3 of f changed: return helper(x) + y, Part"),
        ("return x + LIMIT", "return x - LIMIT", "line 2 of helper changed: return x - LIMIT"),
        ("LIMIT = 3", "LIMIT = 4", "LIMIT changed"),
        ("y=2", "y=3", "line 1 of f changed"),
        ('z="a"', 'z="b"', "line 1 of f changed"),
        ("return 1", "return 2", "line 2 of Part.size changed"),
        ("helper(x) * y, Part", "x * y, Part", "line 3 of f changed"),
        ("return x + LIMIT", "return x", "line 2 of helper changed"),
    ],
)
def test_what_a_result_depends_on_is_seen(module, old, new, why):
    before, after = code_of(module(BEFORE)), code_of(module(BEFORE.replace(old, new)))
    assert before.parts != after.parts
    assert changed(before, after).startswith(why)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 3", "\n\n# a comment\nLIMIT = 3"),
        ("What it does", "What else"),
        ("    return 1", "    # why\n        return 1"),
    ],
)
def test_where_it_stands_and_what_it_says_do_not_count(module, old, new):
    before, after = code_of(module(BEFORE)), code_of(module(BEFORE.replace(old, new)))
    assert before.parts == after.parts
    assert changed(before, after) == ""


def test_functions_that_call_one_another_end():
    def one(x):
        return other(x)

    def other(x):
        return one(x)

    assert code_of(one).parts.keys() == {"one", "other"}


def test_what_it_closes_over_counts():
    def make(size):
        def f(x):
            return x * size

        return f

    assert code_of(make(2)).parts != code_of(make(3)).parts
    assert code_of(make(2)).parts == code_of(make(2)).parts


def test_what_cannot_be_compared_is_named():
    handle = object()

    def f(x):
        return handle, x

    assert "handle" in code_of(f).why


def test_installed_packages_count_by_their_version():
    def f(x):
        return np.log(x)

    assert code_of(f).parts["np"] == f"module numpy {np.__version__}"
    assert list(code_of(RecursiveTextSplitter).parts) == ["RecursiveTextSplitter"]


def test_wrapped_bound_and_partial_functions():
    def f(x, y):
        return x + y

    @functools.wraps(f)
    def wrapper(*args):
        return f(*args)

    assert code_of(wrapper).parts == code_of(f).parts
    assert code_of(functools.partial(f, 1)).parts != code_of(functools.partial(f, 2)).parts
    assert code_of(len).parts == {"len": "built in len"}


def test_a_node_class_is_the_code_of_its_functions():
    def double(x: int) -> int:
        return x * 2

    assert code_of(node_class(double)).parts["double"]
    one = code_of(node_class(double))

    def double(x: int) -> int:
        return x * 3

    assert changed(one, code_of(node_class(double))).startswith("line 2 of")


def test_what_is_new_and_what_is_gone(module):
    before, after = code_of(module(BEFORE)), code_of(module("def f(x):\n    return 1\n"))
    after.parts["f"] = before.parts["f"]
    assert changed(before, after).endswith(" no more")
    assert changed(after, before).endswith(" now")
