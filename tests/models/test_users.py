"""What saving a user entails."""

import pytest
from django.contrib.auth import get_user_model

from tests.database import stored

User = get_user_model()


@pytest.mark.parametrize("fields", [None, ["first_name"], ["accepting_chats", "last_name"]])
def test_saving_details_moves_updated_at(user, fields):
    before = stored(user).updated_at
    user.save(update_fields=fields)
    assert stored(user).updated_at > before


@pytest.mark.parametrize("fields", [[], ["last_login"], ["password"], ["last_login", "password"]])
def test_a_log_in_does_not_move_updated_at(user, fields):
    before = stored(user).updated_at
    user.save(update_fields=fields)
    assert stored(user).updated_at == before


@pytest.mark.parametrize("fields", [None, ["status"], ("status", "first_name")])
def test_a_deactivation_clears_accepting_chats(user, fields):
    user.status = "inactive"
    user.save(update_fields=fields)
    assert stored(user).accepting_chats is False


def test_saving_something_else_is_no_deactivation(user):
    user.status = "inactive"
    user.save(update_fields=["first_name"])
    assert (stored(user).status, stored(user).accepting_chats) == ("active", True)


@pytest.mark.parametrize(
    ("status", "role_type", "is_active", "is_staff"),
    [
        ("active", "Administrative", True, True),
        ("active", "Customer Care", True, False),
        ("inactive", "Administrative", False, False),
        ("inactive", "Customer Care", False, False),
    ],
)
def test_active_and_staff_are_derived(status, role_type, is_active, is_staff):
    user = User(status=status, role_type=role_type)
    assert (user.is_active, user.is_staff) == (is_active, is_staff)


def test_a_superuser_is_an_active_administrator(db):
    user = User.objects.create_superuser("Root", "Root@DESK.example", "secret", first_name="R")
    assert (user.is_staff, user.is_superuser, user.email_id) == (True, True, "Root@desk.example")
    assert user.check_password("secret")


def test_a_user_made_without_a_password_has_none(db):
    assert not User.objects.create_user("a", "a@desk.example").has_usable_password()


def test_a_natural_key_is_a_login_id_whatever_the_case(user):
    assert User.objects.get_by_natural_key("áSHA") == user


def test_a_user_read_in_part_is_saved_in_part(user):
    part = User.objects.only("login_id", "status").get(pk=user.pk)
    User.objects.filter(pk=user.pk).update(first_name="Changed meanwhile")
    part.login_id, part.status = "Bruno", "inactive"
    part.save()
    saved = User.objects.get_by_natural_key("bruno")
    assert (saved.first_name, saved.accepting_chats) == ("Changed meanwhile", False)


def test_a_user_is_copied_by_saving_it_without_its_key(user):
    user.pk, user.login_id, user.email_id = None, "copy", "copy@x.example"
    user._state.adding = True
    user.save()
    assert User.objects.count() == 2
