"""The search for users, `POST /api/users/search`; `tests/test_search.py` has its conditions."""

import sys
from itertools import combinations

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from tests.assertions import assert_listed, assert_refused
from tests.database import data_statements
from tests.factories import (
    AttributeDefinitionFactory,
    MembershipFactory,
    TeamFactory,
    UserFactory,
    issue_token,
)

NOT_A_CURSOR = ["Is not a cursor of this list. Leave it out to start from the beginning."]


@pytest.fixture
def find(call):
    """Search, and return the answer."""

    def ask(body=b"{}", query="", method="POST", path="/api/users/search", **request):
        return call(body, method, path=path + query, **request)

    return ask


@pytest.fixture
def members(team, user):
    users = [
        UserFactory(
            login_id=f"member{number}",
            first_name=f"Bruno {number}",
            status="inactive" if number % 2 else "active",
            custom_attributes={"business": "Banking", "floor": number},
            skill_attributes={"languages": ["en", "hi"][: number % 3]},
        )
        for number in range(10)
    ]
    for member in users:
        MembershipFactory(user=member, team=team)
    MembershipFactory(user=UserFactory(first_name="Bruno the stranger"))
    return users


@pytest.fixture
def floor(db):
    return AttributeDefinitionFactory(name="floor", type="number")


def ids(response):
    return [user["id"] for user in response["users"]]


@pytest.mark.parametrize("body", [b"{}", b" { } ", b"\xef\xbb\xbf{}"])
def test_no_condition_finds_everybody(find, call, members, body):
    listed = call(method="GET", path="/api/users?total=true").json()
    assert find(body, "?total=true").json() == listed


@pytest.mark.parametrize("body", [b"", b" \r\n", b"\xef\xbb\xbf"])
def test_no_body_is_refused(find, body):
    assert_refused(find(body, "?x=1"), 3114)


def test_it_finds_who_meets_all_conditions(find, members, business, floor):
    body = {
        "status": {"eq": "active"},
        "text": {"contains": "BRUNO"},
        "custom_attributes": {"business": {"in": ["Retail", "Banking"]}, "floor": {"gte": 3}},
        "skill_attributes": {"languages": {"contains": "en"}},
        "updated_at": {"gte": "2020-01-01T00:00:00Z"},
        "role": {"eq": "Team Agent"},
    }
    assert ids(assert_listed(find(body, "?total=true"))) == [members[4].pk, members[8].pk]


def test_pages_go_on_as_those_of_the_list(find, members):
    body = {"text": {"contains": "bruno"}, "status": {"eq": "active"}}
    first = assert_listed(find(body, "?sort=-login_id&page_size=2&total=true"))
    assert (len(first["users"]), first["has_more"], first["total"]) == (2, True, 5)
    query = f"?sort=-login_id&page_size=3&after={first['after']}"
    reordered = {"status": {"eq": "active"}, "text": {"contains": "bruno"}}
    second = assert_listed(find(reordered, query))
    assert ids(first) + ids(second) == [m.pk for m in reversed(members[::2])]
    assert ids(assert_listed(find(body, "?sort=-login_id&page_size=2&page=3"))) == [members[0].pk]
    assert (second["has_more"], second["after"]) == (False, None)


def test_a_cursor_is_of_one_search(find, call, members):
    body = {"text": {"contains": "bruno"}}
    cursor = assert_listed(find(body, "?page_size=1"))["after"]
    errors = {"after": NOT_A_CURSOR}
    assert_refused(find({"text": {"contains": "brun"}}, f"?after={cursor}"), 3115, errors)
    assert_refused(find(body, f"?sort=-id&after={cursor}"), 3115, errors)
    assert_refused(call(method="GET", path=f"/api/users?after={cursor}"), 3115, errors)


def test_the_names_of_the_query_are_conditions_too(find, members):
    body = {"status": {"eq": "active"}}
    assert ids(assert_listed(find(body, "?login_id=MEMBER2"))) == [members[2].pk]
    assert ids(assert_listed(find(body, "?login_id=member3"))) == []


@pytest.mark.parametrize("slash", ["", "/"])
def test_it_is_answered_with_and_without_a_slash(find, slash):
    assert_listed(find(path=f"/api/users/search{slash}"))


@pytest.mark.parametrize("method", ["GET", "HEAD", "PATCH", "PUT", "DELETE", "OPTIONS"])
def test_another_method_is_refused(find, method):
    response = find(method=method)
    assert response.status_code == 405
    assert response["Allow"] == "POST"


def test_a_token_that_may_only_read_may_search(find, team):
    secret = issue_token(team, read_only=True)
    assert_listed(find(headers={"Authorization": f"Bearer {secret}"}))


def test_all_errors_in_the_query_and_the_body_are_reported_at_once(find, business):
    response = find(
        b"""{"status": {"eq": "away", "eq": "active"}, "team": 1, "login_id": {"eq": 1},
             "custom_attributes": {"business": {"eq": "Bakery"}, "floor": {"eq": 3}},
             "active_chats": {"gt": 1e999}}""",
        "?page_size=0&login_id=&x=1",
    )
    errors = response.json()["response"]["errors"]
    assert errors.pop("team")[0].startswith("There is no such parameter.")
    assert errors.pop("x")[0].startswith("There is no such parameter.")
    assert response.json()["status_code"] == 3115
    assert errors == {
        "status": {"eq": ["Is repeated: an object may hold a member once."]},
        "login_id": [
            "'eq': Must be a string, not a number.",
            "Must have 1 to 150 characters, and has 0.",
        ],
        "page_size": ["Must be an integer from 1 to 100."],
        "active_chats": ["'gt': Must be an integer, not one with a fraction or an exponent."],
        "custom_attributes": {
            "business": ["'eq': Must be one of: 'Retail', 'Banking'."],
            "floor": ["Nobody has defined this attribute. Defined are: 'business'."],
        },
    }


@pytest.mark.parametrize("name", ["business", "location"])
def test_a_wrong_operand_is_3115_for_every_attribute(find, business, location, name):
    errors = {"custom_attributes": {name: ["'eq': Must be a string, not a number."]}}
    assert_refused(find({"custom_attributes": {name: {"eq": 1}}}), 3115, errors)


@pytest.mark.parametrize(
    ("body", "start"),
    [
        (b"[]", "Must be a JSON object, not a list."),
        (b'"{}"', "Must be a JSON object, not a string."),
        (b"{", "Must be JSON: "),
        (b'{"status": NaN}', "Must be JSON: NaN is no JSON number."),
        (b"\xff", "Must be UTF-8, and is not at byte 0."),
        (b'{"a":' * 100_000, "Is nested too deeply."),
        (b" " * 1_048_577, "Must have at most 1048576 bytes, and arrive whole."),
    ],
)
def test_a_body_that_is_no_json_object_is_refused_with_the_query(find, body, start):
    response = find(body, "?page_size=0").json()
    assert response["status_code"] == 3115
    assert response["response"]["errors"]["body"][0].startswith(start)
    assert "page_size" in response["response"]["errors"]


@pytest.mark.parametrize("media_type", ["text/plain", "application/merge-patch+json", ";"])
def test_another_media_type_is_refused(find, media_type):
    errors = {"body": ["Must be of the media type application/json."]}
    assert_refused(find(content_type=media_type), 3115, errors)


@pytest.mark.parametrize(
    "body",
    [
        {"skill_attributes": {f"skill {n}": {"eq": n} for n in range(30_000)}},
        {"skill_attributes": {"s": {f"operator {n}": n for n in range(30_000)}}},
        {f"parameter {n}": {"eq": n} for n in range(30_000)},
        {"skill_attributes": {"s": {"in": ["x"] * 200_000}}},
        {"login_id": {"in": ["x" * 1_000_000]}},
        {"text": {"contains": "%" * 1_000_000}},
        {"created_at": {"gt": "1" * 1_000_000}},
        {"active_chats": {"gt": 10**300}},
        {"x" * 1_000_000: {}},
        {"custom_attributes": {"'\"%$.{}😀" * 10_000: {"eq": 1}}},
        {"status": {"eq" * 10_000: 1, "'; DROP TABLE users_user; --": 1}},
    ],
)
def test_a_mebibyte_of_conditions_is_refused(find, body):
    response = find(body)
    assert response.json()["status_code"] == 3115
    assert response.json()["response"]["errors"]


@pytest.mark.parametrize("text", [".*", "^Bruno$", "%%%", "___", "\\\\\\", "'''", '"""', "[a-z]"])
def test_regular_expressions_and_wildcards_are_plain_text(find, members, text):
    text = text.ljust(3, "*")
    assert ids(assert_listed(find({"text": {"contains": text}}))) == []
    members[0].first_name = f"a {text} z"
    members[0].save()
    assert ids(assert_listed(find({"text": {"contains": text}}))) == [members[0].pk]


@pytest.mark.parametrize("size", [1, 100])
@pytest.mark.parametrize(
    ("body", "count"),
    [
        # The token; the ids, with the total; the users, with who is logged in.
        ({"status": {"in": ["active", "inactive"]}, "logged_in": {"eq": False}}, 3),
        # Besides, the definitions.
        ({"custom_attributes": {"floor": {"gte": 0}}}, 4),
    ],
)
def test_it_takes_4_queries_at_most_whatever_the_page_size(find, members, floor, body, count, size):
    find()  # the use of the token is noted
    with CaptureQueriesContext(connection) as queries:
        assert ids(assert_listed(find(body, f"?total=true&page_size={size}&sort=-login_id")))
    assert len(data_statements(queries)) == count


@pytest.mark.parametrize("table", ["attributedefinition", "membership", "user"])
def test_a_database_that_fails_is_told_apart(find, user, floor, table):
    def fail(execute, sql, *arguments):
        if f'FROM "users_{table}"' in sql.replace("`", '"'):
            raise OperationalError("disk")
        return execute(sql, *arguments)

    with connection.execute_wrapper(fail):
        assert_refused(find({"custom_attributes": {"floor": {"exists": False}}}), 3105)


FAULTS = {
    2002: lambda: {"headers": {"Authorization": None}},
    2003: lambda: {"headers": {"Authorization": "Bearer unknown"}},
    2010: lambda: {"headers": {"teamid": str(TeamFactory().pk)}},
    2099: lambda: {"method": "PUT"},
    3114: lambda: {"body": b""},
    3115: lambda: {"query": "?page_size=0"},
}


@pytest.mark.parametrize(
    ("earlier", "later"), [pair for pair in combinations(FAULTS, 2) if pair != (2002, 2003)]
)
def test_of_two_faults_the_earlier_stage_answers(find, earlier, later):
    one, other = FAULTS[earlier](), FAULTS[later]()
    headers = {**one.pop("headers", {}), **other.pop("headers", {})}
    assert find(**one, **other, headers=headers).json()["status_code"] == earlier


def test_no_depth_of_nesting_is_too_much(find):
    # Of each depth about as deep as Python recurses: what can just be parsed, and what cannot.
    for depth in range(880, sys.getrecursionlimit()):
        body = b'{"status": ' + b"[" * depth + b"]" * depth + b"}"
        assert find(body).json()["status_code"] == 3115
