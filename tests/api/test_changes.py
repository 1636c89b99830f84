"""The feed of changes, `GET /api/changes`."""

import pytest
from django.contrib.auth import get_user_model
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from tests.assertions import assert_refused, assert_retrieved
from tests.database import data_statements
from tests.factories import MembershipFactory, TeamFactory, issue_token
from tests.feed import hold_nothing_back, wait_for_horizon
from tests.requirements import on_postgresql
from users import feed
from users.models import Change, FeedState, Membership

pytestmark = pytest.mark.django_db(transaction=True)  # what is not committed is held back

User = get_user_model()

NOT_A_CURSOR = "Is not a cursor of this list. Leave it out to start from the beginning."


@pytest.fixture
def changes(call, monkeypatch):
    """Ask for the feed, and return the answer."""
    hold_nothing_back(monkeypatch)

    def ask(query="", method="GET", path="/api/changes", **request):
        wait_for_horizon()
        return call(method=method, path=path + query, **request)

    return ask


@pytest.fixture
def follow(changes):
    """Ask for all pages from a cursor on; returns (the changes, the cursor to go on with)."""

    def read(after=None, page_size=10):
        found, has_more = [], True
        while has_more:
            query = f"?page_size={page_size}" + (f"&after={after}" if after else "")
            page = assert_retrieved(changes(query))
            found += page["changes"]
            has_more, after = page["has_more"], page["after"]
        return found, after

    return read


def rename(user, *names):
    user = User.objects.get(pk=user.pk)
    for name in names:
        user.first_name = name
        user.save()


def names(found):
    return [change["after"].get("first_name") for change in found]


def test_every_change_comes_once_the_oldest_first(follow, user):
    _, after = follow()
    rename(user, *(f"Asha {n}" for n in range(25)))
    found, after = follow(after)
    assert names(found) == [f"Asha {n}" for n in range(25)]
    assert follow(after)[0] == []
    rename(user, "Bruno")
    assert names(follow(after)[0]) == ["Bruno"]


def test_a_change_is_shown_as_in_the_history(changes, follow, call, user):
    found, _ = follow()
    history = assert_retrieved(call(method="GET", path=f"/api/users/{user.pk}/history"))
    assert found == history["changes"][::-1]


def test_now_is_an_empty_page_to_start_from(changes, follow, user):
    page = assert_retrieved(changes("?after=now"))
    assert (page["changes"], page["has_more"]) == ([], False)
    rename(user, "Bruno")
    assert names(follow(page["after"])[0]) == ["Bruno"]


def test_who_left_or_was_deleted_is_in_it_and_what_was_before_or_after_is_not(follow, user, team):
    _, after = follow()
    Membership.objects.filter(user=user).delete()
    rename(user, "elsewhere")
    Membership.objects.create(user=user, team=team)
    user_id = user.pk
    User.objects.get(pk=user_id).delete()
    found, _ = follow(after)
    shown = [(change["action"], change["after"].get("memberships")) for change in found]
    team_id = str(team.pk)
    assert shown == [
        ("updated", {team_id: None}),
        ("updated", {team_id: "Team Agent"}),
        ("deleted", None),
    ]
    assert found[-1]["before"]["memberships"] == {team_id: "Team Agent"}
    assert {change["user"] for change in found} == {user_id}


def test_nothing_of_another_team_is_in_it(changes, follow):
    _, after = follow()
    stranger = MembershipFactory().user
    rename(stranger, "Bruno")
    found, last = follow(after)
    assert found == []
    assert last != after  # so that what was passed over is not passed over again


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_it_is_answered_with_and_without_a_slash_and_to_head_without_a_body(changes, method, slash):
    response = changes(method=method, path=f"/api/changes{slash}")
    assert response.status_code == 200
    assert bool(response.content) == (method == "GET")


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE", "OPTIONS", "BREW"])
def test_another_method_is_refused(changes, method):
    response = changes(method=method)
    assert_refused(response, 2099)
    assert response["Allow"] == "GET, HEAD"


def test_a_cursor_is_of_this_call_alone(changes, call, user):
    after = assert_retrieved(changes())["after"]
    for query in (f"?after={after[1:]}", f"?after={after[:-1]}", f"?after={after}%00"):
        assert_refused(changes(query), 3115, {"after": [NOT_A_CURSOR]})
    response = call(method="GET", path=f"/api/users/{user.pk}/history?after={after}")
    assert_refused(response, 3115, {"after": [NOT_A_CURSOR]})


def test_a_cursor_from_before_a_restart_or_before_what_was_pruned_is_refused(changes, follow, user):
    page = assert_retrieved(changes("?page_size=1"))
    rename(user, "Bruno")
    _, latest = follow()
    last = Change.objects.order_by("transaction_id", "id").last()
    state = FeedState.objects.create(pruned_transaction_id=last.transaction_id, pruned_id=last.pk)
    again = "Start again without 'after', or with 'after=now' for what comes from now on."
    pruned = {"after": [f"Changes after it were pruned. {again}"]}
    assert_refused(changes(f"?after={page['after']}"), 3115, pruned)
    assert_retrieved(changes(f"?after={latest}"))
    assert_retrieved(changes())
    state.epoch, state.pruned_transaction_id, state.pruned_id = 2, 0, 0
    state.save()
    restarted = {"after": [f"The feed was restarted since. {again}"]}
    assert_refused(changes(f"?after={latest}"), 3115, restarted)
    assert_retrieved(changes("?after=" + assert_retrieved(changes())["after"]))


def test_a_cursor_that_was_signed_is_good_for_every_worker_and_no_other_key(changes, settings):
    after = assert_retrieved(changes())["after"]
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another" * 10
    assert_retrieved(changes(f"?after={after}"))
    settings.SECRET_KEY_FALLBACKS = []
    assert_refused(changes(f"?after={after}"), 3115, {"after": [NOT_A_CURSOR]})


def test_of_memberships_only_those_in_granted_teams_are_shown_and_pages_are_full(
    changes, follow, user, team
):
    _, after = follow()
    granted, elsewhere = TeamFactory(), TeamFactory()
    for _ in range(6):
        Membership.objects.create(user=user, team=elsewhere)
        Membership.objects.filter(user=user, team=elsewhere).delete()
        Membership.objects.create(user=user, team=granted)
        Membership.objects.filter(user=user, team=granted).delete()
    headers = {"Authorization": f"Bearer {issue_token(team, granted)}"}
    page = assert_retrieved(changes(f"?page_size=5&after={after}", headers=headers))
    shown = [change["after"] for change in page["changes"]]
    assert len(shown) == 5
    assert {key for values in shown for key in values["memberships"]} == {str(granted.pk)}
    assert follow(after)[0] == []


def test_a_team_with_few_changes_reads_a_bounded_number_at_once(changes, follow, user, monkeypatch):
    monkeypatch.setattr(feed, "MAX_SCANNED", 10)
    _, after = follow()
    stranger = MembershipFactory().user
    rename(user, "first")
    rename(stranger, *(f"Bruno {n}" for n in range(30)))
    rename(user, "last")
    pages = []
    while not pages or pages[-1]["has_more"]:
        pages.append(assert_retrieved(changes(f"?after={after}")))
        after = pages[-1]["after"]
    assert [names(page["changes"]) for page in pages[:2]] == [["first"], []]
    assert sum(len(page["changes"]) for page in pages) == 2
    assert names(pages[-1]["changes"]) == ["last"]


@on_postgresql
def test_a_feed_whose_transaction_ids_are_gone_goes_on_in_the_order_of_ids(follow, user):
    rename(user, *(f"Asha {n}" for n in range(12)))
    Change.objects.update(transaction_id=0)  # as `restart_feed` does
    found, _ = follow(page_size=5)
    assert names(found)[-12:] == [f"Asha {n}" for n in range(12)]
    assert len({change["id"] for change in found}) == len(found)


@pytest.mark.skipif(connection.vendor != "mysql", reason="MariaDB's own")
def test_the_newest_changes_are_held_back_on_mariadb(call, user, monkeypatch):
    page = assert_retrieved(call(method="GET", path="/api/changes"))
    assert (page["changes"], page["has_more"]) == ([], False)
    hold_nothing_back(monkeypatch)
    page = assert_retrieved(call(method="GET", path=f"/api/changes?after={page['after']}"))
    assert {change["user"] for change in page["changes"]} == {user.pk}


@pytest.mark.parametrize("page_size", [1, 100])
def test_it_takes_few_queries_whatever_the_page_size(changes, call, user, page_size):
    rename(user, *(f"Asha {n}" for n in range(30)))
    changes()  # the use of the token is noted
    with CaptureQueriesContext(connection) as queries:
        assert_retrieved(call(method="GET", path=f"/api/changes?page_size={page_size}"))
    # The token, how far the feed reaches, the teams that the token is granted, how far the page
    # reads, and the changes; without transaction ids the last id, too, and on MariaDB what is held
    # back.
    expected = {"postgresql": 5, "sqlite": 6, "mysql": 7}[connection.vendor]
    assert len(data_statements(queries)) == expected


def test_a_database_that_fails_is_told_apart(changes):
    def fail(execute, sql, *arguments):
        if "users_change" in sql and "ORDER BY" in sql:
            raise OperationalError("disk")
        return execute(sql, *arguments)

    with connection.execute_wrapper(fail):
        assert_refused(changes(), 3105)


def test_a_page_of_large_changes_ends_before_it_is_full_and_none_is_left_out(
    user, changes, follow, monkeypatch
):
    monkeypatch.setattr(feed, "MAX_TEXT", 200)
    _, after = follow()
    rename(user, *(letter * 90 for letter in "bcde"))
    page = assert_retrieved(changes(f"?after={after}"))
    assert (len(page["changes"]), page["has_more"]) == (1, True)
    assert names(follow(after)[0]) == [letter * 90 for letter in "bcde"]
    monkeypatch.setattr(feed, "MAX_TEXT", 1)
    assert names(follow(after)[0]) == [letter * 90 for letter in "bcde"]
