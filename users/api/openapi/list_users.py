"""Describes the list of users and the search for them, by the tables that the calls use."""

from typing import Any

from drf_spectacular.extensions import OpenApiViewExtension
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema

from users import search
from users.api import listing, paging, status_codes
from users.api.openapi import common
from users.api.openapi.common import Schema, object_schema
from users.api.openapi.user import USER_EXAMPLE, user_schema
from users.api.status_codes import StatusCode
from users.attributes.types import Type, Undefined

LIST_CODES = (status_codes.USERS_RETRIEVED, *common.EVERY_CALL, status_codes.RETRIEVAL_FAILED)
SEARCH_CODES = (*LIST_CODES, status_codes.MISSING_BODY)

_EXAMPLE = {
    "users": [USER_EXAMPLE],
    "page_size": 10,
    "has_more": True,
    "after": "WzFd:Jm3dXu6vJk8Jc0nT2mC5y0bq5a1b2c3d4e5f6g7h8i9",
}
SEARCH_EXAMPLE = {
    "status": {"eq": "active"},
    "active_chats": {"lt": 3},
    "updated_at": {"gte": "2026-11-01T00:00:00Z"},
    "custom_attributes": {"business": {"in": ["Retail", "Banking"]}},
    "skill_attributes": {"languages": {"contains": "hi"}, "seniority": {"gte": 3}},
}
_SEARCH_ERRORS: dict[StatusCode, Schema] = {
    **common.LIST_ERRORS,
    status_codes.INVALID_REQUEST: {
        "status": ["'like': There is no such operator here. There are: eq, in."],
        "custom_attributes": {"business": ["'eq': Must be one of: 'Retail', 'Banking'."]},
    },
}


def list_parameters() -> list[OpenApiParameter]:
    """Return the query parameters of both calls."""

    def parameter(name: str, schema: Schema, description: str) -> OpenApiParameter:
        return OpenApiParameter(name, schema, OpenApiParameter.QUERY, description=description)

    sorts = [sort for name in listing.SORTS for sort in (name, f"-{name}")]
    names = {name: search.PARAMETERS[name].type.schema() for name in ("login_id", "email_id")}
    return [
        parameter(
            "page",
            {"type": "integer", "minimum": 1, "maximum": listing.MAX_DEPTH, "default": 1},
            f"Pages reach {listing.MAX_DEPTH:,} users deep. To read more, use `after`.",
        ),
        *common.page_parameters(
            "The cursor in `after` of the page before, in place of `page`, with all else as "
            "before. Users who are added, changed or deleted meanwhile make nobody else appear "
            "twice or be left out, unless what the list is sorted by changed."
        ),
        parameter(
            "sort",
            {"type": "string", "enum": sorts, "default": "id"},
            "With `-` before it, descending.",
        ),
        parameter(
            "total",
            {"type": "boolean", "default": False},
            "If true, the answer has the exact number as `total`, which takes time if it is large.",
        ),
        parameter("login_id", names["login_id"], "That user alone, in any case."),
        parameter("email_id", names["email_id"], "That user alone, in any case."),
    ]


def page_schema() -> Schema:
    """Return the schema of a page of users in a successful response."""
    integer = {"type": "integer"}
    page = object_schema(
        users={"type": "array", "items": user_schema(), "maxItems": paging.MAX_SIZE},
        page_size=integer,
        has_more={"type": "boolean"},
        after={
            "type": "string",
            "nullable": True,
            "description": "The cursor of the next page; null on the last page.",
        },
    )
    page["properties"]["total"] = {**integer, "description": "Only if it was asked for."}
    return page


def search_schema() -> Schema:
    """Return the schema of a search's body."""
    attributes: Schema = {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": _operators_schema(Undefined(), search.operators_of(Undefined())),
    }
    described = "By key. The operators and values are those of the attribute's type."
    return {
        "type": "object",
        "properties": {
            **{
                name: _operators_schema(parameter.type, parameter.operators)
                for name, parameter in search.PARAMETERS.items()
            },
            "custom_attributes": {**attributes, "description": f"{described} Only defined ones."},
            "skill_attributes": {**attributes, "description": described},
        },
        "additionalProperties": False,
    }


def _operators_schema(type_: Type, operators: tuple[str, ...]) -> Schema:
    def operand(operator: str) -> Schema:
        schema = search.operand_type(type_, operator).schema()
        if operator == "in":
            return {
                "type": "array",
                "items": schema,
                "minItems": 1,
                "maxItems": search.MAX_VALUES,
            }
        return schema

    return {
        "type": "object",
        "properties": {operator: operand(operator) for operator in operators},
        "additionalProperties": False,
        "minProperties": 1,
    }


described = extend_schema(
    operation_id="listUsers",
    summary="List users",
    description="The users of the team.",
    tags=["users"],
    parameters=[*common.HEADERS, *list_parameters()],
    responses=common.responses(
        LIST_CODES,
        page_schema(),
        common.examples_of(status_codes.USERS_RETRIEVED, _EXAMPLE, common.LIST_ERRORS),
    ),
)


class SearchCall(OpenApiViewExtension):
    target_class = "users.api.views.search.SearchView"
    match_subclasses = True

    def view_replacement(self) -> Any:
        class Documented(self.target_class):  # type: ignore[name-defined]
            @extend_schema(
                operation_id="searchUsers",
                summary="Search for users",
                description="The users of the team who meet all conditions; `{}` finds all. "
                f"A search has at most {search.MAX_CONDITIONS} conditions: each operator is one. "
                "A stored value of another type than the operand meets no condition.",
                tags=["users"],
                parameters=[*common.HEADERS, *list_parameters()],
                request={"application/json": search_schema()},
                examples=[OpenApiExample("search", SEARCH_EXAMPLE, request_only=True)],
                responses=common.responses(
                    SEARCH_CODES,
                    page_schema(),
                    common.examples_of(status_codes.USERS_RETRIEVED, _EXAMPLE, _SEARCH_ERRORS),
                ),
            )
            def post(self, *args: Any, **kwargs: Any) -> Any:
                return super().post(*args, **kwargs)

        return Documented
