"""The attribute definitions: `GET /api/attributes`."""

from django.db import router
from rest_framework.request import Request

from users.api import query, status_codes
from users.api.envelope import EnvelopeResponse
from users.api.views.base import ApiView, reading
from users.models import AttributeDefinition


class AttributesView(ApiView):
    """Lists the attributes that users may have, and the values that they take."""

    http_method_names = ["get", "head"]

    @reading()
    def get(self, request: Request) -> EnvelopeResponse:
        query.require_none(request)
        using = router.db_for_read(AttributeDefinition)
        definitions = (
            AttributeDefinition._default_manager.using(using)
            .order_by()
            .values("kind", "name", "type", "choices", "description")
        )
        # Not by the database, whose order depends on its collation.
        attributes = sorted(definitions, key=lambda row: (row["kind"], row["name"]))
        return EnvelopeResponse(status_codes.RETRIEVED, {"attributes": attributes})
