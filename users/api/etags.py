"""Entity tags (RFC 9110): `ETag` in answers with one user, `If-Match` in an update."""

import json
import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from rest_framework.request import Request

from users.api import status_codes
from users.api.envelope import ApiError
from users.attributes.values import canonical

# Neither the calls nor the admin site change these. `updated_at` moves with whatever a project's
# own code saves, such as `active_chats`.
_NOT_COVERED = frozenset({"updated_at", "logged_in", "active_chats"})

# RFC 9110, sections 5.6.1 and 8.8.3: empty elements of the list are allowed.
_TAG = r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")'
_LIST = re.compile(rf"[ \t,]*{_TAG}(?:[ \t]*,[ \t,]*{_TAG})*[ \t,]*")
_TAGS = re.compile(_TAG)

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def tag(representation: Mapping[str, Any]) -> str:
    """Return the entity tag of a user, as `UserSerializer` represents it.

    It is the same as long as the user's details are, whatever the database.
    """
    covered = [
        canonical(value) if isinstance(value, dict) else value
        for name, value in representation.items()
        if name not in _NOT_COVERED
    ]
    return f'"{blake2b(_encode(covered).encode(), digest_size=16).hexdigest()}"'


def is_conditional(request: Request) -> bool:
    return "HTTP_IF_MATCH" in request.META


def require_match(request: Request, representation: Mapping[str, Any]) -> None:
    """Raise `ApiError` unless `If-Match` names the tag of the user: 3115 or 9412.

    A weak tag matches too: proxies that compress an answer make its tag one.
    """
    value = request.META["HTTP_IF_MATCH"].strip(" \t")
    if value == "*":
        return
    if not _LIST.fullmatch(value):
        error = "Must be the ETag of an answer, in its quotes; several, separated by commas; or *."
        raise ApiError(status_codes.INVALID_REQUEST, {"If-Match": [error]})
    if tag(representation) not in _TAGS.findall(value):
        error = "Is not the ETag that the user has now: read the user again."
        raise ApiError(status_codes.CHANGED_MEANWHILE, {"If-Match": [error]})
