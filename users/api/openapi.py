"""Extensions that describe the calls to drf-spectacular, if that is in INSTALLED_APPS.

The description is derived from the serializers and the status codes, so that it stays true.
"""

from typing import Any

from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
    OpenApiViewExtension,
)
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from users.api import paging, status_codes
from users.api.fields import TypedField
from users.api.serializers import UserUpdateSerializer
from users.api.status_codes import StatusCode
from users.attributes import values
from users.attributes.types import Undefined
from users.models import AbstractUser, Change

Schema = dict[str, Any]

# The status codes of each call: the success, and then what every call can answer.
_EVERY_CALL = (
    status_codes.MISSING_HEADERS,
    status_codes.INVALID_TOKEN,
    status_codes.EXPIRED_TOKEN,
    status_codes.INTERNAL_ERROR,
    status_codes.TEAM_NOT_FOUND,
    status_codes.METHOD_NOT_ALLOWED,
    status_codes.INVALID_REQUEST,
)
UPDATE_CODES = (
    status_codes.USER_UPDATED,
    *_EVERY_CALL,
    status_codes.USER_NOT_FOUND,
    status_codes.UPDATE_FAILED,
    status_codes.INVALID_BUSINESS,
    status_codes.INVALID_LOCATION,
    status_codes.MISSING_BODY,
)
CHANGES_CODES = (status_codes.RETRIEVED, *_EVERY_CALL, status_codes.RETRIEVAL_FAILED)
HISTORY_CODES = (*CHANGES_CODES, status_codes.USER_NOT_FOUND)

# The rules of each parameter that a schema cannot express.
_DESCRIPTIONS = {
    "first_name": "White space around it is removed before its length is checked.",
    "last_name": "White space around it is removed. It may be empty.",
    "status": (
        "An inactive user cannot log in: deactivating a user ends all sessions and sets "
        "`accepting_chats` to false."
    ),
    "job_description": "White space around it is removed. It may be empty.",
    "login_using_email": "Whether the user may log in with the email address.",
    "custom_attributes": "Only attributes that are defined, with values that they allow.",
    "skill_attributes": (
        "A defined skill takes the values that its definition allows; an undefined one takes a "
        "string, a number, a boolean, or a list of these."
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
_CHANGES_EXAMPLE = {
    "changes": [
        {
            "id": 4711,
            "at": "2026-11-23T16:00:19.272320Z",
            "user": 1,
            "login_id": "asha",
            "action": "updated",
            "door": "api",
            "by": {"type": "access_token", "id": 3, "name": "HR system"},
            "trxid": "0d9fb8b1-8d1c-4d2c-9f0e-9b1f5a0c7a52",
            "before": {"job_description": "Agent", "custom_attributes": {"business": "Retail"}},
            "after": {"job_description": "Team lead", "custom_attributes": {"business": "Banking"}},
        }
    ],
    "page_size": 10,
    "has_more": True,
    "after": "WzEsODAxLDQ3MTFd:Jm3dXu6vJk8Jc0nT2mC5y0bq5a1b2c3d4e5f6g7h8i9",
}
# Examples of `errors`, for the codes that have any.
_ERRORS: dict[StatusCode, Schema] = {
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
# The same, of the calls that list.
_LIST_ERRORS: dict[StatusCode, Schema] = {
    status_codes.MISSING_HEADERS: _ERRORS[status_codes.MISSING_HEADERS],
    status_codes.INVALID_REQUEST: {"page_size": ["Must be an integer from 1 to 100."]},
}


def _parameter_schema(field: Any, *, merged: bool) -> Schema:
    if isinstance(field, TypedField):
        return field.type.schema()
    attribute = Undefined().schema()  # definitions only narrow it
    return {
        "type": "object",
        "maxProperties": values.MAX_KEYS,
        "additionalProperties": {**attribute, **({"nullable": True} if merged else {})},
    }


def parameters_schema(*, merged: bool) -> Schema:
    """Return the schema of the body. `merged`: for PATCH, where null removes an attribute."""
    return {
        "type": "object",
        "properties": {
            name: {**_parameter_schema(field, merged=merged), "description": _DESCRIPTIONS[name]}
            for name, field in UserUpdateSerializer().fields.items()
        },
        "additionalProperties": False,
        "minProperties": 1,
    }


_MOMENT = {"type": "string", "format": "date-time", "pattern": "Z$"}


def _object_schema(**properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def user_schema() -> Schema:
    """Return the schema of the user in a successful response."""
    text, boolean = {"type": "string"}, {"type": "boolean"}
    stored = {"type": "object", "additionalProperties": {}}
    properties: dict[str, Schema] = {
        "id": {"type": "integer"},
        "created_at": _MOMENT,
        "updated_at": {**_MOMENT, "description": "The last update of the user's details."},
        "first_name": text,
        "last_name": text,
        "login_id": {**text, "description": "Unique, ignoring case."},
        "email_id": {**text, "description": "Unique, ignoring case."},
        "status": {"type": "string", "enum": AbstractUser.Status.values},
        "logged_in": {
            **boolean,
            "description": "True if the user has a session that has neither ended nor expired.",
        },
        "job_description": text,
        "login_using_email": boolean,
        "role_type": {"type": "string", "enum": AbstractUser.RoleType.values},
        "accepting_chats": boolean,
        "skill_attributes": stored,
        "active_chats": {
            "type": "integer",
            "minimum": 0,
            "description": "The number of chats now in the user's “My Chats”.",
        },
        "custom_attributes": stored,
    }
    return _object_schema(**properties)


def changes_schema() -> Schema:
    """Return the schema of a page of changes in a successful response."""
    integer, text = {"type": "integer"}, {"type": "string"}
    values_of_change = {
        "type": "object",
        "additionalProperties": {},
        "description": "What changed: values by field; attributes by key, roles by team id.",
    }
    by = _object_schema(
        type={**text, "enum": Change.ByType.values}, id=integer, name={**text, "nullable": True}
    )
    change = _object_schema(
        id=integer,
        at=_MOMENT,
        user=integer,
        login_id=text,
        action={**text, "enum": Change.Action.values},
        door={**text, "enum": Change.Door.values},
        by={**by, "nullable": True, "description": "Null if nobody is known."},
        trxid={
            **text,
            "nullable": True,
            "description": "The changes of one request, or of one run of a command, share it.",
        },
        before=values_of_change,
        after=values_of_change,
    )
    return _object_schema(
        changes={"type": "array", "items": change, "maxItems": paging.MAX_SIZE},
        page_size=integer,
        has_more={"type": "boolean"},
        after={**text, "nullable": True, "description": "The cursor of the next page."},
    )


def _envelope_schema(codes: list[StatusCode], success: Schema) -> Schema:
    messages = {"type": "array", "items": {"type": "string"}}
    errors = {
        "type": "object",
        "description": "Messages by parameter, header or `body`; for attributes, one level deeper.",
        "additionalProperties": {
            "oneOf": [messages, {"type": "object", "additionalProperties": messages}]
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
            "response": success if codes[0].http_status < 300 else refused,
        },
        "required": ["status_code", "description", "response"],
        "additionalProperties": False,
    }


def responses(
    all_codes: tuple[StatusCode, ...], success: Schema, examples: dict[StatusCode, Schema]
) -> dict[int, OpenApiResponse]:
    """Return the responses by HTTP status, each with its schema and an example per code.

    success: the schema of `response` in a successful response.
    examples: of `response`, for the codes where it is not empty.
    """
    found = {}
    for status in sorted({code.http_status for code in all_codes}):
        codes = [code for code in all_codes if code.http_status == status]
        found[status] = OpenApiResponse(
            response=_envelope_schema(codes, success),
            description="; ".join(f"{code.number}: {code.description}" for code in codes),
            examples=[
                OpenApiExample(
                    f"{code.number}",
                    {
                        "status_code": code.number,
                        "description": code.description,
                        "response": examples.get(code, {}),
                    },
                    summary=code.description,
                )
                for code in codes
            ],
        )
    return found


def _examples(
    code: StatusCode, success: Schema, errors: dict[StatusCode, Schema]
) -> dict[StatusCode, Schema]:
    refusals = {refusal: {"errors": messages} for refusal, messages in errors.items()}
    return {code: success, **refusals}


_USER_ID = OpenApiParameter(
    "user_id",
    {"type": "integer", "format": "int64", "minimum": 0},
    OpenApiParameter.PATH,
    description="The user's id.",
)
_HEADERS = [
    OpenApiParameter(
        "teamid",
        {"type": "integer", "format": "int64", "minimum": 0},
        OpenApiParameter.HEADER,
        required=True,
        description="The team to act for, which the access token must be granted.",
    ),
    OpenApiParameter(
        "WWW-Authenticate",
        str,
        OpenApiParameter.HEADER,
        response=[401],
        description='`Bearer error="invalid_token"`, as in RFC 6750.',
    ),
]


def _page_parameters(after: str) -> list[OpenApiParameter]:
    size = {
        "type": "integer",
        "minimum": 1,
        "maximum": paging.MAX_SIZE,
        "default": paging.DEFAULT_SIZE,
    }
    return [
        OpenApiParameter("page_size", size, OpenApiParameter.QUERY),
        OpenApiParameter("after", str, OpenApiParameter.QUERY, description=after),
    ]


class AccessTokenScheme(OpenApiAuthenticationExtension):
    target_class = "users.api.authentication.AccessTokenAuthentication"
    match_subclasses = True
    name = "accessToken"

    def get_security_definition(self, auto_schema: Any) -> Schema:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An access token (RFC 6750), which an administrator creates.",
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
                parameters=[_USER_ID, *_HEADERS],
                request=dict.fromkeys(types, UserUpdateSerializer),
                examples=[OpenApiExample("update", _REQUEST_EXAMPLE, request_only=True)],
                responses=responses(
                    UPDATE_CODES,
                    user_schema(),
                    _examples(status_codes.USER_UPDATED, _USER_EXAMPLE, _ERRORS),
                ),
            )

        class Documented(self.target_class):  # type: ignore[name-defined]
            @documented(
                "updateUser",
                "Update a user",
                "Every parameter is optional. An attribute object is merged into the stored one "
                "(RFC 7396: `null` removes a key). If there is any error, nothing is changed, and "
                "all errors in the body are reported.",
                "application/json",
                "application/merge-patch+json",
            )
            def patch(self, *args: Any, **kwargs: Any) -> Any:
                return super().patch(*args, **kwargs)

            @documented(
                "replaceUserAttributes",
                "Update a user, replacing attribute objects",
                "Like `PATCH`, but an attribute object replaces the stored one, and cannot contain "
                "`null`.",
                "application/json",
            )
            def put(self, *args: Any, **kwargs: Any) -> Any:
                return super().put(*args, **kwargs)

        return Documented


class HistoryCall(OpenApiViewExtension):
    target_class = "users.api.views.history.HistoryView"
    match_subclasses = True

    def view_replacement(self) -> Any:
        class Documented(self.target_class):  # type: ignore[name-defined]
            @extend_schema(
                operation_id="listHistory",
                summary="List the changes of a user",
                description="The newest first. Changes from before the user came into the team, or "
                "made while the user was not in it, are left out.",
                tags=["history"],
                parameters=[
                    _USER_ID,
                    *_HEADERS,
                    *_page_parameters("The cursor in `after` of the page before."),
                ],
                responses=responses(
                    HISTORY_CODES,
                    changes_schema(),
                    _examples(status_codes.RETRIEVED, _CHANGES_EXAMPLE, _LIST_ERRORS),
                ),
            )
            def get(self, *args: Any, **kwargs: Any) -> Any:
                return super().get(*args, **kwargs)

        return Documented


class ChangesCall(OpenApiViewExtension):
    target_class = "users.api.views.changes.ChangesView"
    match_subclasses = True

    def view_replacement(self) -> Any:
        class Documented(self.target_class):  # type: ignore[name-defined]
            @extend_schema(
                operation_id="listChanges",
                summary="List all changes of the team's users",
                description="The oldest first. Ask again with `after` of the last page, and every "
                "change comes exactly once. A page may hold fewer changes than `page_size` while "
                "`has_more` is true.",
                tags=["history"],
                parameters=[
                    *_HEADERS,
                    *_page_parameters(
                        "The cursor in `after` of the page before, or `now`: an empty page with "
                        "a cursor to start from."
                    ),
                ],
                responses=responses(
                    CHANGES_CODES,
                    changes_schema(),
                    _examples(status_codes.RETRIEVED, _CHANGES_EXAMPLE, _LIST_ERRORS),
                ),
            )
            def get(self, *args: Any, **kwargs: Any) -> Any:
                return super().get(*args, **kwargs)

        return Documented
