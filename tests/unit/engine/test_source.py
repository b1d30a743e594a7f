from __future__ import annotations

import functools
import importlib
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

    assert code_of(wrapper).parts["f"] == code_of(f).parts["f"]
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


MORE = """
import dataclasses, enum, functools, logging, re
from bpaz_lab import Node
from typing import ClassVar
log = logging.getLogger("own")
PATTERN = re.compile("a+")
class Kind(enum.Enum):
    ONE = 1
@dataclasses.dataclass
class Place:
    x: int = 10
    y: list = dataclasses.field(default_factory=list)
    def area(self): return self.x * 20
HERE = Place()
def plus(function):
    @functools.wraps(function)
    def inner(*args): return function(*args) + 30
    return inner
def plain(function):
    return lambda *args: function(*args) + 40
def twice(function):
    return lambda *args: function(*args) * 2
@twice
@plain
@twice
def deep(x): return x
@plus
def decorated(x): return x
@functools.lru_cache
def remembered(x): return x + 50
class Own(Node):
    "A node."
    size: int = 60
    WIDTH: ClassVar[int] = 70
    @property
    def wide(self): return self.size + 80
    def run(self, x: int) -> int: return x + self.wide
def f(x):
    log.info("x")
    return PATTERN, Kind.ONE, HERE.area(), deep(x), decorated(x), remembered(x), Own, list[int]
"""


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('"a+"', '"b+"', "PATTERN changed"),
        ("ONE = 1", "ONE = 2", "Kind.ONE changed"),
        ("x: int = 10", "x: int = 11", "HERE changed"),
        ("* 20", "* 21", "Place.area changed"),
        ("+ 30", "+ 31", "decorated (decorated) changed"),
        ("+ 40", "+ 41", "function"),
        ("+ 50", "+ 51", "line 1 of remembered changed"),
        ("= 60", "= 61", "Own.size changed"),
        ("size: int", "size: float", "Own.size changed"),
        ("= 70", "= 71", "Own.WIDTH changed"),
        ("+ 80", "+ 81", "line 1 of Own.wide changed"),
    ],
)
def test_decorators_classes_and_their_attributes_count(module, old, new, why):
    before, after = code_of(module(MORE)), code_of(module(MORE.replace(old, new)))
    assert before.why == after.why == ""
    assert before.parts != after.parts
    assert why in changed(before, after)
    assert code_of(module(MORE)).parts == before.parts


def test_two_functions_of_one_name_are_two():
    def make(size):
        def helper(x):
            return x + size

        return functools.partial(helper)

    one = make(1)

    def helper(x):
        return x

    def f(x):
        return one(x) + helper(x)

    before = code_of(f).parts
    one = make(2)
    assert code_of(f).parts != before


def test_a_module_of_ones_own_counts_by_what_is_used_of_it(tmp_path, monkeypatch):
    (tmp_path / "own_helpers.py").write_text(
        "import own_helpers as me\ndef used(x): return x\ndef other(x): return x\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    helpers = importlib.import_module("own_helpers")

    def f(x):
        return helpers.used(x)

    def g(x):
        import own_helpers

        return own_helpers.used(x)

    before = [code_of(each) for each in (f, g)]
    helpers.other = lambda x: x + 1
    assert [code_of(each).parts for each in (f, g)] == [each.parts for each in before]
    helpers.used = lambda x: x + 1
    for each, code in zip((f, g), before, strict=True):
        assert changed(code, code_of(each)).startswith(("helpers.used", "own_helpers.used"))


def test_a_method_that_is_bound_counts_with_its_object():
    words = ["a"]
    add = words.append

    def f(x):
        return add(x)

    before = code_of(f).parts
    words.append("b")
    assert code_of(f).parts != before


def test_objects_that_answer_to_every_name_do_no_harm():
    class Any:
        def __getattr__(self, name):
            return self

    things = Any()

    def f(x):
        return things.what(x)

    assert code_of(f).why.startswith("things: ")
