"""The history of one user: `GET /api/users/{id}/history`."""

from typing import cast

from django.db import router
from rest_framework.request import Request

from users import feed
from users.api import paging, status_codes
from users.api.envelope import ApiError, EnvelopeResponse
from users.api.serializers import change_representation
from users.api.views.base import ApiView, reading
from users.db.keys import row_id
from users.models import Change, Membership


class HistoryView(ApiView):
    """Lists the changes of a user in the team, newest first."""

    http_method_names = ["get", "head"]

    @reading()
    def get(self, request: Request, user_id: str) -> EnvelopeResponse:
        user, team = row_id(user_id), cast("int", self.team_id)
        if not Membership.objects.filter(user=user, team=team).exists():
            raise ApiError(status_codes.USER_NOT_FOUND)
        cursors = paging.Cursors("history", user)
        size, place = paging.read_query(request, cursors.decode)
        granted = self.get_granted_team_ids(request)
        changes, after = feed.history_page(
            user, team, granted, place[0] if place else None, size, router.db_for_read(Change)
        )
        return EnvelopeResponse(
            status_codes.RETRIEVED,
            {
                "changes": [change_representation(change, granted) for change in changes],
                "page_size": size,
                "has_more": after is not None,
                "after": None if after is None else cursors.encode(after),
            },
        )
