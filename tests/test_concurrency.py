"""Updates at the same moment, through a real server with two workers: nothing is lost.

Each answer says what the user was after its own update, and when that was (`updated_at`). So the
answers in the order of their times are the serial order that the database made of them, and
replaying the requests in that order has to give each answer.
"""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.base import UpdateError
from django.db import connection, transaction

from tests.admin.conftest import browser_of
from tests.admin.pages import fields
from tests.factories import (
    AdministratorFactory,
    AttributeDefinitionFactory,
    ChoiceFactory,
    MembershipFactory,
)
from tests.postgresql import wait_until_somebody_waits_for_a_lock
from tests.server import Server
from users.attributes.values import merge
from users.models import AttributeDefinition, Membership, Session
from users.sessions import SessionStore

pytestmark = pytest.mark.django_db(transaction=True)

User = get_user_model()
CLIENTS = 16


@pytest.fixture
def server(tmp_path, db):
    with Server(tmp_path / "server.log") as server:
        yield server


@pytest.fixture
def at_once(server, call):
    """Make calls for the user at once; returns [(method, body, HTTP status, envelope)]."""

    def make(request):
        method, body = request
        headers = {**call.headers, "Content-Type": "application/json"}
        return method, body, *server.call(call.path, body, headers, method)

    def all_of(requests):
        with ThreadPoolExecutor(CLIENTS) as pool:
            return list(pool.map(make, requests))

    return all_of


def assert_a_serial_order_explains(answers, skills):
    """Replay the successful `answers` on `skills` in the order of their times; returns the end."""
    done = [answer for answer in answers if answer[3]["status_code"] == 4309]
    for method, body, _, envelope in sorted(done, key=lambda a: a[3]["response"]["updated_at"]):
        patch = body.get("skill_attributes", {})
        replaces = method == "PUT" and "skill_attributes" in body
        skills = patch if replaces else merge(skills, patch)
        assert envelope["response"]["skill_attributes"] == skills
    return skills


def codes(answers):
    return {answer[3]["status_code"] for answer in answers}


def test_hundreds_of_merges_of_different_keys_all_stand(at_once, user):
    for n in range(98):
        AttributeDefinitionFactory(name=f"c{n}", type="number")
    requests = [
        ("PATCH", {f"{kind}_attributes": {f"{kind[0]}{n}": n}})
        for n in range(98)
        for kind in ("custom", "skill")
    ]
    assert codes(at_once(requests)) == {4309}
    user.refresh_from_db()
    assert user.custom_attributes == {"business": "Retail"} | {f"c{n}": n for n in range(98)}
    assert user.skill_attributes == {"chess": 3} | {f"s{n}": n for n in range(98)}


def test_puts_against_patches_end_in_a_serial_order(at_once, user):
    requests = []
    for n in range(60):  # each changes something: an answer's time is that of its own update
        requests.append(("PATCH", {"skill_attributes": {f"k{n % 7}": n, f"k{n % 5}x": None}}))
        requests.append(("PATCH", {"skill_attributes": {f"k{n % 5}x": n}}))
        if n % 4 == 0:
            requests.append(("PUT", {"skill_attributes": {"put": n}}))
    answers = at_once(requests)
    assert codes(answers) == {4309}
    end = assert_a_serial_order_explains(answers, user.skill_attributes)
    user.refresh_from_db()
    assert user.skill_attributes == end


def test_a_deactivation_against_updates_loses_none_of_them(at_once, user):
    User.objects.filter(pk=user.pk).update(accepting_chats=True)
    requests = [("PATCH", {"skill_attributes": {f"k{n}": n}}) for n in range(60)]
    requests.insert(30, ("PATCH", {"status": "inactive"}))
    assert codes(at_once(requests)) == {4309}
    user.refresh_from_db()
    assert user.skill_attributes == {"chess": 3} | {f"k{n}": n for n in range(60)}
    assert (user.status, user.accepting_chats) == ("inactive", False)


def test_log_ins_against_a_deactivation_leave_no_session(at_once, user):
    def try_to_log_in(_):
        try:
            log_in(user)
        except UpdateError:
            return "refused"
        finally:
            connection.close()
        return "logged in"

    for _ in range(5):
        User.objects.filter(pk=user.pk).update(status="active")
        with ThreadPoolExecutor(CLIENTS) as pool:
            log_ins = pool.map(try_to_log_in, range(20))
            answers = at_once([("PATCH", {"status": "inactive"})])
            assert set(log_ins) <= {"logged in", "refused"}
        assert codes(answers) == {4309}
        assert not Session.objects.exists()


def test_a_definition_that_changes_against_updates(at_once, user):
    business = ChoiceFactory(name="business", choices=["Retail", "Banking"])

    def redefine(n):
        choices = ["Retail", "Banking"] if n % 2 else ["Retail", "Travel"]
        AttributeDefinition.objects.filter(pk=business.pk).update(choices=choices)
        connection.close()

    requests = [
        ("PATCH", {"custom_attributes": {"business": choice}})
        for _ in range(40)
        for choice in ("Banking", "Travel", "Retail")
    ]
    with ThreadPoolExecutor(1) as pool:
        redefinitions = pool.map(redefine, range(100))
        answers = at_once(requests)
        list(redefinitions)
    assert codes(answers) <= {4309, 3107}
    assert 4309 in codes(answers)
    for _, body, _, envelope in answers:
        if envelope["status_code"] == 4309:
            assert envelope["response"]["custom_attributes"] == body["custom_attributes"]


def test_a_membership_that_is_removed_against_updates(at_once, user):
    def remove(_):
        Membership.objects.filter(user=user).delete()
        connection.close()

    requests = [("PATCH", {"skill_attributes": {f"k{n}": n}}) for n in range(60)]
    with ThreadPoolExecutor(1) as pool:
        removal = pool.map(remove, range(1))
        answers = at_once(requests)
        list(removal)
    assert codes(answers) <= {4309, 3101}
    acknowledged = {
        key: value
        for _, body, _, envelope in answers
        if envelope["status_code"] == 4309
        for key, value in body["skill_attributes"].items()
    }
    user.refresh_from_db()
    assert user.skill_attributes == {"chess": 3} | acknowledged
    assert codes(at_once(requests[:3])) == {3101}


@pytest.fixture
def after_a_wait(server, call, user):
    """Do something while the user is locked and a call waits for that; returns its envelope."""

    def make(change):
        headers = {**call.headers, "Content-Type": "application/json"}
        with ThreadPoolExecutor(1) as pool:
            with transaction.atomic():
                User.objects.select_for_update().get(pk=user.pk)
                answer = pool.submit(server.call, call.path, {"first_name": "Zoë"}, headers)
                wait_until_somebody_waits_for_a_lock()
                change()
            return answer.result(30)[1]

    return make


def log_in(user):
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="PostgreSQL shows who waits")
def test_who_left_the_team_while_the_call_waited_is_not_updated(after_a_wait, user):
    envelope = after_a_wait(lambda: Membership.objects.filter(user=user).delete())
    assert envelope["status_code"] == 3101
    user.refresh_from_db()
    assert user.first_name == "Asha"


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="PostgreSQL shows who waits")
def test_who_logged_in_while_the_call_waited_is_logged_in(after_a_wait, user):
    envelope = after_a_wait(lambda: log_in(user))
    assert (envelope["status_code"], envelope["response"]["logged_in"]) == (4309, True)


def test_superusers_who_are_made_inactive_at_once_leave_one(server, call, team):
    superusers = AdministratorFactory.create_batch(4, is_superuser=True)
    for superuser in superusers:
        MembershipFactory(user=superuser, team=team)
    headers = {**call.headers, "Content-Type": "application/json"}

    def make_inactive(superuser):
        _, envelope = server.call(f"/api/users/{superuser.pk}", {"status": "inactive"}, headers)
        return envelope["status_code"]

    for _ in range(10):
        User.objects.update(status="active")
        with ThreadPoolExecutor(CLIENTS) as pool:
            codes = list(pool.map(make_inactive, superusers))
        assert sorted(codes) == [3115, 4309, 4309, 4309]
        assert User.objects.filter(is_superuser=True, status="active").count() == 1


def deactivate_by_form(browser, user):
    path = f"/admin/users/user/{user.pk}/change/"
    data = fields(browser.get(path), "user_form") | {"status": "inactive"}
    return lambda: browser.post(path, data)


def deactivate_by_action(browser, user):
    data = {"action": "deactivate", "_selected_action": [user.pk], "confirmed": "yes"}
    return lambda: browser.post("/admin/users/user/", data)


def disable_password(browser, user):
    data = {"usable_password": "false", "unset-password": "yes"}
    return lambda: browser.post(f"/admin/users/user/{user.pk}/password/", data)


def delete(browser, user):
    return lambda: browser.post(f"/admin/users/user/{user.pk}/delete/", {"post": "yes"})


@pytest.mark.parametrize(
    "take", [deactivate_by_form, deactivate_by_action, disable_password, delete]
)
def test_of_two_superusers_who_keep_each_other_out_one_stays(take):
    for _ in range(5):
        User.objects.all().delete()
        one, other = AdministratorFactory.create_batch(2, is_superuser=True)
        requests = [take(browser_of(one), other), take(browser_of(other), one)]
        start = threading.Barrier(2)

        def send(request, start=start):
            start.wait()
            try:
                return request().status_code
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            assert set(pool.map(send, requests)) <= {200, 302, 400, 403}
        left = [u for u in User.objects.all() if u.is_active and u.has_usable_password()]
        assert left
