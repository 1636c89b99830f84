"""What there is to discover, what is not supported, and the form of requests and answers."""

import pytest

from tests.scim.calls import MEDIA_TYPE, USER, assert_refused, body_of, ids, listed


def test_what_is_supported_is_told_without_a_token(provider):
    response = provider("GET", "/ServiceProviderConfig", headers={"Authorization": None})
    body = body_of(response)
    supported = {name: part["supported"] for name, part in body.items() if "supported" in part}
    assert supported == {
        "patch": True,
        "bulk": False,
        "filter": True,
        "changePassword": False,
        "sort": False,
        "etag": True,
    }
    assert body["filter"]["maxResults"] == 200
    assert [scheme["type"] for scheme in body["authenticationSchemes"]] == ["oauthbearertoken"]


@pytest.mark.parametrize("path", ["/ResourceTypes", "/Schemas", "/Users", "/Me", "/nothing"])
def test_all_else_needs_a_token(provider, path):
    response = provider("GET", path, headers={"Authorization": None})
    assert_refused(response, 401)
    assert response["WWW-Authenticate"] == "Bearer"


def test_the_resource_types_lead_to_their_schemas(provider):
    for resource_type in listed(provider.get("/ResourceTypes")):
        assert body_of(provider.get(f"/ResourceTypes/{resource_type['id']}")) == resource_type
        assert body_of(provider.get(f"/Schemas/{resource_type['schema']}"))["attributes"]
        assert listed(provider.get(resource_type["endpoint"])) == []


def test_the_schema_of_a_user_says_what_is_required_and_read_only(provider):
    schema = body_of(provider.get(f"/Schemas/{USER}"))
    attributes = {each["name"]: each for each in schema["attributes"]}
    required = {name for name, each in attributes.items() if each["required"]}
    assert required >= {"userName", "name", "emails", "active"}
    read_only = {name for name, each in attributes.items() if each["mutability"] == "readOnly"}
    assert read_only >= {"displayName", "userType", "groups"}
    assert "password" not in attributes


@pytest.mark.parametrize(
    "path", ["/Schemas/nothing", "/ResourceTypes/Team", "/nothing", "/Users/1/x"]
)
def test_what_there_is_not_is_not_found(provider, path):
    assert_refused(provider.get(path), 404)


@pytest.mark.parametrize("path", ["/Schemas", "/ResourceTypes"])
def test_descriptions_are_not_filtered(provider, path):
    assert_refused(provider.get(path, filter="id pr"), 403)


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/Bulk"), ("GET", "/Me"), ("PATCH", "/Me"), ("GET", "/"), ("POST", "/.search")],
)
def test_what_is_not_supported_is_said(provider, method, path):
    assert_refused(provider(method, path, b"{}"), 501)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/Users", {"GET", "HEAD", "POST"}),
        ("OPTIONS", "/Users/1", {"GET", "HEAD", "PUT", "PATCH", "DELETE"}),
        ("GET", "/Groups/.search", {"POST"}),
        ("POST", "/Schemas", {"GET", "HEAD"}),
        ("POST", "/ServiceProviderConfig", {"GET", "HEAD"}),
    ],
)
def test_a_method_that_there_is_not_is_named_with_those_that_are(provider, method, path, allowed):
    response = provider(method, path)
    assert_refused(response, 405)
    assert set(response["Allow"].split(", ")) == allowed


@pytest.mark.parametrize("path", ["/Users", "/Groups", "/Schemas", "/ServiceProviderConfig"])
def test_a_slash_at_the_end_makes_no_difference(provider, path):
    assert provider.get(f"{path}/").content == provider.get(path).content


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        (MEDIA_TYPE, 200),
        ("application/json; charset=utf-8", 200),
        ("", 200),
        ("text/plain", 415),
        ("application/xml", 415),
        ("application/x-www-form-urlencoded", 415),
    ],
)
def test_bodies_are_json(provider, content_type, status):
    response = provider("POST", "/Users/.search", b"{}", content_type=content_type)
    assert response.status_code == status


def test_a_body_is_not_encoded(provider):
    headers = {"Content-Encoding": "gzip"}
    assert_refused(provider("POST", "/Users/.search", b"{}", headers=headers), 415)


@pytest.mark.parametrize("body", [b"", b"x", b"[]", b"\xff", b"{" * 100_000, b'{"a": NaN}'])
def test_what_is_no_json_object_is_refused(provider, body):
    assert_refused(provider("POST", "/Users/.search", body), 400, "invalidSyntax")


def test_a_body_of_a_mebibyte_is_the_largest(provider):
    body = b'{"filter": "id pr"}'
    assert ids(provider("POST", "/Users/.search", body.ljust(1_048_576))) == []
    assert_refused(provider("POST", "/Users/.search", body.ljust(1_048_577)), 413)


def test_every_answer_has_a_trxid_and_is_not_stored(provider):
    response = provider.get("/Users")
    assert len(response["trxid"]) == 36
    assert response["Cache-Control"] == "no-store"


def test_what_nobody_foresaw_tells_nothing(provider, monkeypatch, caplog):
    def fail(*args):
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr("users.scim.users.visible", fail)
    response = provider.get("/Users")
    assert_refused(response, 500)
    assert b"secret" not in response.content
    assert "a secret" in caplog.text
