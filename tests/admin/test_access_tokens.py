"""The pages of access tokens."""

import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.utils import timezone

from tests.admin.conftest import browser_of
from tests.admin.pages import fields, messages, send
from tests.assertions import assert_refused, assert_updated
from tests.factories import AdministratorFactory, TeamFactory
from users.models import AccessToken, Session

LIST = "/admin/users/accesstoken/"


def make(browser, *teams, **changes):
    data = {"name": "CRM", "teams": [team.pk for team in teams], **changes}
    return send(browser, f"{LIST}add/", "accesstoken_form", **data)


def shown_secret(response):
    return re.search(r"desk_[\w-]{43}", response.content.decode()).group()


def act(browser, action, tokens, **changes):
    data = {"action": action, "_selected_action": [token.pk for token in tokens]}
    page = browser.post(LIST, data)
    if page.status_code == 302:
        return browser.get(LIST)
    return browser.post(LIST, {**fields(page, None), **changes}, follow=True)


@pytest.fixture
def stored(token):
    return AccessToken.objects.get()


def test_the_token_that_is_shown_works(root_browser, call, team):
    secret = shown_secret(make(root_browser, team))
    assert_updated(call({"first_name": "B"}, headers={"Authorization": f"Bearer {secret}"}))


def test_the_token_is_shown_once(root_browser, team):
    response = make(root_browser, team)
    secret = shown_secret(response)
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    token = AccessToken.objects.get()
    for path in ("/admin/", LIST, f"{LIST}{token.pk}/change/", f"{LIST}{token.pk}/history/"):
        assert secret not in root_browser.get(path).content.decode()


def test_the_token_stands_in_no_table_and_no_cookie(root_browser, team, caplog):
    secret = shown_secret(make(root_browser, team))
    rows = [*AccessToken.objects.values(), *LogEntry.objects.values()]
    sessions = [session.get_decoded() for session in Session.objects.all()]
    assert secret not in str(rows) + str(sessions) + str(root_browser.cookies) + caplog.text


def test_a_token_is_good_for_90_days_unless_said_otherwise(root_browser, team):
    make(root_browser, team)
    lifetime = AccessToken.objects.get().expires_at - timezone.now()
    assert timedelta(days=89) < lifetime <= timedelta(days=90)


def test_a_token_may_be_good_for_ever(root_browser, team):
    make(root_browser, team, days="")
    assert AccessToken.objects.get().expires_at is None


@pytest.mark.parametrize(
    "changes", [{"name": ""}, {"teams": []}, {"days": "0"}, {"days": "36501"}, {"days": "x"}]
)
def test_a_token_that_makes_no_sense_is_not_made(root_browser, team, changes):
    response = make(root_browser, team, **changes)
    assert list(response.context["adminform"].form.errors) == list(changes)
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize(
    ("state", "changes"),
    [
        ("valid", {}),
        ("expired", {"expires_at": timezone.now() - timedelta(hours=1)}),
        ("revoked", {"revoked_at": timezone.now()}),
    ],
)
def test_the_state_is_shown(root_browser, stored, state, changes):
    AccessToken.objects.update(**changes)
    assert f">{state}<" in root_browser.get(LIST).content.decode()


def test_the_list_costs_no_query_for_each_token(root_browser, team, django_assert_max_num_queries):
    for _ in range(20):
        AccessToken.objects.issue("CRM", [team, TeamFactory()])
    # the session, its user, how many (twice), the tokens, their teams, the teams for the filter (2)
    with django_assert_max_num_queries(8):
        root_browser.get(LIST)


def test_a_token_is_renamed_and_granted_other_teams(root_browser, stored):
    other = TeamFactory()
    path = f"{LIST}{stored.pk}/change/"
    assert (
        send(root_browser, path, "accesstoken_form", name="HR 2", teams=[other.pk]).status_code
        == 302
    )
    stored.refresh_from_db()
    assert (stored.name, list(stored.teams.all())) == ("HR 2", [other])


def test_a_token_gets_its_scim_team_and_is_granted_it(root_browser, team):
    make(root_browser, scim_team=team.pk)
    token = AccessToken.objects.get()
    assert (token.scim_team, list(token.teams.all())) == (team, [team])


def test_a_token_is_given_a_scim_team_later(root_browser, stored, team):
    other = TeamFactory()
    path = f"{LIST}{stored.pk}/change/"
    send(root_browser, path, "accesstoken_form", scim_team=other.pk)
    stored.refresh_from_db()
    assert (stored.scim_team, set(stored.teams.all())) == (other, {team, other})


def test_a_scim_team_stays_granted(root_browser, stored, team):
    AccessToken.objects.update(scim_team=team)
    other = TeamFactory()
    send(root_browser, f"{LIST}{stored.pk}/change/", "accesstoken_form", teams=[other.pk])
    assert set(stored.teams.all()) == {team, other}


def test_a_digest_is_neither_shown_nor_edited(root_browser, stored):
    path = f"{LIST}{stored.pk}/change/"
    assert stored.digest not in root_browser.get(path).content.decode()
    send(root_browser, path, "accesstoken_form", digest="0" * 64, expires_at="", revoked_at="")
    assert AccessToken.objects.get().digest == stored.digest


def test_a_revoked_token_lets_nobody_in(root_browser, call, stored):
    response = act(root_browser, "revoke", [stored])
    assert messages(response) == [f"Revoked 1 access token: {stored}."]
    assert_refused(call({"first_name": "B"}), 2003)


def test_a_revoked_token_is_not_revoked_again(root_browser, stored, team):
    stored.revoke()
    response = act(root_browser, "revoke", [stored])
    assert messages(response) == [f"Revoked already: {stored}."]
    other, _ = AccessToken.objects.issue("CRM", [team])
    response = act(root_browser, "revoke", [stored, other])
    assert messages(response) == [
        f"Revoked 1 access token: {other}.",
        f"Revoked already: {stored}.",
    ]
    assert LogEntry.objects.get().object_id == str(other.pk)


def test_a_token_is_named_with_its_last_characters(root_browser, team):
    """A successor has the name of the token that was rotated: the name alone tells too little."""
    response = make(root_browser, team)
    token, secret = AccessToken.objects.get(), shown_secret(response)
    name = f"CRM (…{secret[-4:]})"
    assert (token.hint, str(token)) == (secret[-4:], name)
    assert f"The access token “{name}”" in response.content.decode()
    assert f'<td class="field-hint">{token.hint}</td>' in root_browser.get(LIST).content.decode()
    assert token.hint in root_browser.get(f"{LIST}{token.pk}/change/").content.decode()
    assert LogEntry.objects.get().object_repr == name


@pytest.mark.parametrize("action", ["revoke", "rotate"])
def test_what_is_asked_names_the_token(root_browser, stored, action):
    page = root_browser.post(LIST, {"action": action, "_selected_action": [stored.pk]})
    assert f"HR system (…{stored.hint})" in page.content.decode()


def test_what_rotating_asks_says_what_the_new_token_has(root_browser, stored):
    page = root_browser.post(LIST, {"action": "rotate", "_selected_action": [stored.pk]})
    assert "with the same name, rights and lifetime." in page.content.decode()


def test_revoking_asks_first(root_browser, stored):
    page = root_browser.post(LIST, {"action": "revoke", "_selected_action": [stored.pk]})
    assert "Revoke 1 access token?" in page.content.decode()
    assert not AccessToken.objects.get().is_revoked


def test_a_rotated_token_runs_out_and_its_successor_has_its_grants(
    root_browser, call, stored, team
):
    AccessToken.objects.update(expires_at=timezone.now() + timedelta(days=30), scim_team=team.pk)
    response = act(root_browser, "rotate", [stored], hours="2")
    assert "no-store" in response["Cache-Control"]
    secret = shown_secret(response)
    assert_updated(call({"first_name": "B"}))  # the old one, for two hours more
    assert_updated(call({"first_name": "C"}, headers={"Authorization": f"Bearer {secret}"}))
    new = AccessToken.objects.exclude(pk=stored.pk).get()
    assert (new.name, list(new.teams.all()), new.scim_team) == (stored.name, [team], team)
    stored.refresh_from_db()
    assert timedelta(hours=1) < stored.expires_at - timezone.now() <= timedelta(hours=2)
    assert timedelta(days=29) < new.expires_at - timezone.now() <= timedelta(days=31)


def test_a_rotation_never_prolongs_the_old_token(root_browser, stored):
    soon = timezone.now() + timedelta(minutes=5)
    AccessToken.objects.update(expires_at=soon)
    act(root_browser, "rotate", [stored], hours="2")
    stored.refresh_from_db()
    assert stored.expires_at == soon


@pytest.mark.parametrize("hours", ["", "-1", "x", "8761"])
def test_a_rotation_asks_again_for_a_time_that_makes_no_sense(root_browser, stored, hours):
    act(root_browser, "rotate", [stored], hours=hours)
    assert AccessToken.objects.count() == 1


def test_a_revoked_token_is_not_rotated(root_browser, stored):
    stored.revoke()
    response = act(root_browser, "rotate", [stored], hours="1")
    assert messages(response) == ["Select one access token that is not revoked."]
    assert AccessToken.objects.count() == 1


@pytest.mark.parametrize("action", ["revoke", "rotate"])
def test_a_viewer_acts_on_no_token(stored, action):
    viewer = AdministratorFactory()
    viewer.user_permissions.add(Permission.objects.get(codename="view_accesstoken"))
    data = {"action": action, "_selected_action": [stored.pk], "confirmed": "yes", "hours": "1"}
    browser_of(viewer).post(LIST, data)
    assert not AccessToken.objects.get().is_revoked


@pytest.mark.parametrize("codename", ["add_accesstoken", "change_accesstoken"])
def test_rotating_needs_the_permissions_to_add_and_to_change(stored, codename):
    clerk = AdministratorFactory()
    codenames = {"view_accesstoken", codename}
    clerk.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    data = {"action": "rotate", "_selected_action": [stored.pk], "confirmed": "yes", "hours": "1"}
    response = browser_of(clerk).post(LIST, data)
    assert "desk_" not in response.content.decode()
    assert list(AccessToken.objects.all()) == [stored]


@pytest.mark.parametrize(
    "meanwhile", [lambda token: token.revoke(), lambda token: token.rotate(timedelta(hours=1))]
)
def test_a_token_that_was_revoked_or_rotated_meanwhile_gets_no_successor(
    root_browser, stored, monkeypatch, meanwhile
):
    rotate = AccessToken.rotate

    def rotate_late(token, grace):
        monkeypatch.undo()
        meanwhile(AccessToken.objects.get(pk=token.pk))
        return rotate(token, grace)

    number = AccessToken.objects.count()
    monkeypatch.setattr(AccessToken, "rotate", rotate_late)
    response = act(root_browser, "rotate", [stored], hours="1")
    assert "was revoked or rotated meanwhile" in messages(response)[0]
    made_meanwhile = AccessToken.objects.get(pk=stored.pk).revoked_at is None
    assert AccessToken.objects.count() == number + made_meanwhile


@pytest.mark.parametrize(("changes", "read_only"), [({}, False), ({"read_only": "on"}, True)])
def test_a_token_may_be_made_to_read_only(root_browser, team, changes, read_only):
    make(root_browser, team, **changes)
    assert AccessToken.objects.get().read_only is read_only


def test_a_token_is_made_read_only_later(root_browser, stored):
    send(root_browser, f"{LIST}{stored.pk}/change/", "accesstoken_form", read_only="on")
    assert AccessToken.objects.get().read_only


def test_the_successor_of_a_read_only_token_is_one(root_browser, stored):
    AccessToken.objects.update(read_only=True)
    act(root_browser, "rotate", [stored], hours="2")
    assert AccessToken.objects.exclude(pk=stored.pk).get().read_only


def test_the_list_shows_who_may_only_read_and_filters_by_it(root_browser, stored):
    assert 'alt="False"' in root_browser.get(LIST).content.decode()
    AccessToken.objects.update(read_only=True)
    assert 'alt="True"' in root_browser.get(LIST).content.decode()
    for value, shown in ((1, [stored]), (0, [])):
        page = root_browser.get(f"{LIST}?read_only__exact={value}")
        assert list(page.context["cl"].result_list) == shown


@pytest.mark.parametrize(("changes", "limit"), [({}, None), ({"rate_limit": "500"}, 500)])
def test_a_token_may_have_a_rate_limit(root_browser, team, changes, limit):
    make(root_browser, team, **changes)
    assert AccessToken.objects.get().rate_limit == limit


@pytest.mark.parametrize(("entered", "stored_limit"), [("7", 7), ("", None)])
def test_a_rate_limit_is_changed_later(root_browser, stored, entered, stored_limit):
    AccessToken.objects.update(rate_limit=5)
    send(root_browser, f"{LIST}{stored.pk}/change/", "accesstoken_form", rate_limit=entered)
    stored.refresh_from_db()
    assert stored.rate_limit == stored_limit


@pytest.mark.parametrize("limit", ["0", "-1", "1000000001", "x", "1.5", "9" * 5000])
def test_a_rate_limit_out_of_bounds_is_refused(root_browser, team, limit):
    response = make(root_browser, team, rate_limit=limit)
    assert list(response.context["adminform"].form.errors) == ["rate_limit"]
    assert not AccessToken.objects.exists()


def test_the_successor_of_a_token_has_its_rate_limit(root_browser, stored):
    AccessToken.objects.update(rate_limit=5)
    act(root_browser, "rotate", [stored], hours="2")
    assert AccessToken.objects.exclude(pk=stored.pk).get().rate_limit == 5


def test_the_list_shows_the_rate_limit(root_browser, stored):
    AccessToken.objects.update(rate_limit=12345)
    assert "12345" in root_browser.get(LIST).content.decode()
