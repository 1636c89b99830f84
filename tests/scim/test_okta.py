"""What Okta sends, in the order and the form in which it sends it.

Sources: "Okta and SCIM Version 2.0", the reference with each request, and the specification test
that Okta has each integration pass (Runscope), whose steps have their numbers here. Integrations of
the catalogue change users by PATCH, those that a customer makes ("AIW") by PUT of the whole user.
"""

import json

import pytest
from django.contrib.auth import get_user_model

from tests.concurrency.calls import log_in
from tests.database import forget_creations, row, stored
from tests.factories import MembershipFactory, UserFactory, issue_token
from tests.scim.calls import (
    ERROR,
    LIST,
    USER,
    Provider,
    assert_empty,
    assert_refused,
    body_of,
    group_path,
    listed,
    user_path,
)
from users.models import Change, Membership, Session, Team

User = get_user_model()


class Okta(Provider):
    """Okta, which sends a charset and looks at the first hundred."""

    def send(self, method, path, text, content_type="application/scim+json; charset=utf-8"):
        return self(
            method,
            path,
            text.encode(),
            content_type=content_type,
            headers={"User-Agent": "Okta SCIM Client 1.0.0", "Accept-Charset": "utf-8"},
        )


@pytest.fixture
def okta(scim_team, team):
    return Okta(issue_token(team, scim_team=scim_team))


TESS = """{
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
    "userName": "tess@desk.example",
    "name": {
        "givenName": "Tess",
        "familyName": "Olsen"
    },
    "emails": [{
        "primary": true,
        "value": "tess@desk.example",
        "type": "work"
    }],
    "displayName": "Tess Olsen",
    "locale": "en-US",
    "externalId": "00ujl29u0le5T6Aj10h7",
    "groups": [],
    "password": "1mz050nq",
    "active": true
}"""


@pytest.fixture
def tess(okta):
    """A user whom Okta has made."""
    user = User.objects.get(pk=body_of(okta.send("POST", "/Users", TESS), 201)["id"])
    forget_creations()
    return user


# The specification test


def test_step_1_the_users_are_listed(okta, tess):
    body = body_of(okta.get("/Users", count=1, startIndex=1))
    assert body["schemas"] == [LIST]
    assert {type(body[name]) for name in ("itemsPerPage", "startIndex", "totalResults")} == {int}
    [user] = body["Resources"]
    assert user["id"] == str(tess.pk)
    assert user["name"].items() >= {"familyName": "Olsen", "givenName": "Tess"}.items()
    assert user["userName"] == "tess@desk.example"
    assert user["active"] is True
    assert user["emails"][0]["value"] == "tess@desk.example"


def test_step_2_a_user_is_read(okta, tess):
    [in_the_list] = listed(okta.get("/Users", count=1, startIndex=1))
    assert body_of(okta.get(user_path(tess))) == in_the_list


def test_step_3_nobody_has_an_invalid_name(okta):
    body = body_of(okta.get("/Users", filter='userName eq "abcdefgh@desk.example"'))
    assert body == {
        "schemas": [LIST],
        "totalResults": 0,
        "startIndex": 1,
        "itemsPerPage": 0,
        "Resources": [],
    }


@pytest.mark.parametrize(
    "user_id",
    [
        "010101001010101011001010101011",
        "00919288221112222",
        "00000000000000000000",
        "invaliduserid",
        "23a35c27-23d3-4c03-b4c5-6443c09e7173",
    ],
)
def test_steps_4_and_12_a_user_who_is_not_there_is_not_found(okta, user_id):
    assert assert_refused(okta.get(f"/Users/{user_id}"), 404)


CREATION = """{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],\
"userName":"Runscope300Hfluaklab151@desk.example",\
"name":{"givenName":"Runscope300","familyName":"Hfluaklab151"},\
"emails":[{"primary":true,"value":"Runscope300@desk.example","type":"work"}],\
"displayName":"Runscope300 Hfluaklab151","active":true}"""


def test_steps_5_to_9_a_user_is_created_once(okta):
    by_name = {"filter": 'userName eq "Runscope300Hfluaklab151@desk.example"'}
    in_capitals = {"filter": 'userName eq "RUNSCOPE300HFLUAKLAB151@DESK.EXAMPLE"'}
    assert listed(okta.get("/Users", **by_name)) == []
    created = body_of(okta.send("POST", "/Users", CREATION, content_type="application/json"), 201)
    assert created["active"] is True
    assert created["schemas"][0] == USER
    assert created["userName"] == "Runscope300Hfluaklab151@desk.example"
    assert created["name"]["givenName"] == "Runscope300"
    assert created["name"]["familyName"] == "Hfluaklab151"
    assert body_of(okta.get(f"/Users/{created['id']}")) == created
    again = CREATION.replace("Runscope300@", "Runscope300Hfluaklab151@")
    assert_refused(
        okta.send("POST", "/Users", again, content_type="application/json"), 409, "uniqueness"
    )
    for query in (by_name, in_capitals):
        assert listed(okta.get("/Users", **query)) == [created]


def test_step_10_the_groups_are_listed(okta, team):
    assert [group["displayName"] for group in listed(okta.get("/Groups"))] == ["Support"]


def test_step_11_without_a_token_nobody_is_let_in(okta):
    response = okta("GET", "/Users", headers={"Authorization": "non-token"})
    assert assert_refused(response, 401)


# Users


def test_a_user_is_looked_up_and_created(okta, scim_team):
    look_up = {"filter": 'userName eq "tess@desk.example"', "startIndex": 1, "count": 100}
    assert listed(okta.get("/Users", **look_up)) == []
    created = body_of(okta.send("POST", "/Users", TESS), 201)
    assert listed(okta.get("/Users", **look_up)) == [created]
    user = User.objects.get(pk=created["id"])
    assert (user.login_id, user.email_id) == ("tess@desk.example", "tess@desk.example")
    assert (user.first_name, user.last_name) == ("Tess", "Olsen")
    assert user.external_id == created["externalId"] == "00ujl29u0le5T6Aj10h7"
    assert list(user.memberships.values_list("team", "role")) == [(scim_team.pk, "Team Agent")]


def test_the_password_and_the_locale_are_not_kept(okta, tess):
    assert not tess.has_usable_password()
    shown = body_of(okta.get(user_path(tess)))
    assert "password" not in shown
    assert "locale" not in shown
    kept = json.dumps([row(tess), *Change.objects.values("before", "after")], default=str)
    assert "1mz050nq" not in kept
    assert "en-US" not in kept
    assert '"password": "set"' not in kept


def test_a_password_that_is_synced_is_not_kept(okta, tess):
    before = row(tess)
    response = okta.send(
        "PATCH",
        user_path(tess),
        """{
    "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
    "Operations": [{
        "op": "replace",
        "value": {
            "password": "1mz050nq2"
        }
    }]
}""",
    )
    assert body_of(response)["id"] == str(tess.pk)
    assert row(tess) == before


def whole(user, **changed):
    """Return the whole user as Okta has it, with attributes that are not ours."""
    profile = {
        "schemas": [USER],
        "id": str(user.pk),
        "externalId": user.external_id,
        "userName": user.login_id,
        "name": {"givenName": user.first_name, "middleName": "", "familyName": user.last_name},
        "emails": [
            {"primary": True, "value": user.email_id, "type": "work", "display": user.email_id}
        ],
        "displayName": f"{user.first_name} {user.last_name}",
        "locale": "en-US",
        "active": user.status == "active",
        "groups": [],
        "meta": {"resourceType": "User"},
    }
    return json.dumps({**profile, **changed}, indent=4)


def test_a_whole_user_is_put(okta, tess):
    name = {"givenName": "Theresa", "middleName": "Excited", "familyName": "Olsen"}
    body = body_of(okta.send("PUT", user_path(tess), whole(tess, name=name)))
    assert body["name"].items() >= {"givenName": "Theresa", "familyName": "Olsen"}.items()
    assert "middleName" not in body["name"]
    user = stored(tess)
    assert (user.first_name, user.last_name) == ("Theresa", "Olsen")
    assert (user.login_id, user.email_id) == (tess.login_id, tess.email_id)
    assert user.external_id == "00ujl29u0le5T6Aj10h7"
    assert user.status == "active"


def test_what_was_read_can_be_put_back(okta, tess):
    before = row(tess)
    read = body_of(okta.get(user_path(tess)))
    assert body_of(okta.put(user_path(tess), read)) == read
    assert row(tess) == before


def test_a_put_does_not_change_groups(okta, tess, team):
    MembershipFactory(team=team, user=tess)
    okta.send("PUT", user_path(tess), whole(tess, groups=[]))
    assert Membership.objects.filter(team=team, user=tess).exists()


def test_a_put_clears_what_it_leaves_out(okta, tess):
    User.objects.filter(pk=tess.pk).update(job_description="Agent")
    assert "title" not in body_of(okta.send("PUT", user_path(tess), whole(tess)))
    assert stored(tess).job_description == ""


DEACTIVATION = """{
    "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
    "Operations": [{
        "op": "replace",
        "value": {
            "active": false
        }
    }]
}"""


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_user_is_deactivated(okta, tess, method):
    User.objects.filter(pk=tess.pk).update(accepting_chats=True)
    log_in(tess)
    text = DEACTIVATION if method == "PATCH" else whole(tess, active=False)
    assert body_of(okta.send(method, user_path(tess), text))["active"] is False
    assert (stored(tess).status, stored(tess).accepting_chats) == ("inactive", False)
    assert not Session.objects.filter(user=tess).exists()
    assert body_of(okta.get(user_path(tess)))["active"] is False


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_user_is_activated_again(okta, tess, method):
    User.objects.filter(pk=tess.pk).update(status="inactive")
    text = DEACTIVATION.replace("false", "true") if method == "PATCH" else whole(tess, active=True)
    assert body_of(okta.send(method, user_path(tess), text))["active"] is True
    assert stored(tess).status == "active"


def test_users_are_imported_by_pages_of_a_hundred(okta, scim_team):
    for _ in range(205):
        MembershipFactory(team=scim_team, user=UserFactory(password="!"))
    seen = []
    for start in (1, 101, 201):
        response = okta.get("/Users", startIndex=start, count=100)
        assert response.json()["totalResults"] == 205
        assert response.json()["startIndex"] == start
        seen += [user["id"] for user in listed(response)]
    assert seen == sorted(set(seen), key=int)
    assert len(seen) == 205


# Groups


def test_a_group_is_pushed(okta):
    text = """{
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
    "displayName": "Test SCIMv2",
    "members": []
}"""
    response = okta.send("POST", "/Groups", text)
    created = body_of(response, 201)
    assert created["displayName"] == "Test SCIMv2"
    assert body_of(okta.get(f"/Groups/{created['id']}")) == created
    assert Team.objects.get(pk=created["id"]).name == "Test SCIMv2"


def test_a_group_is_pushed_with_its_members(okta, tess):
    text = f"""{{
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
    "displayName": "Test SCIMv2",
    "members": [{{"value": "{tess.pk}", "display": "tess@desk.example"}}]
}}"""
    created = body_of(okta.send("POST", "/Groups", text), 201)
    assert [each["value"] for each in created["members"]] == [str(tess.pk)]
    assert Membership.objects.filter(team=created["id"], user=tess).exists()


def test_a_group_that_exists_is_not_pushed_again(okta, team):
    text = '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "SUPPORT"}'
    assert_refused(okta.send("POST", "/Groups", text), 409, "uniqueness")


def test_groups_are_imported(okta, team):
    assert [group["id"] for group in listed(okta.get("/Groups", startIndex=1, count=100))] == [
        str(team.pk)
    ]


def test_a_group_is_renamed_with_its_id_beside_the_name(okta, team, tess):
    MembershipFactory(team=team, user=tess)
    text = f"""{{
    "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
    "Operations": [{{
        "op": "replace",
        "value": {{
            "id": "{team.pk}",
            "displayName": "Test SCIMv20"
        }}
    }}]
}}"""
    assert_empty(okta.send("PATCH", group_path(team), text))
    team.refresh_from_db()
    assert team.name == "Test SCIMv20"
    assert team.memberships.count() == 1


def test_members_come_and_go_in_one_request(okta, team, tess):
    leaver = MembershipFactory(team=team).user
    stays = MembershipFactory(team=team, role="Team Manager")
    text = rf"""{{
    "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
    "Operations": [{{
          "op": "remove",
          "path": "members[value eq \"{leaver.pk}\"]"
        }},
        {{
          "op": "add",
          "path": "members",
          "value": [{{
              "value": "{tess.pk}",
              "display": "tess@desk.example"
        }}]
    }}]
}}"""
    assert_empty(okta.send("PATCH", group_path(team), text))
    assert dict(team.memberships.values_list("user", "role")) == {
        stays.user_id: "Team Manager",
        tess.pk: "Team Agent",
    }


def test_all_members_are_pushed_at_once(okta, team, tess):
    leaver = MembershipFactory(team=team).user
    stays = MembershipFactory(team=team, role="Team Manager")
    text = f"""{{
  "schemas": [
    "urn:ietf:params:scim:api:messages:2.0:PatchOp"
  ],
  "Operations": [
    {{
      "op": "replace",
      "path": "members",
      "value": [
        {{
          "value": "{tess.pk}",
          "display": "tess@desk.example"
        }},
        {{
          "value": "{stays.user_id}",
          "display": "stays@desk.example"
        }}
      ]
    }}
  ]
}}"""
    assert_empty(okta.send("PATCH", group_path(team), text))
    assert dict(team.memberships.values_list("user", "role")) == {
        stays.user_id: "Team Manager",
        tess.pk: "Team Agent",
    }
    assert body_of(okta.get(user_path(leaver))).get("groups", []) == []


def test_a_whole_group_is_put(okta, team, tess):
    MembershipFactory(team=team)
    text = f"""{{
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
    "id": "{team.pk}",
    "displayName": "Test SCIMv20",
    "members": [{{
        "value": "{tess.pk}",
        "display": "tess@desk.example"
    }}],
    "meta": {{
        "resourceType": "Group"
    }}
}}"""
    body = body_of(okta.send("PUT", group_path(team), text))
    assert body["displayName"] == "Test SCIMv20"
    assert list(team.memberships.values_list("user", flat=True)) == [tess.pk]


def test_a_pushed_group_is_unlinked_and_deleted(okta, tess):
    text = f"""{{
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
    "displayName": "Test SCIMv2",
    "members": [{{"value": "{tess.pk}"}}]
}}"""
    created = body_of(okta.send("POST", "/Groups", text), 201)
    assert_empty(okta.delete(f"/Groups/{created['id']}"))
    assert not Team.objects.filter(pk=created["id"]).exists()
    assert body_of(okta.get(user_path(tess)))["active"] is True


def test_an_error_has_the_form_that_okta_reads(okta):
    body = okta.send(
        "POST", "/Users", '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"]}'
    )
    assert body.status_code == 400
    error = body.json()
    assert error["schemas"] == [ERROR]
    assert (error["status"], error["scimType"]) == ("400", "invalidValue")
    assert "userName" in error["detail"]
    assert "givenName" in error["detail"]
