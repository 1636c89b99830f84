"""The OpenAPI document says what the server does."""

import json

import jsonschema
import pytest
import schemathesis
from django.core.management import call_command
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from config.wsgi import application
from tests.factories import AttributeDefinitionFactory
from users import changes, search
from users.api.openapi.attributes import ATTRIBUTES_CODES
from users.api.openapi.bulk_update import BULK_UPDATE_CODES
from users.api.openapi.create import CREATE_CODES, creation_schema
from users.api.openapi.history import CHANGES_CODES, HISTORY_CODES
from users.api.openapi.list_users import LIST_CODES, SEARCH_CODES, SEARCH_EXAMPLE
from users.api.openapi.user import GET_CODES, UPDATE_CODES, parameters_schema, user_schema
from users.api.serializers import UserSerializer
from users.api.status_codes import STATUS_CODES
from users.attributes.rules import KINDS
from users.attributes.types import TrimmedText

openapi = schemathesis.openapi.from_wsgi("/api/schema/?format=json", application)
PATHS = openapi.raw_schema["paths"]
USERS = PATHS["/api/users"]
CALL = PATHS["/api/users/{user_id}"]
HISTORY = PATHS["/api/users/{user_id}/history"]
CHANGES = PATHS["/api/changes"]
ATTRIBUTES = PATHS["/api/attributes"]
LIST = PATHS["/api/users"]
SEARCH = PATHS["/api/users/search"]


def test_the_document_is_valid_and_nothing_in_it_was_guessed(tmp_path):
    call_command("spectacular", "--validate", "--fail-on-warn", file=str(tmp_path / "schema.yml"))


def test_each_call_is_described_once_and_with_its_methods():
    assert {path: set(methods) for path, methods in PATHS.items()} == {
        "/api/users": {"get", "patch", "post"},
        "/api/users/search": {"post"},
        "/api/users/{user_id}": {"get", "patch", "put"},
        "/api/users/{user_id}/history": {"get"},
        "/api/changes": {"get"},
        "/api/attributes": {"get"},
    }


def test_every_code_is_of_a_call():
    described = {
        int(name)
        for methods in PATHS.values()
        for operation in methods.values()
        for response in operation["responses"].values()
        for name in response["content"]["application/json"]["examples"]
    }
    assert {code.number for code in STATUS_CODES} == described


@pytest.mark.parametrize(
    ("operation", "codes"),
    [
        (USERS["post"], CREATE_CODES),
        (USERS["patch"], BULK_UPDATE_CODES),
        (CALL["get"], GET_CODES),
        (CALL["patch"], UPDATE_CODES),
        (CALL["put"], UPDATE_CODES),
        (HISTORY["get"], HISTORY_CODES),
        (CHANGES["get"], CHANGES_CODES),
        (ATTRIBUTES["get"], ATTRIBUTES_CODES),
        (LIST["get"], LIST_CODES),
        (SEARCH["post"], SEARCH_CODES),
    ],
)
def test_every_code_has_an_example_that_its_schema_allows(operation, codes):
    described = []
    for status, response in operation["responses"].items():
        content = response["content"]["application/json"]
        for name, example in content["examples"].items():
            jsonschema.validate(example["value"], content["schema"])
            described.append((int(name), int(status), example["value"]["description"]))
    expected = [(code.number, code.http_status, code.description) for code in codes]
    assert sorted(described) == sorted(expected)


def test_the_user_is_described_member_by_member():
    assert list(user_schema()["properties"]) == list(UserSerializer().fields)


def test_an_answer_is_as_described(call, business):
    schema = CALL["patch"]["responses"]["200"]["content"]["application/json"]["schema"]
    answer = call({"status": "inactive", "custom_attributes": {"business": "Banking"}}).json()
    # Its references to components are resolved from its own root.
    jsonschema.validate(
        answer,
        schema | {"components": openapi.raw_schema["components"]},
        format_checker=jsonschema.FormatChecker(),
    )


def test_the_search_is_described_by_its_table_and_its_example_is_valid(call, business):
    AttributeDefinitionFactory(kind="skill", name="seniority", type="number")
    schema = SEARCH["post"]["requestBody"]["content"]["application/json"]["schema"]
    jsonschema.validate(SEARCH_EXAMPLE, schema)
    assert [*schema["properties"]] == [*search.PARAMETERS, *KINDS]
    for name, parameter in search.PARAMETERS.items():
        assert [*schema["properties"][name]["properties"]] == [*parameter.operators]
    answer = call(SEARCH_EXAMPLE, "POST", path="/api/users/search").json()
    assert answer["status_code"] == 4307


def test_an_answer_to_a_bulk_update_is_as_described(call, user):
    schema = USERS["patch"]["responses"]["207"]["content"]["application/json"]["schema"]
    # Without a null, which OpenAPI's `nullable` allows, and no validator of JSON Schema knows.
    items = [{"id": user.pk, "last_name": "R"}, {"id": user.pk}, {"id": 99_999, "x": 1}]
    answer = call({"users": items}, path="/api/users").json()
    jsonschema.validate(answer, schema | {"components": openapi.raw_schema["components"]})


def test_the_parameters_of_a_creation_are_described_one_by_one():
    parameters = {*changes.FIELDS, *changes.NEW_FIELDS, *KINDS, "privileges", "invite"}
    assert set(creation_schema()["properties"]) == parameters


generated = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def assert_described(case, call):
    """Make the generated call, of a generated and of the real user, as a caller who is let in."""
    case.headers = {**(case.headers or {}), **call.headers}
    real = {"user_id": call.path.rpartition("/")[2]}
    for parameters in (case.path_parameters, real) if case.path_parameters else ({},):
        case.path_parameters = parameters
        response = case.call()
        case.validate_response(
            response,
            checks=[
                status_code_conformance,
                content_type_conformance,
                response_headers_conformance,
                response_schema_conformance,
            ],
        )
        json.loads(response.content)
        assert response.status_code < 500


def test_a_field_that_is_added_is_described_by_its_type_at_once(monkeypatch):
    monkeypatch.setitem(changes.FIELDS, "nickname", TrimmedText(0, 5))
    schema = parameters_schema(merged=True)["properties"]["nickname"]
    assert (schema["type"], schema["maxLength"]) == ("string", 5)


@pytest.mark.django_db(transaction=True)  # each call, through WSGI, closes its connection
@openapi.include(method="PATCH").parametrize()
@generated
def test_what_is_answered_to_any_patch_is_described(case, call, business, location):
    assert_described(case, call)


@pytest.mark.django_db(transaction=True)
@openapi.include(method="PUT").parametrize()
@generated
def test_what_is_answered_to_any_put_is_described(case, call, business, location):
    assert_described(case, call)


@pytest.mark.django_db(transaction=True)
@openapi.include(method="POST").parametrize()
@generated
def test_what_is_answered_to_any_post_is_described(case, call, business, location):
    assert_described(case, call)


@pytest.mark.django_db(transaction=True)
@openapi.include(method="GET").parametrize()
@generated
def test_what_is_answered_to_any_get_is_described(case, call, business):
    assert_described(case, call)


@pytest.mark.django_db(transaction=True)
@openapi.include(path="/api/users/search", method="POST").parametrize()
@generated
def test_what_is_answered_to_any_search_is_described(case, call, business):
    assert_described(case, call)
