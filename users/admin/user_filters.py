"""The filters of the list of users."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from users.admin.attribute_fields import definition_field_name
from users.models import AttributeDefinition, holders


def attribute_filter(definition: AttributeDefinition) -> type[admin.SimpleListFilter]:
    """Return a list filter by the choices of `definition`."""

    class AttributeFilter(admin.SimpleListFilter):
        title = definition.name
        parameter_name = definition_field_name(definition)

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return [(choice, choice) for choice in definition.choices]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            if self.value() is None:
                return queryset
            return queryset.filter(pk__in=holders(definition, self.value()).values("pk"))

    return AttributeFilter
