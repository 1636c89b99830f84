"""The list of users: `GET /api/users`."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from django.contrib.auth import get_user_model
from django.db import router
from rest_framework.request import Request

from users.api import listing, query, status_codes
from users.api.envelope import ApiError, EnvelopeResponse
from users.api.serializers import UserSerializer
from users.api.views.base import ApiView, reading
from users.search import Condition

_USER = UserSerializer()


class ListView(ApiView):
    """Lists the team's users."""

    @reading()
    def get(self, request: Request) -> EnvelopeResponse:
        values, errors = query.read(request, listing.PARAMETERS)
        asked = listing.read_query(values, errors, cast("int", self.team_id), {})
        if errors:
            raise ApiError(status_codes.INVALID_REQUEST, errors)
        return page_response(cast("int", self.team_id), [], asked)


def page_response(
    team: int, conditions: Sequence[Condition], asked: listing.Query
) -> EnvelopeResponse:
    """Return the answer that is a page of the team's users that meet all conditions."""
    page = listing.page(team, conditions, asked, router.db_for_read(get_user_model()))
    response: Mapping[str, Any] = {
        "users": [_USER.to_representation(user) for user in page.users],
        "page_size": asked.size,
        "has_more": page.has_more,
        "after": page.after,
        **({} if page.total is None else {"total": page.total}),
    }
    return EnvelopeResponse(status_codes.USERS_RETRIEVED, response)
