from __future__ import annotations

from uuid import UUID

import pytest

from bpaz_lab.errors import MethodNotAllowed, NotFound
from bpaz_lab.services.route import ROUTES, Stream
from bpaz_lab.services.table import _tree, find, methods

pytestmark = pytest.mark.unit

SAMPLES = {UUID: "0b5b2f0e-6a4e-4f0c-9c43-5a3f7f8f2a11", int: "7", str: "a"}


def path_of(route):
    path = route.path
    for name, kind in route.parameters.items():
        path = path.replace(f"{{{name}}}", SAMPLES[kind])
    return path


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_is_found_by_its_own_path(route):
    found, parameters = find(route.method, path_of(route))
    assert found is route
    assert {name: type(value) for name, value in parameters.items()} == dict(route.parameters)
    assert found is find(route.method, "/" + path_of(route).strip("/") + "/")[0]


def test_names_of_operations_are_unique():
    names = [route.name for route in ROUTES]
    assert sorted(names) == sorted(set(names))


def test_every_route_says_what_it_does():
    assert [route.name for route in ROUTES if not (route.call.__doc__ or "").strip()] == []


def test_the_parameters_of_a_path_are_those_of_the_function():
    for route in ROUTES:
        named = [part.strip("{}") for part in route.path.split("/") if part.startswith("{")]
        assert sorted(named) == sorted(route.parameters), route.path


def test_a_literal_goes_before_a_parameter():
    assert find("GET", "nodes/categories")[0].name == "list_node_categories"
    assert find("GET", "nodes/Categories")[1] == {"type": "Categories"}


def test_a_segment_is_decoded_after_it_was_split():
    assert find("GET", "nodes/a%2Fb%20c")[1] == {"type": "a/b c"}


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "nope",
        "nodes//ports",
        "nodes/x/y/z",
        "nodes/%ff",
        "nodes/%00",
        "nodes/" + "a" * 256,
        "..",
        "nodes/a%0ab",
    ],
)
def test_a_path_that_is_none_is_not_found(path):
    with pytest.raises(NotFound, match="there is no route"):
        find("GET", path)
    assert methods(path) == []


@pytest.mark.parametrize(
    "id", ["1", "nope", "{0b5b2f0e-6a4e-4f0c-9c43-5a3f7f8f2a11}", "5ab786c043bc4ec7b45b06298b5168e4", "%27"]
)
def test_an_id_that_is_none_is_not_found(id):
    with pytest.raises(NotFound):
        find("GET", f"executions/{id}")


def test_a_method_that_the_path_lacks_says_which_it_has():
    with pytest.raises(MethodNotAllowed) as caught:
        find("DELETE", "nodes")
    assert caught.value.allowed == ("GET", "HEAD")


def test_a_stream_has_no_head():
    streams = [route for route in ROUTES if Stream in route.kinds]
    assert streams
    assert [route.path for route in streams if "HEAD" in methods(path_of(route))] == []


def test_two_functions_cannot_serve_the_same():
    with pytest.raises(ValueError, match="both serve GET health"):
        _tree([*ROUTES, type(ROUTES[0])(**{**vars(find("GET", "health")[0]), "call": path_of})])
