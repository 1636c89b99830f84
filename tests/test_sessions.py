"""Sessions that know their user."""

from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import SESSION_KEY, get_user_model
from django.contrib.sessions.backends.base import UpdateError
from django.test import Client
from django.utils import timezone

from tests.assertions import assert_updated
from tests.factories import PASSWORD, AdministratorFactory, MembershipFactory, UserFactory
from users.models import Session
from users.sessions import SessionStore

User = get_user_model()


@pytest.fixture
def browser(user):
    """A browser in which `user` is logged in."""
    browser = Client()
    browser.force_login(user)
    return browser


def test_a_log_in_makes_the_user_logged_in(call, user):
    assert_updated(call({"first_name": "B"}), logged_in=False)
    Client().force_login(user)
    assert_updated(call({"first_name": "C"}), logged_in=True)


def test_a_log_out_ends_it(call, browser):
    browser.logout()
    assert_updated(call({"first_name": "B"}), logged_in=False)


def test_a_session_that_expires_ends_it(call, browser):
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert_updated(call({"first_name": "B"}), logged_in=False)


def test_a_password_that_changes_ends_it(call, user, browser):
    user.set_password("another")
    user.save()
    assert not user.logged_in
    assert_updated(call({"first_name": "B"}), logged_in=False)


@pytest.mark.parametrize("change", [{"password": "!"}, {"first_name": "B"}])
def test_a_save_of_the_same_password_ends_none(call, user, browser, change):
    User.objects.filter(pk=user.pk).update(**change)
    assert_updated(call({"last_name": "C"}), logged_in="password" not in change)


def test_the_session_that_changed_the_password_stays(call, db, team):
    administrator = AdministratorFactory()
    MembershipFactory(user=administrator, team=team)
    browser, other = Client(), Client()
    browser.force_login(administrator)
    other.force_login(administrator)
    new = "another horse, another staple"
    form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert browser.post("/admin/password_change/", form).status_code == 302
    assert administrator.logged_in
    assert other.get("/admin/").status_code == 302
    browser.logout()
    assert not administrator.logged_in


def test_a_session_of_the_old_password_is_none_however_late_it_is_saved(user, browser):
    session = browser.session
    user.set_password("another")
    user.save()
    session["language"] = "de"
    session.save()
    assert not user.logged_in


def test_a_rotated_secret_key_ends_none(user, browser, settings):
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new" * 20, [settings.SECRET_KEY]
    assert user.logged_in
    store = SessionStore(browser.cookies["sessionid"].value)
    store["language"] = "de"
    store.save()
    assert user.logged_in


def test_another_users_session_does_not_count(call, user):
    Client().force_login(UserFactory())
    assert_updated(call({"first_name": "B"}), logged_in=False)


def test_one_session_of_two_is_enough(call, user, browser):
    Client().force_login(user)
    browser.logout()
    assert_updated(call({"first_name": "B"}), logged_in=True)


def test_a_user_knows_without_the_call(user, browser):
    assert user.logged_in
    browser.logout()
    assert not user.logged_in


def test_a_deactivation_by_the_call_ends_all_sessions(call, user, browser):
    Client().force_login(user)
    assert_updated(call({"status": "inactive"}), status="inactive", logged_in=False)
    assert not Session.objects.exists()


@pytest.mark.parametrize("fields", [None, ["status"]])
def test_a_deactivation_by_save_ends_all_sessions(user, browser, fields):
    Client().force_login(other := UserFactory())
    user.status = "inactive"
    user.save(update_fields=fields)
    assert Session.objects.get().user == other


def test_the_next_click_of_a_deactivated_administrator_leads_to_the_log_in(db):
    administrator = AdministratorFactory(is_superuser=True)
    browser = Client()
    browser.force_login(administrator)
    assert browser.get("/admin/").status_code == 200
    administrator.status = "inactive"
    administrator.save()
    assert browser.get("/admin/").status_code == 302


def test_a_deactivation_during_the_log_in_wins(user):
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)  # the password was right, and then:
    User.objects.filter(pk=user.pk).update(status="inactive")
    with pytest.raises(UpdateError):
        session.save()
    assert not Session.objects.exists()


async def log_in_asynchronously(user):
    session = SessionStore()
    await session.aset(SESSION_KEY, str(user.pk))
    await session.asave()


@pytest.mark.django_db(transaction=True)
def test_a_session_saved_by_asynchronous_code_knows_its_user(user):
    async_to_sync(log_in_asynchronously)(user)
    assert Session.objects.get().user == user


def test_an_anonymous_session_has_no_user(db):
    browser = Client()
    session = browser.session
    session["language"] = "en"
    session.save()
    assert Session.objects.get().user is None


def test_deleting_a_user_deletes_the_sessions(user, browser):
    user.delete()
    assert not Session.objects.exists()


@pytest.mark.parametrize("key", ["\0aaaaaaaaaaa", "'; --", "é" * 32, "A" * 32, "a" * 10_000])
def test_a_cookie_that_is_no_key_is_no_session(db, key):
    browser = Client()
    browser.cookies["sessionid"] = key
    assert browser.get("/admin/login/").status_code == 200
