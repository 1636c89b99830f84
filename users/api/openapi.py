"""What drf-spectacular says of the call, where a host has it among its `INSTALLED_APPS`.

It is derived from the call's own serializer and table of codes, so that the two do not part.
"""

from typing import Any

from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
    OpenApiViewExtension,
)
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from users.api import status_codes
from users.api.fields import TypedField
from users.api.serializers import UserUpdateSerializer
from users.api.status_codes import STATUS_CODES, StatusCode
from users.attributes import values
from users.attributes.types import Undefined
from users.models import AbstractUser

Schema = dict[str, Any]

# Every rule of a parameter that a schema cannot say, in words.
_DESCRIPTIONS = {
    "first_name": "Stored trimmed of white space; its length is counted after that.",
    "last_name": "Stored trimmed of white space; may be empty.",
    "status": (
        "An inactive user cannot log in: all sessions end, and `accepting_chats` becomes false."
    ),
    "job_description": "Stored trimmed of white space; may be empty.",
    "login_using_email": "Whether the user may log in with the email address.",
    "custom_attributes": "As the attribute definitions allow, and nothing else.",
    "skill_attributes": (
        "As the attribute definitions allow; a skill that nobody defined takes a string, a number, "
        "a boolean, or a list of these."
    ),
}
_REQUEST_EXAMPLE = {
    "job_description": "Team lead",
    "custom_attributes": {"business": "Banking"},
    "skill_attributes": {"languages": ["en", "hi"]},
}
_USER_EXAMPLE = {
    "id": 1,
    "created_at": "2026-11-23T16:00:16.996307Z",
    "updated_at": "2026-11-23T16:00:19.272320Z",
    "first_name": "Asha",
    "last_name": "Rao",
    "login_id": "asha",
    "email_id": "asha@desk.example",
    "status": "active",
    "logged_in": False,
    "job_description": "Team lead",
    "login_using_email": False,
    "role_type": "Customer Care",
    "accepting_chats": False,
    "skill_attributes": {"languages": ["en", "hi"]},
    "active_chats": 0,
    "custom_attributes": {"business": "Banking", "location": "Mumbai"},
}
# What `errors` holds with a code, where it holds anything.
_ERRORS = {
    status_codes.MISSING_HEADERS: {"teamid": ["This header is required."]},
    status_codes.INVALID_BUSINESS: {
        "custom_attributes": {"business": ["Must be one of: 'Retail', 'Banking'."]}
    },
    status_codes.INVALID_LOCATION: {
        "custom_attributes": {"location": ["Must be a string, not a number."]}
    },
    status_codes.INVALID_REQUEST: {
        "email_id": ["There is no such parameter."],
        "status": ["Must be one of: 'active', 'inactive'."],
    },
}


def _parameter_schema(field: Any, *, merged: bool) -> Schema:
    if isinstance(field, TypedField):
        return field.type.schema()
    attribute = Undefined().schema()  # which definitions only narrow
    return {
        "type": "object",
        "maxProperties": values.MAX_KEYS,
        "additionalProperties": {**attribute, **({"nullable": True} if merged else {})},
    }


def parameters_schema(*, merged: bool) -> Schema:
    """Return the schema of the body; `merged`: of PATCH, where null removes an attribute."""
    return {
        "type": "object",
        "properties": {
            name: {**_parameter_schema(field, merged=merged), "description": _DESCRIPTIONS[name]}
            for name, field in UserUpdateSerializer().fields.items()
        },
        "additionalProperties": False,
        "minProperties": 1,
    }


def user_schema() -> Schema:
    """Return the schema of the user, as a successful answer holds it."""
    moment = {"type": "string", "format": "date-time", "pattern": "Z$"}
    text, boolean = {"type": "string"}, {"type": "boolean"}
    stored = {"type": "object", "additionalProperties": {}}
    properties: dict[str, Schema] = {
        "id": {"type": "integer"},
        "created_at": moment,
        "updated_at": {**moment, "description": "Of the last update, through any door."},
        "first_name": text,
        "last_name": text,
        "login_id": {**text, "description": "Unique, whatever the case."},
        "email_id": {**text, "description": "Unique, whatever the case."},
        "status": {"type": "string", "enum": AbstractUser.Status.values},
        "logged_in": {
            **boolean,
            "description": "Whether the user has a session that has neither ended nor expired.",
        },
        "job_description": text,
        "login_using_email": boolean,
        "role_type": {"type": "string", "enum": AbstractUser.RoleType.values},
        "accepting_chats": boolean,
        "skill_attributes": stored,
        "active_chats": {
            "type": "integer",
            "minimum": 0,
            "description": "The chats now in the user's “My Chats”.",
        },
        "custom_attributes": stored,
    }
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _envelope_schema(codes: list[StatusCode]) -> Schema:
    sentences = {"type": "array", "items": {"type": "string"}}
    errors = {
        "type": "object",
        "description": "By parameter, header or `body`; for one attribute, a level deeper.",
        "additionalProperties": {
            "oneOf": [sentences, {"type": "object", "additionalProperties": sentences}]
        },
    }
    refused = {
        "type": "object",
        "properties": {"errors": errors},
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {
            "status_code": {"type": "integer", "enum": [code.number for code in codes]},
            "description": {"type": "string", "enum": [code.description for code in codes]},
            "response": user_schema() if codes == [status_codes.USER_UPDATED] else refused,
        },
        "required": ["status_code", "description", "response"],
        "additionalProperties": False,
    }


def _answer(code: StatusCode) -> Schema:
    if code is status_codes.USER_UPDATED:
        response: Schema = _USER_EXAMPLE
    else:
        response = {"errors": _ERRORS[code]} if code in _ERRORS else {}
    return {
        "status_code": code.number,
        "description": code.description,
        "response": response,
    }


def responses() -> dict[int, OpenApiResponse]:
    """Return what the call answers by HTTP status: the schema, and an example of each code."""
    found = {}
    for status in sorted({code.http_status for code in STATUS_CODES}):
        codes = [code for code in STATUS_CODES if code.http_status == status]
        found[status] = OpenApiResponse(
            response=_envelope_schema(codes),
            description="; ".join(f"{code.number}: {code.description}" for code in codes),
            examples=[
                OpenApiExample(f"{code.number}", _answer(code), summary=code.description)
                for code in codes
            ],
        )
    return found


class AccessTokenScheme(OpenApiAuthenticationExtension):
    target_class = "users.api.authentication.AccessTokenAuthentication"
    match_subclasses = True
    name = "accessToken"

    def get_security_definition(self, auto_schema: Any) -> Schema:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An access token, as an operator makes it (RFC 6750).",
        }


class Parameters(OpenApiSerializerExtension):
    target_class = "users.api.serializers.UserUpdateSerializer"

    def get_name(self, auto_schema: Any, direction: Any) -> str:
        return "UserUpdate"

    def map_serializer(self, auto_schema: Any, direction: Any) -> Schema:
        return parameters_schema(merged=auto_schema.method == "PATCH")


class UpdateUserCall(OpenApiViewExtension):
    target_class = "users.api.views.user.UserView"
    match_subclasses = True

    def view_replacement(self) -> Any:
        def documented(name: str, summary: str, description: str, *types: str) -> Any:
            return extend_schema(
                operation_id=name,
                summary=summary,
                description=description,
                tags=["users"],
                parameters=[
                    OpenApiParameter(
                        "user_id",
                        {"type": "integer", "format": "int64", "minimum": 0},
                        OpenApiParameter.PATH,
                        description="The user's id.",
                    ),
                    OpenApiParameter(
                        "teamid",
                        {"type": "integer", "format": "int64", "minimum": 0},
                        OpenApiParameter.HEADER,
                        required=True,
                        description="The team that the caller acts for; the token is granted it.",
                    ),
                    OpenApiParameter(
                        "WWW-Authenticate",
                        str,
                        OpenApiParameter.HEADER,
                        response=[401],
                        description='`Bearer error="invalid_token"`, as in RFC 6750.',
                    ),
                ],
                request=dict.fromkeys(types, UserUpdateSerializer),
                examples=[OpenApiExample("update", _REQUEST_EXAMPLE, request_only=True)],
                responses=responses(),
            )

        class Documented(self.target_class):  # type: ignore[name-defined]
            @documented(
                "updateUser",
                "Update a user",
                "Every parameter is optional. An attribute object is merged into the stored one "
                "(RFC 7396: `null` removes a key). With one error nothing is changed, and every "
                "error of the body is reported.",
                "application/json",
                "application/merge-patch+json",
            )
            def patch(self, *args: Any, **kwargs: Any) -> Any:
                return super().patch(*args, **kwargs)

            @documented(
                "replaceUserAttributes",
                "Update a user, replacing attribute objects",
                "As `PATCH`, but an attribute object takes the stored one's place, and takes no "
                "`null`.",
                "application/json",
            )
            def put(self, *args: Any, **kwargs: Any) -> Any:
                return super().put(*args, **kwargs)

        return Documented
