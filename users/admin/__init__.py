"""The admin site's pages: a module for each thing that operators edit.

Importing a class does not register it for users or groups: `registration` does, last.
"""

from users.admin.access_tokens import AccessTokenAdmin
from users.admin.attribute_definitions import AttributeDefinitionAdmin
from users.admin.changes import ChangeAdmin
from users.admin.groups import GroupAdmin
from users.admin.teams import MembershipAdmin, TeamAdmin
from users.admin.users import UserAdmin

__all__ = [
    "AccessTokenAdmin",
    "AttributeDefinitionAdmin",
    "ChangeAdmin",
    "GroupAdmin",
    "MembershipAdmin",
    "TeamAdmin",
    "UserAdmin",
]
