"""Attribute definitions: which attributes users may have; and queries for who has one."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models.lookups import Exact
from django.utils.text import Truncator
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from users.attributes import values
from users.db.fields import ExactCharField
from users.db.functions import HeldValue, JSONRows, JSONType, JSONValue
from users.db.json_conditions import JSONHolds
from users.models.fixtures import CheckedFixture
from users.models.validators import validate_storable


class AttributeDefinition(CheckedFixture):
    """One key that users' custom or skill attributes may hold, and the values that it takes."""

    class Kind(models.TextChoices):
        CUSTOM = "custom", _("custom attribute")
        SKILL = "skill", _("skill")

    class Type(models.TextChoices):
        TEXT = "text", _("text")
        NUMBER = "number", _("number")
        BOOLEAN = "boolean", _("yes or no")
        CHOICE = "choice", _("one choice")
        MULTIPLE_CHOICE = "multiple_choice", _("several choices")

    kind = ExactCharField(_("kind"), max_length=6, choices=Kind)
    name = ExactCharField(
        _("name"),
        max_length=values.MAX_KEY_LENGTH,
        help_text=_("The key as it stands in the API, such as “business”."),
    )
    type = ExactCharField(_("type"), max_length=15, choices=Type)
    choices = models.JSONField(
        _("choices"), default=list, blank=True, decoder=values.ChoicesDecoder
    )
    description = models.CharField(
        _("description"), max_length=255, blank=True, validators=[validate_storable]
    )
    position = models.PositiveSmallIntegerField(
        _("position"),
        default=0,
        validators=[MaxValueValidator(32_767)],
        help_text=_("Attributes are shown in this order; those with the same number, by name."),
    )

    # By language: the label of each choice, and of the attribute itself under "".
    labels = models.JSONField(_("labels"), default=dict, db_default={}, blank=True)

    class Meta:
        ordering = ("kind", "position", "name")
        verbose_name = _("attribute definition")
        verbose_name_plural = _("attribute definitions")
        constraints = [
            models.UniqueConstraint(
                fields=("kind", "name"), name="users_attributedefinition_kind_name_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=("custom", "skill")),
                name="users_attributedefinition_kind_valid",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    type__in=("text", "number", "boolean", "choice", "multiple_choice")
                ),
                name="users_attributedefinition_type_valid",
            ),
            models.CheckConstraint(
                condition=Exact(JSONType("choices"), "array"),
                name="users_attributedefinition_choices_valid",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, **kwargs: Any) -> None:
        """Save the definition; `ValidationError` where its kind or name would change."""
        self._refuse_new_identity()
        super().save(**kwargs)

    @property
    def field(self) -> str:
        """The name of the user's field that holds the attribute."""
        return f"{self.kind}_attributes"

    @property
    def has_choices(self) -> bool:
        return self.type in (self.Type.CHOICE, self.Type.MULTIPLE_CHOICE)

    def label(self, choice: str = "") -> str:
        """Return what pages call the attribute, or a choice of it, in the active language."""
        language = get_language() or ""
        for code in (language, language.partition("-")[0]):
            if found := self.labels.get(code, {}).get(choice):
                return str(found)
        return choice or self.name

    def rename_labels(self, old: str, new: str) -> None:
        """Give the labels of the choice `old` to `new`, unless that has its own."""
        for labels in self.labels.values():
            if label := labels.pop(old, None):
                labels.setdefault(new, label)

    def clean(self) -> None:
        super().clean()
        if errors := self._errors():
            raise ValidationError(errors)
        self._refuse_new_identity()
        others = type(self)._base_manager.filter(kind=self.kind).exclude(pk=self.pk)
        if self._state.adding and others.count() >= values.MAX_DEFINITIONS:
            message = gettext("There are %d definitions of this kind: no more can be made.")
            raise ValidationError({"kind": message % values.MAX_DEFINITIONS})

    def fixture_errors(self) -> dict[str, str]:
        return {**super().fixture_errors(), **self._errors()}

    def _errors(self) -> dict[str, str]:
        errors = {
            "name": values.key_error(self.name),
            "choices": self._choices_error(),
            "labels": self._labels_error(),
        }
        return {field: error for field, error in errors.items() if error}

    def _choices_error(self) -> str | None:
        if not isinstance(self.choices, list):
            return gettext("Must be a list of strings, not %s.") % values.json_type(self.choices)
        if not self.has_choices:
            if not self.choices:
                return None
            return gettext(
                "This type has no choices: clear them, or choose the type “one choice” or “several "
                "choices”."
            )
        if not self.choices:
            return gettext("This type needs at least one choice.")
        if len(self.choices) > values.MAX_CHOICES:
            return gettext("Must have at most %(max)d choices, and has %(count)d.") % {
                "max": values.MAX_CHOICES,
                "count": len(self.choices),
            }
        for number, choice in enumerate(self.choices, 1):
            if error := values.string_error(choice) or values.length_error(
                choice, 1, values.MAX_STRING_LENGTH
            ):
                return gettext("Choice %(number)d: %(error)s") % {"number": number, "error": error}
        if repeated := [choice for choice, count in Counter(self.choices).items() if count > 1]:
            listed = ", ".join(f"“{Truncator(choice).chars(60)}”" for choice in repeated[:10])
            return gettext("Each choice must be listed once. Listed several times: %s.") % listed
        return None

    def _labels_error(self) -> str | None:
        by_language = self.labels if isinstance(self.labels, dict) else {None: self.labels}
        for labels in by_language.values():
            if not isinstance(labels, dict):
                return gettext("Must be an object, not %s.") % values.json_type(labels)
            for label in labels.values():
                if error := values.string_error(label) or values.length_error(
                    label, 1, values.MAX_STRING_LENGTH
                ):
                    return error
        return None

    def _refuse_new_identity(self) -> None:
        # Users' attributes hold the name: under another one, their values would be orphans.
        stored = type(self)._base_manager.filter(pk=self.pk).values("kind", "name").first()
        for field, value in (stored or {}).items():
            if getattr(self, field) != value:
                raise ValidationError(
                    {field: gettext("Does not change once made (it is '%s').") % value}
                )


class DefinitionRow(NamedTuple):
    """The parts of an `AttributeDefinition` that validation uses (see `definition_rows`)."""

    kind: str
    name: str
    type: str
    choices: list[str]


def definition_rows() -> models.Subquery:
    """Return an expression for all definitions, to be read with something else in one statement.

    Its value is a list of lists, each a `DefinitionRow`; or None where there are none.
    """
    row = JSONRows("kind", "name", "type", JSONValue("choices"))
    return models.Subquery(AttributeDefinition.objects.order_by().values(rows=row))


def held(definition: AttributeDefinition, choice: str | None = None) -> Any:
    """Return the condition that a user holds the attribute of `definition`: any value, or one."""
    if choice is None:
        return models.Q(JSONHolds(definition.field, definition.name, "exists"))
    return models.Q(JSONHolds(definition.field, definition.name, "eq", [choice])) | models.Q(
        JSONHolds(definition.field, definition.name, "contains", [choice])
    )


def holders(definition: AttributeDefinition, choice: str | None = None) -> "models.QuerySet[Any]":
    """Return the users who hold the attribute of `definition`: any value, or one choice."""
    return get_user_model()._default_manager.filter(held(definition, choice))


def count_holders(definitions: Sequence[AttributeDefinition]) -> list[int]:
    """Return how many users hold the attribute of each definition, by a query for hundreds."""
    users, counts = get_user_model()._default_manager, list[int]()
    for start in range(0, len(definitions), 500):  # databases bound the columns of a query
        asked = definitions[start : start + 500]
        columns = {
            f"held_{number}": models.Count("pk", filter=held(definition))
            for number, definition in enumerate(asked)
        }
        counts += users.aggregate(**columns).values()
    return counts


def held_value(definition: AttributeDefinition) -> HeldValue:
    """Return an expression for a user's value of the attribute; NULL where there is none."""
    name = models.Value(definition.name, models.CharField())
    json = models.JSONField(decoder=values.JSONDecoder)
    return HeldValue(models.F(definition.field), name, output_field=json)


def count_values(definition: AttributeDefinition) -> Iterator[tuple[Any, int]]:
    """Return the values of an attribute, each with how many users hold it, by one query."""
    value = held_value(definition)
    counts = holders(definition).order_by().values_list(value).annotate(models.Count("pk"))
    return counts.iterator()


def count_choices(definition: AttributeDefinition) -> Counter[str]:
    """Return how many users hold each choice, or have it in their list, by one query."""
    counts = Counter[str]()
    for held_value, number in count_values(definition):
        items = held_value if isinstance(held_value, list) else [held_value]
        for choice in {item for item in items if isinstance(item, str)}:
            counts[choice] += number
    return counts
