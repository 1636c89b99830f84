"""The project behind a real server with two workers, on the database of the tests."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.factories import MembershipFactory

pytestmark = pytest.mark.django_db(transaction=True)


def test_hundreds_of_mixed_calls_get_the_answers_of_the_table(server, call, team, business):
    others = [MembershipFactory(team=team).user for _ in range(10)]
    json_ = {**call.headers, "Content-Type": "application/json"}
    requests = [
        *((f"/api/users/{u.pk}", {"custom_attributes": {"business": b}}, json_, "PATCH", 4309)
          for u in others for b in ("Retail", "Banking")),
        *((f"/api/users/{u.pk}/", {"skill_attributes": {"go": n}}, json_, "PUT", 4309)
          for u in others for n in range(2)),
        (call.path, {"first_name": "B"}, {}, "PATCH", 2002),
        (call.path, {"first_name": "B"}, json_ | {"Authorization": "Basic x"}, "PATCH", 2003),
        (call.path, {"first_name": "B"}, json_ | {"teamid": "0"}, "PATCH", 2010),
        (call.path, {"first_name": "B"}, json_, "POST", 2099),
        ("/api/users/0", {"first_name": "B"}, json_, "PATCH", 3101),
        (call.path, {"custom_attributes": {"business": 1}}, json_, "PATCH", 3107),
        (call.path, b"", json_, "PATCH", 3114),
        (call.path, b"\xff", json_, "PATCH", 3115),
        (call.path, b" " * 1_048_577, json_, "PATCH", 3115),
    ]  # fmt: skip
    requests *= 8

    def make(request):
        path, body, headers, method, expected = request
        status, envelope = server.call(path, body, headers, method)
        return expected, envelope["status_code"], status

    with ThreadPoolExecutor(16) as pool:
        answers = Counter(pool.map(make, requests))
    wrong = {answer: n for answer, n in answers.items() if answer[0] != answer[1]}
    assert not wrong
    assert sum(answers.values()) == len(requests) > 300
    for user in others:
        user.refresh_from_db()
        assert user.custom_attributes["business"] in ("Retail", "Banking")


def test_a_chunked_body_is_said_to_be_unread(server, call):
    body = iter([b'{"first_name": "Bruno"}'])  # http.client sends an iterator chunked
    status, envelope = server.call(call.path, body, call.headers)
    assert (status, envelope["status_code"]) == (400, 3114)
    sentence = "A body without Content-Length (chunked) is not read."
    assert envelope["response"] == {"errors": {"body": [sentence]}}


def test_a_missing_media_type_is_read_as_json(server, call):
    _, envelope = server.call(call.path, {"first_name": "Bruno"}, call.headers)
    assert envelope["status_code"] == 4309
