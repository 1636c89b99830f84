"""The history of a user, `GET /api/users/{id}/history`."""

import pytest
from django.contrib.auth import get_user_model
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from tests.assertions import assert_refused, assert_retrieved
from tests.database import data_statements
from tests.factories import AdministratorFactory, MembershipFactory, TeamFactory, issue_token
from tests.requirements import on_postgresql
from users import feed
from users.acting import acting
from users.models import AccessToken, Change, Membership

User = get_user_model()


@pytest.fixture
def history(call):
    """Ask for the user's history, and return the answer."""

    def ask(query="", method="GET", path=f"{call.path}/history", **request):
        return call(method=method, path=path + query, **request)

    return ask


@pytest.fixture
def member(user):
    return User.objects.get(pk=user.pk)


def rename(user, *names):
    for name in names:
        user.first_name = name
        user.save()


def test_a_change_by_the_call_is_shown_with_all_that_is_known_of_it(call, history, user):
    answer = call({"first_name": "Bruno", "skill_attributes": {"chess": 4}})
    response = assert_retrieved(history("?page_size=1"))
    change, token = Change.objects.latest("id"), AccessToken.objects.get()
    assert response == {
        "changes": [
            {
                "id": change.pk,
                "at": change.at.isoformat().replace("+00:00", "Z"),
                "user": user.pk,
                "login_id": user.login_id,
                "action": "updated",
                "door": "api",
                "by": {"type": "access_token", "id": token.pk, "name": "HR system"},
                "trxid": answer["trxid"],
                "before": {"first_name": "Asha", "skill_attributes": {"chess": 3}},
                "after": {"first_name": "Bruno", "skill_attributes": {"chess": 4}},
            }
        ],
        "page_size": 1,
        "has_more": True,
        "after": response["after"],
    }


def test_the_newest_come_first_and_every_page_goes_on_where_the_last_one_ended(history, member):
    rename(member, *(f"Asha {n}" for n in range(25)))
    names, query = [], "?page_size=10"
    while query:
        response = assert_retrieved(history(query))
        names += [change["after"].get("first_name") for change in response["changes"]]
        rename(member, f"{query} later")  # which moves nothing
        query = response["has_more"] and f"?page_size=10&after={response['after']}"
    assert names[:25] == [f"Asha {n}" for n in reversed(range(25))]
    assert len(names) == Change.objects.filter(user_id=member.pk).count() - 3
    assert response["after"] is None


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_it_is_answered_with_and_without_a_slash_and_to_head_without_a_body(
    history, call, method, slash
):
    response = history(method=method, path=f"{call.path}/history{slash}")
    assert response.status_code == 200
    assert bool(response.content) == (method == "GET")


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE", "OPTIONS", "BREW"])
def test_another_method_is_refused(history, method):
    response = history(method=method)
    assert_refused(response, 2099)
    assert response["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("identifier", ["0", "-1", "x", "٣", "%00", "9" * 19, "9" * 5000, "%FF"])
def test_an_id_that_no_user_has_is_not_found(history, identifier):
    assert_refused(history(path=f"/api/users/{identifier}/history"), 3101)


def test_who_is_not_in_the_team_is_not_found_whoever_that_is(history, team, user):
    left = MembershipFactory(team=team).user
    Membership.objects.filter(user=left).delete()
    deleted = MembershipFactory(team=team).user
    deleted_id = deleted.pk
    deleted.delete()
    stranger = MembershipFactory().user
    history()  # the use of the token is noted
    costs = set()
    for identifier in (left.pk, deleted_id, stranger.pk, 10**9, "x"):
        with CaptureQueriesContext(connection) as queries:
            assert_refused(history("?x=1", path=f"/api/users/{identifier}/history"), 3101)
        costs.add(len(queries))
    assert len(costs) == 1


def test_what_was_before_the_user_came_into_the_team_is_not_shown(history, member, team):
    rename(member, "Bruno")
    Membership.objects.filter(user=member).delete()
    rename(member, "Chandra")
    Membership.objects.create(user=member, team=team)
    rename(member, "Divya")
    shown = assert_retrieved(history())["changes"]
    assert [change["after"].get("first_name", "-") for change in shown[:4]] == [
        "Divya",
        "-",  # came
        "-",  # left
        "Bruno",
    ]


def test_of_memberships_only_those_in_granted_teams_are_shown(history, call, member, team):
    granted, elsewhere = TeamFactory(), TeamFactory()
    secret = issue_token(team, granted)
    for other in (granted, elsewhere):
        Membership.objects.create(user=member, team=other)
    both = {"memberships": {str(granted.pk): "Team Agent", str(elsewhere.pk): "Team Agent"}}
    Change.objects.create(
        user_id=member.pk, action="updated", door="code", before={}, after=both, teams=[team.pk]
    )
    headers = {"Authorization": f"Bearer {secret}"}
    changes = assert_retrieved(history("?page_size=3", headers=headers))["changes"]
    assert [change["after"]["memberships"] for change in changes] == [
        {str(granted.pk): "Team Agent"},
        {str(granted.pk): "Team Agent"},
        {str(team.pk): "Team Agent"},
    ]


def test_pages_are_full_whatever_else_happened_to_memberships(history, member, team):
    rename(member, "A")
    for _ in range(12):
        Membership.objects.create(user=member, team=TeamFactory())
    rename(member, "B", "C")
    response = assert_retrieved(history("?page_size=3"))
    assert [c["after"]["first_name"] for c in response["changes"]] == ["C", "B", "A"]
    assert response["has_more"]


def test_who_made_a_change_is_named_unless_it_is_a_token_of_other_teams(history, member, team):
    operator = AdministratorFactory()
    own, _ = AccessToken.objects.issue("Own", [team])
    other, _ = AccessToken.objects.issue("Other", [TeamFactory()])
    gone, _ = AccessToken.objects.issue("Gone", [team])
    gone_id = gone.pk
    for by in (operator, own, other, gone):
        with acting("admin", by=by, trxid="7"):
            rename(member, f"by {by}")
    gone.delete()
    rename(member, "by nobody")
    changes = assert_retrieved(history("?page_size=5"))["changes"]
    assert [(change["by"], change["trxid"]) for change in changes] == [
        (None, None),
        ({"type": "access_token", "id": gone_id, "name": None}, "7"),
        ({"type": "access_token", "id": other.pk, "name": None}, "7"),
        ({"type": "access_token", "id": own.pk, "name": "Own"}, "7"),
        ({"type": "user", "id": operator.pk, "name": operator.login_id}, "7"),
    ]


@pytest.mark.parametrize("page_size", [1, 100])
def test_it_takes_few_queries_whatever_the_page_size(history, member, page_size):
    rename(member, *(f"Asha {n}" for n in range(30)))
    history()  # the use of the token is noted
    with CaptureQueriesContext(connection) as queries:
        assert_retrieved(history(f"?page_size={page_size}"))
    # The token, the membership, the teams that the token is granted, how far the page may read,
    # and the changes.
    assert len(data_statements(queries)) == 5


def test_a_history_that_is_mostly_hidden_reads_a_bounded_number_at_once(
    history, member, team, monkeypatch
):
    monkeypatch.setattr(feed, "MAX_SCANNED", 10)
    rename(member, "first", "second")
    Membership.objects.filter(user=member, team=team).delete()
    rename(member, *(f"Bruno {n}" for n in range(30)))
    Membership.objects.create(user=member, team=team)
    pages, query = [], "?page_size=2"
    while not pages or pages[-1]["has_more"]:
        pages.append(assert_retrieved(history(query)))
        query = f"?page_size=2&after={pages[-1]['after']}"
    shown = [[change["action"] for change in page["changes"]] for page in pages]
    assert shown == [["updated"], [], [], ["updated", "updated"], ["updated", "created"]]
    assert pages[-1]["after"] is None


@pytest.mark.parametrize("number", [9, 10, 11])
def test_a_history_as_long_as_a_page_may_read_ends_there(history, member, monkeypatch, number):
    monkeypatch.setattr(feed, "MAX_SCANNED", 10)
    number -= Change.objects.filter(user_id=member.pk).count()
    rename(member, *(f"Bruno {n}" for n in range(number)))
    page = assert_retrieved(history("?page_size=100"))
    assert len(page["changes"]) == min(10, Change.objects.count())
    assert page["has_more"] is (Change.objects.filter(user_id=member.pk).count() > 10)


def test_a_cursor_is_of_one_user_and_one_call(history, call, member, team):
    rename(member, "Bruno")
    cursor = assert_retrieved(history("?page_size=1"))["after"]
    other = MembershipFactory(team=team).user
    other_list = {
        "after": ["Is not a cursor of this list. Leave it out to start from the beginning."]
    }
    assert_refused(
        history(f"?after={cursor}", path=f"/api/users/{other.pk}/history"), 3115, other_list
    )
    assert_refused(call(method="GET", path=f"/api/changes?after={cursor}"), 3115, other_list)
    assert_refused(history(f"?after={cursor}x"), 3115, other_list)
    assert_refused(history("?after=now"), 3115, other_list)


def test_a_database_that_fails_is_told_apart(history):
    def fail(execute, sql, *arguments):
        if "users_change" in sql:
            raise OperationalError("disk")
        return execute(sql, *arguments)

    with connection.execute_wrapper(fail):
        assert_refused(history(), 3105)


@on_postgresql
def test_a_history_is_read_by_its_own_index_although_the_users_changes_are_old(member):
    changes = (
        Change(
            user_id=member.pk if n < 1000 else 10**9,
            login_id="asha",
            action="updated",
            door="code",
            before={"first_name": str(n)},
            after={"first_name": str(n + 1)},
            teams=[1],
        )
        for n in range(10_000)
    )
    Change.objects.bulk_create(changes, batch_size=1000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE users_change")
        cursor.execute("SET LOCAL random_page_cost = 100")  # as if the table were large
    page = feed.visible(feed.of_user(member.pk, "default"), 1, [1])[:11]
    assert "using users_change_user on users_change" in page.explain()


def test_a_page_of_large_changes_ends_before_it_is_full(history, member, monkeypatch):
    monkeypatch.setattr(feed, "MAX_TEXT", 1)
    rename(member, "Bruno", "Chloe")
    found, query = [], ""
    while query is not None:
        page = assert_retrieved(history(query))
        assert len(page["changes"]) == 1
        found += [change["after"].get("first_name") for change in page["changes"]]
        query = f"?after={page['after']}" if page["has_more"] else None
    assert found[:2] == ["Chloe", "Bruno"]
    assert len(found) == Change.objects.filter(user_id=member.pk).count()
