"""Undoing a change: a user's page filled in with what was before it, to be saved like any other."""

from typing import Any
from urllib.parse import quote

from django import forms
from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext

from users.admin.attribute_fields import definition_field_name, removal_field_name
from users.admin.change_rows import values_to_set_by_hand
from users.admin.user_form import UserForm
from users.attributes.rules import KINDS
from users.attributes.types import type_of
from users.attributes.values import readable, same
from users.db.keys import row_id
from users.models import Change


def fill_in(request: HttpRequest, user: Any, form: UserForm, key: str) -> None:
    """Enter into `form` what `user` was before the change with the id `key`, and say so."""
    change = Change.objects.filter(
        pk=row_id(key), user_id=user.pk, action=Change.Action.UPDATED
    ).first()
    if change is None or change.before.keys() <= {"password"}:
        messages.error(request, gettext("There is no such change of this user to be undone."))
        return
    old = _Entered(user, form)
    for name, value in change.before.items():
        if name in KINDS and isinstance(value, dict):
            for key, attribute in value.items():
                old.add_attribute(name, key, attribute)
        else:
            old.add(name, value)
    entered = set(form.enter(old.values))
    # In the form's order, for PostgreSQL keeps an order of its own in JSON.
    labels = [str(field.label) for name, field in form.fields.items() if name in entered]
    if labels:
        text = gettext("Filled in as before the change: %s. Check the page, then save it.")
        messages.info(request, text % ", ".join(labels))
    left = Change(before=old.left)
    if texts := "; ".join(values_to_set_by_hand(left, old.left)):
        messages.warning(request, gettext("Not filled in, to be undone by hand: %s") % texts)
    if not labels and not texts:
        messages.info(request, gettext("Nothing to undo: the user has the old values already."))


class _Entered:
    """What is entered into a form, by the names of its fields, and what it has no field for."""

    def __init__(self, user: Any, form: UserForm) -> None:
        self.user = user
        self.form = form
        self.values: dict[str, Any] = {}
        self.left: dict[str, Any] = {}
        self.definitions = {(each.field, each.name): each for each in form.definitions}

    def add(self, name: str, value: Any) -> None:
        if name in self.form.fields and name != "password":
            self.values[name] = value
        elif name != "password" and not same(getattr(self.user, name, None), value):
            self.left[name] = value

    def add_attribute(self, field: str, key: str, value: Any) -> None:
        removal = removal_field_name(field)
        removable = {choice for choice, _ in getattr(self.form.fields.get(removal), "choices", ())}
        definition = self.definitions.get((field, key))
        if value is None and quote(key) in removable:
            self.values.setdefault(removal, []).append(quote(key))
        elif definition is not None:
            name = definition_field_name(definition)
            if value is not None and type_of(definition).error(value) is not None:
                # As text, to be refused at its field: its own input could not show the value.
                self.form.fields[name].widget = forms.TextInput()
                value = readable(value)
            self.values[name] = value
        elif value is not None and not same(getattr(self.user, field).get(key), value):
            self.left.setdefault(field, {})[key] = value
