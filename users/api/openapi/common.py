"""What the descriptions of all calls have in common."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from users.api import paging, status_codes
from users.api.status_codes import StatusCode

Schema = dict[str, Any]

#: The status codes that every call can answer.
EVERY_CALL = (
    status_codes.MISSING_HEADERS,
    status_codes.INVALID_TOKEN,
    status_codes.EXPIRED_TOKEN,
    status_codes.TOO_MANY_REQUESTS,
    status_codes.INTERNAL_ERROR,
    status_codes.TEAM_NOT_FOUND,
    status_codes.METHOD_NOT_ALLOWED,
    status_codes.INVALID_REQUEST,
)
#: Examples of `errors`, of every call.
ERRORS: dict[StatusCode, Schema] = {
    status_codes.MISSING_HEADERS: {"teamid": ["This header is required."]},
}
#: The same, of the calls that list.
LIST_ERRORS: dict[StatusCode, Schema] = {
    **ERRORS,
    status_codes.INVALID_REQUEST: {"page_size": ["Must be an integer from 1 to 100."]},
}

MOMENT = {"type": "string", "format": "date-time", "pattern": "Z$"}


def object_schema(**properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def refused_schema() -> Schema:
    """Return the schema of `response` where a call, or an item of it, is refused."""
    messages = {"type": "array", "items": {"type": "string"}}
    errors = {
        "type": "object",
        "description": "Messages by parameter, header or `body`; for attributes, one level deeper.",
        "additionalProperties": {
            "oneOf": [messages, {"type": "object", "additionalProperties": messages}]
        },
    }
    return {
        "type": "object",
        "properties": {"errors": errors},
        "additionalProperties": False,
    }


def _envelope_schema(codes: list[StatusCode], success: Schema) -> Schema:
    return {
        "type": "object",
        "properties": {
            "status_code": {"type": "integer", "enum": [code.number for code in codes]},
            "description": {"type": "string", "enum": [code.description for code in codes]},
            "response": success if codes[0].http_status < 300 else refused_schema(),
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


def examples_of(
    code: StatusCode, success: Schema, errors: dict[StatusCode, Schema]
) -> dict[StatusCode, Schema]:
    refusals = {refusal: {"errors": messages} for refusal, messages in errors.items()}
    return {code: success, **refusals}


USER_ID = OpenApiParameter(
    "user_id",
    {"type": "integer", "format": "int64", "minimum": 0},
    OpenApiParameter.PATH,
    description="The user's id.",
)
HEADERS = [
    OpenApiParameter(
        "teamid",
        {"type": "integer", "format": "int64", "minimum": 0},
        OpenApiParameter.HEADER,
        required=True,
        description="The team to act for, which the access token must be granted.",
    ),
    OpenApiParameter(
        "trxid",
        str,
        OpenApiParameter.HEADER,
        required=True,
        response=True,
        description="The request's unique identifier, which is in the server's log too.",
    ),
    *(
        OpenApiParameter(name, int, OpenApiParameter.HEADER, response=True, description=description)
        for name, description in (
            ("Rate-Limit-Limit", "How many calls the access token may make in a day (UTC)."),
            ("Rate-Limit-Remaining", "How many of them are left today."),
            ("Rate-Limit-Reset", "When the day ends, in seconds since 1970 (UTC)."),
        )
    ),
    OpenApiParameter(
        "Retry-After",
        int,
        OpenApiParameter.HEADER,
        response=[429],
        description="In how many seconds the day ends (UTC).",
    ),
    OpenApiParameter(
        "WWW-Authenticate",
        str,
        OpenApiParameter.HEADER,
        response=[401],
        description='`Bearer error="invalid_token"`, as in RFC 6750.',
    ),
]


def etag(status: int) -> OpenApiParameter:
    """Return the header of a successful response, with the HTTP status `status`, of one user."""
    return OpenApiParameter(
        "ETag",
        str,
        OpenApiParameter.HEADER,
        required=True,
        response=[status],
        description="Stands for the user's details, but not for `logged_in` or `active_chats`.",
    )


def page_parameters(after: str) -> list[OpenApiParameter]:
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
