"""The request's body: what is read, and what is JSON enough."""

import json

import pytest

from tests.assertions import assert_refused, assert_updated
from users.api.body import MAX_BYTES

CHANGE = b'{"first_name": "Bruno"}'
JSON_TYPES = "application/json or application/merge-patch+json"


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", ""])
@pytest.mark.parametrize("body", [b"", b" \t\r\n", b"{}", b" { \n } ", b"\xef\xbb\xbf{}"])
def test_nothing_is_no_body(call, body, content_type):
    assert_refused(call(body, content_type=content_type), 3114)


def test_unicodes_white_space_is_blank_too(call):
    assert_refused(call("\u3000\u00a0".encode()), 3114)


def test_a_chunked_body_is_said_to_be_unread(call):
    response = call(b"", headers={"Transfer-Encoding": "chunked"})
    sentence = "A body without Content-Length (chunked) is not read."
    assert_refused(response, 3114, {"body": [sentence]})


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"first_name=Bruno", "Must be JSON: Expecting value: line 1 column 1 (char 0)."),
        (
            b'{"first_name": "Bruno"',
            "Must be JSON: Expecting ',' delimiter: line 1 column 23 (char 22).",
        ),
        (b'{"first_name": "Bruno"} x', "Must be JSON: Extra data: line 1 column 25 (char 24)."),
        (b'{"active_chats": NaN}', "Must be JSON: NaN is no JSON number."),
        (b'{"active_chats": -Infinity}', "Must be JSON: -Infinity is no JSON number."),
        (b"\xff\xfe{", "Must be UTF-8, and is not at byte 0."),
        ('{"first_name": "é"}'.encode("latin-1"), "Must be UTF-8, and is not at byte 16."),
        (b"[]", "Must be a JSON object, not a list."),
        (b'"first_name"', "Must be a JSON object, not a string."),
        (b"12", "Must be a JSON object, not a number."),
        (b"null", "Must be a JSON object, not null."),
        (b"[" * 100_000, "Is nested too deeply."),
        (b'{"a":' * 100_000, "Is nested too deeply."),
    ],
)
def test_a_body_that_is_no_json_object_is_named(call, body, sentence):
    assert_refused(call(body), 3115, {"body": [sentence]})


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_other_encodings_of_unicode_are_refused(call, encoding):
    response = call('{"first_name": "Bruno"}'.encode(encoding))
    assert response.json()["status_code"] == 3115


def test_a_byte_order_mark_is_ignored(call):
    assert_updated(call(b"\xef\xbb\xbf" + CHANGE), first_name="Bruno")


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON", "application/json; charset=latin-1", ""],
)
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_json_is_taken(call, method, content_type):
    body = '{"first_name": "Bruño"}'.encode()
    assert_updated(call(body, method, content_type=content_type), first_name="Bruño")


def test_a_merge_patch_is_taken_by_patch(call):
    assert_updated(call(CHANGE, content_type="application/merge-patch+json"))


def test_a_merge_patch_is_refused_by_put(call):
    response = call(CHANGE, "PUT", content_type="application/merge-patch+json")
    assert_refused(response, 3115, {"body": ["Must be of the media type application/json."]})


@pytest.mark.parametrize(
    "content_type",
    [
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "json",
        "/",
        ";",
        " ; charset=utf-8",
    ],
)
def test_another_media_type_is_refused(call, content_type):
    response = call(CHANGE, content_type=content_type)
    assert_refused(response, 3115, {"body": [f"Must be of the media type {JSON_TYPES}."]})


@pytest.mark.parametrize("encoding", ["gzip", "br", "gzip, identity"])
def test_an_encoded_body_is_refused(call, encoding):
    response = call(CHANGE, headers={"Content-Encoding": encoding})
    assert_refused(response, 3115, {"body": ["Must not be content-encoded."]})


def test_an_identity_encoding_is_none(call):
    assert_updated(call(CHANGE, headers={"Content-Encoding": "identity"}))


def test_the_largest_body_is_taken(call):
    assert_updated(call(CHANGE + b" " * (MAX_BYTES - len(CHANGE))))


@pytest.mark.parametrize("body", [CHANGE, b""], ids=["change", "blank"])
def test_a_larger_body_is_refused(call, body):
    response = call(body + b" " * (MAX_BYTES - len(body) + 1))
    sentence = "Must have at most 1048576 bytes, and arrive whole."
    assert_refused(response, 3115, {"body": [sentence]})


@pytest.mark.parametrize("length", ["x", "+5", "1.0", "٣", "-5", "9" * 5000])
def test_a_length_that_is_no_number_is_no_server_error(call, length):
    # A lax server passes it on (wsgiref does).
    response = call.client.generic(
        "PATCH", call.path, CHANGE, "application/json", headers=call.headers, CONTENT_LENGTH=length
    )
    sentence = "Must have at most 1048576 bytes, and arrive whole."
    assert_refused(response, 3115, {"body": [sentence]})


REPEATED = "Is repeated: an object may hold a member once."
REPEATED_INSIDE = "Holds an object in which a member is repeated."


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ('{"first_name": "A", "first_name": "B"}', {"first_name": [REPEATED]}),
        ('{"first_name": "A", "first\\u005fname": "A"}', {"first_name": [REPEATED]}),
        (
            '{"custom_attributes": {"business": "Retail", "business": "Retail"}}',
            {"custom_attributes": {"business": [REPEATED]}},
        ),
        (
            '{"custom_attributes": {"business": [{"a": 1, "a": 1}]}}',
            {"custom_attributes": {"business": [REPEATED_INSIDE, "Must be a string, not a list."]}},
        ),
        (
            '{"first_name": [{"a": 1, "a": 1}]}',
            {"first_name": [REPEATED_INSIDE, "Must be a string, not a list."]},
        ),
        (
            '{"skill_attributes": {"a": null, "a": null}}',
            {"skill_attributes": {"a": [REPEATED]}},
        ),
        (
            '{"status": "away", "skill_attributes": {"a": 1, "a": 2, "b": null, "c": []}}',
            {
                "status": ["Must be one of: 'active', 'inactive'."],
                "skill_attributes": {"a": [REPEATED]},
            },
        ),
        (
            '{"custom_attributes": {"business": 1, "a": 1, "a": 2}}',
            {
                "custom_attributes": {
                    "business": ["Must be a string, not a number."],
                    "a": [
                        REPEATED,
                        "Nobody has defined this attribute. Defined are: 'business'.",
                    ],
                }
            },
        ),
    ],
)
def test_a_repeated_member_is_named(call, business, body, errors):
    assert_refused(call(body.encode()), 3115, errors)


def test_an_unknown_parameter_is_named(call):
    response = call({"first_name": "Bruno", "email_id": "b@desk.example", "frist_name": "B"})
    unknown = ["There is no such parameter."]
    assert_refused(response, 3115, {"email_id": unknown, "frist_name": unknown})


@pytest.mark.parametrize("name", ["", "\0", "\ud800", "é" * 1000, "\u202e"])
def test_an_odd_unknown_parameter_is_named_too(call, name):
    response = call(json.dumps({name: 1}).encode())
    assert_refused(response, 3115, {name: ["There is no such parameter."]})


@pytest.mark.parametrize("object_name", [None, "custom_attributes", "skill_attributes"])
def test_of_thousands_of_errors_the_first_are_named_and_the_others_counted(call, object_name):
    members = {f"p{n}": None if object_name is None else {} for n in range(2000)}
    body = members if object_name is None else {object_name: members}
    errors = call(body, "PUT").json()["response"]["errors"]
    found = errors if object_name is None else {"all": errors[object_name]}
    assert len(json.dumps(errors)) < 50_000
    assert list(found.values())[-1][-1].endswith("more errors are not listed.")
    assert sum(map(len, found.values())) == 251
