"""Filters, in every database: what is found, and what is refused."""

import pytest
from django.contrib.auth import get_user_model

from tests.factories import MembershipFactory, TeamFactory, UserFactory, issue_token
from tests.scim.calls import GROUP, USER, Provider, assert_refused, body_of, ids, listed

User = get_user_model()


@pytest.fixture
def people(scim_team):
    fields = {
        "asha": {"first_name": "Åsa", "last_name": "Rao", "external_id": "Ab%", "status": "active"},
        "Bruno": {"first_name": "Bruno", "last_name": "", "job_description": "Team_lead"},
        "chloe": {
            "first_name": "chloé",
            "last_name": "",
            "external_id": "ab1",
            "status": "inactive",
        },
    }
    found = {}
    for name, given in fields.items():
        found[name] = UserFactory(login_id=name, email_id=f"{name}@desk.example", **given)
        MembershipFactory(user=found[name], team=scim_team)
    MembershipFactory(user=UserFactory(login_id="stranger", email_id="x@desk.example"))
    return found


FOUND = [
    ('userName eq "ASHA"', "asha"),
    ('userName ne "asha"', "Bruno chloe"),
    ('userName co "RUN"', "Bruno"),
    ('userName sw "b"', "Bruno"),
    ('userName ew "E"', "chloe"),
    ('userName co "%"', ""),
    ('userName co "_"', ""),
    ("userName pr", "asha Bruno chloe"),
    (f'{USER}:userName eq "asha"', "asha"),
    ('USERNAME EQ "asha"', "asha"),
    ('emails eq "asha@DESK.example"', "asha"),
    ('emails.value co "desk"', "asha Bruno chloe"),
    ('emails[type eq "work"].value eq "asha@desk.example"', "asha"),
    ('emails[type eq "WORK" and value sw "b"]', "Bruno"),
    ('emails[type eq "home" or primary eq true]', "asha Bruno chloe"),
    ('emails[type ne "work"]', ""),
    ('emails.type eq "work" and emails.primary eq "True"', "asha Bruno chloe"),
    ("emails.primary ne true", ""),
    ("active eq true", "asha Bruno"),
    ('active eq "False"', "chloe"),
    ("active ne true", "chloe"),
    ("not (active eq true)", "chloe"),
    ('externalId eq "Ab%"', "asha"),
    ('externalId eq "ab%"', ""),
    ('externalId ne "ab1"', "asha Bruno"),
    ('externalId co "b"', "asha chloe"),
    ('externalId co "B"', ""),
    ('externalId co "%"', "asha"),
    ('externalId sw "A"', "asha"),
    ('externalId sw "a"', "chloe"),
    ('externalId ew "1"', "chloe"),
    ("externalId pr", "asha chloe"),
    ("externalId eq null", "Bruno"),
    ("externalId ne null", "asha chloe"),
    ("not (externalId pr)", "Bruno"),
    ('name.givenName eq "åSA"', "asha"),
    ('name.givenName ew "É"', "chloe"),
    ('name.givenName co "(.*"', ""),
    ('name.familyName eq "rao"', "asha"),
    ('name.familyName pr and not (externalId eq "ab1")', "asha"),
    ('title sw "team_"', "Bruno"),
    ('title sw "teamx"', ""),
    ('title ne "Team_lead"', "asha chloe"),
    ('meta.created gt "2020-01-01T00:00:00Z"', "asha Bruno chloe"),
    ('meta.lastModified le "2020-01-01T00:00:00.5+02:00"', ""),
    ('meta.created ne "2020-01-01T00:00:00Z" and meta.created pr', "asha Bruno chloe"),
    ('userName eq "asha" or userName eq "Bruno" and active eq false', "asha"),
    ('(userName eq "asha" or userName eq "Bruno") and active eq false', ""),
    ('id eq "x" or id eq "-1" or id eq "99999999999999999999" or id eq "1.0"', ""),
    ("id pr", "asha Bruno chloe"),
    (" or ".join(['userName eq "asha"'] * 100), "asha"),
    ("not (" * 20 + 'userName eq "asha"' + ")" * 20, "asha"),
]


@pytest.mark.parametrize(("condition", "names"), FOUND, ids=[each[:60] for each, _ in FOUND])
def test_a_filter_finds(provider, people, condition, names):
    found = ids(provider.get("/Users", filter=condition))
    assert found == [str(people[name].pk) for name in names.split()]


@pytest.mark.parametrize("operator", ["eq", "sw", "ew", "co"])
def test_an_id_is_compared_as_a_text(provider, people, operator):
    key = str(people["asha"].pk)
    assert key in ids(provider.get("/Users", filter=f'id {operator} "{key}"'))
    assert ids(provider.get("/Users", filter=f'id {operator} "0{key}"')) == []


@pytest.mark.parametrize(
    "condition",
    [
        "",
        " ",
        "userName",
        'userName xx "a"',
        "userName eq asha",
        "userName eq 5",
        "userName gt",
        'userName gt "a"',
        "active gt true",
        'active eq "maybe"',
        "active co true",
        'emails.type co "w"',
        "emails.type pr",
        'emails[primary eq "x"]',
        'emails[emails[type eq "work"]]',
        'emails[display eq "x"]',
        'name[givenName eq "x"]',
        'name eq "x"',
        'meta.created gt "yesterday"',
        'meta.created gt "0001-01-01T00:00:00Z"',
        'meta.created gt "2020-01-01T00:00:00"',
        'meta.created co "2020"',
        'groups eq "1"',
        'userType eq "Customer Care"',
        'password eq "x"',
        'displayName eq "x"',
        'urn:ietf:params:scim:schemas:core:2.0:Group:userName eq "x"',
        'urn:ietf:params:scim:schemas:extension:desk:2.0:User:customAttributes.note eq "x"',
        'userName eq "\0"',
        'userName eq "\\u0000"',
        'userName eq "\\ud800"',
        " or ".join(['userName eq "asha"'] * 101),
        'userName eq "' + "x" * 4096 + '"',
        "(" * 2000 + "id pr" + ")" * 2000 + "x",
        "not (" * 500 + "id pr" + ")" * 500,
    ],
    ids=lambda text: ascii(text)[:50],
)
def test_a_filter_is_refused(provider, people, condition):
    assert_refused(provider.get("/Users", filter=condition), 400, "invalidFilter")


def test_a_filter_in_a_body_is_refused_alike(provider):
    response = provider.post("/Users/.search", {"filter": 'userName eq "\ud800"'})
    assert_refused(response, 400, "invalidFilter")
    assert_refused(provider.post("/Users/.search", {"filter": 5}), 400, "invalidFilter")


@pytest.fixture
def teams(scim_team):
    return [TeamFactory(name="Sales", external_id="S1"), TeamFactory(name="Ärzte")]


@pytest.fixture
def of_teams(scim_team, teams):
    return Provider(issue_token(*teams, scim_team=scim_team))


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ('displayName eq "SALES"', [0]),
        ('displayName sw "ä"', [1]),
        ('displayName ne "sales"', [1]),
        ('externalId eq "S1"', [0]),
        ('externalId eq "s1"', []),
        (f'{GROUP}:displayName co "ale"', [0]),
        ('displayName eq "Provisioned"', []),
        ('members eq "x"', []),
    ],
)
def test_groups_are_found(of_teams, teams, condition, found):
    expected = [str(teams[number].pk) for number in found]
    assert ids(of_teams.get("/Groups", filter=condition)) == expected


@pytest.mark.parametrize("member", ["members", "members.value", "members[value"])
def test_groups_are_found_by_a_member(of_teams, teams, member):
    user = MembershipFactory(team=teams[1]).user
    end = "]" if "[" in member else ""
    condition = f'{member} eq "{user.pk}"{end}'
    assert ids(of_teams.get("/Groups", filter=condition)) == [str(teams[1].pk)]


@pytest.mark.parametrize(
    "condition", ['members ne "1"', 'members co "1"', "members pr", 'userName eq "x"']
)
def test_a_filter_of_groups_is_refused(of_teams, condition):
    assert_refused(of_teams.get("/Groups", filter=condition), 400, "invalidFilter")


# Pages, and what is shown of each


@pytest.mark.parametrize(
    ("query", "start", "names"),
    [
        ({}, 1, "asha Bruno chloe"),
        ({"count": 2}, 1, "asha Bruno"),
        ({"startIndex": 3, "count": 2}, 3, "chloe"),
        ({"startIndex": 0}, 1, "asha Bruno chloe"),
        ({"startIndex": -5, "count": 1}, 1, "asha"),
        ({"count": 0}, 1, ""),
        ({"count": -1}, 1, ""),
        ({"count": 10**30}, 1, "asha Bruno chloe"),
        ({"startIndex": 2**63}, 2**63 - 1, ""),
        ({"startIndex": "9" * 5000}, 2**63 - 1, ""),
    ],
    ids=lambda value: str(value)[:40],
)
def test_pages(provider, people, query, start, names):
    response = provider.get("/Users", **query)
    assert ids(response) == [str(people[name].pk) for name in names.split()]
    assert (response.json()["totalResults"], response.json()["startIndex"]) == (3, start)


@pytest.mark.parametrize("query", [{"count": "x"}, {"startIndex": "1.5"}, {"count": "٣"}])
def test_a_page_that_makes_no_sense_is_refused(provider, query):
    assert_refused(provider.get("/Users", **query), 400, "invalidValue")


@pytest.mark.parametrize("query", [{"sortBy": "userName"}, {"sortOrder": "descending"}])
def test_lists_are_not_sorted(provider, query):
    assert_refused(provider.get("/Users", **query), 501)


def test_a_search_is_a_list_by_another_way(provider, people):
    body = {"filter": 'userName eq "asha"', "attributes": ["userName"], "count": 5}
    [found] = listed(provider.post("/Users/.search", body))
    assert set(found) == {"schemas", "id", "userName"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"attributes": "userName"}, {"userName"}),
        ({"attributes": f"{USER}:username, title"}, {"userName", "title"}),
        ({"attributes": "name.givenName,emails.value"}, {"name", "emails"}),
        ({"attributes": "nothing"}, set()),
        ({"excludedAttributes": "name,emails,groups,meta,userType,displayName,id"},
         {"userName", "active", "title"}),
    ],
)  # fmt: skip
def test_what_is_shown(provider, people, query, expected):
    shown = body_of(provider.get(f"/Users/{people['Bruno'].pk}", **query))
    assert set(shown) == {"schemas", "id"} | expected


def test_parts_of_what_is_shown(provider, people):
    path = f"/Users/{people['asha'].pk}"
    shown = body_of(provider.get(path, attributes="name.givenName,emails.value"))
    assert shown["name"] == {"givenName": "Åsa"}
    assert shown["emails"] == [{"value": "asha@desk.example"}]
    shown = body_of(provider.get(path, excludedAttributes="name.givenName"))
    assert shown["name"] == {"familyName": "Rao"}


def test_a_list_takes_the_same_queries_however_long(provider, people, django_assert_num_queries):
    provider.get("/Users")
    # the token, its teams, how many, the page, the definitions
    for _ in range(2):
        with django_assert_num_queries(5):
            provider.get("/Users")
        MembershipFactory.create_batch(5, team_id=people["asha"].memberships.get().team_id)
