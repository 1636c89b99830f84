"""The feed of changes: `GET /api/changes`."""

from typing import cast

from django.db import router
from rest_framework.request import Request

from users import feed
from users.api import paging, status_codes
from users.api.envelope import ApiError, EnvelopeResponse
from users.api.serializers import change_representation
from users.api.views.base import ApiView, reading
from users.models import Change

_CURSORS = ("changes",)
_START_AGAIN = "Start again without 'after', or with 'after=now' for what comes from now on."


class ChangesView(ApiView):
    """Lists the changes of the team's users, oldest first, each change once."""

    http_method_names = ["get", "head"]

    @reading()
    def get(self, request: Request) -> EnvelopeResponse:
        using = router.db_for_read(Change)
        team, cursors, state = (
            cast("int", self.team_id),
            paging.Cursors(*_CURSORS),
            feed.state(using),
        )

        def find_place(after: str) -> feed.Position:
            if after == "now":
                return state.horizon
            epoch, *places = cursors.decode(after)
            position, pruned = feed.Position(*places[:2]), feed.Position(*places[2:])
            if epoch != state.epoch:
                raise paging.InvalidCursorError(f"The feed was restarted since. {_START_AGAIN}")
            if position < state.pruned != pruned:  # pruned since the cursor was given out
                raise paging.InvalidCursorError(f"Changes after it were pruned. {_START_AGAIN}")
            return position

        size, place = paging.read_query(request, find_place)
        granted = self.get_granted_team_ids(request)
        page = feed.page(team, granted, place or feed.START, state.horizon, size, using)
        if place is not None and place < feed.state(using).pruned != state.pruned:
            message = f"Changes after it were pruned meanwhile. {_START_AGAIN}"
            raise ApiError(status_codes.INVALID_REQUEST, {"after": [message]})
        return EnvelopeResponse(
            status_codes.RETRIEVED,
            {
                "changes": [change_representation(change, granted) for change in page.changes],
                "page_size": size,
                "has_more": page.has_more,
                "after": cursors.encode(state.epoch, *page.position, *state.pruned),
            },
        )
