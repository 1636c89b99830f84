"""Groups: how they are made, changed and deleted, and who is in them."""

import pytest

from tests.database import stored
from tests.factories import (
    AdministratorFactory,
    MembershipFactory,
    TeamFactory,
    UserFactory,
    an_hour_ago,
    issue_token,
)
from tests.scim.calls import (
    GROUP,
    Provider,
    assert_empty,
    assert_refused,
    body_of,
    group_path,
    ids,
    user_path,
)
from users.models import AccessToken, Change, Membership, Team


@pytest.fixture
def team(db):
    return TeamFactory(name="Sales")


@pytest.fixture
def provider(scim_team, team):
    return Provider(issue_token(team, scim_team=scim_team))


def members_of(team):
    return dict(team.memberships.values_list("user", "role"))


def add(*users):
    return {"op": "add", "path": "members", "value": [{"value": str(user.pk)} for user in users]}


def make(provider, **fields):
    body = body_of(provider.post("/Groups", {"schemas": [GROUP], **fields}), 201)
    return Team.objects.get(pk=body["id"])


# Making and reading


def test_a_group_is_made_granted_and_marked(provider, provisioned, scim_team):
    entries = [{"value": str(provisioned.pk)}]
    made = make(provider, displayName=" Support ", externalId="g1", members=entries)
    assert (made.name, made.external_id, made.made_by_scim) == ("Support", "g1", True)
    assert members_of(made) == {provisioned.pk: "Team Agent"}
    assert str(made.pk) in ids(provider.get("/Groups"))
    assert provisioned.memberships.filter(team=scim_team).exists()


def test_a_group_is_shown_as_the_contract_has_it(provider, team, provisioned):
    MembershipFactory(team=team, user=provisioned)
    body = body_of(provider.get(group_path(team)))
    meta = body.pop("meta")
    [member] = body.pop("members")
    assert body == {"schemas": [GROUP], "id": str(team.pk), "displayName": "Sales"}
    assert (member["value"], member["type"]) == (str(provisioned.pk), "User")
    assert member["$ref"].endswith(f"/scim/v2/Users/{provisioned.pk}")
    assert meta["location"].endswith(f"/scim/v2/Groups/{team.pk}")


@pytest.mark.parametrize("query", [{"excludedAttributes": "members"}, {"attributes": "externalId"}])
def test_members_that_are_not_shown_are_not_read(provider, team, query, django_assert_num_queries):
    MembershipFactory.create_batch(2, team=team)
    provider.get("/Groups")
    with django_assert_num_queries(4):  # the token, its teams, how many, the page
        provider.get("/Groups", **query)
    with django_assert_num_queries(3):  # the token, its teams, the Group
        assert "members" not in body_of(provider.get(group_path(team), **query))


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "displayName"),
        ({"displayName": " "}, "displayName"),
        ({"displayName": "x" * 151}, "displayName"),
        ({"displayName": "\u200b"}, "displayName"),
        ({"displayName": 5}, "displayName"),
        ({"displayName": "A", "externalId": 5}, "externalId"),
        ({"displayName": "A", "members": "x"}, "members"),
        ({"displayName": "A", "members": [{}]}, "members"),
        ({"displayName": "A", "members": [{"value": "7"}]}, "members"),
        ({"displayName": "A", "members": [{"value": 10**400}]}, "members"),
    ],
)
def test_what_is_wrong_is_named(provider, team, body, named):
    assert named in assert_refused(provider.post("/Groups", body), 400, "invalidValue")
    assert named in assert_refused(provider.put(group_path(team), body), 400, "invalidValue")
    assert sorted(Team.objects.values_list("name", flat=True)) == ["Provisioned", "Sales"]


def test_groups_are_not_nested(provider, team, provisioned):
    entries = [{"value": str(provisioned.pk), "type": "Group"}]
    operation = {"op": "add", "path": "members", "value": entries}
    assert_refused(provider.patch(group_path(team), operation), 400, "invalidValue")


def test_a_name_is_unique_whatever_the_case(provider, team):
    other = make(provider, displayName="Support")
    operation = {"op": "replace", "path": "displayName", "value": "SALES"}
    assert_refused(provider.patch(group_path(other), operation), 409, "uniqueness")
    assert_refused(provider.post("/Groups", {"displayName": "sales"}), 409, "uniqueness")


# Members


def test_a_member_keeps_the_role(provider, team):
    manager = MembershipFactory(team=team, role="Team Manager").user
    assert_empty(provider.patch(group_path(team), add(manager)))
    body_of(provider.put(group_path(team), {"displayName": "Sales", **as_members(manager)}))
    assert members_of(team) == {manager.pk: "Team Manager"}


def as_members(*users):
    return {"members": [{"value": str(user.pk)} for user in users]}


def test_whoever_leaves_the_last_team_joins_the_scim_team(provider, team, scim_team):
    user = MembershipFactory(team=team).user
    operation = {"op": "remove", "path": f'members[value eq "{user.pk}"]'}
    assert_empty(provider.patch(group_path(team), operation))
    assert dict(user.memberships.values_list("team", "role")) == {scim_team.pk: "Team Agent"}
    body_of(provider.get(user_path(user)))


def test_whoever_stays_in_another_team_of_the_token_does_not(provider, team, scim_team):
    other = make(provider, displayName="Support")
    user = MembershipFactory(team=team).user
    MembershipFactory(team=other, user=user)
    provider.patch(group_path(team), {"op": "remove", "path": "members"})
    assert list(user.memberships.values_list("team", flat=True)) == [other.pk]


@pytest.mark.parametrize(
    ("operation", "left"),
    [
        ({"op": "remove", "path": "members"}, ""),
        ({"op": "Remove", "path": "members", "value": [{"$ref": None, "value": "{a}"}]}, "b"),
        ({"op": "remove", "path": "members", "value": {"value": "{a}"}}, "b"),
        ({"op": "remove", "path": "members", "value": []}, "a b"),
        ({"op": "remove", "path": "members", "value": [{"value": "999999"}]}, "a b"),
        ({"op": "remove", "path": 'members[value eq "{a}"]'}, "b"),
        ({"op": "remove", "path": 'members[value eq "{a}" or value eq "{b}"]'}, ""),
        ({"op": "remove", "path": 'members[value eq "{a}" and type eq "User"]'}, "b"),
        ({"op": "remove", "path": 'members[type eq "User"]'}, ""),
        ({"op": "remove", "path": 'members[value eq "none"]'}, "a b"),
        ({"op": "remove", "path": f'{GROUP}:MEMBERS[VALUE EQ "{{a}}"]'}, "b"),
        ({"op": "add", "path": "members", "value": {"value": "{c}"}}, "a b c"),
        ({"op": "replace", "path": "members", "value": [{"value": "{c}"}]}, "c"),
        ({"op": "replace", "path": "members", "value": None}, ""),
        ({"op": "replace", "path": 'members[value eq "{c}"]', "value": {"value": "{c}"}}, "a b c"),
        ({"op": "replace", "value": {"members": [{"value": "{b}"}]}}, "b"),
        ({"op": "add", "value": {"Members": [{"value": "{c}"}], "unknown": 5}}, "a b c"),
        ({"op": "replace", "path": "members.display", "value": "x"}, "a b"),
        ({"op": "replace", "path": "urn:other:2.0:Group:members", "value": []}, "a b"),
    ],
    ids=lambda value: str(value)[:70],
)
def test_members_come_and_go(provider, team, provisioned, operation, left):
    users = {"a": MembershipFactory(team=team).user, "b": MembershipFactory(team=team).user}
    users["c"] = provisioned

    def filled(part):
        if isinstance(part, str):
            for name, user in users.items():
                part = part.replace(f"{{{name}}}", str(user.pk))
            return part
        if isinstance(part, dict):
            return {name: filled(each) for name, each in part.items()}
        return [filled(each) for each in part] if isinstance(part, list) else part

    assert_empty(provider.patch(group_path(team), filled(operation)))
    assert members_of(team).keys() == {users[name].pk for name in left.split()}


@pytest.mark.parametrize(
    ("operation", "scim_type"),
    [
        ({"op": "remove"}, "noTarget"),
        ({"op": "remove", "path": "displayName"}, "mutability"),
        ({"op": "replace", "path": "id", "value": "7"}, "mutability"),
        ({"op": "replace", "path": 'members[value eq "1"].value', "value": "7"}, "mutability"),
        ({"op": "replace", "path": "members["}, "invalidValue"),
        ({"op": "replace", "path": "members[", "value": []}, "invalidPath"),
        ({"op": "remove", "path": 'members[value ne "1"]'}, "invalidPath"),
        ({"op": "add", "path": "members"}, "invalidValue"),
        ({"op": "add", "path": "members", "value": ["1"]}, "invalidValue"),
        ({"op": "replace", "value": "x"}, "invalidValue"),
        ({"op": "x", "path": "members"}, "invalidValue"),
    ],
)
def test_an_operation_is_refused_and_all_before_it_undone(
    provider, team, provisioned, operation, scim_type
):
    response = provider.patch(group_path(team), add(provisioned), operation)
    assert_refused(response, 400, scim_type)
    assert members_of(team) == {}


def test_an_administrator_may_be_a_member(provider, team, scim_team):
    administrator = MembershipFactory(user=AdministratorFactory(), team=scim_team).user
    assert_empty(provider.patch(group_path(team), add(administrator)))
    assert administrator.pk in members_of(team)


def test_the_history_names_the_provider(provider, team, provisioned):
    provider.patch(group_path(team), add(provisioned))
    change = Change.objects.filter(user_id=provisioned.pk).latest("id")
    assert (change.door, change.by_name) == ("scim", "HR system")
    assert change.after == {"memberships": {str(team.pk): "Team Agent"}}


@pytest.fixture
def thousands(team):
    users = [
        UserFactory.build(login_id=f"m{n}", email_id=f"m{n}@desk.example", password="!")
        for n in range(5000)
    ]
    type(users[0]).objects.bulk_create(users)
    Membership.objects.bulk_create(Membership(team=team, user=user) for user in users)
    return users


def test_one_of_thousands_comes_and_goes_without_the_others(
    provider, team, provisioned, thousands, django_assert_max_num_queries
):
    removal = {"op": "remove", "path": f'members[value eq "{thousands[7].pk}"]'}
    provider.get("/Groups", count=0)
    # As many as in a Group of few: the token, its teams, the Group's lock, who is a member, who is
    # seen, the users' locks and who is seen then, teams that stay, the members once more; for the
    # one who comes and the other who goes, the memberships and the history; and the transaction.
    with django_assert_max_num_queries(40):
        assert_empty(provider.patch(group_path(team), add(provisioned), removal))
    assert team.memberships.count() == 5000


def test_thousands_are_pushed_and_cleared(provider, scim_team, thousands):
    for user in Membership.objects.filter(user__in=[thousands[0].pk]):
        assert user.team.name == "Sales"
    made = make(provider, displayName="All", **as_members(*thousands))
    assert made.memberships.count() == 5000
    read = body_of(provider.get(group_path(made)))
    assert len(read["members"]) == 5000
    assert body_of(provider.put(group_path(made), read))["meta"] == read["meta"]
    body_of(provider.put(group_path(made), {"displayName": "All"}))
    assert not made.memberships.exists()
    assert not scim_team.memberships.exists()


# Entity tags


def test_a_group_that_is_known_is_not_sent_again(provider, team):
    MembershipFactory(team=team)
    for query in ("", "?excludedAttributes=members"):
        path = f"{group_path(team)}{query}"
        tag = provider.get(path)["ETag"]
        response = provider("GET", path, headers={"If-None-Match": tag})
        assert (response.status_code, response.content) == (304, b"")


@pytest.mark.parametrize("query", ["", "?excludedAttributes=members"])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_change_needs_the_tag_that_is_named(provider, query, method):
    team = make(provider, displayName="Support")
    tag = provider.get(f"{group_path(team)}{query}")["ETag"]
    Team.objects.filter(pk=team.pk).update(external_id="changed")
    operation = {"op": "replace", "path": "externalId", "value": "new"}
    body = {"displayName": "Support", "Operations": [operation]}
    assert_refused(provider(method, group_path(team), body, headers={"If-Match": tag}), 412)
    tag = provider.get(f"{group_path(team)}{query}")["ETag"]
    response = provider(method, group_path(team), body, headers={"If-Match": tag})
    assert response.status_code in (200, 204)


# Deleting


def test_a_group_that_scim_made_is_deleted_and_its_members_stay(provider, scim_team):
    made = make(provider, displayName="Support")
    user = MembershipFactory(team=made).user
    assert_empty(provider.delete(group_path(made)))
    assert not Team.objects.filter(pk=made.pk).exists()
    assert list(user.memberships.values_list("team", flat=True)) == [scim_team.pk]
    assert stored(user).status == "active"


def test_an_operators_team_is_not_deleted(provider, team):
    assert_refused(provider.delete(group_path(team)), 403)
    assert Team.objects.filter(pk=team.pk).exists()


@pytest.mark.parametrize("granted", ["teams", "scim_team"])
def test_a_group_that_another_token_is_granted_is_not_deleted(provider, granted):
    made = make(provider, displayName="Support")
    issue_token(made) if granted == "teams" else issue_token(scim_team=made)
    assert_refused(provider.delete(group_path(made)), 403)


@pytest.mark.parametrize("ended", [{"revoked_at": an_hour_ago()}, {"expires_at": an_hour_ago()}])
def test_a_token_that_lets_nobody_in_keeps_no_group(provider, ended):
    made = make(provider, displayName="Support")
    issue_token(made, **ended)
    assert_empty(provider.delete(group_path(made)))


def test_a_group_is_granted_to_the_token_that_made_it_alone(provider, scim_team):
    other = Provider(issue_token(scim_team=scim_team))
    made = make(provider, displayName="Support")
    assert_refused(other.get(group_path(made)), 404)
    assert AccessToken.objects.filter(teams=made).count() == 1
