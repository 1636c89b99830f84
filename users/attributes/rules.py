"""The rules of one kind of attributes: which keys users may hold, and which values."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import repeat
from typing import Protocol, TypeAlias

from users.attributes import types, values

#: Messages for each attribute; or one list of messages, where the object as a whole is wrong.
Errors: TypeAlias = dict[str, list[str]] | list[str]

#: The user's fields that hold attributes, each with the kind of definition that rules it.
KINDS: Mapping[str, str] = {"custom_attributes": "custom", "skill_attributes": "skill"}

_MAX_NAMES = 20  # of definitions, in an error


class Definition(types.Definition, Protocol):
    """What the rules need to know of an attribute definition."""

    @property
    def kind(self) -> str: ...

    @property
    def name(self) -> str: ...


class Rules:
    """The rules of one kind, made of the definitions of all kinds.

    kind: `custom` or `skill`. A skill that nobody defined is taken, a custom attribute is not.
    """

    def __init__(self, kind: str, definitions: Iterable[Definition]) -> None:
        self.kind = kind
        self.definitions: Mapping[str, Definition] = {
            definition.name: definition for definition in definitions if definition.kind == kind
        }
        self.takes_undefined = kind == "skill"

    def validate(self, stored: values.Attributes, wanted: values.Attributes) -> Errors:
        """Return what is wrong with changing an attribute object from `stored` to `wanted`.

        Only what changes is validated: a value that is as it was stored is not. Errors come by
        attribute; where the object as a whole is wrong too, all of them come as one list.
        """
        errors: dict[str, list[str]] = {}
        undefined = self._undefined_errors()
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
            limit = f"Must have at most {values.MAX_KEYS} attributes, and would have {len(wanted)}."
            return [limit, *flat(errors)]
        return errors

    def _undefined_errors(self) -> Iterator[str]:
        """Yield what is wrong with each undefined attribute; the first names the defined ones."""
        error = "Nobody has defined this attribute."
        if names := sorted(self.definitions):
            listed = ", ".join(f"'{name}'" for name in names[:_MAX_NAMES])
            more = len(names) - _MAX_NAMES
            yield f"{error} Defined are: {listed}{f', and {more} more' if more > 0 else ''}."
        yield from repeat(error)

    def no_longer_allowed(self, stored: values.Attributes) -> dict[str, str | None]:
        """Return the keys of `stored` whose values no definition allows, each with what is wrong.

        None stands for a key that nobody defined.
        """
        found: dict[str, str | None] = {}
        for key, value in stored.items():
            if key not in self.definitions:
                found[key] = None
            elif error := types.type_of(self.definitions[key]).error(value):
                found[key] = error
        return found


def rules_by_field(definitions: Iterable[Definition]) -> dict[str, Rules]:
    """Return the rules of each of the user's fields that hold attributes, by its name."""
    definitions = list(definitions)
    return {field: Rules(kind, definitions) for field, kind in KINDS.items()}


def flat(errors: Errors) -> list[str]:
    """Return `errors` as one list of messages, each naming its attribute."""
    if isinstance(errors, list):
        return errors
    return [f"'{key}': {message}" for key, messages in errors.items() for message in messages]
