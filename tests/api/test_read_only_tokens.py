"""Access tokens that may only read."""

import pytest

from tests.assertions import assert_refused
from tests.database import row
from tests.factories import issue_token
from users import urls
from users.models import Change

# Besides GET and HEAD.
READING = {("users/search", "POST")}

CALLS = sorted(
    {
        (str(pattern.pattern).replace("<str:user_id>", "{id}").rstrip("/"), method)
        for pattern in urls.urlpatterns
        for method in pattern.callback.cls().allowed_methods
    }
)


@pytest.fixture
def read_only(team):
    return {"Authorization": f"Bearer {issue_token(team, read_only=True)}"}


def is_reading(path, method):
    return method in ("GET", "HEAD") or (path, method) in READING


def test_there_are_calls_of_both_kinds():
    assert {is_reading(*each) for each in CALLS} == {True, False}


@pytest.mark.parametrize(("path", "method"), [each for each in CALLS if not is_reading(*each)])
@pytest.mark.parametrize("body", [{"first_name": "Bruno"}, {}, b"\xff"], ids=str)
def test_a_call_that_writes_is_refused(call, read_only, user, path, method, body):
    before = row(user)
    path = f"/api/{path.format(id=user.pk)}"
    assert_refused(call(body, method, path=path, headers=read_only), 9403)
    assert row(user) == before
    assert not Change.objects.filter(by_type=Change.ByType.ACCESS_TOKEN).exists()


@pytest.mark.parametrize(("path", "method"), [each for each in CALLS if is_reading(*each)])
def test_a_call_that_reads_is_answered(call, read_only, user, path, method):
    path = f"/api/{path.format(id=user.pk)}"
    assert call(method=method, path=path, body={}, headers=read_only).status_code == 200


def test_the_method_is_looked_up_before(call, read_only):
    assert_refused(call(method="DELETE", headers=read_only), 2099)


def test_who_may_only_read_does_not_learn_who_is_there(call, read_only):
    assert_refused(call({}, path="/api/users/0", headers=read_only), 9403)
