"""Creations at the same moment as others, and as what takes away what they were checked by."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth import get_user_model
from django.db import OperationalError, connection, transaction

from tests.factories import TeamFactory, UserFactory, issue_token
from tests.postgresql import wait_until_somebody_waits_for_a_lock
from tests.requirements import on_postgresql
from users import changes
from users.api.views.create import CreateView
from users.models import Change, Membership, Team

pytestmark = pytest.mark.django_db(transaction=True)

User = get_user_model()

FORMS = ["chloe", "CHLOE", "Chloe", "\uff43hloe", "chloe ", "chl\u00adoe", "cHLOE", "chloE"]


@pytest.fixture
def create_at_once(server, call):
    """Create a user for each login id at once; returns the answers, in their order."""
    headers = {**call.headers, "Content-Type": "application/json"}

    def make(login_id, email_id):
        body = {"first_name": "Chloe", "login_id": login_id, "email_id": email_id}
        return server.call("/api/users", body, headers, "POST")[1]

    def all_of(names):
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(make, *zip(*names, strict=True)))

    return all_of


def test_of_eight_that_make_one_login_id_one_wins(create_at_once):
    for round_ in range(5):
        names = [(f"{round_}{login_id}", f"{n}.{round_}@x.org") for n, login_id in enumerate(FORMS)]
        answers = create_at_once(names)
        assert sorted(answer["status_code"] for answer in answers) == [4308] + [9409] * 7
        [user] = User.objects.filter(login_key=f"{round_}chloe")
        assert Change.objects.filter(user_id=user.pk).count() == 1
        assert Membership.objects.filter(user=user).count() == 1
        taken = {"login_id": ["A user with this login id already exists."]}
        refused = [answer for answer in answers if answer["status_code"] == 9409]
        assert all(answer["response"]["errors"] == taken for answer in refused)


def test_of_eight_that_make_one_email_one_wins(create_at_once):
    answers = create_at_once([(f"c{n}", "Chloe@X.org") for n in range(8)])
    assert sorted(answer["status_code"] for answer in answers) == [4308] + [9409] * 7
    assert User.objects.filter(email_key="chloe@x.org").count() == 1


def test_different_names_are_all_made(create_at_once):
    answers = create_at_once([(f"c{n}", f"c{n}@x.org") for n in range(24)])
    assert {answer["status_code"] for answer in answers} == {4308}
    assert User.objects.filter(login_id__startswith="c").count() == 24


@pytest.fixture
def meanwhile(monkeypatch):
    """Have something done between the checks of the first attempt and its transaction."""

    def arrange(action):
        validate, actions = CreateView.validate, [action]

        def and_then(*args):
            valid = validate(*args)
            if actions:
                actions.pop()()
            return valid

        monkeypatch.setattr(CreateView, "validate", and_then)

    return arrange


CHLOE = {"first_name": "Chloe", "login_id": "chloe", "email_id": "chloe@desk.example"}


def test_the_team_that_is_deleted_meanwhile_is_not_found(call, team, meanwhile):
    meanwhile(team.delete)
    response = call(CHLOE, "POST", path="/api/users")
    assert (response.status_code, response.json()["status_code"]) == (404, 2010)
    assert not User.objects.filter(login_id="chloe").exists()


def test_another_team_that_is_deleted_meanwhile_is_not_granted(call, team, meanwhile):
    other = TeamFactory()
    headers = {"Authorization": f"Bearer {issue_token(team, other)}"}
    meanwhile(other.delete)
    privileges = [{"teamid": each.pk, "role": "Team Agent"} for each in (other, team)]
    body = {**CHLOE, "privileges": privileges}
    response = call(body, "POST", path="/api/users", headers=headers).json()
    assert response["status_code"] == 3115
    refused = [f"The team {privileges[0]['teamid']} is not granted to the access token."]
    assert response["response"]["errors"] == {"privileges": refused}
    assert not User.objects.filter(login_id="chloe").exists()


def test_a_name_that_is_free_again_is_given(call, monkeypatch):
    holder = UserFactory(login_id="CHLOE")

    def and_free(*args):
        holder.delete()
        return taken_names(*args)

    taken_names = changes.taken_names
    monkeypatch.setattr("users.changes.taken_names", and_free)
    response = call({**CHLOE, "password": "a good one, this is"}, "POST", path="/api/users")
    assert response.json()["status_code"] == 4308
    assert User.objects.get(login_id="chloe").check_password("a good one, this is")


def test_a_deadlock_is_not_the_callers(call, monkeypatch):
    create, errors = changes.create, [OperationalError(1213, "Deadlock found")]

    def fail_once(*args):
        create(*args)
        if errors:
            raise errors.pop()

    monkeypatch.setattr("users.changes.create", fail_once)
    assert call(CHLOE, "POST", path="/api/users").json()["status_code"] == 4308
    assert Change.objects.filter(login_id="chloe").count() == 1


@on_postgresql
@pytest.mark.parametrize("delete", [Team.delete, lambda team: Team.objects.all().delete()])
def test_a_team_is_deleted_with_whom_joins_meanwhile(team, delete):
    user = UserFactory()

    def in_a_thread():
        try:
            return delete(team)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Membership.objects.create(user=user, team=team)
            connection.check_constraints()  # as a commit begins
            deletion = pool.submit(in_a_thread)
            wait_until_somebody_waits_for_a_lock()
        assert deletion.result(30)[1]["users.Membership"] == 1
    assert list(user.memberships.all()) == []
