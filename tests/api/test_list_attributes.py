"""Listing the attribute definitions, `GET /api/attributes`."""

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from tests.assertions import assert_refused, assert_retrieved, assert_updated
from tests.database import data_statements
from tests.factories import AttributeDefinitionFactory, ChoiceFactory


@pytest.fixture
def get(call):
    def ask(query="", method="GET", **request):
        return call(method=method, path=f"/api/attributes{query}", **request)

    return ask


def test_the_definitions_are_listed_by_kind_and_name(get):
    AttributeDefinitionFactory(kind="skill", name="Chess", type="number")
    for name in ("b", "_a", "Z", "é", "a b", "ab"):
        AttributeDefinitionFactory(kind="skill", name=name)
    AttributeDefinitionFactory(kind="custom", name="vip", type="boolean", description="<b>VIP</b>")
    ChoiceFactory(name="business", choices=["Retail", "Banking"])
    response = assert_retrieved(get())
    assert list(response) == ["attributes"]
    assert response["attributes"][:3] == [
        {
            "kind": "custom",
            "name": "business",
            "type": "choice",
            "choices": ["Retail", "Banking"],
            "description": "",
        },
        {
            "kind": "custom",
            "name": "vip",
            "type": "boolean",
            "choices": [],
            "description": "<b>VIP</b>",
        },
        {"kind": "skill", "name": "Chess", "type": "number", "choices": [], "description": ""},
    ]
    names = [each["name"] for each in response["attributes"][2:]]
    assert names == ["Chess", "Z", "_a", "a b", "ab", "b", "é"]


def test_without_definitions_the_list_is_empty(get):
    assert assert_retrieved(get()) == {"attributes": []}


def test_what_is_listed_can_be_sent(call, get, business):
    [definition] = assert_retrieved(get())["attributes"]
    for choice in definition["choices"]:
        assert_updated(call({"custom_attributes": {definition["name"]: choice}}))


def test_a_trailing_slash_is_the_same_call(get):
    assert get("/").json() == get().json()


def test_head_answers_without_the_body(get):
    response = get(method="HEAD")
    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE", "OPTIONS"])
def test_another_method_is_refused(get, method):
    response = get(method=method)
    assert_refused(response, 2099)
    assert response["Allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("?page=1", ["page"]),
        ("?kind=custom&x=", ["kind", "x"]),
        ("?a=1&a=2", ["a"]),
        ("?%00", ["\0"]),
    ],
)
def test_a_query_parameter_is_refused(get, query, names):
    error = ["There is no such parameter. This call takes none."]
    assert_refused(get(query), 3115, dict.fromkeys(names, error))


def test_it_costs_two_statements_however_many_there_are(get):
    AttributeDefinitionFactory.create_batch(5)
    get()  # the note of the token's use is taken
    with CaptureQueriesContext(connection) as queries:
        assert_retrieved(get())
    # 1. the token, with the team that it is granted
    # 2. the definitions
    assert len(data_statements(queries)) == 2, data_statements(queries)


def test_a_failing_database_is_said(get):
    def fail(execute, sql, params, many, context):
        if "users_attributedefinition" in sql:
            raise OperationalError("the disk is gone")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(fail):
        assert_refused(get(), 3105)
