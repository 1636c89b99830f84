"""The log-in of the admin site, and who is locked out of it."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.test import Client
from django.utils import timezone

from tests.factories import PASSWORD, AdministratorFactory, UserFactory

PATH = "/admin/login/?next=/admin/"
REFUSED = "Please enter the login id or email and the password of an administrator account."


@pytest.fixture
def administrator(db):
    return AdministratorFactory(login_id="Ada", email_id="ada@desk.example", login_using_email=True)


def log_in(name="ada", password=PASSWORD, address="192.0.2.1", browser=None, **headers):
    """Try to log in; a response of 302 is a success."""
    return (browser or Client()).post(
        PATH, {"username": name, "password": password}, REMOTE_ADDR=address, headers=headers
    )


def text(response):
    return response.content.decode()


@pytest.mark.parametrize("name", ["Ada", "ADA", "ada@desk.example", "ADA@Desk.Example"])
def test_an_administrator_logs_in(administrator, name):
    assert log_in(name).status_code == 302


def test_a_long_email_logs_in(administrator):
    administrator.email_id = f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 50}.example"
    administrator.save()
    assert log_in(administrator.email_id).status_code == 302


def test_a_log_in_does_not_move_updated_at(administrator):
    log_in()
    assert type(administrator).objects.get().updated_at == administrator.updated_at


def test_everybody_who_is_refused_reads_the_same(administrator):
    UserFactory(login_id="agent")
    AdministratorFactory(login_id="gone", status="inactive")
    refusals = {
        log_in(*credentials).context["form"].non_field_errors().as_text()
        for credentials in (
            ("ada", "wrong"),
            ("nobody", PASSWORD),
            ("gone", PASSWORD),
            ("gone", "wrong"),
            ("agent", PASSWORD),
            ("agent", "wrong"),
        )
    }
    [refusal] = refusals
    assert REFUSED in refusal
    assert "role type Customer Care" in refusal


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("ada", "wrong"),
        ("nobody", "wrong"),
        ("nobody", PASSWORD),
        ("agent", "wrong"),
        ("agent", PASSWORD),  # Customer Care: a right password tells no more than a wrong one
    ],
)
def test_five_failures_lock_out_and_say_for_how_long(administrator, name, password):
    UserFactory(login_id="agent")
    responses = [log_in(name, password) for _ in range(5)]
    assert [response.status_code for response in responses] == [200, 200, 200, 200, 429]
    assert "for 15 minutes" in text(responses[-1])
    assert log_in(name).status_code == 429


def lock_out(**changes):
    for _ in range(5):
        response = log_in(**{"password": "wrong", **changes})
    assert response.status_code == 429


def test_an_account_is_not_locked_for_another_address(administrator):
    lock_out()
    assert log_in(address="192.0.2.2").status_code == 302


def test_an_address_is_not_locked_for_another_account(administrator):
    lock_out()
    AdministratorFactory(login_id="bea")
    assert log_in("bea").status_code == 302


def test_the_names_of_one_account_count_together(administrator):
    for name in ("ada", "ADA", "ada@desk.example", "Ada@desk.example", "Ada"):
        response = log_in(name, "wrong")
    assert response.status_code == 429
    assert log_in("aDA").status_code == 429


def test_a_lock_ends(administrator):
    lock_out()
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=14))
    assert log_in().status_code == 429
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=16))
    assert log_in().status_code == 302


def test_the_page_that_locks_out_is_headed_as_the_others(administrator):
    lock_out()
    page = log_in().content.decode()
    assert "Desk users" in page
    assert "Django administration" not in page


def test_trying_while_locked_out_does_not_prolong_it(administrator):
    lock_out()
    before = timezone.now() - timedelta(minutes=14)
    AccessAttempt.objects.update(attempt_time=before)
    log_in(password="wrong")
    assert AccessAttempt.objects.get().attempt_time == before


def test_a_success_forgets_the_failures(administrator):
    for _ in range(4):
        log_in(password="wrong")
    assert log_in().status_code == 302
    for _ in range(4):
        assert log_in(password="wrong").status_code == 200


@pytest.mark.parametrize("name", ["ß" * 254, "x" * 254, "x" * 255, "a\0b", "\u202e", "𝄞" * 254])
def test_an_odd_name_is_refused_like_any_other(db, name):
    for _ in range(6):
        response = log_in(name)
    assert response.status_code in (200, 429)


def test_behind_the_proxy_the_address_is_the_one_that_the_proxy_saw(administrator, settings):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    for spoofed in range(5):
        forwarded = f"198.51.100.{spoofed}, 203.0.113.7"
        response = log_in(password="wrong", address="10.0.0.1", **{"X-Forwarded-For": forwarded})
    assert response.status_code == 429
    assert log_in(address="10.0.0.1", **{"X-Forwarded-For": "203.0.113.8"}).status_code == 302


@pytest.mark.parametrize("forwarded", ["", "unknown", "1.2.3.4:80", "x" * 1000])
def test_a_proxy_that_says_no_address_counts_as_its_own(administrator, settings, forwarded):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert log_in(**{"X-Forwarded-For": forwarded}).status_code == 302


def test_without_a_proxy_a_client_does_not_choose_its_address(administrator):
    for n in range(5):
        response = log_in(password="wrong", **{"X-Forwarded-For": f"198.51.100.{n}"})
    assert response.status_code == 429


def test_a_password_is_stored_by_no_lock(administrator):
    log_in(password="a wrong password")
    assert "a wrong password" not in str(list(AccessAttempt.objects.values()))
