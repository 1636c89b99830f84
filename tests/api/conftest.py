"""What the tests of several calls make."""

import pytest

REQUIRED = {"first_name": "Chloe", "login_id": "chloe", "email_id": "chloe@desk.example"}


@pytest.fixture
def create(call):
    """Create a user: with what is required, unless a test says otherwise; None leaves it out."""

    def make(headers=None, **parameters):
        body = {k: v for k, v in {**REQUIRED, **parameters}.items() if v is not None}
        return call(body, "POST", path="/api/users", headers=headers)

    return make
