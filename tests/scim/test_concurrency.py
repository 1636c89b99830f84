"""Providers and others at the same moment, through a real server with two workers."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from time import sleep

import pytest
from django.contrib.auth import get_user_model

from tests.concurrency.calls import CLIENTS
from tests.factories import (
    AttributeDefinitionFactory,
    MembershipFactory,
    TeamFactory,
    UserFactory,
    issue_token,
)
from tests.scim.calls import GROUP, MEDIA_TYPE, PATCH, USER, group_path, user_path
from users.models import AttributeDefinition, Change, Membership, Team
from users.scim import schemas
from users.scim.schemas import Schemas

pytestmark = pytest.mark.django_db(transaction=True)

User = get_user_model()

DESK = "urn:ietf:params:scim:schemas:extension:desk:2.0:User"


@pytest.fixture
def at_once(server, scim_team, team):
    """Make requests (method, path, body) at once; returns [(HTTP status, body)] in their order."""
    secret = issue_token(team, scim_team=scim_team)
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": MEDIA_TYPE}

    def make(request):
        method, path, body = request
        content = None if body is None else json.dumps(body)
        return server.call(f"/scim/v2{path}", content, headers, method)

    def all_of(requests):
        with ThreadPoolExecutor(CLIENTS) as pool:
            return list(pool.map(make, requests))

    return all_of


def patch(path, *operations):
    return "PATCH", path, {"schemas": [PATCH], "Operations": operations}


def statuses(answers):
    return Counter(status for status, _ in answers)


def new_user(name, email="chloe@desk.example"):
    return {
        "schemas": [USER],
        "userName": name,
        "name": {"givenName": "Chloe"},
        "emails": [{"value": email}],
    }


def test_patches_of_one_user_lose_nothing(at_once, provisioned):
    for n in range(30):
        AttributeDefinitionFactory(name=f"c{n}", type="number")
        AttributeDefinitionFactory(kind="skill", name=f"s{n}", type="text")
    answers = at_once(
        patch(
            user_path(provisioned),
            {"op": "add", "path": f"{DESK}:{kind}Attributes.{kind[0]}{n}", "value": value},
        )
        for n in range(30)
        for kind, value in (("custom", n), ("skill", f"v{n}"))
    )
    assert statuses(answers) == {200: 60}
    provisioned.refresh_from_db()
    assert provisioned.custom_attributes == {f"c{n}": n for n in range(30)}
    assert provisioned.skill_attributes == {f"s{n}": f"v{n}" for n in range(30)}
    assert Change.objects.filter(user_id=provisioned.pk, door="scim").count() == 60


def test_of_threads_that_need_new_schemas_one_builds_them():
    built = []

    def build(definitions):
        built.append(definitions)
        sleep(0.05)  # the others come meanwhile
        return Schemas(definitions)

    kept = schemas._Kept(build)
    definitions = [AttributeDefinition(kind="custom", name="note", type="text")]
    with ThreadPoolExecutor(CLIENTS) as pool:
        found = list(pool.map(kept.get, [definitions] * CLIENTS))
    assert built == [definitions]
    assert len(set(map(id, found))) == 1


def test_patches_of_one_user_by_scim_and_the_call_lose_nothing(
    at_once, server, scim_team, provisioned
):
    headers = {
        "Authorization": f"Bearer {issue_token(scim_team)}",
        "teamid": str(scim_team.pk),
        "Content-Type": "application/json",
    }

    def update(n):
        path, body = f"/api/users/{provisioned.pk}", {"skill_attributes": {f"k{n}": n}}
        return server.call(path, body, headers)[0]

    with ThreadPoolExecutor(4) as pool:
        calls = pool.map(update, range(40))
        answers = at_once(
            patch(user_path(provisioned), {"op": "replace", "path": "title", "value": f"t{n}"})
            for n in range(40)
        )
        assert set(calls) == {200}
    assert statuses(answers) == {200: 40}
    provisioned.refresh_from_db()
    assert provisioned.skill_attributes == {f"k{n}": n for n in range(40)}
    assert provisioned.job_description in {f"t{n}" for n in range(40)}


def test_of_patches_that_name_the_same_version_one_is_made(at_once, server, scim_team, provisioned):
    secret = issue_token(scim_team=scim_team)
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": MEDIA_TYPE}
    path = f"/scim/v2{user_path(provisioned)}"
    version = server.call(path, None, headers, "GET")[1]["meta"]["version"]

    def update(n):
        _, _, body = patch("", {"op": "replace", "path": "title", "value": f"t{n}"})
        return server.call(path, body, {**headers, "If-Match": version})[0]

    with ThreadPoolExecutor(CLIENTS) as pool:
        assert Counter(pool.map(update, range(CLIENTS))) == {200: 1, 412: CLIENTS - 1}


def test_members_who_are_added_to_one_group_are_all_in_it(at_once, scim_team, team):
    users = [MembershipFactory(team=scim_team).user for _ in range(40)]
    answers = at_once(
        patch(
            group_path(team),
            {"op": "Add", "path": "members", "value": [{"$ref": None, "value": str(user.pk)}]},
        )
        for user in users
    )
    assert statuses(answers) == {204: 40}
    assert team.memberships.count() == 40


def test_members_who_come_and_go_end_as_each_was_asked(at_once, scim_team, team):
    joining = [MembershipFactory(team=scim_team).user for _ in range(20)]
    leaving = [MembershipFactory(team=team).user for _ in range(20)]
    requests = []
    for joiner, leaver in zip(joining, leaving, strict=True):
        add = {"op": "add", "path": "members", "value": [{"value": str(joiner.pk)}]}
        remove = {"op": "remove", "path": f'members[value eq "{leaver.pk}"]'}
        requests += [patch(group_path(team), add), patch(group_path(team), remove)]
    assert statuses(at_once(requests)) == {204: 40}
    assert set(team.memberships.values_list("user", flat=True)) == {user.pk for user in joining}
    # Whoever left the last team of the token is in the SCIM team.
    assert set(scim_team.memberships.values_list("user", flat=True)) == {
        user.pk for user in joining + leaving
    }


def test_one_user_is_added_by_many_once(at_once, provisioned, team):
    add = {"op": "add", "path": "members", "value": [{"value": str(provisioned.pk)}]}
    answers = at_once([patch(group_path(team), add)] * CLIENTS)
    assert statuses(answers) == {204: CLIENTS}
    assert Membership.objects.filter(user=provisioned, team=team).count() == 1
    assert Change.objects.filter(user_id=provisioned.pk, door="scim").count() == 1


def test_many_users_are_added_in_any_order_without_deadlock(at_once, scim_team, team):
    users = [MembershipFactory(team=scim_team).user for _ in range(30)]
    entries = [{"value": str(user.pk)} for user in users]
    add = {"op": "add", "path": "members", "value": entries}
    remove = {"op": "remove", "path": "members", "value": entries[::-1]}
    requests = [patch(group_path(team), operation) for operation in [add, remove] * 15]
    assert statuses(at_once(requests)) == {204: 30}
    assert team.memberships.count() in (0, 30)
    assert scim_team.memberships.count() == 30


def test_a_user_who_leaves_all_groups_at_once_stays_visible(at_once, server, scim_team):
    """Each of the groups could be taken for the one that keeps the user visible."""
    teams = [TeamFactory() for _ in range(8)]
    secret = issue_token(*teams, scim_team=scim_team)
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": MEDIA_TYPE}
    users = [UserFactory() for _ in range(4)]
    for user in users:
        for each in teams:
            MembershipFactory(user=user, team=each)

    def leave(pair):
        each, user = pair
        remove = {"op": "remove", "path": "members", "value": [{"value": str(user.pk)}]}
        method, path, body = patch(group_path(each), remove)
        return server.call(f"/scim/v2{path}", body, headers, method)[0]

    with ThreadPoolExecutor(CLIENTS) as pool:
        left = pool.map(leave, [(each, user) for user in users for each in teams])
        assert set(left) == {204}
    for user in users:
        assert list(user.memberships.values_list("team", flat=True)) == [scim_team.pk]


def test_of_users_made_with_one_name_one_is(at_once):
    for round_ in range(4):
        names = ["chloe", "CHLOE", "Chloe", "cHLOE"] * 2
        answers = at_once(
            ("POST", "/Users", new_user(f"{round_}{name}", f"{n}.{round_}@x.org"))
            for n, name in enumerate(names)
        )
        assert statuses(answers) == {201: 1, 409: 7}
        [user] = User.objects.filter(login_key=f"{round_}chloe")
        assert Membership.objects.filter(user=user).count() == 1
        assert Change.objects.filter(user_id=user.pk).count() == 1
        refused = [body for status, body in answers if status == 409]
        assert {body["scimType"] for body in refused} == {"uniqueness"}


def test_of_users_made_with_one_email_one_is(at_once):
    answers = at_once(("POST", "/Users", new_user(f"c{n}")) for n in range(8))
    assert statuses(answers) == {201: 1, 409: 7}
    assert User.objects.filter(email_key="chloe@desk.example").count() == 1


def test_of_groups_made_with_one_name_one_is(at_once):
    answers = at_once(
        ("POST", "/Groups", {"schemas": [GROUP], "displayName": name})
        for name in ["Sales", "SALES", "sales", "sAles"] * 2
    )
    assert statuses(answers) == {201: 1, 409: 7}
    assert Team.objects.filter(name__iexact="sales").count() == 1


def test_of_many_who_take_a_user_back_one_does(at_once, provisioned):
    for _ in range(3):
        assert statuses(at_once([("DELETE", user_path(provisioned), None)])) == {204: 1}
        sent = new_user(provisioned.login_id)
        answers = at_once([("POST", "/Users", sent)] * 8)
        assert statuses(answers) == {201: 1, 409: 7}
        [made] = [body["id"] for status, body in answers if status == 201]
        assert made == str(provisioned.pk)
        assert provisioned.memberships.count() == 1


def test_a_deletion_against_patches_ends_deleted(at_once, scim_team, provisioned):
    for _ in range(3):
        User.objects.filter(pk=provisioned.pk).update(status="active")
        Membership.objects.get_or_create(user=provisioned, team=scim_team)
        requests = [
            patch(user_path(provisioned), {"op": "replace", "value": {"title": f"t{n}"}})
            for n in range(20)
        ]
        requests.insert(8, ("DELETE", user_path(provisioned), None))
        answers = at_once(requests)
        assert answers[8][0] == 204
        assert set(statuses(answers)) <= {200, 204, 404}
        provisioned.refresh_from_db()
        assert provisioned.status == "inactive"
        assert not provisioned.memberships.exists()


def test_of_deletions_at_once_one_is_made(at_once, provisioned):
    answers = at_once([("DELETE", user_path(provisioned), None)] * 8)
    assert statuses(answers) == {204: 1, 404: 7}
    changes = Change.objects.filter(user_id=provisioned.pk, door="scim")
    assert len(set(changes.values_list("trxid"))) == 1


def test_a_deletion_against_additions_to_a_group_hides_nobody_half(at_once, scim_team, team):
    users = [MembershipFactory(team=scim_team).user for _ in range(12)]
    requests = []
    for user in users:
        add = {"op": "add", "path": "members", "value": [{"value": str(user.pk)}]}
        requests += [patch(group_path(team), add), ("DELETE", user_path(user), None)]
    answers = at_once(requests)
    assert set(statuses(answers[1::2])) == {204}
    # Added before the deletion, or no longer there.
    assert set(statuses(answers[::2])) <= {204, 400}
    for user in users:
        user.refresh_from_db()
        assert user.status == "inactive"
        assert not user.memberships.exists()


def test_a_group_that_is_deleted_against_additions_leaves_users_visible(
    at_once, scim_team, provisioned
):
    [(_, made)] = at_once([("POST", "/Groups", {"schemas": [GROUP], "displayName": "Sales"})])
    users = [MembershipFactory(team=scim_team).user for _ in range(12)]
    path = f"/Groups/{made['id']}"
    requests = [
        patch(path, {"op": "add", "path": "members", "value": [{"value": str(user.pk)}]})
        for user in users
    ]
    requests.insert(5, ("DELETE", path, None))
    answers = at_once(requests)
    assert answers[5][0] == 204
    assert set(statuses(answers)) <= {204, 404}
    assert not Team.objects.filter(pk=made["id"]).exists()
    assert scim_team.memberships.count() == 13
