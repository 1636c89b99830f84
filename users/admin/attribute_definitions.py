"""The pages of attribute definitions, and the one that renames a choice."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import router, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from users import choices
from users.admin.access import may_touch, superuser_error
from users.admin.attribute_definition_form import AttributeDefinitionForm
from users.admin.attribute_fields import definition_field_name
from users.admin.choice_forms import RenameChoiceForm
from users.admin.keys import KeyedAdmin
from users.admin.shown_values import ShownInRowForm
from users.admin.user_links import filtered, holders_link
from users.db.keys import row_id
from users.models import AttributeDefinition, count_choices, count_holders

User: Any = get_user_model()


class AttributeDefinitionAdmin(KeyedAdmin):
    """Attribute definitions. Who may change them and users also renames choices for all users."""

    form = AttributeDefinitionForm
    list_display = ("name", "kind", "type", "shown_choices", "description", "position")
    list_editable = ("position",)
    list_filter = ("kind", "type")
    search_fields = ("name", "description")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        fields = ["kind", "name", "type", "choices", "labels", "description", "position"]
        if self.has_change_permission(request, obj):
            fields.append("confirmed")
        if obj and obj.has_choices and self._users_url(request):
            fields.append("shown_holders")
        return fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("kind", "name", "shown_holders") if obj else ()

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> Any:
        return super().get_changelist_form(request, form=ShownInRowForm, **kwargs)

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        if obj is not None:
            obj.request = request  # for the links of `shown_holders`
        return super().get_form(request, obj, **kwargs)

    @admin.display(description=_("choices"))
    def shown_choices(self, definition: AttributeDefinition) -> str:
        return ", ".join(map(str, definition.choices))

    @admin.display(description=_("users by choice"))
    def shown_holders(self, definition: Any) -> str:
        """Return who has which choice, as links to the list of users."""
        url = self._users_url(definition.request)
        rename = self._rename_url(definition) if self._may_rename(definition.request) else ""
        counts = count_choices(definition)
        rows = [
            (
                choice,
                counts[choice],
                holders_link(url, definition, choice),
                rename and f"{rename}?{urlencode({'choice': choice})}",
                choice in definition.choices,
            )
            for choice in dict.fromkeys([*definition.choices, *sorted(counts)])
        ]
        return render_to_string("admin/users/choice_holders.html", {"rows": rows})

    def _users_url(self, request: HttpRequest) -> str:
        """Return the address of the list of users, or "" if the viewer may not see it."""
        if not self.admin_site.is_registered(User):
            return ""
        if not self.admin_site.get_model_admin(User).has_view_permission(request):
            return ""
        opts = User._meta
        return reverse(f"{self.admin_site.name}:{opts.app_label}_{opts.model_name}_changelist")

    def _rename_url(self, definition: AttributeDefinition) -> str:
        name = f"{self.admin_site.name}:users_attributedefinition_choices"
        return reverse(name, args=[definition.pk])

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if getattr(form, "number_refused", 0) and (url := self._users_url(request)):
            count: int = form.number_refused
            text = ngettext(
                "{} user has a value that is not allowed.",
                "{} users have a value that is not allowed.",
                count,
            ).format(count)
            link = filtered(url, not_allowed=definition_field_name(obj))
            messages.warning(request, format_html('<a href="{}">{}</a>', link, text))

    # Locks: definitions come before superusers and other users, to whom Django's log refers.

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        """Return the definition, locked if the request is going to change it."""
        database = router.db_for_write(AttributeDefinition)
        if request.method == "POST" and transaction.get_connection(database).in_atomic_block:
            self._lock([row_id(object_id)])
        return super().get_object(request, object_id, from_field)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if request.method != "POST" or "_save" not in request.POST:
            return super().changelist_view(request, extra_context)
        with transaction.atomic(using=router.db_for_write(AttributeDefinition)):
            self._lock(self._get_edited_object_pks(request, "form"))
            return super().changelist_view(request, extra_context)

    @staticmethod
    def _lock(keys: Sequence[Any]) -> None:
        rows = AttributeDefinition.objects.select_for_update().order_by("pk")
        list(rows.filter(pk__in=keys).values_list("pk"))

    # Renaming a choice.

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.rename_choice_view)
        name = "users_attributedefinition_choices"
        return [path("<path:object_id>/choices/", view, name=name), *super().get_urls()]

    def _may_rename(self, request: HttpRequest) -> bool:
        if not self.has_change_permission(request) or not self.admin_site.is_registered(User):
            return False
        return bool(self.admin_site.get_model_admin(User).has_change_permission(request))

    def rename_choice_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if request.method != "POST":
            return self._rename_choice_page(request, object_id)
        with transaction.atomic(using=router.db_for_write(User)):
            return self._rename_choice_page(request, object_id)

    def _rename_choice_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if not self._may_rename(request):
            raise PermissionDenied
        definition = self.get_object(request, unquote(object_id))
        if definition is None or not definition.has_choices:
            django: Any = self
            return django._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        held = count_choices(definition)
        initial = {"choice": request.GET.get("choice", "")}
        data = request.POST if request.method == "POST" else None
        form = RenameChoiceForm(definition, sorted(held), data, initial=initial)
        question = ""
        if data is not None and form.is_valid():
            # The new name may have become a choice meanwhile, or be none any more: ask again then.
            is_confirmed = data.get("confirmed") == form.action
            if is_confirmed and self._rename(request, definition, form.cleaned_data):
                url = f"{self.admin_site.name}:users_attributedefinition_change"
                return HttpResponseRedirect(reverse(url, args=[definition.pk]))
            question = form.question(held[form.cleaned_data["choice"]])
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": definition,
            "title": gettext("Rename a choice of %s") % definition,
            "form": form,
            "question": question,
        }
        request.current_app = self.admin_site.name  # type: ignore[attr-defined]
        return TemplateResponse(request, "admin/users/rename_choice.html", context)

    def _rename(self, request: Any, definition: AttributeDefinition, cleaned: Any) -> bool:
        """Rename the choice, and say what changed; return False if it failed."""

        def check(users: Sequence[Any]) -> None:
            if not users:  # The actor's rights may have changed during the wait for the locks.
                request.user = User._base_manager.get(pk=request.user.pk)
                if not (self.admin_site.has_permission(request) and self._may_rename(request)):
                    raise PermissionDenied
            for user in users:
                if not may_touch(request.user, user):
                    raise ValidationError(superuser_error(user))

        old, new = cleaned["choice"], cleaned["new_name"]
        using = router.db_for_write(User)
        try:
            with transaction.atomic(using=using):
                User.objects.lock_superusers()
                actor = [request.user.pk]
                count = choices.rename(definition.pk, old, new, using, also_lock=actor, check=check)
                message = gettext("Renamed the choice “%(old)s” to “%(new)s”.")
                self.log_change(request, definition, message % {"old": old, "new": new})
        except ValidationError as error:
            messages.error(request, " ".join([*error.messages, gettext("Nothing was changed.")]))
            return False
        done = ngettext("Changed %d user.", "Changed %d users.", count) % count
        messages.success(request, done)
        return True

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
