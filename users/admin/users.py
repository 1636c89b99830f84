"""The page of a user: form, history, password, deletion; the list is in `user_list`."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import flatten_fieldsets, quote, unquote
from django.contrib.auth import admin as auth_admin
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db import router, transaction
from django.db.models import NOT_PROVIDED, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters

from users import invitations
from users.admin.access import (
    access_removal_error,
    may_change_credentials,
    may_touch,
    password_removal_error,
)
from users.admin.attribute_fields import (
    attribute_field,
    definition_field_name,
    removal_field,
    removal_field_name,
    request_definitions,
)
from users.admin.attribute_forms import NEW_SKILL_FIELDS, new_skill_fields
from users.admin.changes import PAGE_SIZE, user_history_context
from users.admin.keys import Autocomplete
from users.admin.membership_rows import MembershipRow, MembershipRows
from users.admin.undo import fill_in
from users.admin.user_columns import first_names
from users.admin.user_export import UserExport
from users.admin.user_form import PasswordForm, UserCreationForm, UserForm, UserRowForm
from users.admin.user_import import UserImport
from users.admin.user_list import UserList
from users.attributes import values
from users.attributes.rules import KINDS, rules_by_field
from users.models import AbstractUser, Membership, Team

User: Any = get_user_model()


class MembershipInline(admin.TabularInline):
    model = Membership
    form = MembershipRow
    formset = MembershipRows
    extra = 0
    verbose_name = _("team and role")
    verbose_name_plural = _("teams and roles")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("team")

    def get_autocomplete_fields(self, request: HttpRequest) -> Sequence[str]:
        # Its view shows teams to those who may see them.
        may_view = self.admin_site.is_registered(Team) and self.admin_site.get_model_admin(
            Team
        ).has_view_permission(request)
        return ("team",) if may_view else ()

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        is_team = db_field.name == "team"
        if is_team and self.get_autocomplete_fields(request):
            kwargs["widget"] = Autocomplete(db_field, self.admin_site, using=kwargs.get("using"))
            return super().formfield_for_foreignkey(db_field, request, **kwargs)
        field: Any = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if is_team:
            # Read once for all rows.
            if not hasattr(request, "team_choices"):
                request.team_choices = list(field.choices)
            field.choices = request.team_choices
        return field


def own_fields() -> list[Any]:
    """Return the editable fields that the project's user model adds to ours."""
    ours = {field.name for field in (*AbstractUser._meta.fields, *AbstractUser._meta.many_to_many)}
    return [
        field
        for field in (*User._meta.fields, *User._meta.many_to_many)
        if field.name not in ours
        and field.editable
        and not (field.primary_key or field.auto_created)
        and not (field.many_to_many and not field.remote_field.through._meta.auto_created)
    ]


def is_required(field: Any) -> bool:
    """Return True if a new user needs a value for `field`."""
    has_default = field.has_default() or field.db_default is not NOT_PROVIDED
    return not (field.many_to_many or field.null or field.blank or has_default)


class UserAdmin(UserExport, UserImport, UserList, auth_admin.UserAdmin):
    """Users, with the same rules as in the API.

    Projects can subclass it. In `fieldsets`, `custom_attributes` and `skill_attributes` stand for
    the form fields of all definitions.

    Besides Django's permissions: only superusers can change superusers, role types and permissions;
    nobody can take away their own access, or that of the last active superuser.
    """

    form = UserForm
    add_form = UserCreationForm
    change_password_form = PasswordForm
    add_form_template = "admin/users/user_add_form.html"
    change_form_template = "admin/users/user_change_form.html"
    object_history_template = "admin/users/changes_page.html"
    inlines = (MembershipInline,)
    readonly_fields = (
        "shown_id",
        "active_chats",
        "is_logged_in",
        "created_at",
        "updated_at",
        "last_login",
        "shown_memberships",
        "named_memberships",
        "shown_password",
        "shown_custom_attributes",
        "shown_skill_attributes",
    )
    ACCESS_FIELDS = ("role_type", "is_superuser", "groups", "user_permissions")
    CREDENTIAL_FIELDS = ("login_id", "email_id", "login_using_email")
    fieldsets = (
        (
            _("Basic details"),
            {
                "fields": (
                    ("first_name", "last_name"),
                    "email_id",
                    "status",
                    "job_description",
                    ("is_logged_in", "accepting_chats", "active_chats"),
                    ("shown_id", "created_at", "updated_at"),
                )
            },
        ),
        (_("Business details"), {"fields": ("custom_attributes",), "classes": ("two-columns",)}),
        (_("Skills"), {"fields": ("skill_attributes",), "classes": ("two-columns",)}),
        (_("Log-in"), {"fields": ("login_id", "login_using_email", "password", "last_login")}),
        (_("Access"), {"fields": ACCESS_FIELDS, "classes": ("after-inlines", "collapse")}),
    )
    add_fieldsets = (
        (
            _("Basic details"),
            {"fields": (("first_name", "last_name"), "email_id", "status", "job_description")},
        ),
        (_("Business details"), {"fields": ("custom_attributes",), "classes": ("two-columns",)}),
        (_("Skills"), {"fields": ("skill_attributes",), "classes": ("two-columns",)}),
        (
            _("Log-in"),
            {
                "fields": (
                    "login_id",
                    "login_using_email",
                    "usable_password",
                    "password1",
                    "password2",
                )
            },
        ),
    )
    # If there are more, they are edited in their own list: a request has a limit of fields.
    MAX_INLINE_MEMBERSHIPS = 50

    # The form.

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        """Return the user, locked if the request is going to change it."""
        user = super().get_object(request, object_id, from_field)
        is_changed = transaction.get_connection(self._database).in_atomic_block
        if user is None or request.method != "POST" or not is_changed:
            return user
        self.lock_users(request, [user.pk])
        return super().get_object(request, object_id, from_field)

    @property
    def _database(self) -> str:
        return router.db_for_write(User)

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        shown = set(flatten_fieldsets(self.get_fieldsets(request, obj)))
        definitions = [
            definition
            for definition in request_definitions(request)
            if definition_field_name(definition) in shown
        ]
        fields: dict[str, Any] = {
            definition_field_name(definition): attribute_field(definition)
            for definition in definitions
        }
        if shown.issuperset(NEW_SKILL_FIELDS):
            fields |= new_skill_fields()
        if obj is None:
            if fields:
                fields["definitions"] = definitions
                kwargs["form"] = type("UserCreationForm", (self.add_form,), fields)
            return super().get_form(request, obj, **kwargs)
        for name in map(removal_field_name, KINDS):
            if name in shown:
                fields[name] = removal_field()
        fields |= {
            "definitions": definitions,
            "actor": request.user,
            "superusers": getattr(request, "locked_superusers", ()),
        }
        kwargs["form"] = type("UserForm", (self.form,), fields)
        return super().get_form(request, obj, **kwargs)

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> Any:
        attributes = {
            "actor": request.user,
            "superusers": getattr(request, "locked_superusers", ()),
            "readonly_fields": staticmethod(lambda user: self.get_readonly_fields(request, user)),
        }
        form = type("UserRowForm", (UserRowForm,), attributes)
        return super().get_changelist_form(request, form=form, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = list(super().get_fieldsets(request, obj))
        own = [field.name for field in own_fields() if obj is not None or is_required(field)]
        ours = (UserAdmin.fieldsets, UserAdmin.add_fieldsets)
        if own and (self.add_fieldsets if obj is None else self.fieldsets) in ours:
            fieldsets.append((_("More details"), {"fields": own}))
        fieldsets = [
            (title, {**options, "fields": fields})
            for title, options in fieldsets
            if (fields := self._fields(request, obj, options["fields"]))
        ]
        if obj is not None and (field := self._membership_field(request, obj)):
            fieldsets.append((_("Teams and roles"), {"fields": (field,)}))
        return fieldsets

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        inlines = super().get_inlines(request, obj)
        if obj is None or not self._lists_memberships_apart(request, obj):
            return inlines
        return [inline for inline in inlines if not issubclass(inline, MembershipInline)]

    def _membership_field(self, request: HttpRequest, user: Any) -> str:
        """Return the field with the memberships, where the page has no rows of them."""
        if not MembershipInline(User, self.admin_site).has_view_permission(request, user):
            return "named_memberships"  # as the list of users does
        return "shown_memberships" if self._lists_memberships_apart(request, user) else ""

    def _lists_memberships_apart(self, request: HttpRequest, user: Any) -> bool:
        if "memberships-TOTAL_FORMS" in request.POST:  # as on the submitted page
            return False
        return user.memberships.count() > self.MAX_INLINE_MEMBERSHIPS

    def _fields(self, request: HttpRequest, user: Any, names: Sequence[Any]) -> list[Any]:
        fields: list[Any] = []
        for name in names:
            if name in KINDS:
                fields += self._attribute_fields(request, user, name)
            elif name == "password" and not self._may_set_password(request, user):
                fields.append("shown_password")  # Django's has a button
            elif name not in self.ACCESS_FIELDS or self._shows_access(request, user, name):
                fields.append(name)
        return fields

    def _shows_access(self, request: HttpRequest, user: Any, name: str) -> bool:
        """Return True if the field says something of `user`, or makes an administrator."""
        if user is None or user.role_type == User.RoleType.ADMINISTRATIVE or user.is_superuser:
            return True
        return bool(request.user.is_superuser) and name == "role_type"

    def _attribute_fields(self, request: HttpRequest, user: Any, name: str) -> list[Any]:
        if not self.has_change_permission(request, user):
            return [f"shown_{name}"] if user is not None else []
        rules = rules_by_field(request_definitions(request))[name]
        fields: list[Any] = [
            definition_field_name(definition)  # type: ignore[arg-type]
            for definition in rules.definitions.values()
        ]
        if name == "skill_attributes":
            fields.append(NEW_SKILL_FIELDS)
        if user is not None and rules.no_longer_allowed(getattr(user, name)):
            fields.append(removal_field_name(name))
        return fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        if request.user.is_superuser:
            return self.readonly_fields
        readonly = (*self.readonly_fields, *self.ACCESS_FIELDS)
        if obj is None or may_change_credentials(request.user, obj):
            return readonly
        return (*readonly, *self.CREDENTIAL_FIELDS)

    @admin.display(description=_("teams and roles"))
    def shown_memberships(self, user: Any) -> str:
        count = user.memberships.count()
        path = reverse(f"{self.admin_site.name}:users_membership_changelist")
        text = ngettext("%d team", "%d teams", count) % count
        return format_html('<a href="{}?user={}">{}</a>', path, user.pk, text)

    @admin.display(description=_("teams and roles"))
    def named_memberships(self, user: Any) -> str:
        memberships = user.memberships.select_related("team").order_by("team__name", "team")
        names = [f"{each.team} ({each.get_role_display()})" for each in memberships]
        return first_names(names, self.MAX_INLINE_MEMBERSHIPS) or "—"

    @admin.display(description=_("ID"))
    def shown_id(self, user: AbstractUser) -> str:
        return str(user.pk)  # as the API takes it, without a thousands separator

    @admin.display(description=_("password"))
    def shown_password(self, user: AbstractUser) -> str:
        return gettext("set") if user.has_usable_password() else gettext("not set")

    @admin.display(description=_("custom attributes"))
    def shown_custom_attributes(self, user: AbstractUser) -> str:
        return as_lines(user.custom_attributes)

    @admin.display(description=_("skills"))
    def shown_skill_attributes(self, user: AbstractUser) -> str:
        return as_lines(user.skill_attributes)

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, obj: Any = None, **options: Any
    ) -> HttpResponse:
        if request.method == "GET" and obj and "undo" in request.GET:
            if not self.has_change_permission(request, obj):
                raise PermissionDenied
            fill_in(request, obj, context["adminform"].form, request.GET["undo"])
        if obj:
            # The name that is stored, on the page of a refused change too.
            stored = obj if request.method == "GET" else User._base_manager.get(pk=obj.pk)
            context["title"] = stored.get_full_name() or stored.get_username()
        return super().render_change_form(request, context, *args, obj=obj, **options)

    # The history.

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        user = self.get_object(request, unquote(object_id))
        if user is None or not self.has_view_permission(request, user):
            return super().history_view(request, object_id, extra_context)  # which refuses
        context = {
            **self.admin_site.each_context(request),
            **user_history_context(request, self.admin_site, user),
            "title": gettext("History of %s") % user,
            "object": user,
            "opts": self.opts,
            "rights_log": self._rights_log(user)[:PAGE_SIZE],
            **(extra_context or {}),
        }
        request.current_app = self.admin_site.name  # type: ignore[attr-defined]
        return TemplateResponse(request, self.object_history_template, context)

    def _rights_log(self, user: Any) -> QuerySet[LogEntry]:
        """Return what Django's own log says beyond our history: of groups and permissions."""
        message = "change_message__contains"
        rights = Q((message, '"Groups"')) | Q((message, '"User permissions"'))
        content_type = ContentType.objects.get_for_model(User)
        log = LogEntry.objects.filter(rights, content_type=content_type, object_id=str(user.pk))
        return log.select_related("user")

    # Saving.

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if not change and getattr(form, "invites", False):
            invitations.invite(form.instance)
            messages.success(request, ngettext("Invited %d user.", "Invited %d users.", 1) % 1)

    def response_add(self, request: HttpRequest, obj: Any, *args: Any) -> HttpResponse:
        # Not Django's for users, which leads to the rest of a user's details: they are saved.
        return admin.ModelAdmin.response_add(self, request, obj, *args)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, extra_context)
        except PermissionDenied as error:
            if not error.args:
                raise
            return self._refuse(request, str(error))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.delete_queryset(request, User._base_manager.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        with transaction.atomic(using=self._database):
            users = self.lock_users(request, self.user_ids_of(queryset))
            superusers = request.locked_superusers  # type: ignore[attr-defined]
            if error := access_removal_error(request.user, users, superusers):
                raise PermissionDenied(error)
            User.objects.filter(pk__in=[user.pk for user in users]).delete()

    # Permissions.

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and may_touch(request.user, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return (
            super().has_delete_permission(request, obj)
            and may_touch(request.user, obj)
            and (obj is None or obj.pk != request.user.pk)
        )

    def _may_set_password(self, request: HttpRequest, user: AbstractUser) -> bool:
        may_change = self.has_change_permission(request, user)
        return may_change and may_change_credentials(request.user, user)

    @method_decorator(sensitive_post_parameters())
    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002 (Django's URL names it)
        form_url: str = "",
    ) -> HttpResponse:
        if request.method != "POST":
            return self._password_page(request, id, form_url)
        with transaction.atomic(using=self._database):
            return self._password_page(request, id, form_url)

    def _password_page(self, request: Any, object_id: str, form_url: str) -> HttpResponse:
        user = self.get_object(request, unquote(object_id))
        if user is None:
            return super().user_change_password(request, object_id, form_url)
        if not may_change_credentials(request.user, user):
            return self._refuse(
                request, gettext("Only a superuser sets an administrator's password.")
            )
        for_another = user != request.user
        disables = request.POST.get("usable_password") == "false"
        if disables and (
            error := password_removal_error(request.user, user, request.locked_superusers)
        ):
            messages.error(request, error)
            return HttpResponseRedirect(request.get_full_path())
        # The key of the user that was checked, however the URL spells it.
        response = super().user_change_password(request, quote(str(user.pk)), form_url)
        if for_another and response.status_code == 302:
            user.end_sessions()
        return response

    def _refuse(self, request: HttpRequest, reason: str) -> HttpResponse:
        """Return HTTP 403 with the reason, which Django's own page of it does not show."""
        title = {"title": gettext("Permission denied"), "reason": reason}
        context = {**self.admin_site.each_context(request), **title}
        return TemplateResponse(request, "admin/users/refused.html", context, status=403)


def as_lines(attributes: values.Attributes) -> str:
    """Return attributes formatted for people, one per line."""
    lines = [f"{key}: {values.readable(value)}" for key, value in attributes.items()]
    return "\n".join(lines) or "—"
