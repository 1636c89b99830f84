"""The memberships on the page of a user."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.formsets import ManagementForm
from django.http import QueryDict
from django.utils.translation import gettext

from users.admin.keys import Autocomplete
from users.admin.shown_values import ShownInRowForm
from users.admin.team_forms import UniqueMembership


class MembershipRow(ShownInRowForm, UniqueMembership):
    """A membership on the page of its user, who is locked."""

    has_ended = False  # since the page was opened

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields.get("team")
        widget = field and getattr(field.widget, "widget", field.widget)
        if self.instance.pk and isinstance(widget, Autocomplete):
            widget.known = {str(self.instance.team_id): str(self.instance.team)}

    def clean(self) -> dict[str, Any] | None:
        if self.has_ended:
            for name, value in self.stored_values.items():
                self._show(name, value)
            raise ValidationError(
                gettext(
                    "The user was removed from this team meanwhile: save again to add the user to "
                    "it, or remove this row."
                )
            )
        return super().clean()


class MembershipRows(forms.BaseInlineFormSet):
    """The memberships on the page of a user.

    Of those that have ended since the page was opened, what the operator did not touch is left
    out; what was touched becomes a row that would add the user once more, and says so.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ended = range(0)
        management = ManagementForm(self.data, prefix=self.prefix)
        if self.is_bound and management.is_valid():
            total = min(management.cleaned_data["TOTAL_FORMS"], self.absolute_max)
            self._renumber(total, min(management.cleaned_data["INITIAL_FORMS"], total))

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        if delete := form.fields.get("DELETE"):
            delete.widget.attrs["aria-label"] = gettext("Remove the user from this team")

    def _renumber(self, total: int, initial: int) -> None:
        stored = {str(membership.pk): membership for membership in self.get_queryset()}
        key = self.model._meta.pk.name
        found = {n: self.data.get(f"{self.add_prefix(n)}-{key}", "") for n in range(initial)}
        kept = [number for number in found if found[number] in stored]
        ended = [n for n in found if found[n] not in stored and self._is_touched(n)]
        # As the rows are: the page shows the one beside the other.
        self._queryset = [stored[found[number]] for number in kept]
        self.ended = range(len(kept), len(kept) + len(ended))
        numbers = {n: new for new, n in enumerate([*kept, *ended, *range(initial, total)])}
        data = QueryDict(mutable=True)
        row = re.compile(rf"(initial-)?{re.escape(self.prefix)}-([0-9]{{1,4}})-(.*)", re.DOTALL)
        for name, texts in self.data.lists():
            if match := row.fullmatch(name):
                number = int(match[2])
                is_of_the_old_row = number in ended and (match[1] or match[3] == key)
                if number not in numbers or is_of_the_old_row:
                    continue
                name = f"{match[1] or ''}{self.add_prefix(numbers[number])}-{match[3]}"
            data.setlist(name, texts)
        data[f"{self.prefix}-TOTAL_FORMS"] = str(len(numbers))
        data[f"{self.prefix}-INITIAL_FORMS"] = str(len(kept))
        self.data = data

    def _is_touched(self, number: int) -> bool:
        row = self.form(self.data, prefix=self.add_prefix(number))
        if self.data.get(row.add_prefix("DELETE")):  # it is gone, as was wanted
            return False
        return any(row[name].data is not None for name in row.changed_data)

    def _construct_form(self, i: int, **kwargs: Any) -> Any:
        django: Any = super()
        form = django._construct_form(i, **kwargs)
        form.has_ended = i in self.ended
        form.instance.user = self.instance  # who would be read again for the name of each row
        if i < self.initial_form_count():
            form.empty_permitted = True  # what was not changed is not validated
        return form
