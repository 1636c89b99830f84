"""Who may log in, and by which name."""

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.models import Permission

from tests.factories import PASSWORD, UserFactory
from users import backends

pytestmark = pytest.mark.django_db


@pytest.fixture
def user(settings):
    settings.AUTHENTICATION_BACKENDS = ["users.backends.LoginBackend"]
    return UserFactory(login_id="Ásha", email_id="asha@desk.example")


@pytest.mark.parametrize("name", ["Ásha", "ásha", "ÁSHA", "A\u0301sha"])
def test_the_login_id_logs_in_whatever_the_case(user, name):
    assert authenticate(username=name, password=PASSWORD) == user
    assert authenticate(login_id=name, password=PASSWORD) == user


@pytest.mark.parametrize(
    ("login_using_email", "logs_in"), [(True, True), (False, False)], ids=["allowed", "not allowed"]
)
def test_the_email_logs_in_where_that_is_allowed(user, login_using_email, logs_in):
    user.login_using_email = login_using_email
    user.save()
    found = authenticate(username="ASHA@desk.example", password=PASSWORD)
    assert (found == user) == logs_in


def test_the_login_id_wins_over_anothers_email(user):
    user.login_using_email = True
    user.save()
    other = UserFactory(login_id="Asha@desk.example", email_id="o@desk.example", password="other")
    assert authenticate(username="asha@desk.example", password="other") == other
    assert authenticate(username="asha@desk.example", password=PASSWORD) is None


def test_an_inactive_user_does_not_log_in(user):
    user.status = "inactive"
    user.save()
    assert authenticate(username="Ásha", password=PASSWORD) is None


@pytest.mark.parametrize("name", ["", "nobody", "x" * 10_000, None])
@pytest.mark.parametrize("password", ["", "wrong", None])
def test_nobody_else_logs_in(user, name, password):
    assert authenticate(username=name, password=password) is None


@pytest.mark.parametrize(
    ("name", "login_using_email"),
    [("Ásha", False), ("nobody", False), ("asha@desk.example", False), ("asha@desk.example", True)],
)
def test_a_refusal_costs_one_hash_and_one_query_whoever_is_named(
    user, name, login_using_email, monkeypatch, django_assert_num_queries
):
    type(user).objects.update(login_using_email=login_using_email)
    hashed = []
    hasher = "django.contrib.auth.hashers.MD5PasswordHasher.encode"
    monkeypatch.setattr(hasher, lambda self, password, salt: hashed.append(1) or "md5$s$h")
    with django_assert_num_queries(1):
        assert backends.LoginBackend().authenticate(None, name, "wrong") is None
    assert len(hashed) == 1


@pytest.mark.parametrize("is_active", [True, False, None])
def test_who_has_a_permission_is_found_active_or_not(user, is_active):
    permission = Permission.objects.get(codename="change_user")
    inactive = UserFactory(status="inactive")
    for holder in (user, inactive):
        holder.user_permissions.add(permission)
    found = get_user_model().objects.with_perm("users.change_user", is_active=is_active)
    assert set(found) == {True: {user}, False: {inactive}, None: {user, inactive}}[is_active]
