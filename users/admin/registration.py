"""Registers the admin classes that a project can replace."""

from django.contrib import admin
from django.contrib.auth import admin as auth_admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from users.admin.groups import GroupAdmin
from users.admin.users import UserAdmin


def register() -> None:
    """Register our classes for users and groups, unless the project has registered its own.

    `autodiscover()` first, so that the order of the apps does not matter.
    """
    admin.autodiscover()
    site = admin.site
    if not site.is_registered(get_user_model()):
        site.register(get_user_model(), UserAdmin)
    if site.is_registered(Group) and type(site.get_model_admin(Group)) is auth_admin.GroupAdmin:
        site.unregister(Group)
        site.register(Group, GroupAdmin)
