"""The admin site: one module per page.

They are registered by `users.admin.registration`, after those of the project.
"""

from users.admin.access_tokens import AccessTokenAdmin
from users.admin.attribute_definitions import AttributeDefinitionAdmin
from users.admin.changes import ChangeAdmin
from users.admin.groups import GroupAdmin
from users.admin.memberships import MembershipAdmin
from users.admin.teams import TeamAdmin
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
