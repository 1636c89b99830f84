"""The rules for attributes of one kind: which keys and values a user may have."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import repeat
from typing import Protocol, TypeAlias

from django.utils.translation import gettext

from users.attributes import types, values

#: Messages by attribute, or one list of messages if the object as a whole is invalid.
Errors: TypeAlias = dict[str, list[str]] | list[str]

#: The user's attribute fields, each with the kind of definition that applies to it.
KINDS: Mapping[str, str] = {"custom_attributes": "custom", "skill_attributes": "skill"}

_MAX_NAMES = 20  # of definitions listed in an error message


class Definition(types.Definition, Protocol):
    """The parts of an attribute definition that `Rules` uses."""

    @property
    def kind(self) -> str: ...

    @property
    def name(self) -> str: ...


class Rules:
    """The rules for attributes of one kind.

    kind: `custom` or `skill`. Undefined skills are accepted, undefined custom attributes are not.
    definitions: those of other kinds are ignored.
    """

    def __init__(self, kind: str, definitions: Iterable[Definition]) -> None:
        self.kind = kind
        self.definitions: Mapping[str, Definition] = {
            definition.name: definition for definition in definitions if definition.kind == kind
        }
        self.takes_undefined = kind == "skill"

    def validate(self, stored: values.Attributes, wanted: values.Attributes) -> Errors:
        """Return the errors of changing an attribute object from `stored` to `wanted`.

        Only values that change are validated. The errors are grouped by attribute; if the object
        has too many keys, they are one list.
        """
        errors: dict[str, list[str]] = {}
        undefined = self.undefined_errors()
        for key, value in wanted.items():
            if key in stored and values.same(stored[key], value):
                continue
            if definition := self.definitions.get(key):
                error = types.type_of(definition).error(value)
            elif self.takes_undefined:
                error = values.key_error(key) or types.Undefined().error(value)
            else:
                error = values.key_error(key) or next(undefined)
            if error:
                errors[key] = [error]
        if len(wanted) > max(values.MAX_KEYS, len(stored)):
            limit = gettext("Must have at most %(max)d attributes, and would have %(count)d.")
            counts = {"max": values.MAX_KEYS, "count": len(wanted)}
            return [limit % counts, *flat(errors)]
        return errors

    def type_of(self, key: str) -> types.Type | None:
        """Return the type of an attribute's values, or None if it must be defined and is not."""
        if definition := self.definitions.get(key):
            return types.type_of(definition)
        return types.Undefined() if self.takes_undefined else None

    def undefined_errors(self) -> Iterator[str]:
        """Yield an error message per undefined attribute; the first one lists the defined names."""
        if names := sorted(self.definitions):
            listed = ", ".join(f"'{name}'" for name in names[:_MAX_NAMES])
            more = len(names) - _MAX_NAMES
            message = (
                gettext(
                    "Nobody has defined this attribute. Defined are: %(names)s, and %(more)d more."
                )
                if more > 0
                else gettext("Nobody has defined this attribute. Defined are: %(names)s.")
            )
            yield message % {"names": listed, "more": more}
        yield from repeat(gettext("Nobody has defined this attribute."))

    def no_longer_allowed(self, stored: values.Attributes) -> dict[str, str | None]:
        """Return the stored keys that the definitions do not allow, each with an error message.

        For an undefined key, the message is None.
        """
        found: dict[str, str | None] = {}
        for key, value in stored.items():
            if key not in self.definitions:
                found[key] = None
            elif error := types.type_of(self.definitions[key]).error(value):
                found[key] = error
        return found


def rules_by_field(definitions: Iterable[Definition]) -> dict[str, Rules]:
    """Return the rules for each of the user's attribute fields, by field name."""
    definitions = list(definitions)
    return {field: Rules(kind, definitions) for field, kind in KINDS.items()}


def flat(errors: Errors) -> list[str]:
    """Return `errors` as one list of messages, each starting with its attribute's name."""
    if isinstance(errors, list):
        return errors
    return [f"'{key}': {message}" for key, messages in errors.items() for message in messages]


def joined(one: Errors, other: Errors) -> Errors:
    """Return the errors of both."""
    if isinstance(one, dict) and isinstance(other, dict):
        return {key: [*one.get(key, ()), *other.get(key, ())] for key in {**one, **other}}
    return [*flat(one), *flat(other)]
