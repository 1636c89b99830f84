"""A new password, set through Django's own pages and commands, which read the user well before."""

import re
from io import StringIO

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import AdminPasswordChangeForm, SetPasswordForm
from django.contrib.auth.management.commands import changepassword
from django.core import mail
from django.core.management import call_command
from django.db import DatabaseError, transaction
from django.urls import include, path
from django.views.i18n import set_language

from tests.admin.conftest import browser_of
from tests.factories import PASSWORD, AdministratorFactory, UserFactory

User = get_user_model()
NEW = "another good one"


def merge_meanwhile(user):
    """Change `user` as another request does, while a password is being set."""
    other = User.objects.get(pk=user.pk)
    other.first_name = "Meanwhile"
    other.skill_attributes = {**other.skill_attributes, "go": 1}
    other.save(update_fields=["first_name", "skill_attributes"])


def assert_both_stand(user, password=NEW):
    stored = User.objects.get(pk=user.pk)
    assert stored.check_password(password)
    assert (stored.first_name, stored.skill_attributes) == ("Meanwhile", {"chess": 3, "go": 1})


@pytest.mark.django_db
def test_the_password_page_undoes_no_change_made_meanwhile(monkeypatch):
    user = AdministratorFactory(skill_attributes={"chess": 3})
    check = User.check_password

    def check_slowly(self, password):
        merge_meanwhile(user)
        return check(self, password)

    browser = browser_of(user)
    monkeypatch.setattr(User, "check_password", check_slowly)
    data = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert browser.post("/admin/password_change/", data).status_code == 302
    monkeypatch.undo()
    assert_both_stand(user)


def test_the_password_command_undoes_no_change_made_meanwhile(user, monkeypatch):
    def ask(self, prompt="Password: "):
        merge_meanwhile(user)
        return NEW

    monkeypatch.setattr(changepassword.Command, "_get_pass", ask)
    call_command("changepassword", user.login_id, stdout=StringIO())
    assert_both_stand(user)


@pytest.mark.parametrize("usable", ["true", "false"])
def test_a_password_form_undoes_no_change_made_meanwhile(user, usable):
    if usable == "true":
        data = {"new_password1": NEW, "new_password2": NEW}
        form = SetPasswordForm(User.objects.get(pk=user.pk), data)  # of a password reset
    else:
        form = AdminPasswordChangeForm(User.objects.get(pk=user.pk), {"usable_password": "false"})
    assert form.is_valid(), form.errors
    merge_meanwhile(user)
    form.save()
    if usable == "true":
        assert_both_stand(user)
    else:
        assert not User.objects.get(pk=user.pk).has_usable_password()
        assert User.objects.get(pk=user.pk).first_name == "Meanwhile"


def test_a_deactivation_made_meanwhile_stands(user):
    stale = User.objects.get(pk=user.pk)
    user.status = "inactive"
    user.save(update_fields=["status"])
    stale.set_password(NEW)
    stale.save()
    assert User.objects.get(pk=user.pk).status == "inactive"


def test_a_user_deleted_meanwhile_is_not_made_again(user):
    stale = User.objects.get(pk=user.pk)
    User.objects.filter(pk=user.pk).delete()
    stale.set_password(NEW)
    with pytest.raises(DatabaseError), transaction.atomic():
        stale.save()
    assert not User.objects.exists()


def test_what_was_changed_with_the_password_is_saved(user):
    changed = User.objects.get(pk=user.pk)
    changed.first_name = "Zoë"
    changed.skill_attributes["languages"] = ["en"]
    changed.set_password(NEW)
    changed.job_description = "Lead"
    changed.save()
    stored = User.objects.get(pk=user.pk)
    assert stored.check_password(NEW)
    assert (stored.first_name, stored.job_description) == ("Zoë", "Lead")
    assert stored.skill_attributes == {"chess": 3, "languages": ["en"]}
    assert stored.updated_at > user.updated_at


def test_what_was_saved_before_and_is_set_back_with_the_password_is_saved(user):
    changed = User.objects.get(pk=user.pk)
    changed.first_name = "Zoë"
    changed.save(update_fields=["first_name"])
    changed.first_name = user.first_name
    changed.set_password(NEW)
    changed.save()
    assert User.objects.get(pk=user.pk).first_name == user.first_name


def test_what_was_read_anew_and_is_set_back_with_the_password_is_saved(user):
    changed = User.objects.get(pk=user.pk)
    merge_meanwhile(user)
    changed.refresh_from_db()
    changed.first_name = user.first_name
    changed.set_password(NEW)
    changed.save()
    assert User.objects.get(pk=user.pk).first_name == user.first_name


def test_a_copy_of_a_user_with_a_password_of_its_own_is_saved_whole(user):
    copy = User.objects.get(pk=user.pk)
    copy.pk, copy.login_id, copy.email_id = None, "copy", "copy@desk.example"
    copy.set_password(NEW)
    copy.save()
    assert User.objects.get(login_id="copy").skill_attributes == {"chess": 3}


# Django's own URLs, as a host includes them.

urlpatterns = [
    path("language/", set_language, name="set_language"),
    path("accounts/", include("django.contrib.auth.urls")),
    path("admin/", admin.site.urls),
]


@pytest.mark.django_db
@pytest.mark.urls(__name__)
@pytest.mark.filterwarnings("ignore:Django .* will not have a default mailer")  # from 6.1 on
def test_a_forgotten_password_is_reset_by_mail(client):
    user = UserFactory(email_id="asha@desk.example")
    client.post("/accounts/password_reset/", {"email": "ASHA@desk.example"})
    [sent] = mail.outbox
    assert sent.to == ["asha@desk.example"]
    link = re.search(r"/accounts/reset/\S+", sent.body)[0]
    page = client.get(link, follow=True)
    client.post(page.request["PATH_INFO"], {"new_password1": NEW, "new_password2": NEW})
    user.refresh_from_db()
    assert user.check_password(NEW)


@pytest.mark.django_db
@pytest.mark.urls(__name__)
def test_an_inactive_user_resets_no_password(client):
    UserFactory(email_id="asha@desk.example", status="inactive")
    response = client.post("/accounts/password_reset/", {"email": "asha@desk.example"})
    assert response.status_code == 302
    assert not mail.outbox
