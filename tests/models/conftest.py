import pytest

from tests.factories import UserFactory


@pytest.fixture
def user(db):
    return UserFactory(accepting_chats=True, login_id="Ásha", email_id="asha@desk.example")
