"""Describes the creation of a user."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema

from users import changes
from users.api import status_codes
from users.api.openapi import common
from users.api.openapi.common import Schema
from users.api.openapi.user import USER_EXAMPLE, parameter_schemas, user_schema
from users.api.privileges import MAX_PRIVILEGES
from users.models import Membership

CREATE_CODES = (
    status_codes.USER_CREATED,
    *common.EVERY_CALL,
    status_codes.NOT_ALLOWED,
    status_codes.INVALID_BUSINESS,
    status_codes.INVALID_LOCATION,
    status_codes.MISSING_BODY,
    status_codes.USER_EXISTS,
)
_DESCRIPTIONS = {
    "login_id": "What the user logs in with: unique, ignoring case. It is normalized (NFKC).",
    "email_id": "Unique, ignoring case.",
    "password": (
        "It must pass the server's password rules. Without one, the user cannot log in until one "
        "is set."
    ),
    "active_chats": "The number of chats now in the user's “My Chats”.",
}
_PRIVILEGES = {
    "type": "array",
    "maxItems": MAX_PRIVILEGES,
    "items": {
        "type": "object",
        "properties": {
            "teamid": {"type": "integer", "format": "int64", "minimum": 0},
            "role": {"type": "string", "enum": Membership.Role.values},
        },
        "required": ["teamid", "role"],
        "additionalProperties": False,
    },
    "description": (
        "The user's teams, each once and each granted to the access token, with the role in it. "
        "The team of the header must be among them. Default: that team, as Team Agent."
    ),
}
_INVITE = {
    "type": "boolean",
    "default": False,
    "description": (
        "Send the user a mail with a link to set the password. Not with a password, nor for an "
        "inactive user, nor where the server sends no mail."
    ),
}
_REQUEST_EXAMPLE = {
    "first_name": "Mia",
    "last_name": "Becker",
    "login_id": "mia",
    "email_id": "mia@desk.example",
    "custom_attributes": {"business": "Banking", "location": "Mumbai"},
    "privileges": [{"teamid": 1, "role": "Team Agent"}],
}
_ERRORS = {
    **common.ERRORS,
    status_codes.INVALID_BUSINESS: {
        "custom_attributes": {"business": ["Must be one of: 'Retail', 'Banking'."]}
    },
    status_codes.INVALID_LOCATION: {
        "custom_attributes": {"location": ["Must be a string, not a number."]}
    },
    status_codes.INVALID_REQUEST: {
        "first_name": ["This parameter is required."],
        "privileges": ["The team 7 is not granted to the access token."],
    },
    status_codes.USER_EXISTS: {"login_id": ["A user with this login id already exists."]},
}


def creation_schema() -> Schema:
    """Return the schema of the body."""
    new = {
        name: {**type_.schema(), "description": _DESCRIPTIONS[name]}
        for name, type_ in changes.NEW_FIELDS.items()
    }
    return {
        "type": "object",
        "properties": {
            **parameter_schemas(merged=False),
            **new,
            "privileges": _PRIVILEGES,
            "invite": _INVITE,
        },
        "required": list(changes.REQUIRED_FIELDS),
        "additionalProperties": False,
    }


def described(method: Any) -> Any:
    """Describe the method that creates a user."""
    location = OpenApiParameter(
        "Location",
        {"type": "string", "format": "uri-reference"},
        OpenApiParameter.HEADER,
        required=True,
        response=[201],
        description="The path of the user.",
    )
    return extend_schema(
        operation_id="createUser",
        summary="Create a user",
        description="The user's role type is Customer Care. If there is any error, nobody is "
        "created, and all errors in the body are reported.",
        tags=["users"],
        parameters=[*common.HEADERS, common.etag(201), location],
        request={"application/json": creation_schema()},
        examples=[OpenApiExample("creation", _REQUEST_EXAMPLE, request_only=True)],
        responses=common.responses(
            CREATE_CODES,
            user_schema(),
            common.examples_of(status_codes.USER_CREATED, USER_EXAMPLE, _ERRORS),
        ),
    )(method)
