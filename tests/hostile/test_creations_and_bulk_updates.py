"""Nothing that a caller can send breaks a creation or a bulk update."""

import json

import pytest
from django.contrib.auth import get_user_model
from hypothesis import given
from hypothesis import strategies as st

from tests.assertions import TABLE
from tests.hostile.strategies import PARAMETERS, attribute_objects, generated, texts, values
from users.models import Change

pytestmark = pytest.mark.django_db

User = get_user_model()

NEW = ["login_id", "email_id", "password", "privileges", "active_chats", "invite"]
REQUIRED = {"first_name": "C", "login_id": "chloe", "email_id": "chloe@desk.example"}

creations = st.dictionaries(
    st.sampled_from([*PARAMETERS, *NEW]) | texts, values | attribute_objects, max_size=6
)
items = st.dictionaries(
    st.sampled_from(["id", "login_id", *PARAMETERS]) | texts, values | attribute_objects, max_size=4
)


def assert_an_answer_of_the_table(response):
    envelope = json.loads(response.content.decode())
    code = TABLE[envelope["status_code"]]
    assert (response.status_code, envelope["description"]) == (code.http_status, code.description)
    assert code.http_status < 500
    return envelope


@generated
@given(body=creations, required=st.booleans())
def test_any_creation(call, body, required):
    before = User.objects.count()
    sent = {**REQUIRED, **body} if required else body
    response = call(json.dumps(sent).encode(), "POST", path="/api/users")
    envelope = assert_an_answer_of_the_table(response)
    created = envelope["status_code"] == 4308
    assert User.objects.count() == before + created
    if created:
        user = User.objects.get(pk=envelope["response"]["id"])
        user.full_clean()  # every door has the same rules
        user.delete()


@generated
@given(name=texts)
def test_any_name(call, name):
    for body in ({"login_id": name}, {"email_id": name}, {"email_id": f"{name}@x.org"}):
        response = call(json.dumps({**REQUIRED, **body}).encode(), "POST", path="/api/users")
        if assert_an_answer_of_the_table(response)["status_code"] == 4308:
            user = User.objects.get(pk=response.json()["response"]["id"])
            user.full_clean()
            user.delete()


@generated
@given(some=st.lists(items | values, max_size=8), named=st.booleans())
def test_any_items(call, user, some, named):
    if named and some and isinstance(some[0], dict):
        some[0] = {**some[0], "id": user.pk}
    lines = Change.objects.count()
    response = call(json.dumps({"users": some}).encode(), path="/api/users")
    envelope = assert_an_answer_of_the_table(response)
    if envelope["status_code"] in (4309, 9207):
        answered = envelope["response"]["users"]
        assert len(answered) == len(some)
        assert {item["status_code"] for item in answered} <= {4309, 3101, 3107, 3110, 3114, 3115}
        assert Change.objects.count() <= lines + 1
    User.objects.get(pk=user.pk).full_clean()


@generated
@given(body=values | st.dictionaries(st.just("users") | texts, values, max_size=3))
def test_any_json_value(call, body):
    for method in ("POST", "PATCH"):
        response = call(json.dumps(body).encode(), method, path="/api/users")
        assert_an_answer_of_the_table(response)


@generated
@given(query=st.text(st.characters(codec="ascii", exclude_characters="#\r\n"), max_size=60))
def test_any_query(call, user, query):
    body = {"users": [{"id": user.pk, "last_name": "B"}]}
    assert_an_answer_of_the_table(call(body, path=f"/api/users?{query}"))
