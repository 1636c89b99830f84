"""Pages and mails in the operator's language; calls in English."""

from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import translation

from tests.admin.conftest import browser_of
from tests.admin.pages import USERS, errors, fields, save_user, send
from tests.assertions import assert_refused
from tests.database import store
from tests.factories import AdministratorFactory, ChoiceFactory, UserFactory
from users.models import AccessToken, AttributeDefinition

HINDI = {"accept-language": "hi"}
SKILLS = [f"skill{number}" for number in range(100)]


@pytest.fixture
def browser(db):
    """Return the browser of a superuser who reads Hindi."""
    browser = browser_of(AdministratorFactory(is_superuser=True, login_id="root"))
    browser.defaults["HTTP_ACCEPT_LANGUAGE"] = "hi"
    return browser


@pytest.fixture
def definitions(db):
    """Return a definition of each type, by its type."""
    types = AttributeDefinition.Type.values
    return {type_: ChoiceFactory(kind="skill", name=type_, type=type_) for type_ in types}


@pytest.mark.parametrize(
    ("parameter", "typed", "error", "value", "message"),
    [
        ("first_name", "", "यह क्षेत्र अपेक्षित हैं", "", "Must have 1 to 150 characters, and has 0."),
        (
            "last_name",
            "x" * 151,
            "इस मान में अधिकतम 150 वर्ण हों",
            "x" * 151,
            "Must have at most 150 characters, and has 151.",
        ),
        (
            "text",
            "x" * 256,
            "इस मान में अधिकतम 255 वर्ण हों",
            "x" * 256,
            "Must have at most 255 characters, and has 256.",
        ),
        ("status", "away", "away", "away", "Must be one of: 'active', 'inactive'."),
        ("number", "many", "एक संख्या दर्ज करें", "many", "Must be a number, not a string."),
        (
            "number",
            "9007199254740992",
            "±9007199254740991 (2^53 - 1) के भीतर पूर्णांक होना चाहिए।",
            2**53,
            "Must be an integer within ±9007199254740991 (2^53 - 1).",
        ),
        ("boolean", "maybe", "maybe", "maybe", "Must be true or false, not a string."),
        ("choice", "Bakery", "Bakery", "Bakery", "Must be one of: 'Retail', 'Banking'."),
        (
            "multiple_choice",
            ["Retail", "Bakery"],
            "Bakery",
            ["Retail", "Bakery"],
            "Item 2: Must be one of: 'Retail', 'Banking'.",
        ),
        (
            ("new", "list"),
            ",".join("x" * 51),
            "अधिकतम 50 आइटम होने चाहिए, और 51 हैं।",
            ["x"] * 51,
            "Must have at most 50 items, and has 51.",
        ),
        (
            ("new", "list"),
            "a," + "x" * 256,
            "आइटम 2: अधिकतम 255 वर्ण होने चाहिए, और 256 हैं।",
            ["a", "x" * 256],
            "Item 2: Must have at most 255 characters, and has 256.",
        ),
        (
            ("new", "number"),
            "1e999",
            "ऐसी परिमित संख्या होनी चाहिए",
            {},
            "Must be a string, a number, a boolean, or a list of these, not an object.",
        ),
        (
            ("new", "boolean"),
            "maybe",
            "सत्य या असत्य (true या false) होना चाहिए, स्ट्रिंग नहीं।",
            [[]],
            "Item 1: Must be a string, a number or a boolean, not a list.",
        ),
    ],
)
def test_an_error_is_in_hindi_at_its_field_and_in_english_in_the_call(
    browser, call, user, definitions, parameter, typed, error, value, message
):
    if isinstance(parameter, tuple):
        name, type_ = parameter
        field = "new_skill_value"
        sent = {"new_skill_name": name, "new_skill_type": type_, "new_skill_value": typed}
        body, expected = (
            {"skill_attributes": {name: value}},
            {"skill_attributes": {name: [message]}},
        )
    elif parameter in definitions:
        field = f"skill_{definitions[parameter].pk}"
        sent = {field: typed}
        body = {"skill_attributes": {parameter: value}}
        expected = {"skill_attributes": {parameter: [message]}}
    else:
        field, sent = parameter, {parameter: typed}
        body, expected = {parameter: value}, {parameter: [message]}
    found = errors(save_user(browser, user, **sent))
    assert list(found) == [field]
    assert error in found[field][0]
    assert any("\u0900" <= character <= "\u097f" for character in found[field][0])
    assert_refused(call(body, headers=HINDI), 3115, expected)


def test_an_error_of_all_attributes_is_in_hindi_and_in_english_in_the_call(browser, call, user):
    store(user, skill_attributes=dict.fromkeys(SKILLS, 1))
    added = {"new_skill_name": "new", "new_skill_type": "text", "new_skill_value": "x"}
    found = errors(save_user(browser, user, **added))
    assert found == {"__all__": ["अधिकतम 100 विशेषताएँ होनी चाहिए, और 101 हो जाएँगी।"]}
    message = "Must have at most 100 attributes, and would have 101."
    answer = call({"skill_attributes": {"new": "x"}}, headers=HINDI)
    assert_refused(answer, 3115, {"skill_attributes": [message]})


def test_a_name_that_is_taken_is_refused_in_hindi_and_in_english_by_the_call(browser, call, user):
    UserFactory(login_id="asha", email_id="asha@desk.example")
    taken = {"login_id": "asha", "email_id": "asha@desk.example"}
    assert errors(save_user(browser, user, **taken)) == {
        "login_id": ["इस लॉगिन आईडी वाला उपयोगकर्ता पहले से मौजूद है।"],
        "email_id": ["इस ईमेल वाला उपयोगकर्ता पहले से मौजूद है।"],
    }
    body = {"first_name": "Asha", **taken}
    answer = call(body, "POST", path="/api/users", headers=HINDI)
    assert answer.json()["response"]["errors"] == {
        "login_id": ["A user with this login id already exists."],
        "email_id": ["A user with this email already exists."],
    }


def test_a_weak_password_is_refused_in_english_by_the_call(call):
    body = {"first_name": "A", "login_id": "a", "email_id": "a@desk.example", "password": "12345"}
    answer = call(body, "POST", path="/api/users", headers=HINDI)
    assert answer.json()["response"]["errors"]["password"] == [
        "This password is too short. It must contain at least 8 characters.",
        "This password is too common.",
        "This password is entirely numeric.",
    ]


def test_an_import_says_in_hindi_why_a_row_is_refused(browser, user):
    file = SimpleUploadedFile(
        "users.csv", b"Login ID,Status\n" + user.login_id.encode() + b",away\n"
    )
    page = browser.get(f"{USERS}import/")
    preview = browser.post(f"{USERS}import/", {**fields(page), "file": file}).content.decode()
    assert "इनमें से एक होना चाहिए: &#x27;active&#x27;, &#x27;inactive&#x27;।" in preview
    assert "अस्वीकृत" in preview


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/admin/login/", "/invitations/"])
@pytest.mark.parametrize("language", [code for code, _ in settings.LANGUAGES])
def test_a_page_is_in_the_language_of_the_browser(client, path, language):
    page = client.get(path, headers={"accept-language": f"{language}, en;q=0.5"})
    assert f'<html lang="{language}"' in page.content.decode()
    assert page["Content-Language"] == language
    assert "Accept-Language" in page["Vary"]


@pytest.mark.django_db
def test_a_page_is_in_english_for_a_browser_of_another_language(client):
    page = client.get("/admin/login/", headers={"accept-language": "ja"})
    assert '<html lang="en"' in page.content.decode()


def test_the_language_is_switched_at_the_end_of_each_page(browser):
    switched = send_language(browser, "fr", f"{USERS}?q=asha")
    assert switched.url == f"{USERS}?q=asha"
    cookie = browser.cookies[settings.LANGUAGE_COOKIE_NAME]
    assert (cookie.value, cookie["samesite"], cookie["httponly"]) == ("fr", "Lax", True)
    page = browser.get(switched.url).content.decode()
    assert '<html lang="fr"' in page
    assert '<button name="language" value="fr" lang="fr" aria-current="true">français' in page


def test_it_is_switched_before_the_log_in(client, db):
    switched = send_language(client, "es", "/admin/login/?next=/admin/")
    assert '<html lang="es"' in client.get(switched.url).content.decode()


def send_language(browser, language, path):
    form = fields(browser.get(path), "languages")
    return browser.post("/language/", {**form, "language": language})


def test_dates_are_in_the_form_of_the_language(browser, user):
    AccessToken.objects.issue("HR", [], expires_at=datetime(2030, 3, 1, 12, tzinfo=UTC))
    pages = {}
    for language in ("de", "fr", "hi"):
        page = browser.get("/admin/users/accesstoken/", headers={"accept-language": language})
        pages[language] = page.content.decode()
    assert "1. März 2030 12:00" in pages["de"]
    assert "1 mars 2030 12:00" in pages["fr"]
    assert "मार्च 1, 2030, दोपहर" in pages["hi"]


def test_numbers_are_in_the_form_of_the_language(browser, user, definitions):
    user.active_chats, user.skill_attributes = 12345, {"number": 7.5}
    user.save()
    browser.post(f"{USERS}columns/", {"column": ["login_id", f"skill_{definitions['number'].pk}"]})
    for language, chats, number in (("en", "12,345", "7.5"), ("de", "12.345", "7,5")):
        headers = {"accept-language": language}
        assert f"<dd>{chats}</dd>" in browser.get("/admin/", headers=headers).content.decode()
        assert f">{number}</td>" in browser.get(USERS, headers=headers).content.decode()


def test_the_history_has_roles_in_the_language(browser, user):
    user.memberships.get().delete()
    page = browser.get("/admin/users/change/", headers={"accept-language": "de"}).content.decode()
    assert "<del>Team-Agent</del>" in page


def test_the_page_of_a_password_is_in_the_language(browser):
    user = UserFactory(password="correct horse")
    page = browser.get(f"{USERS}{user.pk}/password/", headers={"accept-language": "de"})
    assert "geht das aktuelle Passwort dieses Benutzers verloren." in page.content.decode()
    assert "If disabled" not in page.content.decode()


def test_a_call_neither_chooses_nor_names_a_language(call):
    answer = call({"first_name": "Bruno"}, headers=HINDI)
    assert "Content-Language" not in answer.headers
    assert "Accept-Language" not in answer.headers.get("Vary", "")


def test_the_document_of_the_api_is_in_english_whoever_asked_before(client, db):
    english = client.get("/api/schema/").content
    with translation.override("hi"):
        assert client.get("/api/schema/").content == english


def test_an_invitation_is_in_the_language_of_who_sends_it(
    browser, at_once, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        send(
            browser,
            f"{USERS}add/",
            "user_form",
            first_name="Asha",
            login_id="asha",
            email_id="asha@desk.example",
            usable_password="invite",
        )
    [message] = mail.outbox
    assert message.subject == "testserver के लिए अपना पासवर्ड सेट करें"


def test_an_invitation_by_a_call_is_in_the_language_of_the_project(
    call, at_once, settings, django_capture_on_commit_callbacks
):
    settings.LANGUAGE_CODE = "de"
    body = {
        "first_name": "Asha",
        "login_id": "asha",
        "email_id": "asha@desk.example",
        "invite": True,
    }
    with django_capture_on_commit_callbacks(execute=True):
        call(body, "POST", path="/api/users", headers=HINDI)
    [message] = mail.outbox
    assert message.subject == "Legen Sie Ihr Passwort für testserver fest"
