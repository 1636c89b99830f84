"""What the pages take from a browser and Django looks up as it comes: hand-made, no server error.

Keys of other objects: Django's autocomplete widget fails on what is no number, and on SQLite every
list of keys fails on a number beyond 64 bits. Query strings: PostgreSQL refuses U+0000, SQLite a
search for thousands of words, and both what is no regular expression.
"""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext

from users.admin.shown_values import ShownValuesForm
from users.db.keys import NO_ROW, row_id


def is_key(value: object) -> bool:
    """Whether a row can have the key `value`."""
    return row_id(str(value)) != NO_ROW


class MultipleChoiceField(forms.ModelMultipleChoiceField):
    def _check_values(self, value: Any) -> Any:
        # Of the field itself, and of the hidden one that holds its first value.
        for key in value:
            if not is_key(key):
                raise ValidationError(
                    self.error_messages["invalid_pk_value"], "invalid_pk_value", {"pk": key}
                )
        django: Any = super()
        return django._check_values(value)


class Autocomplete(AutocompleteSelect):
    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        return super().optgroups(name, [key for key in value if is_key(key)], attr)


class KeyedChangeList(ChangeList):
    """A list that takes the look-ups of its filters, and no others."""

    def get_filters(self, request: HttpRequest) -> Any:
        if any("\0" in value for values in self.filter_params.values() for value in values):
            raise IncorrectLookupParameters
        filters = super().get_filters(request)
        look_ups_of_no_filter = filters[2]
        if look_ups_of_no_filter:
            raise IncorrectLookupParameters
        return filters


class KeyedAdmin(admin.ModelAdmin):
    """An admin page whose form fields and actions take keys, with a list that is searched."""

    MAX_SEARCH_LENGTH = 255
    change_form_template = "admin/users/change_form.html"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return KeyedChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if "\0" in search_term or len(search_term) > self.MAX_SEARCH_LENGTH:
            return queryset.none(), False
        return super().get_search_results(request, queryset, search_term)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save what the operator changed, and no more: somebody else may change the rest."""
        if not (change and isinstance(form, ShownValuesForm)):
            super().save_model(request, obj, form, change)
        elif form.changed_columns:
            obj.save(update_fields=form.changed_columns)

    def _get_edited_object_pks(self, request: HttpRequest, prefix: str) -> list[str]:
        django: Any = super()
        return [key for key in django._get_edited_object_pks(request, prefix) if is_key(key)]

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_manytomany(
            db_field, request, form_class=MultipleChoiceField, **kwargs
        )

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs["widget"] = Autocomplete(db_field, self.admin_site, using=kwargs.get("using"))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], **location: Any
    ) -> HttpResponse | None:
        """Do the action; `location` is Django 6.1's, where on the page it was chosen."""
        if all(map(is_key, request.POST.getlist(ACTION_CHECKBOX_NAME))):
            return super().response_action(request, queryset, **location)
        messages.error(request, gettext("What was selected is not there."))
        return HttpResponseRedirect(request.get_full_path())
