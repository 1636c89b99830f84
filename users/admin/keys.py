"""Admin classes that reject forged keys and query strings, where Django's cause a server error.

Django's autocomplete widget fails on keys that are not numbers, and on SQLite any key beyond 64
bits is an error. In query strings, PostgreSQL rejects U+0000, SQLite thousands of search words, and
both an invalid regular expression.
"""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext

from users.admin.deletions import deleted_objects
from users.admin.shown_values import ShownValuesForm
from users.db.keys import NO_ROW, row_id


def is_key(value: object) -> bool:
    """Return True if `value` can be a primary key."""
    return row_id(str(value)) != NO_ROW


class MultipleChoiceField(forms.ModelMultipleChoiceField):
    def _check_values(self, value: Any) -> Any:
        # Called for the field and for the hidden field with its initial value.
        for key in value:
            if not is_key(key):
                raise ValidationError(
                    self.error_messages["invalid_pk_value"], "invalid_pk_value", {"pk": key}
                )
        django: Any = super()
        return django._check_values(value)


class Autocomplete(AutocompleteSelect):
    """Django's widget for keys that may be forged.

    known: labels by key, of objects that are not to be read again.
    """

    known: Mapping[str, str] = {}

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        keys = [key for key in value if is_key(key)]
        if keys and all(key in self.known for key in keys):
            options = [self.create_option(name, key, self.known[key], True, 0) for key in keys]
            return [(None, options, 0)]
        return super().optgroups(name, keys, attr)


class AutocompleteMultiple(AutocompleteSelectMultiple):
    """Django's widget for several keys, which may be forged."""

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        return super().optgroups(name, [key for key in value if is_key(key)], attr)


class KeyedChangeList(ChangeList):
    """A change list that accepts only the lookups of its own filters."""

    def get_filters(self, request: HttpRequest) -> Any:
        if any("\0" in value for values in self.filter_params.values() for value in values):
            raise IncorrectLookupParameters
        filters = super().get_filters(request)
        other_lookups = filters[2]
        if other_lookups:
            raise IncorrectLookupParameters
        return filters


class KeyedAdmin(admin.ModelAdmin):
    """A `ModelAdmin` that is safe against forged keys, lookups and searches."""

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
        """Save only the edited fields; others may have been changed meanwhile."""
        if not (change and isinstance(form, ShownValuesForm)):
            super().save_model(request, obj, form, change)
        elif form.changed_columns:
            obj.save(update_fields=form.changed_columns)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        return deleted_objects(objs, request, self.admin_site, hidden=self._through_models())

    def _through_models(self) -> list[Any]:
        """Return the models of many-to-many tables, whose rows no page names."""
        fields = (
            *(field.remote_field for field in self.opts.many_to_many),
            *(relation for relation in self.opts.related_objects if relation.many_to_many),
        )
        return [field.through for field in fields if field.through._meta.auto_created]

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, obj: Any = None, **options: Any
    ) -> HttpResponse:
        if obj and request.method == "POST":
            # The page of a refused change is titled with what is stored, not with what was entered.
            context["original"] = self.model._base_manager.get(pk=obj.pk)
            context["subtitle"] = str(context["original"])
        return super().render_change_form(request, context, *args, obj=obj, **options)

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
        """Run the action. `location` is passed by Django 6.1."""
        if all(map(is_key, request.POST.getlist(ACTION_CHECKBOX_NAME))):
            return super().response_action(request, queryset, **location)
        messages.error(request, gettext("The selected objects do not exist."))
        return HttpResponseRedirect(request.get_full_path())
