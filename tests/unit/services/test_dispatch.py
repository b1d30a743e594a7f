from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from pydantic import Field

from bpaz_lab.errors import Forbidden, Invalid, JsonError, NotFound, TooLarge, Unauthenticated
from bpaz_lab.services.call import Call
from bpaz_lab.services.dispatch import _LARGE, dispatch, read_body, read_query, serve
from bpaz_lab.services.lab import Lab
from bpaz_lab.services.route import LARGEST, ROUTES, Answer, Model, Raw, route
from bpaz_lab.settings import Settings
from bpaz_lab.store.caller import Caller

pytestmark = pytest.mark.unit


class Query(Model):
    limit: int = Field(50, ge=1, le=200)
    tag: list[str] = Field(default_factory=list)
    since: str = Field("", alias="from")


class Body(Model):
    name: str = Field(max_length=10)
    count: int = 0
    id: UUID | None = None


def made(function, *, access="user", status=200, method="POST"):
    """A route that is not in the table."""
    route(method, "tests", access=access, status=status)(function)
    return ROUTES.pop()


@pytest.fixture
def call(tmp_path):
    return Call(Lab.of(Settings(data_folder=str(tmp_path), body_limit=2048)), Caller(uuid4(), "ada"))


async def echo(call: Call, query: Query, body: Body) -> Body:
    """Answers what came."""
    return Body(name=body.name, count=query.limit)


async def optional(call: Call, body: Body | None) -> Body:
    """Takes a body or none."""
    return body or Body(name="none")


async def raw(call: Call, body: bytes) -> Raw:
    """Takes bytes and gives them back."""
    return Raw(body, "application/octet-stream")


async def nothing(call: Call) -> None:
    """Takes and answers nothing."""


# ---- what comes in -----------------------------------------------------------------------------------


async def test_query_and_body_arrive_as_models(call):
    answer = await serve(call, made(echo), {}, {"limit": ["7"]}, b'{"name": "x"}')
    assert answer == Answer(Body(name="x", count=7), status=200)


async def test_a_body_of_bytes_stays_as_it_came(call):
    assert (await serve(call, made(raw), {}, {}, b"{not json\xff")).content == b"{not json\xff"
    assert (await serve(call, made(raw), {}, {}, b"x" * LARGEST)).content == b"x" * LARGEST
    with pytest.raises(TooLarge):
        await serve(call, made(raw), {}, {}, b"x" * (LARGEST + 1))
    assert (await serve(call, made(raw), {}, {}, None)).content == b""
    with pytest.raises(Invalid, match="takes bytes"):
        await serve(call, made(raw), {}, {}, {"name": "x"})


async def test_values_of_python_arrive_as_well(call):
    id = uuid4()
    answer = await serve(call, made(optional), {}, None, {"name": "x", "id": id})
    assert answer.value.id == id


def test_a_parameter_may_come_again_where_it_is_a_list():
    assert read_query(made(echo), {"tag": ["a", "b"]}).tag == ["a", "b"]
    assert read_query(made(echo), {"from": ["x"]}).since == "x"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"nope": ["1"]}, "extra_forbidden"),
        ({"limit": ["1", "2"]}, "twice"),
        ({"limit": ["x"]}, "int_parsing"),
        ({"limit": ["201"]}, "less_than_equal"),
        ({"tag": ["a\0"]}, "nul"),
    ],
)
def test_a_wrong_query_says_where_and_why(query, code):
    with pytest.raises(Invalid) as caught:
        read_query(made(echo), query)
    (problem,) = caught.value.problems
    assert problem["code"] == code
    assert problem["path"].split(".")[:2] == ["query", next(iter(query))]


def test_a_route_without_parameters_takes_none():
    with pytest.raises(Invalid, match="takes no parameters"):
        read_query(made(nothing), {"x": ["1"]})


async def test_all_problems_of_a_body_are_told_and_no_value():
    with pytest.raises(Invalid) as caught:
        await read_body(
            made(echo), {"name": "a secret that is too long", "nope": "hidden", "count": "many"}, 2048
        )
    error = caught.value
    assert {each["path"] for each in error.problems} == {"body.name", "body.count", "body.nope"}
    assert error.message == "the body has 3 problems"
    assert "secret" not in str(error.problems)
    assert "hidden" not in str(error.problems)


async def test_a_body_that_lacks_is_as_an_empty_one():
    with pytest.raises(Invalid, match="Field required"):
        await read_body(made(echo), None, 2048)
    assert await read_body(made(optional), b"", 2048) is None


async def test_a_route_without_a_body_takes_none():
    assert await read_body(made(nothing), b"{}", 2048) is None
    with pytest.raises(Invalid, match="takes no body"):
        await read_body(made(nothing), b'{"a": 1}', 2048)


async def test_a_body_has_an_end(call):
    with pytest.raises(TooLarge, match="2,049 bytes"):
        await serve(call, made(optional), {}, None, b" " * 2049)


@pytest.mark.parametrize("pad", [0, _LARGE])
async def test_json_is_strict_whether_small_or_large(pad):
    with pytest.raises(JsonError, match="stands twice"):
        await read_body(made(optional), b'{"name": "a", "name": "b"}' + b" " * pad, 10 * _LARGE)


# ---- who -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("access", "caller", "error"),
    [
        ("public", Caller(), None),
        ("anonymous", Caller(), None),
        ("user", Caller(), Unauthenticated),
        ("user", Caller(uuid4()), None),
        ("user", Caller(uuid4(), kernel_id="k"), None),
        ("kernel", Caller(), Unauthenticated),
        ("kernel", Caller(uuid4()), Forbidden),
        ("kernel", Caller(uuid4(), kernel_id="k"), None),
    ],
)
async def test_who_may_call(call, access, caller, error):
    asked = Call(call.lab, caller)
    if error is None:
        assert (await serve(asked, made(nothing, access=access), {})).status == 204
    else:
        with pytest.raises(error):
            await serve(asked, made(nothing, access=access), {})


async def test_who_may_not_learns_nothing_of_the_body(call):
    with pytest.raises(Unauthenticated):
        await serve(Call(call.lab), made(echo), {}, {"nope": [""]}, b"{")


async def test_only_a_get_may_not_write(call):
    told = []

    async def tell(call: Call) -> None:
        """Tells what it was given."""
        told.append(call.read_only)

    await serve(call, made(tell, method="GET"), {})
    await serve(call, made(tell, method="PUT"), {})
    assert told == [True, False]


# ---- what goes out ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "status", "expected"),
    [
        (None, 200, 204),
        (None, 202, 202),
        ({"a": 1}, 201, 201),
        (Answer({"a": 1}), 201, 201),
        (Answer({"a": 1}, status=202), 200, 202),
        (Answer(None, headers={"X": "y"}), 200, 204),
    ],
)
async def test_the_status_of_an_answer(call, value, status, expected):
    async def give(call: Call) -> object:
        """Gives it."""
        return value

    assert (await serve(call, made(give, status=status), {})).status == expected


async def test_what_is_no_json_stays_as_it_is(call):
    raw = Raw("a,b", "text/csv")

    async def table(call: Call) -> Raw:
        """A table."""
        return raw

    assert await serve(call, made(table), {}) is raw


async def test_a_request_is_dispatched_by_its_path(call):
    answer = await dispatch(call, "GET", "nodes/PromptTemplate")
    assert answer.value.type == "PromptTemplate"
    with pytest.raises(NotFound):
        await dispatch(call, "GET", "nope")
