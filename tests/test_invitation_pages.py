"""The pages of invitations."""

import re
from datetime import datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.tokens import default_token_generator
from django.core import mail
from django.test import Client
from django.utils import timezone

from tests.database import forget_creations, store, stored
from tests.factories import PASSWORD, AdministratorFactory, UserFactory
from users import invitations
from users.models import Change, Invitation, Session

User = get_user_model()

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_once")]

ASK = "/invitations/"
PASSWORDS = {"new_password1": PASSWORD, "new_password2": PASSWORD}
REFUSED = "This link does not work"


@pytest.fixture
def asha():
    """A user who was invited."""
    user = User.objects.create_user("asha", "asha@desk.example", first_name="Asha")
    Invitation.objects.create(user=user)
    forget_creations()
    return user


def path_of(user):
    return invitations.link(user).removeprefix("http://testserver")


def open_link(client, user):
    """Open the link, and return where it leads."""
    response = client.get(path_of(user))
    assert response.status_code == 302
    return response["Location"]


def assert_refused(response):
    assert response.status_code == 200
    assert REFUSED in response.text
    assert "new_password1" not in response.text


# Setting the password.


def test_the_link_sets_the_password(client, asha):
    page = open_link(client, asha)
    response = client.post(page, PASSWORDS, follow=True)
    assert response.redirect_chain == [("/invitations/done/", 302)]
    assert "Your password is set" in response.text
    assert stored(asha).check_password(PASSWORD)


def test_the_history_says_that_the_user_set_the_password(client, asha):
    client.post(open_link(client, asha), PASSWORDS)
    change = Change.objects.first()
    assert (change.action, change.door) == ("updated", "code")
    assert (change.before, change.after) == ({"password": None}, {"password": "set"})
    assert (change.by_type, change.by_id, change.by_name) == ("user", asha.pk, "asha")
    assert change.trxid


def test_nothing_but_the_password_is_saved(client, asha):
    page = open_link(client, asha)
    client.get(page)
    store(asha, first_name="Meanwhile")
    before = User.objects.filter(pk=asha.pk).values().get()
    client.post(page, PASSWORDS)
    after = User.objects.filter(pk=asha.pk).values().get()
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"password", "updated_at"}


def test_the_page_shows_the_login_id_for_password_managers(client, asha):
    store(asha, login_id="<b>asha", login_key="<b>asha")
    text = client.get(open_link(client, asha)).text
    assert re.search(r'<input[^>]* value="&lt;b&gt;asha" autocomplete="username" readonly>', text)


def test_the_token_is_in_no_page_and_no_address_but_the_first(client, asha):
    token = path_of(asha).split("/")[-2]
    page = open_link(client, asha)
    assert page.endswith("/set-password/")
    assert token not in client.get(page).text


@pytest.mark.parametrize(
    "data",
    [
        {"new_password1": PASSWORD, "new_password2": "another one"},
        {"new_password1": "12345678", "new_password2": "12345678"},
        {"new_password1": "asha@desk.example", "new_password2": "asha@desk.example"},
        {"new_password1": f"{PASSWORD}\0", "new_password2": f"{PASSWORD}\0"},
        {"new_password1": "", "new_password2": ""},
        {},
    ],
)
def test_a_password_that_the_validators_refuse_is_not_set(client, asha, data):
    response = client.post(open_link(client, asha), data)
    assert response.status_code == 200
    assert response.context["form"].errors
    assert response.text.count("<title>Error: ") == 1
    assert not stored(asha).has_usable_password()


def test_a_long_password_is_set(client, asha):
    long = "0123456789abcdef" * 2**16  # 1 MiB
    client.post(open_link(client, asha), {"new_password1": long, "new_password2": long})
    assert stored(asha).check_password(long)


# Links that do not work.


def test_a_link_that_does_not_work_is_not_logged(client, asha, caplog):
    link = path_of(asha)
    store(asha, status="inactive")
    client.get(link)
    assert not caplog.records


def test_a_link_that_is_posted_to_is_not_logged(asha, caplog):
    link = path_of(asha)
    response = Client(enforce_csrf_checks=True).post(link, PASSWORDS)
    assert response.status_code == 302
    assert not stored(asha).has_usable_password()
    assert link not in caplog.text


def test_a_link_works_once(client, asha):
    link = path_of(asha)
    client.post(open_link(client, asha), PASSWORDS)
    assert_refused(client.get(link))
    assert_refused(Client().get(link))


def test_of_two_tabs_one_sets_the_password(client, asha):
    page = open_link(client, asha)
    other = Client()
    open_link(other, asha)
    client.post(page, PASSWORDS)
    again = {"new_password1": "another good one", "new_password2": "another good one"}
    assert_refused(client.post(page, again))
    assert_refused(other.post(page, again))
    assert stored(asha).check_password(PASSWORD)


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "inactive"},
        {"role_type": "Administrative"},
        {"password": "md5$salt$hash"},
        {"email_id": "other@desk.example"},
    ],
)
def test_a_link_does_not_work_for_a_user_who_changed_meanwhile(client, asha, fields):
    link, page = path_of(asha), open_link(client, asha)
    store(asha, **fields)
    assert_refused(client.get(link))
    assert_refused(client.get(page))
    assert_refused(client.post(page, PASSWORDS))
    assert not stored(asha).check_password(PASSWORD)


def test_a_link_of_a_user_who_was_deleted_does_not_work(client, asha):
    link, page = path_of(asha), open_link(client, asha)
    asha.delete()
    assert_refused(client.get(link))
    assert_refused(client.post(page, PASSWORDS))


def test_a_link_does_not_work_for_ever(client, asha, monkeypatch, settings):
    link, page = path_of(asha), open_link(client, asha)
    later = datetime.now() + timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT + 1)  # noqa: DTZ005
    monkeypatch.setattr(invitations.token_generator, "_now", lambda: later)
    assert_refused(client.get(link))
    assert_refused(client.post(page, PASSWORDS))


def test_a_token_for_resetting_a_password_is_none_for_an_invitation(client, asha):
    link = path_of(asha)
    token = default_token_generator.make_token(asha)
    assert_refused(client.get(link.replace(link.split("/")[-2], token)))


def test_a_link_of_another_user_does_not_work(client, asha):
    bea = User.objects.create_user("bea", "bea@desk.example", first_name="Bea")
    Invitation.objects.create(user=bea)
    uid, token = path_of(asha).split("/")[-3], path_of(bea).split("/")[-2]
    assert_refused(client.get(f"/invitations/{uid}/{token}/"))
    # Nor does the page of another user, after one's own link.
    open_link(client, bea)
    assert_refused(client.post(f"/invitations/{uid}/set-password/", PASSWORDS))
    assert not stored(asha).has_usable_password()


@pytest.mark.parametrize(
    "path",
    [
        "MQ/set-password",
        "MQ/x",
        "MQ/x-y",
        "x/x-y",
        "%00/%00",
        "%ff/%ff",
        "é/é-é",
        "LTE/x-y",  # -1
        f"{'OTk5' * 2000}/x-y",  # 999…
        "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5/x-y",
        "2aE/x-y",  # the Arabic digit one
        f"MQ/{'z' * 5000}-{'z' * 5000}",
    ],
)
def test_an_address_that_is_no_link_is_refused(client, asha, path):
    assert_refused(client.get(f"/invitations/{path}/"))
    assert_refused(client.post(f"/invitations/{path}/", PASSWORDS))
    assert not Session.objects.exists()


def test_who_is_logged_in_sets_the_password_of_the_invited_user(asha):
    administrator = AdministratorFactory()
    client = Client()
    client.force_login(administrator)
    client.post(open_link(client, asha), PASSWORDS)
    assert stored(asha).check_password(PASSWORD)
    assert stored(administrator).password != stored(asha).password
    assert Change.objects.first().by_id == asha.pk
    assert client.get("/admin/").status_code == 200


def test_a_form_of_another_site_is_refused(asha):
    client = Client(enforce_csrf_checks=True)
    page = open_link(client, asha)
    assert client.post(page, PASSWORDS).status_code == 403
    assert not stored(asha).has_usable_password()


# Asking for another link.


def test_who_was_invited_gets_another_link(client, asha):
    response = client.post(ASK, {"email": "Asha@Desk.example"}, follow=True)
    assert response.redirect_chain == [("/invitations/asked/", 302)]
    [message] = mail.outbox
    link = re.search(r"^http://testserver(\S+-\S+)$", message.body, re.MULTILINE)[1]
    page = client.get(link)["Location"]
    client.post(page, PASSWORDS)
    assert stored(asha).check_password(PASSWORD)


def test_the_answer_is_the_same_for_every_address(client, asha):
    UserFactory(email_id="bea@desk.example")

    def answer(email):
        response = client.post(ASK, {"email": email})
        return response.status_code, response.content, sorted(response.items())

    answers = [answer(f"{name}@desk.example") for name in ("asha", "bea", "nobody")]
    assert answers[0] == answers[1] == answers[2]
    assert len(mail.outbox) == 1


def test_the_answer_asks_the_database_nothing(client, asha, monkeypatch, django_assert_num_queries):
    asked = []
    monkeypatch.setattr("users.background.run", lambda function, *args: asked.append(args))
    with django_assert_num_queries(0):
        client.post(ASK, {"email": "asha@desk.example"})
    assert asked == [("asha@desk.example", "en")]


@pytest.mark.parametrize("email", ["", "asha", "a\0@desk.example", "a@b.example\nBcc: c@d.example",
                                   f"{'a' * 300}@desk.example"])  # fmt: skip
def test_what_is_no_address_is_refused(client, asha, email):
    response = client.post(ASK, {"email": email})
    assert response.status_code == 200
    assert list(response.context["form"].errors) == ["email"]
    assert not mail.outbox


@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_asks_a_deployment_that_sends_no_mail(client, settings, method):
    settings.PUBLIC_URL = ""
    assert getattr(client, method)(ASK).status_code == 404


def test_the_link_is_not_made_of_the_host_of_the_request(client, asha, settings):
    settings.ALLOWED_HOSTS = ["*"]
    client.post(ASK, {"email": asha.email_id}, headers={"host": "evil.example"})
    assert "evil" not in str(mail.outbox[0].message())


# All pages.


@pytest.fixture
def pages(client, asha):
    page = open_link(client, asha)
    return [page, f"{ASK}x/x-y/", ASK, f"{ASK}asked/", f"{ASK}done/"]


def test_no_page_is_stored_indexed_or_framed(client, pages):
    for path in pages:
        response = client.get(path)
        assert "no-store" in response["Cache-Control"]
        assert response["X-Robots-Tag"] == "noindex"
        assert response["X-Frame-Options"] == "DENY"
        assert response["Referrer-Policy"] == "same-origin"
    first = client.get(path_of(User.objects.get()))
    assert "no-store" in first["Cache-Control"]


def test_no_page_has_scripts_or_styles_in_it(client, pages):
    for path in pages:
        assert not re.search(r"<script|<style|style=|\bon\w+=", client.get(path).text)


@pytest.mark.usefixtures("pages")
def test_the_pages_are_open_where_all_others_need_a_log_in(client, pages, settings):
    settings.MIDDLEWARE = [
        *settings.MIDDLEWARE,
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
    ]
    for path in pages:
        assert client.get(path).status_code == 200


def test_the_time_zone_of_an_expiry_is_named(asha, settings):
    settings.TIME_ZONE = "Asia/Kolkata"
    with timezone.override("Asia/Kolkata"):
        invitations.ask_again(asha.email_id)
    assert "(IST)" in mail.outbox[0].body
