from __future__ import annotations

import stat
import subprocess
import sys
import textwrap
import warnings

import numpy as np
import ormsgpack
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, HumanMessage

from bpaz_lab.engine.cache import Entry
from bpaz_lab.engine.disk_cache import DiskCache, disk
from bpaz_lab.engine.hashing import hashed
from bpaz_lab.engine.values import without
from bpaz_lab.engine.values_kinds import Kind
from bpaz_lab.guard.mask import Masker

pytestmark = pytest.mark.unit


def kept(value, **options):
    told = hashed(value)
    return Entry({"x": value}, {"x": told.digest}, 1.5, told.size, {"m": (1, 2)}, **options)


@pytest.mark.parametrize(
    "value",
    [
        *(
            None,
            True,
            3,
            2.5,
            2**70,
            float("inf"),
            "text",
            b"bytes",
            [1, [2]],
            (1, "a"),
            {1, 2},
            {"a": {"b": (1,)}},
            {1: 2},
        ),
        *(np.arange(6).reshape(2, 3), np.array(["a", "b"]), pd.Series([1.5, None], name="s")),
        pd.DataFrame(
            {"n": [1, 2], "t": ["a", None], "d": pd.to_datetime(["2026-01-01", None])}, index=[5, 6]
        ),
        pd.DataFrame({"c": pd.Categorical(["x", "y"]), "b": [True, False]}),
        [Document(page_content="a", metadata={"source": "x", "n": 1})],
        *(
            HumanMessage("hello"),
            AIMessage("hi", usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}),
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_it_comes_back_the_same(tmp_path, value):
    DiskCache(tmp_path).put("k", kept(value))
    back = DiskCache(tmp_path).get("k")
    assert type(back.outputs["x"]) is type(value)
    assert hashed(back.outputs["x"]).digest == back.hashes["x"] == hashed(value).digest
    assert (back.duration, back.usage) == (1.5, {"m": (1, 2)})


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(VALUES)
def test_anything_comes_back_the_same_or_is_not_kept(tmp_path_factory, value):
    cache = DiskCache(tmp_path_factory.mktemp("cache"))
    cache.put("k", kept(value))
    back = cache.get("k")
    assert back is None or hashed(back.outputs["x"]).digest == hashed(value).digest


@pytest.mark.parametrize("value", [object(), [object()], pd.DataFrame({"a": [{"k": 1}, [2]]}), lambda: 1])
def test_what_has_no_form_is_not_kept(tmp_path, value):
    cache = DiskCache(tmp_path)
    cache.put("k", Entry({"x": value}, {"x": "h"}, 1.0, 1, {}))
    assert cache.get("k") is None
    assert list(tmp_path.iterdir()) == []


def test_what_must_not_outlive_the_session_is_not_kept(tmp_path):
    cache = DiskCache(tmp_path)
    cache.put("a", kept("x", storable=False))
    cache.put("b", kept("the secret", fit=lambda data: b"secret" not in data))
    cache.put("c", kept(pd.DataFrame({"a": ["the secret"]}), fit=lambda data: b"secret" not in data))
    assert list(tmp_path.iterdir()) == []
    cache.put("d", kept("nothing", fit=lambda data: b"secret" not in data))
    assert cache.get("d").outputs == {"x": "nothing"}


def test_a_large_value_is_on_the_disk_once(tmp_path):
    cache, array = DiskCache(tmp_path), np.arange(100_000)
    cache.put("a", kept(array))
    cache.put("b", kept(array))
    assert len(list(tmp_path.glob("*.value"))) == 1


def changed(**parts):
    """Replaces parts of an entry."""
    return lambda path: path.write_bytes(ormsgpack.packb({**ormsgpack.unpackb(path.read_bytes()), **parts}))


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_text("{"),
        lambda path: path.write_bytes(ormsgpack.packb([])),
        lambda path: path.write_bytes(b"\x91" * 100_000),
        changed(hashes={}),
        changed(usage=3),
        changed(outputs=[1]),
        changed(outputs=b"\xc1"),
        changed(format=1),
        lambda path: path.write_bytes(b"\xff\xfe"),
        changed(outputs=ormsgpack.packb({"x": ormsgpack.Ext(99, b"")}, lambda ext: ext)),
        changed(
            outputs=ormsgpack.packb(
                {"x": ormsgpack.Ext(Kind.PARTS, ormsgpack.packb(["../x"]))}, lambda ext: ext
            )
        ),
        lambda path: next(path.parent.glob("*.value")).write_bytes(b"other"),
    ],
)
def test_a_damaged_file_is_a_result_that_is_not_there(tmp_path, damage):
    cache = DiskCache(tmp_path)
    cache.put("k", kept(np.arange(100_000)))
    damage(tmp_path / "bpaz-k.entry")
    with pytest.warns(UserWarning, match=r"bpaz-k\.entry is damaged"):
        assert cache.get("k") is None
    assert not (tmp_path / "bpaz-k.entry").exists()
    cache.put("k", kept("again"))
    assert cache.get("k").outputs == {"x": "again"}


def test_a_result_whose_value_went_is_not_there(tmp_path):
    cache = DiskCache(tmp_path)
    cache.put("k", kept(np.arange(100_000)))
    next(tmp_path.glob("*.value")).unlink()
    assert cache.get("k") is None


def test_nothing_is_unpickled(tmp_path):
    cache = DiskCache(tmp_path)
    bad = np.array([{"a": 1}], dtype=object)
    cache.put("k", Entry({"x": bad}, {"x": hashed(bad).digest}, 1.0, 1, {}))
    assert cache.get("k") is None


def test_the_longest_unused_goes_first(tmp_path):
    cache = DiskCache(tmp_path, limit=12_000)
    for number in range(4):
        cache.put(f"k{number}", kept("x" * 3_000 + str(number)))
    assert cache.get("k0") is None
    assert cache.get("k3") is not None
    cache.clear()
    assert list(tmp_path.iterdir()) == []


def test_files_of_others_in_the_folder_are_left_alone(tmp_path):
    for name in ("notes.json", "data.npy", "table.arrow"):
        (tmp_path / name).write_text("mine" * 1000)
    cache = DiskCache(tmp_path, limit=10)
    cache.put("k", kept("value"))
    cache.clear()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.npy", "notes.json", "table.arrow"]


def test_a_folder_that_cannot_be_used_is_told_once_and_ends_no_run(tmp_path):
    (tmp_path / "file").write_text("in the way")
    cache = DiskCache(tmp_path / "file")
    with pytest.warns(UserWarning, match="results are not kept in"):
        cache.put("k", kept("value"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cache.put("k", kept("value"))
        assert cache.get("k") is None


@pytest.mark.parametrize(
    "value",
    ["a sécret", ["a sécret"], b"a s\xc3\xa9cret", np.array(["a sécret"]), pd.DataFrame({"sécret": ["x"]})],
    ids=lambda value: type(value).__name__,
)
def test_no_form_of_a_secret_is_written(tmp_path, value):
    cache = DiskCache(tmp_path)
    cache.put("k", kept(value, fit=without(Masker(["sécret"]).forms)))
    assert list(tmp_path.iterdir()) == []
    cache.put("k", kept(value, fit=without(Masker(["other"]).forms)))
    assert cache.get("k") is not None


def test_it_is_for_its_owner_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("BPAZ_CACHE_DIR", str(tmp_path / "own"))
    disk.cache_clear()
    try:
        disk().put("k", kept("value"))
        assert stat.S_IMODE((tmp_path / "own").stat().st_mode) == 0o700
    finally:
        disk.cache_clear()


SCRIPT = """
    import sys
    from bpaz_lab import Workflow, node
    from bpaz_lab.engine.disk_cache import DiskCache

    @node(effect="pure")
    def load(path: str) -> str:
        print("loading")
        return path.upper()

    wf = Workflow()
    wf.add(load)
    run = wf.run(path="a", cache=DiskCache(sys.argv[1]))
    print(run.output, run.saved.nodes)
"""


def test_another_process_finds_what_was_kept(tmp_path):
    script = tmp_path / "go.py"
    script.write_text(textwrap.dedent(SCRIPT))
    command = [sys.executable, str(script), str(tmp_path / "cache")]
    told = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2)]
    assert told == ["loading\nA 0\n", "A 1\n"]
    script.write_text(textwrap.dedent(SCRIPT).replace("upper", "lower"))
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "loading\na 0\n"
