"""Describes the update of many users."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema

from users.api import status_codes
from users.api.openapi import common
from users.api.openapi.common import Schema, object_schema
from users.api.openapi.user import USER_EXAMPLE, parameter_schemas, user_schema
from users.api.status_codes import StatusCode
from users.api.views.bulk_update import MAX_ITEMS

BULK_UPDATE_CODES = (
    status_codes.USER_UPDATED,
    status_codes.PARTLY_UPDATED,
    *common.EVERY_CALL,
    status_codes.NOT_ALLOWED,
    status_codes.UPDATE_FAILED,
    status_codes.MISSING_BODY,
)
#: The codes of an item.
ITEM_CODES = (
    status_codes.USER_UPDATED,
    status_codes.USER_NOT_FOUND,
    status_codes.INVALID_BUSINESS,
    status_codes.INVALID_LOCATION,
    status_codes.MISSING_BODY,
    status_codes.INVALID_REQUEST,
)
_REQUEST_EXAMPLE = {
    "users": [
        {"id": 1, "custom_attributes": {"business": "Banking"}},
        {"login_id": "bruno", "job_description": "Trainer"},
    ]
}
_DRY_RUN = OpenApiParameter(
    "dry_run",
    {"type": "string", "enum": ["true", "false"], "default": "false"},
    OpenApiParameter.QUERY,
    description="`true`: validate all items, and write nothing.",
)


def _item_example(user_id: int, code: StatusCode, response: Schema) -> Schema:
    return {
        "id": user_id,
        "status_code": code.number,
        "description": code.description,
        "response": response,
    }


_UPDATED = _item_example(1, status_codes.USER_UPDATED, USER_EXAMPLE)
_INVALID = {"errors": {"status": ["Must be one of: 'active', 'inactive'."]}}
_EXAMPLES = {
    **common.examples_of(status_codes.USER_UPDATED, {"users": [_UPDATED]}, common.ERRORS),
    status_codes.PARTLY_UPDATED: {
        "users": [_UPDATED, _item_example(2, status_codes.INVALID_REQUEST, _INVALID)]
    },
    status_codes.INVALID_REQUEST: {
        "errors": {"users": [f"Must have 1 to {MAX_ITEMS} items, and has 1001."]}
    },
}


def bulk_schema() -> Schema:
    """Return the schema of the body."""
    names = {
        "id": {"type": "integer", "format": "int64", "description": "The user's id."},
        "login_id": {"type": "string", "description": "Or the login id, in any case."},
    }
    item = {
        "type": "object",
        "properties": {**names, **parameter_schemas(merged=True)},
        "oneOf": [{"required": [name]} for name in names],
        "additionalProperties": False,
    }
    users = {"type": "array", "items": item, "minItems": 1, "maxItems": MAX_ITEMS}
    return object_schema(users=users)


def outcomes_schema() -> Schema:
    """Return the schema of a successful response."""
    item = object_schema(
        id={"type": "integer", "nullable": True},
        status_code={"type": "integer", "enum": [code.number for code in ITEM_CODES]},
        description={"type": "string", "enum": [code.description for code in ITEM_CODES]},
        response={"oneOf": [user_schema(), common.refused_schema()]},
    )
    return object_schema(users={"type": "array", "items": item, "maxItems": MAX_ITEMS})


def described(method: Any) -> Any:
    """Describe the method that updates many users."""
    return extend_schema(
        operation_id="updateUsers",
        summary="Update many users",
        description="Each item is validated and answered like a single update, in the order of the "
        "items. If some are refused, the others are still saved, in one transaction.",
        tags=["users"],
        parameters=[*common.HEADERS, _DRY_RUN],
        request={"application/json": bulk_schema()},
        examples=[OpenApiExample("update", _REQUEST_EXAMPLE, request_only=True)],
        responses=common.responses(BULK_UPDATE_CODES, outcomes_schema(), _EXAMPLES),
    )(method)
