"""`PATCH /api/users`: many users, each judged and answered alone, in one transaction."""

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.assertions import TABLE, assert_refused
from tests.concurrency.calls import log_in
from tests.database import data_statements, forget_creations, row, store
from tests.factories import (
    AdministratorFactory,
    ChoiceFactory,
    MembershipFactory,
    TeamFactory,
    UserFactory,
    issue_token,
)
from users.models import Change, Membership, Session

User = get_user_model()


@pytest.fixture
def bulk(call):
    """Make the call with these items."""

    def make(*items, query="", headers=None):
        return call({"users": items}, path=f"/api/users{query}", headers=headers)

    return make


@pytest.fixture
def others(team):
    """Two more members of the team."""
    users = UserFactory.create_batch(2)
    for user in users:
        MembershipFactory(user=user, team=team)
    forget_creations()
    return users


def outcomes(response):
    """Return what is answered to the items: (id, status_code, response)."""
    envelope = response.json()
    items = envelope["response"]["users"]
    updated = all(item["status_code"] == 4309 for item in items)
    assert (envelope["status_code"], response.status_code) == (
        (4309, 200) if updated else (9207, 207)
    )
    assert envelope["description"] == TABLE[envelope["status_code"]].description
    for item in items:
        assert list(item) == ["id", "status_code", "description", "response"]
        assert item["description"] == TABLE[item["status_code"]].description
    return [(item["id"], item["status_code"], item["response"]) for item in items]


def refusal(response):
    """Return what is answered to the one item: its id, code and errors."""
    [(user_id, code, refused)] = outcomes(response)
    assert list(refused) in ([], ["errors"])
    return user_id, code, refused.get("errors")


def test_users_are_named_by_id_or_by_login_id_in_any_case(bulk, call, user, others, business):
    one, other = others
    response = bulk(
        {"id": other.pk, "first_name": "Bruno"},
        {"login_id": user.login_id.upper(), "custom_attributes": {"business": "Banking"}},
        {"login_id": f"\uff41{one.login_id[1:]}", "status": "inactive"},
    )
    assert [(i, code) for i, code, _ in outcomes(response)] == [
        (other.pk, 4309),
        (user.pk, 4309),
        (one.pk, 4309),
    ]
    for user_id, _, updated in outcomes(response):
        assert updated == call(method="GET", path=f"/api/users/{user_id}").json()["response"]
    assert User.objects.get(pk=other.pk).first_name == "Bruno"
    assert User.objects.get(pk=user.pk).custom_attributes == {"business": "Banking"}
    assert User.objects.get(pk=one.pk).status == "inactive"


def test_attributes_are_merged(bulk, user):
    [(_, _, updated)] = outcomes(bulk({"id": user.pk, "skill_attributes": {"go": 1, "x": None}}))
    assert updated["skill_attributes"] == {"chess": 3, "go": 1}


def test_what_is_right_is_done_and_what_is_not_is_left(bulk, user, others, business, location):
    one, other = others
    stored = row(one), row(other)
    response = bulk(
        {"id": one.pk, "custom_attributes": {"business": "Bakery"}, "last_name": "B"},
        {"id": user.pk, "first_name": "Bruno"},
        {"login_id": other.login_id, "custom_attributes": {"location": 3}, "last_name": "B"},
    )
    choice = {"custom_attributes": {"business": ["Must be one of: 'Retail', 'Banking'."]}}
    text = {"custom_attributes": {"location": ["Must be a string, not a number."]}}
    answers = outcomes(response)
    assert answers[0] == (one.pk, 3107, {"errors": choice})
    assert answers[1][:2] == (user.pk, 4309)
    assert answers[2] == (other.pk, 3110, {"errors": text})
    assert (row(one), row(other)) == stored
    assert User.objects.get(pk=user.pk).first_name == "Bruno"


def test_an_item_that_changes_nothing_is_updated_and_writes_nothing(bulk, user):
    before, number = row(user), Change.objects.count()
    [(_, code, _)] = outcomes(bulk({"id": user.pk, "first_name": " Asha "}))
    assert (code, row(user), Change.objects.count()) == (4309, before, number)


@pytest.mark.parametrize("user_id", [0, -1, 99_999_999, 2**63 - 1, 2**63, 10**300])
def test_an_id_that_no_user_has_is_not_found(bulk, user_id):
    assert refusal(bulk({"id": user_id, "first_name": ""})) == (user_id, 3101, None)


@pytest.mark.parametrize("login_id", ["", "nobody", "x" * 451, "\u200b", "agent0@desk.example"])
def test_a_login_id_that_nobody_has_is_not_found(bulk, login_id):
    assert refusal(bulk({"login_id": login_id, "x": 1})) == (None, 3101, None)


def test_a_user_of_another_team_is_not_found(bulk, team):
    outsider = MembershipFactory(team=TeamFactory()).user
    assert refusal(bulk({"id": outsider.pk, "last_name": "B"})) == (outsider.pk, 3101, None)
    assert refusal(bulk({"login_id": outsider.login_id, "last_name": "B"})) == (None, 3101, None)


@pytest.mark.parametrize(
    ("value", "type_"),
    [("1", "a string"), (1.5, "a number"), (True, "a boolean"), (None, "null"), ([], "a list")],
)
def test_another_type_is_no_id(bulk, value, type_):
    errors = {"id": [f"Must be an integer, not {type_}."]}
    assert refusal(bulk({"id": value, "last_name": "B"})) == (None, 3115, errors)


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (1, "Must be a string, not a number."),
        (None, "Must be a string, not null."),
        ("a\0", "Must not contain the character U+0000."),
        ("\ud800", "Must not contain a lone surrogate."),
    ],
)
def test_another_type_is_no_login_id(bulk, value, error):
    assert refusal(bulk({"login_id": value})) == (None, 3115, {"login_id": [error]})


ONE_NAME = {"body": ["Must name its user by 'id' or 'login_id', and not by both."]}


def test_an_item_names_its_user_once(bulk, user):
    both = {"id": user.pk, "login_id": user.login_id, "last_name": "B"}
    assert refusal(bulk(both)) == (user.pk, 3115, ONE_NAME)
    assert refusal(bulk({"last_name": "B"})) == (None, 3115, ONE_NAME)
    assert refusal(bulk({})) == (None, 3115, ONE_NAME)


@pytest.mark.parametrize(
    ("item", "type_"), [(3, "a number"), (None, "null"), ([], "a list"), ("x", "a string")]
)
def test_an_item_that_is_no_object_is_refused_alone(bulk, user, item, type_):
    response = bulk(item, {"id": user.pk, "last_name": "B"})
    refused = {"errors": {"body": [f"Must be a JSON object, not {type_}."]}}
    assert outcomes(response)[0] == (None, 3115, refused)
    assert outcomes(response)[1][:2] == (user.pk, 4309)


def test_a_user_whom_an_earlier_item_names_is_refused_alone(bulk, user):
    response = bulk(
        {"id": user.pk, "last_name": "B"},
        {"login_id": user.login_id, "last_name": "C"},
        {"id": user.pk},
    )
    message = ["Item 1 names this user already."]
    assert outcomes(response)[0][:2] == (user.pk, 4309)
    assert outcomes(response)[1:] == [
        (user.pk, 3115, {"errors": {"login_id": message}}),
        (user.pk, 3115, {"errors": {"id": message}}),
    ]
    assert User.objects.get(pk=user.pk).last_name == "B"


def test_a_user_of_another_team_who_is_named_twice_is_not_found_twice(bulk):
    outsider = MembershipFactory(team=TeamFactory()).user
    response = bulk({"id": outsider.pk}, {"id": outsider.pk})
    assert outcomes(response) == [(outsider.pk, 3101, {})] * 2


def test_an_item_without_parameters_has_no_body(bulk, user):
    assert refusal(bulk({"id": user.pk})) == (user.pk, 3114, None)


def test_a_parameter_that_is_unknown_or_repeated_is_of_its_item(call, user, others):
    body = (
        f'{{"users": [{{"id": {user.pk}, "team": 1, "last_name": "B", "last_name": "C"}},'
        f' {{"id": {others[0].pk}, "skill_attributes": {{"a": 1, "a": 2}}}},'
        f' {{"id": {others[1].pk}, "id": {others[1].pk}, "last_name": "B"}}]}}'
    )
    repeated = ["Is repeated: an object may hold a member once."]
    errors = [answer[2]["errors"] for answer in outcomes(call(body.encode(), path="/api/users"))]
    assert errors == [
        {"last_name": repeated, "team": ["There is no such parameter."]},
        {"skill_attributes": {"a": repeated}},
        {"id": repeated},
    ]


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        (
            {"x": 1},
            {
                "x": ["There is no such parameter. Known is: users."],
                "users": ["This parameter is required."],
            },
        ),
        ({"users": []}, {"users": ["Must have 1 to 1000 items, and has 0."]}),
        ({"users": [{}] * 1001}, {"users": ["Must have 1 to 1000 items, and has 1001."]}),
        ({"users": {}}, {"users": ["Must be a list, not an object."]}),
        ({"users": None}, {"users": ["Must be a list, not null."]}),
        (
            b'{"users": [], "users": [{"id": 1}]}',
            {"users": ["Is repeated: an object may hold a member once."]},
        ),
        (b"[]", {"body": ["Must be a JSON object, not a list."]}),
    ],
)
def test_what_is_wrong_with_the_body_is_answered_as_of_any_call(call, body, errors):
    assert_refused(call(body, path="/api/users"), 3115, errors)


@pytest.mark.parametrize("body", [b"", b" \n", b"{}"])
def test_no_body_is_no_update(call, body):
    assert_refused(call(body, path="/api/users?x=1"), 3114)


@pytest.mark.parametrize("extra", [0, 1])
def test_a_body_may_have_a_mebibyte_and_no_byte_more(call, extra):
    start = b'{"x": "'
    body = start + b"x" * (1_048_576 - len(start) - 2 + extra) + b'"}'
    names = call(body, path="/api/users").json()["response"]["errors"]
    assert ("body" in names) == bool(extra)


def test_only_the_update_of_one_user_takes_a_merge_patch(call, user):
    response = call(
        {"users": [{"id": user.pk, "last_name": "B"}]},
        path="/api/users",
        content_type="application/merge-patch+json",
    )
    assert_refused(response, 3115, {"body": ["Must be of the media type application/json."]})


@pytest.mark.parametrize("query", ["?dry_run=yes", "?dry_run=", "?dry_run=True", "?dry_run=1"])
def test_another_value_of_dry_run_is_refused(bulk, user, query):
    response = bulk({"id": user.pk, "last_name": "B"}, query=query)
    assert_refused(response, 3115, {"dry_run": ["Must be true or false."]})


def test_all_errors_of_the_query_and_the_body_are_reported_at_once(bulk):
    response = bulk(query="?dry_run=true&dry_run=true&page=1")
    errors = {
        "dry_run": ["Is repeated."],
        "page": ["There is no such parameter. Known are: dry_run."],
        "users": ["Must have 1 to 1000 items, and has 0."],
    }
    assert_refused(response, 3115, errors)


def test_a_dry_run_answers_the_same_and_writes_nothing(bulk, user, others):
    store(user, accepting_chats=True)
    log_in(user)
    items = [{"id": user.pk, "status": "inactive"}, {"id": others[0].pk, "status": "away"}]
    before, number = row(user), Change.objects.count()
    dry = outcomes(bulk(*items, query="?dry_run=true"))
    assert (row(user), Change.objects.count(), Session.objects.count()) == (before, number, 1)
    done = outcomes(bulk(*items, query="?dry_run=false"))
    for _, _, answer in (*dry, *done):
        answer.pop("updated_at", None)
    assert dry == done
    assert (done[0][2]["accepting_chats"], done[0][2]["logged_in"]) == (False, False)


def test_a_deactivation_ends_sessions_as_anywhere(bulk, user, others):
    for member in (user, *others):
        store(member, accepting_chats=True)
        log_in(member)
    bulk(
        {"id": user.pk, "status": "inactive"},
        {"login_id": others[0].login_id, "status": "inactive"},
    )
    assert list(Session.objects.values_list("user", flat=True)) == [others[1].pk]
    accepting = User.objects.filter(accepting_chats=True)
    assert list(accepting.values_list("pk", flat=True)) == [others[1].pk]


def test_each_change_is_a_line_of_the_history(bulk, user, others, team):
    second = TeamFactory()
    Membership.objects.create(user=others[0], team=second)
    number = Change.objects.count()
    response = bulk(
        {"id": others[0].pk, "status": "inactive"},
        {"id": user.pk, "first_name": "Bruno"},
        {"id": others[1].pk, "first_name": ""},
    )
    lines = Change.objects.order_by("id")[number:]
    assert [(line.user_id, line.before, line.after, line.teams) for line in lines] == [
        (others[0].pk, {"status": "active"}, {"status": "inactive"}, [team.pk, second.pk]),
        (user.pk, {"first_name": "Asha"}, {"first_name": "Bruno"}, [team.pk]),
    ]
    assert {(line.door, line.by_name, line.trxid) for line in lines} == {
        ("api", "HR system", response["trxid"])
    }


def test_a_read_only_token_updates_nobody(bulk, user, team):
    headers = {"Authorization": f"Bearer {issue_token(team, read_only=True)}"}
    assert_refused(bulk({"id": user.pk, "last_name": "B"}, headers=headers), 9403)


class TestSuperusers:
    """The last active superuser stays active, whatever the order of the items."""

    @pytest.fixture
    def superusers(self, team):
        superusers = AdministratorFactory.create_batch(3, is_superuser=True)
        for superuser in superusers:
            MembershipFactory(user=superuser, team=team)
        return superusers

    def test_the_last_item_that_would_take_the_last_is_refused(self, bulk, superusers, user):
        items = [{"id": u.pk, "status": "inactive"} for u in (user, *superusers)]
        answers = outcomes(bulk(*items))
        assert [code for _, code, _ in answers] == [4309, 4309, 4309, 3115]
        error = ["The last active superuser cannot be made inactive."]
        assert answers[3][2] == {"errors": {"status": error}}
        assert User.objects.get(is_superuser=True, status="active") == superusers[2]

    def test_one_who_is_made_active_counts(self, bulk, superusers):
        store(superusers[0], status="inactive")
        statuses = ["active", "inactive", "inactive"]
        items = [{"id": u.pk, "status": s} for u, s in zip(superusers, statuses, strict=True)]
        assert [code for _, code, _ in outcomes(bulk(*items))] == [4309] * 3

    def test_a_refused_item_takes_nobody_away(self, bulk, superusers):
        store(superusers[0], status="inactive")
        items = [
            {"id": superusers[1].pk, "status": "inactive", "last_name": 1},
            {"id": superusers[2].pk, "status": "inactive"},
        ]
        assert [code for _, code, _ in outcomes(bulk(*items))] == [3115, 4309]


def test_errors_that_would_make_the_answer_too_large_are_left_out(bulk, team):
    choices = [f"{n:0255}" for n in range(1000)]
    ChoiceFactory(name="business", choices=choices)  # each error names them all
    users = [MembershipFactory(team=team).user for _ in range(6)]
    items = [{"id": user.pk, "custom_attributes": {"business": "x"}} for user in users]
    answers = outcomes(bulk(*items))
    assert {code for _, code, _ in answers} == {3107}
    assert choices[-1] in str(answers[0])
    left_out = "This item's errors are left out, or the answer would be too large: send it alone."
    assert answers[-1] == (users[-1].pk, 3107, {"errors": {"body": [left_out]}})


def test_a_thousand_users_cost_few_statements_and_their_updates(bulk, call, user, team, business):
    users = User.objects.bulk_create(UserFactory.build_batch(999, password="!"))
    Membership.objects.bulk_create([Membership(user=member, team=team) for member in users])
    for member in users[:20]:
        log_in(member)
    call({"first_name": "Asha"})  # the note of the token's use is taken
    items = [{"login_id": u.login_id, "status": "inactive"} for u in (user, *users)]
    with CaptureQueriesContext(connection) as queries:
        answers = outcomes(bulk(*items))
    assert {code for _, code, _ in answers} == {4309}
    assert not Session.objects.exists()
    updates = [sql for sql in data_statements(queries) if sql.startswith("UPDATE")]
    inserts = [sql for sql in data_statements(queries) if sql.startswith("INSERT")]
    others = [sql for sql in data_statements(queries) if sql not in {*updates, *inserts}]
    assert len(updates) == (1 if connection.vendor == "postgresql" else 1000)
    if connection.vendor != "sqlite":  # which limits the values of a statement
        assert len(inserts) == 1
    # 1. the token, with the team that it is granted
    # 2. the ids of the login ids
    # 3. which of them are members of the team
    # 4. the users are locked (on MariaDB, superusers among them by a statement before)
    # 5. the users, with whether they are members and logged in
    # 6. the definitions of attributes
    # 7. and 8. their teams, for the history, of 500 users at a time
    # 9. the end of all sessions
    assert len(others) == (10 if connection.vendor == "mysql" else 9), others
