"""Describes the history of a user and the feed of changes."""

from typing import Any

from drf_spectacular.extensions import OpenApiViewExtension
from drf_spectacular.utils import extend_schema

from users.api import paging, status_codes
from users.api.openapi import common
from users.api.openapi.common import MOMENT, Schema, object_schema
from users.models import Change

CHANGES_CODES = (status_codes.RETRIEVED, *common.EVERY_CALL, status_codes.RETRIEVAL_FAILED)
HISTORY_CODES = (*CHANGES_CODES, status_codes.USER_NOT_FOUND)

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


def changes_schema() -> Schema:
    """Return the schema of a page of changes in a successful response."""
    integer, text = {"type": "integer"}, {"type": "string"}
    values_of_change = {
        "type": "object",
        "additionalProperties": {},
        "description": "What changed: values by field; attributes by key, roles by team id.",
    }
    by = object_schema(
        type={**text, "enum": Change.ByType.values}, id=integer, name={**text, "nullable": True}
    )
    change = object_schema(
        id=integer,
        at=MOMENT,
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
    return object_schema(
        changes={"type": "array", "items": change, "maxItems": paging.MAX_SIZE},
        page_size=integer,
        has_more={"type": "boolean"},
        after={**text, "nullable": True, "description": "The cursor of the next page."},
    )


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
                    common.USER_ID,
                    *common.HEADERS,
                    *common.page_parameters("The cursor in `after` of the page before."),
                ],
                responses=common.responses(
                    HISTORY_CODES,
                    changes_schema(),
                    common.examples_of(
                        status_codes.RETRIEVED, _CHANGES_EXAMPLE, common.LIST_ERRORS
                    ),
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
                    *common.HEADERS,
                    *common.page_parameters(
                        "The cursor in `after` of the page before, or `now`: an empty page with "
                        "a cursor to start from."
                    ),
                ],
                responses=common.responses(
                    CHANGES_CODES,
                    changes_schema(),
                    common.examples_of(
                        status_codes.RETRIEVED, _CHANGES_EXAMPLE, common.LIST_ERRORS
                    ),
                ),
            )
            def get(self, *args: Any, **kwargs: Any) -> Any:
                return super().get(*args, **kwargs)

        return Documented
