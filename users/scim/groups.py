"""Groups as resources: how they are shown, and what a body or a PATCH changes."""

from collections.abc import Mapping, Sequence
from typing import Any

from scim2_models import MutabilityException, NoTargetException, Path
from scim2_models.path import AttrPath, FilterNode, ValuePath

from users.attributes.types import Text, TrimmedText
from users.models import Team
from users.names import fold
from users.scim import errors
from users.scim.conditions import version
from users.scim.members import MemberChanges, ids_in, ids_selected
from users.scim.schemas import GROUP
from users.scim.users import operations

_NAME = TrimmedText(1, 150)
_EXTERNAL_ID = Text(0, 255)
_OPERATIONS = ("add", "replace", "remove")


def represent(team: Team, members: Sequence[Mapping[str, str]] | None, root: str) -> dict[str, Any]:
    """Return the Group as JSON.

    members: None: they are not shown, nor do they count for the version.
    """
    shown: dict[str, Any] = {"schemas": [GROUP], "id": str(team.pk)}
    if team.external_id:
        shown["externalId"] = team.external_id
    shown["displayName"] = team.name
    if members:
        shown["members"] = members
    shown["meta"] = {
        "resourceType": "Group",
        "location": f"{root}/Groups/{team.pk}",
        "version": version({**shown, "members": members}),
    }
    return shown


class GroupChanges:
    """What a request changes of a Group.

    name, external_id: None: they stay.
    """

    def __init__(self) -> None:
        self.name: str | None = None
        self.external_id: str | None = None
        self.members = MemberChanges()

    @classmethod
    def of_body(cls, body: Mapping[str, Any]) -> "GroupChanges":
        """Return what a POST or PUT makes of a Group. Raises `SCIMException`."""
        found = cls()
        given = {name.lower(): value for name, value in body.items()}
        messages = [
            *found._set_name(given.get("displayname")),
            *found._set_external_id(given.get("externalid")),
        ]
        if messages:
            raise errors.invalid_value(messages)
        members = given.get("members")
        found.members.replace(ids_in([] if members is None else members))
        return found

    @classmethod
    def of_patch(cls, body: Mapping[str, Any]) -> "GroupChanges":
        """Return what a PATCH changes. Raises `SCIMException`."""
        found = cls()
        for operation in operations(body):
            found._apply(operation)
        return found

    def _apply(self, operation: Mapping[str, Any]) -> None:
        name = operation.get("op")
        name = name.lower() if isinstance(name, str) else name
        path, value = operation.get("path"), operation.get("value")
        if name not in _OPERATIONS:
            raise errors.invalid_value(["op: Must be add, replace or remove"])
        if path is not None and not isinstance(path, str):
            raise errors.invalid_value(["path: Must be a text"])
        if name == "remove" and not path:
            raise NoTargetException(detail="remove needs a path")
        if (name == "add" and value is None) or (name == "replace" and "value" not in operation):
            raise errors.invalid_value([f"value: Is required for {name}"])
        if path:
            self._write(name, path, value, is_named=True)
            return
        if not isinstance(value, dict):
            raise errors.invalid_value(["value: Must be an object where there is no path"])
        for part, item in value.items():
            self._write(name, part, item, is_named=False)

    def _write(self, operation: str, path: str, value: Any, *, is_named: bool) -> None:
        """Note one change of one attribute.

        is_named: False where the path is a member of a value: of those, the ones that cannot be
            written are ignored, as in a PUT.
        """
        attribute, selected, part = _target(path)
        messages: list[str] = []
        if attribute == "members":
            self._write_members(operation, selected, part, value)
        elif attribute == "displayname" and operation == "remove":
            raise MutabilityException(detail="displayName is required")
        elif attribute == "displayname":
            messages = self._set_name(value)
        elif attribute == "externalid":
            messages = self._set_external_id(None if operation == "remove" else value)
        elif attribute in ("id", "meta") and is_named:
            raise MutabilityException(detail=f"{attribute} is read-only")
        if messages:
            raise errors.invalid_value(messages)

    def _write_members(
        self, operation: str, selected: FilterNode | None, part: str | None, value: Any
    ) -> None:
        if part in ("value", "type"):
            raise MutabilityException(detail=f"members.{part} is immutable")
        if part:  # such as `display`, which is not ours
            return
        if selected:
            ids = ids_selected(selected)
            if operation != "remove":
                self.members.add(ids or ())
            elif ids is None:
                self.members.replace(())
            else:
                self.members.remove(ids)
        elif operation == "add":
            self.members.add(ids_in(value))
        elif operation == "remove" and value is not None:
            self.members.remove(ids_in(value))
        else:
            self.members.replace(ids_in([] if value is None else value))

    def _set_name(self, value: object) -> list[str]:
        name = _NAME.cleaned(value)
        if value is None:
            return ["displayName: This attribute is required."]
        error = _NAME.error(name)
        if error is None and not fold(name):
            error = "Must have a character that can be seen."
        self.name = name
        return [f"displayName: {error}"] if error else []

    def _set_external_id(self, value: object) -> list[str]:
        text = "" if value is None else value
        error = _EXTERNAL_ID.error(text)
        self.external_id = str(text)
        return [f"externalId: {error}"] if error else []


def _target(text: str) -> tuple[str | None, FilterNode | None, str | None]:
    """Return what a path leads to: attribute, filter and sub-attribute, the names in lower case.

    The attribute is None where there is no such schema. Raises `SCIMException`.
    """
    node = Path(text).ast
    if isinstance(node, ValuePath):
        attribute, selected, part = node.attr_path, node.val_filter, node.sub_attr
    elif isinstance(node, AttrPath):
        attribute, selected, part = node, None, node.sub_attr
    else:
        return None, None, None
    if attribute.uri and attribute.uri.lower() != GROUP.lower():
        return None, None, None
    return attribute.attr.lower(), selected, part and part.lower()
