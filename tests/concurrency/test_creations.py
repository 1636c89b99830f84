"""Creations of one name at the same moment, through a real server: one wins."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth import get_user_model

from users.models import Change, Membership

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
