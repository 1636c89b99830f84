"""`attributes` and `excludedAttributes`: which parts of a resource are shown (RFC 7644, 3.9)."""

from collections.abc import Iterable, Mapping
from typing import Any

from users.scim.schemas import EXTENSION, GROUP, USER

Path = tuple[str, ...]  # names in lower case, from the resource down

_ALWAYS = ("schemas", "id")
_URNS = tuple(f"{urn.lower()}:" for urn in (USER, GROUP))


def path_of(name: str) -> Path:
    """Return the path that `name` stands for, with the URN of its schema or without it."""
    name = name.strip().lower()
    extension = EXTENSION.lower()
    if name == extension:
        return (extension,)
    if name.startswith(f"{extension}:"):
        return (extension, *name.removeprefix(f"{extension}:").split("."))
    for urn in _URNS:
        name = name.removeprefix(urn)
    return tuple(name.split("."))


class Projection:
    """What is shown of a resource.

    attributes: the names of those that are wanted; none: all.
    excluded: the names of those that are not.
    """

    def __init__(self, attributes: Iterable[str] = (), excluded: Iterable[str] = ()) -> None:
        self.wanted = [path_of(name) for name in attributes]
        self.excluded = [path_of(name) for name in excluded]

    def shows(self, name: str, value: Any) -> bool:
        """Return True if the attribute `name`, with a value like this one, is shown."""
        return name in self.of({name: value})

    def of(self, resource: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is shown of `resource`."""
        shown = dict(resource)
        if self.wanted:
            shown = _kept(shown, self.wanted)
        if self.excluded:
            shown = _without(shown, self.excluded)
        return {**{name: resource[name] for name in _ALWAYS if name in resource}, **shown}


def _kept(value: Any, paths: list[Path]) -> Any:
    if isinstance(value, list):
        return [kept for item in value if (kept := _kept(item, paths)) != {}]
    if not isinstance(value, dict):
        return value
    kept = {}
    for name, item in value.items():
        below = [path[1:] for path in paths if path[0] == name.lower()]
        if () in below:
            kept[name] = item
        elif below and (part := _kept(item, below)):
            kept[name] = part
    return kept


def _without(value: Any, paths: list[Path]) -> Any:
    if isinstance(value, list):
        return [_without(item, paths) for item in value]
    if not isinstance(value, dict):
        return value
    left = {}
    for name, item in value.items():
        below = [path[1:] for path in paths if path[0] == name.lower()]
        if () not in below:
            left[name] = _without(item, below) if below else item
    return left
