"""Describes the call that lists the attribute definitions."""

from typing import Any

from drf_spectacular.extensions import OpenApiViewExtension
from drf_spectacular.utils import extend_schema

from users.api import status_codes
from users.api.openapi import common
from users.api.openapi.common import Schema, object_schema
from users.api.status_codes import StatusCode
from users.attributes import values
from users.models import AttributeDefinition

ATTRIBUTES_CODES = (status_codes.RETRIEVED, *common.EVERY_CALL, status_codes.RETRIEVAL_FAILED)

_EXAMPLE = {
    "attributes": [
        {
            "kind": "custom",
            "name": "business",
            "type": "choice",
            "choices": ["Retail", "Banking"],
            "description": "The business unit.",
        },
        {"kind": "skill", "name": "seniority", "type": "number", "choices": [], "description": ""},
    ]
}
_ERRORS: dict[StatusCode, Schema] = {
    **common.ERRORS,
    status_codes.INVALID_REQUEST: {
        "page": ["There is no such parameter. This call takes none."],
    },
}


def attributes_schema() -> Schema:
    """Return the schema of the definitions in a successful response."""
    text = {"type": "string"}
    definition = object_schema(
        kind={**text, "enum": AttributeDefinition.Kind.values},
        name={**text, "description": "Of a custom attribute or a skill: its key."},
        type={**text, "enum": AttributeDefinition.Type.values},
        choices={
            "type": "array",
            "items": text,
            "maxItems": values.MAX_CHOICES,
            "description": "For the types `choice` and `multiple_choice`; else empty.",
        },
        description=text,
    )
    return object_schema(attributes={"type": "array", "items": definition})


class AttributesCall(OpenApiViewExtension):
    target_class = "users.api.views.attributes.AttributesView"
    match_subclasses = True

    def view_replacement(self) -> Any:
        class Documented(self.target_class):  # type: ignore[name-defined]
            @extend_schema(
                operation_id="listAttributes",
                summary="List the attribute definitions",
                description="The keys that `custom_attributes` and `skill_attributes` may have, "
                "and the values that they take; by kind and name.",
                tags=["attributes"],
                parameters=common.HEADERS,
                responses=common.responses(
                    ATTRIBUTES_CODES,
                    attributes_schema(),
                    common.examples_of(status_codes.RETRIEVED, _EXAMPLE, _ERRORS),
                ),
            )
            def get(self, *args: Any, **kwargs: Any) -> Any:
                return super().get(*args, **kwargs)

        return Documented
