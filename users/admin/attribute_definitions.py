"""The pages of attribute definitions: list and form."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from users.admin.attribute_definition_form import AttributeDefinitionForm
from users.admin.keys import KeyedAdmin
from users.models import AttributeDefinition, count_holders


@admin.register(AttributeDefinition)
class AttributeDefinitionAdmin(KeyedAdmin):
    form = AttributeDefinitionForm
    list_display = ("name", "kind", "type", "shown_choices", "description")
    list_filter = ("kind", "type")
    search_fields = ("name", "description")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        fields = ["kind", "name", "type", "choices", "description"]
        may_change = self.has_change_permission(request, obj)
        return [*fields, "confirmed"] if obj and may_change else fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("kind", "name") if obj else ()

    @admin.display(description=_("choices"))
    def shown_choices(self, definition: AttributeDefinition) -> str:
        return ", ".join(map(str, definition.choices))

    def get_deleted_objects(self, objs: QuerySet | list, request: HttpRequest) -> Any:
        """Tell on the confirmation page how many users have the attribute."""
        to_delete, counts, perms_needed, protected = super().get_deleted_objects(objs, request)
        definitions = list(objs)
        for definition, count in zip(definitions, count_holders(definitions), strict=True):
            message = ngettext(
                "{1} user has “{0}”. The value is kept.",
                "{1} users have “{0}”. The values are kept.",
                count,
            )
            to_delete.append(format_html(message, definition.name, count))
        return to_delete, counts, perms_needed, protected
