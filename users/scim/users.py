"""Users as resources: how they are shown, and what a resource that was sent changes."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, QuerySet
from pydantic import ValidationError
from scim2_models import Context, SCIMException, ScimPolicy

from users import changes
from users.api.fields import DateTimeField
from users.attributes import values
from users.attributes.rules import KINDS
from users.attributes.types import Text, Type
from users.identity import Email, LoginID
from users.models import AbstractUser, Membership
from users.scim import errors
from users.scim.conditions import version
from users.scim.schemas import ATTRIBUTES, EXTENSION, USER, Schemas

MAX_OPERATIONS = 1000

# A PATCH reads the parts of filters in its paths one by one, and each filter reads each email:
# without bounds, one request could take minutes, and hold the lock of its row.
MAX_PATHS = 100_000  # characters of all paths
MAX_EMAILS = 50

#: The fields that an identity provider changes, besides the attributes.
FIELDS: Mapping[str, Type] = {
    **{name: changes.FIELDS[name] for name in ("first_name", "last_name", "status")},
    "job_description": changes.FIELDS["job_description"],
    "login_id": LoginID(),
    "email_id": Email(),
    "external_id": Text(0, 255),
}

_NAMES = {
    "external_id": "externalId",
    "login_id": "userName",
    "first_name": "name.givenName",
    "last_name": "name.familyName",
    "email_id": "emails",
    "status": "active",
    "job_description": "title",
    **ATTRIBUTES,
}

# What Entra ID and Okta send is read as they mean it.
_POLICY = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)

_READ_ONLY = ("schemas", "id", "meta", "displayname", "usertype", "groups")

_AT = DateTimeField()


def visible(team_ids: Collection[int], using: str) -> "QuerySet[AbstractUser]":
    """Return the members of teams."""
    memberships = Membership.objects.filter(user=OuterRef("pk"), team__in=team_ids)
    return get_user_model().objects.using(using).filter(Exists(memberships))


def groups_of(
    users: Iterable[AbstractUser], group_ids: Collection[int], using: str
) -> dict[Any, list[tuple[int, str]]]:
    """Return the id and the name of each Group that users are in, by user id."""
    keys = [user.pk for user in users]
    memberships = Membership.objects.using(using).filter(user__in=keys, team__in=group_ids)
    found: dict[Any, list[tuple[int, str]]] = {}
    rows = memberships.order_by("team").values_list("user", "team", "team__name")
    for user, team, name in rows:
        found.setdefault(user, []).append((team, name))
    return found


def represent(
    user: AbstractUser, groups: Iterable[tuple[int, str]], schemas: Schemas, root: str
) -> dict[str, Any]:
    """Return the user as JSON.

    groups: the id and the name of each.
    root: the address of the SCIM root.
    """
    attributes = _shown_attributes(user, schemas)
    name = {"givenName": user.first_name, "familyName": user.last_name}
    shown: dict[str, Any] = {
        "schemas": [USER, EXTENSION] if attributes else [USER],
        "id": str(user.pk),
        "externalId": user.external_id,
        "userName": user.login_id,
        "name": {part: text for part, text in name.items() if text},
        "displayName": user.get_full_name(),
        "emails": [{"value": user.email_id, "type": "work", "primary": True}],
        "active": user.is_active,
        "title": user.job_description,
        "userType": user.role_type,
        "groups": [
            {"value": str(pk), "$ref": f"{root}/Groups/{pk}", "display": name}
            for pk, name in groups
        ],
        EXTENSION: attributes,
    }
    shown = {part: value for part, value in shown.items() if value not in ("", {})}
    shown["meta"] = {
        "resourceType": "User",
        "created": _AT.to_representation(user.created_at),
        "lastModified": _AT.to_representation(user.updated_at),
        "location": f"{root}/Users/{user.pk}",
        "version": version(shown),
    }
    return shown


def _shown_attributes(user: AbstractUser, schemas: Schemas) -> dict[str, dict[str, Any]]:
    shown: dict[str, dict[str, Any]] = {}
    for each in schemas.defined:
        stored = getattr(user, each.field)
        name = each.definition.name
        if name in stored and each.fits(stored[name]):
            shown.setdefault(ATTRIBUTES[each.field], {})[name] = stored[name]
    return shown


def read(body: Mapping[str, Any], schemas: Schemas) -> Any:
    """Return the resource in the body of a POST or PUT. Raises `SCIMException`."""
    payload = {name: value for name, value in body.items() if name.lower() not in _READ_ONLY}
    try:
        return schemas.user.model_validate(payload, scim_policy=_POLICY)
    except ValidationError as error:
        raise errors.of_validation(error) from error
    except RecursionError as error:
        raise errors.invalid_syntax("The body is nested too deeply") from error


def patched(shown: Mapping[str, Any], body: Mapping[str, Any], schemas: Schemas) -> Any:
    """Return the resource that a PATCH makes of the user. Raises `SCIMException`.

    shown: the user as `represent` has it.
    """
    done = [operation for each in operations(body) for operation in _normalized(each)]
    try:
        if sum(_emails_in(each.get("path"), each.get("value")) for each in done) > MAX_EMAILS:
            raise errors.invalid_value([f"emails: Must be at most {MAX_EMAILS} in a request"])
        resource = schemas.user.model_validate(dict(shown), scim_policy=_POLICY)
        if done:
            patch = schemas.patch.model_validate(
                {"operations": done},
                scim_ctx=Context.RESOURCE_PATCH_REQUEST,
                scim_policy=_POLICY,
            )
            patch.patch(resource, scim_policy=_POLICY)
    except ValidationError as error:
        raise errors.of_validation(error) from error
    except SCIMException as error:
        raise errors.of_patch(error) from error
    except RecursionError as error:
        raise errors.invalid_syntax("The body is nested too deeply") from error
    return resource


def operations(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the operations of a PATCH, with their members' names in lower case."""
    [found, *_] = [body[name] for name in body if name.lower() == "operations"] or [None]
    if not isinstance(found, list) or not 1 <= len(found) <= MAX_OPERATIONS:
        raise errors.invalid_value([f"Operations: Must be a list of 1 to {MAX_OPERATIONS}"])
    if not all(isinstance(each, dict) for each in found):
        raise errors.invalid_value(["Operations: Must be objects"])
    read = [{name.lower(): value for name, value in each.items()} for each in found]
    if sum(len(path) for each in read for path in _paths(each)) > MAX_PATHS:
        raise errors.invalid_value([f"path: Must be at most {MAX_PATHS} characters in a request"])
    return read


def _paths(operation: Mapping[str, Any]) -> Iterable[str]:
    path, value = operation.get("path"), operation.get("value")
    if path and isinstance(path, str):
        return [path]
    return value if isinstance(value, dict) else ()


def _emails_in(path: object, value: Any) -> int:
    """Return how many emails a value may add at a path, or the path look for."""
    if isinstance(path, str) and _local_name(path).startswith("emails"):
        return len(value) if isinstance(value, list) else 1
    if isinstance(value, dict):  # without a path, or with a schema as the path or a name
        return sum(_emails_in(name, part) for name, part in value.items())
    return 0


def _normalized(operation: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the operation without what is computed here, and is ignored in a POST, too."""
    operation = {
        name: value for name, value in operation.items() if name in ("op", "path", "value")
    }
    path, value = operation.get("path"), operation.get("value")
    if isinstance(path, str):
        is_computed = _local_name(path) == "displayname"
        return [] if is_computed else [operation]
    is_merge = str(operation.get("op")).lower() in ("add", "replace")
    if path is not None or not is_merge or not isinstance(value, dict):
        return [operation]
    parts = {
        name: part
        for name, part in value.items()
        if _local_name(name) not in ("displayname", "schemas", "meta")
    }
    filtered = [name for name in parts if "[" in name]
    others = {name: part for name, part in parts.items() if name not in filtered}
    found = [{**operation, "path": name, "value": parts[name]} for name in filtered]
    return [*found, {**operation, "value": others}] if others else found


def _local_name(path: str) -> str:
    return path.strip().lower().removeprefix(f"{USER.lower()}:")


def wanted(resource: Any, schemas: Schemas) -> dict[str, Any]:
    """Return what a resource says of the user, by field; attributes as objects of those it has.

    What is required and missing is None.
    """
    name = resource.name
    active = resource.active is not False
    return {
        "external_id": resource.external_id or "",
        "login_id": resource.user_name,
        "first_name": name and name.given_name,
        "last_name": (name and name.family_name) or "",
        "email_id": _email(resource),
        "status": AbstractUser.Status.ACTIVE.value
        if active
        else AbstractUser.Status.INACTIVE.value,
        "job_description": resource.title or "",
        **_attributes(resource, schemas),
    }


def _email(resource: Any) -> str | None:
    """Return the address that is kept; of a user without one, the name if it is one."""
    emails = resource.emails or []
    for is_kept in (lambda e: e.primary, lambda e: (e.type or "").lower() == "work", lambda e: e):
        for email in filter(is_kept, emails):
            return email.value
    name = Email().cleaned(resource.user_name)
    return None if Email().error(name) else name


def _attributes(resource: Any, schemas: Schemas) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {field: {} for field in KINDS}
    extension = resource[schemas.extension] if schemas.extension else None
    for each in schemas.defined:
        of_kind = getattr(extension, ATTRIBUTES[each.field], None)
        value = getattr(of_kind, each.member, None)
        if value is not None and value != []:
            found[each.field][each.definition.name] = values.canonical(value)
    return found


def merge_patch(user: AbstractUser, fields: dict[str, Any], schemas: Schemas) -> dict[str, Any]:
    """Return those of the fields that differ from what is stored, attributes as merge patches.

    What is stored and not shown is not touched.
    """
    changed = {
        name: value
        for name, value in fields.items()
        if name not in KINDS and not values.same(getattr(user, name), value)
    }
    for each in schemas.defined:
        name, stored = each.definition.name, getattr(user, each.field)
        value = fields[each.field].get(name)
        if value is None and not (name in stored and each.fits(stored[name])):
            continue
        if not values.same(stored.get(name), value):
            changed.setdefault(each.field, {})[name] = value
    return changed


def missing(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return an error for each field that is required and missing."""
    return {name: ["This attribute is required."] for name in fields if fields[name] is None}


def present(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def invalid(error: changes.InvalidChangeError) -> SCIMException:
    """Return the exception that names each attribute that is wrong."""
    return errors.invalid_value(_messages(error.errors))


def _messages(found: Mapping[str, Any]) -> Iterable[str]:
    for field, of_field in found.items():
        if isinstance(of_field, dict):
            for key, messages in of_field.items():
                yield f"{_NAMES[field]}.{key}: {' '.join(messages)}"
        else:
            yield f"{_NAMES[field]}: {' '.join(of_field)}"


def taken(found: Mapping[str, Any]) -> str:
    """Return the detail for names that are taken."""
    return "; ".join(f"{_NAMES[field]}: Is taken already" for field in found)
