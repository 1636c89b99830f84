"""What Microsoft Entra ID sends, in the order and the form in which it sends it.

Sources: "Develop and plan provisioning for a SCIM endpoint", and "Known issues and resolutions with
SCIM 2.0 protocol compliance": each request there in both forms, with and without the feature flag
`aadOptscim062020`. Operations have capitals, booleans may be strings, and a value that is not there
may be null.
"""

import pytest
from django.contrib.auth import get_user_model

from tests.concurrency.calls import log_in
from tests.database import forget_creations, row, stored
from tests.factories import MembershipFactory, issue_token
from tests.scim.calls import (
    GROUP,
    USER,
    Provider,
    assert_empty,
    assert_refused,
    body_of,
    group_path,
    ids,
    listed,
    user_path,
)
from users.models import Change, Membership, Session, Team

User = get_user_model()

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


class Entra(Provider):
    """Entra ID, which sends its bodies with a charset."""

    def send(self, method, path, text):
        return self(
            method,
            path,
            text.encode(),
            content_type="application/scim+json; charset=utf-8",
        )


@pytest.fixture
def entra(scim_team, team):
    return Entra(issue_token(team, scim_team=scim_team))


BABS = """{
    "schemas": [
        "urn:ietf:params:scim:schemas:core:2.0:User",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
    "externalId": "babs",
    "userName": "Babs@desk.example",
    "active": true,
    "emails": [{
        "primary": true,
        "type": "work",
        "value": "babs.jensen@desk.example"
    }],
    "meta": {
        "resourceType": "User"
    },
    "name": {
        "formatted": "Babs Jensen",
        "familyName": "Jensen",
        "givenName": "Babs"
    },
    "roles": []
}"""


@pytest.fixture
def babs(entra):
    """A user whom Entra ID has made."""
    user = User.objects.get(pk=body_of(entra.send("POST", "/Users", BABS), 201)["id"])
    forget_creations()
    return user


def operation(op, path, value):
    return f"""{{
    "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
    "Operations": [
        {{
            "op": "{op}",
            "path": "{path}",
            "value": {value}
        }}
    ]
}}"""


# The connection test


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/Users", {"filter": 'userName eq "7c3e1a2d-5b1f-4a53-9f0e-6b0d6f6f9f11"'}),
        ("/Users", {"filter": 'externalId eq "7c3e1a2d-5b1f-4a53-9f0e-6b0d6f6f9f11"'}),
        ("/Users", {"filter": 'emails[type eq "work"].value eq "7c3e1a2d@desk.example"'}),
        ("/Groups", {"excludedAttributes": "members", "filter": 'displayName eq "7c3e1a2d"'}),
    ],
    ids=lambda part: part if isinstance(part, str) else part["filter"],
)
def test_the_connection_test_finds_nobody(entra, path, query):
    response = entra.get(path, **query)
    assert listed(response) == []
    assert response.json()["totalResults"] == 0
    assert response.json()["Resources"] == []  # which the RFC lets be absent, and Entra reads


def test_the_schemas_are_a_list_without_nulls(entra):
    response = entra.get("/Schemas")
    assert {USER, GROUP} <= {schema["id"] for schema in listed(response)}
    assert b"null" not in response.content


# Users


def test_a_user_is_created(entra, scim_team):
    response = entra.send("POST", "/Users", BABS)
    body = body_of(response, 201)
    user = User.objects.get(pk=body["id"])
    assert response["Location"].endswith(f"/scim/v2/Users/{user.pk}")
    assert body["meta"]["location"] == response["Location"]
    assert (user.login_id, user.external_id) == ("Babs@desk.example", "babs")
    assert (user.first_name, user.last_name) == ("Babs", "Jensen")
    assert (user.email_id, user.status) == ("babs.jensen@desk.example", "active")
    assert user.role_type == "Customer Care"
    assert not user.has_usable_password()
    assert list(user.memberships.values_list("team", "role")) == [(scim_team.pk, "Team Agent")]
    assert body["name"]["givenName"] == "Babs"
    work = {"value": "babs.jensen@desk.example", "type": "work", "primary": True}
    assert body["emails"] == [work]


def test_the_history_says_who_created_a_user(entra, babs):
    change = Change.objects.get(user_id=babs.pk)
    assert (change.door, change.by_name, change.action) == ("scim", "HR system", "created")


def test_values_that_are_not_there_may_be_null_and_a_schema_misspelt(entra):
    # As the document has it: `2.0User` without a colon.
    text = """{
   "schemas":
   [
     "urn:ietf:params:scim:schemas:core:2.0:User",
     "urn:ietf:params:scim:schemas:extension:enterprise:2.0User"],
   "externalId":"joy",
   "userName":"joy@desk.example",
   "active":true,
   "addresses":null,
   "displayName":"Joy Young",
   "emails": [
     {
       "type":"work",
       "value":"joy@Desk.example",
       "primary":true}],
   "meta": {
     "resourceType":"User"},
    "name":{
     "familyName":"Young",
     "givenName":"Joy"},
   "phoneNumbers":null,
   "preferredLanguage":null,
   "title":null,
   "department":null,
   "manager":null}"""
    body = body_of(entra.send("POST", "/Users", text), 201)
    user = User.objects.get(pk=body["id"])
    # The domain in lower case, as through every door.
    assert (user.login_id, user.email_id) == ("joy@desk.example", "joy@desk.example")
    assert user.job_description == ""


@pytest.mark.parametrize(
    "condition",
    [
        'userName eq "Babs@desk.example"',
        'userName eq "babs@DESK.example"',
        'externalId eq "babs"',
        'emails[type eq "work"].value eq "babs.jensen@desk.example"',
        'emails[type eq "work" and value eq "Babs.Jensen@desk.example"]',
        'emails.value eq "babs.jensen@desk.example"',
        'userName eq "Babs@desk.example" and active eq true',
    ],
)
def test_a_user_is_looked_up(entra, babs, condition):
    assert ids(entra.get("/Users", filter=condition)) == [str(babs.pk)]


def test_a_user_is_read(entra, babs):
    body = body_of(entra.get(user_path(babs)))
    assert body["id"] == str(babs.pk)
    assert body["userName"] == "Babs@desk.example"
    assert body["externalId"] == "babs"
    assert body["active"] is True


@pytest.mark.parametrize(("op", "value"), [("Replace", '"False"'), ("replace", "false")])
def test_a_user_is_disabled(entra, babs, op, value):
    User.objects.filter(pk=babs.pk).update(accepting_chats=True)
    log_in(babs)
    response = entra.send("PATCH", user_path(babs), operation(op, "active", value))
    assert body_of(response)["active"] is False
    assert (stored(babs).status, stored(babs).accepting_chats) == ("inactive", False)
    assert not Session.objects.filter(user=babs).exists()


def test_a_disabled_user_is_still_seen(entra, babs):
    entra.send("PATCH", user_path(babs), operation("Replace", "active", '"False"'))
    assert body_of(entra.get(user_path(babs)))["active"] is False
    assert ids(entra.get("/Users", filter='userName eq "babs@desk.example"')) == [str(babs.pk)]


@pytest.mark.parametrize(("op", "value"), [("Replace", '"True"'), ("replace", "true")])
def test_a_user_is_enabled_again(entra, babs, op, value):
    User.objects.filter(pk=babs.pk).update(status="inactive")
    response = entra.send("PATCH", user_path(babs), operation(op, "active", value))
    assert body_of(response)["active"] is True
    assert stored(babs).status == "active"


def test_the_email_and_the_last_name_change(entra, babs):
    response = entra.send(
        "PATCH",
        user_path(babs),
        r"""{
    "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
    "Operations": [
            {
            "op": "Replace",
            "path": "emails[type eq \"work\"].value",
            "value": "babs.smith@desk.example"
            },
            {
            "op": "Replace",
            "path": "name.familyName",
            "value": "Smith"
            }
    ]
}""",
    )
    body = body_of(response)
    assert body["name"]["familyName"] == "Smith"
    assert body["emails"][0]["value"] == "babs.smith@desk.example"
    assert (stored(babs).email_id, stored(babs).last_name) == ("babs.smith@desk.example", "Smith")


def test_a_user_is_renamed(entra, babs):
    text = operation("Replace", "userName", '"babs.smith@desk.example"')
    assert body_of(entra.send("PATCH", user_path(babs), text))["id"] == str(babs.pk)
    assert stored(babs).login_id == "babs.smith@desk.example"


def test_the_email_is_added_as_if_there_were_none(entra, babs):
    text = operation("Add", r"emails[type eq \"work\"].value", '"b.smith@desk.example"')
    body = body_of(entra.send("PATCH", user_path(babs), text))
    assert [email["value"] for email in body["emails"]] == ["b.smith@desk.example"]


WITHOUT_THE_FLAG = r"""{
    "schemas": [
        "urn:ietf:params:scim:api:messages:2.0:PatchOp"
    ],
    "Operations": [
        {
            "op": "Replace",
            "path": "displayName",
            "value": "Barbara Smith"
        },
        {
            "op": "Replace",
            "path": "emails[type eq \"work\"].value",
            "value": "barbara@desk.example"
        },
        {
            "op": "Replace",
            "path": "name.givenName",
            "value": "Barbara"
        },
        {
            "op": "Replace",
            "path": "name.familyName",
            "value": "Smith"
        },
        {
            "op": "Replace",
            "path": "externalId",
            "value": "barbara"
        },
        {
            "op": "Replace",
            "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber",
            "value": "701984"
        }
    ]
}"""
WITH_THE_FLAG = r"""{
    "schemas": [
        "urn:ietf:params:scim:api:messages:2.0:PatchOp"
    ],
    "Operations": [
        {
            "op": "replace",
            "path": "emails[type eq \"work\"].value",
            "value": "barbara@desk.example"
        },
        {
            "op": "replace",
            "value": {
                "displayName": "Barbara Smith",
                "name.givenName": "Barbara",
                "name.familyName": "Smith",
                "externalId": "barbara",
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber": "7019"
            }
        }
    ]
}"""


@pytest.mark.parametrize("text", [WITHOUT_THE_FLAG, WITH_THE_FLAG], ids=["without flag", "flag"])
def test_several_attributes_change_at_once(entra, babs, text):
    body = body_of(entra.send("PATCH", user_path(babs), text))
    assert body["displayName"] == "Barbara Smith"
    user = stored(babs)
    assert (user.first_name, user.last_name) == ("Barbara", "Smith")
    assert (user.email_id, user.external_id) == ("barbara@desk.example", "barbara")


IGNORED = [
    ("displayName", '"Somebody Else"'),
    ("nickName", '"Babs"'),
    ("preferredLanguage", '"en-US"'),
    ("manager", '[{"$ref": "http://desk.example/scim/Users/7", "value": "7"}]'),
    (f"{ENTERPRISE}:manager", '"7"'),
    (f"{ENTERPRISE}:department", '"Sales"'),
    (f"{ENTERPRISE}:employeeNumber", '"701984"'),
    (r"phoneNumbers[type eq \"mobile\"].value", '"+4930123"'),
    (r"phoneNumbers[type eq \"work\"].value", '"+4930456"'),
    (r"phoneNumbers[type eq \"fax\"].value", '"+4930789"'),
    (r"addresses[type eq \"work\"].streetAddress", '"Unter den Linden 1"'),
    (r"addresses[type eq \"work\"].postalCode", '"10117"'),
    (r"addresses[type eq \"other\"].formatted", '"Berlin"'),
    (r"roles[primary eq \"True\"].value", '"Agent"'),
]


@pytest.mark.parametrize("op", ["Add", "Replace"])
@pytest.mark.parametrize(("path", "value"), IGNORED, ids=[path for path, _ in IGNORED])
def test_what_is_not_ours_is_ignored(entra, babs, op, path, value):
    before = row(babs)
    body = body_of(entra.send("PATCH", user_path(babs), operation(op, path, value)))
    assert body["displayName"] == "Babs Jensen"
    assert ENTERPRISE not in body
    assert row(babs) == before


def test_what_is_not_ours_is_ignored_beside_what_is(entra, babs):
    text = r"""{
    "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
    "Operations": [
        {"op": "Add", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+4930123"},
        {"op": "Add", "path": "title", "value": "Team lead"},
        {"op": "Add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
         "value": "7"}
    ]
}"""
    assert body_of(entra.send("PATCH", user_path(babs), text))["title"] == "Team lead"
    assert stored(babs).job_description == "Team lead"


def test_a_value_is_removed(entra, babs):
    User.objects.filter(pk=babs.pk).update(job_description="Agent")
    text = """{
    "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
    "Operations": [{"op": "Remove", "path": "title"}]
}"""
    assert not body_of(entra.send("PATCH", user_path(babs), text)).get("title")
    assert stored(babs).job_description == ""


def test_the_emails_of_the_validator_leave_one(entra, babs):
    """The SCIM validator's request for emails of three types, of which one is ours."""
    text = r"""{
    "Operations": [
        {"op": "replace", "path": "emails[type eq \"work\"].value", "value": "w@desk.example"},
        {"op": "add", "path": "emails[type eq \"home\"].value", "value": "h@desk.example"},
        {"op": "add", "path": "emails[type eq \"other\"].value", "value": "o@desk.example"},
        {"op": "replace", "path": "emails[type eq \"work\"].display", "value": "0TXBC2"},
        {"op": "replace", "path": "emails[type eq \"home\"].display", "value": "14UDKF"},
        {"op": "replace", "path": "emails[type eq \"work\"].primary", "value": true},
        {"op": "replace", "path": "emails[type eq \"home\"].primary", "value": false}
    ],
    "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]
}"""
    body = body_of(entra.send("PATCH", user_path(babs), text))
    assert body["emails"] == [{"value": "w@desk.example", "type": "work", "primary": True}]


def test_a_deleted_user_is_gone_and_the_row_stays(entra, babs):
    assert_empty(entra.delete(user_path(babs)))
    assert_refused(entra.get(user_path(babs)), 404)
    assert listed(entra.get("/Users", filter='userName eq "Babs@desk.example"')) == []
    assert stored(babs).status == "inactive"
    assert not babs.memberships.exists()


def test_a_deleted_user_comes_back_with_the_same_id(entra, babs):
    entra.delete(user_path(babs))
    assert body_of(entra.send("POST", "/Users", BABS), 201)["id"] == str(babs.pk)
    assert body_of(entra.get(user_path(babs)))["active"] is True


def test_a_user_is_created_once(entra, babs):
    assert_refused(entra.send("POST", "/Users", BABS), 409, "uniqueness")


# Groups

AGENTS = """{
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group", \
"http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
    "externalId": "8aa1a0c0",
    "displayName": "Agents",
    "meta": {
        "resourceType": "Group"
    }
}"""


def test_a_group_is_created(entra):
    response = entra.send("POST", "/Groups", AGENTS)
    body = body_of(response, 201)
    assert (body["displayName"], body["externalId"]) == ("Agents", "8aa1a0c0")
    assert body.get("members", []) == []
    assert response["Location"].endswith(f"/scim/v2/Groups/{body['id']}")
    team = Team.objects.get(pk=body["id"])
    assert (team.name, team.external_id) == ("Agents", "8aa1a0c0")


def test_a_group_is_read_without_its_members(entra, team, babs):
    MembershipFactory(team=team, user=babs)
    body = body_of(entra.get(group_path(team), excludedAttributes="members"))
    assert (body["id"], body["displayName"]) == (str(team.pk), "Support")
    assert "members" not in body


@pytest.mark.parametrize("name", ["Support", "SUPPORT"])
def test_a_group_is_looked_up(entra, team, name):
    found = entra.get("/Groups", excludedAttributes="members", filter=f'displayName eq "{name}"')
    assert ids(found) == [str(team.pk)]


def test_a_group_is_renamed(entra, team):
    text = operation("Replace", "displayName", '"First level"')
    assert_empty(entra.send("PATCH", group_path(team), text))
    team.refresh_from_db()
    assert team.name == "First level"


def member(user):
    return f'[{{"$ref": null, "value": "{user.pk}"}}]'


def test_members_are_added_and_removed_one_by_one(entra, team):
    users = []
    for n in range(3):
        text = BABS.replace("Babs@", f"babs{n}@").replace("babs.jensen@", f"babs.jensen{n}@")
        created = body_of(entra.send("POST", "/Users", text), 201)
        users.append(User.objects.get(pk=created["id"]))
    for user in users:
        add = operation("Add", "members", member(user))
        assert_empty(entra.send("PATCH", group_path(team), add))
    shown = body_of(entra.get(group_path(team)))["members"]
    assert sorted(int(each["value"]) for each in shown) == [user.pk for user in users]
    for left, user in enumerate(users, 1):
        remove = operation("Remove", "members", member(user))
        assert_empty(entra.send("PATCH", group_path(team), remove))
        assert team.memberships.count() == len(users) - left
        assert not Membership.objects.filter(team=team, user=user).exists()


def test_a_member_is_added_as_an_agent(entra, team, babs):
    assert_empty(entra.send("PATCH", group_path(team), operation("Add", "members", member(babs))))
    assert Membership.objects.get(team=team, user=babs).role == "Team Agent"
    groups = body_of(entra.get(user_path(babs)))["groups"]
    assert [group["value"] for group in groups] == [str(team.pk)]


def test_a_member_who_is_added_again_keeps_the_role(entra, team, babs):
    MembershipFactory(team=team, user=babs, role="Team Manager")
    lines = Change.objects.count()
    assert_empty(entra.send("PATCH", group_path(team), operation("Add", "members", member(babs))))
    assert Membership.objects.get(team=team, user=babs).role == "Team Manager"
    assert Change.objects.count() == lines


REMOVALS = [
    ("Remove", "members", '[{{"$ref": null, "value": "{}"}}]'),
    ("Remove", "members", '[{{"value": "{}"}}]'),
    ("remove", r"members[value eq \"{}\"]", "null"),
]


@pytest.mark.parametrize(("op", "path", "value"), REMOVALS)
def test_only_the_named_member_is_removed(entra, team, babs, op, path, value):
    other = MembershipFactory(team=team)
    MembershipFactory(team=team, user=babs)
    text = operation(op, path.format(babs.pk), value.format(babs.pk))
    assert_empty(entra.send("PATCH", group_path(team), text))
    assert list(team.memberships.all()) == [other]


def test_a_member_who_is_not_in_it_is_removed_without_error(entra, team, babs):
    text = operation("Remove", "members", member(babs))
    assert_empty(entra.send("PATCH", group_path(team), text))


def test_members_are_added_and_removed_in_one_request(entra, team, babs):
    leaver = MembershipFactory(team=team).user
    text = f"""{{
    "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
    "Operations": [
        {{"op": "Add", "path": "members", "value": [{{"$ref": null, "value": "{babs.pk}"}}]}},
        {{"op": "Remove", "path": "members", "value": [{{"$ref": null, "value": "{leaver.pk}"}}]}}
    ]
}}"""
    assert_empty(entra.send("PATCH", group_path(team), text))
    assert list(team.memberships.values_list("user", flat=True)) == [babs.pk]


@pytest.mark.parametrize("found", [True, False])
def test_it_is_asked_whether_a_group_has_a_member(entra, team, babs, found):
    if found:
        MembershipFactory(team=team, user=babs)
    condition = f'id eq "{team.pk}" and members eq "{babs.pk}"'
    shown = listed(entra.get("/Groups", filter=condition, attributes="id"))
    assert [group["id"] for group in shown] == [str(team.pk)] * found
    assert all("members" not in group for group in shown)


def test_a_group_that_was_pushed_is_deleted_and_its_members_stay(entra, babs):
    group = Team.objects.get(pk=body_of(entra.send("POST", "/Groups", AGENTS), 201)["id"])
    entra.send("PATCH", group_path(group), operation("Add", "members", member(babs)))
    assert_empty(entra.delete(group_path(group)))
    assert_refused(entra.get(group_path(group)), 404)
    assert not Team.objects.filter(pk=group.pk).exists()
    assert body_of(entra.get(user_path(babs)))["active"] is True


def test_a_group_of_an_operator_is_not_deleted(entra, team):
    assert_refused(entra.delete(group_path(team)), 403)
    assert Team.objects.filter(pk=team.pk).exists()


# Many


@pytest.fixture
def thousands(scim_team):
    """5,000 users of the SCIM team."""
    users = User.objects.bulk_create(
        User(login_id=f"a{n}", email_id=f"a{n}@desk.example", first_name="A", password="!")
        for n in range(5000)
    )
    Membership.objects.bulk_create(Membership(user=user, team=scim_team) for user in users)
    return users


def test_5000_members_are_pushed_and_shown(entra, team, thousands):
    for part in range(0, 5000, 1000):
        members = ", ".join(f'{{"value": "{user.pk}"}}' for user in thousands[part : part + 1000])
        text = operation("Add", "members", f"[{members}]")
        assert_empty(entra.send("PATCH", group_path(team), text))
    shown = body_of(entra.get(group_path(team)))["members"]
    assert len({each["value"] for each in shown}) == len(shown) == 5000


def test_one_member_of_5000_is_changed_by_itself(
    entra, team, thousands, babs, django_assert_max_num_queries
):
    Membership.objects.bulk_create(Membership(user=user, team=team) for user in thousands)
    forget_creations()
    for op in ("Add", "Remove"):
        text = operation(op, "members", member(babs))
        with django_assert_max_num_queries(30) as queries:
            assert_empty(entra.send("PATCH", group_path(team), text))
        # None of them names the members that stay.
        assert not [query for query in queries.captured_queries if len(query["sql"]) > 20_000]
    assert team.memberships.count() == 5000


def test_all_users_are_paged_through(entra, thousands):
    seen, start = [], 1
    while page := ids(entra.get("/Users", startIndex=start, count=200)):
        seen += page
        start += len(page)
    assert seen == [str(user.pk) for user in thousands]
