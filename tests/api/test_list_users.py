"""The list of users, `GET /api/users`."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.assertions import assert_listed, assert_refused
from tests.database import data_statements, store
from tests.factories import MembershipFactory, TeamFactory, UserFactory, issue_token
from users.api.serializers import UserSerializer
from users.db.functions import SHA256
from users.models import Session

User = get_user_model()
NOT_A_CURSOR = ["Is not a cursor of this list. Leave it out to start from the beginning."]


@pytest.fixture
def listing(call):
    """Ask for the list, and return the answer."""

    def ask(query="", method="GET", path="/api/users", **request):
        return call(method=method, path=path + query, **request)

    return ask


@pytest.fixture
def members(team, user):
    """Ten more members, whose names and times are in other orders than their ids."""
    users = []
    for number in range(10):
        jumbled = number * 7 % 10
        letter = "aB"[jumbled % 2]
        added = UserFactory(login_id=f"{jumbled}{letter}", email_id=f"{letter}{jumbled}@x.example")
        # Three times each, so that ids decide.
        store(
            added,
            created_at=datetime(2020, 1, 1 + jumbled // 3, tzinfo=UTC),
            updated_at=datetime(2021, 1, 1 + number // 4, 0, 0, 0, jumbled // 4, tzinfo=UTC),
        )
        MembershipFactory(user=added, team=team)
        users.append(added)
    UserFactory(login_id="stranger")
    return users


def ids(response):
    return [user["id"] for user in response["users"]]


def test_a_user_is_shown_as_by_its_own_call(call, listing, user):
    page = assert_listed(listing())
    assert page == {
        "users": [call(method="GET").json()["response"]],
        "page_size": 10,
        "has_more": False,
        "after": None,
    }
    assert list(page["users"][0]) == list(UserSerializer().fields)


def test_a_page_has_10_users_by_id_unless_asked_otherwise(listing, members, user):
    page = assert_listed(listing())
    assert ids(page) == sorted([user.pk, *(m.pk for m in members)])[:10]
    assert (page["page_size"], page["has_more"]) == (10, True)
    assert isinstance(page["after"], str)


@pytest.mark.parametrize("slash", ["", "/"])
def test_it_is_answered_with_and_without_a_slash_and_to_head_without_a_body(listing, user, slash):
    assert_listed(listing(path=f"/api/users{slash}"))
    response = listing(path=f"/api/users{slash}", method="HEAD")
    assert (response.status_code, response.content) == (200, b"")


ORDERS = {
    "id": lambda user: user.pk,
    "login_id": lambda user: (user.login_key, user.pk),
    "created_at": lambda user: (user.created_at, user.pk),
    "updated_at": lambda user: (user.updated_at, user.pk),
}


@pytest.mark.parametrize("sort", ORDERS)
@pytest.mark.parametrize("descends", [False, True])
@pytest.mark.parametrize("size", [1, 3, 4, 11])
def test_every_sort_goes_on_by_cursor_and_by_page(listing, members, team, sort, descends, size):
    everybody = sorted(User.objects.filter(teams=team), key=ORDERS[sort], reverse=descends)
    query = f"?sort={'-' if descends else ''}{sort}&page_size={size}"
    by_cursor, cursor = [], ""
    for number in range(1, 13):
        page = assert_listed(listing(f"{query}{cursor}"))
        assert ids(assert_listed(listing(f"{query}&page={number}"))) == ids(page)
        by_cursor += ids(page)
        if not page["has_more"]:
            break
        cursor = f"&after={page['after']}"
    assert by_cursor == [user.pk for user in everybody]
    assert page["after"] is None


def test_a_page_beyond_the_last_is_empty(listing, user):
    assert assert_listed(listing("?page=1000")) == {
        "users": [],
        "page_size": 10,
        "has_more": False,
        "after": None,
    }


def test_a_walk_misses_nobody_and_repeats_nobody_whoever_is_made_or_deleted(listing, members, team):
    for sort in ORDERS:
        page, seen = assert_listed(listing(f"?sort={sort}&page_size=3")), []
        while True:
            seen += ids(page)
            if not page["has_more"]:
                break
            MembershipFactory(team=team, user=UserFactory(login_id=f"{len(seen)}-{sort}"))
            User.objects.get(pk=seen[-1]).delete()  # whom the cursor names
            query = f"?sort={sort}&page_size=3&after={page['after']}"
            page = assert_listed(listing(query))
        assert len(set(seen)) == len(seen)
        assert set(User.objects.filter(teams=team, pk__in=[m.pk for m in members])) <= set(
            User.objects.filter(pk__in=seen)
        )


@pytest.mark.parametrize("query", ["?total=true", "?total=true&page_size=2", "?total=true&page=9"])
def test_the_total_is_exact_where_it_is_asked_for(listing, members, query):
    page = assert_listed(listing(query))
    assert list(page) == ["users", "page_size", "has_more", "after", "total"]
    assert page["total"] == 11
    assert "total" not in assert_listed(listing("?total=false"))


def test_the_total_is_of_all_pages(listing, members):
    page = assert_listed(listing("?total=true&page_size=4"))
    assert assert_listed(listing(f"?total=true&page_size=4&after={page['after']}"))["total"] == 11


@pytest.mark.parametrize("name", ["LOGIN_ID", "login_id", "Login_Id"])
def test_a_user_is_found_by_the_login_id_in_any_case(listing, user, name):
    user.login_id = "Login_Id"
    user.save()
    MembershipFactory(team=user.teams.get())
    assert ids(assert_listed(listing(f"?login_id={name}&total=true"))) == [user.pk]


def test_a_user_is_found_by_a_login_id_that_is_longer_once_folded(listing, user):
    user.login_id = "ß" * 150
    user.save()
    assert ids(assert_listed(listing(f"?login_id={'%C3%9F' * 150}"))) == [user.pk]


def test_a_user_is_found_by_the_email_in_any_case_and_encoding(listing, user):
    user.email_id = "Zoë+1@Desk.example"
    user.save()
    MembershipFactory(team=user.teams.get())
    assert ids(assert_listed(listing("?email_id=ZO%C3%8B%2B1@desk.example"))) == [user.pk]
    # As curl sends it, which encodes nothing.
    assert ids(assert_listed(listing("?email_id=zoë%2B1@desk.example"))) == [user.pk]
    assert ids(assert_listed(listing("?email_id=zoe%2B1@desk.example"))) == []
    assert ids(assert_listed(listing("?email_id=%FF%ED%A0%80"))) == []


def test_who_is_not_in_the_team_is_not_listed(listing, user):
    stranger = MembershipFactory().user
    assert ids(assert_listed(listing("?page_size=100"))) == [user.pk]
    assert ids(assert_listed(listing(f"?login_id={stranger.login_id}"))) == []


def test_who_is_logged_in_is_shown(listing, user, members):
    Session.objects.create(
        session_key="k",
        user=user,
        expire_date=timezone.now() + timedelta(days=1),
        password_digest=User.objects.filter(pk=user.pk).values_list(SHA256("password"))[0][0],
    )
    page = assert_listed(listing("?page_size=100"))
    assert [u["id"] for u in page["users"] if u["logged_in"]] == [user.pk]


WRONG_NUMBERS = ("", "0", "-1", "+1", "1.0", "1e1", "x", "%D9%A3", "9" * 5000)
SIZE = "Must be an integer from 1 to 100."
DEEP = "Must be an integer from 1 to {}: pages reach 10,000 users deep. To read more, use 'after'."
SORT = "Must be one of: id, login_id, created_at, updated_at; or one with '-' before it."
KNOWN = "page, page_size, after, sort, total, login_id, email_id"
UNKNOWN = f"There is no such parameter. Known are: {KNOWN}."


@pytest.mark.parametrize(
    ("query", "errors"),
    [
        *((f"?page_size={n}", {"page_size": [SIZE]}) for n in (*WRONG_NUMBERS, "101")),
        *((f"?page={n}", {"page": [DEEP.format(1000)]}) for n in (*WRONG_NUMBERS, "1001")),
        ("?page=101&page_size=100", {"page": [DEEP.format(100)]}),
        *((f"?sort={s}", {"sort": [SORT]}) for s in ("", "-", "--id", "Id", "password", "id,")),
        *((f"?total={t}", {"total": ["Must be true or false."]}) for t in ("", "1", "True")),
        ("?login_id=", {"login_id": ["Must have 1 to 150 characters, and has 0."]}),
        (f"?login_id={'x' * 151}", {"login_id": ["Must have 1 to 150 characters, and has 151."]}),
        (f"?email_id={'x' * 255}", {"email_id": ["Must have 1 to 254 characters, and has 255."]}),
        ("?email_id=%00", {"email_id": ["Must not contain the character U+0000."]}),
        ("?status=active", {"status": [UNKNOWN]}),
        ("?page_size=1&page_size=1", {"page_size": ["Is repeated."]}),
        ("?email_id=a&email_id=a", {"email_id": ["Is repeated."]}),
        ("?=1", {"": [UNKNOWN]}),
        ("?after=", {"after": NOT_A_CURSOR}),
        ("?after=WzFd:x", {"after": NOT_A_CURSOR}),
        ("?after=%00%FF%F0%9F%98%80", {"after": NOT_A_CURSOR}),
        (f"?after={'x' * 5000}", {"after": NOT_A_CURSOR}),
        ("?after=x&page=1", {"after": ["Must not be beside 'page': one of the two."]}),
        (
            "?page=x&page_size=0&sort=x&total=x&login_id=&after=x&x=1",
            {
                "page": [DEEP.format(1000)],
                "page_size": [SIZE],
                "sort": [SORT],
                "total": ["Must be true or false."],
                "login_id": ["Must have 1 to 150 characters, and has 0."],
                "after": ["Must not be beside 'page': one of the two."],
                "x": [UNKNOWN],
            },
        ),
    ],
)
def test_wrong_parameters_are_refused_all_at_once(listing, user, query, errors):
    assert_refused(listing(query), 3115, errors)


def test_pages_reach_10000_users_deep(listing, user):
    assert_listed(listing("?page=100&page_size=100"))
    assert_listed(listing("?page=10000&page_size=1"))
    assert_listed(listing("?page=3333&page_size=3"))


def test_a_cursor_is_of_one_list_in_one_order(listing, call, members, team):
    cursor = assert_listed(listing("?page_size=1&sort=login_id"))["after"]
    other = TeamFactory()
    headers = {"Authorization": f"Bearer {issue_token(team, other)}"}
    assert_listed(listing(f"?sort=login_id&after={cursor}&page_size=2&total=true", headers=headers))
    for query in ("", "&sort=id", "&sort=-login_id", "&sort=login_id&login_id=0a"):
        assert_refused(listing(f"?after={cursor}{query}"), 3115, {"after": NOT_A_CURSOR})
    wrong = listing(f"?sort=login_id&after={cursor}", headers={**headers, "teamid": str(other.pk)})
    assert_refused(wrong, 3115, {"after": NOT_A_CURSOR})
    of_history = call(method="GET", path=f"{call.path}/history?page_size=1").json()["response"]
    assert_refused(listing(f"?after={of_history['after']}"), 3115, {"after": NOT_A_CURSOR})
    tampered = cursor[:-1] + ("A" if cursor[-1] != "A" else "B")
    assert_refused(listing(f"?sort=login_id&after={tampered}"), 3115, {"after": NOT_A_CURSOR})


@pytest.mark.parametrize("query", ["", "&total=true", "&sort=-login_id", "&login_id=0a"])
@pytest.mark.parametrize("size", [1, 11, 100])
def test_it_takes_3_queries_whatever_the_page_size(listing, members, query, size):
    listing()  # the use of the token is noted
    with CaptureQueriesContext(connection) as queries:
        assert_listed(listing(f"?page_size={size}{query}"))
    # The token; the ids, with the total; the users, with who is logged in.
    assert len(data_statements(queries)) == 3


def test_who_is_deleted_between_the_two_queries_is_left_out(listing, members):
    def delete(execute, sql, *arguments):
        if "users_session" in sql and "SELECT" in sql:
            members.pop().delete() if len(members) == 10 else None
        return execute(sql, *arguments)

    gone = members[-1].pk
    with connection.execute_wrapper(delete):
        page = assert_listed(listing("?page_size=100"))
    assert len(page["users"]) == 10
    assert gone not in ids(page)


@pytest.mark.parametrize("table", ["users_membership", "users_user"])
def test_a_database_that_fails_is_told_apart(listing, user, table):
    def fail(execute, sql, *arguments):
        if f'FROM "{table}"' in sql.replace("`", '"'):
            raise OperationalError("disk")
        return execute(sql, *arguments)

    with connection.execute_wrapper(fail):
        assert_refused(listing(), 3105)
