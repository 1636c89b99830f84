"""The parameters of the call, one by one."""

import pytest

from tests.assertions import assert_refused, assert_updated
from tests.factories import AdministratorFactory

ODD_TEXTS = [
    "Ж",
    "李",
    "👩🏽‍💻",
    "e\u0301",
    "\u202eabc",
    "\U0010ffff",
    "a\u0007b",
    "<script>",
    "'; --",
]


@pytest.mark.parametrize("name", ["first_name", "last_name", "job_description"])
@pytest.mark.parametrize("text", ODD_TEXTS)
def test_a_text_is_stored_as_it_is(call, name, text):
    assert_updated(call({name: text}), **{name: text})


@pytest.mark.parametrize("name", ["first_name", "last_name", "job_description"])
def test_a_text_is_trimmed_of_unicodes_white_space(call, name):
    padded = "\u2003\u00a0\t Bruno B \u3000\u2028\n"
    assert_updated(call({name: padded}), **{name: "Bruno B"})


@pytest.mark.parametrize(
    ("name", "length"), [("first_name", 150), ("last_name", 150), ("job_description", 255)]
)
@pytest.mark.parametrize("character", ["x", "𝄞"])
def test_the_length_is_counted_in_code_points_after_trimming(call, name, length, character):
    assert_updated(call({name: f"  {character * length}  "}), **{name: character * length})


@pytest.mark.parametrize(
    ("name", "length", "rule"),
    [
        ("first_name", 151, "1 to 150 characters, and has 151"),
        ("last_name", 151, "at most 150 characters, and has 151"),
        ("job_description", 256, "at most 255 characters, and has 256"),
        ("first_name", 0, "1 to 150 characters, and has 0"),
    ],
)
def test_a_text_out_of_its_length_is_refused(call, name, length, rule):
    assert_refused(call({name: "x" * length}), 3115, {name: [f"Must have {rule}."]})


@pytest.mark.parametrize("name", ["last_name", "job_description"])
def test_a_text_may_be_empty(call, name):
    assert_updated(call({name: "  "}), **{name: ""})


def test_a_first_name_may_not_be_blank(call):
    errors = {"first_name": ["Must have 1 to 150 characters, and has 0."]}
    assert_refused(call({"first_name": " \u3000"}), 3115, errors)


WRONG_TYPES = [
    (12, "a number"),
    (True, "a boolean"),
    ([], "a list"),
    ({}, "an object"),
]


@pytest.mark.parametrize("name", ["first_name", "last_name", "job_description", "status"])
@pytest.mark.parametrize(("value", "type_"), WRONG_TYPES)
def test_another_type_is_no_string(call, name, value, type_):
    assert_refused(call({name: value}), 3115, {name: [f"Must be a string, not {type_}."]})


@pytest.mark.parametrize("name", ["first_name", "status", "login_using_email", "skill_attributes"])
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_null_is_no_value(call, name, method):
    assert_refused(call({name: None}, method), 3115, {name: ["Must not be null."]})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a\0b", "Must not contain the character U+0000."),
        ("a\ud800b", "Must not contain a lone surrogate."),
        ("\udfff", "Must not contain a lone surrogate."),
    ],
)
def test_a_text_that_no_database_stores_is_refused(call, text, sentence):
    assert_refused(call({"first_name": text}), 3115, {"first_name": [sentence]})


@pytest.mark.parametrize("status", ["Active", "ACTIVE", " active", "", "away", "active\n"])
def test_another_status_is_refused(call, status):
    errors = {"status": ["Must be one of: 'active', 'inactive'."]}
    assert_refused(call({"status": status}), 3115, errors)


@pytest.mark.parametrize(
    ("value", "type_"), [("true", "a string"), (1, "a number"), (0, "a number"), ([], "a list")]
)
def test_another_type_is_no_boolean(call, value, type_):
    errors = {"login_using_email": [f"Must be true or false, not {type_}."]}
    assert_refused(call({"login_using_email": value}), 3115, errors)


@pytest.mark.parametrize("name", ["custom_attributes", "skill_attributes"])
@pytest.mark.parametrize(
    ("value", "type_"), [("{}", "a string"), ([], "a list"), (1, "a number"), (True, "a boolean")]
)
def test_another_type_is_no_object(call, name, value, type_):
    assert_refused(call({name: value}), 3115, {name: [f"Must be an object, not {type_}."]})


def test_all_errors_are_reported_at_once(call, business):
    response = call(
        {
            "first_name": "",
            "status": "away",
            "login_using_email": "yes",
            "custom_attributes": {"business": "Bakery", "floor": 3},
            "skill_attributes": {"chess": None, "go": {}, "x" * 65: 1},
            "team": 1,
        }
    )
    assert_refused(
        response,
        3115,
        {
            "first_name": ["Must have 1 to 150 characters, and has 0."],
            "status": ["Must be one of: 'active', 'inactive'."],
            "login_using_email": ["Must be true or false, not a string."],
            "custom_attributes": {
                "business": ["Must be one of: 'Retail', 'Banking'."],
                "floor": ["Nobody has defined this attribute. Defined are: 'business'."],
            },
            "skill_attributes": {
                "go": ["Must be a string, a number, a boolean, or a list of these, not an object."],
                "x" * 65: ["The key must have 1 to 64 characters, and has 65."],
            },
            "team": ["There is no such parameter."],
        },
    )


LAST_SUPERUSER = "The last active superuser cannot be made inactive."


@pytest.fixture
def superuser(user):
    user.role_type, user.is_superuser = "Administrative", True
    user.save()
    return user


def test_the_last_active_superuser_stays_active(call, superuser):
    AdministratorFactory()
    AdministratorFactory(is_superuser=True, status="inactive")
    assert_refused(
        call({"status": "inactive", "last_name": 1}),
        3115,
        {"status": [LAST_SUPERUSER], "last_name": ["Must be a string, not a number."]},
    )
    superuser.refresh_from_db()
    assert superuser.is_active
    assert_updated(call({"status": "active", "first_name": "Bruno"}))


def test_a_superuser_who_is_not_the_last_can_be_made_inactive(call, superuser):
    AdministratorFactory(is_superuser=True)
    assert_updated(call({"status": "inactive"}), status="inactive")
