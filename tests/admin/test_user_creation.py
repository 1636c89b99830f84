"""The page that makes a user."""

from django.contrib.auth import get_user_model

from tests.admin.pages import USERS, errors, send, user_page
from tests.factories import PASSWORD

User = get_user_model()


def test_a_user_is_made(root_browser):
    response = send(
        root_browser,
        f"{USERS}add/",
        "user_form",
        first_name="Bruno",
        login_id="bruno",
        email_id="bruno@desk.example",
        password1=PASSWORD,
        password2=PASSWORD,
        usable_password="true",
    )
    user = User.objects.get(login_id="bruno")
    assert response["Location"] == user_page(user)
    assert (user.check_password(PASSWORD), user.role_type) == (True, "Customer Care")


def test_a_user_with_a_name_that_is_taken_is_not_made(root_browser, user):
    response = send(
        root_browser,
        f"{USERS}add/",
        "user_form",
        first_name="B",
        login_id=user.login_id.upper(),
        email_id=user.email_id.upper(),
        password1=PASSWORD,
        password2=PASSWORD,
        usable_password="true",
    )
    assert list(errors(response)) == ["login_id", "email_id"]
