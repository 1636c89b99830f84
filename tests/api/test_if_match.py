"""Updates on the condition that the user is still the one that was read: `ETag`, `If-Match`."""

import pytest
from django.contrib.auth import get_user_model

from tests.assertions import assert_refused, assert_updated
from tests.database import store
from tests.factories import MembershipFactory

User = get_user_model()

NOT_THE_TAG = {"If-Match": ["Is not the ETag that the user has now: read the user again."]}
NO_LIST = {
    "If-Match": [
        "Must be the ETag of an answer, in its quotes; several, separated by commas; or *."
    ]
}


@pytest.fixture
def tag(call):
    """Return the `ETag` that the user has now."""

    def read():
        return call(method="GET")["ETag"]

    return read


@pytest.fixture
def update(call):
    def make(condition, body=None, method="PATCH"):
        return call(body or {"first_name": "Bruno"}, method, headers={"If-Match": condition})

    return make


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_the_update_is_made_while_the_user_is_as_it_was_read(update, tag, method):
    assert_updated(update(tag(), method=method), first_name="Bruno")


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_the_update_is_refused_once_somebody_else_was_faster(call, update, tag, user, method):
    read = tag()
    call({"job_description": "Team lead"})
    assert_refused(update(read, method=method), 9412, NOT_THE_TAG)
    assert User.objects.get(pk=user.pk).first_name == "Asha"
    assert_updated(update(tag(), method=method), first_name="Bruno")


def test_an_update_answers_the_tag_that_the_user_has_then(update, tag):
    first = update(tag())["ETag"]
    assert first == tag()
    second = update(first, {"first_name": "Carla"})["ETag"]
    assert second == tag() != first


@pytest.mark.parametrize(
    "skills",
    [
        {"b": 1, "a": 2},
        {"chess": 4.0},
        {"chess": -0.0},
        {"chess": 1e22},
        {"chess": 1e23},
        {"chess": 0.1},
        {"chess": 1e-300},
        {"chess": 1.7976931348623157e308},
        {"chess": [1.0, "é", "😀", True]},
        {"\u0131": "\u2028\x7f"},
    ],
)
def test_the_tag_is_the_same_however_the_database_writes_the_values(update, tag, skills):
    answered = update("*", {"skill_attributes": skills})["ETag"]
    assert answered == tag()


def test_values_that_are_not_the_same_have_different_tags(update, tag):
    tags = [
        update("*", {"skill_attributes": {"chess": value}}, "PUT")["ETag"]
        for value in (1, True, "1", [1], 1.5, [True])
    ]
    assert len(set(tags)) == len(tags)


@pytest.mark.parametrize(
    "fields",
    [
        {"first_name": "Bruno"},
        {"last_name": "B"},
        {"login_id": "bruno"},
        {"email_id": "bruno@desk.example"},
        {"status": "inactive"},
        {"job_description": "Team lead"},
        {"login_using_email": True},
        {"role_type": "Administrative"},
        {"accepting_chats": True},
        {"custom_attributes": {}},
        {"skill_attributes": {"chess": 4}},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_the_tag_covers_what_the_calls_and_the_admin_site_change(tag, user, fields):
    before = tag()
    store(user, **fields)
    assert tag() != before


def test_the_tag_does_not_cover_the_chats(tag, user):
    before = tag()
    user.active_chats = 7
    user.save()  # moves updated_at
    assert tag() == before


def test_the_tag_does_not_cover_a_log_in(client, tag, user):
    before = tag()
    client.force_login(user, "users.backends.LoginBackend")
    assert tag() == before


def test_another_users_tag_does_not_match(call, update, team):
    other = MembershipFactory(team=team).user
    assert_refused(
        update(call(method="GET", path=f"/api/users/{other.pk}")["ETag"]), 9412, NOT_THE_TAG
    )


@pytest.mark.parametrize(
    "condition",
    [
        "*",
        " * ",
        "W/{tag}",
        '"other", {tag}',
        '{tag},"other"',
        ', ,{tag}\t,,"x,y" ,',
        '"é", {tag}',
        '"", W/"", {tag}',
    ],
)
def test_a_condition_that_holds(update, tag, condition):
    assert_updated(update(condition.format(tag=tag())))


@pytest.mark.parametrize("condition", ['"other"', 'W/"other"', '""', '"*"', '"a,b"', '"x", "y"'])
def test_a_condition_that_does_not_hold(update, condition):
    assert_refused(update(condition), 9412, NOT_THE_TAG)


@pytest.mark.parametrize(
    "condition",
    [
        "",
        ",",
        "x",
        '"x',
        'x"',
        "'x'",
        '"x" "y"',
        '"x"y',
        '*, "x"',
        '"x", *',
        "**",
        'w/"x"',
        'W/ "x"',
        '"a b"',
        '"\x00"',
        '"x"\n"y"',
        '"x"' + "," * 50_000 + "y",
        '"x",' * 20_000 + "y",
    ],
)
def test_what_is_no_list_of_tags_is_invalid(update, user, condition):
    assert_refused(update(condition), 3115, NO_LIST)
    assert User.objects.get(pk=user.pk).first_name == "Asha"


def test_a_tag_without_its_quotes_is_invalid(update, tag):
    assert_refused(update(tag().strip('"')), 3115, NO_LIST)


def test_the_condition_comes_before_the_body(call, update):
    assert_refused(update('"other"', b"\xff"), 9412, NOT_THE_TAG)
    assert_refused(update("x", b"\xff"), 3115, NO_LIST)


def test_other_calls_do_not_look_at_it(call):
    assert call(method="GET", headers={"If-Match": "x"}).status_code == 200


def test_a_created_user_has_the_tag_that_is_answered(call):
    created = call(
        {
            "first_name": " Ümit ",
            "login_id": "Umit",
            "email_id": "umit@DESK.example",
            "skill_attributes": {"b": 1e22, "a": 3.0},
        },
        "POST",
        path="/api/users",
    )
    assert created.status_code == 201
    assert created["ETag"] == call(method="GET", path=created["Location"])["ETag"]
