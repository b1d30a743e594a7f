from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from typing import ClassVar

import pytest

from bpaz_lab.errors import NodeTypeError, UnknownNodeType
from bpaz_lab.nodes.base import Node
from bpaz_lab.nodes.catalogue import GROUP, Catalogue, catalogue
from bpaz_lab.nodes.function import node_class
from bpaz_lab.nodes.types import Text  # noqa: TC001 (hints are read)

pytestmark = pytest.mark.unit

WEATHER = '''
from bpaz_lab.nodes.base import Node
from bpaz_lab.nodes.types import Text


class Weather(Node):
    """Tells the weather of yesterday."""

    category = "weather_tools"

    place: str = "here"

    def run(self) -> Text:
        return f"It rained {self.place}."


class Forecast(Weather):
    """Tells the weather of tomorrow."""
'''


TINY = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "bpaz-tiny"
version = "1.0"

[project.entry-points."bpaz_lab.nodes"]
tiny = "bpaz_tiny"

[tool.hatch.build.targets.wheel]
include = ["bpaz_tiny.py"]
"""


@pytest.fixture
def fresh():
    return Catalogue()


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Lays a package out as pip does: its module, and the metadata that names its entry points."""
    modules = []

    def install(name, source, entry):
        module = name.replace("-", "_")
        modules.append(module)
        (tmp_path / f"{module}.py").write_text(source)
        info = tmp_path / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{GROUP}]\n{entry}\n")

    monkeypatch.syspath_prepend(tmp_path)
    yield install
    for module in modules:
        sys.modules.pop(module, None)


def replacing(**members):
    return type("Answer", (Node,), {"__doc__": "Answers.", "__module__": __name__, "run": run, **members})


def run(self) -> Text:
    return "42"


def test_the_nodes_of_a_package_that_pip_installed_are_found(tmp_path, monkeypatch, fresh):
    source, site = tmp_path / "source", tmp_path / "site"
    source.mkdir()
    (source / "bpaz_tiny.py").write_text(WEATHER)
    (source / "pyproject.toml").write_text(TINY)
    options = ["--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check", "-q"]
    pip = [sys.executable, "-m", "pip", "install", *options, "--target", site, source]
    subprocess.run(pip, check=True, capture_output=True)
    monkeypatch.syspath_prepend(site)
    try:
        assert fresh.spec("Weather").package == "bpaz-tiny"
        made = fresh.find("Weather").of({"place": "there"})
        assert asyncio.run(made.execute({})) == {"text": "It rained there."}
    finally:
        sys.modules.pop("bpaz_tiny", None)


async def test_the_nodes_of_another_package_are_found(install, fresh):
    install("bpaz-weather", WEATHER, "weather = bpaz_weather")
    spec = fresh.spec("Weather")
    assert (spec.package, spec.category, spec.title) == ("bpaz-weather", "weather_tools", "Weather")
    assert fresh.spec("Forecast").package == "bpaz-weather"
    assert await fresh.find("Weather").of({"place": "there"}).execute({}) == {"text": "It rained there."}
    (category,) = [each for each in fresh.categories() if each.name == "weather_tools"]
    assert category.title == "Weather tools"
    assert fresh.faults == {}


def test_an_entry_point_may_name_one_class(install, fresh):
    install("bpaz-weather", WEATHER, "weather = bpaz_weather:Forecast")
    assert fresh.get("Forecast") is not None
    assert fresh.get("Weather") is None


@pytest.mark.parametrize(
    ("source", "entry", "said"),
    [
        ("import no_such_module_at_all", "x = bpaz_broken", "no_such_module_at_all"),
        ("raise SystemError('boom')", "x = bpaz_broken", "boom"),
        ("", "x = bpaz_broken:Missing", "Missing"),
        ("Weather = 3", "x = bpaz_broken:Weather", "is no node class"),
        (
            WEATHER.replace("Weather(", "PromptTemplate(").split("class Forecast")[0],
            "x = bpaz_broken",
            "already",
        ),
        (WEATHER.replace("self)", "self, *a)"), "x = bpaz_broken", r"\*a"),
    ],
)
def test_a_broken_package_takes_nothing_with_it(install, fresh, source, entry, said):
    install("bpaz-broken", source, entry)
    own = {cls.__name__ for cls in catalogue() if cls.package == "bpaz_lab"}
    with pytest.warns(UserWarning, match="the nodes of bpaz-broken cannot be loaded") as caught:
        assert {cls.__name__ for cls in fresh} == own
    assert said.strip("\\") in str(caught[0].message)
    assert list(fresh.faults) == ["x"]
    assert fresh.spec("PromptTemplate").package == "bpaz_lab"


def test_one_broken_package_leaves_the_other_alone(install, fresh):
    install("bpaz-broken", "raise SystemError", "broken = bpaz_broken")
    install("bpaz-weather", WEATHER, "weather = bpaz_weather")
    with pytest.warns(UserWarning, match="bpaz-broken"):
        assert fresh.get("Weather") is not None
    assert list(fresh.faults) == ["broken"]


def test_an_unknown_type_names_the_closest(fresh):
    assert fresh.get("LLMChian") is None
    with pytest.raises(UnknownNodeType) as caught:
        fresh.find("LLMChian")
    assert "LLMChain" in caught.value.hint
    with pytest.raises(UnknownNodeType) as caught:
        fresh.find("zzz")
    assert "bz.node_types()" in caught.value.hint


def test_of_an_unknown_type_nothing_is_known_and_nothing_wrong(fresh):
    assert fresh.spec("Nope") is None
    assert fresh.ports({"type": "Nope", "settings": {}}) is None
    assert fresh.problems("Nope", {"x": 1}) == []


def test_settings_are_judged_and_ports_follow_them(fresh):
    (problem,) = fresh.problems("PromptTemplate", {"template": "{"})
    assert problem.path == "template"
    assert fresh.problems("PromptTemplate", {}) == []
    ports = fresh.ports({"type": "PromptTemplate", "settings": {"template": "{a}"}})
    assert [port.name for port in ports.inputs] == ["a"]
    assert [port.name for port in fresh.ports({"type": "PromptTemplate", "settings": {}}).inputs] == [
        "context",
        "question",
    ]


def test_running_a_cell_again_replaces_its_type_and_tells_who_listens(fresh):
    def words(text: str) -> str:
        return text

    first, second = node_class(words), node_class(words)
    heard = []
    stop = fresh.on_register(heard.append)
    fresh.register(first)
    fresh.register(second)
    assert fresh.get("words") is second
    stop()
    fresh.register(first)
    assert heard == [first, second]
    assert "cell" in [category.name for category in fresh.categories()]


def test_a_class_that_breaks_the_contract_is_not_registered(fresh):
    broken = replacing(requires=())
    broken.run = lambda self, *values: 1
    with pytest.raises(NodeTypeError):
        fresh.register(broken)
    assert fresh.get("Answer") is None


def test_a_type_answers_to_the_names_that_it_replaces(fresh):
    cls = replacing(replaces=("OldAnswer",), __annotations__={"replaces": ClassVar[tuple[str, ...]]})
    fresh.register(cls)
    assert fresh.get("OldAnswer") is fresh.find("Answer") is cls


def test_an_old_entry_comes_in_todays_form(fresh):
    cls = replacing(replaces=("OldAnswer",), version=3)
    cls.upgrade = classmethod(lambda _, settings, version: {**settings, "from": version})
    fresh.register(cls)
    old = {"type": "OldAnswer", "version": 1, "settings": {"a": 1}}
    assert fresh.upgraded(old) == {"type": "Answer", "version": 3, "settings": {"a": 1, "from": 1}}
    for entry in ({"type": "Answer", "version": 4, "settings": {}}, {"type": "Nope", "version": 1}):
        assert fresh.upgraded(entry) is entry


def test_a_category_of_a_name_that_is_a_module_here(fresh):
    fresh.register(replacing(category="base"))
    assert "Base" in [category.title for category in fresh.categories()]


def test_threads_that_ask_at_once_get_the_whole_catalogue(fresh):
    counts = []
    threads = [threading.Thread(target=lambda: counts.append(len(fresh))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [len(fresh)] * 8
