"""The login id and the email of a new user."""

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.assertions import assert_created, assert_refused
from tests.factories import MembershipFactory, TeamFactory, UserFactory
from users.models import Change, Membership

User = get_user_model()

LOGIN_ID_TAKEN = {"login_id": ["A user with this login id already exists."]}
EMAIL_TAKEN = {"email_id": ["A user with this email already exists."]}


@pytest.fixture
def holder(team):
    """Who has the names already, in another team."""
    user = UserFactory(login_id="Straße", email_id="Joerg@Desk.example")
    MembershipFactory(user=user, team=TeamFactory())
    return user


@pytest.mark.parametrize(
    "login_id",
    ["Straße", "STRASSE", "\uff53\uff54rasse", " strasse\u3000", "stra\u00adsse", "S\u200btrasse"],
)
def test_a_login_id_is_taken_in_any_case_width_and_normalization(create, holder, login_id):
    assert_refused(create(login_id=login_id), 9409, LOGIN_ID_TAKEN)


@pytest.mark.parametrize("email_id", ["joerg@desk.example", " JOERG@DESK.EXAMPLE "])
def test_an_email_is_taken_in_any_case(create, holder, email_id):
    assert_refused(create(email_id=email_id), 9409, EMAIL_TAKEN)


def test_both_names_that_are_taken_are_named(create, holder):
    response = create(login_id="strasse", email_id="joerg@desk.example")
    assert_refused(response, 9409, LOGIN_ID_TAKEN | EMAIL_TAKEN)


def test_a_name_is_looked_up_only_where_nothing_else_is_wrong(create, holder):
    with CaptureQueriesContext(connection) as queries:
        response = create(login_id="strasse", active_chats=-1)
    assert_refused(response, 3115, {"active_chats": ["Must be an integer from 0 to 2147483647."]})
    assert not [query for query in queries if "login_key" in query["sql"]]


def test_nothing_is_left_of_a_creation_whose_name_is_taken(create, holder):
    def count():
        return [model.objects.count() for model in (User, Membership, Change)]

    before = count()
    create(login_id="strasse")
    assert count() == before


def test_a_login_id_may_be_the_email_of_somebody_else(create, holder):
    assert_created(create(login_id="joerg@desk.example"))


def test_names_are_stored_as_the_admin_site_stores_them(create):
    user = assert_created(create(login_id=" \uff3aoë\u00a0", email_id=" Zoe.B@x.org "))
    assert (user.login_id, user.email_id) == ("Zoë", "Zoe.B@x.org")
    user = assert_created(create(login_id="other", email_id="Other@DESK.Example"))
    assert user.email_id == "Other@desk.example"


@pytest.mark.parametrize("login_id", ["x" * 150, "𝄞" * 150, "e\u0301" * 75, " " * 9 + "y" * 150])
def test_a_login_id_has_up_to_150_characters(create, login_id):
    assert_created(create(login_id=login_id))


@pytest.mark.parametrize(
    ("login_id", "error"),
    [
        ("", "Must have 1 to 150 characters, and has 0."),
        (" \u3000", "Must have 1 to 150 characters, and has 0."),
        ("x" * 151, "Must have 1 to 150 characters, and has 151."),
        ("\ufdfa" * 10, "Must have 1 to 150 characters, and has 180."),
        ("\u200b\u00ad", "Must have a character that can be seen."),
        ("a\0b", "Must not contain the character U+0000."),
        ("a\ud800b", "Must not contain a lone surrogate."),
        (12, "Must be a string, not a number."),
        ([], "Must be a string, not a list."),
    ],
)
def test_an_invalid_login_id_is_refused(create, login_id, error):
    assert_refused(create(login_id=login_id), 3115, {"login_id": [error]})


@pytest.mark.parametrize("length", [254, 255])
def test_an_email_has_up_to_254_characters(create, length):
    domain = "@" + ".".join(["d" * 60] * 3) + ".example"
    response = create(email_id="x" * (length - len(domain)) + domain)
    if length == 254:
        assert_created(response)
    else:
        error = "Must have 1 to 254 characters, and has 255."
        assert_refused(response, 3115, {"email_id": [error]})


@pytest.mark.parametrize(
    "email_id", ["chloe", "@x.org", "chloe@", "a b@x.org", "a@x", "a@x.org\n, b@x.org", "a@@x.org"]
)
def test_what_is_no_address_is_refused(create, email_id):
    error = "Must be an email address, such as 'asha@desk.example'."
    assert_refused(create(email_id=email_id), 3115, {"email_id": [error]})


def test_a_text_that_takes_long_to_normalize_is_refused_at_once(create):
    marks = "a" + "\u0315\u0300\u05ae\u0300" * 20_000  # of several classes, to be put in order
    # Normalized, it would take minutes.
    response = create(login_id=marks, email_id=marks)
    assert set(response.json()["response"]["errors"]) == {"login_id", "email_id"}
