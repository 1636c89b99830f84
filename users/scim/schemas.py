"""The schemas: what a User and a Group are, and how their JSON is read.

The extension of the User has the attributes that are defined now. Its models take tens of
milliseconds to build, so they are kept until a definition changes: each request reads the
definitions, and compares them.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from threading import Lock
from typing import Annotated, Any, NamedTuple, cast

from pydantic import BeforeValidator, Field, create_model
from scim2_models import (
    URN,
    AnyExtension,
    CaseExact,
    ComplexAttribute,
    Extension,
    Mutability,
    PatchOp,
    Reference,
    Required,
    Resource,
    ResourceType,
    Schema,
    SchemaExtension,
    Uniqueness,
)

from users.attributes.rules import KINDS
from users.attributes.types import Number
from users.models import AbstractUser, AttributeDefinition

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
EXTENSION = "urn:ietf:params:scim:schemas:extension:desk:2.0:User"

#: What the extension calls the user's attribute fields.
ATTRIBUTES: Mapping[str, str] = {
    "custom_attributes": "customAttributes",
    "skill_attributes": "skillAttributes",
}

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*", re.ASCII)  # RFC 7643, section 2.1


def read_boolean(value: object) -> object:
    """Return the boolean that a text stands for; Entra ID sends "False"."""
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if value is None or isinstance(value, bool):
        return value
    raise ValueError("Must be true or false")


def _read_number(value: object) -> object:
    """Return a number, or that which a text stands for."""
    number = Number().from_text(value.strip()) if isinstance(value, str) else value
    if number is not None and (error := Number().error(number)):
        raise ValueError(error)
    return number


Flag = Annotated[bool | None, BeforeValidator(read_boolean)]


class Name(ComplexAttribute):
    given_name: Annotated[str | None, Required.true] = None
    """The given name: 1 to 150 characters."""

    family_name: str | None = None
    """The family name: up to 150 characters."""


class Email(ComplexAttribute):
    value: Annotated[str | None, Required.true, Uniqueness.server] = None
    """The email address, unique whatever the case."""

    type: Annotated[str | None, Field(examples=["work"])] = None
    """What the address is for: always shown as work."""

    primary: Flag = None
    """Whether it is the one that is kept: always shown as true."""


class UserGroup(ComplexAttribute):
    value: Annotated[str | None, Mutability.read_only, CaseExact.true] = None
    """The id of the Group."""

    ref: Annotated[Reference["Group"] | None, Mutability.read_only] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """The URI of the Group."""

    display: Annotated[str | None, Mutability.read_only] = None
    """The name of the Group."""


class User(Resource[AnyExtension]):
    """A user of the chat platform."""

    __schema__ = URN(USER)

    user_name: Annotated[str | None, Required.true, Uniqueness.server] = None
    """What the user logs in with: 1 to 150 characters, unique whatever the case."""

    name: Annotated[Name | None, Required.true] = None
    """The user's names."""

    display_name: Annotated[str | None, Mutability.read_only] = None
    """The given and the family name."""

    emails: Annotated[list[Email] | None, Required.true] = None
    """The email address. One is kept: the primary one, else the work one, else the first."""

    active: Annotated[Flag, Required.true] = None
    """False: the user may not log in, and has no session."""

    title: str | None = None
    """The job description: up to 255 characters."""

    user_type: Annotated[
        str | None, Mutability.read_only, Field(examples=AbstractUser.RoleType.values)
    ] = None
    """An Administrative user is read-only."""

    groups: Annotated[list[UserGroup] | None, Mutability.read_only] = None
    """The Groups that the user is in."""


class Member(ComplexAttribute):
    value: Annotated[str | None, Mutability.immutable, Required.true, CaseExact.true] = None
    """The id of a User."""

    ref: Annotated[Reference["User"] | None, Mutability.immutable] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """The URI of the User; it is the value that is read."""

    type: Annotated[str | None, Mutability.immutable, Field(examples=["User"])] = None
    """Always User."""


class Group(Resource[Any]):
    """A team of users."""

    __schema__ = URN(GROUP)

    display_name: Annotated[str | None, Required.true, Uniqueness.server] = None
    """The name: 1 to 150 characters, unique whatever the case."""

    members: list[Member] | None = None
    """The Users in the Group."""


class Defined(NamedTuple):
    """An attribute that is shown.

    field: the field of the user that holds it.
    member: that of the extension's complex attribute.
    """

    field: str
    member: str
    definition: AttributeDefinition

    @property
    def path(self) -> str:
        return f"{ATTRIBUTES[self.field]}.{self.definition.name}"

    def fits(self, value: object) -> bool:
        """Return True if a stored value has the type that the schema says."""
        match self.definition.type:
            case "number":
                return isinstance(value, int | float) and not isinstance(value, bool)
            case "boolean":
                return isinstance(value, bool)
            case "multiple_choice":
                return isinstance(value, list) and all(isinstance(item, str) for item in value)
        return isinstance(value, str)


class Schemas:
    """The schemas with the attributes that are defined: `current` returns those of now."""

    def __init__(self, definitions: list[AttributeDefinition]) -> None:
        self.definitions = definitions
        self.defined = [*_shown(definitions)]
        self.user: Any = User
        self.extension: Any = None
        if self.defined:
            self.extension = _extension(self.defined)
            self.user = User.__class_getitem__(self.extension)
        self.patch: Any = PatchOp.__class_getitem__(self.user)

    def descriptions(self) -> dict[str, Schema]:
        """Return the resources of `/Schemas`, by id."""
        models = [User, Group, *([self.extension] if self.extension else [])]
        schemas = [model.to_schema() for model in models]
        return {str(schema.id): schema for schema in schemas}

    def resource_types(self) -> dict[str, ResourceType]:
        """Return the resources of `/ResourceTypes`, by id."""
        extension = SchemaExtension.model_validate({"schema": EXTENSION, "required": False})
        return {
            "User": _resource_type(User, USER, [extension] if self.extension else None),
            "Group": _resource_type(Group, GROUP, None),
        }


def _resource_type(
    model: type[Resource[Any]], schema: str, extensions: list[SchemaExtension] | None
) -> ResourceType:
    return ResourceType.model_validate(
        {
            "id": model.__name__,
            "name": model.__name__,
            "endpoint": f"/{model.__name__}s",
            "description": model.__doc__,
            "schema": schema,
            "schemaExtensions": extensions,
        }
    )


def _shown(definitions: Iterable[AttributeDefinition]) -> Iterator[Defined]:
    """Yield what has a SCIM name that none before it has, whatever the case."""
    taken: set[tuple[str, str]] = set()
    fields = {kind: field for field, kind in KINDS.items()}
    for number, definition in enumerate(definitions):
        key = definition.kind, definition.name.lower()
        if _NAME.fullmatch(definition.name) and key not in taken:
            taken.add(key)
            yield Defined(fields[definition.kind], f"a{number}", definition)


def _extension(defined: list[Defined]) -> type[Extension]:
    members = {
        ATTRIBUTES[field]: _complex(name, [each for each in defined if each.field == field])
        for field, name in (("custom_attributes", "Custom"), ("skill_attributes", "Skills"))
        if any(each.field == field for each in defined)
    }
    fields: Any = {
        scim_name: (
            model | None,
            Field(
                None,
                serialization_alias=scim_name,
                validation_alias=scim_name,
                description=model.__doc__,
            ),
        )
        for scim_name, model in members.items()
    }
    extension: Any = create_model("Desk", __base__=Extension, **fields)
    extension.__schema__ = URN(EXTENSION)
    extension.__doc__ = "The attributes that the operators have defined."
    extension.__pydantic_on_complete__()  # which needs to know the schema
    return cast("type[Extension]", extension)


def _complex(name: str, defined: list[Defined]) -> type[ComplexAttribute]:
    fields: Any = {}
    for each in defined:
        definition = each.definition
        fields[each.member] = (
            _TYPES[definition.type],
            Field(
                None,
                serialization_alias=definition.name,
                validation_alias=definition.name,
                description=definition.description or None,
                examples=definition.choices if definition.has_choices else None,
            ),
        )
    model: Any = create_model(name, __base__=ComplexAttribute, **fields)
    model.__doc__ = f"The {'skills' if name == 'Skills' else 'custom attributes'} of the user."
    return cast("type[ComplexAttribute]", model)


_TYPES: Mapping[str, Any] = {
    "text": Annotated[str | None, CaseExact.true],
    "choice": Annotated[str | None, CaseExact.true],
    "multiple_choice": Annotated[list[str] | None, CaseExact.true],
    "boolean": Flag,
    "number": Annotated[float | None, BeforeValidator(_read_number)],
}


class _Kept:
    """The last schemas, and the definitions that they are made of."""

    def __init__(self, build: Callable[[list[AttributeDefinition]], Schemas]) -> None:
        self.build = build
        self.last: tuple[Any, Schemas] | None = None
        # Pydantic parses source where it makes a model, and Python 3.11 fails where two threads do
        # that at once (CPython's issue 106905).
        self.lock = Lock()

    def get(self, definitions: list[AttributeDefinition]) -> Schemas:
        made_of = [(d.kind, d.name, d.type, tuple(d.choices), d.description) for d in definitions]
        with self.lock:
            if self.last is None or self.last[0] != made_of:
                self.last = made_of, self.build(definitions)
            return self.last[1]


_kept = _Kept(Schemas)


def current(using: str) -> Schemas:
    """Return the schemas with the attributes that are defined now, by one query."""
    definitions = AttributeDefinition._base_manager.using(using).order_by()
    # Sorted here: databases disagree about capitals.
    return _kept.get(sorted(definitions, key=lambda each: (each.kind, each.name)))
