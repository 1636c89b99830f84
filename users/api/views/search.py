"""The search for users: `POST /api/users/search`."""

from collections.abc import Mapping
from typing import Any, cast

from django.contrib.auth import get_user_model
from django.db import router
from rest_framework.request import Request

from users import search
from users.api import listing, query, status_codes
from users.api.body import Body, Parameters
from users.api.envelope import ApiError, EnvelopeResponse
from users.api.views.base import ApiView, reading
from users.api.views.list import page_response
from users.attributes.rules import KINDS, Errors, joined, rules_by_field
from users.models import AttributeDefinition


class SearchView(ApiView):
    """Lists the team's users that meet all conditions in the body."""

    http_method_names = ["post"]
    reading_methods = ("POST",)

    @reading()
    def post(self, request: Request) -> EnvelopeResponse:
        body, errors = parsed(Body(request))  # 3114
        values, in_query = query.read(request, listing.PARAMETERS)
        asked = listing.read_query(values, in_query, cast("int", self.team_id), body)
        try:
            conditions = search.parse(body, self.get_rules(body))
        except search.InvalidSearchError as error:
            add(errors, error.errors)
        add(errors, in_query)
        if errors:
            raise ApiError(status_codes.INVALID_REQUEST, errors)
        return page_response(cast("int", self.team_id), conditions, asked)

    def get_rules(self, body: Parameters) -> Any:
        """Return the rules for attributes by field, read only if any attribute is asked for."""
        if KINDS.keys().isdisjoint(body):
            return {}
        using = router.db_for_read(get_user_model())
        return rules_by_field(AttributeDefinition.objects.using(using))


def parsed(body: Body) -> tuple[Parameters, dict[str, Any]]:
    """Return the JSON object in the body, and its errors: those of the query are found besides.

    Raises `ApiError` if there is no body.
    """
    try:
        parameters = body.parse(may_be_empty=True)
    except ApiError as error:
        if error.code != status_codes.INVALID_REQUEST:
            raise
        return Parameters(), dict(error.errors or {})
    return parameters, dict(parameters.errors)


def add(errors: dict[str, Any], others: Mapping[str, Errors]) -> None:
    """Add the errors of others to those of each parameter."""
    for name, error in others.items():
        errors[name] = joined(errors[name], error) if name in errors else error
