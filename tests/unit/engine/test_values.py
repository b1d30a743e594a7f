"""Values as bytes and back: every kind, large ones in parts, and what is refused."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import pathlib
import threading
import uuid
import zoneinfo
from collections import namedtuple

import numpy as np
import ormsgpack
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, HumanMessage

from bpaz_lab.engine.hashing import hashed
from bpaz_lab.engine.values import (
    INLINE,
    LIVE,
    PART,
    Absent,
    Later,
    NotStorable,
    about,
    content,
    named,
    pack,
    skeleton,
    small,
    unpack,
    without,
)
from bpaz_lab.engine.values_kinds import Kind
from bpaz_lab.errors import IntegrityError

pytestmark = pytest.mark.unit

BIG = "é" * 100_000
ZONE = zoneinfo.ZoneInfo("Europe/Berlin")
KEPT = [
    *(None, True, 3, -1, 2.5, 2**64, 2**70, -(2**65), float("inf"), "text", "half \ud800", b"bytes", b""),
    *([1, [2]], (1, "a"), {1, 2}, frozenset({"a", (1, 2)}), set(), range(2, 9, 3), {"a": {"b": (1,)}}, {}),
    *({1: 2, (1, 2): [{3: None}]}, {"\ud800": 1}, {None: {True: 1.5}}),
    *(np.arange(6).reshape(2, 3), np.array(["a", "b"]), np.zeros((0, 3)), np.float64(2), np.int8(3)),
    np.datetime64("2026-01-01"),
    *(pd.Series([1.5, None], name="s"), pd.Series([1]), pd.Series(["a"], name=("x", 1))),
    pd.DataFrame({"n": [1, 2], "t": ["a", None], "d": pd.to_datetime(["2026-01-01", None])}, index=[5, 6]),
    pd.DataFrame({"c": pd.Categorical(["x", "y"]), "b": [True, False]}),
    [Document(page_content="a", metadata={"source": "x", 2: 3})],
    HumanMessage("hello"),
    AIMessage("hi", usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}),
    *(
        dt.datetime(2026, 1, 2, 3, 4, 5, 6),  # noqa: DTZ001 (naive ones too)
        dt.datetime(2026, 1, 2, tzinfo=dt.UTC),
    ),
    *(dt.datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZONE), dt.date(2026, 1, 2), dt.time(1, 2, 3)),
    dt.timedelta(days=-1, microseconds=5),
    *(uuid.UUID(int=7), decimal.Decimal("1.10"), pathlib.Path("/a/b"), pathlib.PureWindowsPath("c:\\a")),
    *(BIG, BIG.encode(), [BIG, {"x": BIG, 1: BIG}], list(range(100_000)), (list(range(100_000)), 1)),
    *(np.arange(100_000), pd.DataFrame({"x": range(100_000)}), {"t": [pd.DataFrame({"x": range(100_000)})]}),
    Document(page_content=BIG),
]


def back(packed):
    return unpack(packed.data, packed.parts.__getitem__)


@pytest.mark.parametrize("value", KEPT, ids=lambda value: type(value).__name__)
def test_it_comes_back_the_same(value):
    packed = pack({"x": value, "y": [value]})
    found = back(packed)
    assert list(found) == ["x", "y"]
    assert type(found["x"]) is type(value)
    assert hashed(found["x"]).digest == hashed(found["y"][0]).digest == hashed(value).digest
    assert packed.size == len(packed.data) + sum(map(len, packed.parts.values()))
    assert all(named(part) == name for name, part in packed.parts.items())


def test_time_zones_come_back():
    told = dt.datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZONE)
    found = back(pack({"x": told}))["x"]
    assert (found.tzinfo.key, found.utcoffset()) == ("Europe/Berlin", told.utcoffset())


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(VALUES)
def test_plain_values_in_one_another_come_back_the_same(value):
    found = back(pack({"x": value}))["x"]
    assert found == value
    assert type(found) is type(value)
    data = small({"x": value})
    assert data is None or unpack(data, {}.__getitem__) == {"x": value}


class Color(enum.Enum):
    RED = 1


Point = namedtuple("Point", "x y")  # noqa: PYI024 (as in a cell)
AROUND: list = []
AROUND.append(AROUND)
DEEP: list = []
for _ in range(5_000):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    "value",
    [
        *(
            object(),
            [object()],
            {"a": (object(),)},
            lambda: 1,
            Color.RED,
            Point(1, 2),
            type("S", (str,), {})("x"),
        ),
        *(AROUND, (AROUND,), DEEP, np.array([object()]), pd.DataFrame({"a": [{"k": 1}, [2]]})),
        pd.DataFrame({"a": [object()]}),
        *(threading.Lock(), ValueError("x"), dt.datetime(2026, 1, 1, tzinfo=type("Z", (dt.tzinfo,), {})())),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_has_no_form_is_named(value):
    with pytest.raises(NotStorable, match=r"^bad: ") as caught:
        pack({"good": 1, "bad": value})
    assert caught.value.why


def test_a_large_value_lies_in_parts_and_the_same_one_in_the_same():
    value = np.random.default_rng(0).bytes(10_000_000)
    one, other = pack({"a": value}), pack({"b": [1, value], "c": value})
    assert sorted(map(len, one.parts.values())) == [10_000_000 - 2 * PART, PART, PART]
    assert other.parts == one.parts
    assert len(one.data) < 200


def test_what_is_small_lies_where_it_is():
    packed = pack({"x": "a" * (INLINE - 100)})
    assert packed.parts == {}
    many = pack({f"x{number}": "a" * 10_000 for number in range(20)})
    assert many.parts == {}


@pytest.mark.parametrize(
    "value", ["open sesame", ["open sesame"], BIG + "open sesame", np.array(["open sesame"]), b"open sesame"]
)
def test_a_secret_is_refused_wherever_it_is(value):
    fit = without(["sesame"])
    with pytest.raises(NotStorable, match="x: it holds a secret"):
        pack({"x": value, "y": 1}, fit)
    assert back(pack({"x": value}, without(["other"])))


def test_a_secret_across_two_parts_is_refused():
    value = b"a" * (PART - 3) + b"sesame" + b"a" * PART
    with pytest.raises(NotStorable, match="secret"):
        pack({"x": value}, without(["sesame"]))


def test_a_part_that_is_not_what_its_name_says_is_refused():
    packed = pack({"x": BIG})
    with pytest.raises(IntegrityError, match="does not hold what its name says"):
        unpack(packed.data, lambda _: b"other")


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"\xc1", b"\x93\x01", ormsgpack.packb([1]), b"\x91" * 100_000),
        *(
            ormsgpack.packb({"x": ormsgpack.Ext(kind, content)}, lambda ext: ext)
            for kind, content in [
                (99, b""),
                (Kind.INT, b"zz"),
                (Kind.ARRAY, ormsgpack.packb(b"\x80\x04")),
                (Kind.TABLE, ormsgpack.packb(b"no table")),
                (Kind.EXACT, ormsgpack.packb(["PosixPath.home", "x"])),
                (Kind.MESSAGE, ormsgpack.packb(["RemoveMessage", {"id": "x"}])),
                (Kind.MESSAGE, ormsgpack.packb(["get_buffer_string", {}])),
                (Kind.DOCUMENT, ormsgpack.packb({"page_content": 3})),
                (Kind.MOMENT, ormsgpack.packb(["date", "x"])),
                (Kind.PARTS, b"\xc1"),
            ]
        ),
    ],
)
def test_bytes_of_somebody_else_build_nothing(data):
    with pytest.raises(IntegrityError):
        unpack(data, {}.__getitem__)


def test_faults_of_the_store_pass_through():
    def gone(_name):
        raise ConnectionError("the store is gone")

    packed = pack({"x": BIG})
    with pytest.raises(ConnectionError):
        unpack(packed.data, gone)


def test_what_is_not_kept_stays_told():
    packed = pack({"x": LIVE, "y": Absent("a lock"), "z": 1})
    assert back(packed) == {"x": LIVE, "y": Absent("a lock"), "z": 1}
    told = skeleton(pack({"x": LIVE, "y": BIG, "z": 1, "t": (1,)}).data)
    assert told == {"x": LIVE, "y": Later(), "z": 1, "t": Later()}


def test_what_is_known_besides_is_no_output():
    values = {"x": (1, 2), "y": BIG}
    packed = pack({**values, "": {"usage": {"m": [1, 2]}}})
    assert back(packed) == values
    assert about(packed.data) == {"usage": {"m": [1, 2]}}
    assert about(pack(values).data) == about(b"") == {}
    assert content(packed.data) == content(pack(values).data) != content(pack({"x": 1}).data)


def test_only_what_is_plain_and_small_is_packed_at_once():
    assert small({"a": [1, "x", None], "b": {"c": 2.5}}) is not None
    for value in (
        "x" * (INLINE + 1),
        list(range(100)),
        (1,),
        [[[1] * 30] * 30],
        Document(page_content="x"),
        "\ud800",
    ):
        assert small({"a": value}) is None
