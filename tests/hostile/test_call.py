"""Nothing that a caller can send breaks the call: whatever the request, an answer of the table.

Generated requests (hypothesis), each against one user: never a 5xx, always the envelope, always a
code with its HTTP status and description, and the stored row unchanged unless the answer is 4309.
"""

import json

import pytest
from django.contrib.auth import get_user_model
from hypothesis import example, given
from hypothesis import strategies as st

from tests.assertions import TABLE
from tests.database import row
from tests.hostile.strategies import PARAMETERS, bodies, generated, texts, values
from users.attributes.values import same

pytestmark = pytest.mark.django_db

User = get_user_model()


ACCEPTABLE = {number for number, code in TABLE.items() if code.http_status < 500}


def assert_holds(response, user, before):
    """Assert what holds for every answer."""
    envelope = json.loads(response.content.decode())
    assert list(envelope) == ["status_code", "description", "response"]
    code = TABLE[envelope["status_code"]]
    assert (response.status_code, envelope["description"]) == (code.http_status, code.description)
    assert response["Content-Type"] == "application/json"
    assert code.number in ACCEPTABLE
    if code.number != 4309:
        assert row(user) == before
        assert list(envelope["response"]) in ([], ["errors"])
    return envelope


@generated
@given(body=bodies, method=st.sampled_from(["PATCH", "PUT"]))
@example(body={"skill_attributes": {"a": [[[[]]]], "": 1}}, method="PUT")
def test_any_json_object(call, user, body, method):
    before = row(user)
    envelope = assert_holds(call(json.dumps(body).encode(), method), user, before)
    if envelope["status_code"] == 4309:
        saved = row(user)
        for name in ("custom_attributes", "skill_attributes"):
            assert same(saved[name], envelope["response"][name])
        # Every door judges by the same code.
        User.objects.get(pk=user.pk).full_clean()
        # The same again changes nothing.
        assert_holds(call(json.dumps(body).encode(), method), user, saved)
        assert row(user) == saved


@generated
@given(body=values)
def test_any_json_value(call, user, body):
    assert_holds(call(json.dumps(body).encode()), user, row(user))


@generated
@given(body=st.binary(max_size=500) | texts.map(lambda t: t.encode("utf-8", "surrogatepass")))
@example(body=b'{"first_name": "\xed\xa0\x80"}')
@example(body=b"\x00")
@example(body=b'{"first_name": 1e999999999}')
@example(body=b'{"first_name": ' + b"9" * 100_000 + b"}")
def test_any_bytes(call, user, body):
    assert_holds(call(body), user, row(user))


literals = st.sampled_from(
    (
        *("NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1e", "1.", ".5", "+1", "-", "01"),
        *("0x10", "1" * 5000, '"\\ud800"', '"\\u0000"', "tru", "'x'", "[1,]", "{,}", "//"),
    )
)


@generated
@given(parameter=st.sampled_from([*PARAMETERS, "x"]), literal=literals)
def test_any_literal(call, user, parameter, literal):
    for body in (f'{{"{parameter}": {literal}}}', f'{{"{parameter}": {{"business": {literal}}}}}'):
        assert_holds(call(body.encode()), user, row(user))


@generated
@given(st.lists(st.tuples(st.sampled_from([*PARAMETERS, "x"]), values), min_size=2, max_size=6))
def test_any_repeated_members(call, user, members):
    text = "{" + ",".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in members) + "}"
    envelope = assert_holds(call(text.encode()), user, row(user))
    if len({name for name, _ in members}) < len(members):
        assert envelope["status_code"] == 3115


@pytest.mark.parametrize("depth", [1, 10, 100, 900, 990, 1000, 5000, 20_000, 100_000, 500_000])
@pytest.mark.parametrize("opening", ["[", '{"a":'])
@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("inside", ["%s", '{"x": %s}', '{"skill_attributes": {"a": %s}}'])
def test_any_depth(call, user, depth, opening, closed, inside):
    nested = opening * depth
    if closed:
        nested += "1" + {"[": "]", "{": "}"}[opening[0]] * depth
    body = (inside % nested).encode()[:1_048_577]
    assert_holds(call(body), user, row(user))


header_values = st.text(
    st.characters(min_codepoint=1, max_codepoint=255, exclude_characters="\r\n"), max_size=300
)


@generated
@given(
    authorization=header_values | st.none(),
    teamid=header_values | st.integers().map(str) | st.none(),
    content_type=header_values,
    encoding=header_values | st.none(),
    accept=header_values,
)
@example("Bearer x", "1", "application/json; charset=\x01", None, "*/*")
def test_any_headers(call, user, authorization, teamid, content_type, encoding, accept):
    valid = call.headers
    for changed in (
        {"Authorization": authorization, "teamid": teamid},
        {"Authorization": valid["Authorization"], "teamid": teamid},
        {"Authorization": authorization, "teamid": valid["teamid"]},
        {"Content-Encoding": encoding, "Accept": accept},
    ):
        response = call({"first_name": "B"}, headers=changed, content_type=content_type)
        before = row(user)
        if response.json()["status_code"] != 4309:
            assert_holds(response, user, before)


@generated
@given(method=st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=1))
def test_any_method(call, user, method):
    response = call({"first_name": "B"}, method)
    if method.upper() not in ("HEAD", "PATCH", "PUT"):
        assert assert_holds(response, user, row(user))["status_code"] == 2099


@generated
@given(identifier=texts.filter(lambda text: "/" not in text and text))
def test_any_id(call, user, identifier):
    path = identifier.encode("utf-8", "surrogatepass")
    quoted = "".join(f"%{byte:02X}" for byte in path)
    response = call({"first_name": "B"}, path=f"/api/users/{quoted}")
    if not (identifier.isascii() and identifier.isdigit()):
        assert assert_holds(response, user, row(user))["status_code"] == 3101
