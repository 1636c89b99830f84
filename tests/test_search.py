"""Conditions on users: which are valid, and whom they find."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db.models import F, Value
from django.db.models.functions import Concat
from django.utils import timezone

from tests.database import store
from tests.factories import (
    AttributeDefinitionFactory,
    ChoiceFactory,
    MembershipFactory,
    TeamFactory,
    UserFactory,
)
from users import search
from users.attributes.rules import rules_by_field
from users.db.functions import SHA256
from users.models import AttributeDefinition, Membership, Session

User = get_user_model()
pytestmark = pytest.mark.django_db


def parsed(wanted):
    return search.parse(wanted, rules_by_field(AttributeDefinition.objects.all()))


def found(wanted):
    """Return the login ids of whom a search finds, asked of users and of memberships."""
    conditions = parsed(wanted)
    users = User.objects.filter(search.matching(conditions, "", "memberships__role"))
    memberships = Membership.objects.filter(search.matching(conditions, "user__", "role"))
    names = {user.login_id for user in users}
    assert names == {membership.user.login_id for membership in memberships}
    return names


def errors_of(wanted):
    with pytest.raises(search.InvalidSearchError) as raised:
        parsed(wanted)
    return raised.value.errors


@pytest.fixture
def team():
    return TeamFactory()


@pytest.fixture
def add(team):
    def add(login_id, role="Team Agent", **fields):
        user = UserFactory(login_id=login_id, **fields)
        MembershipFactory(user=user, team=team, role=role)
        return user

    return add


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"status": "inactive"}, {"status": {"eq": "inactive"}}),
        ({"status": "inactive"}, {"status": {"in": ["inactive"]}}),
        ({"role_type": "Administrative"}, {"role_type": {"eq": "Administrative"}}),
        ({"role": "Team Manager"}, {"role": {"in": ["Team Manager", "Team Analyst"]}}),
        ({"accepting_chats": True}, {"accepting_chats": {"eq": True}}),
        ({"login_using_email": True}, {"login_using_email": {"eq": True}}),
        ({"active_chats": 3}, {"active_chats": {"eq": 3}}),
        ({"active_chats": 3}, {"active_chats": {"gt": 2, "lt": 4}}),
        ({"active_chats": 3}, {"active_chats": {"gte": 3, "lte": 2**53 - 1}}),
        ({}, {"login_id": {"eq": "WANTED"}}),
        ({}, {"login_id": {"in": ["nobody", "Wanted"]}}),
        ({"email_id": "wanted@Desk.example"}, {"email_id": {"eq": "WANTED@desk.EXAMPLE"}}),
        (
            {"created_at": datetime(2020, 1, 1, tzinfo=UTC)},
            {"created_at": {"eq": "2020-01-01T05:30:00+05:30"}},
        ),
        (
            {"created_at": datetime(2020, 1, 1, 0, 0, 0, 1, tzinfo=UTC)},
            {"created_at": {"gt": "2020-01-01T00:00:00Z", "lte": "2020-01-01T00:00:00.000001Z"}},
        ),
    ],
)
def test_a_condition_finds_whom_it_describes_alone(add, fields, wanted):
    add("wanted", **fields)
    add("other")
    assert found(wanted) == {"wanted"}


@pytest.mark.parametrize("name", ["ß" * 150, "ﬁ" * 80, "ﷺ" * 100])
def test_a_name_that_is_longer_once_folded_is_found(add, name):
    add(name)
    add("other")
    for operator, operand in (("eq", name), ("in", ["nobody", name])):
        assert found({"login_id": {operator: operand}}) == {name}


def test_all_conditions_must_hold(add):
    add("wanted", status="inactive", active_chats=3)
    add("busy", active_chats=3)
    add("idle", status="inactive")
    assert found({"status": {"eq": "inactive"}, "active_chats": {"gt": 2}}) == {"wanted"}
    assert found({}) == {"wanted", "busy", "idle"}


def test_users_are_found_by_id_and_by_when_they_were_updated(add):
    user, other = add("wanted"), add("other")
    assert found({"id": {"eq": user.pk}}) == {"wanted"}
    assert found({"id": {"in": [user.pk, 2**53 - 1]}}) == {"wanted"}
    store(other, updated_at=timezone.now() - timedelta(days=1))
    assert found({"updated_at": {"gte": user.updated_at.isoformat()}}) == {"wanted"}


def test_who_is_logged_in_has_a_live_session_and_would_be_let_in(add):
    for name, live, status in (
        ("wanted", True, "active"),
        ("expired", False, "active"),
        ("inactive", True, "inactive"),
    ):
        user = add(name)
        Session.objects.create(
            session_key=name,
            user=user,
            expire_date=timezone.now() + timedelta(days=1 if live else -1),
            password_digest=User.objects.filter(pk=user.pk).values_list(SHA256("password"))[0][0],
        )
        store(user, status=status)
    add("none")
    assert found({"logged_in": {"eq": True}}) == {"wanted"}
    assert found({"logged_in": {"eq": False}}) == {"expired", "inactive", "none"}


TEXTS = [
    ("100%", "00%"),
    ("a_b", "a_b"),
    ("back\\slash", "k\\s"),
    ('O\'Neil "Bo"', 'eil "bo"'),
    ("Straße", "STRASSE"),
    ("ΣΊΣΥΦΟΣ", "σίσυφος"),
    ("Жанна", "ЖАН"),
    ("李小龙先生", "小龙先"),
    ("Ａｓｈａ", "asha"),
    ("👩🏽‍💻👩🏽‍💻👩🏽‍💻", "👩🏽‍💻"),
    (".*regular.*", ".*r"),
    ("İstanbul", "i\u0307stan"),
    ("two\nlines", "two lines"),
    ("\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 150, "صلى الله"),
]


@pytest.mark.parametrize(("name", "part"), TEXTS)
@pytest.mark.parametrize("field", ["first_name", "last_name"])
def test_a_part_of_a_name_is_found_in_any_case_and_script(add, field, name, part):
    add("wanted", **{field: name})
    add("other", first_name="100x ab axb backslash", last_name="back/slash regular")
    for text in (part, part.upper(), part.lower()):
        assert found({"text": {"contains": text}}) == {"wanted"}


def test_a_part_of_the_login_id_or_the_email_is_found_but_none_across_two_fields(add):
    add("W%nted", first_name="Asha", last_name="Rao", email_id="hr_1@desk.example")
    add("w_nted", first_name="A", last_name="B", email_id="hrx1@desk.example")
    assert found({"text": {"contains": "w%N"}}) == {"W%nted"}
    assert found({"text": {"contains": "HR_1"}}) == {"W%nted"}
    assert found({"text": {"contains": "ashar"}}) == set()
    assert found({"text": {"contains": "asha rao"}}) == set()
    assert found({"text": {"contains": "asha\nrao"}}) == set()


@pytest.mark.parametrize("name", ["first_name", "last_name", "login_id", "email_id"])
def test_a_text_is_found_as_soon_as_it_is_saved(add, name):
    user = add("someone")
    value = "changed@desk.example"
    setattr(user, name, value)
    user.save(update_fields=[name])
    assert found({"text": {"contains": "CHANGED"}}) == {user.login_id}
    part = User.objects.only("id", name).get(pk=user.pk)
    setattr(part, name, "again@desk.example")
    part.save()
    assert found({"text": {"contains": "CHANGED"}}) == set()


def test_a_text_that_the_database_computes_is_found(add):
    user = add("someone")
    user.first_name = Concat(F("first_name"), Value(" The GREAT"))
    user.save()
    assert found({"text": {"contains": "asha the great"}}) == {"someone"}


# Values that compare in no two ways as JSON's, but that some database or Python takes for equal.
DISTINCT = [1, True, "1", "true", [1], ["1"], [True], [1, 2], [2, 1], False, 0, "", [], "a", "A"]


def test_a_value_equals_itself_alone(add):
    for number, value in enumerate(DISTINCT):
        add(f"agent{number}", skill_attributes={"key": value, "another": "a"})
    add("without", skill_attributes={"another": "a"})
    for number, value in enumerate(DISTINCT):
        assert found({"skill_attributes": {"key": {"eq": value}}}) == {f"agent{number}"}
        for others in (["b"], [f"other {n}" for n in range(99)]):
            wanted = {"skill_attributes": {"key": {"in": [value, *others]}}}
            assert found(wanted) == {f"agent{number}"}


@pytest.mark.parametrize(("one", "other"), [(1, 1.0), (1e3, 1000), (-0.0, 0), (0.1, 0.10)])
def test_numbers_are_equal_however_they_are_written(add, one, other):
    add("wanted", skill_attributes={"level": one, "levels": [one]})
    assert found({"skill_attributes": {"level": {"eq": other}}}) == {"wanted"}
    assert found({"skill_attributes": {"levels": {"contains": other}}}) == {"wanted"}


def test_numbers_are_compared_with_numbers_alone(add):
    for number, value in enumerate([2, 2.5, 3, True, "2", "9", [2], [9], {"a": 9}, None, -1e300]):
        add(f"{number}:{value}", skill_attributes={"level": value})
    add("without")
    level = "level"
    assert found({"skill_attributes": {level: {"gt": 2}}}) == {"1:2.5", "2:3"}
    assert found({"skill_attributes": {level: {"gte": 2.5}}}) == {"1:2.5", "2:3"}
    assert found({"skill_attributes": {level: {"lt": 2.5}}}) == {"0:2", "10:-1e+300"}
    assert found({"skill_attributes": {level: {"lte": 2, "gte": -1}}}) == {"0:2"}


def test_a_list_contains_its_items_alone(add):
    for number, value in enumerate([["en", "hi"], ["EN"], "en", ["en-x"], [1], [True], []]):
        add(f"agent{number}", skill_attributes={"languages": value})
    for item, names in (("en", {"agent0"}), (1, {"agent4"}), (True, {"agent5"}), ("h", set())):
        assert found({"skill_attributes": {"languages": {"contains": item}}}) == names


def test_who_has_an_attribute_and_who_does_not(add):
    for name, stored in (("false", False), ("empty", ""), ("null", None), ("list", [])):
        add(name, skill_attributes={"chess": stored})
    add("without", skill_attributes={"go": 1})
    has = {"false", "empty", "null", "list"}
    assert found({"skill_attributes": {"chess": {"exists": True}}}) == has
    assert found({"skill_attributes": {"chess": {"exists": False}}}) == {"without"}


KEYS = [
    'a"b',
    "x.y",
    "$",
    "$.a",
    "*",
    "[0]",
    "é",
    "😀",
    "a\\b",
    "a'b",
    "%s",
    "{0}",
    "a\nb",
    " ",
    "?",
    "-",
    '-"%_\\é😀',
]


@pytest.mark.parametrize("key", KEYS)
def test_any_key_can_be_asked_for(add, key):
    add("wanted", skill_attributes={key: 1, "list": 2})
    add("other", skill_attributes={f"{key}x": 1, "x": 1, "a": 1, "b": {"y": 1}})
    for operator, operand in (("eq", 1), ("gte", 1), ("exists", True)):
        assert found({"skill_attributes": {key: {operator: operand}}}) == {"wanted"}


def test_an_operand_has_the_type_that_the_definition_has(add):
    ChoiceFactory(name="business")
    AttributeDefinitionFactory(name="floor", type="number")
    ChoiceFactory(kind="skill", name="languages", type="multiple_choice", choices=["en", "hi"])
    add("wanted", custom_attributes={"business": "Retail", "floor": 3})
    assert found({"custom_attributes": {"business": {"in": ["Retail", "Banking"]}}}) == {"wanted"}
    assert errors_of(
        {
            "custom_attributes": {
                "business": {"eq": "Bakery", "contains": "Ret", "in": ["Retail", 1]},
                "floor": {"eq": "3", "gt": True},
                "desk": {"eq": 1},
            },
            "skill_attributes": {
                "languages": {"contains": "fr", "eq": "en"},
                "chess": {"gt": "3", "contains": [], "eq": None, "exists": 1},
            },
        }
    ) == {
        "custom_attributes": {
            "business": [
                "'eq': Must be one of: 'Retail', 'Banking'.",
                "'contains': There is no such operator here. There are: eq, in, exists.",
                "'in': Value 2: Must be a string, not a number.",
            ],
            "floor": [
                "'eq': Must be a number, not a string.",
                "'gt': Must be a number, not a boolean.",
            ],
            "desk": ["Nobody has defined this attribute. Defined are: 'business', 'floor'."],
        },
        "skill_attributes": {
            "languages": [
                "'contains': Must be one of: 'en', 'hi'.",
                "'eq': Must be a list of strings, not a string.",
            ],
            "chess": [
                "'gt': Must be a number, not a string.",
                "'contains': Must be a string, a number or a boolean, not a list.",
                "'eq': Must be a string, a number, a boolean, or a list of these, not null.",
                "'exists': Must be true or false, not a number.",
            ],
        },
    }


WRONG = [None, True, 1, 1.5, 10**400, -(10**400), "", "no such thing", "\0", "\ud800", [], {}, [[]]]
# What is right after all.
RIGHT = {
    "id": [1],
    "active_chats": [1],
    "login_id": ["no such thing"],
    "email_id": ["no such thing"],
    "text": ["no such thing"],
    **{name: [True] for name in ("accepting_chats", "logged_in", "login_using_email")},
}


@pytest.mark.parametrize("name", search.PARAMETERS)
def test_each_parameter_and_operator_refuses_each_wrong_value(name):
    for operator in search.PARAMETERS[name].operators:
        for wrong in WRONG:
            if any(wrong is right or repr(wrong) == repr(right) for right in RIGHT.get(name, ())):
                continue
            operand = [wrong] if operator == "in" else wrong
            [error] = errors_of({name: {operator: operand}})[name]
            assert error.startswith(f"'{operator}': "), wrong


MOMENTS = [
    "2026-11-01",
    "2026-11-01T00:00:00",
    "2026-11-01 00:00:00Z",
    "20261101T000000Z",
    "2026-13-01T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "2026-11-01T24:00:01Z",
    "2026-11-01T00:00:60Z",
    "2026-11-01T00:00:00+25:00",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+05:00",
    "9999-12-31T23:59:59-05:00",
    "9999-12-31T23:59:59Z",
    "0999-12-31T23:59:59Z",
    "-2026-11-01T00:00:00Z",
    "٢٠٢٦-11-01T00:00:00Z",
    "2026-11-01T00:00:00Z\n",
    "2026-11-01T00:00:00." + "1" * 5000 + "Z",
    "now",
]


@pytest.mark.parametrize("moment", MOMENTS)
def test_what_is_no_moment_with_an_offset_is_refused(moment):
    assert errors_of({"created_at": {"gt": moment}}) == {
        "created_at": [
            "'gt': Must be a date and time in ISO 8601 with an offset, such as "
            "'2026-11-01T00:00:00Z', of the years 1000 to 9998."
        ]
    }


@pytest.mark.parametrize("moment", ["1000-01-01T00:00:00Z", "9998-12-31T23:59:59.999999Z"])
def test_the_first_and_the_last_moment_can_be_compared(add, moment):
    add("wanted")
    operator = "gt" if moment < "2" else "lt"
    assert found({"created_at": {operator: moment}}) == {"wanted"}


def test_a_condition_that_is_no_object_of_operators_is_refused():
    AttributeDefinitionFactory(name="floor", type="number")
    assert errors_of(
        {
            "status": "active",
            "active_chats": {},
            "accepting_chats": {"in": [True]},
            "custom_attributes": [],
            "skill_attributes": {},
            "first_name": {"eq": "Asha"},
        }
    ) == {
        "status": ["Must be an object of operators (eq, in) and values, not a string."],
        "active_chats": ["Must have at least one operator: eq, lt, lte, gt, gte."],
        "accepting_chats": ["'in': There is no such operator here. There are: eq."],
        "custom_attributes": ["Must be an object of attributes, not a list."],
        "skill_attributes": ["Must name at least one attribute."],
        "first_name": [
            "There is no such parameter. There are: id, login_id, email_id, text, status, "
            "role_type, role, accepting_chats, logged_in, login_using_email, active_chats, "
            "created_at, updated_at, custom_attributes, skill_attributes."
        ],
    }
    assert errors_of({"custom_attributes": {"floor": 3}}) == {
        "custom_attributes": {
            "floor": [
                "Must be an object of operators (eq, in, exists, lt, lte, gt, gte) and values, "
                "not a number."
            ]
        }
    }


@pytest.mark.parametrize("count", [0, 101, 10_000])
def test_in_takes_1_to_100_values(count):
    errors = {"id": [f"'in': Must have 1 to 100 values, and has {count}."]}
    assert errors_of({"id": {"in": [1] * count}}) == errors


def test_the_most_that_can_be_asked_for_is_answered(add):
    add("wanted", skill_attributes={f"skill {n}": n for n in range(98)})
    skills = {f"skill {n}": {"in": list(range(100))} for n in range(98)}
    wanted = {"skill_attributes": skills, "status": {"eq": "active", "in": ["active"] * 100}}
    assert found(wanted) == {"wanted"}
    skills["one more"] = {"exists": False}
    assert errors_of(wanted) == {"body": ["Must have at most 100 conditions, and has 101."]}


@pytest.mark.parametrize("text", ["ab", "x" * 151, "\u200b\u200b\u200b"])
def test_a_text_that_is_too_short_too_long_or_invisible_is_refused(text):
    assert "text" in errors_of({"text": {"contains": text}})


@pytest.mark.parametrize("name", ["", "x" * 151, "\u200b"])
def test_a_name_that_nobody_can_have_is_refused(name):
    assert "login_id" in errors_of({"login_id": {"in": ["asha", name]}})
