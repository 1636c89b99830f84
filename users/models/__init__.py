"""The data: a module for each subject."""

from users.models.access_tokens import AccessToken
from users.models.attribute_definitions import (
    AttributeDefinition,
    DefinitionRow,
    count_choices,
    count_holders,
    count_values,
    definition_rows,
    held,
    held_value,
    holders,
)
from users.models.history import Change, FeedState
from users.models.invitations import Invitation
from users.models.list_columns import ListColumns
from users.models.sessions import Session
from users.models.teams import Membership, Team
from users.models.users import AbstractUser, User, UserManager, has_session

__all__ = [
    "AbstractUser",
    "AccessToken",
    "AttributeDefinition",
    "Change",
    "DefinitionRow",
    "FeedState",
    "Invitation",
    "ListColumns",
    "Membership",
    "Session",
    "Team",
    "User",
    "UserManager",
    "count_choices",
    "count_holders",
    "count_values",
    "definition_rows",
    "has_session",
    "held",
    "held_value",
    "holders",
]
