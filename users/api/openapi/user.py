"""Describes the calls of one user: get and update."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension, OpenApiViewExtension
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema

from users.api import status_codes
from users.api.fields import TypedField
from users.api.openapi import common
from users.api.openapi.common import MOMENT, Schema, object_schema
from users.api.serializers import UserUpdateSerializer
from users.api.status_codes import StatusCode
from users.attributes import values
from users.attributes.types import Undefined
from users.models import AbstractUser

GET_CODES = (
    status_codes.USER_RETRIEVED,
    # It reads neither a query nor a body.
    *(code for code in common.EVERY_CALL if code != status_codes.INVALID_REQUEST),
    status_codes.USER_NOT_FOUND,
    status_codes.RETRIEVAL_FAILED,
)
UPDATE_CODES = (
    status_codes.USER_UPDATED,
    *common.EVERY_CALL,
    status_codes.NOT_ALLOWED,
    status_codes.USER_NOT_FOUND,
    status_codes.CHANGED_MEANWHILE,
    status_codes.UPDATE_FAILED,
    status_codes.INVALID_BUSINESS,
    status_codes.INVALID_LOCATION,
    status_codes.MISSING_BODY,
)
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
USER_EXAMPLE = {
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
    "skill_attributes": {"languages": ["en", "hi"], "seniority": 4},
    "active_chats": 0,
    "custom_attributes": {"business": "Banking", "location": "Mumbai"},
}
# Examples of `errors`, for the codes that have any.
_ERRORS: dict[StatusCode, Schema] = {
    **common.ERRORS,
    status_codes.CHANGED_MEANWHILE: {
        "If-Match": ["Is not the ETag that the user has now: read the user again."]
    },
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

_IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The `ETag` of an answer: the update is made only if the user's details are still "
    "the same. Several, separated by commas, or `*` for any.",
)


def _parameter_schema(field: Any, *, merged: bool) -> Schema:
    if isinstance(field, TypedField):
        return field.type.schema()
    attribute = Undefined().schema()  # definitions only narrow it
    return {
        "type": "object",
        "maxProperties": values.MAX_KEYS,
        "additionalProperties": {**attribute, **({"nullable": True} if merged else {})},
    }


def parameter_schemas(*, merged: bool) -> dict[str, Schema]:
    """Return the schemas of an update's parameters. `merged`: null removes an attribute."""
    return {
        name: {
            **_parameter_schema(field, merged=merged),
            "description": _DESCRIPTIONS.get(name, ""),
        }
        for name, field in UserUpdateSerializer().fields.items()
    }


def parameters_schema(*, merged: bool) -> Schema:
    """Return the schema of the body. `merged`: for PATCH, where null removes an attribute."""
    return {
        "type": "object",
        "properties": parameter_schemas(merged=merged),
        "additionalProperties": False,
        "minProperties": 1,
    }


def user_schema() -> Schema:
    """Return the schema of the user in a successful response."""
    text, boolean = {"type": "string"}, {"type": "boolean"}
    stored = {"type": "object", "additionalProperties": {}}
    properties: dict[str, Schema] = {
        "id": {"type": "integer"},
        "created_at": MOMENT,
        "updated_at": {**MOMENT, "description": "The last update of the user's details."},
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
    return object_schema(**properties)


class Parameters(OpenApiSerializerExtension):
    target_class = "users.api.serializers.UserUpdateSerializer"

    def get_name(self, auto_schema: Any, direction: Any) -> str:
        return "UserUpdate"

    def map_serializer(self, auto_schema: Any, direction: Any) -> Schema:
        return parameters_schema(merged=auto_schema.method == "PATCH")


class UserCalls(OpenApiViewExtension):
    target_class = "users.api.views.user.UserView"
    match_subclasses = True

    def view_replacement(self) -> Any:
        def documented(name: str, summary: str, description: str, *types: str) -> Any:
            return extend_schema(
                operation_id=name,
                summary=summary,
                description=description,
                tags=["users"],
                parameters=[common.USER_ID, *common.HEADERS, common.etag(200), _IF_MATCH],
                request=dict.fromkeys(types, UserUpdateSerializer),
                examples=[OpenApiExample("update", _REQUEST_EXAMPLE, request_only=True)],
                responses=common.responses(
                    UPDATE_CODES,
                    user_schema(),
                    common.examples_of(status_codes.USER_UPDATED, USER_EXAMPLE, _ERRORS),
                ),
            )

        class Documented(self.target_class):  # type: ignore[name-defined]
            @extend_schema(
                operation_id="getUser",
                summary="Get a user",
                description="The `ETag` of the answer stands for the user's details: sent as "
                "`If-Match` with an update, it keeps that from overwriting what others changed.",
                tags=["users"],
                parameters=[common.USER_ID, *common.HEADERS, common.etag(200)],
                responses=common.responses(
                    GET_CODES,
                    user_schema(),
                    common.examples_of(status_codes.USER_RETRIEVED, USER_EXAMPLE, common.ERRORS),
                ),
            )
            def get(self, *args: Any, **kwargs: Any) -> Any:
                return super().get(*args, **kwargs)

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
