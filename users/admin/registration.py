"""Registers the admin classes, which a project can replace."""

from django.contrib.admin import AdminSite
from django.contrib.auth import admin as auth_admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from users.admin.access_tokens import AccessTokenAdmin
from users.admin.attribute_definitions import AttributeDefinitionAdmin
from users.admin.changes import ChangeAdmin
from users.admin.groups import GroupAdmin
from users.admin.memberships import MembershipAdmin
from users.admin.teams import TeamAdmin
from users.admin.users import UserAdmin
from users.models import AccessToken, AttributeDefinition, Change, Membership, Team


def register(site: AdminSite) -> None:
    """Register our classes on `site`, but for models of which the project has registered its own.

    Django's class for groups is replaced.
    """
    classes = {
        get_user_model(): UserAdmin,
        Team: TeamAdmin,
        Membership: MembershipAdmin,
        AttributeDefinition: AttributeDefinitionAdmin,
        AccessToken: AccessTokenAdmin,
        Change: ChangeAdmin,
    }
    for model, admin_class in classes.items():
        if not site.is_registered(model):
            site.register(model, admin_class)
    if site.is_registered(Group) and type(site.get_model_admin(Group)) is auth_admin.GroupAdmin:
        site.unregister(Group)
        site.register(Group, GroupAdmin)
