"""Entity tags (RFC 9110): weak ones, from what is shown."""

import json
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any

from scim2_models import PreconditionFailedException
from scim2_server.conditions import EntityTags

from users.attributes.values import canonical

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def version(resource: Mapping[str, Any]) -> str:
    """Return the entity tag of a resource, from all that it shows but `meta`."""
    shown = {name: value for name, value in resource.items() if name != "meta"}
    return f'W/"{blake2b(_encode(canonical(shown)).encode(), digest_size=16).hexdigest()}"'


class Conditions:
    """The headers `If-Match` and `If-None-Match` of a request."""

    def __init__(self, if_match: str | None, if_none_match: str | None) -> None:
        self.if_match = EntityTags.parse(if_match)
        self.if_none_match = EntityTags.parse(if_none_match)

    def require(self, *versions: Callable[[], str]) -> None:
        """Raise `PreconditionFailedException` unless a change may be made.

        versions: each returns a tag that the resource may have been shown with.
        """
        for tags, wanted in ((self.if_match, True), (self.if_none_match, False)):
            if tags and any(tags.matches(version()) for version in versions) is not wanted:
                raise PreconditionFailedException

    def is_known(self, version: str) -> bool:
        """Return True if the client has the resource as it is. Raises as `require` does."""
        if self.if_match and not self.if_match.matches(version):
            raise PreconditionFailedException
        return self.if_none_match is not None and self.if_none_match.matches(version)
