"""What each page of the admin site leaves in the history: its door, the operator, one trxid."""

import asyncio
import threading
from urllib.parse import urlencode

import pytest
from asgiref.testing import ApplicationCommunicator
from django.contrib.admin.models import LogEntry
from django.db import connection

from config.asgi import application
from tests.admin.conftest import browser_of
from tests.admin.pages import USERS, fields, save_user, send, user_page
from tests.factories import (
    PASSWORD,
    AdministratorFactory,
    MembershipFactory,
    TeamFactory,
    UserFactory,
)
from users.acting import identify
from users.models import Change, Membership

NEW_PASSWORD = "another horse battery staple"


@pytest.fixture
def recorded(user, superuser):
    """Return what the history got since: each by the operator in the admin site, of one request."""
    start = Change.objects.latest("id").pk

    def recorded(by=superuser):
        changes = list(Change.objects.filter(pk__gt=start).order_by("pk"))
        assert {(each.door, each.by_type, each.by_id, each.by_name) for each in changes} == {
            ("admin", "user", by.pk, by.login_id)
        }
        [trxid] = {each.trxid for each in changes}
        assert len(trxid) == 36
        return [(each.user_id, each.action, each.before, each.after) for each in changes]

    return recorded


def test_the_form_with_its_memberships(root_browser, recorded, user, team, business):
    other = TeamFactory()
    save_user(
        root_browser,
        user,
        first_name="Zoë",
        **{
            f"custom_{business.pk}": "Banking",
            "memberships-TOTAL_FORMS": "2",
            "memberships-0-role": "Team Manager",
            "memberships-1-user": str(user.pk),
            "memberships-1-team": str(other.pk),
            "memberships-1-role": "Team Analyst",
        },
    )
    roles = {"memberships": {str(team.pk): "Team Agent"}}
    assert recorded() == [
        (
            user.pk,
            "updated",
            {"first_name": "Asha", "custom_attributes": {"business": "Retail"}},
            {"first_name": "Zoë", "custom_attributes": {"business": "Banking"}},
        ),
        (user.pk, "updated", roles, {"memberships": {str(team.pk): "Team Manager"}}),
        (
            user.pk,
            "updated",
            {"memberships": {str(other.pk): None}},
            {"memberships": {str(other.pk): "Team Analyst"}},
        ),
    ]


def test_the_form_of_a_new_user(root_browser, recorded):
    new = {"first_name": "Bo", "login_id": "bo", "email_id": "bo@x.example"}
    new |= {"usable_password": "true", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    send(root_browser, f"{USERS}add/", "user_form", **new)
    [(_, action, before, after)] = recorded()
    assert (action, before, after["login_id"], after["password"]) == ("created", {}, "bo", "set")


@pytest.mark.parametrize(
    ("action", "data", "before", "after"),
    [
        ("deactivate", {}, {"status": "active"}, {"status": "inactive"}),
        (
            "set_custom_attribute",
            {"value": "Banking"},
            {"custom_attributes": {"business": "Retail"}},
            {"custom_attributes": {"business": "Banking"}},
        ),
    ],
)
def test_a_bulk_action(root_browser, recorded, user, business, action, data, before, after):
    other = UserFactory(custom_attributes={"business": "Retail"})
    Change.objects.filter(user_id=other.pk).delete()
    if action == "set_custom_attribute":
        data = data | {"definition": business.pk, "asked": business.pk}
    selected = {"_selected_action": [user.pk, other.pk], "action": action, "confirmed": "yes"}
    root_browser.post(USERS, {**selected, **data})
    assert recorded() == [(each.pk, "updated", before, after) for each in (user, other)]
    # Django's own log would say less.
    assert not LogEntry.objects.exists()


def test_the_bulk_action_that_activates(root_browser, recorded, user):
    type(user).objects.filter(pk=user.pk).update(status="inactive")
    selected = {"_selected_action": [user.pk], "action": "activate", "confirmed": "yes"}
    root_browser.post(USERS, selected)
    assert recorded() == [(user.pk, "updated", {"status": "inactive"}, {"status": "active"})]


def test_the_bulk_action_that_adds_to_a_team(root_browser, recorded, user):
    other = TeamFactory()
    selected = {"_selected_action": [user.pk], "action": "add_to_team", "confirmed": "yes"}
    root_browser.post(USERS, {**selected, "team": other.pk, "role": "Team Agent"})
    key = str(other.pk)
    assert recorded() == [
        (user.pk, "updated", {"memberships": {key: None}}, {"memberships": {key: "Team Agent"}})
    ]


def test_the_pages_of_memberships(root_browser, recorded, user, team):
    membership = Membership.objects.get(user=user)
    data = fields(root_browser.get("/admin/users/membership/"), "changelist-form")
    data |= {"form-0-role": "Team Manager", "_save": "Save"}
    root_browser.post("/admin/users/membership/", data)
    agent, manager, none = (
        {"memberships": {str(team.pk): role}} for role in ("Team Agent", "Team Manager", None)
    )
    assert recorded() == [(user.pk, "updated", agent, manager)]
    Change.objects.latest("id").delete()
    path = f"/admin/users/membership/{membership.pk}/"
    send(root_browser, f"{path}change/", "membership_form", role="Team Agent")
    assert recorded() == [(user.pk, "updated", manager, agent)]
    Change.objects.latest("id").delete()
    root_browser.post(f"{path}delete/", {"post": "yes"})
    assert recorded() == [(user.pk, "updated", agent, none)]
    Change.objects.latest("id").delete()
    new = {"user": user.pk, "team": team.pk, "role": "Team Agent"}
    root_browser.post("/admin/users/membership/add/", new)
    assert recorded() == [(user.pk, "updated", none, agent)]


def test_the_deletion_of_a_team(root_browser, recorded, user, team):
    other = MembershipFactory(team=team).user
    Change.objects.filter(user_id=other.pk).delete()
    key = str(team.pk)
    root_browser.post(f"/admin/users/team/{key}/delete/", {"post": "yes"})
    assert recorded() == [
        (each, "updated", {"memberships": {key: "Team Agent"}}, {"memberships": {key: None}})
        for each in (user.pk, other.pk)
    ]


def test_the_page_of_a_users_password(root_browser, recorded, user):
    new = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "usable_password": "true"}
    root_browser.post(f"{USERS}{user.pk}/password/", new)
    assert recorded() == [(user.pk, "updated", {"password": "set"}, {"password": "set"})]


def test_the_page_of_ones_own_password(root_browser, recorded, superuser):
    new = {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    root_browser.post("/admin/password_change/", {"old_password": PASSWORD, **new})
    assert recorded() == [(superuser.pk, "updated", {"password": "set"}, {"password": "set"})]


@pytest.mark.parametrize("many", [False, True])
def test_a_deletion(root_browser, recorded, user, team, many):
    if many:
        data = {"action": "delete_selected", "_selected_action": [user.pk], "post": "yes"}
        root_browser.post(USERS, data)
    else:
        root_browser.post(f"{USERS}{user.pk}/delete/", {"post": "yes"})
    [(key, action, before, after)] = recorded()
    assert (key, action, after) == (user.pk, "deleted", {})
    assert before["memberships"] == {str(team.pk): "Team Agent"}


def asgi_request(browser, path, data):
    """Return the connection of a POST to the project's ASGI application."""
    body = urlencode(data, doseq=True).encode()
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in browser.cookies.items())
    headers = {
        "host": "testserver",
        "cookie": cookies,
        "content-type": "application/x-www-form-urlencoded",
        "content-length": str(len(body)),
    }
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    return body, ApplicationCommunicator(application, scope)


@pytest.mark.django_db(transaction=True)
def test_concurrent_requests_under_asgi_do_not_mix_who_acts(monkeypatch):
    # Connections of the requests' threads must not outlive them.
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)
    both_are_named = threading.Barrier(2)

    def identify_and_wait(*arguments):
        identify(*arguments)
        both_are_named.wait(timeout=20)

    requests = {}
    for operator in (AdministratorFactory(is_superuser=True) for _ in range(2)):
        browser, page = browser_of(operator), user_page(UserFactory())
        data = fields(browser.get(page), "user_form")
        requests[operator] = browser, page, {**data, "first_name": operator.login_id}
    monkeypatch.setattr("users.middleware.identify", identify_and_wait)

    async def send_one(browser, page, data):
        body, connected = asgi_request(browser, page, data)
        await connected.send_input({"type": "http.request", "body": body})
        answer = await connected.receive_output(timeout=30)
        while (await connected.receive_output(timeout=30)).get("more_body"):
            pass
        await connected.wait(timeout=30)
        return answer["status"]

    async def send_both():
        return await asyncio.gather(*(send_one(*request) for request in requests.values()))

    assert asyncio.run(send_both()) == [302, 302]
    changes = Change.objects.filter(door="admin")
    assert len({change.trxid for change in changes}) == len(changes) == 2
    assert {change.by_name for change in changes} == {each.login_id for each in requests}
    assert all(change.after == {"first_name": change.by_name} for change in changes)
