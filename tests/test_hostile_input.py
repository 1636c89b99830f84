"""Nothing that a caller can send breaks the call: whatever the request, an answer of the table.

Generated requests (hypothesis), each against one user: never a 5xx, always the envelope, always a
code with its HTTP status and description, and the stored row unchanged unless the answer is 4309.
"""

import json
from urllib.parse import urlencode

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.test import Client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.admin.conftest import browser_of
from tests.assertions import TABLE
from tests.factories import AdministratorFactory, AttributeDefinitionFactory, ChoiceFactory
from users.admin.attribute_fields import definition_field_name
from users.attributes.values import same
from users.models import AttributeDefinition

pytestmark = pytest.mark.django_db

User = get_user_model()
ACCEPTABLE = {number for number, code in TABLE.items() if code.http_status < 500}

generated = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,  # the same in every run: CI is no lottery
    # The user that the requests are for may stay from one to the next.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

# Text with all that Unicode has, also what no encoding has: lone surrogates.
texts = st.text(st.characters(), max_size=300) | st.sampled_from(
    ["", " ", "\0", "\ud800", "\udfff\ud800", "\u202e", "e\u0301" * 80, "\U0010ffff", "x" * 256]
)
numbers = (
    st.integers()
    | st.integers(-(10**400), 10**400)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([2**53, 2**63, 2**64, -0.0, 5e-324, 1.7976931348623157e308])
)
scalars = st.none() | st.booleans() | numbers | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=60) | st.dictionaries(texts, inner, max_size=8),
    max_leaves=40,
)
PARAMETERS = [
    "first_name",
    "last_name",
    "status",
    "job_description",
    "login_using_email",
    "custom_attributes",
    "skill_attributes",
]
keys = st.sampled_from(["business", "location", "count", "flag", "several", "chess"]) | texts
attribute_objects = st.dictionaries(keys, scalars | st.lists(scalars, max_size=60), max_size=110)
bodies = st.dictionaries(
    st.sampled_from(PARAMETERS) | texts, values | attribute_objects, max_size=8
)


@pytest.fixture(autouse=True)
def definitions(db):
    ChoiceFactory(name="business")
    ChoiceFactory(name="several", type="multiple_choice")
    ChoiceFactory(kind="skill", name="several", type="multiple_choice")
    AttributeDefinitionFactory(kind="skill", name="count", type="number")
    AttributeDefinitionFactory(kind="skill", name="flag", type="boolean")


def row(user):
    return User.objects.filter(pk=user.pk).values().get()


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


# The same values at the other doors.


@generated
@given(custom=attribute_objects, skills=attribute_objects, name=texts)
def test_full_clean_takes_what_can_be_saved(user, custom, skills, name):
    changed = User.objects.get(pk=user.pk)
    changed.custom_attributes, changed.skill_attributes = custom, skills
    changed.first_name = name
    try:
        changed.full_clean()
    except ValidationError:
        return
    changed.save()
    assert same(row(user)["skill_attributes"], skills)


@pytest.fixture
def page(user):
    return browser_of(AdministratorFactory(is_superuser=True)), (
        f"/admin/users/user/{user.pk}/change/"
    )


@settings(generated, max_examples=30)
@given(
    data=st.dictionaries(
        st.sampled_from(
            [
                "first_name",
                "last_name",
                "status",
                "login_id",
                "email_id",
                "job_description",
                "custom_1",
                "skill_1",
                "groups",
                "remove_skill_attributes",
                "initial-first_name",
                "memberships-TOTAL_FORMS",
                "memberships-INITIAL_FORMS",
                "memberships-0-team",
            ]
        )
        | texts,
        texts | st.lists(texts, max_size=3) | numbers.map(str),
        max_size=10,
    )
)
def test_any_form(page, user, data):
    browser, path = page
    for definition in AttributeDefinition.objects.all():
        data[definition_field_name(definition)] = data.get(f"{definition.kind}_1", "")
    content = urlencode({encoded(name): encoded(value) for name, value in data.items()}, doseq=True)
    response = browser.post(path, content, "application/x-www-form-urlencoded")
    assert response.status_code in (200, 302)
    User.objects.get(pk=user.pk).full_clean()


OTHER_FORMS = {
    "/admin/login/": ["username", "password", "next"],
    "/admin/users/user/add/": ["first_name", "login_id", "email_id", "password1", "password2"],
    "/admin/users/team/add/": ["name"],
    "/admin/users/membership/add/": ["user", "team", "role"],
    "/admin/users/accesstoken/add/": ["name", "teams", "days"],
    "/admin/users/attributedefinition/add/": ["kind", "name", "type", "choices", "description"],
}


@pytest.mark.parametrize("path", OTHER_FORMS)
@settings(generated, max_examples=40)
@given(data=st.data())
def test_any_other_form(page, user, path, data):
    browser, _ = page
    if path == "/admin/login/":
        browser = Client()
    value = texts | numbers.map(str) | st.lists(texts | numbers.map(str), max_size=3)
    form = data.draw(st.dictionaries(st.sampled_from(OTHER_FORMS[path]), value))
    content = urlencode({name: encoded(value) for name, value in form.items()}, doseq=True)
    response = browser.post(path, content, "application/x-www-form-urlencoded")
    assert response.status_code in (200, 302, 429)


LISTS = ["user", "team", "membership", "accesstoken", "attributedefinition"]


@pytest.mark.parametrize("name", LISTS)
@settings(generated, max_examples=20)
@given(
    selected=st.lists(texts | numbers.map(str), min_size=1, max_size=3),
    action=st.sampled_from(["delete_selected", "deactivate", "revoke", "rotate"]) | texts,
    query=st.dictionaries(
        st.sampled_from(["q", "o", "p", "status__exact", "teams__id__exact"]), texts
    ),
)
def test_any_action(page, user, name, selected, action, query):
    browser, _ = page
    content = {"_selected_action": encoded(selected), "action": encoded(action)}
    response = browser.post(
        f"/admin/users/{name}/?{urlencode({key: encoded(value) for key, value in query.items()})}",
        urlencode(content, doseq=True),
        "application/x-www-form-urlencoded",
    )
    assert response.status_code in (200, 302)


def encoded(value):
    if isinstance(value, list):
        return [encoded(item) for item in value]
    return value.encode("utf-8", "surrogatepass")
