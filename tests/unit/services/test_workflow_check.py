"""What may be kept: hostile documents get an answer that says what is wrong, and nothing of them is run."""

from __future__ import annotations

import subprocess
import sys
from copy import deepcopy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bpaz_lab.errors import BpazError, InputError
from bpaz_lab.graph.document import dumps, shaped
from bpaz_lab.services.workflow_check import problems, storable
from bpaz_lab.settings import Settings
from bpaz_lab.templates.builtin import builtins

pytestmark = pytest.mark.unit
SETTINGS = Settings()
HARMFUL = ("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.remove", "os.mkdir", "shutil.rmtree")


class Watch:
    """What the interpreter tells of processes, sockets and files while it is on; imports are no matter."""

    def __init__(self):
        self.on, self.seen = False, []
        sys.addaudithook(self.hear)

    def hear(self, event, arguments):
        if self.on and (event in HARMFUL or event.startswith("socket.") or self.odd_file(event, arguments)):
            self.seen.append((event, str(arguments[:1])))

    @staticmethod
    def odd_file(event, arguments):
        mode = arguments[1] if event == "open" and isinstance(arguments[1], str) else ""
        return event == "open" and ("passwd" in str(arguments[0]) or bool(set(mode) & set("wax+")))

    def __enter__(self):
        self.on = True
        self.seen.clear()
        return self.seen

    def __exit__(self, *_):
        self.on = False


WATCH = Watch()

ODD = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        [
            "__import__('os').system('id')",
            "{0.__class__}",
            "{{7*7}}",
            "../../etc/passwd",
            "file:///etc/passwd",
            "a.b.c",
        ]
    )
)
VALUES = st.recursive(
    ODD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def places(value, path=()):
    yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in pairs:
        yield from places(part, (*path, key))


@st.composite
def mutated(draw):
    """A template with some places changed, removed or renamed."""
    document = deepcopy(draw(st.sampled_from(builtins())).flow_data)
    for _ in range(draw(st.integers(1, 4))):
        path = draw(st.sampled_from([each for each in places(document) if each]))
        holder = document
        for key in path[:-1]:
            holder = holder[key]
        action = draw(st.sampled_from(["set", "set", "drop", "name"]))
        if action == "set":
            holder[path[-1]] = draw(VALUES)
        elif action == "drop" or not isinstance(holder, dict):
            del holder[path[-1]]
        else:
            holder[draw(st.text(max_size=8) | st.sampled_from(["__class__", "a.b", "", "$cred"]))] = (
                holder.pop(path[-1])
            )
    return document


def kept(document):
    """What a save makes of a document, all that is asked for along with it too; None where it refuses."""
    try:
        found = storable(document, SETTINGS)
    except BpazError:
        return None
    assert all(problem.to_dict()["message"] and problem.code for problem in problems(found))
    return found


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(mutated() | VALUES)
def test_any_document_is_kept_or_refused_and_nothing_is_run(document):
    with WATCH as seen:
        found = kept(document)
    assert seen == []
    if found is not None:
        assert dumps(shaped(deepcopy(found))) == dumps(found)


def test_the_watch_sees_what_it_watches_for(tmp_path):
    with WATCH as seen:
        (tmp_path / "file").write_text("x")
        subprocess.run([sys.executable, "-c", ""], check=True)
    assert {event for event, _ in seen} >= {"open", "subprocess.Popen"}


def test_a_file_that_a_sub_workflow_names_is_not_opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other.bpaz").write_text("no workflow at all")
    node = {"type": "SubWorkflow", "settings": {"workflow": "other.bpaz"}}
    found = storable({"bpaz": 1, "name": "Outer", "nodes": {"inner": node}}, SETTINGS)
    assert problems(found) == []


def test_a_node_type_of_elsewhere_is_kept_with_its_settings():
    entry = {"type": "elsewhere:Magic", "version": 3, "settings": {"a": [1, {"b": None}]}, "title": "Magic"}
    found = storable({"bpaz": 1, "name": "Odd", "nodes": {"x": entry}}, SETTINGS)
    assert found["nodes"]["x"] == entry
    assert [each.code for each in problems(found)] == ["unknown_node_type"]


def test_a_name_is_needed():
    with pytest.raises(InputError):
        storable({"bpaz": 1, "name": ""}, SETTINGS)
    assert storable({"bpaz": 1, "name": ""}, SETTINGS, "Given")["name"] == "Given"
