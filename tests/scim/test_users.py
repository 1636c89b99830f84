"""Users: how they are made, changed and ended, and what is refused."""

import pytest
from django.contrib.auth import get_user_model

from tests.database import row, stored
from tests.factories import (
    PASSWORD,
    MembershipFactory,
    TeamFactory,
    UserFactory,
    issue_token,
)
from tests.scim.calls import USER, Provider, assert_empty, assert_refused, body_of, user_path
from users.models import Change, Team

User = get_user_model()

MIA = {"schemas": [USER], "userName": "mia@desk.example", "name": {"givenName": "Mia"}}


def made(response):
    return User.objects.get(pk=body_of(response, 201)["id"])


# Making


def test_a_user_is_shown_as_the_contract_has_it(provider, provisioned):
    body = body_of(provider.get(user_path(provisioned)))
    meta = body.pop("meta")
    assert body == {
        "schemas": [USER],
        "id": str(provisioned.pk),
        "userName": provisioned.login_id,
        "name": {"givenName": "Asha", "familyName": "Rao"},
        "displayName": "Asha Rao",
        "emails": [{"value": provisioned.email_id, "type": "work", "primary": True}],
        "active": True,
        "title": "Agent",
        "userType": "Customer Care",
        "groups": [],
    }
    assert meta["resourceType"] == "User"
    assert meta["location"].endswith(f"/scim/v2/Users/{provisioned.pk}")
    assert meta["version"].startswith('W/"')


def test_the_groups_of_a_user_are_those_of_the_token(scim_team, provisioned):
    group = TeamFactory(name="Sales")
    for team in (group, TeamFactory()):
        MembershipFactory(user=provisioned, team=team)
    provider = Provider(issue_token(group, scim_team=scim_team))
    [shown] = body_of(provider.get(user_path(provisioned)))["groups"]
    assert (shown["value"], shown["display"]) == (str(group.pk), "Sales")
    assert shown["$ref"].endswith(f"/scim/v2/Groups/{group.pk}")


def test_the_email_is_the_user_name_where_that_is_one(provider):
    assert made(provider.post("/Users", MIA)).email_id == "mia@desk.example"


@pytest.mark.parametrize(
    ("emails", "kept"),
    [
        ([{"value": "a@x.org"}, {"value": "b@x.org", "primary": True}], "b@x.org"),
        ([{"value": "a@x.org"}, {"value": "b@x.org", "type": "Work"}], "b@x.org"),
        ([{"value": "a@x.org", "type": "home"}, {"value": "b@x.org"}], "a@x.org"),
        ([{"value": "a@x.org", "primary": "False"}], "a@x.org"),
        ([], "mia@desk.example"),
        (None, "mia@desk.example"),
    ],
)
def test_of_several_emails_one_is_kept(provider, emails, kept):
    assert made(provider.post("/Users", {**MIA, "emails": emails})).email_id == kept


def test_names_of_attributes_are_read_in_any_case(provider):
    body = {"USERNAME": "mia", "Name": {"GIVENNAME": "Mia"}, "eMails": [{"VALUE": "m@x.org"}]}
    assert made(provider.post("/Users", body)).email_id == "m@x.org"


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"userName": None}, ["userName"]),
        ({"userName": ""}, ["userName"]),
        ({"userName": "x" * 151}, ["userName"]),
        ({"userName": "\u200b"}, ["userName"]),
        ({"userName": "mia"}, ["emails"]),
        ({"userName": 5, "title": 7}, ["userName", "title"]),
        ({"name": {}}, ["name.givenName"]),
        ({"name": {"givenName": ""}, "title": "x" * 256}, ["name.givenName", "title"]),
        ({"name": "Mia"}, ["name"]),
        ({"emails": [{"type": "work"}]}, ["emails"]),
        ({"emails": [{"value": "nobody"}]}, ["emails"]),
        ({"emails": ["m@x.org"]}, ["emails"]),
        ({"active": "maybe"}, ["active"]),
        ({"active": 1}, ["active"]),
        ({"externalId": "x" * 256}, ["externalId"]),
        ({"externalId": "a\0"}, ["externalId"]),
    ],
)
def test_all_that_is_wrong_is_named(provider, changed, named):
    detail = assert_refused(provider.post("/Users", {**MIA, **changed}), 400, "invalidValue")
    assert [name for name in named if name not in detail] == []
    assert not User.objects.filter(first_name="Mia").exists()


@pytest.mark.parametrize("name", ["MIA@desk.example", "other@desk.example"])
def test_a_taken_name_is_told_without_more(provider, name):
    UserFactory(login_id="mia@desk.example", email_id="other@desk.example")
    detail = assert_refused(provider.post("/Users", {**MIA, "userName": name}), 409, "uniqueness")
    assert detail.count("Is taken already") == 1


# Changing


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "rights",
    [{"role_type": "Administrative"}, {"role_type": "Customer Care", "is_superuser": True}],
    ids=["administrator", "superuser who may not enter the admin site"],
)
def test_an_administrator_is_read_only(provider, scim_team, method, rights):
    administrator = MembershipFactory(user=UserFactory(**rights), team=scim_team).user
    body_of(provider.get(user_path(administrator)))
    before = row(administrator)
    operation = {"op": "replace", "path": "active", "value": False}
    body = {"Operations": [operation], **MIA}
    assert_refused(provider(method, user_path(administrator), body), 403)
    assert row(administrator) == before


def test_what_changes_nothing_writes_nothing(provider, provisioned):
    before, changes = row(provisioned), Change.objects.count()
    read = body_of(provider.get(user_path(provisioned)))
    assert body_of(provider.put(user_path(provisioned), read)) == read
    operation = {"op": "replace", "path": "userName", "value": provisioned.login_id}
    assert body_of(provider.patch(user_path(provisioned), operation)) == read
    assert (row(provisioned), Change.objects.count()) == (before, changes)


def test_a_put_clears_what_it_leaves_out(provider, provisioned):
    provisioned.external_id, provisioned.status = "x", "inactive"
    provisioned.save()
    body_of(provider.put(user_path(provisioned), MIA))
    user = stored(provisioned)
    assert (user.last_name, user.job_description, user.external_id) == ("", "", "")
    assert (user.status, user.email_id) == ("active", "mia@desk.example")


@pytest.mark.parametrize(
    ("operation", "status", "scim_type"),
    [
        ({"op": "nothing", "path": "title", "value": "x"}, 400, "invalidValue"),
        ({"op": "add", "path": "title"}, 400, "invalidValue"),
        ({"op": "replace", "path": "title", "value": ["x"]}, 400, "invalidValue"),
        ({"op": "replace", "path": "title", "value": "x" * 256}, 400, "invalidValue"),
        ({"op": "replace", "path": "active", "value": "perhaps"}, 400, "invalidValue"),
        ({"op": "replace", "path": "name.", "value": "x"}, 400, "invalidPath"),
        ({"op": "replace", "path": "emails[", "value": "x"}, 400, "invalidPath"),
        ({"op": "replace", "path": 5, "value": "x"}, 400, "invalidValue"),
        ({"op": "remove"}, 400, "noTarget"),
        ({"op": "remove", "path": "userName"}, 400, "mutability"),
        ({"op": "remove", "path": "emails"}, 400, "mutability"),
        ({"op": "remove", "path": "active"}, 400, "mutability"),
        ({"op": "replace", "path": "id", "value": "7"}, 400, "mutability"),
        ({"op": "replace", "path": "userType", "value": "Administrative"}, 400, "mutability"),
        ({"op": "add", "path": "groups", "value": [{"value": "7"}]}, 400, "mutability"),
    ],
)
def test_an_operation_is_refused(provider, provisioned, operation, status, scim_type):
    before = row(provisioned)
    first = {"op": "replace", "path": "name.givenName", "value": "Changed"}
    response = provider.patch(user_path(provisioned), first, operation)
    assert_refused(response, status, scim_type)
    assert row(provisioned) == before


TITLE = {"op": "replace", "path": "title", "value": "x"}


@pytest.mark.parametrize(
    "operations", [None, [], {}, "x", [5], [TITLE] * 1001], ids=lambda value: str(value)[:20]
)
def test_what_is_no_list_of_operations_is_refused(provider, provisioned, operations):
    response = provider("PATCH", user_path(provisioned), {"Operations": operations})
    assert_refused(response, 400, "invalidValue")


def test_a_thousand_operations_are_done(provider, provisioned):
    operations = [{"op": "replace", "path": "title", "value": f"t{n}"} for n in range(1000)]
    assert body_of(provider.patch(user_path(provisioned), *operations))["title"] == "t999"


EMAILS = [{"value": f"a{n}@desk.example"} for n in range(51)]


@pytest.mark.parametrize(
    "operations",
    [
        pytest.param([{"op": "add", "path": "emails", "value": EMAILS}], id="emails"),
        pytest.param([{"op": "add", "value": {"Emails": EMAILS}}], id="emails without a path"),
        pytest.param([{"op": "add", "path": "", "value": {"emails": EMAILS}}], id="an empty path"),
        pytest.param(
            [{"op": "add", "path": USER, "value": {"emails": EMAILS}}], id="a schema as the path"
        ),
        pytest.param(
            [{"op": "add", "value": {USER: {"emails": EMAILS}}}], id="a schema in the value"
        ),
        pytest.param(
            [
                {"op": "add", "path": f'emails[type eq "{n}"].value', "value": "a@desk.example"}
                for n in range(51)
            ],
            id="filters of emails",
        ),
        pytest.param(
            [{"op": "remove", "path": f"emails[{' or '.join(['value pr'] * 10_000)}]"}],
            id="a long path",
        ),
    ],
)
def test_what_would_take_a_request_minutes_is_refused(provider, provisioned, operations):
    response = provider.patch(user_path(provisioned), *operations)
    assert_refused(response, 400, "invalidValue")
    assert "in a request" in response.json()["detail"]


def test_a_change_to_a_taken_name_is_refused(provider, provisioned, stranger):
    before = row(provisioned)
    operation = {"op": "replace", "path": "userName", "value": stranger.login_id.upper()}
    assert_refused(provider.patch(user_path(provisioned), operation), 409, "uniqueness")
    assert row(provisioned) == before


def test_a_password_is_neither_taken_nor_changed(provider, provisioned):
    body_of(provider.put(user_path(provisioned), {**MIA, "password": "another one"}))
    operation = {"op": "replace", "path": "password", "value": "another one"}
    body_of(provider.patch(user_path(provisioned), operation))
    assert stored(provisioned).check_password(PASSWORD)


# Entity tags


def test_a_user_who_is_known_is_not_sent_again(provider, provisioned):
    tag = provider.get(user_path(provisioned))["ETag"]
    response = provider("GET", user_path(provisioned), headers={"If-None-Match": tag})
    assert (response.status_code, response.content, response["ETag"]) == (304, b"", tag)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_change_needs_the_tag_that_is_named(provider, provisioned, method):
    operation = {"op": "replace", "path": "title", "value": "New"}
    body = {**MIA, "title": "New", "Operations": [operation]}
    old = provider.get(user_path(provisioned))["ETag"]
    provider.patch(user_path(provisioned), {**operation, "value": "Old"})
    response = provider(method, user_path(provisioned), body, headers={"If-Match": old})
    assert_refused(response, 412)
    tag = provider.get(user_path(provisioned))["ETag"]
    response = provider(method, user_path(provisioned), body, headers={"If-Match": tag})
    assert response.status_code in (200, 204)


# Ending


def test_a_user_in_another_team_too_stays_active(provider, provisioned):
    other = MembershipFactory(user=provisioned)
    assert_empty(provider.delete(user_path(provisioned)))
    assert list(provisioned.memberships.all()) == [other]
    assert stored(provisioned).status == "active"


def test_the_team_sees_in_the_feed_that_a_user_was_ended(provider, provisioned, scim_team):
    provider.delete(user_path(provisioned))
    made = Change.objects.filter(user_id=provisioned.pk, door="scim").order_by("id")
    assert [change.teams for change in made] == [[scim_team.pk]] * 2
    assert len({change.trxid for change in made}) == 1
    assert [change.after for change in made] == [
        {"status": "inactive"},
        {"memberships": {str(scim_team.pk): None}},
    ]


def end(provider, user):
    User.objects.filter(pk=user.pk).update(login_id=MIA["userName"], login_key=MIA["userName"])
    assert_empty(provider.delete(user_path(user)))


def test_an_ended_user_is_taken_back_by_another_token_of_the_team(provider, provisioned, scim_team):
    end(provider, provisioned)
    successor = Provider(issue_token(scim_team=scim_team))
    assert made(successor.post("/Users", MIA)) == provisioned
    user = stored(provisioned)
    assert not user.has_usable_password()
    assert (user.first_name, user.last_name, user.status) == ("Mia", "", "active")
    assert user.ended_by_scim_team is None
    assert list(user.memberships.values_list("team", "role")) == [(scim_team.pk, "Team Agent")]


@pytest.mark.parametrize("reason", ["another SCIM team", "in a team", "administrator", "not ended"])
def test_nobody_else_is_taken_back(provider, provisioned, scim_team, reason):
    end(provider, provisioned)
    users = User.objects.filter(pk=provisioned.pk)
    if reason == "another SCIM team":
        provider = Provider(issue_token(scim_team=TeamFactory()))
    elif reason == "in a team":
        MembershipFactory(user=provisioned)
    elif reason == "administrator":
        users.update(role_type="Administrative")
    else:
        users.update(ended_by_scim_team=None)
    before = row(provisioned)
    assert_refused(provider.post("/Users", MIA), 409, "uniqueness")
    assert row(provisioned) == before


def test_taking_back_needs_a_free_email(provider, provisioned, stranger):
    end(provider, provisioned)
    body = {**MIA, "emails": [{"value": stranger.email_id.upper()}]}
    assert_refused(provider.post("/Users", body), 409, "uniqueness")
    assert not provisioned.memberships.exists()


def test_a_token_whose_scim_team_is_gone_has_none(provider, scim_team):
    Team.objects.get(pk=scim_team.pk).delete()
    assert_refused(provider.post("/Users", MIA), 403)
