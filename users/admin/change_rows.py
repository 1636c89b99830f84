"""Changes as the pages show them: field by field, with names in place of ids."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext

from users.attributes.rules import KINDS
from users.attributes.values import readable
from users.db.keys import row_id
from users.models import AccessToken, Change, Membership, Team

#: What no form takes back: a password is not kept, and memberships are rows of their own.
NOT_UNDONE = frozenset({"password", "memberships"})


@dataclass(frozen=True, slots=True)
class Value:
    """One value that changed; None stands for what was not there."""

    label: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """A change as a page shows it; a URL is empty where there is no page, or not for the viewer."""

    change: Change
    values: list[Value]
    url: str
    user_url: str
    by_url: str
    undo_url: str


def change_rows(request: HttpRequest, site: AdminSite, changes: Iterable[Change]) -> list[Row]:
    """Return the rows of `changes`, by three queries for all of them."""
    changes = list(changes)
    tokens = {change.by_id for change in changes if change.by_type == Change.ByType.ACCESS_TOKEN}
    users = {change.user_id for change in changes} | {
        change.by_id for change in changes if change.by_type == Change.ByType.USER
    }
    linked = {
        Change.ByType.USER: _Linked(request, site, get_user_model(), users),
        Change.ByType.ACCESS_TOKEN: _Linked(request, site, AccessToken, tokens),
    }
    team_names = _team_names(changes)
    return [
        Row(
            change,
            list(_values(change, team_names)),
            reverse(f"{site.name}:users_change_change", args=[change.pk]),
            linked[Change.ByType.USER].url(change.user_id),
            linked[Change.ByType(change.by_type)].url(change.by_id) if change.by_type else "",
            _undo_url(change, linked[Change.ByType.USER]),
        )
        for change in changes
    ]


class _Linked:
    """The objects of a model that are there still, and which of them the viewer may see."""

    def __init__(self, request: HttpRequest, site: AdminSite, model: Any, ids: set[Any]) -> None:
        self.request = request
        self.opts = model._meta
        self.site = site
        self.admin = site.get_model_admin(model) if site.is_registered(model) else None
        self.found = model._default_manager.in_bulk(ids) if self.admin else {}

    def url(self, key: Any) -> str:
        instance = self.found.get(key)
        if not instance or not self.admin.has_view_permission(self.request, instance):
            return ""
        name = f"{self.site.name}:{self.opts.app_label}_{self.opts.model_name}_change"
        return reverse(name, args=[key])

    def may_change(self, key: Any) -> bool:
        instance = self.found.get(key)
        return bool(instance) and self.admin.has_change_permission(self.request, instance)


def _undo_url(change: Change, users: _Linked) -> str:
    is_undoable = change.action == Change.Action.UPDATED and change.before.keys() - NOT_UNDONE
    if not is_undoable or not users.may_change(change.user_id):
        return ""
    return f"{users.url(change.user_id)}?undo={change.pk}"


def _team_names(changes: Iterable[Change]) -> dict[str, str]:
    """Return the names of the teams in `changes` that are there still, by their ids as texts."""
    ids = {
        key
        for change in changes
        for values in (change.before, change.after)
        for key in values.get("memberships") or ()
    }
    return {str(key): team.name for key, team in Team.objects.in_bulk(map(row_id, ids)).items()}


def _values(change: Change, team_names: dict[str, str]) -> Iterator[Value]:
    for name in {**change.before, **change.after}:
        was, now = change.before.get(name), change.after.get(name)
        if name in ("memberships", *KINDS) and {type(was), type(now)} <= {dict, type(None)}:
            was, now = was or {}, now or {}
            for key in {**was, **now}:
                is_team = name == "memberships"
                label = _team_label(key, team_names) if is_team else key
                before, after = (_text(name if is_team else None, v.get(key)) for v in (was, now))
                yield Value(f"{field_label(name)}: {label}", before, after)
        elif was not in (None, "") or now not in (None, ""):
            yield Value(field_label(name), _text(name, was), _text(name, now))


def values_to_set_by_hand(change: Change, names: Iterable[str]) -> Iterator[str]:
    """Return what was before `change` of the fields `names`, as "label: value"."""
    chosen = {name: change.before[name] for name in names if name in change.before}
    part = Change(before=chosen, after={})
    for value in _values(part, _team_names([part])):
        yield f"{value.label}: {value.before or '—'}"


def _team_label(key: str, team_names: dict[str, str]) -> str:
    return team_names.get(key) or gettext("%s (deleted)") % key


def field_label(name: str) -> str:
    """Return what the pages call the user's field `name`."""
    if name == "memberships":
        return gettext("Team")
    try:
        return capfirst(str(get_user_model()._meta.get_field(name).verbose_name))
    except FieldDoesNotExist:  # of a project that had it once
        return name


def _text(field_name: str | None, value: Any) -> str | None:
    if value is None:
        return None
    if value == "":
        return gettext("(empty)")
    if field_name == "password":
        return gettext("set")
    if field_name == "memberships":
        return str(dict(Membership.Role.choices).get(value, value))
    if field_name and isinstance(value, str):
        try:
            choices = get_user_model()._meta.get_field(field_name).flatchoices
        except FieldDoesNotExist:
            choices = []
        return str(dict(choices).get(value, value))
    return readable(value)
