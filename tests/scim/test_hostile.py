"""Nothing that an identity provider can send breaks SCIM: whatever the request, it is answered.

An answer is a resource, a list, nothing (204, 304), or SCIM's error with the same status, and never
a 500. A request that is refused changes nothing.
"""

import json
from urllib.parse import quote

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.database import row
from tests.factories import (
    AttributeDefinitionFactory,
    ChoiceFactory,
    MembershipFactory,
    issue_token,
)
from tests.hostile.strategies import generated, numbers, texts, values
from tests.scim.calls import (
    ERROR,
    GROUP,
    MEDIA_TYPE,
    PATCH,
    SEARCH,
    USER,
    Provider,
    assert_refused,
    body_of,
    group_path,
    listed,
    user_path,
)
from users.models import Change, Membership, Team

pytestmark = pytest.mark.django_db

User = get_user_model()

DESK = "urn:ietf:params:scim:schemas:extension:desk:2.0:User"
# A request takes longer here than in the other calls.
generated = settings(generated, max_examples=50)

REFUSALS = {400, 401, 403, 404, 405, 409, 412, 413, 415, 429, 501}


@pytest.fixture(autouse=True)
def definitions(db):
    ChoiceFactory(name="business")
    ChoiceFactory(name="several", type="multiple_choice")
    ChoiceFactory(kind="skill", name="several", type="multiple_choice")
    AttributeDefinitionFactory(kind="skill", name="count", type="number")
    AttributeDefinitionFactory(kind="skill", name="flag", type="boolean")


@pytest.fixture
def user(provisioned, team):
    MembershipFactory(user=provisioned, team=team)
    return provisioned


@pytest.fixture
def provider(scim_team, team):
    return Provider(issue_token(team, scim_team=scim_team))


def state():
    """Return all that a request could change."""
    return (
        list(User.objects.order_by("pk").values()),
        list(Team.objects.order_by("pk").values()),
        sorted(Membership.objects.values_list("user", "team", "role")),
        Change.objects.count(),
    )


def assert_an_answer(response):
    """Assert what holds for every answer, and return the HTTP status."""
    status = response.status_code
    if status in (204, 304):
        assert response.content == b""
        return status
    assert response["Content-Type"].partition(";")[0] == MEDIA_TYPE
    body = json.loads(response.content.decode())
    if status in (200, 201):
        assert body["schemas"]
        return status
    assert status in REFUSALS, (status, body)
    assert body["schemas"] == [ERROR]
    assert body["status"] == str(status)
    if status == 405:
        assert response["Allow"]
    return status


def check(call):
    """Make a request, assert what holds for every answer, and undo what it did."""
    before = state()
    with transaction.atomic():
        response = call()
        if assert_an_answer(response) >= 300:
            assert state() == before
        for stored in (*User.objects.all(), *Team.objects.all()):
            stored.full_clean()  # every door has the same rules
        transaction.set_rollback(True)
    return response


def encoded(value):
    return value.encode("utf-8", "surrogatepass")


NAMES = st.sampled_from(
    [
        *("schemas", "id", "externalId", "userName", "name", "displayName", "emails", "active"),
        *("title", "userType", "groups", "members", "meta", "password", "locale", DESK),
        *("phoneNumbers", "USERNAME", "name.givenName", "emails.value", f"{USER}:userName"),
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
    ]
)
emails = st.lists(
    st.dictionaries(
        st.sampled_from(["value", "type", "primary", "display", "$ref"]),
        st.sampled_from(["a@x.org", "work", True, False, None, "True"]) | values,
    ),
    max_size=4,
)
extension = st.dictionaries(
    st.sampled_from(["customAttributes", "skillAttributes"]),
    st.dictionaries(
        st.sampled_from(["business", "several", "count", "flag", "chess"]) | texts,
        values | st.sampled_from(["Retail", ["Retail"], "NaN", "1e999", "Infinity", "True"]),
        max_size=4,
    )
    | values,
)
names_of_people = st.dictionaries(
    st.sampled_from(["givenName", "familyName", "middleName", "formatted"]), texts | values
)
attributes = st.dictionaries(
    NAMES | texts, texts | values | emails | extension | names_of_people, max_size=8
)


def complete(body):
    return {
        "schemas": [USER],
        "userName": "chloe",
        "name": {"givenName": "Chloe"},
        "emails": [{"value": "chloe@desk.example"}],
        **body,
    }


# Bodies


@generated
@given(body=attributes, required=st.booleans(), method=st.sampled_from(["POST", "PUT"]))
@example(body={"userName": "\0"}, required=True, method="POST")
@example(body={"userName": "\ud800"}, required=True, method="POST")
@example(body={"externalId": "\0"}, required=True, method="PUT")
@example(body={"emails": [{"value": "a\0@x.org"}]}, required=True, method="PUT")
@example(body={"name": {"givenName": "x" * 151}}, required=True, method="POST")
@example(body={"active": "maybe"}, required=True, method="POST")
@example(body={DESK: {"skillAttributes": {"count": 1e400}}}, required=True, method="POST")
def test_any_user(provider, user, body, required, method):
    sent = json.dumps(complete(body) if required else body).encode()
    path = "/Users" if method == "POST" else user_path(user)
    check(lambda: provider(method, path, sent))


members = st.lists(
    st.dictionaries(
        st.sampled_from(["value", "type", "$ref", "display"]),
        st.sampled_from(["1", 1, None, "User", "Group"]) | values,
    ),
    max_size=4,
)


@generated
@given(
    body=st.dictionaries(NAMES | texts, texts | values | members, max_size=6),
    required=st.booleans(),
    method=st.sampled_from(["POST", "PUT"]),
)
@example(body={"displayName": "\0"}, required=False, method="POST")
@example(body={"displayName": "\ud800"}, required=False, method="PUT")
@example(body={"displayName": "\u200b"}, required=False, method="POST")
@example(body={"displayName": "x" * 151}, required=False, method="POST")
@example(body={"displayName": 7}, required=False, method="PUT")
@example(body={"members": [{"value": "9" * 5000}]}, required=True, method="POST")
@example(body={"members": [{"value": "\0"}]}, required=True, method="PUT")
def test_any_group(provider, user, team, body, required, method):
    sent = {"schemas": [GROUP], "displayName": "Sales", **body} if required else body
    path = "/Groups" if method == "POST" else group_path(team)
    check(lambda: provider(method, path, json.dumps(sent).encode()))


PATHS = st.sampled_from(
    [
        *("userName", "name", "name.givenName", "emails", 'emails[type eq "work"].value'),
        *('emails[type eq "home"].value', "emails[primary eq true]", "emails.value", "active"),
        *("members", 'members[value eq "1"]', "members.value", "members[value pr]", "displayName"),
        *("id", "meta", "meta.created", "schemas", "groups", "externalId", "title", DESK),
        *(f"{DESK}:customAttributes", f"{DESK}:customAttributes.business", f"{USER}:userName"),
        *(f"{DESK}:skillAttributes.several", "phoneNumbers[type eq", "[", "emails[", "a.b.c.d"),
        *("emails[not (type eq 1)].value", "members[value eq 1 or value eq 2]", "", " ", "."),
        *('userName[value eq "x"]', 'emails[type eq "work"][value pr]', "name[", "]", "$ref"),
    ]
)
operations = st.dictionaries(
    st.sampled_from(["op", "path", "value", "OP", "Path"]),
    st.sampled_from(["add", "Replace", "remove", "REMOVE", "move", None, 1]) | PATHS | values,
    max_size=4,
) | st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "Add", "replace", "remove"]), "path": PATHS | texts},
    optional={"value": texts | values | emails | members | attributes},
)


@generated
@given(some=st.lists(operations | values, max_size=4), of_users=st.booleans(), named=st.booleans())
@example(some=[{"op": "remove", "path": "userName"}], of_users=True, named=True)
@example(some=[{"op": "remove", "path": "emails"}], of_users=True, named=True)
@example(some=[{"op": "remove", "path": "members"}], of_users=False, named=True)
@example(some=[{"op": "remove"}], of_users=False, named=True)
@example(some=[{"op": "add", "value": {"members": None}}], of_users=False, named=True)
@example(some=[{"op": "remove", "path": "members", "value": "x"}], of_users=False, named=True)
@example(some=[{"op": "replace", "path": "members", "value": {}}], of_users=False, named=True)
@example(some=[{"op": "replace", "path": "active", "value": "\0"}], of_users=True, named=True)
def test_any_operations(provider, user, team, some, of_users, named):
    path = user_path(user) if of_users else group_path(team)
    body = {"schemas": [PATCH], "Operations": some} if named else {"Operations": some}
    check(lambda: provider("PATCH", path, json.dumps(body).encode()))


@generated
@given(body=values)
def test_any_json_value(provider, user, team, body):
    sent = json.dumps(body).encode()
    for method, path in (
        *(("POST", "/Users"), ("POST", "/Groups"), ("POST", "/Users/.search")),
        *(("PATCH", user_path(user)), ("PUT", user_path(user)), ("PATCH", group_path(team))),
    ):
        check(lambda method=method, path=path: provider(method, path, sent))


@generated
@given(body=st.binary(max_size=500) | texts.map(encoded))
@example(body=b"")
@example(body=b" ")
@example(body=b"\x00")
@example(body=b"\xef\xbb\xbf{}")
@example(body=b'{"userName": "\xed\xa0\x80"}')
@example(body=b'{"userName": 1e999999999}')
@example(body=b'{"userName": ' + b"9" * 100_000 + b"}")
def test_any_bytes(provider, user, team, body):
    for method, path in (
        *(("POST", "/Users"), ("POST", "/Groups/.search"), ("PATCH", group_path(team))),
        *(("PATCH", user_path(user)), ("PUT", user_path(user))),
    ):
        check(lambda method=method, path=path: provider(method, path, body))


LITERALS = [
    "NaN",
    "Infinity",
    "-Infinity",
    "1e400",
    "-1e400",
    "1" * 5000,
    "01",
    "+1",
    "tru",
    "[1,]",
]


@pytest.mark.parametrize("literal", LITERALS, ids=lambda literal: literal[:9])
@pytest.mark.parametrize(
    "inside",
    [
        '"active": %s',
        '"title": %s',
        f'"{DESK}": {{"skillAttributes": {{"count": %s}}}}',
    ],
)
def test_what_is_no_json_value_is_refused(provider, user, literal, inside):
    head = f'{{"schemas": ["{USER}"], "userName": "chloe", "name": {{"givenName": "C"}}, '
    for method, path in (("POST", "/Users"), ("PUT", user_path(user))):
        body = (head + inside % literal + "}").encode()
        response = check(lambda method=method, path=path, body=body: provider(method, path, body))
        assert response.status_code == 400


REPEATED = [
    ("POST", "/Users", '{"userName": "chloe", "userName": "zoe", "name": {"givenName": "C"}}'),
    ("PUT", "/Users/{user}", '{"userName": "a", "name": {"givenName": "C", "givenName": "D"}}'),
    ("PATCH", "/Users/{user}", '{"Operations": [], "Operations": [{"op": "remove"}]}'),
    ("POST", "/Groups", '{"displayName": "a", "displayName": "b"}'),
    ("POST", "/Users/.search", '{"filter": "userName pr", "filter": "title pr"}'),
]


@pytest.mark.parametrize(("method", "path", "body"), REPEATED)
def test_a_repeated_member_does_not_break_it(provider, user, method, path, body):
    check(lambda: provider(method, path.format(user=user.pk), body.encode()))


@pytest.mark.parametrize("depth", [10, 100, 990, 5000, 100_000, 500_000])
@pytest.mark.parametrize("opening", ["[", '{"a":'])
@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("inside", ["%s", '{"userName": %s}', '{"Operations": [{"value": %s}]}'])
def test_any_depth(provider, user, depth, opening, closed, inside):
    nested = opening * depth
    if closed:
        nested += "1" + {"[": "]", "{": "}"}[opening[0]] * depth
    body = (inside % nested).encode()[:1_048_577]
    for method, path in (("PATCH", user_path(user)), ("POST", "/Users")):
        assert check(lambda m=method, p=path: provider(m, p, body)).status_code >= 400


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/Users"), ("PUT", "/Users/{}"), ("PATCH", "/Users/{}"), ("POST", "/Users/.search")],
)
def test_a_body_that_is_too_large_is_refused(provider, user, method, path):
    path = path.format(user.pk)
    body = b'{"x": "' + b"x" * 1_048_576 + b'"}'
    assert_refused(check(lambda: provider(method, path, body)), 413)


def test_the_largest_body_is_read(provider, user):
    head = json.dumps(complete({"nickName": ""}))[:-2].encode()
    body = head + b"x" * (1_048_576 - len(head) - 2) + b'"}'
    assert len(body) == 1_048_576
    body_of(check(lambda: provider("POST", "/Users", body)), 201)


@pytest.mark.parametrize("path", ["/Users/{}", "/Groups/{}"])
def test_1001_operations_are_refused_and_1000_done(provider, user, team, path):
    path = path.format(user.pk if path.startswith("/Users") else team.pk)
    name = "title" if path.startswith("/Users") else "externalId"
    some = [{"op": "replace", "path": name, "value": f"t{n}"} for n in range(1001)]
    refused = check(lambda: provider.patch(path, *some))
    assert_refused(refused, 400, "invalidValue")
    assert provider.patch(path, *some[:1000]).status_code in (200, 204)
    assert body_of(provider.get(path))[name] == "t999"


def test_one_of_many_operations_that_is_wrong_refuses_all(provider, user):
    before = row(user)
    some = [{"op": "replace", "path": "title", "value": "Team lead"}] * 50
    response = provider.patch(user_path(user), *some, {"op": "remove", "path": "userName"})
    assert response.status_code == 400
    assert row(user) == before


CONTENT_TYPES = [
    *("text/plain", "application/xml", "application/x-www-form-urlencoded", "x", ";", "/"),
    *("multipart/form-data; boundary=x", "application/json; charset=\x01", "application/scim"),
]


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
@pytest.mark.parametrize("path", ["/Users", "/Groups", "/Users/.search"])
def test_another_content_type_is_refused(provider, content_type, path):
    sent = json.dumps(complete({"displayName": "x"})).encode()
    response = check(lambda: provider("POST", path, sent, content_type=content_type))
    assert response.status_code == 415 or "charset" in content_type


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/scim+json", "APPLICATION/SCIM+JSON; Charset=UTF-8"],
)
def test_json_is_read_by_either_name(provider, content_type):
    sent = json.dumps(complete({})).encode()
    body_of(check(lambda: provider("POST", "/Users", sent, content_type=content_type)), 201)


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity, gzip", "x"])
def test_an_encoded_body_does_not_break_it(provider, encoding):
    sent = json.dumps(complete({})).encode()
    headers = {"Content-Encoding": encoding}
    assert check(lambda: provider("POST", "/Users", sent, headers=headers)).status_code >= 400


# Filters and other queries

FILTERED = ["id", "externalId", "userName", "emails.value", "emails", "name.givenName", "title"]
CHARACTERS = ["\0", "\ud800", "\udfff\ud800", "\u202e", "\U0010ffff", "'", "%", "_", "\\", "\u200b"]


def filtered(provider, condition, path="/Users"):
    """Ask by GET and by POST, and return both answers."""
    query = f"{path}?filter={quote(encoded(condition), safe='')}"
    search = json.dumps({"schemas": [SEARCH], "filter": condition}).encode()
    return [
        check(lambda: provider("GET", query)),
        check(lambda: provider("POST", f"{path}/.search", search)),
    ]


@pytest.mark.parametrize("character", CHARACTERS, ids=ascii)
@pytest.mark.parametrize("name", FILTERED)
def test_any_character_in_a_filter(provider, user, name, character):
    for operator in ("eq", "ne", "co", "sw"):
        value = json.dumps(f"a{character}")
        for literal in (value, f'"a{character}"' if character != "\\" else value):
            for response in filtered(provider, f"{name} {operator} {literal}"):
                if character == "\0":
                    assert_refused(response, 400, "invalidFilter")


def test_u0000_in_a_filter_of_groups_is_refused(provider):
    for name in ("id", "externalId", "displayName", "members", "members.value"):
        for response in filtered(provider, f'{name} eq "a\\u0000"', "/Groups"):
            assert_refused(response, 400, "invalidFilter")


@generated
@given(condition=texts | st.text("()[]\"'\\.:$ eqnotandrspcw<>=019tfulaimd", max_size=60))
def test_any_filter(provider, user, condition):
    for path in ("/Users", "/Groups"):
        filtered(provider, condition, path)


COMPARISONS = st.builds(
    "{} {} {}".format,
    st.sampled_from(
        [*FILTERED, "active", "meta.created", "meta.lastModified", "members", "displayName", "x"]
    ),
    st.sampled_from(["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "pr", "EQ", "in"]),
    (numbers | texts | st.booleans() | st.none()).map(json.dumps)
    | st.sampled_from(['"2026-11-29T00:00:00Z"', '"0001-01-01T00:00:00Z"', "", "True", "x"]),
)


@generated
@given(
    some=st.lists(COMPARISONS, min_size=1, max_size=5),
    joint=st.sampled_from([" and ", " or ", " and not ", ")("]),
)
def test_any_comparisons(provider, user, some, joint):
    condition = joint.join(f"({each})" for each in some)
    for path in ("/Users", "/Groups"):
        filtered(provider, condition, path)


@pytest.mark.parametrize("operator", ["or", "and"])
@pytest.mark.parametrize("number", [100, 101, 1000, 20_000])
def test_a_long_chain_of_comparisons(provider, user, operator, number):
    condition = f" {operator} ".join(f'title eq "{n}"' for n in range(number))
    if number == 100:
        assert len(condition) < 4096
    # By POST alone: a request line of this length reaches no server.
    search = {"schemas": [SEARCH], "filter": condition}
    response = check(lambda: provider.post("/Users/.search", search))
    if number == 100:
        assert listed(response) == []
    else:
        assert_refused(response, 400, "invalidFilter")


@pytest.mark.parametrize(
    "condition",
    [
        "(" * 500 + "title pr" + ")" * 500,
        "(" * 2000 + "title pr" + ")" * 2000,
        "not (" * 400 + "title pr" + ")" * 400,
        "emails[" * 500,
        "title eq " + '"' + "x" * 5000 + '"',
        "title eq " + "9" * 4000,
    ],
    ids=lambda condition: condition[:12],
)
def test_a_deep_or_long_filter(provider, user, condition):
    filtered(provider, condition)


MOMENTS = [
    *("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999Z"),
    *("9999-12-31T23:59:59-14:00", "0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "x", ""),
    *("2026-02-30T00:00:00Z", "2026-11-29", "2026-11-29T00:00:00", "2026-11-29T24:00:00Z"),
    *("2026-11-29T00:00:00.1234567890123Z", "2026-11-29T00:00:60Z", "-2026-11-29T00:00:00Z"),
    "2026-11-29T00:00:00+99:99",
]


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("name", ["meta.created", "meta.lastModified"])
def test_any_moment(provider, user, name, moment):
    for operator in ("eq", "gt", "ge", "lt", "le"):
        filtered(provider, f'{name} {operator} "{moment}"')


ODD_NUMBERS = ["0", "-1", "1.5", "1e3", "x", "", "²", "٣", "+1", " 1", "1_0", "\0", "NaN"]
LARGE_NUMBERS = [str(2**31), str(2**63 - 1), str(2**63), str(2**64), "9" * 40, "9" * 5000]


@pytest.mark.parametrize("name", ["startIndex", "count"])
@pytest.mark.parametrize("number", [*ODD_NUMBERS, *LARGE_NUMBERS], ids=lambda n: ascii(n)[:24])
@pytest.mark.parametrize("path", ["/Users", "/Groups"])
def test_any_number_in_the_query(provider, user, path, name, number):
    response = check(lambda: provider("GET", f"{path}?{name}={quote(number)}"))
    if number in LARGE_NUMBERS and response.status_code == 200:
        page = listed(response)
        assert page == [] or name == "count"
        assert response.json()["totalResults"] == 1


@pytest.mark.parametrize("name", ["startIndex", "count"])
@pytest.mark.parametrize("number", [2**63, 10**400, -(2**63), 0, -1, 1.5, "x", None, True, [1]])
def test_any_number_in_a_search(provider, user, name, number):
    body = {"schemas": [SEARCH], name: number}
    check(lambda: provider.post("/Users/.search", body))


PARAMETERS = [
    "filter",
    "startIndex",
    "count",
    "sortBy",
    "sortOrder",
    "attributes",
    "excludedAttributes",
]


@generated
@given(
    name=st.sampled_from(PARAMETERS),
    value=texts
    | st.sampled_from(["userName", "members", "emails[type eq", "id", ",", "a" * 3000, DESK])
    | numbers.map(str),
)
@example(name="attributes", value="\0")
@example(name="excludedAttributes", value="\ud800")
@example(name="excludedAttributes", value="id")
@example(name="sortBy", value="userName")
def test_any_query(provider, user, team, name, value):
    for path in ("/Users", "/Groups", user_path(user), group_path(team), "/Schemas"):
        query = f"{path}?{name}={quote(encoded(value), safe='')}"
        check(lambda query=query: provider("GET", query))


@generated
@given(query=st.text(st.characters(codec="ascii", exclude_characters="#\r\n"), max_size=60))
def test_any_query_string(provider, user, query):
    check(lambda: provider("GET", f"/Users?{query}"))


@generated
@given(body=st.dictionaries(st.sampled_from([*PARAMETERS, "schemas"]), values | texts, max_size=5))
def test_any_search(provider, user, body):
    for path in ("/Users/.search", "/Groups/.search"):
        check(lambda path=path: provider("POST", path, json.dumps(body).encode()))


# Paths, methods and headers

IDS = ["0", "-1", "+1", "1.0", "٣", "²", "x", "\0", "\ud800", "9" * 19, "9" * 5000, " ", "...", "%"]


@pytest.mark.parametrize("user_id", IDS, ids=lambda text: ascii(text)[:24])
@pytest.mark.parametrize("path", ["/Users", "/Groups", "/Schemas", "/ResourceTypes"])
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_any_id(provider, user, path, user_id, method):
    query = f"{path}/{quote(encoded(user_id), safe='')}"
    change = {"Operations": [{"op": "add", "path": "externalId", "value": "x"}]}
    body = b"" if method in ("GET", "DELETE") else complete({"displayName": "x", **change})
    response = check(lambda: provider(method, query, body))
    assert response.status_code in (404, 405)


@pytest.mark.parametrize("leading", ["0", "00", "+", "%20", "%00"])
def test_an_id_has_one_form(provider, user, leading):
    assert_refused(check(lambda: provider.get(f"/Users/{leading}{user.pk}")), 404)


@pytest.mark.parametrize(
    "path",
    ["/", "/Me", "/Bulk", "/.search", "/Users/1/2", "/users", "/x", "/Users/.search/1", "//"],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_any_other_path(provider, user, path, method):
    body = b"" if method in ("GET", "DELETE") else b"{}"
    response = check(lambda: provider(method, path, body))
    assert response.status_code >= 400


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/Bulk"), ("GET", "/Me"), ("POST", "/.search")]
)
def test_what_is_not_supported_says_so(provider, method, path):
    assert_refused(check(lambda: provider(method, path, b"{}")), 501)


@generated
@given(method=st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=1))
@example(method="OPTIONS")
@example(method="TRACE")
@example(method="HEAD")
def test_any_method(provider, user, method):
    if method.upper() in ("GET", "HEAD", "PUT", "PATCH", "DELETE"):
        return
    response = check(lambda: provider(method, user_path(user)))
    assert_refused(response, 405)


header_values = st.text(
    st.characters(min_codepoint=1, max_codepoint=255, exclude_characters="\r\n"), max_size=300
)


@generated
@given(
    authorization=header_values | st.none(),
    content_type=header_values,
    accept=header_values,
    if_match=header_values,
)
@example(None, "application/json; charset=\x01", "*/*", "*")
@example(None, "application/scim+json", "text/html", 'W/"x", "')
def test_any_headers(provider, user, authorization, content_type, accept, if_match):
    change = {"schemas": [PATCH], "Operations": [{"op": "add", "path": "title", "value": "B"}]}
    for headers in (
        {"Authorization": authorization},
        {"Accept": accept},
        {"If-Match": if_match},
        {"If-None-Match": if_match},
    ):
        for method, body in (("PATCH", change), ("GET", b"")):
            check(
                lambda headers=headers, method=method, body=body: provider(
                    method, user_path(user), body, headers=headers
                )
            )
    check(
        lambda: provider(
            "PATCH", user_path(user), json.dumps(change).encode(), content_type=content_type
        )
    )


@pytest.mark.parametrize("parameter", ["?format=x", "?format=api", "?_method=DELETE"])
def test_a_frameworks_own_parameters_mean_nothing(provider, user, parameter):
    body_of(check(lambda: provider("GET", f"{user_path(user)}{parameter}")))
